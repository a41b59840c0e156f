"""Account numbers, and the code that a bank's application reads: field by field, and read back."""

import pytest
import segno

from node import errors, qr, transfers

# From the registry of ISO 13616, one of each length that is common.
GOOD = (
    "FR14 2004 1010 0505 0001 3M02 606", "DE89370400440532013000", "BE68539007547034",
    "ES9121000418450200051332", "IT60X0542811101000000123456", "NO93 8601 1117 947",
    "MT84MALT011000012345MTLCAST001S", "fr14-2004-1010-0505-0001-3m02-606",
    "NL91ABNA0417164300", "PT50000201231234567890154", "LU280019400644750000",
    "FR14\u00a02004\u00a01010\u202f0505\u00a00001\u00a03M02\u00a0606",
)  # fmt: skip
BAD = (
    "", "FR", "FR14 2004 1010 0505 0001 3M02 607", "FR15 2004 1010 0505 0001 3M02 606",
    "FR41 2004 1010 0505 0001 3M02 606",  # turned digits
    "FR1420041010050500013M0260", "FR1420041010050500013M026060", "DE8937040044053201300",
    "１４FR20041010050500013M02606", "FR14 2004 1010 0505 0001 3M02 6é6", "XX", "DE" + "9" * 200,
    "FR14;2004", "FR1420041010050500013M02606\nBCD",
)  # fmt: skip
ABROAD = ("GB29NWBK60161331926819", "CH9300762011623852957", "TR330006100519786457841326")


@pytest.mark.parametrize("text", GOOD)
def test_a_right_iban_is_taken_in_its_electronic_form(text: str) -> None:
    iban = transfers.check_iban(text)
    assert transfers.written(iban).replace(" ", "") == iban
    assert len(iban) == transfers.LENGTHS[iban[:2]]


@pytest.mark.parametrize(("text", "code"), [(t, "bad-iban") for t in BAD]
                         + [(t, "iban-abroad") for t in ABROAD])  # fmt: skip
def test_a_wrong_one_is_not(text: str, code: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        transfers.check_iban(text)
    assert refused.value.code == code


def test_one_wrong_digit_is_always_seen() -> None:
    iban = "FR1420041010050500013M02606"
    for at in range(2, len(iban)):
        for other in "0123456789":
            if other != iban[at]:
                with pytest.raises(errors.Invalid):
                    transfers.check_iban(iban[:at] + other + iban[at + 1 :])


@pytest.mark.parametrize("name", ["", "x" * 71, "€" * 60, "a\x00b", "a\u202eb"])
def test_a_holder_that_no_code_can_say(name: str) -> None:
    with pytest.raises(errors.Invalid):
        transfers.check_holder(name)


def test_a_line_of_a_name_cannot_become_a_field() -> None:
    assert "\n" not in transfers.check_holder("Claire\nDE89370400440532013000")


@pytest.mark.parametrize(
    ("cents", "amount"),
    [(1, "EUR0.01"), (10, "EUR0.10"), (2750, "EUR27.50"), (1_200_000, "EUR12000.00"),
     (99_999_999_999, "EUR999999999.99")],
)  # fmt: skip
def test_the_fields_are_those_of_epc069_12(cents: int, amount: str) -> None:
    """Version 002: https://www.europeanpaymentscouncil.eu, EPC069-12 v2.1, section 3."""
    iban = transfers.check_iban(GOOD[0])
    text = transfers.payload("Fleurs d’Été", iban, cents, "KER-417")
    assert text.split("\n") == [
        "BCD",  # service tag
        "002",  # version: the BIC may be left out
        "1",  # UTF-8
        "SCT",  # identification
        "",  # BIC
        "Fleurs d’Été",  # name of the beneficiary
        iban,
        amount,
        "",  # purpose
        "",  # structured reference
        "KER-417",  # text: not both
    ]
    assert not text.endswith("\n")  # nothing behind the last element
    assert len(text.encode()) <= 331


def test_nothing_and_too_much_are_no_transfer() -> None:
    for cents in (0, -1, 100_000_000_000):
        with pytest.raises(errors.Invalid):
            transfers.payload("A", "FR", cents, "x")


def read(grid: list[list[bool]]) -> bytes:
    """Reads a code of version 10 back (ISO/IEC 18004), with nothing of ours: which modules hold
    data is found by drawing two texts with another program."""
    size = len(grid)
    assert size == 57
    one, two = (
        segno.make(letter * 213, version=10, error="m", mask=0, mode="byte", boost_error=False)
        for letter in ("\x00", "\x7f")
    )
    # Format information: level M with mask 0, BCH-coded and masked (table C.1): 101010000010010.
    row = (
        [grid[8][x] for x in (*range(6), 7, 8)]
        + [grid[7][8]]
        + [grid[y][8] for y in range(5, -1, -1)]
    )
    assert "".join(str(int(bit)) for bit in row) == "101010000010010"
    fixed = [[False] * size for _ in range(size)]
    for y in range(size):
        for x in range(size):
            corner = (x < 9 and y < 9) or (x > size - 9 and y < 9) or (x < 9 and y > size - 9)
            version = (x > size - 12 and y < 6) or (x < 6 and y > size - 12)
            spots = [(a, b) for a in (6, 28, 50) for b in (6, 28, 50)]
            spots = [s for s in spots if s not in ((6, 6), (6, 50), (50, 6))]
            spot = any(abs(x - a) < 3 and abs(y - b) < 3 for a, b in spots)
            fixed[y][x] = corner or version or spot or x == 6 or y == 6
            if fixed[y][x] and not spot:  # what no text changes is as the other program has it
                assert one.matrix[y][x] == two.matrix[y][x] == grid[y][x]
    bits: list[int] = []
    columns = [x for x in range(size - 1, -1, -1) if x != 6]
    for pair in range(0, len(columns), 2):
        upward = pair // 2 % 2 == 0
        for y in range(size - 1, -1, -1) if upward else range(size):
            for x in columns[pair : pair + 2]:
                if not fixed[y][x]:
                    bits.append(int(grid[y][x]) ^ ((x + y) % 2 == 0))
    words = [int("".join(map(str, bits[at : at + 8])), 2) for at in range(0, 346 * 8, 8)]
    sizes = (43, 43, 43, 43, 44)
    data = [b"".join(bytes([words[5 * at + block]]) for at in range(43)) for block in range(5)]
    data[4] += bytes([words[5 * 43]])
    assert [len(one) for one in data] == list(sizes)
    whole = int.from_bytes(b"".join(data), "big")
    stream = f"{whole:0{216 * 8}b}"
    assert stream[:4] == "0100"  # bytes
    length = int(stream[4:20], 2)
    return bytes(int(stream[20 + 8 * at : 28 + 8 * at], 2) for at in range(length))


@pytest.mark.parametrize("holder", ["A", "Fleurs d’Été", "é" * 70])
def test_the_code_reads_back_as_it_was_written(holder: str) -> None:
    iban = transfers.check_iban("MT84MALT011000012345MTLCAST001S")  # the longest
    name = transfers.check_holder(holder)
    text = transfers.payload(name, iban, transfers.CENTS_MOST, "KER-417")
    assert read(qr.modules(text)) == text.encode()
    assert transfers.code(name, iban, transfers.CENTS_MOST, "KER-417") == qr.path(text)
    assert qr.SIZE == 57  # version 10: EPC069-12 allows up to 13, with level M

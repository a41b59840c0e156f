"""Transfers within the SEPA: account numbers, and the QR code that banks' applications read.

Nothing is ever paid here: a code says to whom, how much and what for, and a bank does the rest.
"""

import re
from decimal import Decimal

from node import errors, qr, words

NAME_MOST = 70  # characters of the name of an account's holder
_NAME_BYTES = 140
CENTS_MOST = 99_999_999_999  # EPC069-12: 999,999,999.99

# How long an IBAN is in each country of the European Economic Area (ISO 13616 registry). Elsewhere
# a transfer needs the bank's BIC too (EPC069-12 v2.1), which nobody knows by heart.
LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21,
    "LT": 20, "LU": 20, "LV": 21, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
    "SE": 24, "SI": 19, "SK": 24,
}  # fmt: skip


def check_iban(text: str) -> str:
    """An IBAN in its electronic form, whose check digits are right (ISO 13616, ISO 7064 mod 97-10).

    Raises errors.Invalid with the code bad-iban, or iban-abroad for a country that is not served.
    """
    iban = re.sub(r"[\s\u00a0\u202f-]", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", iban, re.ASCII):
        raise errors.Invalid("bad-iban", "This is no IBAN.", fields={"iban": "is no IBAN"})
    turned = iban[4:] + iban[:4]
    right = int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1
    if right and iban[:2] not in LENGTHS:
        raise errors.Invalid("iban-abroad", "Its country is not served.", fields={"iban": "abroad"})
    if not right or len(iban) != LENGTHS[iban[:2]] or not 2 <= int(iban[2:4]) <= 98:
        raise errors.Invalid("bad-iban", "This is no IBAN.", fields={"iban": "is no IBAN"})
    return iban


def written(iban: str) -> str:
    """ "FR76 3000 6000 …": in fours, as it is read."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))


def check_holder(text: str) -> str:
    """The name of an account's holder, as a code can say it. Raises errors.Invalid."""
    name = " ".join(text.split())
    fits = 1 <= len(name) <= NAME_MOST and len(name.encode()) <= _NAME_BYTES
    if not fits or not words.is_plain(name):
        raise errors.Invalid("bad-holder", "This is no name.", fields={"holder": "is no name"})
    return name


def payload(holder: str, iban: str, cents: int, reference: str) -> str:
    """What the QR code of a transfer in euros says: EPC069-12 v2.1, version 002, in UTF-8.

    Lines that are empty: the BIC, which the area does without, the purpose and the structured
    reference, beside which there may be no text. Raises errors.Invalid for an amount of nothing.
    """
    if not 1 <= cents <= CENTS_MOST:
        raise errors.Invalid("bad-amount", "There is nothing to be transferred.")
    amount = f"EUR{Decimal(cents) / 100:.2f}"
    lines = ("BCD", "002", "1", "SCT", "", holder, iban, amount, "", "", reference)
    return "\n".join(lines)


def code(holder: str, iban: str, cents: int, reference: str) -> str:
    """The code as the path of an SVG of `qr.SIZE` modules: version 10 (of 13 at most), level M."""
    return qr.path(payload(holder, iban, cents, reference))

"""SIRET numbers and their check digit."""

import pytest

from node import errors, siret


@pytest.mark.parametrize(
    "text",
    [
        "73282932000074",
        "732 829 320 00074",
        "732\u00a0829\u202f320 00074",
        "732.829.320-00074",
        "35600000000048",  # La Poste, its head office
        "35600000049837",  # and one of its offices: the plain sum in fives
    ],
)
def test_right_ones(text: str) -> None:
    digits = siret.check(text)
    assert len(digits) == 14
    assert siret.check(siret.written(digits)) == digits


@pytest.mark.parametrize(
    "text",
    ["", "73282932000075", "7328293200007", "732829320000744", "00000000000000",
     "35600000049838", "7328293200007O", "٧٣٢٨٢٩٣٢٠٠٠٠٧٤", "732829320 00074 x"],
)  # fmt: skip
def test_wrong_ones(text: str) -> None:
    with pytest.raises(errors.Invalid):
        siret.check(text)


def test_every_slip_of_one_digit_is_found() -> None:
    right = "73282932000074"
    for at in range(14):
        for digit in "0123456789":
            if digit != right[at]:
                with pytest.raises(errors.Invalid):
                    siret.check(right[:at] + digit + right[at + 1 :])

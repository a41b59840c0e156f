"""SIRET numbers of French establishments: fourteen digits that check themselves."""

import re

from node import errors

LA_POSTE = "356000000"  # whose thousands of offices outgrew the check digit


def check(text: str) -> str:
    """The fourteen digits of a SIRET whose check digit is right. Raises errors.Invalid."""
    digits = re.sub(r"[\s.\u00a0\u202f-]", "", text)
    if re.fullmatch(r"[0-9]{14}", digits) and digits[:9] != "000000000" and _holds(digits):
        return digits
    raise errors.Invalid(
        "bad-siret",
        "A SIRET has fourteen digits, the last one a check digit.",
        fields={"siret": "has fourteen digits, the last one a check digit"},
    )


def _holds(digits: str) -> bool:
    """Luhn's sum; for La Poste, but its head office, the plain sum in fives."""
    if digits.startswith(LA_POSTE) and digits != f"{LA_POSTE}00048":
        return sum(map(int, digits)) % 5 == 0
    total = 0
    for position, digit in enumerate(reversed(digits)):
        weighted = int(digit) * (2 if position % 2 else 1)
        total += weighted - 9 if weighted > 9 else weighted
    return total % 10 == 0


def written(digits: str) -> str:
    """ "732 829 320 00074": as it is read."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:9]} {digits[9:]}"

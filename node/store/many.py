"""Many values asked for in one statement."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def question_marks(values: Sequence[T]) -> tuple[str, list[T]]:
    """What stands in the brackets of an IN, and the values for it.

    There are as many places as the next power of two, the last ones for the last value once more:
    of few such statements all are kept ready. (`json_each` takes whatever is no bytes.)
    """
    places = 1 << (len(values) - 1).bit_length() if values else 0
    filled = list(values)
    filled += filled[-1:] * (places - len(filled))
    return ", ".join("?" * places), filled

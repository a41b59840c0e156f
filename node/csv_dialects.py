"""CSV as tills and spreadsheets in France write it: read whatever the encoding and the separator.

Nothing is guessed about what a cell means here; that is `importing.py`.
"""

import csv
import io
import re
from dataclasses import dataclass

from node import errors
from node.pace import Pace

BYTES_MOST = 5_000_000
ROWS_MOST = 10_000
COLUMNS_MOST = 80
CELL_MOST = 20_000  # characters
_SEPARATORS = ";,\t|"


@dataclass(frozen=True, slots=True)
class Table:
    """The first row and the others, each with its number in the file as a spreadsheet shows it."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read(data: bytes) -> Table:
    """The table in a file. Raises errors.Invalid: csv-too-large, csv-no-text, csv-empty,
    csv-too-many-rows, csv-too-wide, csv-broken."""
    if len(data) > BYTES_MOST:
        raise errors.Invalid("csv-too-large")
    text = decode(data)
    separator = _separator(text)
    rows: list[tuple[int, tuple[str, ...]]] = []
    pace = Pace()
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=separator), 1):
            pace.turn()
            if len(cells) > COLUMNS_MOST:
                raise errors.Invalid("csv-too-wide")
            if any(len(cell) > CELL_MOST for cell in cells):
                raise errors.Invalid("csv-broken")  # a quote that nobody closed
            stripped = tuple(_cell(cell) for cell in cells)
            if any(stripped):
                rows.append((number, stripped))
            if len(rows) > ROWS_MOST + 1:
                raise errors.Invalid("csv-too-many-rows")
    except csv.Error:
        raise errors.Invalid("csv-broken") from None
    if len(rows) < 2:
        raise errors.Invalid("csv-empty")
    return Table(rows[0][1], tuple(rows[1:]))


def decode(data: bytes) -> str:
    """The text: UTF-8 and UTF-16 by their marks, UTF-8 without, else Windows' Western letters."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            try:
                text = data.decode("cp1252")
            except UnicodeDecodeError:
                text = data.decode("latin-1")
    control = sum(ord(letter) < 32 and letter not in "\r\n\t" for letter in text[:5000])
    if control or "\0" in text:
        raise errors.Invalid("csv-no-text")  # a spreadsheet's own file, a picture
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _separator(text: str) -> str:
    """The one that the first line has most of, outside quotes. Excel may name it ("sep=;")."""
    line = next((one for one in text.split("\n", 20) if one.strip()), "")
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=bare.count)


def _cell(text: str) -> str:
    """One line without blanks around it; our own export's apostrophe before a formula is undone."""
    text = " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())
    return text[1:] if re.match(r"'[=+\-@\uff1d]", text) else text

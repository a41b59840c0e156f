"""Changing a few lines of `instance.toml` from a page, and nothing else of it.

The file stays the one place where settings are: what is written here is read at the next start.
Comments and order are kept. What is not a plain `key = value` on one line is left to a person.
"""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from node import errors, sealed_files, settings

Value = str | list[str]


def change(folder: Path, changes: Mapping[str, Value]) -> settings.Settings:
    """Writes settings ("node.contact": …) into the file, whole or not at all; gives what it says.

    Raises errors.Invalid for a value that cannot be used, and errors.Conflict where the file
    cannot be changed safely or written at all: then somebody writes the line by hand.
    """
    path = folder / settings.FILE_NAME
    try:
        before = path.read_text(encoding="utf-8")
        text = before
        for name, value in changes.items():
            text = changed(text, name, value)
        configured = settings.parse(text)
        if text != before:
            _replace(path, text)
    except OSError as error:
        raise errors.Conflict("settings-not-writable", f"{path}: {error.strerror}") from None
    return configured


def line(name: str, value: Value) -> str:
    """The line that sets a setting, to be shown to whoever writes it by hand."""
    return f"{name.rpartition('.')[2]} = {json.dumps(value, ensure_ascii=False)}"


def changed(text: str, name: str, value: Value) -> str:
    """The text with one setting changed. Raises errors.Conflict where it is no plain line."""
    table, _, key = name.rpartition(".")
    wanted = tomllib.loads(text)
    wanted.setdefault(table, {})[key] = value
    lines = text.split("\n")
    start = next((at for at, one in enumerate(lines) if _header(one) == table), None)
    if start is None:
        lines = [
            *"\n".join(lines).rstrip("\n").split("\n"),
            "",
            f"[{table}]",
            line(name, value),
            "",
        ]
    else:
        end = next(
            (at for at in range(start + 1, len(lines)) if _header(lines[at]) is not None),
            len(lines),
        )
        said = re.compile(rf"\s*{re.escape(key)}\s*=")
        at = next((at for at in range(start + 1, end) if said.match(lines[at])), None)
        if at is None:
            lines.insert(start + 1, line(name, value))
        else:
            # A comment behind a list says what was in it.
            behind = "" if isinstance(value, list) else _comment(lines[at])
            lines[at] = line(name, value) + behind
    made = "\n".join(lines)
    try:
        if tomllib.loads(made) == wanted:
            return made
    except tomllib.TOMLDecodeError:
        pass
    raise errors.Conflict("settings-by-hand", f"{name} is not set on one plain line.")


def _header(text: str) -> str | None:
    match = re.fullmatch(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]\s*(#.*)?", text)
    return match[1] if match else None


def _comment(text: str) -> str:
    """The comment behind a value, with the blanks before it."""
    for match in re.finditer(r"\s*#", text):
        try:
            tomllib.loads(text[: match.start()])
        except tomllib.TOMLDecodeError:
            continue
        return text[match.start() :]
    return ""


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        Path(name).chmod(path.stat().st_mode & 0o777)
        Path(name).replace(path)
        sealed_files.sync_folder(path.parent)  # else a power cut brings the old one back
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

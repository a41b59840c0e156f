"""How commands are declared, and how they speak: lines for people, JSON for programs."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

Subjects = Any  # argparse's own type for this is private


def command(
    subjects: Subjects,
    name: str,
    run: Callable[[argparse.Namespace], int | None],
    *,
    help: str,
    example: str,
) -> argparse.ArgumentParser:
    """Adds a command with its help, an example, and `--json`."""
    parser: argparse.ArgumentParser = subjects.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=f"Example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="answer with one JSON document")
    parser.set_defaults(run=run)
    return parser


def subject(subjects: Subjects, name: str, *, help: str) -> Subjects:
    """Adds a word that commands follow, as in `shop add`."""
    parser = subjects.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    return parser.add_subparsers(dest="action", metavar="ACTION", required=True)


def say(asked: argparse.Namespace, document: Any, *lines: str) -> None:
    """Prints the document where `--json` was given, the lines otherwise."""
    if asked.json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        for line in lines:
            print(line)


def progress(text: str) -> None:
    """A passing line on a terminal; nothing anywhere else."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

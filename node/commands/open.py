"""`echoppe open`: exported reservations, read with the words of a key card, without a node."""

import argparse
import getpass
import sys
from pathlib import Path

from node.commands import output


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    parser = output.command(
        subjects,
        "open",
        run,
        help="read exported reservations with the seven words of a key card",
        example="echoppe open reservations-fleurs.html",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="as saved from the shop's list")


def run(asked: argparse.Namespace) -> None:
    """Asks for the words, or reads them from a pipe: never from the command line, which is kept."""
    from node import key_cards

    export = key_cards.read_export(asked.file.read_text(encoding="utf-8"))
    typed = getpass.getpass("Seven words: ") if sys.stdin.isatty() else sys.stdin.readline()
    found = key_cards.opened(export, key_cards.read_words(typed))
    output.say(
        asked,
        [{"code": code, "said": said} for code, said in found],
        *(
            f"{code}: "
            + (
                "cannot be read"
                if said is None
                else " – ".join(
                    str(said[name])
                    for name in ("name", "contact", "where", "agreed", "message")
                    if said.get(name)
                )
            )
            for code, said in found
        ),
    )

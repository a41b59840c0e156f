"""The `echoppe` command: its arguments, and where each subcommand lives.

Kept light: `echoppe --help` imports nothing but this, argparse and the subcommands' own argument
tables. What a subcommand needs it imports when it runs.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import node
from node import errors
from node.commands import (
    account,
    backup,
    check,
    deliveries,
    demo,
    enquiry,
    feed,
    init,
    listing,
    neighbour,
    news,
    proof,
    reindex,
    report,
    restore,
    search,
    serve,
    shop,
)
from node.commands import open as open_export

DONE, REFUSED, MISUSED = 0, 1, 2

_SUBJECTS = (
    init,
    serve,
    account,
    shop,
    listing,
    enquiry,
    news,
    feed,
    neighbour,
    report,
    deliveries,
    search,
    reindex,
    backup,
    restore,
    check,
    proof,
    open_export,
    demo,
)


def parser() -> argparse.ArgumentParser:
    """The whole command's argument parser."""
    top = argparse.ArgumentParser(
        prog="echoppe",
        description="A shop node for a commune: find it in the shops around you.",
        epilog="Example: echoppe -C /srv/boutiques serve",
    )
    top.add_argument("--version", action="version", version=f"echoppe {node.__version__}")
    top.add_argument(
        "-C",
        dest="folder",
        metavar="FOLDER",
        type=Path,
        default=Path(),
        help="the node's folder (default: the current one)",
    )
    subjects = top.add_subparsers(dest="subject", metavar="COMMAND", required=True)
    for subject in _SUBJECTS:
        subject.configure(subjects)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 0 done, 1 refused, 2 wrong usage."""
    words = sys.argv[1:] if arguments is None else arguments
    top = parser()
    if any("\udc80" <= character <= "\udcff" for word in words for character in word):
        top.error("an argument is not valid UTF-8")
    asked = top.parse_args(words)
    try:
        status = int(asked.run(asked) or DONE)
        if sys.stdout is not None:  # it is, behind `>&-`
            sys.stdout.flush()  # here whoever reads may be gone, not when Python ends
        return status
    except errors.NodeError as error:
        print(f"echoppe: {error.detail or error.code}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # What is left to write goes nowhere, or Python would fail at it once more and say so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        print(f"echoppe: {error}", file=sys.stderr)
        return REFUSED
    except Exception as error:
        import sqlite3

        if not isinstance(error, sqlite3.Error):
            raise
        print(f"echoppe: the database cannot be used now: {error}", file=sys.stderr)
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())

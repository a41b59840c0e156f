"""`echoppe check --sealed`: whether words that were planted can be found in what the node wrote."""

import argparse
from pathlib import Path

from node.commands import output


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    parser = output.command(
        subjects,
        "check",
        run,
        help="look for personal words in everything that the node has written",
        example='echoppe check --sealed "Zoé Personne" "06 39 98 00 12" --also /var/log/node.log',
    )
    parser.add_argument(
        "--sealed",
        nargs="*",
        default=[],
        metavar="WORD",
        help="words that you reserved with; without any, only whether all is sealed",
    )
    parser.add_argument(
        "--also",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a file or folder outside of the node's: logs, copies; may be given again",
    )


def run(asked: argparse.Namespace) -> int:
    """Exit status 1 where a word, or a reservation that is not sealed, was found."""
    from node import leaks
    from node.commands import folder
    from node.store import database

    here = folder.open_folder(asked)
    found, files, size = leaks.search([here.path, *asked.also], asked.sealed)
    with database.reading(here.path) as db:
        open_ones = leaks.unsealed(db)
        clear, keyless = leaks.unsealed_enquiries(db)
    scripts = leaks.scripts()
    output.say(
        asked,
        {
            "found": [{"file": str(leak.file), "word": leak.word} for leak in found],
            "unsealed": open_ones,
            "unsealed_enquiries": clear,
            "enquiries_without_key": keyless,
            "files": files,
            "bytes": size,
            "scripts": scripts,
        },
        *(f"FOUND {leak.word!r} in {leak.file}" for leak in found),
        *(f"NOT SEALED: the reservation {code}" for code in open_ones),
        *(f"NOT SEALED: the enquiry {enquiry_id}" for enquiry_id in clear),
        f"{len(asked.sealed)} word(s) looked for in {files} file(s), {size:,} bytes: "
        f"{len(found)} found; {len(open_ones)} reservation(s) not sealed.",
        *([f"{keyless} enquiries lie in clear: their shops have no key card."] if keyless else []),
        "Scripts of this version (SHA-256):",
        *(f"  {digest}  {name}" for name, digest in scripts.items()),
    )
    return 1 if found or open_ones or clear else 0

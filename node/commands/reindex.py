"""`echoppe reindex`: the index of searches made anew."""

import argparse

from node.commands import output


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    output.command(
        subjects,
        "reindex",
        run,
        help="drop the search index and fill it again from the listings",
        example="echoppe reindex",
    )


def run(asked: argparse.Namespace) -> None:
    """Does it while the server runs, if one does."""
    from node import upkeep
    from node.commands import folder

    here = folder.open_folder(asked)
    count = upkeep.reindex(here.path, lambda done: output.progress(f"{done} listings"))
    output.progress("")
    output.say(asked, {"listings": count}, f"{count} listing(s) are in the index.")

"""`echoppe enquiry`: what people elsewhere ask a shop in private, and its answers."""

import argparse
from typing import TYPE_CHECKING

from node.commands import output

if TYPE_CHECKING:
    from node.model import Enquiry, EnquiryAnswer

SEALED = "(sealed: the shop reads it on its own page)"


def configure(subjects: output.Subjects) -> None:
    """Adds the commands."""
    actions = output.subject(subjects, "enquiry", help="read and answer what a shop is asked")
    parser = output.command(
        actions,
        "list",
        show,
        help="list what a shop was asked by people on other servers",
        example="echoppe enquiry list fleurs",
    )
    parser.add_argument("handle", help="the shop")
    parser = output.command(
        actions,
        "answer",
        answer,
        help="answer an enquiry, to the one who asked and nobody else",
        example='echoppe enquiry answer 0b8e6c1e-3f0b-4c57-9a54-4f0d3a0e7c11 "Oui, demain."',
    )
    parser.add_argument("id")
    parser.add_argument("words", help="the answer")
    parser = output.command(
        actions,
        "remove",
        remove,
        help="delete an enquiry and its answers from this node",
        example="echoppe enquiry remove 0b8e6c1e-3f0b-4c57-9a54-4f0d3a0e7c11",
    )
    parser.add_argument("id")


def show(asked: argparse.Namespace) -> None:
    """Lists a shop's enquiries with their answers."""
    from node import shops
    from node.commands import folder
    from node.store import database, enquiries, listings
    from node.store.times import stamp

    here = folder.open_folder(asked)
    found, lines = [], []
    with database.reading(here.path) as db:
        shop = shops.get_open(db, asked.handle)
        for one in enquiries.find(db, shop.id, limit=None):
            listing = listings.get(db, one.listing)
            answers = [_words(answer) for answer in enquiries.find_answers(db, one.id)]
            name = listing.name if listing else ""
            found.append(
                {
                    "id": one.id,
                    "from": one.name,
                    "actor": one.actor,
                    "listing": one.listing,
                    "words": _words(one),
                    "at": stamp(one.at),
                    "answers": answers,
                }
            )
            lines.append(f"{one.id}  {stamp(one.at)}  {one.name}, about {name}:")
            lines.append(f"  {_words(one) or SEALED}")
            lines += [f"  answered: {words or SEALED}" for words in answers]
    output.say(asked, found, *(lines or ["Nobody has asked anything."]))


def _words(one: "Enquiry | EnquiryAnswer") -> str | None:
    return None if one.sealed is not None else one.words


def answer(asked: argparse.Namespace) -> None:
    """Answers an enquiry."""
    from node.commands import folder
    from node.exchange import enquiries
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        enquiry = enquiries.answer(db, asked.id, asked.words, folder.new_id, here.now)
    output.say(asked, {"id": enquiry.id, "to": enquiry.actor}, f"{enquiry.name} will be told.")


def remove(asked: argparse.Namespace) -> None:
    """Deletes an enquiry."""
    from node.commands import folder
    from node.exchange import enquiries
    from node.store import database
    from node.store import enquiries as rows

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        enquiry = enquiries.get(db, asked.id)
        rows.remove(db, enquiry.id)
    output.say(asked, {"id": enquiry.id}, "It is deleted.")

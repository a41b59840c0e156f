"""`echoppe init`: a folder becomes a node."""

import argparse
from pathlib import Path

from node.commands import output


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    parser = output.command(
        subjects,
        "init",
        run,
        help="make a new node in an empty folder",
        example="echoppe init /srv/boutiques --url https://boutiques.pessac.example "
        '--name "Boutiques de Pessac" --commune Pessac',
    )
    parser.add_argument("target", metavar="FOLDER", type=Path, help="a folder that is empty or new")
    parser.add_argument("--url", required=True, help="the node's public address; never changes")
    parser.add_argument("--name", required=True, help="what people read at the top of its pages")
    parser.add_argument(
        "--commune",
        action="append",
        required=True,
        metavar="PLACE",
        help="INSEE code, postal code or name; give several for an intercommunality",
    )
    parser.add_argument(
        "--operator", choices=("commune", "association", "intercommunality"), default="commune"
    )
    parser.add_argument("--contact", default="", help="mail or telephone of whoever looks after it")
    parser.add_argument("--listen", default="127.0.0.1:8000", metavar="HOST:PORT")
    parser.add_argument(
        "--private-peer",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="a node on a private network that may be talked to; for trials and closed networks",
    )


def run(asked: argparse.Namespace) -> None:
    """Makes the node, or nothing at all."""
    from node import founding
    from node.store import places

    db = places.open_places()
    try:
        founded = founding.found(
            asked.target.absolute(),
            founding.Charter(
                url=asked.url,
                name=asked.name,
                communes=tuple(asked.commune),
                operator=asked.operator,
                contact=asked.contact,
                listen=asked.listen,
                private_peers=tuple(asked.private_peer),
            ),
            db,
        )
    finally:
        db.close()
    output.say(
        asked,
        {
            "folder": str(founded.folder),
            "url": founded.url,
            "handle": founded.handle,
            "communes": [place.id for place in founded.communes],
            "steward_link": founded.steward_link,
        },
        f"A node for {', '.join(place.name for place in founded.communes)} "
        f"was made in {founded.folder}.",
        f"Its commune can be followed as @{founded.handle}@{founded.url.split('://')[1]}.",
        f"Start it with:  echoppe -C {founded.folder} serve",
        "Then sign in as its first steward (once, within an hour):",
        f"  {founded.steward_link}",
        "To have a backup of it made every night, sealed to a key of yours:",
        f"  echoppe -C {founded.folder} backup --new-key FILE",
    )

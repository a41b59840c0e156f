"""`echoppe feed`: feeds and calendars elsewhere that news and events are taken over from."""

import argparse

from node.commands import output


def configure(subjects: output.Subjects) -> None:
    """Adds the commands."""
    actions = output.subject(subjects, "feed", help="take over news and events from elsewhere")
    parser = output.command(
        actions,
        "add",
        add,
        help="read an RSS or Atom feed or an ICS calendar every hour",
        example='echoppe feed add https://example.fr/agenda.ics --name "Comité des fêtes"',
    )
    parser.add_argument("url")
    parser.add_argument("--name", help="how it is shown (default: the host)")
    parser.add_argument(
        "--badge", choices=("town_hall", "media", "association"), default="association"
    )
    parser.add_argument("--trusted", action="store_true", help="publish at once what comes")
    output.command(
        actions, "list", find, help="the sources, and how reading them went",
        example="echoppe feed list",
    )  # fmt: skip
    parser = output.command(
        actions, "remove", remove, help="read a source no longer",
        example="echoppe feed remove https://example.fr/agenda.ics",
    )  # fmt: skip
    parser.add_argument("url")


def add(asked: argparse.Namespace) -> None:
    """Adds a source; a running server reads it in a moment."""
    from urllib.parse import urlsplit

    from node import news, sources
    from node.commands import folder
    from node.store import database

    here = folder.open_folder(asked)
    name = asked.name or urlsplit(asked.url).hostname or asked.url[:80]
    with database.transaction(here.path) as db:
        source = sources.add(
            db,
            asked.url,
            news.byline(name, asked.badge),
            folder.new_id(),
            here.now,
            trusted=asked.trusted,
        )
    output.say(asked, {"id": source.id, "url": source.url}, f"{source.url} is read every hour")


def find(asked: argparse.Namespace) -> None:
    """The sources."""
    from node.commands import folder
    from node.store import database, sources, times

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        found = [(one, sources.count_waiting(db, one.id)) for one in sources.find(db)]
    output.say(
        asked,
        [
            {
                "id": one.id,
                "url": one.url,
                "name": one.byline.name,
                "badge": one.byline.badge,
                "trusted": one.trusted,
                "fetched": times.stamp_or_none(one.fetched),
                "problem": one.problem,
                "waiting": waiting,
            }
            for one, waiting in found
        ],
        *(
            f"{one.url}  {one.byline.name}  {waiting} waiting  {one.problem or ''}".rstrip()
            for one, waiting in found
        ),
    )


def remove(asked: argparse.Namespace) -> None:
    """Removes a source; what was published from it stays."""
    from node import errors
    from node.commands import folder
    from node.store import database, sources

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        source = sources.get_by_url(db, asked.url)
        if source is None:
            raise errors.NotFound("unknown-source", f"{asked.url[:200]} is not read here.")
        sources.remove(db, source.id)
    output.say(asked, {"url": source.url}, f"{source.url} is read no longer")

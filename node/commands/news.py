"""`echoppe news` and `echoppe event`: what the town hall or a shop tells."""

import argparse

from node.commands import output


def configure(subjects: output.Subjects) -> None:
    """Adds the commands."""
    actions = output.subject(subjects, "news", help="tell news")
    parser = output.command(
        actions,
        "add",
        add_news,
        help="publish news of the town hall, or of a shop",
        example='echoppe news add --title "Marché déplacé" --text "Place de la Liberté."',
    )
    _say(parser)
    parser.add_argument("--text", required=True)
    parser.add_argument("--urgent-hours", type=int, metavar="N", help="urgent, for so many hours")
    _end(actions, "news", "echoppe news withdraw 3f2c…")

    actions = output.subject(subjects, "event", help="announce events")
    parser = output.command(
        actions,
        "add",
        add_event,
        help="announce an event of the town hall, or of a shop",
        example='echoppe event add --title "Vide-grenier" --start "2026-12-05 09:00"',
    )
    _say(parser)
    parser.add_argument("--text", default="")
    parser.add_argument(
        "--start", required=True, metavar="WHEN", help='"2026-12-05 09:00", or a day alone'
    )
    parser.add_argument("--end", metavar="WHEN", help="likewise; of days, the last one")
    parser.add_argument("--venue", default="", help="where, in words")
    parser.add_argument("--rule", metavar="RRULE", help="RFC 5545, such as FREQ=WEEKLY;COUNT=10")
    cancel = output.command(
        actions,
        "cancel",
        cancel_event,
        help="say that an event does not take place; it stays visible",
        example="echoppe event cancel 3f2c…",
    )
    cancel.add_argument("id")
    _end(actions, "events", "echoppe event withdraw 3f2c…")


def _say(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--shop", metavar="HANDLE", help="of this shop; else of the town hall")
    parser.add_argument("--title", required=True)
    parser.add_argument("--link", metavar="URL")
    parser.add_argument("--here-only", action="store_true", help="neighbours are not told")
    parser.add_argument("--quiet", action="store_true", help="followers elsewhere are not told")


def _end(actions: output.Subjects, what: str, example: str) -> None:
    withdraw = output.command(
        actions, "withdraw", withdraw_post, help=f"take {what} away for good", example=example
    )
    withdraw.add_argument("id")


def add_news(asked: argparse.Namespace) -> None:
    """Publishes news."""
    _publish(asked, is_event=False)


def add_event(asked: argparse.Namespace) -> None:
    """Announces an event."""
    _publish(asked, is_event=True)


def _publish(asked: argparse.Namespace, *, is_event: bool) -> None:
    from datetime import timedelta

    from node import events, news, shops
    from node.commands import folder
    from node.model import Badge, Byline
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        shop = shops.get_open(db, asked.shop) if asked.shop else None
        place = shop.place if shop else here.settings.node.communes[0]
        event = None
        if is_event:
            zone = events.zone_name(here.settings.node.communes[0])
            event = events.typed(asked.start, asked.end, zone, asked.venue, asked.rule)
        urgent = None if is_event else asked.urgent_hours
        byline = Byline(shop.name if shop else here.settings.node.name, Badge.SHOP)
        if shop is None:
            byline = news.town_hall(db, here.settings.node.communes[0])
        post = news.publish(
            db,
            here.uris,
            news.Author(byline, shop),
            news.PostDraft(
                title=asked.title,
                text=asked.text,
                language=here.settings.node.languages[0],
                place=place,
                link=asked.link,
                announce=not asked.quiet,
                kept=asked.here_only,
                urgent_until=here.now + timedelta(hours=urgent) if urgent else None,
                event=event,
            ),
            folder.new_id,
            here.now,
        )
    output.say(asked, {"id": post.id, "uri": post.uri, "url": post.url}, f"{post.id}  {post.url}")


def cancel_event(asked: argparse.Namespace) -> None:
    """Cancels an event."""
    from node import news
    from node.commands import folder
    from node.model import EventState
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        post = news.change_state(db, asked.id, EventState.CANCELLED, here.now)
    output.say(asked, {"id": post.id, "uri": post.uri}, f"{post.title} is cancelled")


def withdraw_post(asked: argparse.Namespace) -> None:
    """Withdraws news or an event."""
    from node import news
    from node.commands import folder
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        post = news.withdraw(db, asked.id, here.now)
    output.say(asked, {"id": post.id, "uri": post.uri}, f"{post.title} is withdrawn")

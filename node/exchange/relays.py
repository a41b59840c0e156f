"""Relays (FEP-ae0c, as Mastodon does it): asked by a Follow of everybody at the inbox that the
settings name, and told what shops and the commune announce, which they pass on to whoever follows
them. What relays pass on of others is not taken: neighbours tell what is shown here.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from federation import activities, documents, vocabulary
from node.exchange import outbox
from node.model import FollowState
from node.store import deliveries, relays
from node.uris import INSTANCE, Uris


def settle(
    db: sqlite3.Connection,
    uris: Uris,
    inboxes: Sequence[str],
    new_id: Callable[[], str],
    now: datetime,
) -> None:
    """Asks the relays that the settings name now, and leaves those that they no longer name."""
    known = {one.inbox: one for one in relays.find(db)}
    for inbox in inboxes:
        if inbox not in known:
            follow = activities.follow(uris.follow(new_id()), uris.instance, vocabulary.PUBLIC)
            relays.add(db, inbox, follow["id"], now)
            outbox.send(db, follow, INSTANCE, inbox, now)
    for inbox in known.keys() - set(inboxes):
        one = known[inbox]
        follow = activities.follow(one.follow, uris.instance, vocabulary.PUBLIC)
        undo = activities.activity(
            "Undo", f"{one.follow}/undo", uris.instance, follow, to=[vocabulary.PUBLIC]
        )
        deliveries.remove_inbox(db, inbox, now)
        relays.remove(db, inbox)
        outbox.send(db, undo, INSTANCE, inbox, now)


def answered(db: sqlite3.Connection, actor: str, follow: str | None, *, accepted: bool) -> bool:
    """Takes the answer of a relay, if it is one: of the server asked, by the id of our Follow."""
    for one in relays.find(db):
        if one.follow == follow and documents.same_origin(one.inbox, actor):
            state = FollowState.ACCEPTED if accepted else FollowState.REJECTED
            relays.change_state(db, one.inbox, state)
            return True
    return False

"""Who says on another server that they will come to an event of ours (FEP-8a8e, "RSVP").

Nobody is counted or named here: a Join is answered with an Ignore, as the event's `joinMode` says
beforehand, and is not kept.
"""

import sqlite3
from dataclasses import dataclass
from typing import Any

from federation import activities, client, documents
from federation.errors import Refused
from node.exchange import outbox
from node.exchange.context import Apply, Context
from node.store import posts


async def receive_join(
    context: Context, activity: dict[str, Any], actor: str, budget: client.Budget
) -> Apply | None:
    """A Join of an event of ours; of anything else it does nothing."""
    uri = documents.identifier(documents.first(activity.get("object"))) or ""
    named = context.uris.post_of(uri)
    if named is None:
        return None
    join_id = documents.check_id(activity.get("id"), fragment=True)
    who = await context.resolver.actor(actor, budget=budget)
    if who.inbox is None:
        raise Refused("no-inbox", actor)
    return Ignore(context, uri, named[0], join_id, actor, who.inbox)


@dataclass(frozen=True, slots=True)
class Ignore:
    """The answer to a Join."""

    context: Context
    event: str
    handle: str
    join_id: str
    actor: str
    inbox: str

    def __call__(self, db: sqlite3.Connection) -> None:
        """Writes it down for delivery. Raises Refused for what is no event of ours."""
        post = posts.get_by_uri(db, self.event)
        if post is None or post.peer is not None or post.event is None or post.withdrawn:
            raise Refused("not-ours", f"Join of {self.event}")
        ignore = activities.activity(
            "Ignore",
            f"{post.actor}#ignore/{self.context.new_id()}",
            post.actor,
            self.join_id,
            to=[self.actor],
        )
        outbox.send(db, ignore, self.handle, self.inbox, self.context.clock())

"""Activities around any object: what goes into an envelope, and nothing about its content.

Every activity has an id, one actor and its recipients as lists, because some readers take nothing
else (Lemmy, relays; wire profile 8.7).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from federation import vocabulary


def activity(
    kind: str,
    activity_id: str,
    actor: str,
    obj: dict[str, Any] | str,
    *,
    to: Sequence[str],
    cc: Sequence[str] = (),
    published: datetime | None = None,
) -> dict[str, Any]:
    """An activity of `kind` (ActivityStreams vocabulary, section 3) about `obj`."""
    document: dict[str, Any] = {
        "@context": vocabulary.AS2,
        "id": activity_id,
        "type": kind,
        "actor": actor,
        "to": list(to),
    }
    if cc:
        document["cc"] = list(cc)
    if published is not None:
        document["published"] = f"{published:%Y-%m-%dT%H:%M:%SZ}"
    document["object"] = obj
    return document


def follow(activity_id: str, actor: str, target: str) -> dict[str, Any]:
    """A Follow of `target` by `actor` (ActivityPub, section 7.5)."""
    return activity("Follow", activity_id, actor, target, to=[target])


def answer(
    kind: str, activity_id: str, actor: str, asked: dict[str, Any], *, to: str
) -> dict[str, Any]:
    """An Accept or Reject of `asked`, or an Undo, which is embedded with its id."""
    kept = ("id", "type", "actor", "object")
    embedded: dict[str, Any] = {key: asked[key] for key in kept if key in asked}
    return activity(kind, activity_id, actor, embedded, to=[to])


def tombstone(uri: str, former_type: str, deleted: datetime) -> dict[str, Any]:
    """What remains of a deleted object (ActivityStreams vocabulary, Tombstone)."""
    return {
        "@context": vocabulary.AS2,
        "id": uri,
        "type": "Tombstone",
        "formerType": former_type,
        "deleted": f"{deleted:%Y-%m-%dT%H:%M:%SZ}",
        "updated": f"{deleted:%Y-%m-%dT%H:%M:%SZ}",
    }

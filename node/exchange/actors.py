"""The actors of this node as documents (wire profile 8.3)."""

from datetime import datetime
from typing import Any

from node.exchange import terms
from node.model import ActorKind, LocalActor
from node.store.times import stamp
from node.uris import INSTANCE, Uris

RFC9421 = "https://datatracker.ietf.org/doc/html/rfc9421"


def document(
    actor: LocalActor,
    uris: Uris,
    *,
    name: str,
    url: str,
    summary: str | None = None,
    updated: datetime | None = None,
) -> dict[str, Any]:
    """What every actor of ours has; a shop adds to it (`exchange/shops.py`)."""
    uri = uris.actor(actor.handle)
    found: dict[str, Any] = {
        "@context": terms.ACTOR_CONTEXT,
        "id": uri,
        "type": str(actor.kind),
        "preferredUsername": actor.handle,
        "webfinger": f"{actor.handle}@{uris.authority}",
        "name": name,
        "url": url,
        "published": stamp(actor.created),
        "inbox": f"{uri}/inbox",
        "outbox": f"{uri}/outbox",
        "followers": f"{uri}/followers",
        "following": f"{uri}/following",
        "endpoints": {"sharedInbox": uris.shared_inbox},
        "alsoKnownAs": list(actor.also_known_as),
        # The node's own followers are its neighbours, whom people choose.
        "manuallyApprovesFollowers": actor.kind is ActorKind.NODE,
        "discoverable": actor.kind is not ActorKind.NODE,
        "indexable": actor.kind is not ActorKind.NODE,
        "publicKey": {
            "id": uris.main_key(actor.handle),
            "owner": uri,
            "publicKeyPem": actor.rsa_public_pem,
        },
        "assertionMethod": [
            {
                "id": uris.object_key(actor.handle),
                "type": "Multikey",
                "controller": uri,
                "publicKeyMultibase": actor.ed25519_public,
            }
        ],
        "generator": {
            "type": "Application",
            "id": uris.instance,
            "implements": [{"href": RFC9421, "name": "RFC-9421: HTTP Message Signatures"}],
        },
    }
    if actor.handle == INSTANCE:
        found["implements"] = found.pop("generator")["implements"]
    if actor.kind is ActorKind.SHOP:
        found["featured"] = f"{uri}/collections/featured"
    if actor.moved_to is not None:
        found["movedTo"] = actor.moved_to
    if summary:
        found["summary"] = summary
    if updated is not None:
        found["updated"] = stamp(updated)
    return found

"""The door of an inbox: from a raw request to an activity whose author is certain.

Two steps, so that an application can turn a blocked server away between them: `read` does all
that needs no network and is cheap; `Inbox.authenticate` finds the key and verifies. What passes
is safe to store; what it may do is decided when it is acted upon.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from federation import actors, client, documents, limits, signatures
from federation.errors import Refused


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that is well formed: who it says it is from, not yet believed."""

    activity: dict[str, Any]
    activity_id: str
    type: str
    actor: str
    signature: signatures.Claim
    request: signatures.Request

    @property
    def fingerprint(self) -> bytes:
        """Names this very activity: the same again does nothing (SIG-11, ORG pitfall 9).

        Not the id alone, because some servers reuse it for an Update (Flohmarkt), and not the
        signature, because a retry is signed anew.
        """
        parts = (self.actor, self.type, self.activity_id)
        named = "\n".join(parts).encode() + b"\n" + self.request.sha256
        return hashlib.sha256(named).digest()


def read(request: signatures.Request, now: datetime) -> Claim:
    """Checks everything about a request that needs no key.

    The body is bounded JSON, the signature covers what it must and is fresh, the digest fits the
    body, the activity has an id, a type and one actor on the id's origin, and the key is of the
    actor's origin too. Raises Refused with the status to answer.
    """
    signature = signatures.check(request, now)
    activity = documents.parse(request.body, limit=limits.INBOX_BODY)
    kind = documents.type_of(activity)
    if kind is None or len(kind) > 100:
        raise Refused("no-type", "the activity has no type")
    actor = documents.check_id(documents.identifier(documents.first(activity.get("actor"))))
    activity_id = documents.check_id(activity.get("id"), fragment=True)
    if not documents.same_origin(activity_id, actor):
        raise Refused("foreign-activity", f"{activity_id} by {actor}", status=403)
    if not documents.same_origin(signature.key_id, actor):
        raise Refused("foreign-key", f"{signature.key_id} for {actor}", status=401)
    return Claim(activity, activity_id, kind, actor, signature, request)


class Inbox:
    """Authenticates requests with the keys that a resolver finds."""

    def __init__(self, resolver: actors.ActorResolver) -> None:
        self._resolver = resolver

    async def authenticate(self, claim: Claim) -> None:
        """Returns when the claim's actor has signed the request.

        A key that does not fit is asked for once more at its origin, in case it was changed.
        Raises Refused, Unreachable (the key cannot be had now), or Gone: the actor no longer
        exists, so that nobody can sign for it any more.
        """
        budget = client.Budget()
        key_id = claim.signature.key_id
        key, public = await self._resolver.key(key_id, budget=budget)
        try:
            self._verify(claim, key, public)
        except Refused:
            again = await self._resolver.key_again(key_id, budget=budget)
            if again is None:
                raise
            self._verify(claim, *again)

    @staticmethod
    def _verify(claim: Claim, key: actors.ActorKey, public: Any) -> None:
        if key.owner != claim.actor:
            raise Refused("not-the-actor", f"{key.id} is {key.owner}'s", status=401)
        signatures.verify(claim.signature, public)

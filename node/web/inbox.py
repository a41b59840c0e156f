"""The inbox: from a post whose head has passed the door to the word that it is on the disk.

`protocol.BoundedHttp` hands on what is posted to the shared inbox, as servers do; what comes any
other way, to one actor's inbox or in pieces, comes through `activitypub.inbox`.
"""

import logging
from dataclasses import dataclass

from federation import actors, documents, limits, signatures
from federation import inbox as federation_inbox
from federation.errors import Gone, Refused, Unreachable
from node import errors
from node.clock import Clock
from node.courtesy import Residents
from node.store.received import Letter
from node.uris import Uris
from node.web.door import Door, Headers, Refusal
from node.workers import Workers

STEPS_ASIDE = 0.15  # seconds, at most, that a message waits for residents who wait for a page

log = logging.getLogger("echoppe.web")


@dataclass(frozen=True, slots=True)
class Post:
    """What was posted. `target` is path and query as received, `peer` the address of the other
    end of the connection."""

    target: bytes
    headers: Headers
    body: bytes
    peer: str


class Inbox:
    """The inbox of one node."""

    def __init__(
        self,
        uris: Uris,
        door: Door,
        workers: Workers,
        resolver: actors.ActorResolver,
        residents: Residents,
        clock: Clock,
    ) -> None:
        self.uris = uris
        self._door = door
        self._workers = workers
        self._authority = federation_inbox.Inbox(resolver)
        self._residents = residents
        self._clock = clock

    def turn_away(self, headers: Headers, peer: str) -> Refusal | None:
        """Why a body need not be read: it is no activity, is encoded, or says that it is too long.

        It counts as a failure of whoever sends it. None for what is to be read.
        """
        said = dict(reversed(headers))  # the first of each name: two are for `read` to refuse
        media_type = said.get(b"content-type", b"").decode("latin-1")
        length = said.get(b"content-length", b"0")
        if not documents.is_activity_type(media_type):
            refusal = Refusal(415, "wrong-content-type")
        elif said.get(b"content-encoding", b"identity") != b"identity":
            refusal = Refusal(415, "encoded-body")
        elif not length.isdigit() or len(length) > 10 or int(length) > limits.INBOX_BODY:
            refusal = Refusal(413, "too-large")
        else:
            return None
        return self.fail(headers, peer, refusal)

    def fail(self, headers: Headers, peer: str, refusal: Refusal) -> Refusal:
        """Keeps in mind who was refused; returns what it is answered."""
        log.info("refused at the door", extra={"code": refusal.code, "status": refusal.status})
        self._door.failed(headers, peer)
        return refusal

    async def take(self, post: Post) -> Refusal | None:
        """Takes a post in. None says that the activity is on the disk and its author certain; what
        it may do is decided when it is acted upon. Whatever is cheap is checked before whatever
        costs."""
        await self._residents.go_first(STEPS_ASIDE)
        try:
            claim = federation_inbox.read(
                as_signed(self.uris, "POST", post.target, post.headers, post.body), self._clock()
            )
            # Now of the host that it is of, whatever the door took it for.
            host = documents.address(claim.actor)[1]
            if self._workers.standing.refuses(host):
                return Refusal(403, "blocked")
            if self._workers.backlog.is_full_of(host):
                return Refusal(429, "busy", limits.BUSY_TIME)
            await self._authority.authenticate(claim)
        except Refused as error:
            return self.fail(post.headers, post.peer, Refusal(error.status, error.code))
        except Gone:
            # Nobody can sign for a deleted actor any more. Where we never knew it, that is no loss.
            if _says_own_end(claim):
                return None
            return self.fail(post.headers, post.peer, Refusal(401, "key-gone"))
        except Unreachable as error:
            log.info("key cannot be had", extra={"code": error.code})
            if error.code == "too-many-key-fetches":
                return Refusal(503, "busy", limits.BUSY_TIME)
            return self.fail(post.headers, post.peer, Refusal(401, "key-unreachable"))
        self._door.proved(host, post.headers, post.peer)
        letter = Letter(claim.fingerprint, claim.actor, host, post.body)
        try:
            await self._workers.accept(letter, claim.activity)
        except errors.Unwritable as error:
            log.error("a write was refused by the disk", extra={"detail": error.detail})
            return Refusal(503, error.code)
        return None


def _says_own_end(claim: federation_inbox.Claim) -> bool:
    return (
        claim.type == "Delete" and documents.identifier(claim.activity.get("object")) == claim.actor
    )


def as_signed(
    uris: Uris, method: str, target: bytes, headers: Headers, body: bytes
) -> signatures.Request:
    """A request to this node, as far as a signature can speak of it."""
    return signatures.Request(
        method=method,
        authority=uris.authority,
        scheme=uris.scheme,
        target=target.decode("latin-1"),
        headers=tuple(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        ),
        body=body,
    )

"""Every address of the node, made and read in one place.

Ids are immutable: what is minted here stays true for as long as the node lives, so a change of
these shapes is a change of the wire (design: wire profile 8.1, contract "HTTP").
"""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

INSTANCE = "instance"  # the Application actor's handle, the same on every node

_HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9_]{0,28}[a-z0-9])?")
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

# Handles that are an address of the node, could be mistaken for its voice, or may become either.
RESERVED_HANDLES = frozenset(
    """
    about abuse accessibilite actor admin administrator agenda aide api actualites boutique
    boutiques classement commune contact echoppe en fr help host hostmaster inbox info instance
    mairie media mentions moderation moderator nodeinfo news outbox postmaster preuve recherche
    relay root security shop shops signaler steward support system users voisins webmaster
    """.split()  # noqa: SIM905 (words read better as words)
)


def is_handle(text: str) -> bool:
    """Whether it can name an actor here: 1 to 30 of a-z, 0-9 and inner underscores.

    Narrower than what others accept (Mastodon's is `[a-z0-9_]+([.-]+[a-z0-9_]+)*`), so that two
    handles can never look alike.
    """
    return _HANDLE.fullmatch(text) is not None


def slug(text: str) -> str:
    """Lower-case ASCII words joined by hyphens, at most 60 characters; "article" for none."""
    text = text.lower().replace("œ", "oe").replace("æ", "ae").replace("ß", "ss")
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    words = re.findall(r"[a-z0-9]+", text)
    return "-".join(words)[:60].strip("-") or "article"


@dataclass(frozen=True, slots=True)
class Uris:
    """The addresses of one node, whose origin is "scheme://host[:port]"."""

    origin: str

    @property
    def authority(self) -> str:
        """Host and, where it is not the scheme's own, port: what `Host` must say."""
        return urlsplit(self.origin).netloc

    @property
    def scheme(self) -> str:
        """ "https", or "http" on a private network of peers."""
        return urlsplit(self.origin).scheme

    @property
    def shared_inbox(self) -> str:
        """At the root, because some servers compute it from the host alone."""
        return f"{self.origin}/inbox"

    def actor(self, handle: str) -> str:
        """The id of a local actor."""
        return f"{self.origin}/users/{handle}"

    @property
    def instance(self) -> str:
        """The id of the node's Application actor."""
        return self.actor(INSTANCE)

    @property
    def changes(self) -> str:
        """The collection that holds the change sequence."""
        return f"{self.instance}/outbox"

    def main_key(self, handle: str) -> str:
        """The key id of an actor's RSA key, which signs requests."""
        return f"{self.actor(handle)}#main-key"

    def object_key(self, handle: str) -> str:
        """The key id of an actor's Ed25519 key, which signs objects."""
        return f"{self.actor(handle)}#ed25519-key"

    def profile(self, handle: str) -> str:
        """The page for people of an actor."""
        return f"{self.origin}/@{handle}"

    def listing(self, handle: str, listing_id: str) -> str:
        """The id of a listing."""
        return f"{self.actor(handle)}/items/{listing_id}"

    def listing_page(self, handle: str, listing_id: str, name: str) -> str:
        """The page for people of a listing."""
        return f"{self.profile(handle)}/{slug(name)}-{listing_id[:8]}"

    def post(self, handle: str, post_id: str, *, event: bool) -> str:
        """The id of a piece of news or of an event."""
        return f"{self.actor(handle)}/{'events' if event else 'news'}/{post_id}"

    def post_page(self, post_id: str, title: str, *, event: bool) -> str:
        """Its page for people."""
        folder = "agenda" if event else "actualites"
        return f"{self.origin}/{folder}/{slug(title)}-{post_id[:8]}"

    def photo(self, photo_id: str, side: int, suffix: str) -> str:
        """A copy of a photo: its longest side in pixels, and "webp" or "jpg"."""
        return f"{self.origin}/media/{photo_id}.{side}.{suffix}"

    def create(self, object_uri: str) -> str:
        """The id of the Create that tells of an object."""
        return f"{object_uri}/activity"

    def update(self, object_uri: str, seq: int) -> str:
        """The id of the Update that tells of an object's change number `seq`."""
        return f"{object_uri}/update/{seq}"

    def delete(self, object_uri: str) -> str:
        """The id of the Delete that tells of an object's end."""
        return f"{object_uri}/delete"

    def boost(self, group: str, object_uri: str) -> str:
        """The id of the Announce by which a Group passes an object of ours on."""
        return f"{self.actor(group)}#boosts/{object_uri.rpartition('/')[2]}"

    def follow(self, token: str) -> str:
        """The id of a Follow by the node."""
        return f"{self.instance}#follows/{token}"

    def answer(self, verb: str, token: str) -> str:
        """The id of an Accept, Reject or Undo by the node or a shop."""
        return f"{self.instance}#{verb.lower()}/{token}"

    def handle_of(self, uri: str) -> str | None:
        """The handle in a local actor's id, or None."""
        match = re.fullmatch(re.escape(self.origin) + r"/users/([a-z0-9_]{1,30})", uri)
        return match.group(1) if match else None

    def listing_of(self, uri: str) -> tuple[str, str] | None:
        """Handle and uuid in a local listing's id, or None."""
        match = re.fullmatch(
            re.escape(self.origin) + rf"/users/([a-z0-9_]{{1,30}})/items/({_UUID})", uri
        )
        return (match.group(1), match.group(2)) if match else None

    def post_of(self, uri: str) -> tuple[str, str] | None:
        """Handle and uuid in the id of news or an event of ours, or None."""
        match = re.fullmatch(
            re.escape(self.origin) + rf"/users/([a-z0-9_]{{1,30}})/(?:news|events)/({_UUID})", uri
        )
        return (match.group(1), match.group(2)) if match else None

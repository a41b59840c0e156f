"""A merchant's keys, made in Python where a browser makes them in the world."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from node import sealing, shop_keys
from node.store import database, shops
from node.store.times import stamp
from tests.ground import NOW
from tests.neighbours import Town


@dataclass(frozen=True)
class Made:
    """Both private halves, and what the browser would send."""

    owner_key: Ed25519PrivateKey
    sealing_key: X25519PrivateKey
    created: str
    signature: bytes
    endorsement: bytes

    @property
    def public(self) -> bytes:
        return self.sealing_key.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        return sealing.fingerprint(self.public)

    def form(self) -> tuple[str, str, str, str, str, str]:
        return (
            sealing.encode(self.owner_key.public_key().public_bytes_raw()),
            sealing.encode(self.public),
            self.created,
            sealing.encode(self.signature),
            sealing.encode(self.endorsement),
            sealing.encode(b"wrapped by words"),
        )

    def seal(self, text: str, shop: str, listing: str, name: str) -> bytes:
        reservation = sealing.reservation_id(name)
        return sealing.seal(
            self.public, sealing.for_shop(shop, self.id, listing, reservation), text
        )


def make(
    shop: str,
    *,
    owner: Ed25519PrivateKey | None = None,
    endorsed_by: Ed25519PrivateKey | None = None,
    created: str = stamp(NOW),
) -> Made:
    owner_key = owner or Ed25519PrivateKey.generate()
    sealing_key = X25519PrivateKey.generate()
    said = sealing.statement(
        shop,
        sealing.encode(owner_key.public_key().public_bytes_raw()),
        sealing.encode(sealing_key.public_key().public_bytes_raw()),
        created,
    )
    return Made(
        owner_key,
        sealing_key,
        created,
        owner_key.sign(said),
        endorsed_by.sign(said) if endorsed_by else b"",
    )


def put_keys(town: Town, handle: str) -> Made:
    """Keys of a shop of a town, put where a browser would put them."""
    now = datetime.now(UTC)
    made = make(f"{town.url}/users/{handle}", created=stamp(now))
    with database.transaction(town.folder) as db:
        shop = shops.get_own(db, handle)
        assert shop is not None
        shop_keys.put(db, shop, shop_keys.read(shop, *made.form(), now), "", now)
    return made

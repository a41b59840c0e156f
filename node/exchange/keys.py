"""The key pairs of this node's actors: made, kept wrapped, and loaded once to sign with."""

import sqlite3
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from federation import delivery, keys
from node import errors
from node.keyring import Keyring
from node.shops import ActorKeys
from node.store import actors
from node.uris import Uris


def generate(keyring: Keyring, handle: str) -> ActorKeys:
    """New keys for an actor: RSA-2048 for requests, Ed25519 for objects."""
    rsa = keys.generate_rsa()
    ed25519 = keys.generate_ed25519()
    return ActorKeys(
        rsa_public_pem=keys.rsa_public_pem(rsa),
        rsa_private=keyring.wrap(f"{handle}/rsa", keys.private_bytes(rsa)),
        ed25519_public=keys.multikey(ed25519),
        ed25519_private=keyring.wrap(f"{handle}/ed25519", keys.private_bytes(ed25519)),
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    rsa: RSAPrivateKey
    ed25519: Ed25519PrivateKey


class Signers:
    """Private keys of local actors, unwrapped at first use and kept in memory."""

    def __init__(self, keyring: Keyring, uris: Uris) -> None:
        self._keyring = keyring
        self._uris = uris
        self._pairs: dict[str, _Pair] = {}

    def requests(self, db: sqlite3.Connection, handle: str) -> delivery.Signer:
        """What signs a local actor's requests."""
        return delivery.Signer(self._uris.main_key(handle), self._pair(db, handle).rsa)

    def objects(self, db: sqlite3.Connection, handle: str) -> Ed25519PrivateKey:
        """What signs a local actor's objects."""
        return self._pair(db, handle).ed25519

    def _pair(self, db: sqlite3.Connection, handle: str) -> _Pair:
        pair = self._pairs.get(handle)
        if pair is None:
            wrapped = actors.get_private_keys(db, handle)
            if wrapped is None:
                raise errors.NotFound("unknown-actor", f"There is no actor {handle!r} here.")
            pair = _Pair(
                keys.load_rsa_private(self._keyring.unwrap(f"{handle}/rsa", wrapped[0])),
                keys.load_ed25519_private(self._keyring.unwrap(f"{handle}/ed25519", wrapped[1])),
            )
            self._pairs[handle] = pair
        return pair

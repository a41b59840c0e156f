"""The keys of a shop as its actor shows them: Multikeys, whose private halves no node holds."""

from typing import Any

from federation import multibase
from node import sealing
from node.model import ShopKeys

# Multicodecs of public keys, as varints.
_ED25519 = b"\xed\x01"
_X25519 = b"\xec\x01"


def owner_key(keys: ShopKeys, actor: str) -> dict[str, Any]:
    """The Ed25519 key that signs sealing keys, and later a Move (FEP-521a)."""
    return _multikey(f"{actor}#owner-key", actor, _ED25519, keys.owner)


def sealing_key(keys: ShopKeys, actor: str) -> dict[str, Any]:
    """The X25519 key that residents seal to, with what the owner key signed and its signature.

    What is signed: `sealing.statement` of the actor's id, both keys in base64url, and `published`.
    """
    return {
        **_multikey(f"{actor}#sealing-key", actor, _X25519, keys.sealing),
        "published": keys.created,
        "echoppe:fingerprint": keys.id,
        "echoppe:ownerSignature": keys.signature,
    }


def _multikey(key_id: str, actor: str, codec: bytes, key: str) -> dict[str, Any]:
    public = sealing.decode(key, sealing.KEY)
    return {
        "id": key_id,
        "type": "Multikey",
        "controller": actor,
        "publicKeyMultibase": multibase.encode(codec + public),
    }

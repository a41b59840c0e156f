"""Proofs that stand on an object itself: FEP-8b32, cryptosuite eddsa-jcs-2022 (W3C vc-di-eddsa).

A proof counts for exactly the object it stands on. That the key in it may speak for the object's
owner is a second question, which `key_of` answers from the owner's actor document; linked data
signatures (`signature`) never count and are not read.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation import documents, jcs, keys, limits, multibase
from federation.errors import Refused

_TYPE = "DataIntegrityProof"
_CRYPTOSUITE = "eddsa-jcs-2022"
_PURPOSE = "assertionMethod"
_SIGNATURE_BYTES = 64
_LISTED_KEYS = 32  # looked at in one actor document


def sign(
    document: dict[str, Any],
    key: Ed25519PrivateKey,
    verification_method: str,
    created: datetime,
) -> dict[str, Any]:
    """A copy of `document` with a proof in it, in the place of any that it had.

    `verification_method` is the id of `key` in the owner's actor document; `created` counts in
    whole seconds. The proof repeats the document's `@context`: some verifiers hash the one, some
    the other (Mastodon and Fedify; vc-di-eddsa, section 3.3.1). Raises Refused (not-canonical) for
    a document that is not plain JSON.
    """
    unsecured = _unsecured(document)
    proof: dict[str, Any] = {
        "type": _TYPE,
        "cryptosuite": _CRYPTOSUITE,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": verification_method,
        "proofPurpose": _PURPOSE,
    }
    if "@context" in unsecured:
        proof = {"@context": unsecured["@context"], **proof}
    proof["proofValue"] = multibase.encode(key.sign(_hash(proof) + _hash(unsecured)))
    return {**unsecured, "proof": proof}


def verification_method(document: dict[str, Any]) -> str:
    """The id of the key that the document's proof names, an https or http URL.

    Raises Refused: no-proof where there is none; bad-proof where it is not one that `verify`
    could ever accept, so that nothing is fetched for it.
    """
    proof = _proof(document)
    try:
        return documents.check_id(proof.get("verificationMethod"), fragment=True)
    except Refused as error:
        raise Refused("bad-proof", error.detail) from None


def key_of(actor: dict[str, Any], method: str) -> Ed25519PublicKey:
    """The key that an actor document lists under the id `method` (FEP-521a).

    It must be a Multikey in `assertionMethod`, controlled by that very actor and of its origin.
    The document must have been fetched from its own id. The caller compares the actor's id with
    the owner of the object that the proof stands on. Raises Refused (no-such-key, bad-key).
    """
    owner = documents.identifier(actor)
    for entry in documents.as_list(actor.get("assertionMethod"))[:_LISTED_KEYS]:
        if not isinstance(entry, dict) or documents.identifier(entry) != method:
            continue
        if entry.get("type") != "Multikey" or owner is None or entry.get("controller") != owner:
            raise Refused("bad-key", f"{method} is not a Multikey of {owner}")
        if not documents.same_origin(method, owner):
            raise Refused("bad-key", f"{method} is not of the origin of {owner}")
        return keys.load_multikey(entry.get("publicKeyMultibase"))
    raise Refused("no-such-key", f"{owner} does not list {method}")


def verify(document: dict[str, Any], key: Ed25519PublicKey, now: datetime) -> None:
    """Returns if the document's one proof is valid and was made with `key`.

    A member `signature` (linked data) is taken out first, as FEP-8b32 says. The `@context` that a
    proof brings along must be a beginning of the document's; one that brings none may have been
    hashed with the document's, as Fedify does. The document is always hashed as it stands, so
    every context that it names was signed.

    It does not say whose `key` is: see `key_of`. Raises Refused: no-proof, bad-proof,
    not-canonical.
    """
    proof = _proof(document)
    _check_times(proof, now)
    unsecured = _unsecured(document)
    config = {name: value for name, value in proof.items() if name != "proofValue"}
    configs = [config]
    if "@context" in config:
        if not _begins_with(unsecured.get("@context"), config["@context"]):
            raise Refused("bad-proof", "its @context is not the document's")
    elif "@context" in unsecured:
        configs.append({**config, "@context": unsecured["@context"]})
    try:
        value = multibase.decode(proof.get("proofValue"), _SIGNATURE_BYTES)
    except Refused as error:
        raise Refused("bad-proof", error.detail) from None
    hashed = _hash(unsecured)
    for candidate in configs:
        try:
            key.verify(value, _hash(candidate) + hashed)
        except (InvalidSignature, ValueError):
            continue
        return
    raise Refused("bad-proof", "the signature does not match")


def _hash(value: Any) -> bytes:
    return hashlib.sha256(jcs.canonicalize(value)).digest()


def _unsecured(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("proof", "signature")}


def _proof(document: dict[str, Any]) -> dict[str, Any]:
    """The one proof of a document, of the kind that is understood here."""
    proofs = documents.as_list(document.get("proof"))
    if not proofs:
        raise Refused("no-proof")
    proof = proofs[0]
    if len(proofs) > 1 or not isinstance(proof, dict):
        raise Refused("bad-proof", "not exactly one proof object")
    if (
        proof.get("type") != _TYPE
        or proof.get("cryptosuite") != _CRYPTOSUITE
        or proof.get("proofPurpose") != _PURPOSE
    ):
        raise Refused("bad-proof", f"not an {_CRYPTOSUITE} {_PURPOSE}")
    return proof


def _check_times(proof: dict[str, Any], now: datetime) -> None:
    """A proof may be of any age, since the object that it stands on may be.

    `created` may be missing (Data Integrity, section 2.1), but not be nonsense.
    """
    if "created" in proof:
        created = documents.timestamp(proof["created"])
        if created is None or created - now > timedelta(seconds=limits.SIGNATURE_AHEAD_CAVAGE):
            raise Refused("bad-proof", "created in the future, or at no time")
    if "expires" in proof:
        expires = documents.timestamp(proof["expires"])
        if expires is None or expires <= now:
            raise Refused("bad-proof", "expired")


def _begins_with(context: Any, beginning: Any) -> bool:
    values = documents.as_list(beginning)
    return documents.as_list(context)[: len(values)] == values

"""Object proofs, against published vectors and an independent implementation, and broken ones."""

import copy
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apsig import ProofSigner, ProofVerifier
from hypothesis import given
from hypothesis import strategies as st

from federation import jcs, keys, limits, multibase, proofs, vocabulary
from federation.errors import Refused

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
published = pytest.mark.skipif(
    not VECTORS.exists(), reason="the published vectors are not beside the project"
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OWNER = "https://shop.example/users/a"
METHOD = OWNER + "#ed25519-key"
KEY = keys.load_ed25519_private(bytes(range(32)))
PUBLIC = KEY.public_key()
NOTE: dict[str, Any] = {
    "@context": [vocabulary.AS2, vocabulary.DATA_INTEGRITY_V2, {"sdo": "https://schema.org/"}],
    "id": "https://shop.example/users/a/items/1",
    "type": "Note",
    "attributedTo": OWNER,
    "content": "<p>Café</p>",
    "location": {"type": "Place", "latitude": 43.7275, "longitude": 4.7106},
}


def read(name: str) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads((VECTORS / name).read_text())
    return vector


def signed(**changes: Any) -> dict[str, Any]:
    """NOTE with a proof whose options were changed before it was signed; None leaves one out."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2026-11-23T11:00:00Z",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        **changes,
    }
    options = {name: value for name, value in options.items() if value is not None}
    return hashed(NOTE, options, options)


def hashed(document: Any, config: dict[str, Any], proof: dict[str, Any]) -> dict[str, Any]:
    data = b"".join(hashlib.sha256(jcs.canonicalize(v)).digest() for v in (config, document))
    value = multibase.encode(KEY.sign(data))
    return {**document, "proof": {**proof, "proofValue": value}}


def refused(document: dict[str, Any], code: str = "bad-proof", key: Any = PUBLIC) -> None:
    with pytest.raises(Refused) as caught:
        proofs.verify(document, key, NOW)
    assert caught.value.code == code


@published
def test_fep_8b32_vector() -> None:
    vector = read("fep_8b32.json")
    key = keys.load_ed25519_private(multibase.decode(vector["secret_multibase"], 34)[2:])
    assert keys.multikey(key) == vector["public_multibase"]
    created = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
    made = proofs.sign(vector["document"], key, vector["verification_method"], created)
    assert made == vector["signed"]
    proofs.verify(vector["signed"], keys.load_multikey(vector["public_multibase"]), NOW)
    assert proofs.verification_method(vector["signed"]) == vector["verification_method"]


@published
def test_vc_di_eddsa_vector() -> None:
    vector = read("vc_di_eddsa_jcs_2022.json")
    proofs.verify(vector["signed"], keys.load_multikey(vector["key"]["publicKeyMultibase"]), NOW)
    # Its key is a did:key, which nothing here could fetch.
    with pytest.raises(Refused, match="did:key"):
        proofs.verification_method(vector["signed"])


@pytest.mark.parametrize("context", [NOTE["@context"], vocabulary.AS2, None])
def test_what_we_sign_holds_here_and_elsewhere(context: Any) -> None:
    note = {**NOTE, "@context": context}
    if context is None:
        del note["@context"]
    before = copy.deepcopy(note)
    made = proofs.sign(note, KEY, METHOD, NOW)
    assert note == before
    assert made["proof"].get("@context") == context
    assert made["proof"]["created"] == "2026-11-23T12:00:00Z"
    proofs.verify(made, PUBLIC, NOW)
    assert proofs.verification_method(made) == METHOD
    if isinstance(context, list):  # the other implementation expects one
        strings = {**made, "@context": [c for c in context if isinstance(c, str)]}
        strings = proofs.sign(strings, KEY, METHOD, NOW)
        assert ProofVerifier(PUBLIC).verify(copy.deepcopy(strings), raise_on_fail=True) == METHOD


def test_what_others_sign_holds_here() -> None:
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2026-11-23T11:00:00Z",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
    }
    proofs.verify(ProofSigner(KEY).sign(copy.deepcopy(NOTE), options), PUBLIC, NOW)


def test_a_proof_hashed_with_the_context_of_the_document_but_sent_without() -> None:
    # As Fedify makes them.
    options = signed()["proof"]
    del options["proofValue"]
    config = {**options, "@context": NOTE["@context"]}
    proofs.verify(hashed(NOTE, config, options), PUBLIC, NOW)
    refused(hashed(NOTE, {**options, "@context": [vocabulary.AS2]}, options))


def test_one_proof_may_stand_in_a_list() -> None:
    document = signed()
    proofs.verify({**document, "proof": [document["proof"]]}, PUBLIC, NOW)
    refused({**document, "proof": [document["proof"], document["proof"]]})


def test_no_proof() -> None:
    for document in (NOTE, {**NOTE, "proof": None}, {**NOTE, "proof": []}):
        refused(document, "no-proof")
        with pytest.raises(Refused, match="no-proof"):
            proofs.verification_method(document)


def test_an_ld_signature_is_taken_out() -> None:
    proofs.verify({**signed(), "signature": {"type": "RsaSignature2017"}}, PUBLIC, NOW)


@pytest.mark.parametrize("member", ["content", "id", "attributedTo", "location", "@context"])
def test_sig_34_every_member_counts(member: str) -> None:
    document = signed()
    proofs.verify(document, PUBLIC, NOW)
    refused({**document, member: "changed"})
    refused({name: value for name, value in document.items() if name != member})


def test_sig_34_members_cannot_be_added() -> None:
    refused({**signed(), "updated": "2026-11-23T12:00:00Z"})
    document = proofs.sign(NOTE, KEY, METHOD, NOW)
    document["@context"] = [*document["@context"], "https://evil.example/context"]
    refused(document)


def test_sig_34_a_proof_moved_to_another_object() -> None:
    document = signed()
    activity = {"type": "Create", "actor": OWNER, "object": NOTE, "proof": document["proof"]}
    refused(activity)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "Ed25519Signature2020"),
        ("type", ["DataIntegrityProof"]),
        ("cryptosuite", "eddsa-rdfc-2022"),
        ("cryptosuite", None),
        ("proofPurpose", "authentication"),
        ("proofPurpose", None),
        ("created", "2026-11-23T13:00:01Z"),
        ("created", "9999-12-31T23:59:59Z"),
        ("created", "yesterday"),
        ("created", 0),
        ("expires", "2026-11-23T11:59:59Z"),
        ("expires", "2026-11-23T12:00:00Z"),
        ("expires", "never"),
        ("@context", ["https://w3id.org/security/data-integrity/v2"]),
        ("@context", [*NOTE["@context"], "https://a.example"]),
    ],
)
def test_options_that_do_not_pass(member: str, value: Any) -> None:
    refused(signed(**{member: value}))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("created", None),
        ("created", "2019-01-01T00:00:00.123+01:00"),
        ("created", "2026-11-23T13:00:00Z"),
        ("expires", "2026-11-23T12:00:01Z"),
        ("@context", vocabulary.AS2),
        ("@context", NOTE["@context"]),
        ("id", "urn:uuid:1"),
    ],
)
def test_options_that_pass(member: str, value: Any) -> None:
    proofs.verify(signed(**{member: value}), PUBLIC, NOW)


def test_options_are_signed() -> None:
    document = signed(expires="2026-11-24T00:00:00Z")
    document["proof"]["expires"] = "2027-11-24T00:00:00Z"
    refused(document)


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "",
        "z",
        "zLae",
        multibase.encode(bytes(63)),
        multibase.encode(bytes(64)),
        multibase.encode(bytes(65)),
        "z" + "2" * 10**6,
        "uAAAA",
    ],
)
def test_proof_values_that_do_not_pass(value: Any) -> None:
    document = signed()
    document["proof"]["proofValue"] = value
    refused(document)


def test_another_key() -> None:
    refused(signed(), key=keys.generate_ed25519().public_key())


@pytest.mark.parametrize(
    "method", [None, "", 1, {"id": METHOD}, "did:key:z6Mk", "data:,a", "a" * 3000]
)
def test_sig_23_methods_that_cannot_be_fetched(method: Any) -> None:
    document = signed()
    document["proof"]["verificationMethod"] = method
    with pytest.raises(Refused, match="bad-proof"):
        proofs.verification_method(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
MEMBERS = st.sampled_from(["type", "created", "expires", "@context", "proofValue", "x"])


@given(st.dictionaries(MEMBERS, JSON), JSON, JSON)
def test_any_json_is_only_refused(changes: dict[str, Any], context: Any, extra: Any) -> None:
    document = signed()
    document = {**document, "@context": context, "x": extra}
    for proof in ({**document["proof"], **changes}, context, extra):
        with pytest.raises(Refused):
            proofs.verify({**document, "proof": proof}, PUBLIC, NOW)
        try:
            proofs.verification_method({**document, "proof": proof})
        except Refused:
            continue


# --- Whose key it is


def actor(**changes: Any) -> dict[str, Any]:
    multikey = {"id": METHOD, "type": "Multikey", "controller": OWNER}
    multikey["publicKeyMultibase"] = keys.multikey(KEY)
    return {"id": OWNER, "type": "Organization", "assertionMethod": [{**multikey, **changes}]}


def test_key_of() -> None:
    assert proofs.key_of(actor(), METHOD).public_bytes_raw() == PUBLIC.public_bytes_raw()
    single = {**actor(), "assertionMethod": actor()["assertionMethod"][0]}
    assert proofs.key_of(single, METHOD).public_bytes_raw() == PUBLIC.public_bytes_raw()


@pytest.mark.parametrize(
    "document",
    [
        actor(controller="https://evil.example/users/b"),
        actor(controller=None),
        actor(type="Key"),
        actor(publicKeyMultibase="z6Mk"),
        actor(publicKeyMultibase=None),
        {**actor(), "id": "https://shop.example/users/b"},
        {**actor(), "id": None},
    ],
)
def test_sig_21_keys_of_somebody_else(document: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="bad-key"):
        proofs.key_of(document, METHOD)


def test_sig_21_a_key_id_of_another_origin() -> None:
    foreign = "https://evil.example/users/a#ed25519-key"
    with pytest.raises(Refused, match="bad-key"):
        proofs.key_of(actor(id=foreign), foreign)


@pytest.mark.parametrize("listed", [None, [], METHOD, [METHOD], [1, None], [{"id": METHOD + "x"}]])
def test_keys_that_are_not_listed(listed: Any) -> None:
    with pytest.raises(Refused, match="no-such-key"):
        proofs.key_of({**actor(), "assertionMethod": listed}, METHOD)


def test_lists_of_keys_are_cut() -> None:
    entry = actor()["assertionMethod"][0]
    document = {**actor(), "assertionMethod": [{"id": "a"}] * 10_000 + [entry]}
    with pytest.raises(Refused, match="no-such-key"):
        proofs.key_of(document, METHOD)


def test_clocks_of_signers_may_be_ahead_by_an_hour() -> None:
    ahead = timedelta(seconds=limits.SIGNATURE_AHEAD_CAVAGE)
    proofs.verify(proofs.sign(NOTE, KEY, METHOD, NOW + ahead), PUBLIC, NOW)
    refused(proofs.sign(NOTE, KEY, METHOD, NOW + ahead + timedelta(seconds=1)))

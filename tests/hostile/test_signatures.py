"""Requests to the inbox whose signature is missing, forged, stale, lifted from elsewhere, or made
with a key that is none (design: safety, 1A)."""

import base64
import hashlib
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests import neighbours
from tests.hostile import stub
from tests.hostile.arena import Arena
from tests.hostile.stub import Actor, Document, Headers

DATE = "(request-target) host digest content-type"


def seconds(**ago: float) -> int:
    return int((datetime.now(UTC) - timedelta(**ago)).timestamp())


def poison(actor: Actor) -> tuple[Document, bytes]:
    """A listing that must not be found, and the bytes that tell of it."""
    activity = actor.activity("Create", actor.note("poison"))
    return activity, stub.encode(activity)


# --- what is accepted ----------------------------------------------------------------------------


def test_sig_17_every_known_way_to_sign_is_accepted(arena: Arena) -> None:
    shop, _ = arena.shop()
    ways: dict[str, dict[str, Any]] = {
        "no algorithm": {"parameters": ""},
        "hs2019": {"parameters": 'algorithm="hs2019"'},
        "created": {
            "parameters": f'algorithm="hs2019",created={seconds()}',
            "covered": "(request-target) (created) host digest",
        },
        "half an hour slow": {"date": stub.http_date(datetime.now(UTC) - timedelta(minutes=30))},
    }
    for way, how in ways.items():
        note = shop.note(f"lampe signée {way}")
        assert arena.post(shop, shop.activity("Create", note), **how).status == 202, way
        neighbours.eventually(lambda note=note: note["id"] in arena.found("lampe signée"))
    note = shop.note("lampe signée RFC 9421")
    body = stub.encode(shop.activity("Create", note))
    headers = stub.rfc9421(shop.key, shop.key_id, arena.inbox, body)
    assert arena.send(headers, body).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe signée"))


def test_sig_14_a_digest_may_be_written_in_several_ways(arena: Arena) -> None:
    shop, _ = arena.shop()
    note = shop.note("lampe condensée")
    body = stub.encode(shop.activity("Create", note))
    sha256 = base64.b64encode(hashlib.sha256(body).digest()).decode()
    sha512 = base64.b64encode(hashlib.sha512(body).digest()).decode()
    wrong = base64.b64encode(bytes(32)).decode()
    assert arena.post(shop, body, digest=f"sha-256={sha256}").status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe condensée"))
    assert arena.post(shop, body, digest=f"SHA-512={sha512}").status == 202
    assert arena.post(shop, body, digest=f"SHA-256={sha256},SHA-512={sha512}").status == 202
    _, bad = poison(shop)
    good = base64.b64encode(hashlib.sha256(bad).digest()).decode()
    with arena.unmoved(fetches=1):
        for value in (
            f"SHA-256={wrong}",
            f"SHA-256={good},SHA-512={sha512}",
            f"SHA-256={good},SHA-256={wrong}",
            f"SHA-256={wrong},SHA-256={good}",
            "MD5=1B2M2Y8AsgTpgAmY7PhCfg==",
            f"SHA-256={good[:-4]}",
            "SHA-256=",
        ):
            assert arena.post(shop, bad, digest=value).status in (400, 401), value


def test_sig_29_a_query_is_signed_or_left_out_but_never_another_path(arena: Arena) -> None:
    shop, _ = arena.shop()
    for signed in ("?a=1", ""):
        note = shop.note("lampe à chemin")
        body = stub.encode(shop.activity("Create", note))
        headers = stub.cavage(shop.key, shop.key_id, arena.inbox + signed, body)
        assert arena.send(headers, body, f"{arena.inbox}?a=1").status == 202
        neighbours.eventually(lambda note=note: note["id"] in arena.found("lampe chemin"))
    _, body = poison(shop)
    with arena.unmoved(fetches=1):
        for signed, sent in (
            ("/inbox?a=2", "/inbox?a=1"),
            ("/inbox?a=1", "/inbox"),
            ("/users/instance/inbox", "/inbox"),
            ("/inbox", "/users/fleurs/inbox"),
            ("/inbox", "/users/instance/inbox?/inbox"),
            ("/inbox/", "/inbox"),
        ):
            headers = stub.cavage(shop.key, shop.key_id, arena.town.url + signed, body)
            assert arena.send(headers, body, arena.town.url + sent).status == 401, (signed, sent)


def test_sig_26_a_new_key_is_fetched_once_and_the_old_one_no_longer_counts(arena: Arena) -> None:
    shop, _ = arena.shop()
    new = shop.stub.other_key
    shop.publish(new)
    asked = arena.asked()
    note = shop.note("lampe à clé neuve")
    assert arena.post(shop, shop.activity("Create", note), key=new).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe clé neuve"))
    assert arena.asked() - asked == 1
    with arena.unmoved():
        assert arena.post(shop, poison(shop)[1]).status == 401


def test_sig_26_a_key_that_its_owner_changed_by_an_update_ends_the_old_one(arena: Arena) -> None:
    shop, _ = arena.shop()
    new = shop.stub.other_key
    shop.publish(new)
    assert arena.post(shop, shop.activity("Update", shop.document(new))).status == 202
    arena.settle()
    with arena.unmoved(fetches=1):
        assert arena.post(shop, poison(shop)[1]).status == 401
    note = shop.note("lampe à clé changée")
    assert arena.post(shop, shop.activity("Create", note), key=new).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe clé changée"))


# --- missing, lifted, altered --------------------------------------------------------------------


def test_sig_01_without_a_signature_nothing_is_taken(arena: Arena) -> None:
    shop, _ = arena.shop()
    _, body = poison(shop)
    good = stub.cavage(shop.key, shop.key_id, arena.inbox, body)
    with arena.unmoved():
        for headers in (
            stub.replaced(good, "signature"),
            stub.replaced(good, "signature", ""),
            [*stub.replaced(good, "signature"), ("authorization", "Basic YTpi")],
            [*stub.replaced(good, "signature"), ("authorization", "Signature")],
        ):
            assert arena.send(headers, body).status in (400, 401)
        assert arena.send(stub.replaced(good, "signature"), body).status == 401


def test_sig_02_nobody_signs_for_an_actor_elsewhere(arena: Arena) -> None:
    shop, _ = arena.shop()
    thief = arena.stranger.actor()
    _, body = poison(shop)
    with arena.unmoved(fetches=1):
        assert arena.post(thief, body).status in (401, 403)
        assert arena.post(thief, body, key_id=shop.key_id).status == 401
        # Said to be the thief's activity, about a listing that the thief gives to the shop.
        told = thief.activity("Create", shop.note("poison"), actor=shop.uri)
        assert arena.post(thief, told).status in (401, 403)


def test_sig_02_nobody_signs_for_another_actor_of_the_same_node(arena: Arena) -> None:
    shop, _ = arena.shop()
    other, _ = arena.shop()
    with arena.unmoved(fetches=2):
        assert arena.post(other, poison(shop)[1]).status == 401
        assert arena.post(arena.node, poison(shop)[1]).status == 401


def test_sig_04_a_body_altered_after_signing(arena: Arena) -> None:
    shop, _ = arena.shop()
    innocent = stub.encode(shop.activity("Create", shop.note("lampe jamais dite")))
    headers = stub.cavage(shop.key, shop.key_id, arena.inbox, innocent)
    rfc = stub.rfc9421(shop.key, shop.key_id, arena.inbox, innocent)
    _, body = poison(shop)
    with arena.unmoved(fetches=1):
        assert arena.send(headers, body).status == 401
        assert arena.send(rfc, body).status == 401
        # The digest made to fit, which the signature covers.
        assert arena.send(stub.replaced(headers, "digest", stub.digest(body)), body).status == 401


def test_sig_05_a_signature_that_does_not_cover_the_digest(arena: Arena) -> None:
    shop, _ = arena.shop()
    _, body = poison(shop)
    covered = "(request-target) host date content-type"
    with arena.unmoved(fetches=1):
        assert arena.post(shop, body, covered=covered).status == 401
        assert arena.post(shop, body, covered=covered, digest=None).status == 401
        components = ['"@method"', '"@target-uri"']
        headers = stub.rfc9421(shop.key, shop.key_id, arena.inbox, body, components=components)
        assert arena.send(headers, body).status == 401


@pytest.mark.parametrize(
    "covered",
    [
        pytest.param("host date digest", id="sig_06_without_target"),
        pytest.param("(request-target) date digest", id="sig_07_without_host"),
        pytest.param("(request-target) host digest", id="sig_08_without_date"),
        pytest.param("date", id="only_the_date"),
    ],
)
def test_sig_06_07_08_what_must_be_covered(arena: Arena, covered: str) -> None:
    shop, _ = arena.shop()
    with arena.unmoved(fetches=1):
        assert arena.post(shop, poison(shop)[1], covered=covered).status == 401


def test_sig_07_a_signature_made_for_another_node(arena: Arena) -> None:
    shop, _ = arena.shop()
    _, body = poison(shop)
    elsewhere = "http://autre.example/inbox"
    headers = stub.cavage(shop.key, shop.key_id, elsewhere, body)
    rfc = stub.rfc9421(shop.key, shop.key_id, elsewhere, body)
    ours = arena.town.authority
    with arena.unmoved(fetches=1):
        assert arena.send(headers, body).status == 421
        assert arena.send(stub.replaced(headers, "host", ours), body).status == 401
        assert arena.send(stub.replaced(rfc, "host", ours), body).status == 401


def test_sig_09_an_old_signature(arena: Arena) -> None:
    shop, _ = arena.shop()
    _, body = poison(shop)
    old = stub.http_date(datetime.now(UTC) - timedelta(hours=13))
    created = f'algorithm="hs2019",created={seconds(hours=13)}'
    with arena.unmoved(fetches=1):
        assert arena.post(shop, body, date=old).status == 401
        assert arena.post(
            shop, body, parameters=created, covered=f"(created) {DATE}"
        ).status == 401  # fmt: skip
        parameters = f';created={seconds(hours=13)};keyid="{shop.key_id}"'
        rfc = stub.rfc9421(shop.key, shop.key_id, arena.inbox, body, parameters=parameters)
        assert arena.send(rfc, body).status == 401
        # A fresh Date beside, that the signature does not cover.
        headers = stub.cavage(shop.key, shop.key_id, arena.inbox, body, date=old)
        assert arena.send(stub.replaced(headers, "date", stub.http_date()), body).status == 401


def test_sig_10_a_signature_from_the_future_or_run_out(arena: Arena) -> None:
    shop, _ = arena.shop()
    _, body = poison(shop)
    future = stub.http_date(datetime.now(UTC) + timedelta(hours=2))
    covered = f"(created) (expires) {DATE}"
    with arena.unmoved(fetches=1):
        assert arena.post(shop, body, date=future).status == 401
        for created, expires in (
            (seconds(), seconds(hours=1)),
            (seconds(minutes=9), seconds(minutes=5)),
        ):
            parameters = f'algorithm="hs2019",created={created},expires={expires}'
            answer = arena.post(shop, body, parameters=parameters, covered=covered)
            assert answer.status in (400, 401)
        for created in (seconds(hours=-2), -1):
            parameters = f';created={created};keyid="{shop.key_id}"'
            rfc = stub.rfc9421(shop.key, shop.key_id, arena.inbox, body, parameters=parameters)
            assert arena.send(rfc, body).status in (400, 401)
        for date in ("yesterday", "", "Sun, 06 Nov 1994 08:49:37", "Mon, 32 Jan 2026 00:00:00 GMT"):
            assert arena.post(shop, body, date=date).status in (400, 401)


# --- again ---------------------------------------------------------------------------------------


def test_sig_11_a_replay_has_no_second_effect(arena: Arena) -> None:
    shop = arena.peer.actor()
    note = shop.note("lampe rejouée")
    body = stub.encode(shop.activity("Create", note))
    headers = stub.cavage(shop.key, shop.key_id, arena.inbox, body)
    assert arena.send(headers, body).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe rejouée"))
    deleted = shop.activity("Delete", stub.tombstone(note["id"]))
    assert arena.post(shop, deleted).status == 202
    neighbours.eventually(lambda: note["id"] not in arena.found("lampe rejouée"))
    with arena.unmoved():
        for _ in range(3):
            assert arena.send(headers, body).status < 500
        # Not even signed anew, or told as another activity: what was deleted stays deleted.
        assert arena.post(shop, body).status < 500
        assert arena.post(shop, shop.activity("Create", note)).status < 500


def test_sig_11_a_replayed_follow_does_not_follow_again(arena: Arena) -> None:
    fan = arena.stranger.actor("Person")
    fleurs = f"{arena.town.url}/users/fleurs"
    follow = fan.activity("Follow", fleurs)
    body = stub.encode(follow)
    headers = stub.cavage(fan.key, fan.key_id, arena.inbox, body)

    def count() -> int:
        return int(arena.get("/users/fleurs/followers")["totalItems"])

    before = count()
    assert arena.send(headers, body).status == 202
    neighbours.eventually(lambda: count() == before + 1)

    def accepts() -> int:
        told = arena.stranger.deliveries("Accept")
        return sum(one["object"]["id"] == follow["id"] for one in told)

    neighbours.eventually(accepts)
    assert arena.post(fan, fan.activity("Undo", follow)).status == 202
    neighbours.eventually(lambda: count() == before)
    with arena.unmoved():
        assert arena.send(headers, body).status < 500
    assert count() == before
    assert accepts() == 1


def test_sig_13_the_first_of_two_with_one_id_wins(arena: Arena) -> None:
    shop = arena.peer.actor()
    note = shop.note("lampe première")
    first = shop.activity("Create", note)
    assert arena.post(shop, first).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe première"))
    with arena.unmoved():
        changed = stub.later(note, "poison", seconds=0)
        assert arena.post(shop, {**first, "object": changed}).status < 500
        older = stub.later(note, "poison", seconds=-60)
        assert arena.post(shop, shop.activity("Update", older)).status < 500


# --- read in two ways ----------------------------------------------------------------------------


def test_sig_15_two_headers_of_one_name(arena: Arena) -> None:
    shop, _ = arena.shop()
    _, body = poison(shop)
    good = stub.cavage(shop.key, shop.key_id, arena.inbox, body)
    others = {
        "digest": stub.digest(b"other"),
        "date": stub.http_date(datetime.now(UTC) - timedelta(minutes=1)),
        "host": "autre.example",
        "signature": 'keyId="http://autre.example/k",signature="AAAA"',
        "content-type": "text/plain",
    }
    with arena.unmoved(fetches=1):
        for name, other in others.items():
            value = dict(good)[name]
            for values in ((value, other), (other, value), (value, value)):
                answer = arena.send(stub.replaced(good, name, *values), body)
                assert answer.status in (400, 401, 415, 421), (name, values)
        for headers in ([("content-length", str(len(body))), ("content-length", "5"), *good],):
            assert arena.send(headers, body).status == 400


def test_sig_31_rfc_9421_only_in_one_plain_form(arena: Arena) -> None:
    shop, _ = arena.shop()
    _, body = poison(shop)
    now, plain = seconds(), ['"@method"', '"@target-uri"', '"content-digest"']
    key = f';created={now};keyid="{shop.key_id}"'
    hostile: dict[str, Headers] = {}
    for parameter in (";req", ";tr", ";bs", ";sf", ';key="sha-256"', ";unknown"):
        components = [*plain[:2], f'"content-digest"{parameter}']
        hostile[parameter] = stub.rfc9421(
            shop.key, shop.key_id, arena.inbox, body, components=components
        )
    good = stub.rfc9421(shop.key, shop.key_id, arena.inbox, body)
    described, signature = dict(good)["signature-input"], dict(good)["signature"]
    other = described.replace("sig1=", "sig2=")
    hostile |= {
        "labels differ": stub.rfc9421(
            shop.key, shop.key_id, arena.inbox, body, labels=("sig1", "sig2")
        ),
        "label twice": stub.replaced(good, "signature-input", f"{described}, {described}"),
        "two labels": stub.replaced(good, "signature-input", f"{described}, {other}"),
        "signature twice": stub.replaced(good, "signature", f"{signature}, {signature}"),
        "two headers": stub.replaced(good, "signature-input", described, described),
        "component twice": stub.rfc9421(
            shop.key, shop.key_id, arena.inbox, body, components=[*plain, plain[0]]
        ),
        "created twice": stub.rfc9421(
            shop.key, shop.key_id, arena.inbox, body, parameters=f"{key};created=1"
        ),
        "not created": stub.rfc9421(
            shop.key, shop.key_id, arena.inbox, body, parameters=f';keyid="{shop.key_id}"'
        ),
        "no key": stub.rfc9421(
            shop.key, shop.key_id, arena.inbox, body, parameters=f";created={now}"
        ),
        "hmac": stub.rfc9421(
            shop.key, shop.key_id, arena.inbox, body, parameters=f'{key};alg="hmac-sha256"'
        ),
        "no target": stub.rfc9421(
            shop.key, shop.key_id, arena.inbox, body, components=['"@method"', plain[2]]
        ),
        "not structured": stub.replaced(good, "signature-input", "sig1=((("),
        "empty": stub.replaced(good, "signature-input", ""),
        "long": stub.replaced(good, "signature-input", f'{described};x="{"a" * 9000}"'),
    }
    with arena.unmoved(fetches=1):
        for name, headers in hostile.items():
            assert arena.send(headers, body).status in (400, 401), name


@pytest.mark.parametrize("date", ["{}\r\n ", "{}\r\n\tx", "{}\x0b", "{}\x00"])
def test_sig_32_a_covered_header_that_can_be_read_in_two_ways(arena: Arena, date: str) -> None:
    """Written to the socket as it is; what the client signed is what a lenient reader sees."""
    shop, _ = arena.shop()
    _, body = poison(shop)
    good = dict(stub.cavage(shop.key, shop.key_id, arena.inbox, body))
    good["date"] = date.format(good["date"])
    head = "".join(f"{name}: {value}\r\n" for name, value in good.items())
    request = f"POST /inbox HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode()
    with arena.unmoved(fetches=1):
        answer = stub.raw(arena.town.port, request + body, within=0.5)
        assert answer.split(b" ")[1:2] in ([b"400"], [b"401"], [])


def test_sig_32_a_signature_header_that_is_no_signature(arena: Arena) -> None:
    shop, _ = arena.shop()
    _, body = poison(shop)
    good = stub.cavage(shop.key, shop.key_id, arena.inbox, body)
    value = dict(good)["signature"]
    with arena.unmoved(fetches=1):
        for broken in (
            value + ",",
            value + f',keyId="{shop.uri}#other"',
            value.replace('headers="', 'headers="date '),
            value.replace('headers="', 'headers="x-missing '),
            value.replace('signature="', 'signature="====='),
            value[:-10],
            value.replace('"', "'"),
            "keyId=" + "a" * 20_000,
            'keyId="' + "\\" * 3000,
            ",".join(['a="b"'] * 900),
            "é" * 40,
        ):
            headers = stub.replaced(good, "signature", broken)
            assert arena.send(headers, body).status in (400, 401), broken[:80]


def test_sig_33_a_proxy_s_word_for_the_host_is_not_taken(arena: Arena) -> None:
    shop, _ = arena.shop()
    _, body = poison(shop)
    elsewhere = stub.cavage(shop.key, shop.key_id, "http://autre.example/inbox", body)
    forwarded = [
        ("x-forwarded-host", "autre.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/autre"),
        ("forwarded", "host=autre.example;proto=https"),
        ("x-original-url", "/users/instance/inbox"),
    ]
    with arena.unmoved(fetches=1):
        headers = stub.replaced(elsewhere, "host", arena.town.authority)
        assert arena.send([*headers, *forwarded], body).status == 401
    note = shop.note("lampe derrière un mandataire")
    good = stub.encode(shop.activity("Create", note))
    headers = stub.cavage(shop.key, shop.key_id, arena.inbox, good)
    assert arena.send([*headers, *forwarded], good).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe mandataire"))


def test_sig_34_a_proof_does_not_vouch_for_what_is_around_it(arena: Arena) -> None:
    shop, _ = arena.shop()
    thief = arena.stranger.actor()
    method = f"{shop.uri}#ed25519-key"
    key = arena.peer.object_key
    note = stub.proved(shop.note("lampe prouvée"), key, method)
    proved = stub.proved(shop.activity("Create", note), key, method)
    poisoned = {**note, "sdo:offers": shop.note("poison")["sdo:offers"]}
    linked = {
        "type": "RsaSignature2017", "creator": shop.key_id, "created": "2026-11-01T00:00:00Z",
        "signatureValue": base64.b64encode(shop.key.sign(b"x", PKCS1v15(), SHA256())).decode(),
    }  # fmt: skip
    with arena.unmoved(fetches=2):
        for activity in (
            {**proved, "object": poisoned},
            {**proved, "object": shop.note("poison")},
            {**shop.activity("Create", poisoned), "signature": linked},
        ):
            body = stub.encode(activity)
            unsigned = stub.replaced(
                stub.cavage(thief.key, thief.key_id, arena.inbox, body), "signature"
            )
            assert arena.send(unsigned, body).status == 401
            assert arena.post(thief, body).status in (401, 403)
        # Around an object whose proof holds, and around one whose proof held before it was altered.
        for told in (note, poisoned):
            assert arena.post(thief, thief.activity("Create", told)).status < 500
            assert arena.post(thief, thief.activity("Update", told)).status < 500


# --- keys ----------------------------------------------------------------------------------------


def der(tag: int, *parts: bytes) -> bytes:
    """One ASN.1 value."""
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(length)]) + length + body


def rsa_pem(modulus: int, exponent: int) -> str:
    """An RSA public key that no library would make."""
    numbers = [n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (modulus, exponent)]
    key = der(0x30, *(der(2, number) for number in numbers))
    kind = der(0x30, bytes.fromhex("06092a864886f70d010101"), b"\x05\x00")
    text = base64.encodebytes(der(0x30, kind, der(3, b"\0", key))).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n"


def padded(base: bytes, size: int) -> bytes:
    """The signature that fits wherever the exponent is one: the padded hash itself."""
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(base).digest()
    return b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info


def with_key(arena: Arena, material: Any) -> Actor:
    """A new shop of the neighbour that names this as its key."""
    shop = arena.peer.actor()
    shop.publish(publicKey={"id": shop.key_id, "owner": shop.uri, "publicKeyPem": material})
    return shop


def test_sig_19_keys_too_weak_or_too_costly(arena: Arena) -> None:
    weak = rsa.generate_private_key(65537, 1024)
    modulus = arena.peer.key.public_key().public_numbers().n
    huge = (1 << 16383) + 12345679
    cases: list[tuple[str, Any]] = [
        (stub.pem(weak), lambda base: weak.sign(base, PKCS1v15(), SHA256())),
        (rsa_pem(modulus, 1), lambda base: padded(base, 256)),
        (rsa_pem(modulus + 1, 65537), None),
        (rsa_pem(huge, 65537), lambda base: padded(base, 1024)),
        (rsa_pem((1 << 8192) + 1, 1), lambda base: padded(base, 1024)),
        (rsa_pem(modulus, (1 << 2000) + 1), None),
    ]
    with arena.unmoved(fetches=2 * len(cases)):
        for material, sign in cases:
            shop = with_key(arena, material)
            begun = arena.work()
            assert arena.post(shop, poison(shop)[1], sign=sign).status in (400, 401)
            assert arena.work() - begun < 5


def test_sig_20_keys_that_are_none(arena: Arena) -> None:
    key = arena.peer.key
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .sign(key, SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )
    curve = ec.generate_private_key(ec.SECP256R1())
    elliptic = (
        curve.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    cases: list[tuple[Any, Any]] = [
        (private, None),
        (certificate, None),
        (elliptic, lambda base: curve.sign(base, ec.ECDSA(SHA256()))),
        ("A" * 1_000_000, None),
        ("-----BEGIN PUBLIC KEY-----\n" + "A" * 15_000, None),
        ("", None),
        (None, None),
        (7, None),
        ([stub.pem(key)], None),
    ]
    with arena.unmoved(fetches=2 * len(cases)):
        for material, sign in cases:
            shop = with_key(arena, material)
            answer = arena.post(shop, poison(shop)[1], sign=sign)
            assert answer.status in (400, 401, 413), str(material)[:40]


def test_sig_21_a_key_that_its_owner_does_not_name(arena: Arena) -> None:
    victim, _ = arena.shop()
    planted = {
        "@context": stub.AS2,
        "owner": victim.uri,
        "publicKeyPem": stub.pem(arena.peer.other_key),
    }
    # Elsewhere, and on the victim's own node, where somebody may have got a file.
    path = f"/media/{victim.handle}"
    elsewhere = f"{arena.stranger.url}{path}"
    arena.stranger.serve(path, {**planted, "id": elsewhere})
    at_home = f"{arena.peer.url}{path}"
    arena.peer.serve(path, {**planted, "id": at_home})
    actor_like = f"{arena.peer.url}{path}-actor"
    document = victim.document(arena.peer.other_key)
    document["publicKey"]["id"] = f"{actor_like}#main-key"
    arena.peer.serve(f"{path}-actor", document)
    with arena.unmoved(fetches=4):
        for key_id in (elsewhere, at_home, f"{actor_like}#main-key"):
            answer = arena.post(victim, poison(victim)[1], key=arena.peer.other_key, key_id=key_id)
            assert answer.status in (401, 403), key_id


def test_sig_21_an_owner_elsewhere(arena: Arena) -> None:
    victim, _ = arena.shop()
    thief = arena.stranger.actor()
    thief.publish(
        publicKey={"id": thief.key_id, "owner": victim.uri, "publicKeyPem": stub.pem(thief.key)}
    )
    with arena.unmoved(fetches=1):
        assert arena.post(thief, poison(thief)[1]).status in (401, 403)
        assert arena.post(thief, poison(victim)[1]).status in (401, 403)


def test_sig_23_a_key_id_that_is_no_address(arena: Arena) -> None:
    shop, _ = arena.shop()
    _, body = poison(shop)
    with arena.unmoved():
        for key_id in (
            f"acct:{shop.handle}@{arena.peer.authority}",
            "file:///etc/passwd",
            "data:application/activity+json,{}",
            f"/users/{shop.handle}#main-key",
            "main-key",
            "",
            f"{shop.uri}{'x' * 2100}",
            f"http://user:secret@{arena.peer.authority}{shop.path}#main-key",
            f"gopher://{arena.peer.authority}/x",
            f"{arena.peer.url}/users/../users/{shop.handle}#main-key",
            f"{arena.peer.url}\\users\\{shop.handle}",
            f"//{arena.peer.authority}{shop.path}",
            "javascript:alert(1)",
            "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        ):
            assert arena.post(shop, body, key_id=key_id).status in (400, 401, 403), key_id[:60]


def test_sig_24_a_key_that_cannot_be_had_is_asked_for_once(arena: Arena) -> None:
    ghost = Actor(arena.peer, "fantome", "Organization", arena.peer.key)
    with arena.unmoved(fetches=1):
        begun = time.monotonic()
        for number in range(60):
            answer = arena.post(ghost, poison(ghost)[1], key_id=f"{ghost.uri}#key-{number}")
            assert answer.status == 401
        assert time.monotonic() - begun < neighbours.PATIENCE


def test_sig_24_a_host_that_is_down_is_not_tried_for_every_key(arena: Arena) -> None:
    """Another path each time, on a host that hangs up: 40 knocks would be 40 times a timeout."""
    down = arena.stranger
    hung_up: list[str] = []

    def hang_up(handler: stub.Handler) -> None:
        hung_up.append(handler.path)
        handler.connection.shutdown(socket.SHUT_RDWR)

    ghosts = [Actor(down, f"fantome{number}", "Organization", down.key) for number in range(40)]
    for ghost in ghosts:
        down.script(ghost.path, hang_up)
    begun = time.monotonic()
    for ghost in ghosts:
        assert arena.post(ghost, poison(ghost)[1]).status in (401, 429, 503)
    assert time.monotonic() - begun < neighbours.PATIENCE
    assert len(hung_up) <= 5
    arena.hold()


def test_sig_25_a_key_of_our_own_is_not_fetched_from_ourselves(arena: Arena) -> None:
    own = f"{arena.town.url}/users/instance"
    shop, _ = arena.shop()
    activity = {**shop.activity("Create", shop.note("poison")), "actor": own, "id": f"{own}#1"}
    with arena.unmoved():
        for key_id in (f"{own}#main-key", f"{arena.town.url}/nowhere", f"{own}?x#main-key"):
            answer = arena.post(shop, activity, key_id=key_id)
            assert answer.status in (400, 401, 403)
            assert answer.code in ("own-host", "bad-signature", "not-the-actor"), answer.body


def test_sig_28_a_delete_by_an_actor_that_is_gone(arena: Arena) -> None:
    ghost = Actor(arena.peer, "disparu", "Person", arena.peer.key)
    arena.peer.answers[ghost.path] = stub.Answer(b"", 410)
    with arena.unmoved(fetches=1):
        for _ in range(5):
            assert arena.post(ghost, ghost.activity("Delete", ghost.uri)).status in (202, 401)
        assert arena.post(ghost, poison(ghost)[1]).status == 401
    shop, note = arena.shop()
    arena.peer.answers[shop.path] = stub.Answer(b"", 410)
    assert arena.post(shop, shop.activity("Delete", shop.uri)).status == 202
    neighbours.eventually(lambda: note["id"] not in arena.found("lampe"))


def test_sig_28_the_end_of_an_actor_is_not_told_by_another(arena: Arena) -> None:
    """The victim's document is gone for a moment; the thief's word must not end its shop."""
    victim, note = arena.shop()
    arena.peer.answers[victim.path] = stub.Answer(b"", 410)
    body = stub.encode(victim.activity("Delete", victim.uri))
    with arena.unmoved(fetches=1):
        answer = arena.post(victim, body, key=arena.peer.other_key)
        assert answer.status in (202, 401)
    assert note["id"] in arena.found("lampe")


def test_sig_40_a_signature_is_written_in_one_way_only(arena: Arena) -> None:
    """Base 64 leaves bits unused at its end: with others there, it is not the same text."""
    shop, _ = arena.shop()
    _, body = poison(shop)
    headers = stub.cavage(shop.key, shop.key_id, arena.inbox, body)
    value = dict(headers)["signature"]
    assert value.endswith('=="')
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(value[-4]) + 1]
    with arena.unmoved():
        changed = stub.replaced(headers, "signature", f'{value[:-4]}{other}=="')
        assert arena.send(changed, body).status == 400


def test_sig_43_an_actor_longer_than_any_is_not_read(arena: Arena) -> None:
    ghost = Actor(arena.peer, "long", "Organization", arena.peer.key)
    for size in (70_000, 1_000_000):
        ghost.publish(attachment=["x" * size])
        with arena.unmoved(fetches=1):
            key_id = f"{ghost.uri}#main-key"
            assert arena.post(ghost, poison(ghost)[1], key_id=key_id).status in (400, 401)
        ghost = Actor(arena.peer, "long2", "Organization", arena.peer.key)

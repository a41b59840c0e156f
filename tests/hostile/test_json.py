"""Bodies that are signed and well meant by nobody: JSON that readers disagree about, too deep, too
long, of odd shapes (design: safety, 1C)."""

import gzip
import json
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import neighbours
from tests.hostile import stub
from tests.hostile.arena import Arena
from tests.hostile.stub import Actor

MIB = 1024 * 1024


def written(actor: Actor, /, **members: str) -> bytes:
    """A Create of a poison listing whose members are written as JSON text after the usual ones."""
    text = json.dumps(actor.activity("Create", actor.note("poison")))
    more = "".join(f', "{name}": {value}' for name, value in members.items())
    return (text[:-1] + more + "}").encode()


def test_jsn_01_a_member_named_twice(arena: Arena) -> None:
    shop, _ = arena.shop()
    thief = arena.stranger.actor()
    nested = stub.encode(shop.activity("Create", shop.note("poison")))
    with arena.unmoved(fetches=1):
        for body in (
            written(shop, actor=f'"{thief.uri}"'),
            written(shop, actor=f'"{shop.uri}"'),
            written(thief, actor=f'"{shop.uri}"'),
            written(shop, type='"Delete"'),
            written(shop, **{"\\u0061ctor": f'"{thief.uri}"'}),
            nested.replace(
                b'"attributedTo":', b'"attributedTo": "http://x.example/", "attributedTo":'
            ),
        ):
            assert arena.post(shop, body).status == 400


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_jsn_02_nested_a_hundred_thousand_deep(arena: Arena, opening: str) -> None:
    shop, _ = arena.shop()
    closing = "".join({"[": "]", "{": "}"}.get(sign, "") for sign in reversed(opening))
    deep = 100_000 // opening.count("[") if "[" in opening else 40_000
    deep = min(deep, 250_000 // (len(opening) + len(closing)))
    with arena.unmoved():
        for body in (
            written(shop, deep=opening * deep + "1" + closing * deep),
            (opening * deep).encode(),
        ):
            assert arena.post(shop, body).status == 400


def test_jsn_03_deeper_than_the_limit(arena: Arena) -> None:
    shop, _ = arena.shop()
    with arena.unmoved():
        for deep in (33, 200):
            body = written(shop, deep="[" * deep + "]" * deep)
            assert arena.post(shop, body).status == 400
    note = shop.note("lampe profonde", deep=json.loads("[" * 29 + "]" * 29))
    assert arena.post(shop, shop.activity("Create", note)).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe profonde"))


def test_jsn_04_numbers_that_readers_disagree_about(arena: Arena) -> None:
    shop, _ = arena.shop()
    with arena.unmoved():
        for number in (
            "9" * 5000, "1e999", "-1e999", "NaN", "Infinity", "-Infinity", "9007199254740993",
            "0." + "1" * 5000, "1e" + "9" * 300, "0x10", "01", "+1", "1.", ".5",
        ):  # fmt: skip
            for name in ("number", "sdo:price"):
                answer = arena.post(shop, written(shop, **{name: number}))
                assert answer.status == 400, number[:40]


def test_jsn_07_controls_and_halves_of_characters(arena: Arena) -> None:
    shop, _ = arena.shop()
    with arena.unmoved():
        for text in (r'"\u0000"', r'"\ud800"', r'"\udc00\ud800"', '"\x00"', '"\x01"', '"\n"'):
            assert arena.post(shop, written(shop, name=text)).status == 400, text
        broken = stub.encode(shop.activity("Create", shop.note("poison")))
        for odd in (b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf8\x88\x80\x80\x80"):
            assert arena.post(shop, broken.replace(b"poison", b"poison" + odd)).status == 400
    name = "lampe\u0007 de\u2028 bord\u001b[31m\u0085"
    note = shop.note(name)
    assert arena.post(shop, shop.activity("Create", note)).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe bord"))
    assert arena.found("lampe bord")[note["id"]][0] == "lampe de bord[31m"


def test_jsn_08_lists_without_end(arena: Arena) -> None:
    shop, _ = arena.shop()
    many = [f"{arena.stranger.url}/{number}" for number in range(5000)]
    tags = [{"type": "Mention", "href": uri, "name": "@x"} for uri in many[:2000]]
    images = [{"type": "Image", "url": uri, "mediaType": "image/png"} for uri in many[:2000]]
    offers = shop.note("lustre")["sdo:offers"] * 1000
    asked = arena.asked()
    for number, changed in enumerate(
        ({"to": many}, {"cc": many}, {"tag": tags}, {"attachment": images}, {"sdo:offers": offers})
    ):
        note = shop.note(f"lustre longue {number}", **changed)
        if "sdo:offers" in changed:
            note["sdo:offers"] = shop.note(f"lustre longue {number}")["sdo:offers"] + offers
        assert arena.post(shop, shop.activity("Create", note)).status in (202, 400, 413)
    arena.settle()
    assert arena.asked() == asked
    huge = shop.activity("Create", shop.note("poison", to=many * 4))
    with arena.unmoved():
        assert arena.post(shop, huge).status == 413


def test_jsn_09_a_body_without_end(arena: Arena) -> None:
    """64 MiB in chunks, without a length: it is cut off after a small part of it."""
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    head = (
        f"POST /inbox HTTP/1.1\r\nHost: {arena.town.authority}\r\n"
        f"Content-Type: {stub.ACTIVITY_JSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    sent = 0
    with arena.unmoved(), socket.create_connection(("127.0.0.1", arena.town.port)) as connection:
        connection.settimeout(neighbours.PATIENCE)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        connection.sendall(head)
        try:
            for _ in range(1024):
                connection.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass
    assert sent < 16 * MIB


def test_jsn_09_a_body_too_large(arena: Arena) -> None:
    shop, _ = arena.shop()
    with arena.unmoved():
        body = written(shop, more=json.dumps("x" * 300_000))
        assert arena.post(shop, body).status == 413
        good = stub.cavage(shop.key, shop.key_id, arena.inbox, body)
        for length in ("10485760", "99999999999999999999", "-1", "+5", "0x10", "5,5", ""):
            head = "".join(f"{name}: {value}\r\n" for name, value in good)
            request = f"POST /inbox HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n".encode()
            answer = stub.raw(arena.town.port, request, within=0.5)
            assert answer.split(b" ")[1:2] in ([b"413"], [b"400"], []), (length, answer[:80])


def test_jsn_10_a_packed_body(arena: Arena) -> None:
    shop, _ = arena.shop()
    body = gzip.compress(written(shop))
    bomb = gzip.compress(b" " * 100 * MIB)
    with arena.unmoved():
        for packed in (body, bomb):
            for encoding in ("gzip", "GZIP", "gzip, gzip", "br", "deflate", "identity, gzip"):
                headers = stub.cavage(shop.key, shop.key_id, arena.inbox, packed)
                answer = arena.send([*headers, ("content-encoding", encoding)], packed)
                assert answer.status == 415
        assert arena.post(shop, body).status == 400


ODD: list[Any] = [
    None, True, 0, -1, 1.5, "", "x", [], {}, [[]], [None], [{}], ["Create", "Create"],
    ["", "Create"], {"id": 7}, {"id": None}, {"type": []}, ["x"] * 500, {"id": {"id": {"id": "x"}}},
]  # fmt: skip


def test_jsn_11_odd_shapes_in_every_member(arena: Arena) -> None:
    """None of them breaks anything. What still is a listing may be kept, without what is odd."""
    shop = arena.peer.actor()
    create = shop.activity("Create", shop.note("poison"))
    with arena.unmoved(fetches=1):
        for odd in ODD:
            for member in ("id", "type", "actor", "object"):
                if (member, odd) == ("type", ["", "Create"]):
                    continue
                told = {**create, member: odd}
                if member == "type" and isinstance(odd, list) and "Create" in odd:
                    told["object"] = None
                answer = arena.post(shop, told)
                assert answer.status < 500, (member, odd)
            for member in ("id", "type", "attributedTo"):
                told = shop.activity("Create", shop.note("poison", **{member: odd}))
                assert arena.post(shop, told).status < 500, (member, odd)
            for kind in (
                "Follow",
                "Undo",
                "Accept",
                "Reject",
                "Delete",
                "Announce",
                "Move",
                "Flag",
            ):
                assert arena.post(shop, shop.activity(kind, odd)).status < 500, (kind, odd)
            assert arena.post(shop, stub.encode(odd)).status < 500
        for kind in ("Unheard", "create", "Create ", "as:Create", "x" * 5000):
            assert arena.post(shop, {**create, "type": kind}).status < 500


@pytest.mark.parametrize(
    "member",
    ["content", "contentMap", "published", "updated", "url", "to", "tag", "attachment", "location",
     "audience", "reciprocal", "flohmarkt:data", "@context", "inReplyTo", "proof"],
)  # fmt: skip
def test_jsn_11_odd_shapes_in_a_listing(arena: Arena, member: str) -> None:
    shop, _ = arena.shop()
    for odd in ODD:
        note = shop.note("lustre bizarre", **{member: odd})
        assert arena.post(shop, shop.activity("Create", note)).status == 202
        offer = shop.note("lustre bizarre", **{"sdo:offers": [{"type": "sdo:Offer", member: odd}]})
        assert arena.post(shop, shop.activity("Create", offer)).status == 202
    arena.settle()
    arena.hold()
    for name, _, url in arena.found("lustre bizarre").values():
        assert name == "lustre bizarre"
        assert url.startswith(arena.peer.url)


def test_jsn_11_odd_shapes_in_offers(arena: Arena) -> None:
    shop, _ = arena.shop()
    for odd in [*ODD, "1e3", "9" * 30, "²"]:
        for changed in (
            {"sdo:price": odd},
            {"sdo:priceCurrency": odd},
            {"sdo:availability": odd},
            {"sdo:itemCondition": odd},
            {"sdo:itemOffered": odd},
            {"sdo:itemOffered": {"sdo:name": odd}},
            {"sdo:itemOffered": {"sdo:name": "lustre", "sdo:size": odd}},
            {"sdo:itemOffered": {"sdo:name": "lustre", "sdo:size": {"sdo:value": odd}}},
            {"sdo:itemOffered": {"sdo:name": "lustre", "sdo:size": {"sdo:unitCode": odd}}},
            {"sdo:itemOffered": {"sdo:name": "lustre", "sdo:additionalProperty": odd}},
            {"sdo:itemOffered": {"sdo:name": "lustre", "sdo:gtin13": odd, "sdo:sku": odd}},
            {"sdo:itemOffered": {"sdo:name": "lustre", "sdo:category": odd}},
            {"sdo:itemOffered": {"sdo:name": "lustre", "sdo:description": odd}},
        ):  # fmt: skip
            note = shop.note("lustre", **{"sdo:offers": [changed]})
            assert arena.post(shop, shop.activity("Create", note)).status == 202
        note = shop.note("lustre", **{"sdo:offers": odd})
        assert arena.post(shop, shop.activity("Create", note)).status == 202
        document = {**shop.document(), "name": odd, "summary": odd, "location": odd, "url": odd}
        assert arena.post(shop, shop.activity("Update", document)).status == 202
    arena.settle()
    arena.hold()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
MEMBERS = ("id", "type", "actor", "object", "to", "sdo:offers", "attributedTo", "updated")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=3), JSON, st.booleans())
def test_jsn_11_any_json_at_all(arena: Arena, changed: Any, whole: Any, within: bool) -> None:
    node = arena.node
    note = node.note("poison")
    told = node.activity("Create", {**note, **changed}) if within else whole
    if not within and isinstance(whole, dict):
        told = {**node.activity("Create", note), **changed, **whole}
        told["object"] = whole
    assert arena.post(node, stub.encode(told).replace(b"\xed", b"?")).status < 500
    arena.hold()


def test_jsn_12_a_context_of_somebody_s_is_never_fetched(arena: Arena) -> None:
    shop, _ = arena.shop()
    context = [stub.AS2, f"{arena.stranger.url}/context", f"http://127.0.0.1:{arena.canary.port}/c"]
    asked = arena.asked()
    note = shop.note("lampe en contexte", **{"@context": context})
    told = shop.activity("Create", note, **{"@context": context})
    assert arena.post(shop, told).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe contexte"))
    assert arena.asked() == asked
    arena.hold()


def test_jsn_13_only_utf_8(arena: Arena) -> None:
    shop, _ = arena.shop()
    text = written(shop).decode()
    with arena.unmoved():
        for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
            assert arena.post(shop, text.encode(encoding)).status == 400, encoding
        # The same signs, hidden from whoever does not read UTF-7.
        hidden = text.replace('"', "+ACI-").encode()
        assert arena.post(shop, hidden).status == 400
        answer = arena.post(
            shop, text.encode(), content_type="application/activity+json; charset=utf-16"
        )
        assert answer.status == 415
        assert arena.post(shop, b"").status == 400
        assert arena.post(shop, b"null").status == 400
        assert arena.post(shop, text.encode() + b"{}").status == 400


def test_jsn_14_names_of_any_length_are_cut(arena: Arena) -> None:
    shop, _ = arena.shop()
    long = shop.note("lampe " + "x" * 50_000)
    long["sdo:offers"][0]["sdo:itemOffered"]["sdo:description"] = "y" * 100_000
    assert arena.post(shop, shop.activity("Create", long)).status == 202
    neighbours.eventually(lambda: long["id"] in arena.found("lampe"))
    assert len(arena.found("lampe")[long["id"]][0]) <= 120
    changed = {**shop.document(), "name": "Z" * 100_000, "summary": "s" * 100_000}
    assert arena.post(shop, shop.activity("Update", changed)).status == 202
    arena.settle()
    for one in arena.get("/api/v1/shops")["shops"]:
        assert len(one["name"]) <= 100
        assert len(one["summary"] or "") <= 500


@pytest.mark.parametrize(
    ("written_price", "read"),
    [
        ("12.50", "12.50"),
        (12.5, "12.50"),
        (12, "12.00"),
        ("0.10", "0.10"),
        (0.1 + 0.2, None),
        ("12.505", None),
        ("-12.50", None),
        (-1, None),
        ("12,50", None),
        ("12.50 EUR", None),
        ("1e3", None),
        ("NaN", None),
        ("", None),
        (True, None),
        ("99999999999999999999", None),
        ("١٢", None),
        ("0x10", None),
        ([12.5], None),
    ],
)
def test_jsn_15_a_price_is_exact_or_none(
    arena: Arena, written_price: Any, read: str | None
) -> None:
    if arena.peer.answers.get("/users/prix") is None:
        arena.peer.actor(handle="prix")
    shop = Actor(arena.peer, "prix", "Organization", arena.peer.key)
    note = arena.tell(shop, "lustre tarifée", written_price)
    price = arena.found("lustre tarifée")[note["id"]][1]
    assert price == (None if read is None else {"amount": read, "currency": "EUR"})


def test_htm_01_markup_of_others_is_text_or_gone(arena: Arena) -> None:
    shop, _ = arena.shop()
    evil = '<script>alert(1)</script><img src=x onerror="alert(1)"><a href="javascript:x">doux</a>'
    changed = {**shop.document(), "summary": evil}
    assert arena.post(shop, shop.activity("Update", changed)).status == 202
    neighbours.eventually(
        lambda: any(one["summary"] == "doux" for one in arena.get("/api/v1/shops")["shops"])
    )


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"]
)
def test_a_time_that_cannot_be_is_refused(arena: Arena, moment: str) -> None:
    """Of the year 1 it could not be read back; of the year 9999 it would be the freshest."""
    shop, _ = arena.shop()
    for member in ("updated", "published"):
        with arena.unmoved():
            note = shop.note("poison", **{member: moment})
            assert arena.post(shop, shop.activity("Create", note)).status < 500

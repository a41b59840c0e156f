"""The JSON gate and the readers of members: right on sane JSON, Refused on all else."""

import contextlib
import json
import math
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import documents, limits, vocabulary
from federation.errors import Refused

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
SANE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


def refusal(body: bytes, **options: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        documents.parse(body, **options)
    return caught.value


@given(
    st.dictionaries(TEXT, SANE, max_size=5),
    st.booleans(),
    st.sampled_from([None, 1]),
    st.sampled_from([None, (",", ":")]),
)
def test_parse_agrees_with_json_on_all_sane_documents(
    document: dict[str, Any],
    ascii_only: bool,
    indent: int | None,
    separators: tuple[str, str] | None,
) -> None:
    body = json.dumps(
        document, ensure_ascii=ascii_only, indent=indent, separators=separators
    ).encode()
    parsed = documents.parse(body)
    assert parsed == document
    assert repr(parsed) == repr(json.loads(body))  # the types too


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\u0dD8tn1e.- \ufeff', max_size=60))
def test_parse_raises_only_refused(body: bytes | str) -> None:
    try:
        document = documents.parse(body if isinstance(body, bytes) else body.encode())
    except Refused:
        return
    assert document == json.loads(body)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=True)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3), ANYTHING, max_size=4), st.booleans())
def test_what_is_written_briefly_is_read_no_other_way(document: dict[str, Any], once: bool) -> None:
    """The short way and the careful one judge alike: the same document in two ways of writing."""
    brief = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if not once:
        brief = f'{{"x":1,"x":1,{brief[1:]}'.replace(",}", "}")
    with contextlib.suppress(UnicodeEncodeError):
        assert _outcome(brief.encode()) == _outcome(b" " + brief.encode())


def _outcome(body: bytes) -> str:
    try:
        return repr(documents.parse(body))
    except Refused as error:
        return error.code


def test_jsn_01_duplicate_members() -> None:
    assert refusal(b'{"actor":1,"actor":1}').code == "duplicate-key"
    assert refusal(b'{"a":[{"b":1,"\\u0062":2}]}').code == "duplicate-key"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'["",'])
def test_jsn_02_depth_of_a_hundred_thousand(opening: bytes) -> None:
    assert refusal(opening * 100_000, limit=10**6).code == "too-deep"


def test_jsn_03_depth_limit() -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' * (depth - 1) + b"[]" + b"}" * (depth - 1)

    assert documents.parse(nested(limits.JSON_DEPTH))
    assert refusal(nested(limits.JSON_DEPTH + 1)).code == "too-deep"
    # Width is not depth, and brackets in strings are not nesting.
    wide = {"a": [{"b": [i]} for i in range(1000)], "c": '[{"\\"[{\\' * 100}
    assert documents.parse(json.dumps(wide).encode()) == wide


def test_jsn_08_objects_and_lists_are_counted() -> None:
    """On all levels together, the document itself among them; brackets in strings are none."""

    def holding(count: int) -> bytes:
        columns = [b"[" * 10 + b"]" * 10] * (count // 10) + [b"{}"] * (count % 10)
        return b'{"a":[' + b",".join(columns) + b'],"b":"' + b"[" * 50_000 + b'"}'

    assert documents.parse(holding(limits.JSON_CONTAINERS - 2))
    assert refusal(holding(limits.JSON_CONTAINERS - 1)).code == "too-many"


@pytest.mark.parametrize(
    "number",
    [
        "9" * 5000,
        "9007199254740993",
        "-9007199254740992",
        "1e999",
        "-1e999",
        "1." + "0" * 100,
        "NaN",
        "Infinity",
        "-Infinity",
    ],
)
def test_jsn_04_40_numbers_that_readers_disagree_about(number: str) -> None:
    assert refusal(f'{{"price":{number}}}'.encode()).code == "bad-number"


def test_numbers_that_are_kept() -> None:
    parsed = documents.parse(b'{"a":9007199254740991,"b":-71.184902,"c":1e-7,"d":1.0,"e":-0}')
    assert parsed == {"a": 2**53 - 1, "b": -71.184902, "c": 1e-7, "d": 1.0, "e": 0}
    assert [type(value) for value in parsed.values()] == [int, float, float, float, int]


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"x\\u0000y"}',
        b'{"a\\u0000":1}',
        b'{"a":["\\ud83d"]}',
        b'{"a":["\\uDE00\\uD83D"]}',
        b'{"\\udfff":1}',
    ],
)
def test_jsn_07_characters_that_no_string_may_hold(body: bytes) -> None:
    assert refusal(body).code == "bad-character"


def test_escapes_that_only_look_forbidden() -> None:
    assert documents.parse(b'{"a":"\\ud83d\\ude00","b":"\\\\u0000 \\\\ud800"}') == {
        "a": "\U0001f600",
        "b": "\\u0000 \\ud800",
    }
    assert refusal(b'{"a":"x\x00y"}').code == "bad-json"


def test_jsn_09_size() -> None:
    body = b'{"a":"' + b"x" * 100 + b'"}'
    assert documents.parse(body, limit=len(body))
    error = refusal(body, limit=len(body) - 1)
    assert (error.code, error.status) == ("too-large", 413)
    assert refusal(b" " * (limits.INBOX_BODY + 1)).status == 413


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"a":1}'.encode("utf-16"), "not-utf8"),
        ('{"a":1}'.encode("utf-16-le"), "bad-json"),
        ('{"a":1}'.encode("utf-32-be"), "bad-json"),
        ('{"a":1}'.encode("utf-8-sig"), "bad-json"),
        (b'{"a":"\xed\xa0\x80"}', "not-utf8"),
        (b'{"a":"\xc0\x80"}', "not-utf8"),
    ],
)
def test_jsn_13_encodings(body: bytes, code: str) -> None:
    assert refusal(body).code == code


@pytest.mark.parametrize("body", [b"[]", b'"a"', b"1", b"null", b'[{"a":1}]'])
def test_jsn_11_top_level_is_an_object(body: bytes) -> None:
    assert refusal(body).code == "not-an-object"


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1}x', b"{'a':1}", b'{"a":01}', b'{"a":1,}'])
def test_not_json(body: bytes) -> None:
    assert refusal(body).code == "bad-json"


@pytest.mark.parametrize(
    "unit",
    [b'\\"', b"[", b'["', b"\\\\", b'"{', b"{}", b'{"a":['],
)
def test_hostile_bodies_cost_little(unit: bytes) -> None:
    # Enough brackets for depth to be looked at, then perhaps a string that never ends.
    body = b'{"a":[' + b"[]," * 40 + (b'"' if unit.startswith(b"\\") else b"")
    body += unit * (limits.INBOX_BODY // len(unit))
    began = time.process_time()
    refusal(body[: limits.INBOX_BODY])
    assert time.process_time() - began < 0.5  # quadratic time would take minutes


# --- Media types


@pytest.mark.parametrize(
    "content_type",
    [
        "application/activity+json",
        "Application/Activity+JSON; charset=UTF-8",
        'application/activity+json ; charset="utf-8"',
        "application/activity+json;",
        vocabulary.LD_JSON,
        'application/ld+json;profile="https://www.w3.org/ns/activitystreams"; charset=utf-8',
        'APPLICATION/LD+JSON;\tPROFILE="http://x.example/ https://www.w3.org/ns/activitystreams"',
        'application/ld+json; a="b;\\"c"; profile="https://www.w3.org/ns/activitystreams"',
    ],
)
def test_org_09_activity_types(content_type: str) -> None:
    assert documents.is_activity_type(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/html",
        "text/plain",
        "image/png",
        "application/json",
        "application/ld+json",
        'application/ld+json; profile="https://www.w3.org/ns/activitystreams#x"',
        'application/ld+json; profile="https://www.w3.org/ns/activitystreams/evil"',
        "application/ld+json; x=https://www.w3.org/ns/activitystreams",
        'application/json; profile="https://www.w3.org/ns/activitystreams"',
        "application/activity+json; charset=utf-16",
        "application/activity+json; charset=utf-8; charset=utf-16",
        "application/activity+json; charset=utf-16; charset=utf-8",
        "application/activity+json, text/html",
        "text/html, application/activity+json",
        "application/activity+jsonx",
        "application/activity+json; =",
        "application/activity+json" + ";a=b" * 2000,
    ],
)
def test_org_09_other_types(content_type: str | None) -> None:
    assert not documents.is_activity_type(content_type)


# --- Identifiers


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/users/a",
        "https://shop.example",
        "http://127.0.0.1:8001/users/a?b=c&d[]=e",
        "https://[2001:db8::1]:8443/a",
        "https://shop.example/@a/caf%C3%A9;x=1,2/!$&'()*+~_-.html",
        "https://shop.example/a...b/.well-known/x?y=/../",
        "https://xn--choppe-9ua.example/",
    ],
)
def test_ids_that_pass(url: str) -> None:
    assert documents.check_id(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a",
        "//shop.example/a",
        "ftp://shop.example/a",
        "data:text/plain,a",
        "acct:a@shop.example",
        "https:/shop.example/a",
        "https:///a",
        "https://user@shop.example/a",
        "https://user:secret@shop.example/a",
        "https://shop.example/a#b",
        "https://shop.example/a/../b",
        "https://shop.example/a/..",
        "https://shop.example/./a",
        "https://shop.example/a/%2e%2e/b",
        "https://shop.example/a/%2E./b",
        "https://shop.example/a%2f..%2fb",
        "https://shop.example/a/..%5cb",
        "https://shop.example\\@evil.example/a",
        "https://shop.example/a\\b",
        "https://shop.example/a b",
        "https://shop.example/a\tb",
        "https://shop.example/a\n",
        "\nhttps://shop.example/a",
        "https://shop.example/a%0d%0ab",
        "https://shop.example/a%00",
        "https://shop.example/%zz",
        "https://shop.example/é",
        "https://échoppe.example/",
        "https://shop.example\u3002evil.example/",
        "https://shop.example./a",
        "https://shop..example/a",
        "https://shop.example:0/a",
        "https://shop.example:/a",
        "https://shop.example:65536/a",
        "https://shop.example:99999999999/a",
        "https://[::1/a",
        "https://[1.2.3]/a",
        "https://[::1%25lo]/a",
        "https://" + "a" * 254 + "/",
        "https://shop.example/" + "a" * limits.URL,
        None,
        1,
        ["https://shop.example/a"],
    ],
)
def test_org_18_ids_that_do_not_pass(url: object) -> None:
    with pytest.raises(Refused) as caught:
        documents.check_id(url)
    assert caught.value.code == "bad-id"


def test_fragments_where_allowed() -> None:
    key = "https://shop.example/users/a#main-key"
    assert documents.check_id(key, fragment=True) == key
    with pytest.raises(Refused):
        documents.check_id("https://shop.example/a#b#c", fragment=True)


@given(st.text(max_size=80) | st.text(alphabet="htps:/.@%2eE[]:0#?\\ a", max_size=40))
def test_ids_raise_only_refused(text: str) -> None:
    for candidate in (text, "https://" + text, "https://a.example" + text):
        try:
            assert documents.check_id(candidate) == candidate
        except Refused:
            continue
        assert documents.origin(candidate).startswith(("https://", "http://"))


def test_origins() -> None:
    assert documents.origin("https://Shop.Example:443/a#b") == "https://shop.example"
    assert documents.origin("http://shop.example:443/a") == "http://shop.example:443"
    assert documents.origin("http://[2001:DB8:0::1]:80/") == "http://[2001:db8::1]"
    assert documents.same_origin("https://a.example/x", "https://A.example:443")
    assert not documents.same_origin("https://a.example/", "http://a.example/")
    assert not documents.same_origin("https://a.example/", "https://a.example:444/")
    assert not documents.same_origin("https://a.example/", "https://a.example.evil.example/")
    assert not documents.same_origin("nonsense", "nonsense")


def test_address() -> None:
    split = documents.address
    assert split("https://Shop.Example:443") == ("https", "shop.example", "/")
    assert split("http://a.example:81/b?c=%20#d") == ("http", "a.example:81", "/b?c=%20")
    assert split("https://a.example?") == ("https", "a.example", "/?")


def test_identifier() -> None:
    assert documents.identifier("https://a.example/") == "https://a.example/"
    assert documents.identifier({"id": "https://a.example/"}) == "https://a.example/"
    for value in (None, 1, [], {}, {"id": 1}, {"id": {"id": "a"}}, ["a"]):
        assert documents.identifier(value) is None


# --- Members


def test_lists() -> None:
    assert documents.as_list(None) == []
    assert documents.as_list("a") == ["a"]
    assert documents.as_list(["a", 1]) == ["a", 1]
    assert documents.first(["a", "b"]) == "a"
    assert documents.first([]) is None
    assert documents.first("a") == "a"


def test_jsn_08_lists_are_cut() -> None:
    assert documents.strings(["a", 1, {"id": "b"}, None, {}, "c", "d"], 3) == ["a", "b", "c"]
    assert documents.strings("a", 3) == ["a"]
    assert documents.strings({"id": "a"}, 3) == ["a"]
    assert documents.strings(None, 3) == []
    assert documents.strings(["a"] * 100_000, 100) == ["a"] * 100


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" a\tb\n", "a\tb"),
        ("a\r\nb\rc\u2028d\u2029e", "a\nb\nc\nd\ne"),
        ("a\x00\x07\x1b[1m\x7f\x85\x9fb", "a[1mb"),
        ("a\ud800b", "ab"),
        ("é" * 20, "é" * 10),
        ("123456789 0", "123456789"),
        ("", None),
        (" \x01 ", None),
        (None, None),
        (1, None),
        (["a"], None),
    ],
)
def test_jsn_07_text(value: object, expected: str | None) -> None:
    assert documents.text(value, 10) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-23T12:34:56Z", datetime(2026, 11, 23, 12, 34, 56, tzinfo=UTC)),
        ("2026-11-23t12:34:56.1234567z", datetime(2026, 11, 23, 12, 34, 56, 123456, tzinfo=UTC)),
        ("2026-11-23T12:34:56.5Z", datetime(2026, 11, 23, 12, 34, 56, 500000, tzinfo=UTC)),
        ("2026-11-23T01:00:00+02:30", datetime(2026, 11, 22, 22, 30, tzinfo=UTC)),
        ("2026-11-23T12:34-01:00", datetime(2026, 11, 23, 13, 34, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00+01:00", None),
        ("9999-12-31T23:59:59-00:01", None),
        ("0000-01-01T00:00:00Z", None),
        ("2026-02-30T00:00:00Z", None),
        ("2026-11-23T24:00:00Z", None),
        ("2026-11-23T12:34:61Z", None),
        ("2026-11-23T12:34:56", None),
        ("2026-11-23T12:34:56+24:00", None),
        ("2026-11-23", None),
        ("٢٠٢٦-11-23T12:34:56Z", None),
        ("2026-11-23T12:34:56Z\n", None),
        (1700000000, None),
        (None, None),
    ],
)
def test_timestamps(value: object, expected: datetime | None) -> None:
    found = documents.timestamp(value)
    assert found == expected
    assert found is None or found.tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)))
def test_timestamps_agree_with_python(moment: datetime) -> None:
    assert documents.timestamp(moment.isoformat()) == moment


def test_jsn_11_types() -> None:
    assert documents.type_of({"type": "Note"}) == "Note"
    assert documents.type_of({"type": [1, "Note", "Page"]}) == "Note"
    for value in (None, "", [], [None], 1, {"id": "Note"}, [["Note"]]):
        assert documents.type_of({"type": value}) is None
    assert documents.type_of({}) is None


@pytest.mark.parametrize("name", sorted(vocabulary.PUBLIC_NAMES))
def test_public(name: str) -> None:
    assert documents.is_public({"to": name})
    assert documents.is_public({"to": [], "cc": ["https://a.example/", {"id": name}]})
    assert not documents.is_public({"bto": name, "audience": name})
    assert not documents.is_public({"to": [name + "x", None, {}, [name]]})
    assert not documents.is_public({})


@given(SANE)
def test_readers_take_any_value(value: Any) -> None:
    document = {"type": value, "to": value, "cc": [value]}
    documents.type_of(document)
    documents.is_public(document)
    documents.strings(value, 3)
    documents.text(value, 3)
    documents.timestamp(value)
    documents.identifier(value)
    documents.first(value)
    found = documents.type_of(document)
    assert found is None or isinstance(found, str)
    assert math.isfinite(len(documents.strings(value, 3)))


@given(st.text(alphabet='[]{}"\\,:a\n', max_size=30), st.booleans())
def test_brackets_in_strings_are_no_depth_and_hide_none(text: str, in_name: bool) -> None:
    def nested(depth: int) -> bytes:
        document: object = text
        for level in range(depth - 1):
            document = {text if in_name else "a": document} if level % 2 else [text, document]
        return json.dumps({"a": document}).encode()

    assert documents.parse(nested(limits.JSON_DEPTH))
    with pytest.raises(Refused) as refused:
        documents.parse(nested(limits.JSON_DEPTH + 1))
    assert refused.value.code == "too-deep"

"""The JSON gate: what it lets through is what every strict reader reads, and within all bounds.

Looked for as well: what it refuses for no reason.
"""

import json
import math
from typing import Any

import rfc8785

from federation import documents, jcs, limits
from federation.errors import Refused

SEEDS = (
    b'{"a":1}',
    b'{"@context":"https://www.w3.org/ns/activitystreams","id":"https://a.example/1","type":'
    b'"Create","actor":"https://a.example/u","object":{"type":"Note","content":"<p>h\\u00e9</p>",'
    b'"tag":[{"a":null},{"b":[true,false,-0.5e-3,12,1E5]}]}}',
    b"[" * 33 + b"]" * 33,
    b'{"a":' * 32 + b"1" + b"}" * 32,
    b'{"a":1,"\\u0061":2}',
    b'{"a":9007199254740993,"b":1e999,"c":-0,"d":"\\ud83d\\ude00\\ud800"}',
    b'{"a":"\\\\u0000 \\u0000","b":NaN}',
    b'\xef\xbb\xbf{"a":1}',
    b'{"a":"\\"[[[[{{{{","b":["]"]}',
)
WORDS = (
    b'{"', b'":', b"[[", b"]]", b"{}", b"\\u0000", b"\\ud800", b"\\udfff", b"\\u005c", b'\\"',
    b"NaN", b"-Infinity", b"1e999", b"9007199254740993", b"-0", b"0.1", b"null", b"true",
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b",", b"\xe2\x80\xa8", b"/*",
)  # fmt: skip
_NO_REASON = frozenset({"bad-json", "not-utf8", "not-an-object"})


def one(data: bytes) -> None:
    """Parses; compares with the standard library, and the canonical form with another library."""
    try:
        document = documents.parse(data)
    except Refused as refused:
        assert refused.status in (400, 413)
        if refused.code in _NO_REASON:
            assert not _is_plain_object(data), refused
        return
    assert json.loads(data.decode("utf-8"), object_pairs_hook=_once) == document
    assert _depth(document) <= limits.JSON_DEPTH
    written = jcs.canonicalize(document)
    assert written == rfc8785.dumps(document)
    assert json.loads(written, parse_int=float) == document
    for value in document.values():
        documents.text(value, 100)
        documents.timestamp(value)
        documents.strings(value, 10)
        documents.type_of(document)
        documents.is_public(document)


def _is_plain_object(data: bytes) -> bool:
    """Whether the standard library reads an object there, with nothing odd about it."""
    try:
        return isinstance(json.loads(data.decode("utf-8")), dict)
    except (ValueError, RecursionError):
        return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs), pairs
    return dict(pairs)


def _depth(value: Any) -> int:
    """How deeply it is nested; what it holds is looked at on the way."""
    if isinstance(value, dict):
        return 1 + max((max(_depth(name), _depth(inner)) for name, inner in value.items()),
                       default=0)  # fmt: skip
    if isinstance(value, list):
        return 1 + max((_depth(inner) for inner in value), default=0)
    if isinstance(value, str):
        assert "\x00" not in value
        value.encode("utf-8")  # no half of a surrogate pair
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif value is not None:
        assert abs(value) <= limits.JSON_INTEGER
    return 0

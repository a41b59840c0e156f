"""Reading JSON that a stranger wrote: the gate that it passes, and its commonest members.

`parse` lets through only JSON that every reader understands alike (I-JSON, RFC 7493, with bounds),
so that what is checked here is what was signed there. The other functions take one value out of a
parsed document, whatever shape it has, and give it a type. Which members a document needs, and
what they mean, is for whoever reads that kind of document.
"""

import functools
import ipaddress
import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import Any, NamedTuple

import orjson

from federation import limits, vocabulary
from federation.errors import Refused

# --- The gate -----------------------------------------------------------------------------------

# Longest text of a number: seventeen digits, sign, point and exponent fit many times over, and
# no reading of a number costs more than that of a short one.
_INTEGER_TEXT = 17
_FLOAT_TEXT = 64

# Escapes that may stand for what no string may hold. An escaped backslash before the `u` looks
# the same, so a hit is only a reason to look at the strings themselves.
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNUSABLE_CHARACTER = re.compile("[\x00\ud800-\udfff]")


def parse(body: bytes, *, limit: int = limits.INBOX_BODY) -> dict[str, Any]:
    """The JSON object that `body` is, at most `limit` bytes long.

    UTF-8 without a byte order mark, at most `limits.JSON_DEPTH` deep, at most
    `limits.JSON_CONTAINERS` objects and lists, no member named twice, no number that readers
    disagree about (NaN, infinities, integers of 2^53 or more), no NUL and no half of a surrogate
    pair. Numbers with a point or an exponent become the nearest double, which is what canonical
    JSON (RFC 8785) takes them for.

    Raises Refused: too-large (413), not-utf8, too-deep, too-many, duplicate-key, bad-number,
    bad-character, not-an-object, bad-json (400).
    """
    if len(body) > limit:
        raise Refused("too-large", f"{len(body)} bytes of JSON", status=413)
    document = _read_if_plain(body)
    if document is None:
        document = _read_with_care(body)
    if type(document) is not dict:
        raise Refused("not-an-object", type(document).__name__)
    _check_depth_and_count(document)
    if b"\\u" in body and _SUSPECT_ESCAPE.search(body):
        _check_characters(document)
    return document


def _read_if_plain(body: bytes) -> Any:
    """What `body` is, if it is written as briefly as JSON can be; else None.

    That takes half the time. What is written again to the same bytes names no member twice, or it
    would be shorter, and no number in a way that somebody could read as another one. What is left
    out here is for `_read_with_care` to judge.
    """
    try:
        document = orjson.loads(body)
        again = orjson.dumps(document, option=orjson.OPT_STRICT_INTEGER)  # none of 2^53 or more
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return document if again == body else None


def _read_with_care(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("not-utf8", str(error)) from None
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise Refused("too-deep", "nested much too deeply") from None
    except ValueError as error:
        raise Refused("bad-json", str(error)) from None


def _check_depth_and_count(document: dict[str, Any]) -> None:
    """Goes down level by level, as often as there may be levels. (Twice as quick as looking for
    brackets in the text; what is nested far deeper never comes so far, the decoder gives it up.)"""
    level: list[Any] = [document]
    left = limits.JSON_CONTAINERS
    for _ in range(limits.JSON_DEPTH):
        left -= len(level)
        if left < 0:
            raise Refused("too-many", "too many objects and lists")
        level = [
            value
            for container in level
            for value in (container.values() if type(container) is dict else container)
            if type(value) is dict or type(value) is list
        ]
        if not level:
            return
    raise Refused("too-deep", "nested too deeply")


def _check_characters(document: dict[str, Any]) -> None:
    unread: list[Any] = [document]
    while unread:
        value = unread.pop()
        if isinstance(value, str):
            if _UNUSABLE_CHARACTER.search(value):
                raise Refused("bad-character", "NUL or half a surrogate pair")
        elif isinstance(value, dict):
            unread.extend(value)
            unread.extend(value.values())
        elif isinstance(value, list):
            unread.extend(value)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("duplicate-key", "a member is named twice")
    return members


def _integer(text: str) -> int:
    if len(text) <= _INTEGER_TEXT:
        number = int(text)
        if -limits.JSON_INTEGER <= number <= limits.JSON_INTEGER:
            return number
    raise Refused("bad-number", "integer of 2^53 or more")


def _float(text: str) -> float:
    if len(text) <= _FLOAT_TEXT:
        number = float(text)
        if math.isfinite(number):
            return number
    raise Refused("bad-number", "number too long or too large")


def _constant(text: str) -> Any:
    raise Refused("bad-number", text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_float, parse_constant=_constant
)

# --- Media types --------------------------------------------------------------------------------

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"  # noqa: S105 (RFC 9110, section 5.6.2: no password)
_MEDIA_TYPE = re.compile(rf"[ \t]*+({_TOKEN}/{_TOKEN})[ \t]*+")
_PARAMETER = re.compile(
    rf';[ \t]*+(?:({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\\r\n]|\\[^\r\n])*+)"))?[ \t]*+'
)


def is_activity_type(content_type: str | None) -> bool:
    """Whether a Content-Type says ActivityStreams 2.0 in UTF-8 (ActivityPub, sections 3.2 and 7).

    That is `application/activity+json`, or `application/ld+json` whose `profile` lists the
    namespace. Parameters may stand in any order and case (RFC 9110, section 8.3.1); one that is
    named twice makes the whole unusable.
    """
    if content_type is None or len(content_type) > limits.SIGNATURE_HEADER:
        return False
    match = _MEDIA_TYPE.match(content_type)
    if match is None:
        return False
    media_type = match[1].lower()
    parameters: dict[str, str] = {}
    position = match.end()
    while position < len(content_type):
        match = _PARAMETER.match(content_type, position)
        if match is None:
            return False
        position = match.end()
        if match[1] is None:  # an empty parameter, as in a trailing semicolon
            continue
        name = match[1].lower()
        if name in parameters:
            return False
        quoted = match[3]
        parameters[name] = match[2] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    if parameters.get("charset", "utf-8").lower() != "utf-8":
        return False
    if media_type == vocabulary.ACTIVITY_JSON:
        return True
    return (
        media_type == "application/ld+json"
        and vocabulary.AS2 in parameters.get("profile", "").split()
    )


# --- Identifiers --------------------------------------------------------------------------------

# RFC 3986, absolute, with an authority and without user information. Square brackets in a query
# are not of that grammar, but they are in use.
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)*+|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*+)?)"
    r"(?:\?(?P<query>[A-Za-z0-9._~!$&'()*+,;=:@%/?\[\]-]*+))?"
    r"(?P<fragment>#[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*+)?"
)
# A percent sign that encodes nothing, or a control character.
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})|%[01][0-9A-Fa-f]|%7[Ff]")
# A segment that is one or two dots, where dots, slashes and backslashes may be encoded.
_DOT_SEGMENT = re.compile(
    r"(?:/|%2[Ff]|%5[Cc])(?:\.|%2[Ee]){1,2}(?=/|%2[Ff]|%5[Cc]|\Z)",
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_HOST = 253


class _Parts(NamedTuple):
    """A usable URL. The authority is in lower case and without the scheme's own port."""

    scheme: str
    authority: str
    target: str
    fragment: str | None


def _url(text: object) -> _Parts:
    if not isinstance(text, str):
        raise Refused("bad-id", "not a string")
    if len(text) > limits.URL:
        raise Refused("bad-id", f"{len(text)} characters")
    return _read_url(text)


@functools.lru_cache(maxsize=1024)  # one activity names the same few URLs a dozen times
def _read_url(text: str) -> _Parts:
    match = _URL.fullmatch(text)
    if match is None:
        raise Refused("bad-id", text)
    if "%" in text and _BAD_PERCENT.search(text):
        raise Refused("bad-id", text)
    if ("/." in text or "%" in text) and _DOT_SEGMENT.search(match["path"]):
        raise Refused("bad-id", text)
    if len(match["host"]) > _HOST or (match["port"] is not None and int(match["port"]) > 65535):
        raise Refused("bad-id", text)
    query = match["query"]
    target = (match["path"] or "/") + ("" if query is None else f"?{query}")
    return _Parts(match["scheme"], _authority(match), target, match["fragment"])


def _authority(match: re.Match[str]) -> str:
    host = match["host"].lower()
    if host[0] == "[":
        try:
            host = f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            raise Refused("bad-id", match[0]) from None
    port = match["port"]
    return host if port is None or port == _DEFAULT_PORTS[match["scheme"]] else f"{host}:{port}"


def check_id(text: object, *, fragment: bool = False) -> str:
    """`text` itself, when it can be the id of something on a server: an http or https URL.

    At most `limits.URL` characters of ASCII, in the grammar of RFC 3986; no user information, no
    white space, control character or backslash, no `.` or `..` segment, plainly or
    percent-encoded; a fragment only where `fragment` allows it. Whether its host may be asked is
    not looked at. Raises Refused (bad-id).
    """
    parts = _url(text)
    assert isinstance(text, str)
    if parts.fragment is not None and not fragment:
        raise Refused("bad-id", text)
    return text


def address(url: str) -> tuple[str, str, str]:
    """Scheme, authority and request target of a URL, as a request to it names them.

    The authority is in lower case and without the scheme's own port; the target is path and
    query, at least "/", exactly as written. Raises Refused (bad-id), as `check_id` does.
    """
    parts = _url(url)
    return parts.scheme, parts.authority, parts.target


def origin(url: str) -> str:
    """The origin of a URL, as `https://host[:port]` (RFC 6454, section 4).

    In lower case and without the scheme's own port: two URLs are of one origin if these are
    equal. Raises Refused (bad-id).
    """
    parts = _url(url)
    return f"{parts.scheme}://{parts.authority}"


def same_origin(a: str, b: str) -> bool:
    """Whether both are usable URLs of the same origin (FEP-fe34)."""
    try:
        return origin(a) == origin(b)
    except Refused:
        return False


def identifier(value: object) -> str | None:
    """The id that a value names, being it or being an object that has it. Not checked."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else None


# --- Members ------------------------------------------------------------------------------------

# Controls but tab and line feed, those that turn the direction of what follows, and what no UTF-8
# can carry.
_STRIPPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]++")
_LINE_END = re.compile("\r\n?+|[\u2028\u2029]")

# RFC 3339, with the seconds optional as ActivityStreams has them (core, section 2.3).
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:\.([0-9]{1,32}))?)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
# As nearly all are written.
_PLAIN_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}Z"  # some readers take 24:00
)


def as_list(value: Any) -> list[Any]:
    """The values of a member that may be missing, single, or a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def first(value: Any) -> Any:
    """The value of a member that may be single or a list: the first one, or None."""
    if isinstance(value, list):
        return value[0] if value else None
    return value


def _identifiers(value: Any) -> Iterator[str]:
    for item in as_list(value):
        found = identifier(item)
        if found is not None:
            yield found


def strings(value: Any, most: int) -> list[str]:
    """The ids, or plain strings, in a member: at most `most`, in order, not checked."""
    return list(islice(_identifiers(value), most))


def text(value: object, most: int) -> str | None:
    """A string for people, at most `most` characters long; None where there is nothing to read.

    Line ends of every kind become a line feed, other controls but the tab vanish, white space
    around it too. Markup stays what it was: whoever shows it must escape it.
    """
    if not isinstance(value, str):
        return None
    if not value.isprintable():  # what can be printed holds none of these
        value = _STRIPPED.sub("", _LINE_END.sub("\n", value))
    return value.strip()[:most].rstrip() or None


def timestamp(value: object) -> datetime | None:
    """A point in time (RFC 3339) in UTC, or None if it is not one.

    A leap second is taken for the second before it. Digits beyond microseconds are dropped.
    """
    if not isinstance(value, str):
        return None
    if _PLAIN_TIMESTAMP.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:  # a leap second, perhaps
            pass
    match = _TIMESTAMP.fullmatch(value)
    if match is None:
        return None
    year, month, day, hour, minute = (int(match[group]) for group in range(1, 6))
    second = int(match[6] or 0)
    if second > 60:
        return None
    microsecond = int((match[7] or "0")[:6].ljust(6, "0"))
    zone: timezone = UTC
    if match[8] is not None:
        hours, minutes = int(match[9]), int(match[10])
        if hours > 23 or minutes > 59:
            return None
        offset = timedelta(hours=hours, minutes=minutes)
        zone = timezone(-offset if match[8] == "-" else offset)
    try:
        written = datetime(
            year, month, day, hour, minute, min(second, 59), microsecond, tzinfo=zone
        )
        return written.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def type_of(document: dict[str, Any]) -> str | None:
    """The type of an object: the first, where it has several; None where it has none."""
    for name in as_list(document.get("type")):
        if isinstance(name, str) and name:
            return name
    return None


def is_public(document: dict[str, Any]) -> bool:
    """Whether `to` or `cc` names the public (ActivityPub, section 5.6)."""
    return any(
        name in vocabulary.PUBLIC_NAMES
        for member in ("to", "cc")
        for name in _identifiers(document.get(member))
    )

"""RSS and Atom as others write them, read into items.

The reader is expat's own, fed piece by piece. Declared entities are refused before any is used,
nothing outside of the document is ever asked for, and depth, texts and items are bounded.
"""

import email.utils
import hashlib
import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from xml.parsers import expat

from node import errors, news, words
from node.model import Item

ITEMS_MOST = 200
DEPTH_MOST = 40
FIELD_MOST = 40_000  # characters of one element's text
GUID_MOST = 500
_PIECE = 64 * 1024

_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = "http://purl.org/dc/elements/1.1/"
# How the fields of an item are called, whatever kind of feed it is.
_FIELDS = {
    "title": "title", f"{_ATOM} title": "title",
    "link": "link", f"{_ATOM} link": "link",
    "guid": "guid", f"{_ATOM} id": "guid",
    "description": "summary", f"{_ATOM} summary": "summary",
    f"{_CONTENT} encoded": "content", f"{_ATOM} content": "content",
    "pubDate": "at", f"{_ATOM} published": "at", f"{_DC} date": "at",
    f"{_ATOM} updated": "updated",
}  # fmt: skip
_ITEMS = frozenset({"item", f"{_ATOM} entry"})
_RSS1 = "http://purl.org/rss/1.0/ "


class _Enough(Exception):
    """As many items as are wanted were read."""


class _Reader:
    """What expat calls; `items` are the fields of each item."""

    def __init__(self) -> None:
        self.items: list[dict[str, str]] = []
        self.is_feed = False
        self._depth = 0
        self._item: dict[str, str] | None = None
        self._item_depth = 0
        self._field = ""
        self._text: list[str] = []
        self._size = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.removeprefix(_RSS1)
        self._depth += 1
        if self._depth > DEPTH_MOST:
            raise _refusal("it is nested too deeply")
        if self._depth == 1:
            self.is_feed = name.rpartition(" ")[2] in ("rss", "feed", "RDF")
        if self._item is None and name in _ITEMS:
            self._item, self._item_depth = {}, self._depth
        elif self._item is not None and self._depth == self._item_depth + 1:
            self._field, self._text, self._size = _FIELDS.get(name, ""), [], 0
            if name == f"{_ATOM} link" and attributes.get("rel", "alternate") == "alternate":
                self._item.setdefault("link", attributes.get("href", "")[: news.LINK_MOST])

    def text(self, data: str) -> None:
        if self._field and self._size < FIELD_MOST:
            self._text.append(data[: FIELD_MOST - self._size])
            self._size += len(data)

    def end(self, _name: str) -> None:
        if self._item is not None and self._depth == self._item_depth + 1 and self._field:
            said = "".join(self._text).strip()
            if said:
                self._item.setdefault(self._field, said)
            self._field = ""
        elif self._item is not None and self._depth == self._item_depth:
            self.items.append(self._item)
            self._item = None
            if len(self.items) >= ITEMS_MOST:
                raise _Enough
        self._depth -= 1


def _refusal(why: str) -> errors.Invalid:
    return errors.Invalid("bad-feed", f"This feed cannot be read: {why}.")


def _no_entities(*_told: object) -> None:
    raise _refusal("it declares entities")


def parse(body: bytes) -> list[Item]:
    """The items of an RSS or Atom feed, as it orders them, at most ITEMS_MOST.

    Raises errors.Invalid (bad-feed).
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    handlers: dict[str, Callable[..., None]] = {
        "StartElementHandler": reader.start,
        "EndElementHandler": reader.end,
        "CharacterDataHandler": reader.text,
        "EntityDeclHandler": _no_entities,
    }
    for name, handler in handlers.items():
        setattr(parser, name, handler)
    try:
        for start in range(0, len(body), _PIECE):
            parser.Parse(body[start : start + _PIECE], False)
        parser.Parse(b"", True)
    except _Enough:
        pass
    except expat.ExpatError as error:
        raise _refusal(f"it is not well-formed XML (line {error.lineno})") from None
    except (LookupError, ValueError):
        raise _refusal("its encoding is not known") from None
    if not reader.is_feed:
        raise _refusal("it is neither RSS nor Atom")
    found = [item for item in map(_item, reader.items) if item is not None]
    return list({item.guid: item for item in found}.values())


def _item(fields: dict[str, str]) -> Item | None:
    link = fields.get("link", "")
    text = plain(fields.get("content") or fields.get("summary") or "")
    title = line(plain(fields.get("title", "")) or text.partition("\n")[0], news.TITLE_MOST)
    guid = (fields.get("guid") or link or title)[:GUID_MOST]
    if not title or not guid:
        return None
    return Item(
        guid=guid,
        title=title,
        text=text[: news.TEXT_MOST] or title,
        link=link if news.is_link(link) else None,
        at=_moment(fields.get("at") or fields.get("updated") or ""),
        event=None,
    )


def plain(markup: str) -> str:
    """The text of somebody's HTML: no markup, no control, no piled-up empty lines."""
    import nh3

    broken = re.sub(r"(?i)<(?:br|/p|/li|/div|/h[1-6])\b[^>]{0,100}>", "\n", markup[:FIELD_MOST])
    text = html.unescape(nh3.clean(broken, tags=set()))
    lines = [" ".join(readable(one).split()) for one in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def line(text: str, most: int) -> str:
    """One line, cut at a word where it is too long."""
    said = " ".join(readable(text).split())
    return said if len(said) <= most else said[: most - 1].rpartition(" ")[0][: most - 1] + "…"


def readable(text: str) -> str:
    """Without what `words.is_plain` takes for unreadable."""
    if words.is_plain(text, lines=True):
        return text
    return "".join(c for c in text if words.is_plain(c, lines=True))


def _moment(text: str) -> datetime | None:
    """RFC 822's dates of RSS, RFC 3339's of Atom."""
    text = text.strip()[:60]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = email.utils.parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def fingerprint(text: str) -> str:
    """What tells one state of an item from another."""
    return hashlib.sha256(text.encode()).hexdigest()

"""News as Notes and events as Events, out and in (wire profile 8.2 and 8.4; FEP-8a8e).

A short Note that any server shows; an Event that Mobilizon and Gancio read, whose `summary` says
when and where for servers that show no more than name and summary (Mastodon). Beside it stands, in
schema.org's words, what a reader of news wants: headline, publisher, until when it is urgent.
"""

import dataclasses
import html
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import documents, proofs, vocabulary
from federation.errors import Refused
from node import errors, news, recurrence, when
from node.exchange import shops, terms, values
from node.model import Badge, Event, EventState, Place, Post, Shop
from node.store.times import stamp
from node.translation import Translator
from node.uris import Uris

TEXT_SHOWN = 1000  # of the text in `content`; all of it is in `source`
OPEN_END = timedelta(hours=2)  # FEP-8a8e wants an `endTime`; this one is not shown
RULE = "echoppe:recurrence"
EXCLUDED = "echoppe:excluded"
ALL_DAY = "echoppe:allDay"
FEP = "https://w3id.org/fep/8a8e/"
STATES = {
    EventState.SCHEDULED: "EventScheduled",
    EventState.CANCELLED: "EventCancelled",
    EventState.POSTPONED: "EventPostponed",
}
# What Mobilizon reads; it knows no more than these.
_ICAL = {
    EventState.SCHEDULED: "CONFIRMED",
    EventState.CANCELLED: "CANCELLED",
    EventState.POSTPONED: "TENTATIVE",
}

NEWS_CONTEXT: list[Any] = [
    vocabulary.AS2,
    vocabulary.DATA_INTEGRITY_V2,
    {"sensitive": "as:sensitive", "sdo": terms.SDO, "echoppe": "urn:echoppe:"},
]
EVENT_CONTEXT: list[Any] = [
    vocabulary.AS2,
    vocabulary.DATA_INTEGRITY_V2,
    {
        "sensitive": "as:sensitive",
        "sdo": terms.SDO,
        "echoppe": "urn:echoppe:",
        "ical": "http://www.w3.org/2002/12/cal/ical#",
        "address": f"{terms.SDO}address",
        "timezone": f"{FEP}timezone",
        "displayEndTime": f"{FEP}displayEndTime",
        "organizers": {"@id": f"{FEP}organizers", "@type": "@id"},
        "joinMode": f"{FEP}joinMode",
        "externalParticipationUrl": f"{FEP}externalParticipationUrl",
        "eventStatus": {"@id": f"{FEP}eventStatus", "@type": "@vocab"},
        **{name: f"{FEP}{name}" for name in STATES.values()},
    },
]


def document(
    post: Post,
    place: Place | None,
    handle: str,
    uris: Uris,
    say: Translator,
    key: Ed25519PrivateKey,
) -> dict[str, Any]:
    """News or an event of ours with its proof."""
    found: dict[str, Any] = {
        "@context": NEWS_CONTEXT if post.event is None else EVENT_CONTEXT,
        "id": post.uri,
        "type": "Note" if post.event is None else "Event",
        "attributedTo": post.actor,
        "to": [vocabulary.PUBLIC],
        "cc": [f"{post.actor}/followers"],
        "url": post.url,
        "published": stamp(post.published),
        "updated": stamp(post.updated),
        "content": _content(post, say),
        "contentMap": {post.language: _content(post, say)},
        "source": {"content": post.text, "mediaType": "text/plain"},
        "sensitive": False,
        "attachment": [],
        "tag": [],
        terms.BADGE: post.badge.value,
        "sdo:headline": post.title,
        "sdo:publisher": {"type": "sdo:Organization", "sdo:name": post.author},
    }
    if post.urgent_until is not None:
        found["sdo:expires"] = stamp(post.urgent_until)
    if post.link is not None:
        found["sdo:citation"] = post.link
    if place is not None:
        found["sdo:contentLocation"] = shops.area(place)
    if post.event is not None:
        found |= _event(post, post.event, place, say)
    return proofs.sign(found, key, uris.object_key(handle), post.updated)


def _content(post: Post, say: Translator) -> str:
    """What servers that know nothing of all this show."""

    def escaped(text: str) -> str:
        return html.escape(text, quote=False)

    title = escaped(post.title)
    if post.urgent_until is not None:
        title = escaped(say("Urgent: ")) + title
    lines = [f"<strong>{title}</strong>"]
    if post.event is not None:
        lines.append(escaped(_summary(post.event, say)))
    if post.text:
        text = post.text
        if len(text) > TEXT_SHOWN:
            text = text[:TEXT_SHOWN].rsplit(None, 1)[0] + " …"
        lines.append(escaped(text).replace("\n", "<br>"))
    if post.badge not in (Badge.TOWN_HALL, Badge.SHOP):
        lines.append(escaped(f"{post.author} ({say.badge(post.badge)})"))
    links = [post.url] if post.link is None else [post.link, post.url]
    lines += [f'<a href="{html.escape(one)}">{escaped(one)}</a>' for one in links]
    return "".join(f"<p>{line}</p>" for line in lines)


def _summary(event: Event, say: Translator) -> str:
    """When and where, in words; whether it takes place comes first."""
    said = [when.state(say, event.state), when.event(say, event), event.venue]
    return ", ".join(part for part in said if part)


def _event(post: Post, event: Event, place: Place | None, say: Translator) -> dict[str, Any]:
    zone = recurrence.zone(event.zone)
    ends = event.ends or event.starts + OPEN_END
    found: dict[str, Any] = {
        "name": post.title,
        "summary": _summary(event, say),
        "startTime": event.starts.astimezone(zone).isoformat(timespec="seconds"),
        "endTime": ends.astimezone(zone).isoformat(timespec="seconds"),
        "timezone": event.zone,
        "displayEndTime": event.ends is not None,
        "eventStatus": STATES[event.state],
        "ical:status": _ICAL[event.state],
        "organizers": [post.actor],
        "joinMode": "none" if post.link is None else "external",
    }
    if post.link is not None:
        found["externalParticipationUrl"] = post.link
    if event.all_day:
        found[ALL_DAY] = True
    if event.rule is not None:
        found[RULE] = event.rule
        if event.excluded:
            found[EXCLUDED] = [day.isoformat() for day in event.excluded]
    where: dict[str, Any] = {"type": "Place", "name": event.venue or (place.name if place else "")}
    if place is not None:
        where["address"] = ", ".join(dict.fromkeys(filter(None, (event.venue, place.name))))
        if place.latitude is not None and place.longitude is not None:
            where |= {"latitude": place.latitude, "longitude": place.longitude}
    if where["name"]:
        found["location"] = where
    return found


# --- In ------------------------------------------------------------------------------------------


def needs_shop(found: dict[str, Any]) -> bool:
    """Whether it cannot be written before its author, a shop, is known."""
    return found.get(terms.BADGE) == Badge.SHOP


@dataclass(frozen=True, slots=True)
class Told:
    """News or an event as its document tells of it, still without its shop."""

    post: Post
    by_shop: bool

    def of(self, shop: Shop | None, peer_name: str) -> Post:
        """With its author, as known here: a shop's name is the shop's own."""
        if shop is not None:
            return dataclasses.replace(
                self.post,
                shop=shop.id,
                author=shop.name,
                badge=Badge.SHOP,
                place=self.post.place or shop.place,
            )
        return dataclasses.replace(self.post, author=self.post.author or peer_name)


def from_document(
    found: dict[str, Any], author: str, peer: str, post_id: str, now: datetime
) -> Told:
    """A neighbour's news or event.

    Reading is tolerant: a missing term or an unknown one is kept simple. Raises Refused for what
    has no title, or takes place at no possible time.
    """
    uri = documents.check_id(found.get("id"))
    text = _text(found)
    title = next(
        (
            " ".join(one.split())
            for one in (
                documents.text(found.get("sdo:headline"), news.TITLE_MOST),
                documents.text(values.plain(found.get("name")), news.TITLE_MOST),
                documents.text(text.partition("\n")[0], news.TITLE_MOST),
            )
            if one
        ),
        None,
    )
    if title is None:
        raise Refused("no-title", uri)
    url, link = found.get("url"), found.get("sdo:citation", found.get("externalParticipationUrl"))
    published = values.plausible(found.get("published"), now) or now
    updated = values.plausible(found.get("updated"), now) or published
    told = documents.timestamp(found.get("sdo:expires"))
    urgent = told if told is not None and told <= published + 2 * news.URGENT_MOST else None
    languages = found.get("contentMap")
    language = next(iter(languages), "") if isinstance(languages, dict) else ""
    area = documents.first(found.get("sdo:contentLocation"))
    said_by = documents.first(found.get("sdo:publisher"))
    name = said_by.get("sdo:name") if isinstance(said_by, dict) else None
    badge = found.get(terms.BADGE)
    voices = (Badge.TOWN_HALL.value, Badge.MEDIA.value)
    post = Post(
        id=post_id,
        uri=uri,
        url=url if isinstance(url, str) and documents.same_origin(url, uri) else uri,
        peer=peer,
        shop=None,
        account=None,
        actor=author,
        author=" ".join((documents.text(name, news.AUTHOR_MOST) or "").split()),
        badge=Badge(str(badge)) if badge in voices else Badge.ASSOCIATION,
        title=title,
        text=text,
        language=language if re.fullmatch(r"[a-z]{2,3}", language) else "fr",
        place=terms.place_from(area.get("sdo:identifier")) if isinstance(area, dict) else None,
        link=link if isinstance(link, str) and news.is_link(link) else None,
        announce=False,
        kept=False,
        urgent_until=urgent,
        published=published.replace(microsecond=0),
        updated=updated.replace(microsecond=0),
        seen=now.replace(microsecond=0),
        withdrawn=None,
        event=_event_from(found, uri, now) if documents.type_of(found) == "Event" else None,
    )
    return Told(post, needs_shop(found))


def _text(found: dict[str, Any]) -> str:
    """The words themselves where they are told, else what is left of the markup."""
    source = found.get("source")
    if isinstance(source, dict) and source.get("mediaType") == "text/plain":
        plain = source.get("content")
    else:
        plain = values.plain(found.get("content")) or values.plain(found.get("summary"))
    return documents.text(plain, news.TEXT_MOST) or ""


def _event_from(found: dict[str, Any], uri: str, now: datetime) -> Event:
    starts = documents.timestamp(found.get("startTime"))
    ends = documents.timestamp(found.get("endTime"))
    if starts is None or not now - 2 * news.AHEAD <= starts <= now + news.AHEAD:
        raise Refused("implausible-time", f"{uri} at {str(found.get('startTime'))[:40]}")
    shown = ends is not None and found.get("displayEndTime") is not False
    if ends is not None and not starts <= ends <= starts + news.LENGTH_MOST:
        shown = False
    zone = found.get("timezone")
    event = Event(
        starts=starts.replace(microsecond=0),
        ends=ends.replace(microsecond=0) if shown and ends is not None else None,
        zone=zone if isinstance(zone, str) and _is_zone(zone) else "UTC",
        all_day=found.get(ALL_DAY) is True and shown,
        venue=_venue(found),
        rule=_rule(found.get(RULE)),
        excluded=_excluded(found.get(EXCLUDED)),
        state=_state(found),
    )
    if recurrence.last(event) < now - news.BACK:
        raise Refused("over-long-ago", uri)
    return event


def _is_zone(value: str) -> bool:
    if len(value) > 40 or not re.fullmatch(r"[A-Za-z]+(?:[/_+-][A-Za-z0-9]+)*", value):
        return False
    return value in ("UTC", "Etc/UTC") or recurrence.zone(value).key != "UTC"


def _venue(found: dict[str, Any]) -> str:
    where = documents.first(found.get("location"))
    if not isinstance(where, dict):
        return documents.text(where, news.VENUE_MOST) or ""
    address = where.get("address")
    if isinstance(address, dict):
        parts = (address.get("streetAddress"), address.get("addressLocality"))
        address = ", ".join(part for part in parts if isinstance(part, str) and part)
    name = documents.text(where.get("name"), news.VENUE_MOST) or ""
    if terms.BADGE in found and address == name:
        return ""  # the commune alone
    if terms.BADGE not in found and isinstance(address, str) and address and address != name:
        name = ", ".join(filter(None, (name, address)))
    return " ".join((documents.text(name, news.VENUE_MOST) or "").split())


def _rule(value: object) -> str | None:
    """A rule that is understood in full; else the event counts for its first day."""
    if not isinstance(value, str):
        return None
    try:
        recurrence.parse(value)
    except errors.Invalid:
        return None
    return value


def _excluded(value: object) -> tuple[date, ...]:
    found = []
    for one in documents.as_list(value)[: news.EXCLUDED_MOST]:
        if isinstance(one, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", one):
            try:
                found.append(date.fromisoformat(one))
            except ValueError:
                continue
    return tuple(found)


def _state(found: dict[str, Any]) -> EventState:
    said = found.get("eventStatus")
    name = said.rpartition("/")[2] if isinstance(said, str) else None
    for state, term in STATES.items():
        if name == term:
            return state
    status = found.get("ical:status", found.get("status"))
    if isinstance(status, str) and status.upper() == "CANCELLED":
        return EventState.CANCELLED
    return EventState.SCHEDULED

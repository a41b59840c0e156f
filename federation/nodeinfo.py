"""NodeInfo 2.1 (FEP-0151), both directions: which software a server runs, and its own actor.

discovery, document    what this server answers
discover               what another server answers
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from federation import documents, limits, vocabulary
from federation.client import Budget, Client
from federation.errors import Refused

PATH = "/.well-known/nodeinfo"
SCHEMA_2_1 = "http://nodeinfo.diaspora.software/ns/schema/2.1"
SCHEMA_2_0 = "http://nodeinfo.diaspora.software/ns/schema/2.0"
APPLICATION = f"{vocabulary.AS2}#Application"  # FEP-2677
MEDIA_TYPE = f'application/json; profile="{SCHEMA_2_1}#"'

_ACCEPT = f"application/json, {vocabulary.JRD_JSON}"
_NAME = 100


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What another server says about itself; nothing in it has been checked by anyone.

    `application_actor` is the id of the actor that speaks for the server as a whole, on that same
    server. `metadata` is whatever it likes to add, at most limits.DISCOVERY bytes of JSON.
    """

    software: str
    version: str
    application_actor: str | None
    metadata: Mapping[str, Any]


def discovery(origin: str, document_path: str, application_path: str) -> dict[str, Any]:
    """What stands at PATH: where the document is, and the server's own actor (FEP-2677).

    `origin` is without a slash at the end, both paths begin with one. Sent as
    vocabulary.JRD_JSON.
    """
    return {
        "links": [
            {"rel": SCHEMA_2_1, "href": f"{origin}{document_path}"},
            {
                "rel": APPLICATION,
                "type": vocabulary.ACTIVITY_JSON,
                "href": f"{origin}{application_path}",
            },
        ]
    }


def document(
    name: str,
    version: str,
    users: Mapping[str, int],
    *,
    open_registrations: bool,
    metadata: Mapping[str, Any],
    local_posts: int | None = None,
    repository: str | None = None,
    homepage: str | None = None,
    protocols: Sequence[str] = ("activitypub",),
) -> dict[str, Any]:
    """The NodeInfo 2.1 document, to be sent as MEDIA_TYPE.

    `name` is of small letters, digits and hyphens. `users` may be empty, and `local_posts` left
    out: no number is better than an invented one (FEP-0151).
    """
    software = {"name": name, "version": version}
    if repository is not None:
        software["repository"] = repository
    if homepage is not None:
        software["homepage"] = homepage
    usage: dict[str, Any] = {"users": dict(users)}
    if local_posts is not None:
        usage["localPosts"] = local_posts
    return {
        "version": "2.1",
        "software": software,
        "protocols": list(protocols),
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": open_registrations,
        "usage": usage,
        "metadata": dict(metadata),
    }


async def discover(client: Client, origin: str, *, budget: Budget | None = None) -> NodeInfo:
    """What the server at `origin` ("https://host") says about itself.

    Its document and its actor count only where they are on that server. Raises Refused,
    Unreachable, and Gone where it tells nothing.
    """
    found = await _fetch(client, f"{origin}{PATH}", budget)
    places: dict[str, str] = {}
    for link in documents.as_list(found.get("links")):
        if isinstance(link, dict):
            relation, href = link.get("rel"), link.get("href")
            if (
                isinstance(relation, str)
                and isinstance(href, str)
                and documents.same_origin(href, origin)
            ):
                places.setdefault(relation, href)
    place = places.get(SCHEMA_2_1) or places.get(SCHEMA_2_0)
    if place is None:
        raise Refused("no-nodeinfo", origin)
    told = await _fetch(client, place, budget)
    software, metadata = told.get("software"), told.get("metadata")
    name = documents.text(software.get("name"), _NAME) if isinstance(software, dict) else None
    if not isinstance(software, dict) or name is None:
        raise Refused("bad-nodeinfo", f"{place}: no name")
    return NodeInfo(
        software=name,
        version=documents.text(software.get("version"), _NAME) or "",
        application_actor=_usable(places.get(APPLICATION)),
        metadata=metadata if isinstance(metadata, dict) else {},
    )


async def _fetch(client: Client, url: str, budget: Budget | None) -> dict[str, Any]:
    told, _ = await client.fetch_json(
        url,
        accept=_ACCEPT,
        is_type=_is_json,
        same_origin=True,
        limit=limits.DISCOVERY,
        budget=budget,
    )
    return told


def _usable(href: str | None) -> str | None:
    """An id, or None where it cannot be one."""
    if href is None:
        return None
    try:
        return documents.check_id(href)
    except Refused:
        return None


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind in ("application/json", vocabulary.JRD_JSON)

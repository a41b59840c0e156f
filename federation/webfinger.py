"""WebFinger (RFC 7033), both directions: what a handle such as `@shop@town.example` stands for.

    parse_resource, document, host_meta    what this server answers
    lookup                                 what another server answers

Which handles exist here is for the application to say.
"""

import contextlib
import html
import re
import urllib.parse
from collections.abc import Sequence
from typing import Any, Literal

from federation import addresses, documents, limits, vocabulary
from federation.client import Budget, Client
from federation.errors import Refused

PATH = "/.well-known/webfinger"
PROFILE_PAGE = "http://webfinger.net/rel/profile-page"
SUBSCRIBE = "http://ostatus.org/schema/1.0/subscribe"

_ACCEPT = f"{vocabulary.JRD_JSON}, application/json;q=0.9"
_TYPES = frozenset({vocabulary.JRD_JSON, "application/json"})
# The unreserved characters of RFC 7565, of which the names in use are made.
_ACCOUNT = re.compile(
    r"(?P<user>[A-Za-z0-9._~-]{1,255})@(?P<host>[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)"
)
# What people type or paste, perhaps with letters that are not ASCII in the host.
_HANDLE = re.compile(r"(?:acct:|@)?(?P<user>[A-Za-z0-9._~-]{1,255})@(?P<host>[^\s/?#@\\]{1,259})")


def resource_for(handle: str, authority: str) -> str:
    """The `acct:` URI (RFC 7565) of a handle on a host."""
    return f"acct:{handle}@{authority}"


def parse_resource(resource: str) -> tuple[Literal["acct"], str, str] | tuple[Literal["url"], str]:
    """What somebody asks this server about: ("acct", user, host) or ("url", url).

    The host is in lower case and may have a port; the user is as written. Without a scheme it is
    taken for a handle, as others do. Raises Refused (bad-resource).
    """
    if resource.lower().startswith(("https://", "http://")):
        try:
            return "url", documents.check_id(resource)
        except Refused as refused:
            raise Refused("bad-resource", refused.detail) from None
    account = resource[5:] if resource[:5].lower() == "acct:" else resource
    parts = _ACCOUNT.fullmatch(account.removeprefix("@"))
    if parts is None:
        raise Refused("bad-resource", resource[:100])
    return "acct", parts["user"], parts["host"].lower()


def document(
    subject: str,
    aliases: Sequence[str],
    actor_id: str,
    profile_url: str | None = None,
    subscribe_template: str | None = None,
) -> dict[str, Any]:
    """The answer about one actor (RFC 7033, section 4.4), to be sent as vocabulary.JRD_JSON.

    `subscribe_template` holds "{uri}" where the address of what is to be followed goes.
    """
    links = [{"rel": "self", "type": vocabulary.ACTIVITY_JSON, "href": actor_id}]
    if profile_url is not None:
        links.append({"rel": PROFILE_PAGE, "type": "text/html", "href": profile_url})
    if subscribe_template is not None:
        links.append({"rel": SUBSCRIBE, "template": subscribe_template})
    return {"subject": subject, "aliases": list(aliases), "links": links}


def host_meta(origin: str) -> bytes:
    """The XRD that tells where WebFinger is asked (RFC 6415), sent as vocabulary.XRD_XML."""
    template = html.escape(f"{origin}{PATH}?resource={{uri}}")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" type="{vocabulary.JRD_JSON}" template="{template}"/>\n'
        "</XRD>\n"
    ).encode()


async def lookup(client: Client, handle: str, *, budget: Budget | None = None) -> str:
    """The id of the actor that a handle stands for: `user@host`, `@user@host` or `acct:user@host`.

    The host must answer about the very account that was asked for. It may name an actor on another
    host, if that one answers the same about the account (FEP-fe34, reciprocal claims). Raises
    Refused, Unreachable, and Gone where the host does not know the account.
    """
    parts = _HANDLE.fullmatch(handle)
    if parts is None:
        raise Refused("bad-handle", handle[:100])
    user, home = parts["user"], _server(parts["host"], client.policy)
    actor, teller = await _ask(client, home, user, home, budget)
    if not documents.same_origin(actor, teller):
        there = _server(addresses.check_url(actor, client.policy).authority, client.policy)
        confirmed, teller = await _ask(client, there, user, home, budget)
        if confirmed != actor or not documents.same_origin(actor, teller):
            raise Refused("unconfirmed-actor", f"{actor} does not answer to {handle[:100]}")
    return actor


async def _ask(
    client: Client,
    server: addresses.Target,
    user: str,
    home: addresses.Target,
    budget: Budget | None,
) -> tuple[str, str]:
    """The actor that a server names for a user whose home is `home`, and the URL that said so."""
    resource = resource_for(user, server.authority)
    found, teller = await client.fetch_json(
        f"{server.scheme}://{server.authority}{PATH}"
        f"?resource={urllib.parse.quote(resource, safe=':@')}",
        accept=_ACCEPT,
        is_type=_is_jrd,
        limit=limits.DISCOVERY,
        budget=budget,
    )
    subject = documents.text(found.get("subject"), limits.URL) or ""
    parts = _ACCOUNT.fullmatch(subject[5:])
    if (
        parts is None
        or subject[:5].lower() != "acct:"
        or parts["user"].lower() != user.lower()
        or _server(parts["host"], client.policy).authority != home.authority
    ):
        raise Refused("wrong-subject", f"{teller}: {subject[:100]}")
    for link in documents.as_list(found.get("links")):
        if isinstance(link, dict) and link.get("rel") == "self":
            kind = link.get("type")
            if isinstance(kind, str) and documents.is_activity_type(kind):
                return documents.check_id(link.get("href")), teller
    raise Refused("no-actor", teller)


def _server(authority: str, policy: addresses.Policy) -> addresses.Target:
    """Where WebFinger is asked about accounts of a host: by https, but for private peers."""
    if policy.private_peers and not authority.endswith(":443"):
        with contextlib.suppress(Refused):  # it is no private peer
            return addresses.check_url(f"http://{authority}/", policy)
    return addresses.check_url(f"https://{authority}/", policy)


def _is_jrd(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in _TYPES

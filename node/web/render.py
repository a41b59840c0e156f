"""Pages as answers: the frame around each, in the language its address asks for."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from node import phrases, territory
from node.translation import Translator
from node.web import content, state

_TELEPHONE = re.compile(r"\+?[0-9][0-9 .()/-]{2,28}")
_MAIL = re.compile(r"[^\s@<>\"]{1,64}@[a-z0-9.-]{1,190}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Contact:
    """Whoever looks after the node, and the link that reaches them (None: text only)."""

    text: str
    href: str | None


@dataclass(frozen=True, slots=True)
class Around:
    """What a page tells its frame."""

    path: str = ""  # the page's own address, where it is not that of the request
    query: tuple[tuple[str, str], ...] = ()  # what of the query belongs to it
    words: str = ""  # what stands in the search field
    near: str = ""  # and in the field for the place; the node's own commune if empty
    carried: str = ""  # "?ou=…" behind links, where the reader chose another place
    feed: str | None = None  # the address of the page's Atom feed
    properties: tuple[tuple[str, str], ...] = ()  # OpenGraph


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page, said and addressed."""

    at: str  # what addresses of this language begin with: "" or "/en"
    sign: str  # what the shop board says, in large letters
    sign_before: str  # and in small ones before it
    site: str  # how the site is called in titles
    keeper: str  # who runs it
    contact: Contact | None
    canonical: str
    alternates: tuple[tuple[str, str], ...]  # (language, address) of this page in each language
    stylesheet: str
    favicon: str
    near: str
    around: Around


def language(request: Request) -> str:
    """The language of a page, by its address: the main one, or another under its own name."""
    languages = state.of(request).settings.node.languages
    first = request.scope["path"].split("/", 2)[1]
    return first if first in languages[1:] else languages[0]


def prefix(request: Request) -> str:
    """What addresses in this page's language begin with: "" or "/en"."""
    spoken = language(request)
    return "" if spoken == state.of(request).settings.node.languages[0] else f"/{spoken}"


def speak(request: Request) -> Translator:
    """The translator for this page."""
    return state.of(request).pages.speak(language(request))


def page(
    request: Request,
    name: str,
    /,
    *,
    status: int = 200,
    private: bool = False,
    vary: str = "",
    headers: dict[str, str] | None = None,
    around: Around | None = None,
    **values: Any,
) -> Response:
    """The template `name` as an answer; a `private` one is kept by nobody and not compressed.

    `vary` names what the page depends on beside its address and `around` fills its frame. What else
    is given goes to the template.
    """
    site = state.of(request)
    framed = frame(request, around or Around())
    body = site.pages.render(
        name, language(request), node=site.settings.node, frame=framed, at=framed.at, **values
    )
    if private:
        return content.private(body, status=status, headers=headers)
    return content.answer(request, body, "text/html", status=status, headers=headers, vary=vary)


def frame(request: Request, around: Around) -> Frame:
    """What stands around the page of this request."""
    site = state.of(request)
    node = site.settings.node
    say = speak(request)
    at = prefix(request)
    path = around.path or request.scope["path"].removeprefix(at) or "/"
    behind = f"?{urlencode(around.query)}" if around.query else ""
    alternates = tuple(
        (one, f"{site.uris.origin}{'' if one == node.languages[0] else f'/{one}'}{path}{behind}")
        for one in node.languages
    )
    of, commune = phrases.of_place(say, site.commune.name)
    together = node.operator == "intercommunality"
    return Frame(
        at=at,
        sign=node.name if together else commune,
        sign_before="" if together else say("The shops {of}").format(of=of),
        site=node.name if commune in node.name else f"{site.commune.name} – {node.name}",
        keeper=say("the commune {of}{place}").format(of=of, place=commune)
        if node.operator == "commune"
        else node.name,
        contact=_contact(node.contact),
        canonical=next(url for one, url in alternates if one == language(request)),
        alternates=alternates,
        stylesheet=site.assets.address("site.css"),
        favicon=site.assets.address("favicon.svg"),
        near=around.near or territory.label(site.commune),
        around=around,
    )


def _contact(text: str) -> Contact | None:
    if not text.strip():
        return None
    if _TELEPHONE.fullmatch(text):
        return Contact(text, f"tel:{re.sub(r'[^0-9+]', '', text)}")
    return Contact(text, f"mailto:{text}" if _MAIL.fullmatch(text) else None)


async def error(
    request: Request,
    status: int,
    *,
    retry_after: int | None = None,
    hidden: str = "",
    unwritable: bool = False,
) -> Response:
    """A page that says what is wrong and where to go on; it repeats nothing of what was asked.

    `hidden` is "shop" or "listing" where a steward took it out of sight; `unwritable` where the
    disk takes nothing.
    """
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    minutes = None if retry_after is None else max(1, round(retry_after / 60))
    return page(
        request,
        "error.html",
        status=status,
        headers=headers,
        around=Around(path="/"),
        code=status,
        minutes=minutes,
        hidden=hidden,
        unwritable=unwritable,
    )


def broken(request: Request) -> Response:
    """The page for what nobody foresaw: it asks nothing of what may be broken."""
    site = state.of(request)
    say = speak(request)
    text = site.pages.render(
        "plain.html",
        say.language,
        stylesheet=site.assets.address("site.css"),
        heading=say("This cannot be shown"),
        sentence=say("Something went wrong on this site. Please try again in a few minutes."),
        href=f"{prefix(request)}/",
        link=site.settings.node.name,
    )
    return content.private(text, status=500)


def restored(site: state.Site) -> dict[str, str]:
    """The page, in each language, for who sends something to a node just put back from a backup."""
    pages = {}
    for language in site.settings.node.languages:
        say = site.pages.speak(language)
        pages[language] = site.pages.render(
            "plain.html",
            language,
            stylesheet=site.assets.address("site.css"),
            heading=say("Nothing can be sent here at the moment"),
            sentence=say(
                "This site was put back from a backup. Until whoever looks after it has confirmed "
                "that (echoppe restore --confirm), it can be read only. Nothing of what you sent "
                "was kept."
            ),
            href="/" if language == site.settings.node.languages[0] else f"/{language}/",
            link=site.settings.node.name,
        )
    return pages


def misdirected(site: state.Site) -> str:
    """The page for who came under a name that is not this node's: it leads to the right one."""
    language = site.settings.node.languages[0]
    say = site.pages.speak(language)
    return site.pages.render(
        "plain.html",
        language,
        stylesheet=None,  # it would be asked for under the wrong name too
        heading=say("This site has another address"),
        sentence=say("It answers under its own name only:"),
        href=f"{site.uris.origin}/",
        link=site.uris.origin,
    )

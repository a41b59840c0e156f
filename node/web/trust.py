"""The pages that the law asks for: who runs the site, what it does with what, and by which rules.

They say what is so, out of the settings, the tables and the code's own constants, and nothing that
is not. What no setting says is called "not told yet".
"""

import sqlite3
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from node import accounts, joining, mail, media, notices, reservations, search, team, workers
from node import publications as told
from node import ranking as order
from node import rules as site_rules
from node.exchange import enquiries
from node.gathering import EXACT_UP_TO
from node.model import RingName
from node.store import notices as notice_rows
from node.translation import Translator
from node.web import desk, duties_form, publishing, render, state, statements

YEARS_SHOWN = 5
SECURITY_HOLDS = timedelta(days=180)  # RFC 9116 advises less than a year


async def legal(request: Request) -> Response:
    """`/mentions-legales`: who publishes the site and who hosts it (loi 2004-575, article 1-1)."""
    say = render.speak(request)
    operator = {
        "commune": say("a commune"),
        "association": say("an association"),
        "intercommunality": say("an intercommunality"),
    }[state.of(request).settings.node.operator]
    return _page(request, "legal.html", operator=operator)


async def accessibility(request: Request) -> Response:
    """`/accessibilite`: the declaration, as it is today."""
    return _page(request, "accessibility.html")


async def privacy(request: Request) -> Response:
    """`/donnees-personnelles`: what is kept of whom, and how long (GDPR, article 13)."""
    return _page(request, "privacy.html", kept=retention(render.speak(request)))


def retention(say: Translator) -> tuple[tuple[str, str], ...]:
    """What is kept and for how long, each from the constant that erases it."""
    return (
        (
            say("A reservation, after it ended"),
            days(say, reservations.KEPT),
        ),
        (
            say("A report: your words, name and address, after the decision"),
            days(say, notices.FORGOTTEN_AFTER),
        ),
        (
            say("A private message to a shop from another server"),
            days(say, enquiries.KEPT),
        ),
        (
            say("A shop that was begun and never sent, or not opened"),
            days(say, joining.BEGUN_KEPT),
        ),
        (
            say("That somebody asked for a sign-in code"),
            days(say, joining.ASKED_KEPT),
        ),
        (
            say("A sign-in link"),
            say("{count} min").format(count=round(accounts.LINK_LASTS.total_seconds() / 60)),
        ),
        (
            say("A sign-in code"),
            say("{count} min").format(count=round(accounts.CODE_LASTS.total_seconds() / 60)),
        ),
        (
            say("A session, and its cookie"),
            days(say, accounts.SESSION_LASTS),
        ),
        (
            say("An account, with its mail address"),
            say("until it is asked to be erased"),
        ),
        (
            say("A merchant’s draft"),
            days(say, publishing.DRAFTS_KEPT),
        ),
        (
            say("A photo that was sent and not published"),
            days(say, media.DRAFTS_KEPT),
        ),
        (
            say("A mail that waits to be sent"),
            days(say, mail.KEPT),
        ),
        (
            say("That a mail was sent: address and time"),
            days(say, mail.TRACES_KEPT),
        ),
        (
            say("What helpers did at a shop"),
            days(say, team.DEEDS_KEPT),
        ),
        (
            say("What stewards did: who, what, on what and when"),
            days(say, notices.DEEDS_KEPT),
        ),
        (
            say("That a listing was withdrawn, so that other sites forget it, too"),
            days(say, told.TOMBSTONES_KEPT),
        ),
        (
            say("Public keys of people on other servers"),
            days(say, workers.ACTORS_KEPT),
        ),
        (
            say("The address you are connected from, where too much is asked at once"),
            say("an hour, in memory only"),
        ),
    )


def days(say: Translator, long: timedelta) -> str:
    """A duration in days."""
    count = long.days
    return say("a day") if count == 1 else say("{count} days").format(count=count)


def _months(long: timedelta) -> int:
    return round(long.days / 30.4)


async def own_data(request: Request) -> Response:
    """`/mes-donnees`: how to see and erase what is kept of oneself (GDPR, articles 15 to 21)."""
    return _page(
        request,
        "law/own_data.html",
        reservation_days=reservations.KEPT.days,
        report_months=_months(notices.FORGOTTEN_AFTER),
        enquiry_days=enquiries.KEPT.days,
    )


async def ranking(request: Request) -> Response:
    """`/classement`: the order of results, in full (code de la consommation, D111-6)."""
    return _page(
        request,
        "ranking.html",
        page_size=search.PAGE,
        exact_up_to=EXACT_UP_TO,
        turn_near=order.TURN[RingName.COMMUNE],
        turn_far=order.TURN[RingName.FURTHER],
    )


async def rules(request: Request) -> Response:
    """`/regles`: what shops undertake, and how it is moderated (Regulation (EU) 2022/2065, 14)."""
    say = render.speak(request)
    return _page(
        request,
        "law/rules.html",
        version_of_rules=f"{site_rules.VERSION:%d/%m/%Y}",
        acts=[statements.act(say, one) for one in notices.ACTS],
        correct_days=notices.CORRECT_WITHIN.days,
        appeal_months=_months(notices.APPEAL_WITHIN),
        reservation_hours=round(reservations.LASTS.total_seconds() / 3600),
    )


async def transparency(request: Request) -> Response:
    """`/transparence`: what was reported and decided, by year, counted from the tables."""
    say = render.speak(request)
    years = await state.of(request).database.read(_years)
    return _page(
        request,
        "law/transparency.html",
        years=years,
        reason=lambda value: statements.reason(say, value),
        act=lambda value: statements.act(say, value),
    )


def _years(db: sqlite3.Connection) -> list[notice_rows.Year]:
    return [notice_rows.year(db, one) for one in notice_rows.years(db)[:YEARS_SHOWN]]


async def contact(request: Request) -> Response:
    """`/contact`: the points of contact (Regulation (EU) 2022/2065, articles 11 and 12)."""
    return _page(request, "law/contact.html")


async def source(request: Request) -> Response:
    """`/code-source`: the source of what runs here (AGPL-3.0, section 13)."""
    return _page(request, "law/source.html")


async def credits(request: Request) -> Response:
    """`/credits`: whose data and software this stands on."""
    return _page(request, "credits.html")


async def site_map(request: Request) -> Response:
    """`/plan-du-site`: every page that stands by itself."""
    say = render.speak(request)
    parts = (
        (
            say("Shops"),
            (
                ("/", say("Home")),
                ("/recherche", say("Search")),
                ("/boutiques", say("Shops")),
                ("/rayons", say("Shelves")),
                ("/commune", say("Change commune")),
            ),
        ),
        (
            say("This site"),
            (
                ("/mentions-legales", say("Legal notice")),
                ("/accessibilite", say("Accessibility: not compliant")),
                ("/donnees-personnelles", say("Personal data")),
                ("/mes-donnees", say("My data")),
                ("/classement", say("Order of the results")),
                ("/regles", say("Rules of the site")),
                ("/transparence", say("The decisions in numbers")),
                ("/contact", say("Points of contact")),
                ("/signaler", say("Report something")),
                ("/code-source", say("Source code")),
                ("/credits", say("Credits and licences")),
            ),
        ),
        (
            say("For merchants"),
            (
                ("/ouvrir-ma-boutique", say("Open my shop")),
                ("/connexion", say("Sign in")),
            ),
        ),
    )
    return _page(request, "law/site_map.html", parts=parts)


def _page(request: Request, name: str, **values: Any) -> Response:
    site = state.of(request)
    keeper = render.frame(request, render.Around()).keeper
    return render.page(
        request,
        name,
        version=site.version,
        host=site.uris.authority,
        radius_km=site.settings.federation.radius_km,
        legal=site.settings.legal,
        keeper_begins=keeper[:1].upper() + keeper[1:],
        **values,
    )


# --- for programs, and for stewards --------------------------------------------------------------


async def security(request: Request) -> Response:
    """`/.well-known/security.txt`: whom to tell of a hole (RFC 9116)."""
    site = state.of(request)
    expires = _midnight(site.clock()) + SECURITY_HOLDS
    text = (
        f"Contact: {site.settings.legal.security or f'{site.uris.origin}/contact'}\n"
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}\n"
        f"Preferred-Languages: {', '.join(site.settings.node.languages)}\n"
        f"Canonical: {site.uris.origin}/.well-known/security.txt\n"
    )
    return PlainTextResponse(text, headers={"Cache-Control": "max-age=86400"})


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


async def to_fill_in(request: Request) -> Response:
    """`/gestion/loi`: what the lawful pages lack."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    say = render.speak(request)
    settings = state.of(request).settings
    law = settings.legal
    return desk.page(
        request,
        "law",
        rules=duties_form.rules(say, state.of(request).law),
        settings=(
            (say("Help"), "node.contact", "/contact", settings.node.contact),
            (
                say("Director of publication"),
                "legal.publisher",
                "/mentions-legales",
                law.publisher,
            ),
            (say("Address"), "legal.address", "/mentions-legales", law.address),
            (say("Telephone"), "legal.phone", "/mentions-legales", law.phone),
            (say("Host"), "legal.host", "/mentions-legales", law.host),
            (
                say("Data protection officer"),
                "legal.data_protection",
                "/donnees-personnelles",
                law.data_protection,
            ),
            (say("Points of contact"), "legal.contact_point", "/contact", law.contact_point),
            (say("A hole in security"), "legal.security", "/contact", law.security),
            (say("Source code"), "legal.source", "/code-source", law.source),
        ),
    )

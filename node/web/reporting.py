"""What was reported, as stewards read it and decide, and the log of what they did."""

import dataclasses
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from node import errors, notices
from node.exchange import reports as flags
from node.model import Report
from node.notices import Choice, Target
from node.store import accounts as account_rows
from node.store import deeds, hidden, peers, queues, reports
from node.store import notices as rows
from node.store.notices import Appeal, Decision, Notice
from node.store.times import moment, stamp
from node.translation import Translator
from node.web import desk, forms, neighbouring, render, sessions, shown, state, statements

SHOWN_MOST = 200
DEEDS_PAGE = 100


# --- the queue -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """An object that was reported, how often, and since when."""

    object: str
    title: str
    reason: str
    count: int
    since: datetime


async def queue(request: Request) -> Response:
    """`/gestion/signalements`: what waits, the oldest first, and what is hidden."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    waiting, appeals, hides = await site.database.read(_queue, site, render.speak(request))
    corrections = await site.database.read(_corrections, site)
    return desk.page(
        request,
        "reports",
        waiting=waiting,
        appeals=appeals,
        hides=hides,
        corrections=corrections,
        now=site.clock(),
        address=lambda about: _address(request, about),
        day=statements.day,
    )


def _address(request: Request, about: str) -> str:
    return f"{render.prefix(request)}/gestion/examiner?objet={quote(about, safe='')}"


def _queue(
    db: sqlite3.Connection, site: state.Site, say: Translator
) -> tuple[list[Waiting], list[tuple[Appeal, Decision]], list[tuple[str, hidden.Hidden]]]:
    found: dict[str, Waiting] = {}
    for one in rows.find_open(db, notices.OPEN_MOST):
        first = Waiting(one.object, one.title, statements.reason(say, one.reason), 0, one.at)
        known = found.get(one.object, first)
        found[one.object] = dataclasses.replace(known, count=known.count + 1)
    for flag in reports.find_open(db):
        for uri in flag.objects:
            if uri not in found and len(found) >= SHOWN_MOST:
                continue  # it comes up once the others are decided
            target = statements.target(db, site, uri)
            title = target.title if target else uri
            first = Waiting(uri, title, say("Reported by another site"), 0, flag.at)
            known = found.get(uri, first)
            found[uri] = dataclasses.replace(
                known, count=known.count + 1, since=min(known.since, flag.at)
            )
    appeals = [
        (one, decision)
        for one in rows.find_open_appeals(db, SHOWN_MOST)
        if (decision := rows.get_decision(db, one.decision)) is not None
    ]
    hides = []
    for hide in hidden.find(db, SHOWN_MOST):
        target = statements.target(db, site, hide.uri)
        hides.append((target.title if target else hide.uri, hide))
    waiting = sorted(found.values(), key=lambda one: one.since)
    return waiting[:SHOWN_MOST], appeals, hides


def _corrections(
    db: sqlite3.Connection, site: state.Site
) -> list[tuple[Decision, datetime | None]]:
    """What shops are to correct, each with when its object was changed since, if it was."""
    return [
        (one, notices.changed_since(db, site.uris, one))
        for one in rows.find_corrections(db, SHOWN_MOST)
    ]


async def case(request: Request) -> Response:
    """`/gestion/signalements/{id}`: where to decide; a report of another server can be closed."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    wanted = request.path_params["id"]
    if request.method == "POST":
        async with forms.read(request):
            pass
        if not await site.database.write(_close, wanted, site.clock()):
            return await render.error(request, 404)
        return sessions.see_other(request, "/gestion/signalements?fait=vu")
    about = await site.database.read(_about, wanted)
    if about is None:
        return await render.error(request, 404)
    return sessions.see_other(request, f"/gestion/examiner?objet={quote(about, safe='')}")


def _about(db: sqlite3.Connection, wanted: str) -> str | None:
    notice = rows.get(db, wanted)
    flag = reports.get(db, wanted) if notice is None else None
    return notice.object if notice else flag.objects[0] if flag else None


def _close(db: sqlite3.Connection, wanted: str, now: datetime) -> bool:
    flag = reports.get(db, wanted)
    if flag is None:
        return False
    reports.close(db, flag.id, now)
    return True


# --- one object ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """All there is to know about an object that is decided on."""

    target: Target
    open: tuple[Notice, ...]
    flags: tuple[Report, ...]
    decisions: tuple[tuple[Decision, tuple[Appeal, ...], tuple[Notice, ...]], ...]
    hidden: bool
    suspended: bool
    elsewhere: tuple[tuple[str, str, str], ...]  # host, "told", "waiting" or "failed", and why


def _case(db: sqlite3.Connection, site: state.Site, about: str) -> Case | None:
    target = statements.target(db, site, about)
    if target is None:
        return None
    decided = rows.find_decisions_about(db, target.object)
    shop = target.shop
    suspended = shop is not None and shop.peer is None and hidden.exists(db, shop.uri)
    told = shop.uri if suspended and shop is not None else target.object
    is_hidden = hidden.exists(db, target.object)
    gone = target.own and any(one.act in ("hide", "withdraw", "suspend") for one in decided)
    return Case(
        target=target,
        open=tuple(
            dataclasses.replace(one, words=shown.paragraphs(one.words, notices.WORDS_MOST))
            for one in rows.find_open_about(db, target.object)
        ),
        flags=tuple(
            dataclasses.replace(one, words=shown.paragraphs(one.words, notices.WORDS_MOST))
            for one in reports.find_open(db)
            if target.object in one.objects
        ),
        decisions=tuple(
            (one, tuple(rows.find_appeals(db, one.id)), tuple(rows.find_decided(db, one.id)))
            for one in decided
        ),
        hidden=is_hidden,
        suspended=suspended,
        elsewhere=_elsewhere(db, told) if gone else (),
    )


def _elsewhere(db: sqlite3.Connection, uri: str) -> tuple[tuple[str, str, str], ...]:
    """Who has heard the latest of an object: each neighbour, and whoever else still has to."""
    late = queues.whereabouts(db, uri)
    spread = queues.is_spread(db, uri)
    hosts = sorted({peer.host for peer in peers.find_followers(db)} | late.keys())
    return tuple((host, *late.get(host, ("told" if spread else "waiting", ""))) for host in hosts)


async def examine(request: Request) -> Response:
    """`/gestion/examiner?objet=…`: an object, all that is said of it, and the decision."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    say = render.speak(request)
    about = request.query_params.get("objet", "")[: notices.ADDRESS_MOST + 1]
    looked = stamp(site.clock())
    found = await site.database.read(_case, site, about)
    if found is None:
        return await render.error(request, 404)
    first = found.open[0].reason if found.open else ""
    typed = Choice("", "rules" if first == "rules" else "law", notices.BASES.get(first, ""), "")
    form_id, problems = forms.new_id(), {}
    if request.method == "POST":
        async with forms.read(request) as form:
            typed = Choice(
                act=form.line("act", 10),
                ground=form.line("ground", 10),
                basis=form.line("basis", notices.BASIS_MOST),
                facts=form.text("facts", notices.WORDS_MOST),
            )
            form_id = form.line("form", 40) or form_id
            seen, forward = form.line("seen", 20), form.is_set("forward")
        try:
            await site.database.write(
                _decide, site, person.account.id, about, typed, form_id, seen, forward, site.clock()
            )
            site.workers.poke()
            return sessions.see_other(
                request, f"/gestion/examiner?objet={quote(about, safe='')}&fait=decide"
            )
        except errors.Invalid as error:
            problems = _sentences(error, say)
    return desk.page(
        request,
        "examine",
        status=422 if problems else 200,
        case=found,
        acts=[(one, statements.act(say, one)) for one in found.target.acts],
        typed=typed,
        form_id=form_id,
        seen=looked,
        errors=problems,
        here=_address(request, about),
        address=lambda one: _address(request, one),
        reason=lambda value: statements.reason(say, value),
        statement=lambda one: statements.statement(site, say, one),
        why=lambda error: neighbouring.why(error, say) if error else "",
        correct_days=notices.CORRECT_WITHIN.days,
        day=statements.day,
    )


def _sentences(error: errors.Invalid, say: Translator) -> dict[str, str]:
    known = {
        "act": say("Choose what is to be done"),
        "ground": say("Say whether it rests on the law or on the rules of the site"),
        "basis": say("Name the article or the rule, in 200 characters at most"),
        "facts": say("Say what you found, in 2000 characters at most: the shop reads it"),
        "outcome": say("Choose whether the decision is kept or changed"),
        "answer": say("Say why, in 2000 characters at most: it is read by who does not agree"),
    }
    return {field: known[field] for field in error.fields if field in known}


def _decide(
    db: sqlite3.Connection,
    site: state.Site,
    account: str,
    about: str,
    choice: Choice,
    form_id: str,
    seen: str,
    forward: bool,
    now: datetime,
) -> None:
    if account_rows.get_sent(db, account, form_id) is not None:
        return
    target = statements.target(db, site, about)
    if target is None:
        raise errors.NotFound("unknown-object")
    forward = forward and not target.own
    open_now = rows.find_open_about(db, target.object)
    read_until = _moment(seen) or now
    one = notices.decide(db, target, choice, account, now, seen=read_until, forwarded=forward)
    if forward:
        flags.send(db, site.uris, target.object, choice.facts, one.id, now)
    account_rows.add_sent(db, account, form_id, "decided", now)
    _tell_shop(db, site, one, now)
    read = {notice.email: notice for notice in open_now if notice.at <= read_until}
    for notice in read.values():  # a mail each, however often they reported it
        tell_notifier(db, site, notice, one, now)


def _moment(text: str) -> datetime | None:
    """A time as the form says it; None for whatever else is there."""
    try:
        read = moment(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else None


def _tell_shop(db: sqlite3.Connection, site: state.Site, one: Decision, now: datetime) -> None:
    if one.shop is None or one.act == "none":
        return
    say = site.pages.speak(site.settings.node.languages[0])
    said = statements.statement(site, say, one)
    for account in account_rows.find_of_shop(db, one.shop, now):
        statements.send(
            db,
            site,
            account.email or "",
            say("A decision about “{title}”").format(title=one.title[:60]),
            f"{one.title}\n\n{said.text}\n\n{site.uris.origin}/connexion\n",
            now,
        )


def tell_notifier(
    db: sqlite3.Connection, site: state.Site, notice: Notice, one: Decision, now: datetime
) -> None:
    """Tells who reported what was decided (article 16(5)), where they left an address."""
    say = site.pages.speak(notice.language)
    said = statements.statement(site, say, one)
    statements.send(
        db,
        site,
        notice.email,
        say("What became of your report"),
        f"{one.title}\n\n{said.text}\n\n"
        + say("The address of your receipt is in the mail that said that your report had arrived.")
        + "\n",
        now,
    )


async def lift(request: Request) -> Response:
    """`/gestion/examiner/montrer`: shows again what was hidden or suspended."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    async with forms.read(request) as form:
        about = form.line("object", notices.ADDRESS_MOST)
    try:
        by = person.account.id
        await site.database.write(notices.lift, site.uris, about, by, site.clock())
    except errors.NotFound:
        return await render.error(request, 404)
    site.workers.poke()
    return sessions.see_other(request, "/gestion/signalements?fait=montre")


async def answer(request: Request) -> Response:
    """`/gestion/contestations/{id}`: who does not agree, and the answer."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    say = render.speak(request)
    found = await site.database.read(_appeal, request.path_params["id"])
    if found is None:
        return await render.error(request, 404)
    one, decision, notice = found
    outcome, words, problems = "", "", {}
    if request.method == "POST":
        async with forms.read(request) as form:
            outcome, words = form.line("outcome", 10), form.text("answer", notices.WORDS_MOST)
        try:
            by = person.account.id
            await site.database.write(_answer, site, one, outcome, words, by, site.clock())
            site.workers.poke()
            return sessions.see_other(request, "/gestion/signalements?fait=repondu")
        except errors.Conflict:
            return sessions.see_other(request, "/gestion/signalements")
        except errors.Invalid as error:
            problems = _sentences(error, say)
    return desk.page(
        request,
        "appeal",
        status=422 if problems else 200,
        one=one,
        decision=decision,
        notice=notice,
        same=decision.account == person.account.id,
        statement=statements.statement(site, say, decision),
        outcome=outcome,
        words=words,
        errors=problems,
        day=statements.day,
    )


def _appeal(db: sqlite3.Connection, wanted: str) -> tuple[Appeal, Decision, Notice | None] | None:
    one = rows.get_appeal_by_id(db, wanted)
    decision = rows.get_decision(db, one.decision) if one else None
    if one is None or decision is None or one.outcome is not None:
        return None
    return one, decision, rows.get(db, one.notice) if one.notice else None


def _answer(
    db: sqlite3.Connection,
    site: state.Site,
    one: Appeal,
    outcome: str,
    words: str,
    account: str,
    now: datetime,
) -> None:
    notices.answer(db, site.uris, one, outcome, words, account, now)
    decision = rows.get_decision(db, one.decision)
    if decision is None:
        return
    if one.notice:
        notice = rows.get(db, one.notice)
        told = [(notice.email, notice.language)] if notice else []
    else:
        language = site.settings.node.languages[0]
        told = [
            (account.email or "", language)
            for account in account_rows.find_of_shop(db, decision.shop or "", now)
        ]
    for email, language in told:
        say = site.pages.speak(language)
        text = (
            say("The decision is kept.") if outcome == "kept" else say("The decision is changed.")
        )
        subject = say("The answer to your appeal")
        statements.send(db, site, email, subject, f"{decision.title}\n\n{text}\n\n{words}\n", now)


# --- the log -------------------------------------------------------------------------------------


async def journal(request: Request) -> Response:
    """`/gestion/journal?avant=N`: who did what, on what, and when."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    say = render.speak(request)
    before = request.query_params.get("avant", "")
    number = int(before) if before.isascii() and before.isdecimal() and len(before) < 16 else None
    found = await site.database.read(deeds.find, number, DEEDS_PAGE + 1)
    return desk.page(
        request,
        "journal",
        deeds=[(one, statements.act(say, one.what)) for one in found[:DEEDS_PAGE]],
        following=found[DEEDS_PAGE - 1].id if len(found) > DEEDS_PAGE else None,
        months_kept=round(notices.DEEDS_KEPT.days / 30.4),
    )

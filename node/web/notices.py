"""« Signaler » : what anybody can report, and the receipt by which they follow what becomes of it.

Regulation (EU) 2022/2065, article 16. No account, no cookie, no script, nobody else's puzzle: held
off are a field that people do not see, a form that comes back faster than it can be read, and
bounds by address, by object and altogether.
"""

import hashlib
import re
import sqlite3
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from node import errors, notices
from node.model import Role
from node.store import accounts as account_rows
from node.store import notices as rows
from node.store.notices import Appeal, Decision, Notice
from node.translation import Translator
from node.web import forms, render, sessions, state, statements, strangers

READ_IN = timedelta(seconds=3)  # nobody reads and fills the form faster
SHOWN_FOR = timedelta(days=1)
RECEIPTS_AN_HOUR = 3  # mails to one address: anybody can type anybody's
RECEIPT = "/signalement"

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_SHOWN = re.compile(r"([0-9]{1,12})\.([0-9a-f]{32})")


def notice_id(secret: str) -> str:
    """By what a notice is known here: the secret of its receipt is not kept."""
    return hashlib.sha256(f"notice {secret}".encode()).hexdigest()


def number(one: Notice) -> str:
    """What people name a report by, in a letter or on the telephone."""
    return f"{one.at:%Y}-{one.id[:8].upper()}"


async def report(request: Request) -> Response:
    """`/signaler?objet=ADDRESS`: the form, and what it brings."""
    site = state.of(request)
    if request.method != "POST":
        about = request.query_params.get("objet", "")[: notices.ADDRESS_MOST]
        return await _form(request, {}, about=about)
    turned_away = await strangers.turn_away(request, "report")
    if turned_away is not None:
        return turned_away
    async with forms.read(request) as form:
        secret, shown = form.line("receipt", 43), form.line("shown", 60)
        about = form.line("object", notices.ADDRESS_MOST)
        typed = {
            "reason": form.line("reason", 20),
            "words": form.text("words", notices.WORDS_MOST),
            "name": form.line("name", notices.NAME_MOST),
            "email": form.line("email", 320),
        }
        sure, trapped = form.is_set("sure"), form.is_set("website")
    if not _SECRET.fullmatch(secret):
        return await render.error(request, 400)
    say = render.speak(request)
    now = site.clock()
    problems: dict[str, str] = {}
    if not sure:
        problems["sure"] = say("Tick the box: you say what you believe to be true")
    if not trapped and not _was_shown(site, shown, now):
        problems[""] = say("Please read what you have written once more, and send it again.")
    target = await site.database.read(statements.target, site, about)
    if target is None:
        problems["object"] = say("This is no address of this site, nor of what it shows")
    one = Notice(
        id=notice_id(secret),
        object=target.object if target else "",
        title=target.title if target else "",
        language=render.language(request),
        at=now.replace(microsecond=0),
        **typed,
    )
    try:
        notices.check(one)
    except errors.Invalid as error:
        problems |= _sentences(error, say)
    if problems:
        read = shown if _was_shown(site, shown, now) else ""  # to mend a slip takes no time
        return await _form(request, problems, about=about, secret=secret, shown=read, **typed)
    if not trapped:
        await site.database.write(_report, site, one, secret, say, now)
        site.workers.poke()
    return sessions.see_other(request, f"{RECEIPT}/{secret}")


def _was_shown(site: state.Site, shown: str, now: datetime) -> bool:
    """Whether the form was shown by this node a while ago, and not too long."""
    match = _SHOWN.fullmatch(shown)
    if match is None or match[2] != _seal(site, match[1]):
        return False
    return READ_IN <= timedelta(seconds=now.timestamp() - int(match[1])) <= SHOWN_FOR


def _seal(site: state.Site, moment: str) -> str:
    return site.ring.mac("report form", moment).hex()[:32]


async def _form(
    request: Request,
    problems: dict[str, str],
    *,
    about: str = "",
    secret: str = "",
    shown: str = "",
    reason: str = "",
    words: str = "",
    name: str = "",
    email: str = "",
) -> Response:
    site = state.of(request)
    target = await site.database.read(statements.target, site, about) if about else None
    say = render.speak(request)
    moment = str(int(site.clock().timestamp()))
    return render.page(
        request,
        "law/report.html",
        status=422 if problems else 200,
        private=True,
        around=render.Around(path="/signaler"),
        target=target,
        about=about,
        secret=secret or sessions.new_token(),
        shown=shown or f"{moment}.{_seal(site, moment)}",
        reasons=(("", say("Choose a reason")), *statements.reasons(say)),
        typed={"reason": reason, "words": words, "name": name, "email": email},
        errors=problems,
        months_kept=round(notices.FORGOTTEN_AFTER.days / 30.4),
    )


def _sentences(error: errors.Invalid, say: Translator) -> dict[str, str]:
    known = {
        "reason": say("Choose a reason"),
        "words": say("Say in a few words what is wrong, in 2000 characters at most"),
        "name": say("The name must be 1 to 100 readable characters"),
        "email": say("This is no e-mail address such as claire@example.fr"),
    }
    return {field: known[field] for field in error.fields if field in known}


def _report(
    db: sqlite3.Connection,
    site: state.Site,
    one: Notice,
    secret: str,
    say: Translator,
    now: datetime,
) -> None:
    if not notices.report(db, one, now):
        return
    lately = rows.count_since(db, now - timedelta(hours=1), one.email)
    statements.send(
        db,
        site,
        one.email if lately <= RECEIPTS_AN_HOUR else "",
        say("Your report has arrived"),
        say(
            "Your report number {number} about “{title}” has arrived. A person reads it.\n\n"
            "Here you read what becomes of it; keep this address to yourself:\n{url}\n"
        ).format(number=number(one), title=one.title, url=f"{site.uris.origin}{RECEIPT}/{secret}"),
        now,
    )
    if rows.count_open(db) == 1:  # of the others stewards hear with the first
        _tell_stewards(db, site, one, now)


def _tell_stewards(db: sqlite3.Connection, site: state.Site, one: Notice, now: datetime) -> None:
    say = site.pages.speak(site.settings.node.languages[0])
    for steward in account_rows.find_with_role(db, Role.STEWARD, now):
        statements.send(
            db,
            site,
            steward.email or "",
            say("Something was reported"),
            say("“{title}” was reported. To read and to decide:\n{url}\n").format(
                title=one.title, url=f"{site.uris.origin}/gestion/signalements"
            ),
            now,
        )


# --- the receipt ---------------------------------------------------------------------------------


async def follow(request: Request) -> Response:
    """`/signalement/{secret}`: that it has arrived, what was decided, and not to agree."""
    site = state.of(request)
    secret = request.path_params["secret"]
    if not _SECRET.fullmatch(secret):
        return await render.error(request, 404)
    say = render.speak(request)
    problems: dict[str, str] = {}
    typed = ""
    if request.method == "POST":
        if not sessions.is_own_form(request):
            return await render.error(request, 403)
        async with forms.read(request) as form:
            typed = form.text("words", notices.WORDS_MOST)
        try:
            await site.database.write(_appeal, notice_id(secret), typed, site.clock())
            return sessions.see_other(request, f"{RECEIPT}/{secret}?fait=conteste")
        except errors.Invalid:
            problems = {"words": say("Say in a few words why, in 2000 characters at most")}
        except errors.NotFound:
            return await render.error(request, 404)
    found = await site.database.read(_found, notice_id(secret), site.clock())
    if found is None:
        return await render.error(request, 404)
    one, decision, appeal, may = found
    return render.page(
        request,
        "law/receipt.html",
        status=422 if problems else 200,
        private=True,
        around=render.Around(path="/signaler"),
        one=one,
        number=number(one),
        reason=statements.reason(say, one.reason),
        statement=statements.statement(site, say, decision) if decision else None,
        appeal=appeal,
        may_appeal=may,
        typed=typed,
        errors=problems,
        day=statements.day,
        done=request.query_params.get("fait", "")[:20],
        here=f"{render.prefix(request)}{RECEIPT}/{secret}",
    )


def _found(
    db: sqlite3.Connection, wanted: str, now: datetime
) -> tuple[Notice, Decision | None, Appeal | None, bool] | None:
    one = rows.get(db, wanted)
    if one is None:
        return None
    decision = rows.get_decision(db, one.decision) if one.decision else None
    if decision is None:
        return one, None, None, False
    may = notices.may_appeal(db, decision, one.id, now)
    return one, decision, rows.get_appeal(db, decision.id, one.id), may


def _appeal(db: sqlite3.Connection, wanted: str, words: str, now: datetime) -> None:
    one = rows.get(db, wanted)
    if one is None or one.decision is None:
        raise errors.NotFound("no-decision")
    notices.appeal(db, one.decision, one.id, words, now)

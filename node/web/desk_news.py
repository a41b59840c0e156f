"""News and events as they are written: by the town hall and by publishers at `/gestion`, by a
shop's people at `/ma-boutique`.

A publisher changes what they wrote and nothing else; a steward what the commune's Group says; a
shop's people what the shop says. Text is text: markup in it is shown as it was typed.
"""

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import errors, events, hours, news, when
from node.model import Account, Badge, Byline, EventState, Post
from node.store import accounts as account_rows
from node.store import posts, sources
from node.web import accounts, forms, merchant, news_form, render, sessions, state, told
from node.web.desk import note_act

LISTED_MOST = 500


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody signed in, and in whose name they write."""

    account: Account
    author: news.Author
    place: str | None
    base: str  # the address of the desk, without its language
    frame: str  # the template around its pages
    all_of_group: bool  # a steward
    values: dict[str, Any]  # what that template wants

    @property
    def shop(self) -> str | None:
        """The shop that is spoken for."""
        return self.author.shop.id if self.author.shop else None

    def may_change(self, post: Post) -> bool:
        """Whether it is theirs to change."""
        if post.peer is not None or post.withdrawn is not None or post.shop != self.shop:
            return False
        return self.shop is not None or self.all_of_group or post.account == self.account.id


async def of_town(request: Request) -> Desk | Response:
    """A steward or a publisher; else the page that says so."""
    if request.method == "POST" and not sessions.is_own_form(request):
        return await render.error(request, 403)
    person = await sessions.person(request)
    if person is None:
        return accounts.ask(request, status=401)
    if not person.is_steward and not person.publishes:
        return await render.error(request, 404)
    await note_act(request, person.account)
    site = state.of(request)
    author = await site.database.read(_author, site, person.account, person.is_steward)
    return Desk(
        account=person.account,
        author=author,
        place=site.commune.id,
        base="/gestion",
        frame="steward/frame.html",
        all_of_group=person.is_steward,
        values={"home": f"{render.prefix(request)}/gestion", "steward": person.is_steward},
    )


def _author(
    db: sqlite3.Connection, site: state.Site, account: Account, steward: bool
) -> news.Author:
    byline = posts.get_byline(db, account.id)
    if byline is None and steward:
        byline = news.town_hall(db, site.commune.id)
    return news.Author(
        byline or news.voice(db, account.id, site.settings.node.name), account=account.id
    )


async def of_shop(request: Request) -> Desk | Response:
    """Somebody of a shop, or a helper whom its owner let in."""
    found = await merchant.desk_of(request)
    if isinstance(found, Response):
        return found
    site = state.of(request)
    return Desk(
        account=found.account,
        author=await site.database.read(_of_shop, found),
        place=found.shop.place,
        base=f"/ma-boutique/{found.shop.handle}",
        frame="merchant/frame.html",
        all_of_group=False,
        values={
            "home": f"{render.prefix(request)}/ma-boutique/{found.shop.handle}",
            "shop": found.shop,
            "several": found.several,
            "owner": found.owner,
            "helping": found.helping,
            "steward": False,
        },
    )


def _of_shop(_db: sqlite3.Connection, found: merchant.Desk) -> news.Author:
    return news.Author(Byline(found.shop.name, Badge.SHOP), found.shop, found.account.id)


async def _desk(request: Request) -> Desk | Response:
    return await (of_shop if "handle" in request.path_params else of_town)(request)


def _page(
    request: Request, name: str, desk: Desk, *, event: bool, status: int = 200, **values: Any
) -> Response:
    site = state.of(request)
    return render.page(
        request,
        f"news/{name}.html",
        status=status,
        private=True,
        own_style=site.assets.address("merchant.css"),
        news_style=told.style(request),
        frame_around=desk.frame,
        done=request.query_params.get("fait", "")[:20],
        event=event,
        here=f"{render.prefix(request)}{_home(desk, event)}",
        other=f"{render.prefix(request)}{_home(desk, not event)}",
        byline=desk.author.byline,
        **desk.values,
        **values,
    )


def _home(desk: Desk, event: bool) -> str:
    return f"{desk.base}/{'agenda' if event else 'actualites'}"


# --- looking -------------------------------------------------------------------------------------


async def listed(request: Request, *, event: bool) -> Response:
    """`…/actualites`, `…/agenda`: what was written, the newest or latest first."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    site, say = state.of(request), render.speak(request)
    account = None if desk.all_of_group or desk.shop else desk.account.id
    found = await site.database.read(
        posts.find_written, event=event, account=account, shop=desk.shop, limit=LISTED_MOST
    )
    waiting = 0
    if desk.all_of_group:
        waiting = await site.database.read(sources.count_waiting)
    zone = hours.zone_of(site.commune.id)
    shown = [
        (
            post,
            when.event(say, post.event)
            if post.event
            else when.day(say, post.published.astimezone(zone).date()),
            when.state(say, post.event.state) if post.event else "",
            post.urgent_until is not None and post.urgent_until > site.clock(),
        )
        for post in found
    ]
    return _page(request, "desk_list", desk, event=event, found=shown, waiting=waiting)


# --- writing -------------------------------------------------------------------------------------


async def add(request: Request, *, event: bool) -> Response:
    """`…/ecrire`: something new."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    if request.method != "POST":
        typed = news_form.Typed(forms.new_id())
        return _form(request, desk, typed, None, {}, event=event)
    async with forms.read(request) as form:
        typed = news_form.typed(form)
    draft, problems = _draft(request, desk, typed, None, event=event)
    if draft is not None:
        site = state.of(request)
        try:
            where = await site.database.write(
                _publish, site, desk, typed.form, draft, event, site.clock()
            )
        except errors.Invalid as error:
            say = render.speak(request)
            problems = {name: news_form.sentence(name, say) for name in error.fields}
        except errors.Forbidden as error:
            problems = forms.sentences(error, render.speak(request))
        else:
            return sessions.see_other(request, where)
    return _form(request, desk, typed, None, problems, event=event)


def _publish(
    db: sqlite3.Connection,
    site: state.Site,
    desk: Desk,
    form: str,
    draft: news.PostDraft,
    event: bool,
    now: datetime,
) -> str:
    """Publishes, once for each form."""
    sent = account_rows.get_sent(db, desk.account.id, form) if form else None
    if sent is None:
        news.publish(db, site.uris, desk.author, draft, lambda: str(uuid.uuid4()), now)
        sent = f"{_home(desk, event)}?fait=publie"
        if form:
            account_rows.add_sent(db, desk.account.id, form, sent, now)
    return sent


async def change(request: Request, *, event: bool) -> Response:
    """`…/{id}`: what was published, said anew."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    post = await site.database.read(_own, desk, request.path_params["id"], event)
    if post is None:
        return await render.error(request, 404)
    if request.method != "POST":
        typed = news_form.of(post, site.clock())
        return _form(request, desk, typed, post, {}, event=event)
    async with forms.read(request) as form:
        typed = news_form.typed(form)
    draft, problems = _draft(request, desk, typed, post, event=event)
    if draft is not None:
        try:
            await site.database.write(_revise, site, desk, post.id, draft, event, site.clock())
        except errors.NotFound:
            return await render.error(request, 404)
        except errors.Invalid as error:
            say = render.speak(request)
            problems = {name: news_form.sentence(name, say) for name in error.fields}
        else:
            return sessions.see_other(request, f"{_home(desk, event)}?fait=change")
    return _form(request, desk, typed, post, problems, event=event)


def _own(db: sqlite3.Connection, desk: Desk, post_id: str, event: bool) -> Post | None:
    post = posts.get(db, post_id)
    if post is None or (post.event is not None) != event or not desk.may_change(post):
        return None
    return post


def _revise(
    db: sqlite3.Connection,
    site: state.Site,
    desk: Desk,
    post_id: str,
    draft: news.PostDraft,
    event: bool,
    now: datetime,
) -> None:
    if _own(db, desk, post_id, event) is None:
        raise errors.NotFound("unknown-post")
    news.revise(db, site.uris, post_id, draft, now)


def _draft(
    request: Request, desk: Desk, typed: news_form.Typed, before: Post | None, *, event: bool
) -> tuple[news.PostDraft | None, dict[str, str]]:
    site = state.of(request)
    zone = before.event.zone if before and before.event else events.zone_name(desk.place)
    return news_form.draft(
        typed,
        before,
        event=event,
        zone=zone,
        place=desk.place,
        language=before.language if before else site.settings.node.languages[0],
        now=site.clock(),
        say=render.speak(request),
    )


def _form(
    request: Request,
    desk: Desk,
    typed: news_form.Typed,
    post: Post | None,
    problems: dict[str, str],
    *,
    event: bool,
) -> Response:
    say, now = render.speak(request), state.of(request).clock()
    return _page(
        request,
        "desk_form",
        desk,
        event=event,
        status=422 if problems else 200,
        typed=typed,
        post=post,
        errors=problems,
        repeats=news_form.repeats(say, post),
        urgencies=news_form.urgencies(say, post, now),
        state=when.state(say, post.event.state) if post and post.event else "",
    )


# --- ending --------------------------------------------------------------------------------------


async def change_state(request: Request) -> Response:
    """`…/agenda/{id}/etat`: cancelled, postponed, or taking place after all. It stays visible."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    async with forms.read(request) as form:
        to = form.line("to", 20)
    if to not in set(EventState):
        return await render.error(request, 400)
    try:
        await site.database.write(
            _to_state, desk, request.path_params["id"], EventState(to), site.clock()
        )
    except errors.NotFound:
        return await render.error(request, 404)
    return sessions.see_other(request, f"{_home(desk, True)}?fait={to}")


def _to_state(
    db: sqlite3.Connection, desk: Desk, post_id: str, to: EventState, now: datetime
) -> None:
    if _own(db, desk, post_id, True) is None:
        raise errors.NotFound("unknown-event")
    news.change_state(db, post_id, to, now)


async def withdraw(request: Request, *, event: bool) -> Response:
    """`…/{id}/retirer`: asks, and takes it away for good, at the neighbours too."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    post_id = request.path_params["id"]
    if request.method == "POST":
        async with forms.read(request):
            pass
        try:
            await site.database.write(_withdraw, desk, post_id, event, site.clock())
        except errors.NotFound:
            return await render.error(request, 404)
        return sessions.see_other(request, f"{_home(desk, event)}?fait=ote")
    post = await site.database.read(_own, desk, post_id, event)
    if post is None:
        return await render.error(request, 404)
    return _page(request, "desk_withdraw", desk, event=event, post=post)


def _withdraw(db: sqlite3.Connection, desk: Desk, post_id: str, event: bool, now: datetime) -> None:
    post = posts.get(db, post_id)
    if post is not None and post.withdrawn is not None and post.account == desk.account.id:
        return  # a second tap finds it done
    if _own(db, desk, post_id, event) is None:
        raise errors.NotFound("unknown-post")
    news.withdraw(db, post_id, now)

"""The whole URL table of a node."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from node import errors
from node.web import (
    accounts,
    activitypub,
    agenda,
    agreeing,
    api,
    around,
    collections,
    counter,
    decisions,
    desk_news,
    desk_sources,
    door,
    exporting,
    health,
    importing,
    joining,
    kept,
    keys,
    machine,
    mailbox,
    media,
    merchant,
    middleware,
    nearby,
    neighbouring,
    news,
    notices,
    ordered,
    ordering,
    own_delivery,
    own_hours,
    own_imprint,
    proof,
    public,
    publishers,
    publishing,
    reducing,
    render,
    reporting,
    requests_to_open,
    reserving,
    searching,
    second_factor,
    selling,
    setup,
    state,
    steward,
    still_there,
    team,
    tills,
    trust,
)
from node.web.state import Site
from node.web.table import Table

log = logging.getLogger("echoppe.web")

# Where programs ask, who want no page.
_PROGRAMS = ("/api/", "/users/", "/inbox", "/.well-known/", "/nodeinfo/")

Handler = Callable[[Request], Awaitable[Response]]

# Pages for people: the address in French, as everywhere; other languages have it under their name.
_PEOPLE: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("/", public.home, ("GET",)),
    ("/recherche", searching.find, ("GET",)),
    ("/recherche.atom", machine.search_feed, ("GET",)),
    ("/commune", nearby.choose, ("GET",)),
    ("/boutiques", public.shop_list, ("GET",)),
    ("/rayons", public.shelves, ("GET",)),
    ("/rayon/{id}.atom", machine.shelf_feed, ("GET",)),
    ("/rayon/{id}", searching.shelf, ("GET",)),
    ("/agenda.ics", agenda.calendar, ("GET",)),
    ("/agenda.atom", agenda.feed, ("GET",)),
    ("/agenda/{slug}.ics", agenda.event_calendar, ("GET",)),
    ("/agenda/{slug}", agenda.event, ("GET",)),
    ("/agenda", agenda.days, ("GET",)),
    ("/actualites.atom", news.feed, ("GET",)),
    ("/actualites/{slug}", news.piece, ("GET",)),
    ("/actualites", news.listed, ("GET",)),
    ("/mentions-legales", trust.legal, ("GET",)),
    ("/accessibilite", trust.accessibility, ("GET",)),
    ("/donnees-personnelles", trust.privacy, ("GET",)),
    ("/mes-donnees", trust.own_data, ("GET",)),
    ("/regles", trust.rules, ("GET",)),
    ("/transparence", trust.transparency, ("GET",)),
    ("/contact", trust.contact, ("GET",)),
    ("/code-source", trust.source, ("GET",)),
    ("/plan-du-site", trust.site_map, ("GET",)),
    ("/classement", trust.ranking, ("GET",)),
    ("/credits", trust.credits, ("GET",)),
    ("/preuve", proof.page, ("GET",)),
    ("/voisins", around.page, ("GET",)),
    ("/@{handle}.atom", machine.shop_feed, ("GET",)),
    ("/@{handle}.ics", agenda.shop_calendar, ("GET",)),
    ("/@{handle}", public.shop, ("GET",)),
    ("/@{handle}/{slug}/reserver", reserving.ask, ("GET", "POST")),
    ("/@{handle}/{slug}/commander", ordering.page, ("GET", "POST")),
    ("/@{handle}/{slug}", public.listing, ("GET",)),
    ("/reservation/{secret}", ordered.follow, ("GET", "POST")),
    ("/reservation/{secret}/contrat.html", ordered.contract, ("GET",)),
    ("/reservation/{secret}/retractation", ordered.withdrawal, ("GET", "POST")),
    ("/avis/{token}", counter.notice, ("GET", "POST")),
    ("/signaler", notices.report, ("GET", "POST")),
    ("/signalement/{secret}", notices.follow, ("GET", "POST")),
)

# And those of the people who sign in.
_SIGNED_IN: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("/connexion", accounts.by_code, ("GET", "POST")),
    ("/connexion/code", accounts.send_code, ("POST",)),
    ("/ouvrir-ma-boutique", joining.start, ("GET", "POST")),
    ("/ouvrir-ma-boutique/contact", joining.contact, ("POST",)),
    ("/ouvrir-ma-boutique/suite", joining.resume, ("GET",)),
    ("/ouvrir-ma-boutique/horaires", joining.opening_hours, ("GET", "POST")),
    ("/ouvrir-ma-boutique/envoyer", joining.send, ("GET", "POST")),
    ("/ouvrir-ma-boutique/corriger", joining.correct, ("GET", "POST")),
    ("/ouvrir-ma-boutique/attente", joining.wait, ("GET", "POST")),
    ("/connexion/second", second_factor.give, ("GET", "POST")),
    ("/connexion/{token}", accounts.by_link, ("GET", "POST")),
    ("/compte", accounts.account, ("GET", "POST")),
    ("/compte/second-facteur", second_factor.manage, ("GET", "POST")),
    ("/ma-boutique/{handle}", merchant.home, ("GET",)),
    ("/ma-boutique/{handle}/ajouter", publishing.add, ("GET", "POST")),
    ("/ma-boutique/{handle}/produits", merchant.products, ("GET",)),
    ("/ma-boutique/{handle}/produits/confirmer", merchant.confirm, ("POST",)),
    ("/ma-boutique/{handle}/epuise", merchant.sold_out, ("GET",)),
    ("/ma-boutique/{handle}/produits/{id}", publishing.change, ("GET", "POST")),
    ("/ma-boutique/{handle}/prix.csv", reducing.record, ("GET",)),
    ("/ma-boutique/{handle}/produits/{id}/promotion", reducing.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/produits/{id}/choix", publishing.choices, ("GET", "POST")),
    ("/ma-boutique/{handle}/brouillons/{id}/effacer", publishing.drop, ("POST",)),
    ("/ma-boutique/{handle}/produits/{id}/rayon", merchant.stock, ("POST",)),
    ("/ma-boutique/{handle}/produits/{id}/retirer", merchant.withdraw, ("GET", "POST")),
    ("/ma-boutique/{handle}/caisse", tills.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/importer", importing.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/equipe", team.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/horaires", own_hours.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/livraison", own_delivery.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/mentions", own_imprint.page, ("GET", "POST")),
    ("/encore-en-rayon/{token}", still_there.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/vente-a-distance", selling.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/reservations", counter.waiting, ("GET",)),
    ("/ma-boutique/{handle}/reservations.html", exporting.export, ("GET",)),
    ("/ma-boutique/{handle}/reservations/{id}", counter.act, ("POST",)),
    ("/ma-boutique/{handle}/reservations/{id}/contrat.html", ordered.shop_contract, ("GET",)),
    ("/ma-boutique/{handle}/cle", keys.card, ("GET", "POST")),
    ("/ma-boutique/{handle}/decisions", decisions.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/regles", agreeing.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/courrier", mailbox.mailbox, ("GET",)),
    ("/ma-boutique/{handle}/courrier/{id}", mailbox.enquiry, ("GET", "POST")),
    ("/gestion", steward.home, ("GET",)),
    ("/gestion/signalements", reporting.queue, ("GET",)),
    ("/gestion/signalements/{id}", reporting.case, ("GET", "POST")),
    ("/gestion/examiner", reporting.examine, ("GET", "POST")),
    ("/gestion/examiner/montrer", reporting.lift, ("POST",)),
    ("/gestion/contestations/{id}", reporting.answer, ("GET", "POST")),
    ("/gestion/journal", reporting.journal, ("GET",)),
    ("/gestion/loi", trust.to_fill_in, ("GET",)),
    ("/gestion/installation", setup.begin, ("GET",)),
    ("/gestion/installation/{step:count}", setup.screen, ("GET", "POST")),
    ("/gestion/acces", steward.access, ("GET", "POST")),
    ("/gestion/acces/retirer", steward.remove_access, ("POST",)),
    ("/gestion/demandes/{id}", requests_to_open.page, ("GET", "POST")),
    ("/gestion/codes", requests_to_open.code, ("POST",)),
    ("/gestion/boutiques/ajouter", steward.add_shop, ("GET", "POST")),
    ("/gestion/boutiques/{handle}", steward.shop, ("GET",)),
    ("/gestion/boutiques/{handle}/inviter", steward.invite, ("POST",)),
    ("/gestion/boutiques/{handle}/fermer", steward.close_shop, ("POST",)),
    ("/gestion/voisins", around.surroundings, ("GET", "POST")),
    ("/gestion/agenda/{id}/etat", desk_news.change_state, ("POST",)),
    ("/gestion/sources", desk_sources.page, ("GET", "POST")),
    ("/gestion/sources/{id}", desk_sources.act, ("POST",)),
    ("/gestion/publicateurs", publishers.page, ("GET", "POST")),
    ("/ma-boutique/{handle}/agenda/{id}/etat", desk_news.change_state, ("POST",)),
    ("/gestion/voisins/ajouter", neighbouring.add, ("GET", "POST")),
    ("/gestion/voisins/{host}", neighbouring.neighbour, ("GET", "POST")),
    ("/gestion/voisins/{host}/recommandes", around.recommended, ("GET", "POST")),
)


# News and events are written alike for the town and for a shop.
_WRITTEN: tuple[tuple[str, Handler, tuple[str, ...]], ...] = tuple(
    (f"{desk}/{folder}{path}", partial(handler, event=folder == "agenda"), methods)
    for desk in ("/gestion", "/ma-boutique/{handle}")
    for folder in ("actualites", "agenda")
    for path, handler, methods in (
        ("", desk_news.listed, ("GET",)),
        ("/ecrire", desk_news.add, ("GET", "POST")),
        ("/{id}", desk_news.change, ("GET", "POST")),
        ("/{id}/retirer", desk_news.withdraw, ("GET", "POST")),
    )
)


class _Count(IntegerConvertor):
    """A whole number that Python reads and SQLite holds: starlette's own takes any digits."""

    regex = "[0-9]{1,12}"


def application(site: Site) -> Starlette:
    """The ASGI application of a node."""
    keeping = kept.Kept(site.database, site.residents, site.clock).keeping
    people = tuple((path, keeping(handler), methods) for path, handler, methods in _PEOPLE)
    register_url_convertor("count", _Count())
    app = Starlette(
        routes=[
            *_in_each_language(site.settings.node.languages, (*people, *_SIGNED_IN, *_WRITTEN)),
            Table("", _programs()),
        ],
        middleware=[
            Middleware(middleware.BodyDeadline),
            Middleware(middleware.SafeHeaders, site.uris.origin),
            Middleware(middleware.HostCheck, site.uris.origin, render.misdirected(site)),
            Middleware(
                middleware.Quiet, lambda: site.workers.quiet, door.QUIET_TIME, render.restored(site)
            ),
        ],
        exception_handlers={
            HTTPException: _refused,
            errors.NodeError: _unable,
            errors.Unwritable: _unwritable,
            Exception: _broken,
        },
    )
    app.state.site = site
    return app


def _in_each_language(
    languages: tuple[str, ...], pages: tuple[tuple[str, Handler, tuple[str, ...]], ...]
) -> Iterator[Table]:
    """The main language at the root, each other one under its name (/en/…): no cookie decides."""
    for language in languages:
        prefix = "" if language == languages[0] else f"/{language}"
        yield Table(
            prefix,
            (
                Route(prefix + path, handler, methods=list(methods))
                for path, handler, methods in pages
            ),
        )


def _programs() -> list[Route]:
    """What programs ask for, and files."""
    return [
        Route("/static/{name}", public.static),
        Route("/robots.txt", machine.robots),
        Route("/sitemap.xml", machine.sitemap),
        Route("/sitemap-{number:count}.xml", machine.sitemap_part),
        Route("/media/{name}", media.photo),
        # programs
        Route("/api/v1/search", api.find),
        Route("/api/v1/listings/{id}", api.listing),
        Route("/api/v1/shops", api.shop_list),
        Route("/api/v1/till", tills.till, methods=["GET", "POST"]),
        Route("/api/v1/openapi.json", tills.openapi),
        # other servers
        Route("/inbox", activitypub.inbox, methods=["POST"]),
        Route("/users/{handle}", activitypub.actor),
        Route("/users/instance/held", activitypub.held),
        Route("/users/{handle}/inbox", activitypub.inbox, methods=["POST"]),
        Route("/users/{handle}/outbox", activitypub.outbox),
        Route("/users/{handle}/followers", activitypub.followers_collection),
        Route("/users/{handle}/following", activitypub.following_collection),
        Route("/users/{handle}/collections/featured", collections.featured),
        Route("/users/{handle}/items/{id}", activitypub.listing),
        Route("/users/{handle}/items/{id}/replies", collections.reactions),
        Route("/users/{handle}/items/{id}/likes", collections.reactions),
        Route("/users/{handle}/items/{id}/shares", collections.reactions),
        Route("/users/{handle}/items/{id}/activity", activitypub.listing_activity),
        Route("/users/{handle}/items/{id}/update/{number:count}", activitypub.listing_activity),
        Route("/users/{handle}/items/{id}/delete", activitypub.listing_activity),
        Route("/users/{handle}/news/{id}", activitypub.post),
        Route("/users/{handle}/news/{id}/activity", activitypub.post_activity),
        Route("/users/{handle}/news/{id}/update/{number:count}", activitypub.post_activity),
        Route("/users/{handle}/news/{id}/delete", activitypub.post_activity),
        Route("/users/{handle}/events/{id}", activitypub.post),
        Route("/users/{handle}/events/{id}/activity", activitypub.post_activity),
        Route("/users/{handle}/events/{id}/update/{number:count}", activitypub.post_activity),
        Route("/users/{handle}/events/{id}/delete", activitypub.post_activity),
        Route("/users/{handle}/update/{number:count}", activitypub.actor_activity),
        Route("/users/{handle}/delete", activitypub.actor_activity),
        Route("/.well-known/webfinger", activitypub.webfinger_resource),
        Route("/.well-known/host-meta", activitypub.host_meta),
        Route("/.well-known/security.txt", trust.security),
        Route("/.well-known/nodeinfo", activitypub.nodeinfo_links),
        Route("/nodeinfo/2.1", activitypub.nodeinfo_document),
        # supervisors
        Route("/livez", health.livez),
        Route("/readyz", health.readyz),
        Route("/metrics", health.metrics),
    ]


async def _refused(request: Request, error: Exception) -> Response:
    """Unknown addresses and methods: a page for people, a short word for programs."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(getattr(error, "headers", None) or {})
    if request.scope["path"].startswith(_PROGRAMS):
        answer = activitypub.refusal(
            status, {404: "not-found", 405: "bad-method"}.get(status, "refused")
        )
    else:
        answer = await render.error(request, status)
    answer.headers.update(headers)
    return answer


async def _unable(request: Request, error: Exception) -> Response:
    """What the trade refuses and no handler has words of its own for."""
    assert isinstance(error, errors.NodeError)
    if request.scope["path"].startswith(_PROGRAMS):
        return api.refuse(error)
    retry_after = error.retry_after if isinstance(error, errors.TooMany) else None
    return await render.error(request, api.STATUS[type(error)], retry_after=retry_after)


async def _unwritable(request: Request, error: Exception) -> Response:
    """The disk takes nothing: no fault of whoever asked, and what can be read still is."""
    assert isinstance(error, errors.Unwritable)
    log.error("a write was refused by the disk", extra={"detail": error.detail})
    if request.scope["path"].startswith(_PROGRAMS):
        return api.say(503, error.code, error.detail)
    return await render.error(request, 503, unwritable=True)


async def _broken(request: Request, _error: Exception) -> Response:
    """Something unforeseen: it is in the log with its traceback, and nothing of it leaves."""
    if request.scope["path"].startswith(_PROGRAMS):
        answer = activitypub.refusal(500, "internal-error")
    else:
        answer = render.broken(request)
    # This is answered outside of the middleware that gives every other answer its headers.
    answer.headers.update(middleware.safe_headers(state.of(request).uris.origin))
    return answer

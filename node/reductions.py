"""Reductions: judged by the prices that were shown, begun and ended on their days.

An announced reduction has a reference: the lowest price of the 30 days before it began (Code de la
consommation, L112-1-1). A deeper cut that follows on another without a gap keeps the first
reference; what is about to perish is announced against the price just before. Whatever is no
reduction by that is refused, with the price and the day that make it none.
"""

import dataclasses
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from node import catalogue, hours, prices
from node.law import Law
from node.model import Listing, Offer, PriceRow, Reduction, ReductionKind, Shop
from node.store import listings, shops
from node.store import prices as price_rows
from node.store import reductions as rows
from node.store.reductions import Row
from node.uris import Uris

BATCH = 50

PLANNED_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a reduction may be announced. `refused` is a short name, None where it may.

    `cents` is the reference, or the price that stands against it; `day` is when that was shown.
    """

    refused: str | None
    cents: int = 0
    day: date | None = None
    percent: int = 0
    shown_since: date | None = None  # where that is less than the days the law looks back

    @property
    def allowed(self) -> bool:
        """Whether it may be announced."""
        return self.refused is None


@dataclass(frozen=True, slots=True)
class Wish:
    """A reduction as a merchant wants it: days are of the shop's own calendar, both included."""

    kind: ReductionKind
    price_cents: int
    first: date
    last: date
    offered: bool = False  # the merchant says: in the shop for a month already


def lowest_before(
    history: Sequence[PriceRow], begins: datetime, zone: tzinfo | None, days: int
) -> tuple[int, date, date] | None:
    """The lowest price shown in the days before a moment, the last day it was, and since when
    there are prices. None where there was none: never shown, or on request.

    `history` is of one offer, oldest first. The days are whole ones of the shop's clock; a price
    counts from when it was shown until the next one was.
    """
    today = begins.astimezone(zone).date()
    opens = datetime.combine(today - timedelta(days=days), time(), zone)
    found: tuple[int, date] | None = None
    for number, row in enumerate(history):
        until = history[number + 1].shown_from if number + 1 < len(history) else begins
        until = min(until, begins)
        if row.price_cents is None or row.shown_from > begins or until <= opens:
            continue
        last = max(until - timedelta(microseconds=1), row.shown_from).astimezone(zone).date()
        if found is None or row.price_cents <= found[0]:
            found = row.price_cents, last
    if found is None:
        return None
    first = next(row.shown_from for row in history if row.price_cents is not None)
    return found[0], found[1], first.astimezone(zone).date()


def judge(
    history: Sequence[PriceRow],
    offer: Offer,
    running: Row | None,
    wish: Wish,
    begins: datetime,
    zone: tzinfo | None,
    law: Law,
    *,
    planned: datetime | None = None,
) -> Verdict:
    """Whether a reduction that begins at a moment may be announced, and against what.

    `planned` is when it should have begun, where the node is late: that it follows on another
    without a gap is told by that.
    """
    if offer.price_cents is None:
        return Verdict("no-price")
    if wish.kind is ReductionKind.PERISHABLE:
        before = offer.price_cents
        if running is not None and running.kind is wish.kind:  # cut again in the same evening
            before = running.reference_cents or before
        return _against(before, wish, begins.astimezone(zone).date())
    if (
        running is not None
        and running.kind is wish.kind
        and running.reference_cents is not None
        and (planned or begins) <= running.ends
        and wish.price_cents <= offer.price_cents
    ):
        # Successive cuts, or the same one for longer: the first reference stays.
        since = running.since or running.starts
        return _against(running.reference_cents, wish, since.astimezone(zone).date())
    found = lowest_before(history, begins, zone, law.reference_days)
    if found is None:
        return Verdict("never-shown")
    cents, day, first = found
    verdict = _against(cents, wish, day)
    looked_back = begins.astimezone(zone).date() - timedelta(days=law.reference_days)
    return dataclasses.replace(verdict, shown_since=first if first > looked_back else None)


def _against(cents: int, wish: Wish, day: date) -> Verdict:
    if wish.price_cents >= cents:
        return Verdict("no-reduction", cents, day)
    return Verdict(None, cents, day, prices.percent_off(cents, wish.price_cents))


def judge_days(
    wish: Wish, listing: Listing, shop: Shop, today: date, law: Law
) -> Verdict | tuple[datetime, datetime]:
    """When it begins and ends, or why it may not on these days."""
    zone = hours.zone_of(shop.place)
    if wish.last < wish.first or wish.last < today:
        return Verdict("over")
    if wish.first - today > PLANNED_AHEAD:
        return Verdict("too-far")
    if wish.last - wish.first > law.longest_reduction:
        return Verdict("too-long")
    if wish.kind is ReductionKind.PERISHABLE and not law.is_perishable(listing.category):
        return Verdict("not-perishable")
    hour = 0
    if wish.kind is ReductionKind.SALES:
        department = hours.department_of(shop.place)
        if department is None:
            return Verdict("no-soldes-here")
        periods = law.soldes(department, wish.first)
        period = next((one for one in periods if one.first <= wish.first <= one.last), None)
        if period is None or wish.last > period.last:
            near = period or next(one for one in periods if one.last >= wish.first)
            return Verdict("outside-soldes", day=near.first, shown_since=near.last)
        shown = listing.published.astimezone(zone).date()
        if shown > period.first - law.offered_before and not wish.offered:
            return Verdict("not-offered-before", day=shown)
        hour = law.soldes_open if wish.first == period.first else 0
    begins = datetime.combine(wish.first, time(hour), zone)
    return begins, datetime.combine(wish.last + timedelta(days=1), time(), zone)


# --- written down --------------------------------------------------------------------------------


def consider(
    db: sqlite3.Connection,
    shop: Shop,
    listing: Listing,
    offer: Offer,
    wish: Wish,
    now: datetime,
    law: Law,
) -> Verdict:
    """What would become of a wish, were it decided now."""
    zone = hours.zone_of(shop.place)
    days = judge_days(wish, listing, shop, now.astimezone(zone).date(), law)
    if isinstance(days, Verdict):
        return days
    begins = max(days[0], now)
    running = rows.running(db, offer.id)
    if running is not None and not _is_announced(offer, running):
        running = None  # its price was changed meanwhile
    return judge(_history(db, listing, offer), offer, running, wish, begins, zone, law)


def decide(
    db: sqlite3.Connection,
    uris: Uris,
    shop: Shop,
    listing_id: str,
    wishes: Sequence[tuple[str, Wish]],
    now: datetime,
    law: Law,
) -> list[Verdict]:
    """Decides reductions of offers (by id): all of them, or none where one is refused.

    What begins today begins at once. Raises errors.NotFound.
    """
    listing = catalogue.get_on_show(db, listing_id)
    offers = {offer.id: offer for offer in listing.offers}
    zone = hours.zone_of(shop.place)
    verdicts = [
        consider(db, shop, listing, offers[offer_id], wish, now, law)
        if offer_id in offers
        else Verdict("no-price")
        for offer_id, wish in wishes
    ]
    if not all(verdict.allowed for verdict in verdicts):
        return verdicts
    for offer_id, wish in wishes:
        days = judge_days(wish, listing, shop, now.astimezone(zone).date(), law)
        assert not isinstance(days, Verdict)
        number = rows.plan(
            db,
            offer_id,
            listing_id,
            wish.kind,
            wish.price_cents,
            offers[offer_id].currency,
            max(days[0], now.replace(microsecond=0)),
            days[1],
            now,
        )
        if days[0] <= now:
            planned = rows.get(db, number)
            assert planned is not None
            _begin(db, uris, planned, now, law)
    return verdicts


def stop(db: sqlite3.Connection, uris: Uris, listing_id: str, number: int, now: datetime) -> None:
    """Ends one before its day, or takes a planned one back. What is over already stays so."""
    row = rows.get(db, number)
    if row is None or row.listing != listing_id:
        return
    if row.state == "planned":
        rows.close(db, row.id, "stopped")
    elif row.state == "running":
        _end(db, uris, row, now, "stopped")


def turn(db: sqlite3.Connection, uris: Uris, now: datetime, law: Law) -> int:
    """Begins and ends whatever is due; says how many were looked at."""
    due = rows.find_due(db, now, BATCH)
    for row in due:
        current = rows.get(db, row.id)
        if current is None or current.state != row.state:
            continue  # ended by one that follows on it, in this very turn
        if row.state == "planned":
            _begin(db, uris, row, now, law)
        else:
            _end(db, uris, row, now, "ended")
    return len(due)


def _begin(db: sqlite3.Connection, uris: Uris, row: Row, now: datetime, law: Law) -> None:
    """Judged again: prices may have changed since it was planned."""
    listing = listings.get(db, row.listing)
    shop = shops.get(db, listing.shop) if listing else None
    offer = _offer(listing, row.offer) if listing else None
    if listing is None or offer is None or shop is None or listing.withdrawn is not None:
        rows.close(db, row.id, "stopped")
        return
    if row.ends <= now:  # the node was down all the while
        rows.close(db, row.id, "ended")
        return
    zone = hours.zone_of(shop.place)
    last = (row.ends - timedelta(seconds=1)).astimezone(zone).date()
    wish = Wish(row.kind, row.price_cents, row.starts.astimezone(zone).date(), last)
    before = rows.running(db, row.offer)
    if before is not None and not _is_announced(offer, before):
        rows.close(db, before.id, "stopped")  # its price was changed meanwhile
        before = None
    verdict = judge(
        _history(db, listing, offer), offer, before, wish, now, zone, law, planned=row.starts
    )
    if not verdict.allowed or offer.price_cents is None:
        day = verdict.day.isoformat() if verdict.day else ""
        rows.close(db, row.id, "refused", f"{verdict.refused} {verdict.cents} {day}".strip())
        return
    since = now.replace(microsecond=0)
    regular = offer.price_cents
    if before is not None:
        rows.close(db, before.id, "ended")
        regular = before.regular_cents or regular
        if before.kind is row.kind and verdict.cents == before.reference_cents:
            since = before.since or since
    rows.run(db, row.id, regular, verdict.cents, since)
    reduction = Reduction(row.kind, verdict.cents, since, row.ends)
    _put(db, uris, shop, listing, dataclasses.replace(
        offer, price_cents=row.price_cents, reduction=reduction), now)  # fmt: skip


def _end(db: sqlite3.Connection, uris: Uris, row: Row, now: datetime, state: str) -> None:
    rows.close(db, row.id, state)
    listing = listings.get(db, row.listing)
    if listing is None or listing.withdrawn is not None:
        return
    shop = shops.get(db, listing.shop)
    offer = _offer(listing, row.offer)
    if shop is None or offer is None or not _is_announced(offer, row):
        return  # the price was changed meanwhile, and is what it is
    _put(db, uris, shop, listing, dataclasses.replace(
        offer, price_cents=row.regular_cents, reduction=None), now)  # fmt: skip


def _offer(listing: Listing, offer_id: str) -> Offer | None:
    return next((one for one in listing.offers if one.id == offer_id), None)


def _is_announced(offer: Offer, row: Row) -> bool:
    """Whether an offer still has the price and the announcement that a row gave it."""
    return offer.reduction is not None and offer.price_cents == row.price_cents


def _put(
    db: sqlite3.Connection, uris: Uris, shop: Shop, listing: Listing, offer: Offer, now: datetime
) -> None:
    offers = tuple(offer if one.id == offer.id else one for one in listing.offers)
    draft = dataclasses.replace(catalogue.draft_of(listing), offers=offers)
    catalogue.revise(db, uris, shop, listing.id, draft, now, announced=True)


def _history(db: sqlite3.Connection, listing: Listing, offer: Offer) -> list[PriceRow]:
    return [row for row in price_rows.find(db, listing.id) if row.offer == offer.id]

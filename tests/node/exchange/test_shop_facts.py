"""Hours, means of payment, access and delivery: there, back, and whatever strangers write."""

import copy
import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import documents
from node import bringing, hours, hours_typed, shops
from node.exchange import outbox, shop_facts, terms
from node.exchange import shops as shop_documents
from node.model import (
    PAYMENTS,
    ActorKind,
    DeliveryTerms,
    Hours,
    LocalActor,
    Place,
    Shop,
    Span,
    SpecialDays,
)
from node.translation import Catalogues
from node.uris import Uris
from tests import ground
from tests.ground import NOW

URIS = Uris("https://boutiques.pessac.example")
ACTOR = LocalActor("fleurs", ActorKind.SHOP, "Fleurs", "PEM", "z6MkKey", NOW, None)
BARE = Shop(
    id="shop", uri=URIS.actor("fleurs"), url=URIS.profile("fleurs"), peer=None, handle="fleurs",
    name="Fleurs", summary=None, place=None, address=None, phone=None, latitude=None,
    longitude=None, opened=NOW, updated=NOW, seen=NOW, closed=None,
)  # fmt: skip
TOLD = dataclasses.replace(
    BARE,
    hours=Hours(
        hours_typed.parse("mar-ven 9h-12h30 14h-19h; sam 18h-2h; dim 0h-24h").weekly,
        (
            SpecialDays(date(2026, 8, 1), date(2026, 8, 15), (), "congés d’été"),
            SpecialDays(date(2026, 12, 24), date(2026, 12, 24), ((540, 720), (840, 1440))),
        ),
        closed_on_holidays=True,
    ),
    payments=("cash", "card", "meal_voucher"),
    step_free=True,
    delivery=DeliveryTerms((ground.PESSAC, "geonames:2988507"), 7.5, 350, 4000, (1, 3), 1, 720),
    ready_minutes=120,
    latitude=44.8,
    longitude=-0.6,
)


def document(shop: Shop) -> dict[str, Any]:
    return shop_documents.document(shop, ACTOR, None, URIS, Catalogues().speak("fr"))


def facts(shop: Shop) -> tuple[object, ...]:
    return shop.hours, shop.payments, shop.step_free, shop.delivery, shop.ready_minutes


def read(found: dict[str, Any]) -> tuple[object, ...]:
    parsed = documents.parse(outbox.encode(found))
    return facts(shop_documents.from_document(parsed, "boutiques.pessac.example", "new", NOW))


def test_a_neighbour_knows_what_the_shop_said() -> None:
    assert read(document(TOLD)) == facts(TOLD)
    without = {**document(TOLD)}
    del without["sdo:openingHoursSpecification"], without["sdo:specialOpeningHoursSpecification"]
    assert TOLD.hours is not None
    assert read(without)[0] == Hours(TOLD.hours.weekly)  # from the short form


def test_what_was_not_told_is_not_known() -> None:
    found = document(BARE)
    assert not [name for name in found if name.startswith("sdo:")]
    assert read(found) == (None, (), None, None, None)


SPANS = st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 2879)), max_size=4).map(hours.tidy)
DATES = st.dates(date(2020, 1, 1), date(2040, 1, 1))
SPECIAL = st.builds(
    lambda first, length, spans, note: SpecialDays(
        first, first + timedelta(length), spans, " ".join(note.split())
    ),
    DATES,
    st.integers(0, 366),
    SPANS,
    st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=40),
)
HOURS = st.builds(
    Hours,
    st.lists(SPANS, min_size=7, max_size=7).map(
        lambda week: tuple(Span(day, *span) for day, spans in enumerate(week) for span in spans)
    ),
    st.lists(SPECIAL, max_size=5, unique_by=lambda days: (days.first, days.last)).map(tuple),
    st.booleans(),
)
CENTS = st.none() | st.integers(0, 99_999)
DELIVERY = st.builds(
    lambda places, metres, price, free: DeliveryTerms(
        tuple(f"FR-{number:05d}" for number in places),
        None if metres is None and places else (metres or 1000) / 1000,
        price,
        None if price is None else free,
    ),
    st.lists(st.integers(1000, 95999), max_size=9, unique=True),
    st.none() | st.integers(1, 500_000),
    CENTS,
    CENTS,
)


@settings(max_examples=100)
@given(
    st.none() | HOURS,
    st.lists(st.sampled_from(PAYMENTS)).map(shops.in_order),
    st.none() | st.booleans(),
    st.none() | DELIVERY,
)
def test_any_facts_go_there_and_come_back(
    told: Hours | None,
    payments: tuple[str, ...],
    step_free: bool | None,
    delivery: DeliveryTerms | None,
) -> None:
    assert told is None or hours.problem(told) is None
    shop = dataclasses.replace(
        BARE, hours=told, payments=payments, step_free=step_free, delivery=delivery
    )
    assert read(document(shop)) == facts(shop)


# --- out -----------------------------------------------------------------------------------------


def test_the_documents_words_are_schema_orgs() -> None:
    found = document(TOLD)
    assert found["sdo:openingHours"] == [
        "Tu-Fr 09:00-12:30", "Tu-Fr 14:00-19:00", "Sa 18:00-02:00", "Su 00:00-23:59",
    ]  # fmt: skip
    assert {
        "type": "sdo:OpeningHoursSpecification",
        "sdo:opens": "18:00",
        "sdo:closes": "02:00",
        "sdo:dayOfWeek": ["https://schema.org/Saturday"],
    } in found["sdo:openingHoursSpecification"]
    assert {
        "type": "sdo:OpeningHoursSpecification",
        "sdo:opens": "00:00",
        "sdo:closes": "00:00",
        "sdo:validFrom": "2026-08-01",
        "sdo:validThrough": "2026-08-15",
        "sdo:description": "congés d’été",
    } in found["sdo:specialOpeningHoursSpecification"]
    assert found["sdo:acceptedPaymentMethod"] == ["cash", "card", "meal_voucher"]
    assert found["sdo:amenityFeature"] == [
        {"type": "sdo:LocationFeatureSpecification", "sdo:name": "stepFree", "sdo:value": True}
    ]
    details = found["sdo:shippingDetails"]
    assert [where["type"] for where in details["sdo:shippingDestination"]] == [
        "sdo:AdministrativeArea", "sdo:AdministrativeArea", "sdo:GeoCircle",
    ]  # fmt: skip
    assert details["sdo:shippingDestination"][2]["sdo:geoRadius"] == 7500
    assert details["sdo:shippingRate"]["sdo:freeShippingThreshold"]["sdo:value"] == "40.00"


def test_people_on_other_servers_read_the_hours() -> None:
    (row,) = [one for one in document(TOLD)["attachment"] if one["name"] == "Horaires"]
    text = row["value"].replace("\u00a0", " ").replace("\u202f", " ")
    assert text == (
        "mardi à vendredi : 9 h à 12 h 30, 14 h à 19 h ; samedi : 18 h à 2 h ; "
        "dimanche : jour et nuit"
    )


def test_every_term_is_one_that_the_context_maps() -> None:
    mapped = terms.ACTOR_CONTEXT[-1]

    def names(value: object) -> set[str]:
        if isinstance(value, dict):
            kind = value.get("type")
            found = set(value) | ({kind} if isinstance(kind, str) else set())
            return found.union(*map(names, value.values()))
        return set().union(*map(names, value)) if isinstance(value, list) else set()

    for name in names(shop_facts.members(TOLD)) - {"type"}:
        assert name.partition(":")[0] in mapped, name


# --- in ------------------------------------------------------------------------------------------

MONDAY = {"sdo:dayOfWeek": "https://schema.org/Monday", "sdo:opens": "09:00", "sdo:closes": "12:00"}
ON_MONDAY = Hours((Span(0, 540, 720),))
HUGE = [MONDAY] * 100_000


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (MONDAY, ON_MONDAY),  # one where several are expected
        ([MONDAY], ON_MONDAY),
        ([{**MONDAY, "sdo:dayOfWeek": "sdo:Monday"}], ON_MONDAY),
        ([{**MONDAY, "sdo:dayOfWeek": "Monday"}], ON_MONDAY),
        ([{**MONDAY, "sdo:dayOfWeek": ["http://schema.org/Monday"]}], ON_MONDAY),
        ([{**MONDAY, "sdo:opens": "09:00:00", "sdo:closes": "12:00:00.0"}], ON_MONDAY),
        ([{**MONDAY, "sdo:closes": "24:00"}], Hours((Span(0, 540, 1440),))),
        ([{**MONDAY, "sdo:opens": "00:00", "sdo:closes": "23:59"}], Hours((Span(0, 0, 1440),))),
        ([MONDAY, {**MONDAY, "sdo:opens": "11:00", "sdo:closes": "14:00"}],
         Hours((Span(0, 540, 840),))),
        ([MONDAY, {**MONDAY, "sdo:dayOfWeek": "Sunday", "sdo:opens": "00:00",
                   "sdo:closes": "00:00"}], ON_MONDAY),
        ([MONDAY, 3, None, "x", [], {"sdo:opens": "09:00"}, {**MONDAY, "sdo:opens": 9}], ON_MONDAY),
        (HUGE, ON_MONDAY),
        ([], Hours(())),  # never but by exception
        ("Mo 09:00-12:00", None),
        ([{}], None),
        (3, None),
        ([{**MONDAY, "sdo:dayOfWeek": "Funday"}], None),
        ([{**MONDAY, "sdo:dayOfWeek": {"id": "x"}}], None),
        ([{**MONDAY, "sdo:opens": "25:00"}], None),
        ([{**MONDAY, "sdo:opens": "9h"}], None),
        ([{**MONDAY, "sdo:opens": "09:00" * 9999}], None),
        ([{**MONDAY, "sdo:closes": None}], None),
    ],
)  # fmt: skip
def test_hours_are_read_as_far_as_they_can_be(told: object, known: Hours | None) -> None:
    assert shop_facts.hours_from({"sdo:openingHoursSpecification": told}) == known


CHRISTMAS = {"sdo:validFrom": "2026-12-25", "sdo:validThrough": "2026-12-25"}


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (CHRISTMAS, (SpecialDays(date(2026, 12, 25), date(2026, 12, 25)),)),
        ({**CHRISTMAS, "sdo:validFrom": "2026-12-25T00:00:00Z"},
         (SpecialDays(date(2026, 12, 25), date(2026, 12, 25)),)),
        ({**CHRISTMAS, "sdo:opens": "10:00", "sdo:closes": "12:00", "sdo:description": " a\n b "},
         (SpecialDays(date(2026, 12, 25), date(2026, 12, 25), ((600, 720),), "a b"),)),
        ({**CHRISTMAS, "sdo:validThrough": "2026-12-24"}, ()),
        ({**CHRISTMAS, "sdo:validThrough": "9999-12-31"}, ()),
        ({**CHRISTMAS, "sdo:validFrom": "2026-02-30"}, ()),
        ({**CHRISTMAS, "sdo:validFrom": "yesterday"}, ()),
        ({**CHRISTMAS, "sdo:validFrom": 20261225}, ()),
        ("Christmas", ()),
    ],
)  # fmt: skip
def test_exceptions_are_read_as_far_as_they_can_be(
    told: object, known: tuple[SpecialDays, ...]
) -> None:
    found = {"sdo:openingHoursSpecification": MONDAY, "sdo:specialOpeningHoursSpecification": told}
    assert shop_facts.hours_from(found) == Hours((Span(0, 540, 720),), known)


def test_what_a_stranger_may_tell_is_bounded() -> None:
    days = [
        {"sdo:validFrom": f"2026-01-{day:02d}", "sdo:validThrough": f"2026-{month:02d}-28"}
        for month in range(2, 13)
        for day in range(1, 29)
    ]
    spans = [
        {**MONDAY, "sdo:opens": f"{hour:02d}:00", "sdo:closes": f"{hour:02d}:30"}
        for hour in range(24)
    ]
    found = shop_facts.hours_from(
        {"sdo:openingHoursSpecification": spans, "sdo:specialOpeningHoursSpecification": days}
    )
    assert found is not None
    assert hours.problem(found) is None
    places = [{"sdo:identifier": f"FR-INSEE:{number:05d}"} for number in range(5000)]
    delivery = shop_facts.delivery_from(
        {"sdo:shippingDetails": {"sdo:shippingDestination": places}}
    )
    assert delivery is not None
    assert len(delivery.places) == bringing.PLACES_MOST


def test_the_short_form_is_read_where_it_stands_alone() -> None:
    found = {"sdo:openingHours": ["Tu-Sa 09:00-12:30", "Tu-Sa 14:00-19:00"]}
    assert shop_facts.hours_from(found) == hours_typed.parse("mar-sam 9h-12h30 14h-19h")
    assert shop_facts.hours_from({"sdo:openingHours": "Mo 09:00-12:00"}) == ON_MONDAY
    for junk in ("by appointment", [], [3], {}, "Mo 09:00-12:00" * 999):
        assert shop_facts.hours_from({"sdo:openingHours": junk}) is None


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ("card", ("card",)),
        (["card", "cash", "card"], ("cash", "card")),
        (["bitcoin", None, 3, {"id": "card"}, "cash"], ("cash",)),
        ({"cash": True}, ()),
        (["card"] * 100_000, ("card",)),
    ],
)
def test_means_of_payment_are_those_known_here(told: object, known: tuple[str, ...]) -> None:
    assert shop_facts.payments_from({"sdo:acceptedPaymentMethod": told}) == known


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ({"sdo:name": "stepFree", "sdo:value": False}, False),
        (
            [{"sdo:name": "wifi", "sdo:value": True}, {"sdo:name": "stepFree", "sdo:value": True}],
            True,
        ),
        ([{"sdo:name": "stepFree", "sdo:value": "true"}], None),
        ([{"sdo:name": "stepFree"}], None),
        ("stepFree", None),
        ([[]], None),
    ],
)  # fmt: skip
def test_access_is_known_where_it_is_said_plainly(told: object, known: bool | None) -> None:
    assert shop_facts.step_free_from({"sdo:amenityFeature": told}) is known


CIRCLE = {"type": "sdo:GeoCircle", "sdo:geoRadius": 5000}
EUROS = {"sdo:value": "3.50", "sdo:currency": "EUR"}
DAYS = {"sdo:businessDays": {"sdo:dayOfWeek": ["https://schema.org/Tuesday", "Someday", 3]}}


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ({"sdo:shippingDestination": CIRCLE}, DeliveryTerms((), 5.0)),
        ([{"sdo:shippingDestination": [CIRCLE]}], DeliveryTerms((), 5.0)),
        ({"sdo:shippingDestination": CIRCLE, "sdo:shippingRate": EUROS},
         DeliveryTerms((), 5.0, 350)),
        ({"sdo:shippingDestination": CIRCLE, "sdo:shippingRate": {**EUROS, "sdo:currency": "USD"}},
         DeliveryTerms((), 5.0)),
        ({"sdo:shippingDestination": CIRCLE, "sdo:shippingRate": {"sdo:value": "-1"}},
         DeliveryTerms((), 5.0)),
        ({"sdo:shippingDestination": {"sdo:geoRadius": True}}, None),
        ({"sdo:shippingDestination": {"sdo:geoRadius": -1}}, None),
        ({"sdo:shippingDestination": {"sdo:geoRadius": 10**9}}, None),
        ({"sdo:shippingDestination": {"sdo:geoRadius": float("inf")}}, None),
        ({"sdo:shippingDestination": {"sdo:identifier": "FR-INSEE:../.."}}, None),
        ({"sdo:shippingRate": EUROS}, None),
        ({"sdo:shippingDestination": CIRCLE, "sdo:deliveryTime": DAYS},
         DeliveryTerms((), 5.0, days=(1,))),
        ({"sdo:shippingDestination": CIRCLE, "sdo:deliveryTime": {
            **DAYS, "sdo:handlingTime": {"sdo:minValue": 2, "sdo:unitCode": "DAY"},
            "sdo:cutoffTime": "18:30:00"}}, DeliveryTerms((), 5.0, None, None, (1,), 2, 1110)),
        ({"sdo:shippingDestination": CIRCLE, "sdo:deliveryTime": {
            **DAYS, "sdo:handlingTime": {"sdo:value": 900, "sdo:unitCode": "DAY"},
            "sdo:cutoffTime": "24:00"}}, DeliveryTerms((), 5.0, days=(1,))),
        ({"sdo:shippingDestination": CIRCLE, "sdo:deliveryTime": {
            "sdo:businessDays": "Tuesday", "sdo:cutoffTime": "12:00"}}, DeliveryTerms((), 5.0)),
        ("everywhere", None),
        ([], None),
    ],
)  # fmt: skip
def test_delivery_is_read_as_far_as_it_can_be(told: object, known: DeliveryTerms | None) -> None:
    assert shop_facts.delivery_from({"sdo:shippingDetails": told}) == known


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ({"sdo:minValue": 90, "sdo:unitCode": "MIN"}, 90),
        ([{"sdo:value": 15, "sdo:unitCode": "MIN"}], 15),
        ({"sdo:minValue": 2, "sdo:unitCode": "HUR"}, None),
        ({"sdo:minValue": 0, "sdo:unitCode": "MIN"}, None),
        ({"sdo:minValue": True, "sdo:unitCode": "MIN"}, None),
        ({"sdo:minValue": 10**9, "sdo:unitCode": "MIN"}, None),
        ("soon", None),
    ],
)  # fmt: skip
def test_how_soon_things_are_ready(told: object, known: int | None) -> None:
    assert shop_facts.ready_from({"sdo:deliveryLeadTime": told}) == known


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["09:00", "Monday", "FR-INSEE:33063", "2026-12-24", "stepFree", "card"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["sdo:dayOfWeek", "sdo:opens", "sdo:closes", "sdo:validFrom", "sdo:validThrough",
             "sdo:name", "sdo:value", "sdo:shippingDestination", "sdo:shippingRate",
             "sdo:identifier", "sdo:geoRadius", "sdo:currency", "sdo:description"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip
NOWHERE = Place(ground.PESSAC, "33318", "Pessac", "33", "Gironde", None, None, None)
MEMBERS = [name for name in document(TOLD) if name.startswith("sdo:")]


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(MEMBERS), JUNK, max_size=4))
def test_whatever_stands_there_a_shop_can_use_what_was_read(changed: dict[str, Any]) -> None:
    got = shop_documents.from_document(
        {**copy.deepcopy(document(TOLD)), **changed}, "boutiques.pessac.example", "new", NOW
    )
    draft = shops.ShopDraft(
        "fleurs", "Fleurs", NOWHERE, hours=got.hours, payments=got.payments,
        step_free=got.step_free, delivery=got.delivery, ready_minutes=got.ready_minutes,
    )  # fmt: skip
    shops.check(draft)

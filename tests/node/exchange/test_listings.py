"""Listings as Notes: what goes out, what comes in, and that nothing in between is lost."""

import copy
import dataclasses
import json
import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import documents, proofs
from federation.errors import Refused
from node import answers, catalogue, categories, prices
from node.exchange import listings, listings_read, outbox, terms
from node.model import (
    Availability,
    Condition,
    Kind,
    Listing,
    Offer,
    Photo,
    Place,
    RemotePhoto,
    Shop,
    Tombstone,
)
from node.store import listings as rows
from node.store import places
from node.translation import Catalogues
from node.uris import Uris
from tests import ground
from tests.ground import NOW

URIS = Uris("https://boutiques.pessac.example")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
LATER = NOW + timedelta(days=3)
ID = "0b8e6c1e-3f0b-4c57-9a54-4f0d3a0e7c11"

SHOP = Shop(
    id="shop",
    uri=URIS.actor("fleurs"),
    url=URIS.profile("fleurs"),
    peer=None,
    handle="fleurs",
    name="Au Fil <des> Fleurs & Cie",
    summary=None,
    place=ground.PESSAC,
    address="3 rue du Four",
    phone=None,
    latitude=None,
    longitude=None,
    opened=NOW,
    updated=NOW,
    seen=NOW,
    closed=None,
)


@pytest.fixture(scope="module")
def pessac() -> Iterator[Place]:
    with closing(places.open_places()) as db:
        found = places.get(db, ground.PESSAC)
        assert found is not None
        yield found


def listing(*offers: Offer, **more: Any) -> Listing:
    name = more.get("name", "Miel de lavande")
    values: dict[str, Any] = {
        "id": ID,
        "uri": URIS.listing("fleurs", ID),
        "url": URIS.listing_page("fleurs", ID, name),
        "shop": "shop",
        "name": name,
        "description": "",
        "category": None,
        "condition": Condition.NEW,
        "language": "fr",
        "announce": False,
        "published": NOW,
        "updated": NOW + timedelta(hours=1),
        "seen": NOW,
        "withdrawn": None,
        "offers": offers or (ground.offer(650),),
    }
    return Listing(**{**values, **more})


def document(
    one: Listing, place: Place | None = None, shop: Shop = SHOP, language: str = "fr"
) -> dict[str, Any]:
    say = Catalogues().speak(language)
    return listings.document(one, shop, place, "pessac", URIS, say, KEY)


def read(note: dict[str, Any], shop: Shop = SHOP) -> Listing:
    """As a neighbour reads it: through bytes."""
    return listings_read.from_document(documents.parse(outbox.encode(note)), shop, ID, LATER)


MANY = listing(
    ground.offer(
        650,
        axes={"poids": "250 g", "pot": "verre"},
        quantity_milli=250_000,
        unit="g",
        gtin="4006381333931",
        sku="M-250",
    ),
    ground.offer(
        1190,
        axes={"poids": "500 g", "pot": "verre"},
        quantity_milli=500_000,
        unit="g",
        availability=Availability.OUT_OF_STOCK,
        gtin="96385074",
    ),
    ground.offer(None, axes={"poids": "10 kg", "pot": "seau"}, availability=Availability.ON_ORDER),
    description="Récolté à Pessac.\nDoux & <b>clair</b>.",
    category="boulangerie.pain",
    condition=Condition.USED,
)


# --- there and back ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "one",
    [
        listing(),
        MANY,
        listing(ground.offer(None)),
        listing(ground.offer(None), description="Sur devis", category="boulangerie.pain"),
        listing(ground.offer(1, quantity_milli=1, unit="m2")),
        listing(ground.offer(999_999_999, currency="CHF")),
        listing(ground.offer(100, currency="SEK")),
        listing(name='Miel "d\'été" <i>&amp; pain</i> 🍯', description="x" * 5000),
        listing(language="en", updated=NOW),
        *(listing(ground.offer(1, availability=value)) for value in Availability),
        *(listing(condition=value) for value in Condition),
        listing(kind=Kind.SERVICE, pick_up=False),
        listing(kind=Kind.SERVICE, delivered=True),
        listing(pick_up=False, delivered=True, category="epicerie.huiles"),
        listing(delivered=True, category="none.of.ours"),
        *(listing(ground.offer(125, quantity_milli=1500, unit=unit)) for unit in prices.UNITS),
    ],
)
def test_a_neighbour_reads_what_was_written(one: Listing, pessac: Place) -> None:
    got = read(document(one, pessac))
    assert got.offers == tuple(
        dataclasses.replace(
            offer, id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{one.uri}#{position}")), stock=None
        )
        for position, offer in enumerate(one.offers)
    )
    assert got == dataclasses.replace(one, offers=got.offers, seen=LATER)


def test_how_many_there_are_stays_in_the_shop() -> None:
    note = document(listing(ground.offer(650, stock=731_731)))
    assert "731731" not in json.dumps(note)


def test_offers_read_again_have_the_same_ids() -> None:
    note = document(MANY)
    assert [one.id for one in read(note).offers] == [one.id for one in read(note).offers]


# --- out -----------------------------------------------------------------------------------------


def test_asked_for_twice_it_is_the_same_to_the_byte(pessac: Place) -> None:
    first = outbox.encode(document(MANY, pessac))
    assert outbox.encode(document(copy.deepcopy(MANY), pessac)) == first


def test_its_proof_holds_and_stands_for_every_part_of_it(pessac: Place) -> None:
    note = documents.parse(outbox.encode(document(MANY, pessac)))
    proofs.verify(note, KEY.public_key(), LATER)
    assert proofs.verification_method(note) == URIS.object_key("fleurs")
    with pytest.raises(Refused):
        proofs.verify(note, OTHER_KEY.public_key(), LATER)
    for member in set(note) - {"proof", "@context"}:
        changed = {**note, member: "changed"}
        with pytest.raises(Refused):
            proofs.verify(changed, KEY.public_key(), LATER)


def test_the_note_is_one_that_every_server_can_show(pessac: Place) -> None:
    note = document(MANY, pessac)
    assert note["type"] == "Note"
    assert "summary" not in note  # would be shown as a content warning
    assert "name" not in note  # would be taken for a poll's answer
    assert note["sensitive"] is False
    assert note["to"] == ["https://www.w3.org/ns/activitystreams#Public"]
    assert note["attributedTo"] == SHOP.uri
    assert note["cc"] == [f"{SHOP.uri}/followers", URIS.actor("pessac")]
    assert note["contentMap"] == {"fr": note["content"]}
    assert (note["published"], note["updated"]) == ("2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z")
    assert isinstance(note["tag"], list)


SHOWN = listing(
    photos=(Photo("ab" * 32, "Un pot de miel", 1600, 1067), Photo("cd" * 32, "", 90, 60))
)


def test_photos_are_attached_small_and_described() -> None:
    first, second = document(SHOWN)["attachment"]
    assert first == {
        "type": "Image",
        "mediaType": "image/jpeg",
        "url": f"https://boutiques.pessac.example/media/{'ab' * 32}.800.jpg",
        "name": "Un pot de miel",
        "width": 800,
        "height": 534,
    }
    assert (second["width"], second["height"]) == (90, 60)
    assert read(document(SHOWN)).photos == ()  # a neighbour makes its own copy


@pytest.mark.parametrize("one", [listing(), MANY, listing(ground.offer(None)), SHOWN])
def test_only_images_are_attached(one: Listing) -> None:
    for attached in document(one)["attachment"]:
        assert attached["type"] in ("Image", "Document")
        assert attached["mediaType"].startswith("image/")


@pytest.mark.parametrize(
    ("one", "beginning"),
    [
        (listing(ground.offer(650)), "Miel de lavande — 6,50\u202f€ TTC"),
        (
            listing(ground.offer(650, quantity_milli=250_000, unit="g")),
            "Miel de lavande — 6,50\u202f€ TTC (26,00\u202f€/kg)",
        ),
        (
            listing(ground.offer(300, quantity_milli=6000, unit="piece")),
            "Miel de lavande — 3,00\u202f€ TTC (0,50\u202f€/pièce)",
        ),
        (
            listing(ground.offer(1190, axes={"n": "2"}), ground.offer(650, axes={"n": "1"})),
            "Miel de lavande — à partir de 6,50\u202f€ TTC",
        ),
        (
            listing(ground.offer(650, axes={"n": "2"}), ground.offer(650, axes={"n": "1"})),
            "Miel de lavande — 6,50\u202f€ TTC",
        ),
        (listing(ground.offer(None)), "Miel de lavande — prix sur devis"),
    ],
)
def test_the_text_begins_with_title_and_price(one: Listing, beginning: str) -> None:
    text = re.sub(r"</?strong>", "", document(one)["content"])
    assert text.startswith(f"<p>{beginning}</p>")


def test_the_text_speaks_the_listings_language() -> None:
    note = document(listing(language="en"), language="en")
    assert note["content"].startswith("<p><strong>Miel de lavande</strong> — €6.50 incl. VAT</p>")
    assert list(note["contentMap"]) == ["en"]


def test_markup_in_what_people_typed_is_text() -> None:
    one = listing(
        name="<script>alert(1)</script>",
        description="<img src=x onerror=alert(1)>\n& </p>",
        url="https://boutiques.pessac.example/@fleurs/\"onclick='x",
    )
    content = document(one)["content"]
    assert set(re.findall(r"<(/?\w+)", content)) <= {
        "p",
        "/p",
        "strong",
        "/strong",
        "br",
        "a",
        "/a",
    }
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "&amp; &lt;/p&gt;" in content
    assert "Au Fil &lt;des&gt; Fleurs &amp; Cie" in content
    (href,) = re.findall(r"<a ([^>]*)>", content)
    assert href.count('"') == 2


def test_a_long_description_is_cut_in_the_text_only() -> None:
    long = "miel " * 900
    note = document(listing(description=long.strip()))
    assert len(note["content"]) < 1500
    assert "miel …" in note["content"]
    assert read(note).description == long.strip()


def test_a_price_on_request_is_no_gift() -> None:
    """FEP-0837 takes a Proposal without `reciprocal` for one, so it has none of its terms."""
    note = document(listing(ground.offer(None)))
    for member in ("purpose", "publishes", "reciprocal", "unitBased", "flohmarkt:data"):
        assert member not in note
    (offer,) = note["sdo:offers"]
    assert not {"sdo:price", "sdo:priceCurrency", "sdo:priceSpecification"} & offer.keys()


@pytest.mark.parametrize(
    ("offers", "amount"),
    [
        ([(1190, "in_stock"), (650, "in_stock"), (990, "in_stock")], "6.50"),
        ([(1190, "in_stock"), (650, "out_of_stock"), (990, "limited")], "9.90"),
        ([(1190, "in_stock"), (650, "on_order")], "6.50"),
        ([(None, "in_stock"), (1190, "in_stock")], "11.90"),
        ([(1190, "out_of_stock"), (650, "out_of_stock")], "11.90"),  # the first
    ],
)
def test_programs_that_know_one_offer_get_the_cheapest_to_be_had(
    offers: list[tuple[int | None, str]], amount: str, pessac: Place
) -> None:
    one = listing(
        *(
            ground.offer(cents, axes={"n": str(n)}, availability=Availability(there))
            for n, (cents, there) in enumerate(offers)
        )
    )
    note = document(one, pessac)
    assert note["flohmarkt:data"]["price"] == amount
    assert note["flohmarkt:data"]["currency"] == "EUR"
    assert note["flohmarkt:data"]["coordinates"] == {
        "lat": pessac.latitude,
        "lng": pessac.longitude,
    }
    assert note["reciprocal"]["resourceQuantity"]["hasNumericalValue"] == amount
    assert note["reciprocal"]["resourceConformsTo"] == "https://www.wikidata.org/wiki/Q4916"
    assert len(note["sdo:offers"]) == len(offers)


def test_a_currency_that_fep0837_cannot_name_is_left_to_the_others() -> None:
    note = document(listing(ground.offer(100, currency="SEK")))
    assert "reciprocal" not in note
    assert note["sdo:offers"][0]["sdo:priceCurrency"] == "SEK"


def test_every_member_is_mapped_by_the_context(pessac: Place) -> None:
    """An unmapped name is dropped by readers that understand JSON-LD."""
    note = document(MANY, pessac)
    mapped = terms.LISTING_CONTEXT[-1]
    as2 = {
        "id", "type", "attributedTo", "to", "cc", "audience", "url", "published", "updated",
        "content", "contentMap", "attachment", "tag", "location", "proof", "@context",
            "replies", "likes", "shares",
    }  # fmt: skip
    for name in note.keys() - as2:
        assert name in mapped or name.partition(":")[0] in mapped, name


def test_what_remains_of_a_listing_has_a_proof() -> None:
    stone = Tombstone(URIS.listing("fleurs", ID), "Note", NOW)
    made = documents.parse(outbox.encode(listings.tombstone(stone, "fleurs", URIS, KEY)))
    proofs.verify(made, KEY.public_key(), LATER)
    assert (made["type"], made["formerType"], made["deleted"]) == (
        "Tombstone", "Note", "2026-11-23T08:00:00Z",
    )  # fmt: skip


# --- in ------------------------------------------------------------------------------------------


def test_one_where_several_are_expected_is_read() -> None:
    note = document(listing(ground.offer(650, quantity_milli=250_000, unit="g", axes={"n": "1"})))
    (offer,) = note["sdo:offers"]
    item = offer["sdo:itemOffered"]
    (item["sdo:additionalProperty"],) = item["sdo:additionalProperty"]
    item["sdo:size"] = [item["sdo:size"]]
    offer["sdo:itemOffered"] = [item]
    note["sdo:offers"] = offer
    (got,) = read(note).offers
    assert (got.price_cents, got.quantity_milli, got.axes) == (650, 250_000, {"n": "1"})


def test_a_number_where_text_is_expected_is_read_exactly() -> None:
    note = document(listing(ground.offer(650)))
    for price, cents in ((12.5, 1250), (12, 1200), (0.07, 7), ("12.50", 1250), ("12.500", 1250)):
        note["sdo:offers"][0]["sdo:price"] = price
        assert read(note).offers[0].price_cents == cents


@pytest.mark.parametrize(
    "price", [None, -1, "-1", "12,50", "1e3", True, [], {}, "", "NaN", 1e15, "12.505", "1 000"]
)
def test_a_price_that_cannot_be_read_is_on_request_and_never_guessed(price: object) -> None:
    note = document(listing(ground.offer(650)))
    note["sdo:offers"][0]["sdo:price"] = price
    assert read(note).offers[0].price_cents is None


def fep0837(**changed: Any) -> dict[str, Any]:
    """A listing of a server that knows nothing of schema.org."""
    note = document(listing(ground.offer(1250), description="Doux"))
    del note["sdo:offers"]
    return {**note, **changed}


def test_flohmarkts_words_alone_are_enough() -> None:
    got = read(fep0837())
    assert (got.name, got.description, got.offers[0].price_cents) == (
        "Miel de lavande", "Doux", 1250,
    )  # fmt: skip


def test_fep0837s_words_alone_are_enough() -> None:
    note = fep0837()
    del note["flohmarkt:data"]
    got = read(note)
    assert got.name.startswith("Miel de lavande")
    assert (got.offers[0].price_cents, got.offers[0].currency) == (1250, "EUR")


def test_fep0837_names_its_own_currency() -> None:
    """Twelve francs are not twelve euros."""
    note = fep0837()
    del note["flohmarkt:data"]
    note["reciprocal"]["resourceConformsTo"] = "https://www.wikidata.org/wiki/Q25344"
    assert read(note).offers[0].currency == "CHF"


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "Article"},
        {"type": None},
        {"inReplyTo": "https://other.example/1"},
        {"id": None},
        {"id": "not an address"},
    ],
)
def test_what_is_no_listing_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        read({**document(listing()), **changed})


def test_a_note_that_offers_nothing_is_refused() -> None:
    note = document(listing())
    for member in ("sdo:offers", "reciprocal", "flohmarkt:data"):
        del note[member]
    with pytest.raises(Refused) as caught:
        read(note)
    assert caught.value.code == "not-a-listing"


def test_a_page_elsewhere_is_not_linked_to() -> None:
    note = {**document(listing()), "url": "https://evil.example/miel"}
    assert read(note).url == listing().uri


def test_too_many_offers_are_cut() -> None:
    note = document(listing())
    note["sdo:offers"] = note["sdo:offers"] * 500
    assert len(read(note).offers) == listings_read.OFFERS_READ


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    st.sampled_from(["", " ", "Note", "https://schema.org/", "FR-INSEE:", "9" * 400, "1.0", "\n"]),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just([None, {}, "x"]),
    st.just({"type": "sdo:Offer"}),
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    if here:
        yield here
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*here, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from paths(item, (*here, position))


def put(value: Any, path: tuple[Any, ...], junk: Any) -> None:
    for step in path[:-1]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return  # an earlier change took it away
    if isinstance(value, dict) or (isinstance(value, list) and path[-1] in range(len(value))):
        value[path[-1]] = junk


WHOLE = document(MANY)
PLACES = sorted(paths({key: part for key, part in WHOLE.items() if key != "@context"}), key=repr)


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=6))
def test_a_strange_document_is_read_or_refused_and_nothing_else(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    note = copy.deepcopy(WHOLE)
    for path, junk in changes:
        put(note, path, copy.deepcopy(junk))
    try:
        got = listings_read.from_document(note, SHOP, ID, LATER)
    except Refused:
        return
    assert 1 <= len(got.name) <= 120
    assert got.offers
    for offer in got.offers:
        assert offer.price_cents is None or 0 <= offer.price_cents <= prices.CENTS_MOST
        assert (offer.unit is None) == (offer.quantity_milli is None)
        prices.unit_price(offer)
    assert got.url.startswith(("https://boutiques.pessac.example/", got.uri))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=4))
def test_whatever_was_read_can_be_stored_and_shown(
    stored: sqlite3.Connection, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    note = copy.deepcopy(WHOLE)
    for path, junk in changes:
        put(note, path, copy.deepcopy(junk))
    stored.execute("SAVEPOINT example")
    try:
        shop = ground.remote_shop(stored)
        got = listings_read.from_document(note, shop, ground.new_id(), LATER)
        catalogue.record_remote(stored, got, LATER)
        assert rows.get(stored, got.id) == got
        json.dumps(answers.listing(got, shop))
    except Refused:
        pass
    finally:
        stored.execute("ROLLBACK TO example")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path_factory.mktemp("node")) as db:
        db.execute("BEGIN")
        yield db
        db.execute("ROLLBACK")


def test_times_are_read_in_whole_seconds_of_utc() -> None:
    note = {
        **document(listing()),
        "published": "2026-11-23T10:00:00.999+02:00",
        "updated": "2026-11-23T10:30:00.5+02:00",
    }
    got = read(note)
    assert got.published == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    assert got.updated == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


# --- the photo of a neighbour's -------------------------------------------------------------------

HERE = "https://boutiques.pessac.example/photo"
IMAGE = {"type": "Image", "mediaType": "image/jpeg", "url": HERE, "name": "Un pot"}


def test_the_first_photo_that_is_attached_is_read() -> None:
    photos = (Photo("ab" * 32, "Un pot de miel", 1600, 1067), Photo("cd" * 32, "", 90, 60))
    got = read(document(listing(photos=photos))).remote_photo
    address = f"https://boutiques.pessac.example/media/{'ab' * 32}.800.jpg"
    assert got == RemotePhoto(address, "Un pot de miel")


@pytest.mark.parametrize(
    "attached",
    [
        IMAGE,
        [IMAGE],
        [None, 3, "x", [], {}, IMAGE, {**IMAGE, "url": f"{HERE}/2"}],
        {**IMAGE, "mediaType": None},
        {**IMAGE, "type": ["Image", "x"]},
        {**IMAGE, "type": "Document", "mediaType": "image/webp"},
        {**IMAGE, "url": [{"type": "Link", "href": HERE, "mediaType": "image/png"}]},
        {**IMAGE, "url": {"href": HERE}, "name": "  Un\r\npot  "},
        [{**IMAGE, "url": "https://elsewhere.example/photo"}, IMAGE],
        [{**IMAGE, "mediaType": "image/svg+xml"}, IMAGE],
    ],
)
def test_a_photo_is_read_in_every_way_it_is_told(attached: Any) -> None:
    note = {**document(listing()), "attachment": attached}
    assert read(note).remote_photo == RemotePhoto(HERE, "Un pot")


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "http://boutiques.pessac.example/photo"},
        {"url": "https://boutiques.pessac.example:8443/photo"},
        {"url": "https://boutiques.pessac.example@elsewhere.example/photo"},
        {"url": "//boutiques.pessac.example/photo"},
        {"url": "/photo"},
        {"url": "javascript:alert(1)"},
        {"url": "data:image/png;base64,AAAA"},
        {"url": f"{HERE}/{'x' * 2048}"},
        {"url": f"{HERE}\n"},
        {"url": {"href": {"href": HERE}}},
        {"url": None},
        {"url": []},
        {"url": 3},
        {"mediaType": "image/svg+xml"},
        {"mediaType": "video/mp4"},
        {"mediaType": ["image/jpeg"]},
        {"mediaType": {}},
        {"type": "Video"},
        {"type": None},
        {"type": "Document", "mediaType": None},
    ],
)
def test_what_is_no_photo_or_stands_elsewhere_is_left_alone(changed: dict[str, Any]) -> None:
    note = {**document(listing()), "attachment": [{**IMAGE, **changed}]}
    assert read(note).remote_photo is None


def test_few_attachments_are_looked_at_and_their_names_are_plain() -> None:
    note = {**document(listing()), "attachment": [{"type": "Image"}] * 5000 + [IMAGE]}
    assert read(note).remote_photo is None
    for name, alt in (("x" * 5000, "x" * 200), ("a\u202eb", "ab"), (7, ""), ({"a": 1}, "")):
        note = {**document(listing()), "attachment": {**IMAGE, "name": name}}
        assert read(note).remote_photo == RemotePhoto(HERE, alt)


# --- what it is and how it is had ----------------------------------------------------------------


def test_schema_orgs_words_say_how_it_is_had_and_what_it_is() -> None:
    one = listing(category="epicerie.huiles", kind=Kind.SERVICE, pick_up=True, delivered=True)
    (offer,) = document(one)["sdo:offers"]
    assert offer["sdo:availableDeliveryMethod"] == [
        "https://schema.org/OnSitePickup",
        "http://purl.org/goodrelations/v1#DeliveryModeOwnFleet",
    ]
    assert offer["sdo:itemOffered"]["type"] == "sdo:Service"
    label = categories.get("epicerie.huiles")
    assert label is not None
    assert offer["sdo:itemOffered"]["sdo:category"] == ["echoppe:epicerie.huiles", label.fr]
    english = document(dataclasses.replace(one, language="en"), language="en")
    assert english["sdo:offers"][0]["sdo:itemOffered"]["sdo:category"][1] == label.en


@pytest.mark.parametrize(
    ("told", "pick_up", "delivered"),
    [
        (None, True, False),  # as nodes wrote before they knew of it
        ([], False, False),
        ("https://schema.org/OnSitePickup", True, False),
        (["sdo:OnSitePickup"], True, False),
        (["https://schema.org/ParcelService"], False, True),
        (["http://purl.org/goodrelations/v1#DeliveryModeMail", "OnSitePickup"], True, True),
        (["https://schema.org/LockerDelivery"], True, False),
        ([3, None, {}, []], True, False),
        ({"id": "x"}, True, False),
        (["x" * 100_000], True, False),
        (["x"] * 100_000 + ["DeliveryModeOwnFleet"], True, False),
    ],
)
def test_how_it_is_had_is_read_as_far_as_it_can_be(
    told: object, pick_up: bool, delivered: bool
) -> None:
    note = document(listing())
    (offer,) = note["sdo:offers"]
    offer["sdo:availableDeliveryMethod"] = told
    if told is None:
        del offer["sdo:availableDeliveryMethod"]
    got = read_object(note)
    assert (got.pick_up, got.delivered) == (pick_up, delivered)


def test_shipping_that_is_told_means_that_it_is_delivered() -> None:
    note = document(listing())
    (offer,) = note["sdo:offers"]
    del offer["sdo:availableDeliveryMethod"]
    offer["sdo:shippingDetails"] = {"type": "sdo:OfferShippingDetails"}
    assert read_object(note).delivered


@pytest.mark.parametrize(
    ("told", "category"),
    [
        ("echoppe:boulangerie.pain", "boulangerie.pain"),
        (["echoppe:boulangerie.pain", "Pains"], "boulangerie.pain"),
        (["Pains", "echoppe:boulangerie.pain"], "boulangerie.pain"),
        ("Pains", None),
        ([["echoppe:x"]], None),
        (["x"] * 1000 + ["echoppe:x"], None),
        ({"sdo:codeValue": "x"}, None),
    ],
)
def test_a_category_is_found_among_what_others_call_it(told: object, category: str | None) -> None:
    note = document(listing())
    note["sdo:offers"][0]["sdo:itemOffered"]["sdo:category"] = told
    assert read_object(note).category == category


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("sdo:Service", Kind.SERVICE),
        (["https://schema.org/Service", "x"], Kind.SERVICE),
        ("sdo:Product", Kind.GOODS),
        (None, Kind.GOODS),
        ({}, Kind.GOODS),
        (["sdo:Thing"], Kind.GOODS),
    ],
)
def test_what_is_no_service_is_goods(told: object, kind: Kind) -> None:
    note = document(listing())
    note["sdo:offers"][0]["sdo:itemOffered"]["type"] = told
    assert read_object(note).kind is kind


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("deliverService", Kind.SERVICE),
        ("vf:deliverService", Kind.SERVICE),
        ("transfer", Kind.GOODS),
        (None, Kind.GOODS),
        (["deliverService"], Kind.GOODS),
    ],
)
def test_fep0837_tells_a_service_by_its_action(action: object, kind: Kind) -> None:
    note = document(listing(kind=Kind.SERVICE))
    assert note["publishes"]["action"] == "deliverService"
    assert note["reciprocal"]["action"] == "transfer"
    assert document(listing())["publishes"]["action"] == "transfer"
    del note["sdo:offers"]
    note["publishes"]["action"] = action
    assert read_object(note).kind is kind
    note["publishes"] = action
    assert read_object(note).kind is Kind.GOODS


def read_object(note: dict[str, Any]) -> Listing:
    return listings_read.from_document(note, SHOP, ID, LATER)


@pytest.mark.parametrize(
    ("told", "point"),
    [
        ({"lat": 44.84, "lng": -0.58}, (44.84, -0.58)),
        ({"lat": 44, "lng": 0}, (44.0, 0.0)),
        ({"lat": 0, "lng": 0}, None),
        ({"lat": "44.84", "lng": "-0.58"}, None),
        ({"lat": 91, "lng": 0}, None),
        ({"lat": 44, "lng": 181}, None),
        ({"lat": float("nan"), "lng": 1}, None),
        ({"lat": True, "lng": 1}, None),
        ({"lat": 44}, None),
        ([44, 0], None),
        (None, None),
    ],
)
def test_where_an_item_of_flohmarkt_is(told: object, point: tuple[float, float] | None) -> None:
    assert listings_read.point_of({"flohmarkt:data": {"coordinates": told}}) == point


def test_ids_of_neighbours_listings_are_in_the_order_in_which_they_came() -> None:
    moments = [NOW, NOW + timedelta(milliseconds=1), NOW + timedelta(days=9000)]
    ids = [uuid.UUID(listings_read.local_id(ground.new_id(), moment)) for moment in moments]
    assert sorted(map(str, ids)) == list(map(str, ids))
    assert [(one.version, one.variant) for one in ids] == [(7, uuid.RFC_4122)] * 3
    assert [one.int >> 80 for one in ids] == [int(one.timestamp() * 1000) for one in moments]
    assert len({listings_read.local_id(ground.new_id(), NOW) for _ in range(2)}) == 2

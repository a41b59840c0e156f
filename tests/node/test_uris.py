"""The addresses of a node, made and read back."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import uris
from node.uris import Uris

ORIGIN = "https://boutiques.pessac.example"
US = Uris(ORIGIN)
LISTING = "0b8e6c1e-3f0b-4c57-9a54-4f0d3a0e7c11"


def test_the_shapes_that_others_hold_never_change() -> None:
    item = f"{ORIGIN}/users/fleurs/items/{LISTING}"
    assert US.actor("fleurs") == f"{ORIGIN}/users/fleurs"
    assert US.instance == f"{ORIGIN}/users/instance"
    assert US.shared_inbox == f"{ORIGIN}/inbox"
    assert US.changes == f"{ORIGIN}/users/instance/outbox"
    assert US.main_key("fleurs") == f"{ORIGIN}/users/fleurs#main-key"
    assert US.object_key("fleurs") == f"{ORIGIN}/users/fleurs#ed25519-key"
    assert US.profile("fleurs") == f"{ORIGIN}/@fleurs"
    assert US.listing("fleurs", LISTING) == item
    assert US.listing_page("fleurs", LISTING, "Œufs de l'été") == (
        f"{ORIGIN}/@fleurs/oeufs-de-l-ete-0b8e6c1e"
    )
    assert US.create(item) == f"{item}/activity"
    assert US.update(item, 7) == f"{item}/update/7"
    assert US.delete(item) == f"{item}/delete"


def test_a_port_belongs_to_the_authority() -> None:
    private = Uris("http://127.0.0.1:8001")
    assert (private.authority, private.scheme) == ("127.0.0.1:8001", "http")
    assert (US.authority, US.scheme) == ("boutiques.pessac.example", "https")


@pytest.mark.parametrize("handle", ["a", "7", "fleurs", "fleurs_de_lys", "a" * 30, "a__b"])
def test_a_handle(handle: str) -> None:
    assert uris.is_handle(handle)
    assert US.handle_of(US.actor(handle)) == handle


@pytest.mark.parametrize(
    "handle",
    ["", "_a", "a_", "A", "é", "a-b", "a.b", "a b", "a" * 31, "a\n", "fleurs/x", "ａ", "٣"],
)
def test_no_handle(handle: str) -> None:
    assert not uris.is_handle(handle)


@pytest.mark.parametrize(
    "uri",
    [
        f"{ORIGIN}/users/",
        f"{ORIGIN}/users/fleurs/",
        f"{ORIGIN}/users/fleurs\n",
        f"{ORIGIN}/users/fleurs#main-key",
        f"{ORIGIN}/users/Fleurs",
        f"{ORIGIN}.evil.example/users/fleurs",
        "https://boutiquesXpessac.example/users/fleurs",
        "http://boutiques.pessac.example/users/fleurs",
        f"{ORIGIN}/@fleurs",
        "",
    ],
)
def test_what_is_no_actor_of_ours_has_no_handle(uri: str) -> None:
    assert US.handle_of(uri) is None


@given(st.uuids(version=4))
def test_a_listing_reads_back(number: uuid.UUID) -> None:
    assert US.listing_of(US.listing("fleurs", str(number))) == ("fleurs", str(number))


@pytest.mark.parametrize(
    "tail",
    [
        f"/users/fleurs/items/{LISTING}/activity",
        f"/users/fleurs/items/{LISTING.upper()}",
        f"/users/fleurs/items/{LISTING}\n",
        "/users/fleurs/items/0b8e6c1e-3f0b-1c57-9a54-4f0d3a0e7c11",
        "/users/fleurs/items/1",
        f"/users/fleurs/../items/{LISTING}",
    ],
)
def test_what_is_no_listing_of_ours_is_none(tail: str) -> None:
    assert US.listing_of(ORIGIN + tail) is None
    assert US.listing_of(f"https://other.example/users/fleurs/items/{LISTING}") is None


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Miel de lavande", "miel-de-lavande"),
        ("Œufs à l'été !", "oeufs-a-l-ete"),
        ("  Ça -- coûte 12,50 €  ", "ca-coute-12-50"),
        ("Straße", "strasse"),
        ("日本", "article"),
        ("", "article"),
        ("<script>/../", "script"),
    ],
)
def test_a_slug(name: str, slug: str) -> None:
    assert uris.slug(name) == slug


@given(st.text())
def test_every_name_has_a_slug_that_is_safe_in_an_address(name: str) -> None:
    made = uris.slug(name)
    assert 1 <= len(made) <= 60
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert made.strip("-") == made

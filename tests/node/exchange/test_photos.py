"""Copies of neighbours' photos: fetched, bounded, dropped and had again; ours are never touched."""

import io
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from federation.errors import Refused, Unreachable
from node import catalogue, media, moderation, shops
from node.exchange import photos
from node.exchange.context import Context
from node.model import Listing, RemotePhoto, Shop
from node.store import doors, listings, peers, remote_photos
from node.store import photos as own_photos
from tests import ground
from tests.ground import NOW, PEER

pytestmark = pytest.mark.anyio

LARGE = 1_000_000


def picture(colour: int) -> bytes:
    """Noise of which no two are alike, and which takes its room."""
    made = Image.effect_noise((400, 300), 60).convert("RGB")
    made.paste((colour, 0, 0), (0, 0, 20, 20))
    written = io.BytesIO()
    made.save(written, "JPEG", exif=b"Exif\0\0secret")
    return written.getvalue()


@dataclass
class World:
    """A node's file and its copies, with a neighbour that answers what a test says."""

    folder: Path
    database: doors.Database
    now: datetime = NOW
    asked: list[str] = field(default_factory=list)
    answers: dict[str, bytes | Exception] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now

    @property
    def http(self) -> "World":
        return self

    async def fetch_media(self, url: str) -> bytes:
        self.asked.append(url.rpartition("/")[2])
        answer = self.answers[self.asked[-1]]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def copies(self, most: int = LARGE) -> photos.Copies:
        return photos.Copies(
            cast(Context, self),
            self.folder,
            media.Darkroom(self.folder),
            random.Random(1),
            most,
        )

    async def write(self, function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return await self.database.write(function, *args, **more)

    async def listing(self, shop: Shop, name: str) -> Listing:
        """A neighbour's listing with a photo of that name."""
        told = ground.remote_listing(
            shop, name, remote_photo=RemotePhoto(f"https://{PEER}/{name}", name), seen=self.now
        )
        await self.write(catalogue.record_remote, told, self.now)
        self.answers.setdefault(name, picture(len(self.answers)))
        return told

    async def photo(self, listing: Listing) -> RemotePhoto | None:
        found = await self.database.read(listings.get, listing.id)
        return None if found is None else found.remote_photo

    async def held(self, listing: Listing) -> bool:
        """Whether there is a copy: a row and its file, or neither."""
        photo = await self.photo(listing)
        return photo is not None and photo.id is not None and self.file(photo).is_file()

    def file(self, photo: RemotePhoto) -> Path:
        return media.copy_path(self.folder, photo.id or "")

    def files(self) -> set[str]:
        found = (self.folder / "media-remote").rglob("*")
        return {one.name.partition(".")[0] for one in found if one.is_file()}


async def fetch_all(copies: photos.Copies) -> None:
    for _ in range(20):
        if await copies.work() != 0:
            return
    raise AssertionError("it goes on and on")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with doors.Database(ground.make(tmp_path / "node")) as db:
        yield World(tmp_path / "node", db)


@pytest.fixture
async def shop(world: World) -> Shop:
    def add(db: Any) -> Shop:
        made = ground.remote_shop(db)
        peers.change_following(db, PEER, "accepted", "urn:follow")
        peers.mark_heard(db, PEER, NOW)
        return made

    return cast(Shop, await world.write(add))


async def test_a_copy_is_small_and_bare(world: World, shop: Shop) -> None:
    told = await world.listing(shop, "pain")
    await fetch_all(world.copies())
    photo = await world.photo(told)
    assert photo is not None
    assert (photo.alt, photo.width, photo.height) == ("pain", 320, 240)
    content = world.file(photo).read_bytes()
    with Image.open(io.BytesIO(content)) as copy:
        assert (copy.format, copy.size) == ("WEBP", (320, 240))
    assert b"secret" in picture(0)
    assert b"secret" not in content
    assert b"EXIF" not in content
    assert world.files() == {photo.id}


async def test_the_least_lately_shown_goes_first_and_comes_back(world: World, shop: Shop) -> None:
    named = {name: await world.listing(shop, name) for name in ("a", "b", "c")}
    copies = world.copies()
    for name in ("b", "a", "c"):  # each shown two hours after the other
        copies.shown.note(named[name].id)
        world.now += timedelta(hours=2)
        await fetch_all(copies)
    sizes = [world.file(photo).stat().st_size for name in named.values()
             if (photo := await world.photo(name))]  # fmt: skip
    own = await own_photo(world)

    copies = world.copies(sum(sizes) - 1)
    await copies.sweep()
    assert [await world.held(one) for one in named.values()] == [True, False, True]
    assert len(world.files()) == 2
    world.asked.clear()
    await fetch_all(copies)
    assert world.asked == []  # not before it is shown

    world.now += timedelta(hours=2)
    copies.shown.note(named["b"].id)
    await fetch_all(copies)
    assert world.asked == ["b"]
    assert [await world.held(one) for one in named.values()] == [False, True, True]
    assert len(world.files()) == 2
    assert media.is_whole(world.folder, own)

    copies = world.copies(1)
    await copies.sweep()
    assert world.files() == set()
    await world.write(media.sweep, world.folder, world.now + timedelta(hours=5))
    assert media.is_whole(world.folder, own)


async def own_photo(world: World) -> str:
    """A photo of a shop of ours, that a listing shows."""
    with io.BytesIO(picture(200)) as content, (world.folder / "x").open("w+b") as source:
        source.write(content.read())
        source.flush()
        made = media.develop(world.folder, source)

    def show(db: Any) -> None:
        ours = ground.open_shop(db)
        photo = media.keep(db, world.folder, ours, made, "", NOW)
        ground.publish(db, ours, "Bouquet", photos=(photo,))
        assert own_photos.is_shown(db, photo.id, NOW)

    await world.write(show)
    return made.id


async def test_new_ones_leave_room_for_what_is_shown(world: World, shop: Shop) -> None:
    first, second = await world.listing(shop, "a"), await world.listing(shop, "b")
    copies = world.copies(1000)  # less than one takes
    await fetch_all(copies)
    assert sorted(world.asked) == ["a", "b"]  # tried once while there was room, and never again
    assert not await world.held(first)
    assert not await world.held(second)
    world.asked.clear()
    await fetch_all(copies)
    assert world.asked == []
    size = 0
    copies = world.copies()
    copies.shown.note(first.id)
    await fetch_all(copies)
    if photo := await world.photo(first):
        size = world.file(photo).stat().st_size
    await world.listing(shop, "c")
    world.asked.clear()
    await fetch_all(world.copies(size + 10))
    assert world.asked == []
    assert await world.held(first)


async def test_showing_a_page_writes_at_most_once_an_hour(world: World, shop: Shop) -> None:
    told = await world.listing(shop, "a")
    copies = world.copies()
    copies.shown.note(told.id)
    await fetch_all(copies)
    world.database.changed()
    world.now += timedelta(minutes=50)
    copies.shown.note(told.id)
    await copies.work()
    assert not world.database.changed()
    world.now += timedelta(minutes=20)
    copies.shown.note(told.id)
    await copies.work()
    assert world.database.changed()


async def test_what_cannot_be_had_is_tried_a_few_times(world: World, shop: Shop) -> None:
    told = await world.listing(shop, "a")
    world.answers["a"] = Unreachable("timeout", "")
    copies = world.copies()
    for _ in range(100):
        await fetch_all(copies)
        copies.shown.note(told.id)
        world.now += timedelta(hours=1)
        await world.write(peers.mark_heard, PEER, world.now)
    assert len(world.asked) == remote_photos.GIVEN_UP
    await fetch_all(copies)
    # Named anew by its listing, it is asked for again.
    changed = ground.remote_listing(
        shop, "b", id=told.id, uri=told.uri, updated=world.now, seen=world.now,
        remote_photo=RemotePhoto(f"https://{PEER}/b", ""),
    )  # fmt: skip
    world.answers["b"] = picture(9)
    await world.write(catalogue.record_remote, changed, world.now)
    await fetch_all(copies)
    assert await world.held(told)


@pytest.mark.parametrize("answer", [Refused("wrong-content-type", ""), b"<html>", b""])
async def test_what_is_no_photo_is_asked_for_once(
    world: World, shop: Shop, answer: bytes | Exception
) -> None:
    told, other = await world.listing(shop, "a"), await world.listing(shop, "b")
    world.answers["a"] = answer
    copies = world.copies()
    for _ in range(3):
        await fetch_all(copies)
        copies.shown.note(told.id)
        world.now += timedelta(hours=2)
    assert sorted(world.asked) == ["a", "b"]
    assert not await world.held(told)
    assert await world.held(other)


async def test_a_change_keeps_the_copy_of_the_same_photo(world: World, shop: Shop) -> None:
    told = await world.listing(shop, "a")
    copies = world.copies()
    await fetch_all(copies)
    before = await world.photo(told)
    assert before is not None
    for photo in (RemotePhoto(before.url, "dit autrement"), None):
        world.now += timedelta(hours=1)
        changed = ground.remote_listing(
            shop, "a", id=told.id, uri=told.uri, updated=world.now, remote_photo=photo
        )
        await world.write(catalogue.record_remote, changed, world.now)
        await fetch_all(copies)
        if photo is not None:
            assert await world.photo(told) == RemotePhoto(
                before.url, "dit autrement", before.id, before.width, before.height
            )
    assert await world.photo(told) is None
    assert world.asked == ["a"]


async def test_whose_photos_are_neither_fetched_nor_shown(world: World, shop: Shop) -> None:
    told = await world.listing(shop, "a")
    copies = world.copies()
    await fetch_all(copies)
    photo = await world.photo(told)
    assert photo is not None

    async def is_seen(now: datetime) -> bool:
        since = now - photos.HIDDEN_AFTER
        return bool(await world.database.read(remote_photos.is_held, photo.id, since))

    assert await is_seen(NOW)
    assert not await is_seen(NOW + timedelta(days=31))
    await world.listing(shop, "b")
    world.now += timedelta(days=31)
    await fetch_all(copies)
    world.now = NOW
    await world.write(moderation.suspend, PEER, "", NOW)
    assert not await is_seen(NOW)
    await fetch_all(copies)
    assert world.asked == ["a"]
    await world.write(moderation.restore, PEER, NOW)
    await fetch_all(copies)
    assert world.asked == ["a", "b"]


async def test_the_sweep_removes_what_no_listing_has(world: World, shop: Shop) -> None:
    world.answers["b"] = world.answers["a"] = picture(1)
    twins = [await world.listing(shop, "a"), await world.listing(shop, "b")]
    other = await world.listing(shop, "c")
    copies = world.copies()
    await fetch_all(copies)
    assert len(world.files()) == 2
    stray = world.folder / "media-remote" / "incoming" / "left"
    stray.mkdir()
    (stray / "320.webp").touch()
    await world.write(catalogue.remove_remote, twins[0].uri, NOW)
    assert await copies.sweep() == 1
    assert not stray.exists()
    assert await world.held(twins[1])
    await world.write(catalogue.remove_remote, twins[1].uri, NOW)
    assert await copies.sweep() == 1
    assert await world.held(other)
    await world.write(moderation.block, PEER, "", NOW)
    assert await copies.sweep() == 1
    assert world.files() == set()


async def test_a_node_that_wants_none_fetches_none(world: World, shop: Shop) -> None:
    told = await world.listing(shop, "a")
    copies = world.copies(0)
    copies.shown.note(told.id)
    await fetch_all(copies)
    assert world.asked == []
    await world.write(shops.remove_remote, shop.uri)
    assert await copies.sweep() == 0


async def test_a_file_that_two_listings_share_stays_for_the_other(world: World, shop: Shop) -> None:
    world.answers["b"] = world.answers["a"] = picture(1)
    twins = [await world.listing(shop, "a"), await world.listing(shop, "b")]
    await fetch_all(world.copies())
    photo = await world.photo(twins[0])
    assert photo is not None
    most = 2 * world.file(photo).stat().st_size - 1
    copies = world.copies(most)
    other = await world.listing(shop, "c")
    copies.shown.note(other.id)
    world.answers["c"] = world.answers["a"]
    await fetch_all(copies)
    assert [await world.held(one) for one in (*twins, other)] == [False, False, True]
    assert len(world.files()) == 1


async def test_a_clock_that_was_ahead_delays_nothing(world: World, shop: Shop) -> None:
    world.now += timedelta(days=300)
    told = await world.listing(shop, "a")
    world.now = NOW
    copies = world.copies()
    await fetch_all(copies)
    assert world.asked == []
    await world.write(remote_photos.begin_again, NOW)
    await fetch_all(copies)
    assert await world.held(told)


async def test_who_sends_none_is_left_alone_for_as_long_as_it_took(
    world: World, shop: Shop
) -> None:
    await world.listing(shop, "a")
    world.answers["a"] = b"\xff\xd8\xff"
    copies = world.copies()
    await fetch_all(copies)
    await world.listing(shop, "b")
    await fetch_all(copies)
    assert world.asked == ["a"]
    world.now += timedelta(hours=1)
    await fetch_all(copies)
    assert world.asked == ["a", "b"]

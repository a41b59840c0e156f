"""The towns of the demonstration: founded and filled by the functions that everything else uses,
served as three processes, made neighbours."""

import contextlib
import dataclasses
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import IO

import node
from node import accounts, catalogue, errors, founding, keyring, media, news, shops
from node.demo import content
from node.exchange import choosing, keys
from node.media_worker import SIZES, SUFFIXES
from node.model import Badge, Byline, Place, Role
from node.store import database, peers, places
from node.store import shops as shop_rows
from node.uris import Uris

AGREED_WITHIN = 60.0
STOPPED_WITHIN = 15.0
_READY = ".filled"  # stands in a folder that was filled to the end


@dataclass(slots=True)
class Town:
    """One node of the demonstration."""

    plan: content.TownPlan
    place: Place
    folder: Path
    port: int
    process: subprocess.Popen[str] | None = None
    log: IO[str] | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def uris(self) -> Uris:
        """Its addresses."""
        return Uris(self.url)


def lay_out(
    base: Path, port: int, shops_most: int | None, places_db: sqlite3.Connection
) -> list[Town]:
    """The towns as they are to be, in `base`, from `port` on. An address is for good, so each
    first port has folders of its own."""
    towns = []
    for number, plan in enumerate(content.plans(_new_id, shops_most)):
        place = places.get(places_db, plan.commune)
        if place is None:
            raise errors.Unusable("unknown-commune", f"{plan.commune} is no commune of today.")
        handle = founding.commune_handle(place)
        towns.append(Town(plan, place, base / str(port) / handle, port + number))
    return towns


def check_ports(towns: Sequence[Town]) -> None:
    """Raises errors.Unusable when somebody listens on a port that is needed."""
    for town in towns:
        try:
            socket.create_server(("127.0.0.1", town.port)).close()
        except OSError as error:
            raise errors.Unusable(
                "cannot-listen",
                f"Port {town.port} cannot be used ({error.strerror}). "
                "Choose three free ports in a row: make demo PORT=9000",
            ) from None


def found(towns: Sequence[Town], told: Callable[[str], None]) -> int:
    """Founds and fills the towns that are not there yet, beside each other. Returns how many."""
    missing = [town for town in towns if not (town.folder / _READY).exists()]
    if not missing:
        return 0
    base = missing[0].folder.parent
    base.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=base) as darkroom,
        ThreadPoolExecutor(max(2, len(missing))) as pool,
    ):
        told("Drawing the pictures of the products...")
        developed = _develop(Path(darkroom), missing, pool)
        told("Opening the shops...")
        for town in pool.map(lambda one: _found(one, towns, Path(darkroom), developed), missing):
            told(f"  {town.place.name}: {len(town.plan.shelves)} shops")
    return len(missing)


def _develop(
    darkroom: Path, towns: Sequence[Town], pool: ThreadPoolExecutor
) -> dict[str, media.Developed]:
    """Each picture that is shown, once for all the towns, by its name."""
    names = sorted(
        {
            ware.picture
            for town in towns
            for shelf in town.plan.shelves
            for ware in shelf.wares
            if ware.picture is not None
        }
    )

    def one(name: str) -> media.Developed:
        picture = content.PICTURES.joinpath(f"{name}.webp")
        with resources.as_file(picture) as file, file.open("rb") as opened:
            return media.develop(darkroom, opened)

    return dict(zip(names, pool.map(one, names), strict=True))


def _found(
    town: Town, towns: Sequence[Town], darkroom: Path, developed: dict[str, media.Developed]
) -> Town:
    shutil.rmtree(town.folder, ignore_errors=True)  # what an interrupted start has left
    with contextlib.closing(places.open_places()) as places_db:
        founding.found(
            town.folder,
            founding.Charter(
                url=town.url,
                name=town.plan.name,
                communes=(town.place.id,),
                operator="commune",
                contact=town.plan.contact,
                listen=f"127.0.0.1:{town.port}",
                private_peers=tuple(
                    f"127.0.0.1:{other.port}" for other in towns if other is not town
                ),
            ),
            places_db,
        )
    _fill(town, darkroom, developed)
    (town.folder / _READY).touch()
    return town


def _fill(town: Town, darkroom: Path, developed: dict[str, media.Developed]) -> None:
    """Opens the shops and publishes what they have, some of it days ago."""
    ring = keyring.load(town.folder)
    made = [keys.generate(ring, shelf.table["handle"]) for shelf in town.plan.shelves]
    now = datetime.now(UTC)
    with database.transaction(town.folder) as db:
        for number, (shelf, actor_keys) in enumerate(zip(town.plan.shelves, made, strict=True)):
            opened = now - timedelta(days=60 - number)
            shop = shops.open_shop(
                db, town.uris, shelf.draft(town.place), actor_keys, _new_id(), opened
            )
            for turn, ware in enumerate(shelf.wares):
                draft = ware.draft
                if ware.picture is not None:
                    picture = developed[ware.picture]
                    _hang(darkroom, town, picture)
                    photo = media.keep(db, town.folder, shop, picture, draft.name, now)
                    draft = dataclasses.replace(draft, photos=(photo,))
                shown = now - timedelta(hours=(number * 31 + turn * 17) % 260, minutes=turn)
                catalogue.publish(db, town.uris, shop, draft, _new_id, shown)
        _tell(db, town, now)


def _tell(db: sqlite3.Connection, town: Town, now: datetime) -> None:
    """Tells the town's news and announces its events."""
    hall = news.town_hall(db, town.place.id)
    for told in town.plan.told:
        shop = shop_rows.get_own(db, told.shop) if told.shop else None
        if told.shop and shop is None:
            continue  # of a town with fewer shops
        byline = Byline(shop.name, Badge.SHOP) if shop else told.byline(hall)
        author = news.Author(byline, shop)
        draft = told.draft(town.place, now)
        news.publish(db, town.uris, author, draft, _new_id, told.published(now))


def _hang(darkroom: Path, town: Town, developed: media.Developed) -> None:
    """Brings a picture's files from where it was developed to where the town shows it."""
    for side in SIZES:
        for suffix in SUFFIXES:
            target = media.path(town.folder, developed.id, side, suffix)
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not target.exists():
                shutil.copyfile(media.path(darkroom, developed.id, side, suffix), target)


def _new_id() -> str:
    return str(uuid.uuid4())


# --- running -------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(towns: Sequence[Town]) -> Iterator[None]:
    """Serves the towns, each as a process of its own, and ends them whatever happens."""
    try:
        for town in towns:
            _start(town)
        for town in towns:
            _await_ready(town)
        yield
    finally:
        stop(towns)


def _start(town: Town) -> None:
    town.log = (town.folder.parent / f"{town.folder.name}.log").open("a", encoding="utf-8")
    above = str(Path(node.__file__).resolve().parent.parent)
    # A session of its own: Ctrl-C is for the demonstration, which then ends the towns in order.
    town.process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "node", "-C", str(town.folder), "serve"],
        stdout=subprocess.PIPE,
        stderr=town.log,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=above,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def _await_ready(town: Town) -> None:
    assert town.process is not None
    assert town.process.stdout is not None
    line = town.process.stdout.readline()
    if not line.startswith("ready "):
        raise errors.Unusable(
            "demo-town-failed",
            f"{town.place.name} did not start; see {town.folder.parent / town.folder.name}.log",
        )


def stop(towns: Sequence[Town]) -> None:
    """Ends the towns: asked first, ended if they do not listen."""
    running = [town for town in towns if town.process is not None]
    for town in running:
        assert town.process is not None
        with contextlib.suppress(ProcessLookupError):
            town.process.send_signal(signal.SIGTERM)
    for town in running:
        assert town.process is not None
        try:
            town.process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            town.process.kill()
            town.process.wait()
        if town.process.stdout is not None:
            town.process.stdout.close()
        town.process = None
        if town.log is not None:
            town.log.close()


def fallen(towns: Sequence[Town]) -> Town | None:
    """A town that has ended by itself."""
    return next(
        (town for town in towns if town.process is not None and town.process.poll() is not None),
        None,
    )


def befriend(towns: Sequence[Town]) -> None:
    """Each chooses each: what a steward does by hand, on all sides at once."""
    now = datetime.now(UTC)
    for town in towns:
        with database.transaction(town.folder) as db:
            known = {peer.host for peer in peers.find(db)}
            for other in towns:
                if other is town or other.uris.authority in known:
                    continue
                found = choosing.Found(
                    host=other.uris.authority,
                    origin=other.url,
                    actor=other.uris.instance,
                    name=other.plan.name,
                    software=f"{choosing.SOFTWARE} {node.__version__}",
                )
                choosing.choose(db, town.uris, found, _new_id(), now)


def await_agreement(towns: Sequence[Town]) -> float:
    """Waits until every town has read every other. Returns after how many seconds.

    Raises errors.Unusable when they do not come to it.
    """
    began = time.monotonic()
    for town in towns:
        while not _agrees(town, len(towns) - 1):
            if time.monotonic() - began > AGREED_WITHIN:
                raise errors.Unusable(
                    "demo-not-agreed",
                    f"{town.place.name} has not read its neighbours within a minute; "
                    f"see {town.folder.parent / town.folder.name}.log",
                )
            time.sleep(0.1)
    return time.monotonic() - began


def _agrees(town: Town, others: int) -> bool:
    with database.reading(town.folder) as db:
        found = peers.find(db)
    return len(found) == others and all(
        peer.synced is not None and peer.digest_agrees is not False for peer in found
    )


# --- letting people in ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Keys:
    """Links that let in a town's steward and a merchant of its first shop."""

    steward: str
    merchant: str
    shop: str


def let_in(town: Town) -> Keys:
    """Fresh one-time links."""
    ring = keyring.load(town.folder)
    now = datetime.now(UTC)
    host = town.folder.name
    with database.transaction(town.folder) as db:
        shop = shop_rows.get_own(db, town.plan.shelves[0].table["handle"])
        assert shop is not None
        links = []
        for email, role, held in (
            (f"mairie@{host}.example", Role.STEWARD, None),
            (f"boutique@{host}.example", Role.MERCHANT, shop.id),
        ):
            token = secrets.token_urlsafe(24)
            account = accounts.invite(
                db,
                email,
                role,
                shop=held,
                territory=None if held else town.place.id,
                account_id=_new_id(),
                token=token,
                now=now,
            )
            code = f"{secrets.randbelow(1_000_000):06d}"
            accounts.let_in(db, account, token, code, ring, now)
            links.append(f"{town.url}/connexion/{token}")
    return Keys(links[0], links[1], shop.name)

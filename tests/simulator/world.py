"""Some nodes that are neighbours of each other, each a real process over real HTTP, whose network
can be cut, whose clocks can be set, and that can be killed; and what they must agree on.

What merchants do goes through the product's own functions on a node's own file, as a command would,
whether its server runs or not.
"""

import contextlib
import random
import re
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from node import catalogue, keyring, neighbours, shops, territory
from node.exchange import follows, keys
from node.model import Availability, Offer
from node.publications import digest
from node.store import changes, database, peers
from node.uris import Uris
from tests.neighbours import Town, echoppe, eventually, free_ports
from tests.simulator.network import Network

COMMUNES = ("Bordeaux", "Pessac", "Talence")
HANDLE = "ruche"


@dataclass
class World:
    """The nodes, and what was last confirmed of each listing: its name, by node and id."""

    towns: list[Town]
    network: Network
    offsets: dict[int, float] = field(default_factory=dict)
    on_show: dict[int, dict[str, str]] = field(default_factory=dict)

    def now(self, town: Town) -> datetime:
        """What a node's clock says."""
        return datetime.now(UTC) + timedelta(seconds=self.offsets.get(town.port, 0))

    def set_clock(self, town: Town, offset: float) -> None:
        """Sets a node's clock ahead; it must not run."""
        assert town.process is None
        path = town.folder / "instance.toml"
        text = re.sub(r"\n\[testing\]\nclock_offset_s = .*\n", "", path.read_text())
        path.write_text(f"{text}\n[testing]\nclock_offset_s = {round(offset)}\n")
        self.offsets[town.port] = round(offset)

    # --- what merchants do -----------------------------------------------------------------------

    def publish(self, town: Town, *names: str) -> list[str]:
        """Puts listings on show, all in one transaction; returns their ids."""
        with database.transaction(town.folder) as db:
            shop = shops.get_open(db, HANDLE)
            made = [
                catalogue.publish(
                    db,
                    Uris(town.url),
                    shop,
                    _draft(name),
                    lambda: str(uuid.uuid4()),
                    self.now(town),
                )
                for name in names
            ]
        shown = self.on_show.setdefault(town.port, {})
        shown |= {one.id: one.name for one in made}
        return [one.id for one in made]

    def revise(self, town: Town, names: dict[str, str]) -> None:
        """Gives listings new names."""
        with database.transaction(town.folder) as db:
            shop = shops.get_open(db, HANDLE)
            for listing_id, name in names.items():
                catalogue.revise(db, Uris(town.url), shop, listing_id, _draft(name), self.now(town))
        self.on_show[town.port] |= names

    def withdraw(self, town: Town, *ids: str) -> None:
        """Takes listings off the shelf."""
        with database.transaction(town.folder) as db:
            for listing_id in ids:
                catalogue.withdraw(db, listing_id, self.now(town))
        for listing_id in ids:
            del self.on_show[town.port][listing_id]

    # --- what must be true -----------------------------------------------------------------------

    def differences(self) -> list[str]:
        """Where nodes do not agree: digests by which one holds what the other has, and names."""
        found = []
        own = {}
        for town in self.towns:
            with database.reading(town.folder) as db:
                live = changes.live_fingerprints(db)
                own[town.port] = digest(live), len(live)
            names = _names(town, None)
            if names != self.on_show.get(town.port, {}):
                found.append(f"{town.authority} does not show what was confirmed")
        for town in self.towns:
            with database.reading(town.folder) as db:
                for other in self.towns:
                    if other is town:
                        continue
                    held = neighbours.digest(db, other.authority)
                    if held != own[other.port]:
                        found.append(
                            f"{town.authority} holds {held[1]} of {own[other.port][1]} "
                            f"of {other.authority}"
                        )
                    elif _names(town, other.authority) != self.on_show.get(other.port, {}):
                        found.append(f"{town.authority} has other names for {other.authority}'s")
        return found

    def agree(self, within: float = 180.0) -> None:
        """Waits until all of them agree."""
        last: list[str] = []

        def agreed() -> bool:
            last[:] = self.differences()
            return not last

        try:
            eventually(agreed, within)
        except AssertionError:
            logs = "\n".join(town.log()[-1500:] for town in self.towns)
            raise AssertionError(f"{last}\n{logs}") from None


def _draft(name: str) -> catalogue.ListingDraft:
    price = Offer(
        str(uuid.uuid4()), {}, 400, "EUR", None, None, Availability.IN_STOCK, None, None, None
    )
    return catalogue.ListingDraft(name=name, offers=(price,))


def _names(town: Town, peer: str | None) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(town.folder / "node.db")) as db:
        rows = db.execute(
            """
            SELECT listings.uri, listings.name FROM listings
            JOIN shops ON shops.id = listings.shop
            WHERE shops.peer IS ? AND listings.withdrawn IS NULL
            """,
            (peer,),
        )
        return {uri.rpartition("/")[2]: name for uri, name in rows}


def _prepare(town: Town, others: list[Town]) -> None:
    """A shop, and every other node chosen as neighbour, which asks it once it is served."""
    uris, now = Uris(town.url), datetime.now(UTC)
    ring = keyring.load(town.folder)
    with database.transaction(town.folder) as db:
        place = territory.resolve(db, town.folder.name)
        made = keys.generate(ring, HANDLE)
        draft = shops.ShopDraft(HANDLE, "La Ruche", place)
        shops.open_shop(db, uris, draft, made, str(uuid.uuid4()), now)
        for other in others:
            actor = f"{other.url}/users/instance"
            peers.add(db, other.authority, other.url, actor, other.folder.name, "echoppe")
            peer = peers.get(db, other.authority)
            assert peer is not None
            follows.ask(db, uris, peer, str(uuid.uuid4()), now)


@contextlib.contextmanager
def made(base: Path) -> Iterator[World]:
    """Three nodes, served, that have read each other."""
    ports = free_ports(2 * len(COMMUNES))
    public, behind = ports[: len(COMMUNES)], ports[len(COMMUNES) :]
    towns = []
    for commune, port, listen in zip(COMMUNES, public, behind, strict=True):
        folder = base / commune
        private = [f"--private-peer=127.0.0.1:{other}" for other in public if other != port]
        echoppe(
            "init", str(folder), "--url", f"http://127.0.0.1:{port}",
            "--listen", f"127.0.0.1:{listen}", "--name", commune, "--commune", commune, *private,
        )  # fmt: skip
        towns.append(Town(folder, port))
    for town in towns:
        _prepare(town, [other for other in towns if other is not town])
    with Network(dict(zip(public, behind, strict=True))) as network:
        world = World(towns, network)
        try:
            for town in towns:
                town.serve()
            world.agree()
            yield world
        finally:
            for town in towns:
                town.kill()


def live(world: World, seed: int, steps: int) -> None:
    """A life of so many steps, the same for the same seed: merchants go on, whatever breaks."""
    chance = random.Random(seed)
    for number in range(steps):
        town = chance.choice(world.towns)
        shown = world.on_show.get(town.port, {})
        act = chance.choices(
            ("publish", "revise", "withdraw", "kill", "cut", "heal", "skew"),
            (5, 4, 2, 2, 2, 1, 1),
        )[0]
        if act == "publish" or (act in ("revise", "withdraw") and not shown):
            count = chance.randrange(1, 4)
            world.publish(town, *(f"Objet {seed} {number} {part}" for part in range(count)))
        elif act == "revise":
            world.revise(town, {chance.choice(sorted(shown)): f"Revu {seed} {number}"})
        elif act == "withdraw":
            world.withdraw(town, chance.choice(sorted(shown)))
        elif act == "kill":
            town.kill()
            if chance.random() < 0.6:
                town.serve()
        elif act == "cut":
            one, other = chance.sample(world.towns, 2)
            world.network.cut(one.authority, other.authority)
        elif act == "heal":
            world.network.heal()
        else:
            town.kill()
            world.set_clock(town, chance.uniform(-1200, 1200))
            town.serve()
    world.network.heal()
    for town in world.towns:
        if town.process is None:
            town.serve()

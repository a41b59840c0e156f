"""Nodes to measure: made by the real command, and filled through the trade's own functions."""

import random
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench import wares
from federation import keys
from node import catalogue, keyring, shops, territory
from node.model import Availability, Condition, Listing, Offer, Shop
from node.store import database
from node.uris import Uris
from tests import neighbours
from tests.neighbours import Town

COMMUNE = "Pessac"
WORDS = """
    miel lavande savon noix huile olive confiture figue tisane verveine bougie cire abeille panier
    osier couteau bois buis fromage chèvre brebis pain seigle levain farine moulin chocolat noir
    amande orange nougat vin rouge blanc rosé cidre pomme poire prune mirabelle cerise fraise laine
    écharpe bonnet gant cuir ceinture sac lin torchon nappe bol tasse assiette grès faïence carnet
    papier reliure encre plume jouet puzzle ours tissu graine tomate courge rosier lavandin terreau
""".split()  # noqa: SIM905 (words read better as words)


def found(base: Path, name: str, private_peers: Sequence[str] = ()) -> Town:
    """A new node, not yet running."""
    port = neighbours.free_port()
    folder = base / name
    neighbours.echoppe(
        "init", str(folder), "--url", f"http://127.0.0.1:{port}", "--name", f"Boutiques {name}",
        "--commune", COMMUNE, "--listen", f"127.0.0.1:{port}",
        *(f"--private-peer={peer}" for peer in private_peers),
    )  # fmt: skip
    return Town(folder, port)


def offer(chance: random.Random) -> Offer:
    """One way to have something."""
    return Offer(
        id=str(uuid.uuid4()),
        axes={},
        price_cents=chance.randrange(100, 9000),
        currency="EUR",
        quantity_milli=500_000,
        unit="g",
        availability=Availability.IN_STOCK,
        stock=None,
        gtin=None,
        sku=f"A-{chance.randrange(10_000)}",
    )


def draft(
    chance: random.Random, name: str = "", *, announce: bool = False
) -> catalogue.ListingDraft:
    """Something to sell, told in about 40 words."""
    return catalogue.ListingDraft(
        name=name or " ".join(chance.choices(WORDS, k=4)),
        offers=(offer(chance),),
        description=" ".join(chance.choices(WORDS, k=40)),
        category="epicerie.miel",
        announce=announce,
    )


def wares_of(chance: random.Random, count: int) -> list[catalogue.ListingDraft]:
    """Things as shops really have them (`bench/wares.py`): few words of one are of many others."""
    lexicon = wares.Lexicon(chance, [COMMUNE, "Bordeaux", "Mérignac", "Talence"], 2_000)
    making = [wares.make(trade, lexicon, chance) for trade in wares.trades()]
    drafts = []
    for number in range(count):
        ware = next(making[number % len(making)])
        told = replace(offer(chance), price_cents=ware.cents)
        drafts.append(
            catalogue.ListingDraft(
                name=ware.name,
                offers=(told,),
                description=ware.description,
                category=ware.category,
            )
        )
    return drafts


def open_shops(town: Town, count: int) -> list[Shop]:
    """Opens shops. They share one key pair, because making a hundred takes longer than it tells."""
    ring, uris, now = keyring.load(town.folder), Uris(town.url), datetime.now(UTC)
    rsa, ed25519 = keys.generate_rsa(), keys.generate_ed25519()
    opened = []
    with database.transaction(town.folder) as db:
        place = territory.resolve(db, COMMUNE)
        for number in range(count):
            handle = f"boutique_{number}"
            actor_keys = shops.ActorKeys(
                rsa_public_pem=keys.rsa_public_pem(rsa),
                rsa_private=ring.wrap(f"{handle}/rsa", keys.private_bytes(rsa)),
                ed25519_public=keys.multikey(ed25519),
                ed25519_private=ring.wrap(f"{handle}/ed25519", keys.private_bytes(ed25519)),
            )
            shop_draft = shops.ShopDraft(handle, f"Boutique {number}", place)
            opened.append(shops.open_shop(db, uris, shop_draft, actor_keys, str(uuid.uuid4()), now))
    return opened


def publish(
    town: Town, among: Sequence[Shop], drafts: Sequence[catalogue.ListingDraft]
) -> list[Listing]:
    """Publishes in one transaction, as another process than the server, without starting one."""
    uris, now = Uris(town.url), datetime.now(UTC)
    with database.transaction(town.folder) as db:
        return [
            catalogue.publish(
                db, uris, among[number % len(among)], one, lambda: str(uuid.uuid4()), now
            )
            for number, one in enumerate(drafts)
        ]


def reader(town: Town) -> sqlite3.Connection:
    """A read-only connection to a node's file, to watch it by."""
    return database.connect(town.folder / database.FILE_NAME, writing=False)


def listing(shop: Shop, uris: Uris, chance: random.Random) -> Listing:
    """A listing that is in no database, as a neighbour would tell of it."""
    told, listing_id, now = draft(chance), str(uuid.uuid4()), datetime.now(UTC)
    return Listing(
        id=listing_id,
        uri=uris.listing(shop.handle, listing_id),
        url=uris.listing_page(shop.handle, listing_id, told.name),
        shop=shop.id,
        name=told.name,
        description=told.description,
        category=told.category,
        condition=Condition.NEW,
        language="fr",
        announce=False,
        published=now.replace(microsecond=0),
        updated=now.replace(microsecond=0),
        seen=now,
        withdrawn=None,
        offers=told.offers,
    )

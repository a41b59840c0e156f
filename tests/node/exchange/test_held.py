"""What neighbours hold of a node that was put back from a backup."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

from node.exchange import held, listings
from node.store import listings as rows
from tests import ground
from tests.ground import NOW

LATER = NOW + timedelta(hours=1)


def copy_of(db: Any, shop: Any, name: str) -> dict[str, Any]:
    """A listing as a neighbour holds it, of which nothing is left here."""
    listing = ground.publish(db, shop, name)
    item = listings.held_copy(dataclasses.replace(listing, updated=LATER), shop, None)
    ground.search.remove(db, listing)
    db.execute("DELETE FROM changes WHERE uri = ?", (listing.uri,))
    rows.remove(db, listing.id)
    return item


def test_what_one_heard_the_end_of_another_does_not_bring_back(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        kept, ended = copy_of(db, shop, "Miel"), copy_of(db, shop, "Bougie")
        missed = held.Told("merignac.example", (kept, ended))
        heard = held.Told("bordeaux.example", ({"id": ended["id"], "type": "Tombstone"},))
        gone = held.deleted([missed, heard])
        assert gone == {ended["id"]}
        back = held.take_back(db, ground.URIS, missed.items, LATER, gone)
        assert (back.added, back.refused) == (1, 0)
        held.take_back(db, ground.URIS, heard.items, LATER, gone)
        assert [one.name for one in rows.find_of_shop(db, shop.id)] == ["Miel"]
        # By itself, the one who missed it would have.
        assert held.take_back(db, ground.URIS, missed.items, LATER).added == 1

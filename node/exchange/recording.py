"""Listings of other nodes, written down as their own nodes tell of them: one, or many together."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from federation import documents
from node import catalogue, neighbours, shops
from node.exchange import listings_read as listing_documents
from node.model import Listing, Shop
from node.store import peers
from node.store import shops as shop_rows


class UnknownShop(Exception):
    """A listing cannot be written before its shop, whose document must be fetched first."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri


@dataclass(frozen=True, slots=True)
class RecordListing:
    """A listing of another node's, to be written. Many that come together are written together."""

    note: dict[str, Any]
    author: str
    listing_id: str
    now: datetime

    def __call__(self, db: sqlite3.Connection) -> None:
        """Writes it. Raises UnknownShop, Refused."""
        (error,) = Batch([self]).write(db, self.now)
        if error is not None:
            raise error

    def place(self, db: sqlite3.Connection, shop: Shop) -> Shop:
        """Its author's shop, at the listing's point where it has told none of its own."""
        point = None if shops.is_placed(shop) else listing_documents.point_of(self.note)
        return shop if point is None else shops.place_remote(db, shop, *point)

    def read(self, shop: Shop) -> Listing:
        """The listing, of its author's shop. Raises Refused."""
        return listing_documents.from_document(self.note, shop, self.listing_id, self.now)


def is_by(found: dict[str, Any], author: str) -> bool:
    """Whether a document is that author's, and on their origin. Raises Refused (bad-id)."""
    uri = documents.check_id(found.get("id"))
    owner = documents.identifier(documents.first(found.get("attributedTo")))
    return owner == author and documents.same_origin(uri, author)


class Batch:
    """Listings that are written together, in the order in which they were told.

    `read` takes more than half of the time and writes nothing, so it can be done before a
    transaction begins and keeps nobody waiting.
    """

    def __init__(self, records: Sequence[RecordListing]) -> None:
        self._records = records
        self._authors = {record.author for record in records}
        self._read_with: dict[str, str | None] | None = None
        # Each listing, or why there is none. None: of nobody who is heard, or of a shop of ours.
        self._found: list[Listing | Exception | None] = []
        self._prepared: dict[str, catalogue.Prepared] = {}

    def read(self, db: sqlite3.Connection) -> None:
        """Reads the documents, with the shops as they are now."""
        self._read(self._find_shops(db))

    def write(self, db: sqlite3.Connection, now: datetime) -> list[Exception | None]:
        """Writes them. For each it says what it failed of, by itself and having written nothing:
        UnknownShop, Refused, or a fault of ours. Whatever else is raised fails all of them."""
        shops_now = self._find_shops(db)
        if self._read_with != _of_others(shops_now):
            self._read(shops_now)
        told = []
        for record, found in zip(self._records, self._found, strict=True):
            if isinstance(found, Listing):
                told.append(found)
                shop = shops_now[record.author]
                if shop is not None:
                    shops_now[record.author] = record.place(db, shop)
        catalogue.record_all_remote(db, told, now, self._prepared)
        return [found if isinstance(found, Exception) else None for found in self._found]

    def _find_shops(self, db: sqlite3.Connection) -> dict[str, Shop | None]:
        """The shops of authors who are heard here; None for one that is not known."""
        heard: dict[str, bool] = {}
        found: dict[str, Shop | None] = {}
        for author in self._authors:
            host = documents.address(author)[1]
            if host not in heard:
                heard[host] = neighbours.is_heard(peers.get(db, host))
            if heard[host]:
                found[author] = shop_rows.get_by_uri(db, author)
        return found

    def _read(self, known: dict[str, Shop | None]) -> None:
        self._read_with = _of_others(known)
        self._found = [_read(record, known) for record in self._records]
        self._prepared = {}
        again = set()
        for listing in self._found:
            if isinstance(listing, Listing):
                if listing.uri in self._prepared:
                    again.add(listing.uri)
                self._prepared[listing.uri] = catalogue.prepare(listing)
        for uri in again:  # told twice, perhaps in other words
            del self._prepared[uri]


def _read(record: RecordListing, known: dict[str, Shop | None]) -> Listing | Exception | None:
    if record.author not in known:
        return None
    shop = known[record.author]
    if shop is None:
        return UnknownShop(record.author)
    if shop.peer is None:
        return None
    try:
        return record.read(shop)
    except Exception as fault:  # it fails alone
        return fault


def _of_others(known: dict[str, Shop | None]) -> dict[str, str | None]:
    """What reading goes by: which shop is whose, and that it is not ours."""
    return {
        author: shop.id if shop is not None and shop.peer is not None else None
        for author, shop in known.items()
    }

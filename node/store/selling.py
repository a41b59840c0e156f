"""What shops say to sell at a distance, as rows."""

import json
import sqlite3

from node.model import Selling
from node.store import times


def get(db: sqlite3.Connection, shop_id: str) -> Selling | None:
    """What a shop says; None where it never said anything."""
    row = db.execute(
        """
        SELECT shop, since, trader, siret, email, mediator, return_address, within_days, terms,
               holder, iban, link, alcohol, made_to_measure
        FROM selling WHERE shop = ?
        """,
        (shop_id,),
    ).fetchone()
    if row is None:
        return None
    values = dict(zip(row.keys(), row, strict=True))
    values["since"] = times.moment_or_none(values["since"])
    values["alcohol"] = bool(values["alcohol"])
    values["made_to_measure"] = tuple(json.loads(values["made_to_measure"]))
    return Selling(**values)


def put(db: sqlite3.Connection, said: Selling) -> None:
    """Writes all that a shop says, in the place of what it said before."""
    db.execute(
        """
        INSERT OR REPLACE INTO selling
            (shop, since, trader, siret, email, mediator, return_address, within_days, terms,
             holder, iban, link, alcohol, made_to_measure)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            said.shop,
            times.stamp_or_none(said.since),
            said.trader,
            said.siret,
            said.email,
            said.mediator,
            said.return_address,
            said.within_days,
            said.terms,
            said.holder,
            said.iban,
            said.link,
            said.alcohol,
            json.dumps(said.made_to_measure),
        ),
    )

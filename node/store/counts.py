"""How much there is of what, for a machine that watches: numbers, and nobody's name."""

import sqlite3

# name: statement for one number, or for a label and a number
_COUNTS = {
    "listings": """
        SELECT iif(shops.peer IS NULL, 'own', 'neighbours'), count(*)
        FROM listings JOIN shops ON shops.id = listings.shop
        WHERE listings.withdrawn IS NULL GROUP BY 1
    """,
    "shops": """
        SELECT iif(peer IS NULL, 'own', 'neighbours'), count(*) FROM shops
        WHERE closed IS NULL GROUP BY 1
    """,
    "neighbours": """
        SELECT CASE digest_agrees WHEN 1 THEN 'agree' WHEN 0 THEN 'differ' ELSE 'unknown' END,
               count(*)
        FROM peers WHERE following = 'accepted' AND blocked IS NULL GROUP BY 1
    """,
    "received": "SELECT iif(dead, 'aside', 'waiting'), count(*) FROM received GROUP BY 1",
    "deliveries": "SELECT 'waiting', count(*) FROM deliveries",
    "deliveries_failed": "SELECT 'given_up', count(*) FROM failed_deliveries",
    "hosts_failing": "SELECT 'failing', count(*) FROM hosts WHERE failures > 0",
    "mails": """
        SELECT iif(given_up IS NULL, 'waiting', 'given_up'), count(*) FROM mails GROUP BY 1
    """,
    "photo_bytes": """
        SELECT 'own', ifnull(sum(bytes), 0) FROM media
        UNION ALL SELECT 'neighbours', ifnull(sum(bytes), 0) FROM remote_photos
    """,
}
_OLDEST = {
    "received": "SELECT min(at) FROM received WHERE dead = 0",
    "deliveries": "SELECT min(added) FROM deliveries",
    "mails": "SELECT min(added) FROM mails WHERE given_up IS NULL",
}


def find(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Each thing that is counted, by its kinds."""
    return {
        name: {str(kind): int(count) for kind, count in db.execute(sql)}
        for name, sql in _COUNTS.items()
    }


def oldest(db: sqlite3.Connection) -> dict[str, str]:
    """For each queue that holds something: when its oldest was written down, as stored."""
    found = {name: db.execute(sql).fetchone()[0] for name, sql in _OLDEST.items()}
    return {name: value for name, value in found.items() if value is not None}

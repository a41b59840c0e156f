"""The schema and how it came to be: steps that are only ever appended.

A step is named by its date and subject. sqlite-utils runs each in a transaction together with the
record that it ran, so an interrupted upgrade goes on where it stopped. What the index of searches
looks like is not here: it is derived, versioned on its own, and rebuilt (`store/search.py`).
"""

import contextlib
import itertools
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from node import errors
from node.store import database

SET = "echoppe"

FIRST = """
-- What was settled when the node was made. One row.
CREATE TABLE node (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL,
    commune_handle TEXT NOT NULL,
    created TEXT NOT NULL,
    -- The highest number of the change sequence whose tombstone has been dropped.
    changes_pruned INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Actors of this node. A row outlives its shop, so that a handle is never given out twice.
-- Private keys are wrapped by node.key, which is not in this file.
CREATE TABLE local_actors (
    handle TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('Application', 'Group', 'Organization')),
    name TEXT NOT NULL,
    rsa_public_pem TEXT NOT NULL,
    rsa_private BLOB NOT NULL,
    ed25519_public TEXT NOT NULL,
    ed25519_private BLOB NOT NULL,
    created TEXT NOT NULL,
    closed TEXT
) STRICT, WITHOUT ROWID;

-- Other nodes.
CREATE TABLE peers (
    host TEXT PRIMARY KEY,
    origin TEXT NOT NULL,
    actor TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    software TEXT NOT NULL,
    added TEXT,
    following TEXT CHECK (following IN ('requested', 'accepted', 'rejected')),
    follow TEXT UNIQUE,
    follower TEXT CHECK (follower IN ('requested', 'accepted', 'rejected')),
    follower_follow TEXT,
    cursor INTEGER NOT NULL DEFAULT 0,
    sync_wanted TEXT,
    sync_started TEXT,
    sync_total INTEGER,
    sync_done INTEGER,
    synced TEXT,
    heard TEXT,
    digest_agrees INTEGER,
    problem TEXT,
    blocked TEXT
) STRICT, WITHOUT ROWID;

-- Shops, ours (peer IS NULL) and the neighbours'.
CREATE TABLE shops (
    id TEXT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    peer TEXT REFERENCES peers (host) ON DELETE CASCADE,
    handle TEXT NOT NULL,
    name TEXT NOT NULL,
    summary TEXT,
    place TEXT,
    address TEXT,
    phone TEXT,
    latitude REAL,
    longitude REAL,
    opened TEXT NOT NULL,
    updated TEXT NOT NULL,
    -- When this node last knew it to be so.
    seen TEXT NOT NULL,
    closed TEXT,
    CHECK (latitude IS NULL OR (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180)),
    CHECK ((latitude IS NULL) = (longitude IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX shops_own_handle ON shops (handle) WHERE peer IS NULL;
CREATE INDEX shops_peer ON shops (peer);

CREATE TABLE listings (
    id TEXT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT,
    condition TEXT NOT NULL,
    language TEXT NOT NULL,
    announce INTEGER NOT NULL CHECK (announce IN (0, 1)),
    published TEXT NOT NULL,
    updated TEXT NOT NULL,
    -- When this node last knew it to be so.
    seen TEXT NOT NULL,
    withdrawn TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX listings_shop ON listings (shop, published, id);

-- The ways to have a listing. Axis values are a JSON object, {"taille": "M"}.
CREATE TABLE offers (
    id TEXT PRIMARY KEY,
    listing TEXT NOT NULL REFERENCES listings (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    axes TEXT NOT NULL DEFAULT '{}',
    price_cents INTEGER CHECK (price_cents >= 0),
    currency TEXT NOT NULL,
    quantity_milli INTEGER CHECK (quantity_milli > 0),
    unit TEXT,
    availability TEXT NOT NULL,
    stock INTEGER CHECK (stock >= 0),
    gtin TEXT,
    sku TEXT,
    UNIQUE (listing, position),
    CHECK ((quantity_milli IS NULL) = (unit IS NULL))
) STRICT, WITHOUT ROWID;

-- Every price ever shown by a shop of ours, from when on: the record that the law on reductions
-- asks for (Code de la consommation, L112-1-1). Rows are added, never changed. They name their
-- offer and listing without leaning on them: the record outlives both.
CREATE TABLE price_rows (
    id INTEGER PRIMARY KEY,
    offer TEXT NOT NULL,
    listing TEXT NOT NULL,
    price_cents INTEGER,
    currency TEXT NOT NULL,
    shown_from TEXT NOT NULL
) STRICT;
CREATE INDEX price_rows_offer ON price_rows (offer, shown_from);
CREATE TRIGGER price_rows_stay BEFORE UPDATE ON price_rows
    BEGIN SELECT RAISE(ABORT, 'price rows are never changed'); END;

-- The change sequence: the latest number of each public object of ours (wire profile 8.5).
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    uri TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    updated TEXT NOT NULL,
    fingerprint BLOB NOT NULL
) STRICT;

-- What followers must still be told of, until it is spread over their inboxes.
CREATE TABLE publications (
    id INTEGER PRIMARY KEY,
    uri TEXT NOT NULL,
    kind TEXT NOT NULL,
    verb TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

-- What each inbox must still hear: one row for an object at an inbox, whatever happened to it.
CREATE TABLE deliveries (
    -- Never given out twice: one under way may be answered after its row was replaced.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    inbox TEXT NOT NULL,
    host TEXT NOT NULL,
    object TEXT NOT NULL,
    sender TEXT NOT NULL REFERENCES local_actors (handle),
    verb TEXT NOT NULL,
    body TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0,
    due TEXT NOT NULL,
    added TEXT NOT NULL,
    error TEXT,
    UNIQUE (inbox, object)
) STRICT;
CREATE INDEX deliveries_host_due ON deliveries (host, due);

-- How delivering to a host goes: it is left alone until retry_at.
CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    failures INTEGER NOT NULL DEFAULT 0,
    failing_since TEXT,
    retry_at TEXT,
    error TEXT,
    -- Whether it wants RFC 9421 signatures, until when that is believed.
    rfc9421_until TEXT
) STRICT, WITHOUT ROWID;

-- Deliveries given up, kept for the steward to see.
CREATE TABLE failed_deliveries (
    id INTEGER PRIMARY KEY,
    inbox TEXT NOT NULL,
    object TEXT NOT NULL,
    verb TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    at TEXT NOT NULL,
    error TEXT NOT NULL
) STRICT;

-- Who follows an actor of ours; the node's own followers are its neighbours and stand in peers.
CREATE TABLE followers (
    handle TEXT NOT NULL REFERENCES local_actors (handle),
    uri TEXT NOT NULL,
    host TEXT NOT NULL,
    inbox TEXT NOT NULL,
    shared_inbox TEXT,
    follow TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (handle, uri)
) STRICT, WITHOUT ROWID;
CREATE INDEX followers_uri ON followers (uri);
CREATE INDEX followers_host ON followers (host);

-- Actors of others, as fetched from their own origin, and the keys they name.
CREATE TABLE remote_actors (
    uri TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    fetched TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE remote_keys (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES remote_actors (uri) ON DELETE CASCADE,
    algorithm TEXT NOT NULL CHECK (algorithm IN ('rsa', 'ed25519')),
    material TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX remote_keys_owner ON remote_keys (owner);

-- Activities that were accepted and wait to be acted upon; those set aside have dead = 1.
CREATE TABLE received (
    id INTEGER PRIMARY KEY,
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    body BLOB NOT NULL,
    at TEXT NOT NULL,
    due TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0 CHECK (dead IN (0, 1)),
    error TEXT
) STRICT;
CREATE INDEX received_waiting ON received (dead, due, id);
-- What was accepted lately, by a hash of actor, type, id and body: the same again does nothing.
CREATE TABLE seen_activities (
    fingerprint BLOB PRIMARY KEY,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_activities_at ON seen_activities (at);

-- Objects of others that their author deleted: a late Create does not bring them back.
CREATE TABLE remote_tombstones (
    uri TEXT PRIMARY KEY,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- People who sign in, and what each may do: a role on one shop, or on one territory.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    -- NULL for the first steward, who is let in by the link that `init` prints.
    email TEXT UNIQUE,
    created TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE grants (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    shop TEXT REFERENCES shops (id) ON DELETE CASCADE,
    territory TEXT,
    granted TEXT NOT NULL,
    until TEXT,
    CHECK ((shop IS NULL) <> (territory IS NULL))
) STRICT;
CREATE UNIQUE INDEX grants_once ON grants (account, role, ifnull(shop, ''), ifnull(territory, ''));
CREATE TABLE sign_in_links (
    token_hash BLOB PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    expires TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    expires TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

SHOP_FACTS = """
-- What residents filter by. NULL: never told. Hours and delivery are JSON objects, payments a list.
ALTER TABLE shops ADD COLUMN hours TEXT;
ALTER TABLE shops ADD COLUMN payments TEXT NOT NULL DEFAULT '[]';
ALTER TABLE shops ADD COLUMN step_free INTEGER CHECK (step_free IN (0, 1));
ALTER TABLE shops ADD COLUMN delivery TEXT;
ALTER TABLE listings ADD COLUMN kind TEXT NOT NULL DEFAULT 'goods'
    CHECK (kind IN ('goods', 'service'));
ALTER TABLE listings ADD COLUMN pick_up INTEGER NOT NULL DEFAULT 1 CHECK (pick_up IN (0, 1));
ALTER TABLE listings ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered IN (0, 1));
"""

PEER_MODERATION = """
-- Domains, each with all below it, that the node does not speak with. A domain may be host:port.
CREATE TABLE blocks (
    domain TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO blocks (domain, reason, since)
    SELECT host, '', blocked FROM peers WHERE blocked IS NOT NULL;
-- A neighbour that is hidden while something is looked into, since when and why.
ALTER TABLE peers ADD COLUMN suspended TEXT;
ALTER TABLE peers ADD COLUMN suspended_why TEXT;
"""

# Deliveries given up can be replayed; changes of price and stock are gathered; what differs from a
# neighbour is counted. Version 0.1 kept too little of what it gave up to send it again.
DELIVERIES = """
ALTER TABLE publications ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0 CHECK (quiet IN (0, 1));

-- When a change of an object's price or stock was, or will be, told to neighbours: the next waits.
CREATE TABLE told (
    uri TEXT PRIMARY KEY,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

DROP TABLE failed_deliveries;
-- Deliveries given up, kept for the steward to see and to replay.
CREATE TABLE failed_deliveries (
    id INTEGER PRIMARY KEY,
    inbox TEXT NOT NULL,
    host TEXT NOT NULL,
    object TEXT NOT NULL,
    sender TEXT NOT NULL,
    verb TEXT NOT NULL,
    body TEXT,
    attempts INTEGER NOT NULL,
    at TEXT NOT NULL,
    error TEXT NOT NULL,
    UNIQUE (inbox, object)
) STRICT;

-- The ETag of the last reading that found both sides in agreement.
ALTER TABLE peers ADD COLUMN etag TEXT;
-- At the last comparison: how many objects it has, and how many of them are held here.
ALTER TABLE peers ADD COLUMN theirs INTEGER;
ALTER TABLE peers ADD COLUMN held INTEGER;
"""

PHOTOS = """
-- Photos whose clean copies lie in the media folder. `draft_until` is set until a listing shows it.
CREATE TABLE media (
    id TEXT PRIMARY KEY,
    shop TEXT NOT NULL REFERENCES shops ON DELETE CASCADE,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    added TEXT NOT NULL,
    draft_until TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_shop ON media (shop);

-- Which listing shows which, in what order, and what it says for who cannot see it.
CREATE TABLE photos (
    listing TEXT NOT NULL REFERENCES listings ON DELETE CASCADE,
    position INTEGER NOT NULL,
    id TEXT NOT NULL REFERENCES media,
    alt TEXT NOT NULL,
    PRIMARY KEY (listing, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX photos_by_id ON photos (id);
"""

FORMS = """
-- Six-digit codes to sign in with. Of each only a keyed hash is kept (node.key).
CREATE TABLE sign_in_codes (
    account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    code_mac BLOB NOT NULL,
    expires TEXT NOT NULL,
    wrong INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
-- When somebody tried a code, right or wrong.
CREATE TABLE sign_in_tries (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX sign_in_tries_by_account ON sign_in_tries (account, at);

-- Forms that were acted upon, and where their sender was sent: a second tap does nothing more.
CREATE TABLE sent_forms (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    form TEXT NOT NULL,
    outcome TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (account, form)
) STRICT, WITHOUT ROWID;
"""

REMOTE_PHOTOS = """
-- The photo of a neighbour's listing, and the small copy that is held of it. Without a copy it is
-- fetched when it is `due`, or, if it has not failed too often, once a page would show it.
CREATE TABLE remote_photos (
    listing TEXT PRIMARY KEY REFERENCES listings ON DELETE CASCADE,
    host TEXT NOT NULL,
    url TEXT NOT NULL,
    alt TEXT NOT NULL,
    id TEXT,
    width INTEGER NOT NULL DEFAULT 0,
    height INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    -- When a page last showed it, to the hour or so.
    shown TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    due TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX remote_photos_by_id ON remote_photos (id) WHERE id IS NOT NULL;
CREATE INDEX remote_photos_by_shown ON remote_photos (shown, bytes) WHERE bytes > 0;
CREATE INDEX remote_photos_by_due ON remote_photos (host, due) WHERE due IS NOT NULL;
CREATE INDEX remote_photos_by_due_shown ON remote_photos (host, due)
    WHERE due IS NOT NULL AND shown IS NOT NULL;
"""

MAILS = """
-- Mails that wait to be sent. One that was sent is gone; of one that was given up only why remains.
CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    added TEXT NOT NULL,
    until TEXT NOT NULL,
    due TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    given_up TEXT
) STRICT;
CREATE INDEX mails_by_due ON mails (due) WHERE given_up IS NULL;
CREATE TABLE mails_sent (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last TEXT NOT NULL
) STRICT;
"""

DRAFTS = """
-- Products that a merchant has begun to write: the fields as typed, kept for the next visit.
CREATE TABLE drafts (
    id TEXT PRIMARY KEY,
    -- The shop's id, which one that is still being asked for has already.
    shop TEXT NOT NULL,
    fields TEXT NOT NULL,
    updated TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX drafts_by_shop ON drafts (shop, updated);
"""

REDUCTIONS = """
-- What a reduced price is announced with, on the offer that has it now, a neighbour's too.
ALTER TABLE offers ADD COLUMN reduction_kind TEXT;
ALTER TABLE offers ADD COLUMN reduction_from INTEGER;
ALTER TABLE offers ADD COLUMN reduction_since TEXT;
ALTER TABLE offers ADD COLUMN reduction_until TEXT;

-- Every reduction that was decided here: planned, running, ended, stopped, or refused when it
-- was to begin. Rows are kept, for who must show them; only state, reference and why change.
CREATE TABLE reductions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offer TEXT NOT NULL,
    listing TEXT NOT NULL,
    kind TEXT NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents > 0),
    currency TEXT NOT NULL,
    -- To be gone back to when it ends, and what it is announced against; known once it runs.
    regular_cents INTEGER,
    reference_cents INTEGER,
    since TEXT,
    starts TEXT NOT NULL,
    ends TEXT NOT NULL,
    decided TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'running', 'ended', 'stopped', 'refused')),
    why TEXT
) STRICT;
CREATE INDEX reductions_by_listing ON reductions (listing, id);
CREATE INDEX reductions_by_state ON reductions (state, starts, ends)
    WHERE state IN ('planned', 'running');
"""

APPLICATIONS = """
-- Shops that somebody asks to open. The legal notice of a shop is written from its row.
CREATE TABLE applications (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    shop TEXT NOT NULL UNIQUE,
    siret TEXT NOT NULL,
    name TEXT NOT NULL,
    place TEXT NOT NULL,
    address TEXT NOT NULL,
    phone TEXT NOT NULL,
    hours TEXT,
    state TEXT NOT NULL CHECK (state IN ('begun', 'sent', 'approved', 'refused')),
    reason TEXT NOT NULL DEFAULT '',
    created TEXT NOT NULL,
    sent TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX applications_by_account ON applications (account);
CREATE INDEX applications_by_siret ON applications (siret);
CREATE INDEX applications_by_state ON applications (state, sent);
-- Codes that people ask for themselves: how often, and who waits for one to be handed over.
CREATE TABLE code_requests (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX code_requests_by_time ON code_requests (at);
"""

REMINDERS = """
-- When a shop was last asked by mail whether its shelf is still true.
CREATE TABLE reminders (
    shop TEXT PRIMARY KEY REFERENCES shops (id) ON DELETE CASCADE,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

RESERVATIONS = """
-- Keys that a merchant's browser made: public halves to show, private ones wrapped by the seven
-- words of the key card, which never come here. The one that is not replaced is the shop's.
CREATE TABLE shop_keys (
    id TEXT PRIMARY KEY,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    sealing TEXT NOT NULL,
    created TEXT NOT NULL,
    signature TEXT NOT NULL,
    -- The signature of the owner key before, where that one has changed.
    endorsement TEXT,
    -- Empty once a newer card holds these keys too.
    wrapped TEXT NOT NULL,
    replaced TEXT,
    lost INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX shop_keys_current ON shop_keys (shop) WHERE replaced IS NULL;
CREATE INDEX shop_keys_by_shop ON shop_keys (shop);

-- What residents asked shops of this node to put aside. Nothing here says who: that is in `sealed`.
CREATE TABLE reservations (
    id TEXT NOT NULL UNIQUE,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    listing TEXT NOT NULL,
    offer TEXT NOT NULL,
    item TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    -- Pieces that were taken from the stock for it and can still go back.
    taken INTEGER NOT NULL CHECK (taken >= 0),
    code TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('asked', 'ready', 'handed_over', 'unavailable', 'cancelled', 'expired')),
    made TEXT NOT NULL,
    changed TEXT NOT NULL,
    expires TEXT NOT NULL,
    ended TEXT,
    changed_by TEXT,
    key TEXT,
    sealed BLOB,
    answer BLOB
) STRICT;
CREATE UNIQUE INDEX reservations_open_by_code ON reservations (shop, code) WHERE ended IS NULL;
CREATE INDEX reservations_by_shop ON reservations (shop, made);
CREATE INDEX reservations_by_expiry ON reservations (expires) WHERE ended IS NULL;
CREATE INDEX reservations_by_end ON reservations (ended) WHERE ended IS NOT NULL;

-- The two links of a notice, of which only hashes are kept. One use of either ends both.
CREATE TABLE reservation_links (
    hash BLOB PRIMARY KEY,
    reservation TEXT NOT NULL REFERENCES reservations (id) ON DELETE CASCADE,
    act TEXT NOT NULL CHECK (act IN ('ready', 'unavailable'))
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_links_by_reservation ON reservation_links (reservation);
"""

FEDIVERSE = """
-- What people elsewhere write to a shop in private about a listing, by the id of their note, and
-- what the shop answers. Both are the shop's own and leave with it.
CREATE TABLE enquiries (
    id TEXT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    listing TEXT NOT NULL REFERENCES listings (id) ON DELETE CASCADE,
    actor TEXT NOT NULL,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    inbox TEXT NOT NULL,
    words TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX enquiries_shop ON enquiries (shop, at);
CREATE INDEX enquiries_actor ON enquiries (actor);
CREATE TABLE enquiry_answers (
    uri TEXT PRIMARY KEY,
    enquiry TEXT NOT NULL REFERENCES enquiries (id) ON DELETE CASCADE,
    words TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX enquiry_answers_enquiry ON enquiry_answers (enquiry);

-- What others did in public with a listing or a shop of ours: counted, and linked.
CREATE TABLE reactions (
    object TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('Like', 'Announce', 'Reply', 'Block')),
    actor TEXT NOT NULL,
    uri TEXT NOT NULL,
    host TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (object, kind, actor, uri)
) STRICT, WITHOUT ROWID;
CREATE INDEX reactions_actor ON reactions (actor, uri);
CREATE INDEX reactions_host ON reactions (host);

-- What other servers report to the steward. `objects` is a JSON list of ids.
CREATE TABLE reports (
    id TEXT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    objects TEXT NOT NULL,
    words TEXT NOT NULL,
    at TEXT NOT NULL,
    closed TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX reports_host ON reports (host) WHERE closed IS NULL;

-- Listings that a shop pins, ours and the neighbours'.
CREATE TABLE featured (
    listing TEXT PRIMARY KEY REFERENCES listings (id) ON DELETE CASCADE,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX featured_shop ON featured (shop, at);

-- Where an actor of ours has moved to, and which others say that they are it.
ALTER TABLE local_actors ADD COLUMN moved_to TEXT;
ALTER TABLE local_actors ADD COLUMN also_known_as TEXT NOT NULL DEFAULT '[]';
"""

HELPERS = """
-- Owners who let helpers of the town hall in, until when, and what those did.
CREATE TABLE helper_consents (
    shop TEXT PRIMARY KEY REFERENCES shops (id) ON DELETE CASCADE,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    given TEXT NOT NULL,
    until TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE helper_deeds (
    id INTEGER PRIMARY KEY,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    account TEXT NOT NULL,
    at TEXT NOT NULL,
    what TEXT NOT NULL
) STRICT;
CREATE INDEX helper_deeds_by_shop ON helper_deeds (shop, id);
"""

TILLS = """
-- The token by which a shop's till speaks for it: a hash of it.
CREATE TABLE tills (
    shop TEXT PRIMARY KEY REFERENCES shops (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE,
    given TEXT NOT NULL,
    used TEXT
) STRICT, WITHOUT ROWID;
"""

IMPORTS = """
-- Catalogues that came as a file: what was read of them, and how far it is put on the shelf.
CREATE TABLE imports (
    id TEXT PRIMARY KEY,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'done')),
    items TEXT NOT NULL,
    -- Listings that the file lacks, and whether they are more than half of what has a number.
    missing TEXT NOT NULL,
    half_gone INTEGER NOT NULL CHECK (half_gone IN (0, 1)),
    done INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    created TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX imports_by_shop ON imports (shop, state);
"""

STEPS: tuple[tuple[str, str], ...] = (
    ("2026_11_23_first", FIRST),
    ("2026_11_25_shop_facts", SHOP_FACTS),
    ("2026_11_25_peer_moderation", PEER_MODERATION),
    ("2026_11_25_deliveries", DELIVERIES),
    ("2026_11_25_photos", PHOTOS),
    ("2026_11_25_forms_and_codes", FORMS),
    ("2026_11_25_remote_photos", REMOTE_PHOTOS),
    ("2026_11_25_mails", MAILS),
    ("2026_11_25_drafts", DRAFTS),
    ("2026_11_25_reductions", REDUCTIONS),
    ("2026_11_25_applications", APPLICATIONS),
    ("2026_11_25_reminders", REMINDERS),
    ("2026_11_25_reservations", RESERVATIONS),
    ("2026_11_25_fediverse", FEDIVERSE),
    ("2026_11_25_helpers", HELPERS),
    ("2026_11_25_tills", TILLS),
    ("2026_11_25_imports", IMPORTS),
)


def applied(db: sqlite3.Connection) -> list[str]:
    """Names of the steps that the file has seen, in order; none for an empty file."""
    try:
        rows = db.execute(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", (SET,)
        )
    except sqlite3.OperationalError:
        return []
    return [row[0] for row in rows]


def check(db: sqlite3.Connection, steps: tuple[tuple[str, str], ...] = STEPS) -> list[str]:
    """Names of the steps still to run.

    Raises errors.Unusable when the file has seen steps that this program does not know: it was
    written by a newer version, and would be damaged by an older one.
    """
    seen = applied(db)
    unknown = [name for name in seen if name not in {name for name, _ in steps}]
    if unknown:
        raise errors.Unusable(
            "database-newer",
            "The database was written by a newer version of Échoppe "
            f"(it has seen {unknown[0]}, which this version does not know). "
            "Install that version again, or restore the copy made before the upgrade.",
        )
    return [name for name, _ in steps if name not in seen]


def migrate(folder: Path, now: datetime, steps: tuple[tuple[str, str], ...] = STEPS) -> Path | None:
    """Brings the file of `folder` up to date; returns the copy made before, where one was made.

    A new file needs no copy. Raises errors.Unusable for a file newer than the program and for a
    copy that cannot be made (a full disk): nothing has been changed then.
    """
    path = folder / database.FILE_NAME
    with database.locked_for_writing(folder):
        with contextlib.closing(database.connect(path, writing=False)) as db:
            pending = check(db, steps)
            fresh = not applied(db)
        if not pending:
            return None
        backup = None if fresh else _copy(folder, now)
        with contextlib.closing(database.connect(path, writing=True)) as db:
            _apply(db, steps)
        return backup


def _copy(folder: Path, now: datetime) -> Path:
    name = f"node.db.before-{now:%Y%m%dT%H%M%SZ}"
    target = folder / name
    for again in itertools.count(2):
        if not target.exists():
            break
        target = folder / f"{name}-{again}"
    try:
        database.copy(folder, target)
    except (OSError, sqlite3.Error) as error:
        target.unlink(missing_ok=True)
        raise errors.Unusable(
            "no-copy-before-upgrade",
            f"The database needs an upgrade, and no copy of it could be made first ({error}). "
            "Nothing was changed. Free some disk space and start again.",
        ) from None
    return target


def _apply(db: sqlite3.Connection, steps: tuple[tuple[str, str], ...]) -> None:
    # Imported here: it costs 120 ms, and most starts have nothing to migrate.
    import sqlite_utils
    from sqlite_utils.migrations import Migrations

    migrations = Migrations(SET)
    for name, sql in steps:
        migrations(name=name)(_step(sql))
    # Tables cannot be rebuilt while references to them are enforced; checked below instead.
    db.execute("PRAGMA foreign_keys = OFF")
    migrations.apply(sqlite_utils.Database(db))
    broken = db.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise errors.Unusable(
            "upgrade-broke-references",
            f"The upgrade left {len(broken)} rows of {broken[0][0]} that refer to nothing. "
            "Restore the copy made before the upgrade and report this.",
        )


def _step(sql: str) -> Callable[[Any], None]:
    def run(db: Any) -> None:
        # Statement by statement: executescript would end the step's transaction first.
        for statement in statements(sql):
            db.execute(statement)

    return run


def statements(script: str) -> list[str]:
    """The complete SQL statements of a script, triggers kept whole."""
    found: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    assert not pending.strip(), f"unfinished statement: {pending!r}"
    return found

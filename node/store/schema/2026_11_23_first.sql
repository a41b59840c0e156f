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

-- News and events, ours (peer IS NULL) and the neighbours'. What is by a shop names it; what is by
-- the commune's Group names none, and `badge` and `author` say who speaks there.
CREATE TABLE posts (
    id TEXT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    peer TEXT REFERENCES peers (host) ON DELETE CASCADE,
    shop TEXT REFERENCES shops (id) ON DELETE CASCADE,
    -- Who wrote it here: a publisher may change their own.
    account TEXT REFERENCES accounts (id) ON DELETE SET NULL,
    actor TEXT NOT NULL,
    author TEXT NOT NULL,
    badge TEXT NOT NULL CHECK (badge IN ('town_hall', 'media', 'association', 'shop')),
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    language TEXT NOT NULL,
    place TEXT,
    link TEXT,
    announce INTEGER NOT NULL CHECK (announce IN (0, 1)),
    -- Of this commune alone: neighbours are not told.
    kept INTEGER NOT NULL CHECK (kept IN (0, 1)),
    urgent_until TEXT,
    published TEXT NOT NULL,
    updated TEXT NOT NULL,
    -- When this node last knew it to be so.
    seen TEXT NOT NULL,
    withdrawn TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX posts_actor ON posts (actor, published, id);
CREATE INDEX posts_published ON posts (published, id) WHERE withdrawn IS NULL;
CREATE INDEX posts_peer ON posts (peer);
CREATE INDEX posts_shop ON posts (shop);
CREATE INDEX posts_urgent ON posts (urgent_until) WHERE urgent_until IS NOT NULL;

-- When and where, for a post that is an event. `last` is when its last occurrence is over.
CREATE TABLE events (
    post TEXT PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    starts TEXT NOT NULL,
    ends TEXT,
    zone TEXT NOT NULL,
    all_day INTEGER NOT NULL CHECK (all_day IN (0, 1)),
    venue TEXT NOT NULL,
    rule TEXT,
    -- Days, on the clock of its zone, that the rule gives and that are left out: a JSON list.
    excluded TEXT NOT NULL DEFAULT '[]',
    state TEXT NOT NULL CHECK (state IN ('scheduled', 'cancelled', 'postponed')),
    last TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX events_last ON events (last, starts);

-- How who may publish is shown beside what they write.
CREATE TABLE publishers (
    account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    badge TEXT NOT NULL CHECK (badge IN ('town_hall', 'media', 'association'))
) STRICT, WITHOUT ROWID;

-- Numbered, and not told to neighbours: for this commune alone.
ALTER TABLE changes ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;

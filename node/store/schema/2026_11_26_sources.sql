-- Feeds and calendars elsewhere that news and events are taken over from.
CREATE TABLE sources (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    badge TEXT NOT NULL CHECK (badge IN ('town_hall', 'media', 'association')),
    -- What comes from it is published at once; else a steward looks at it first.
    trusted INTEGER NOT NULL CHECK (trusted IN (0, 1)),
    added TEXT NOT NULL,
    due TEXT NOT NULL,
    fetched TEXT,
    etag TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    problem TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sources_due ON sources (due);

-- What a source told, by its own name for it: once refused, it is not proposed again.
CREATE TABLE source_items (
    source TEXT NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    guid TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'published', 'refused')),
    post TEXT REFERENCES posts (id) ON DELETE SET NULL,
    -- Of what is published already under another name: the title of that.
    twin TEXT,
    title TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    item TEXT NOT NULL,
    seen TEXT NOT NULL,
    PRIMARY KEY (source, guid)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_items_state ON source_items (state, seen);
CREATE INDEX source_items_post ON source_items (post);

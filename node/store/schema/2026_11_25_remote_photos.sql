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

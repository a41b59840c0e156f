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

-- Products that a merchant has begun to write: the fields as typed, kept for the next visit.
CREATE TABLE drafts (
    id TEXT PRIMARY KEY,
    -- The shop's id, which one that is still being asked for has already.
    shop TEXT NOT NULL,
    fields TEXT NOT NULL,
    updated TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX drafts_by_shop ON drafts (shop, updated);

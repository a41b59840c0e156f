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

-- The token by which a shop's till speaks for it: a hash of it.
CREATE TABLE tills (
    shop TEXT PRIMARY KEY REFERENCES shops (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE,
    given TEXT NOT NULL,
    used TEXT
) STRICT, WITHOUT ROWID;

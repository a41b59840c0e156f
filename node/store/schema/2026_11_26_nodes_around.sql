-- Other nodes as they describe themselves: neighbours, and those that neighbours name as theirs.
-- What is here was told by the node itself; only who named it (via) is hearsay.
CREATE TABLE nodes_around (
    host TEXT PRIMARY KEY,
    origin TEXT NOT NULL,
    name TEXT NOT NULL,
    communes TEXT NOT NULL,     -- JSON: place ids
    mode TEXT NOT NULL,         -- whom it accepts: neighbours, open, allowlist, or ''
    fingerprint TEXT NOT NULL,  -- of the key that signs its requests
    shops INTEGER,
    via TEXT NOT NULL,          -- JSON: hosts of neighbours that name it
    seen TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The last proof that the operator published: what a crawl of the node's own pages found.
CREATE TABLE proofs (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at TEXT NOT NULL,
    pages INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    outside TEXT NOT NULL,
    cookies TEXT NOT NULL,
    stored TEXT NOT NULL,
    browser TEXT
) STRICT;

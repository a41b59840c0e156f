-- When the stewards were last told by mail what waits.
CREATE TABLE digests (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at TEXT NOT NULL
) STRICT;

-- What is not shown here although it is there: listings and shops of ours that a steward hid
-- (`under` is the shop whose suspension hid a listing with it), and those of neighbours.
CREATE TABLE hidden (
    uri TEXT PRIMARY KEY,
    since TEXT NOT NULL,
    under TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX hidden_under ON hidden (under) WHERE under IS NOT NULL;

-- When the author of an object says that it ended, where they say so: what they tell of it that is
-- later than that brings it back.
ALTER TABLE remote_tombstones ADD COLUMN deleted TEXT;

-- What a steward decided about an object, with the reasons (Regulation (EU) 2022/2065, article 17).
CREATE TABLE decisions (
    id TEXT PRIMARY KEY,
    object TEXT NOT NULL,
    target TEXT NOT NULL, -- what the act is done to: the object, or its shop
    title TEXT NOT NULL,
    shop TEXT, -- of ours: who is told
    act TEXT NOT NULL CHECK (act IN ('none', 'correct', 'hide', 'withdraw', 'suspend')),
    ground TEXT NOT NULL CHECK (ground IN ('law', 'rules')),
    basis TEXT NOT NULL,
    facts TEXT NOT NULL,
    account TEXT NOT NULL,
    at TEXT NOT NULL,
    until TEXT,
    noticed INTEGER NOT NULL, -- whether somebody had reported it
    forwarded INTEGER NOT NULL,
    lifted TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX decisions_shop ON decisions (shop, at);
CREATE INDEX decisions_object ON decisions (object, at);
CREATE INDEX decisions_target ON decisions (target, at);

-- What people report (article 16). `id` is the hash of the secret in the address of the receipt.
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    object TEXT NOT NULL,
    title TEXT NOT NULL,
    reason TEXT NOT NULL,
    words TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    language TEXT NOT NULL,
    at TEXT NOT NULL,
    decision TEXT REFERENCES decisions (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_open ON notices (object) WHERE decision IS NULL;
CREATE INDEX notices_decision ON notices (decision);
CREATE INDEX notices_at ON notices (at);

-- Who does not agree with a decision: the shop (`notice` is ''), or who reported.
CREATE TABLE appeals (
    id TEXT PRIMARY KEY,
    decision TEXT NOT NULL REFERENCES decisions (id),
    notice TEXT NOT NULL,
    words TEXT NOT NULL,
    at TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('kept', 'changed')),
    answer TEXT NOT NULL DEFAULT '',
    answered TEXT,
    UNIQUE (decision, notice)
) STRICT, WITHOUT ROWID;

-- Who did what at the stewards' desk, on what and when: nothing of what was written or read.
CREATE TABLE deeds (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    what TEXT NOT NULL,
    object TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX deeds_at ON deeds (at);

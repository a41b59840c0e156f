-- What people elsewhere write to a shop in private about a listing, by the id of their note, and
-- what the shop answers. Both are the shop's own and leave with it.
CREATE TABLE enquiries (
    id TEXT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    listing TEXT NOT NULL REFERENCES listings (id) ON DELETE CASCADE,
    actor TEXT NOT NULL,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    inbox TEXT NOT NULL,
    words TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX enquiries_shop ON enquiries (shop, at);
CREATE INDEX enquiries_actor ON enquiries (actor);
CREATE TABLE enquiry_answers (
    uri TEXT PRIMARY KEY,
    enquiry TEXT NOT NULL REFERENCES enquiries (id) ON DELETE CASCADE,
    words TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX enquiry_answers_enquiry ON enquiry_answers (enquiry);

-- What others did in public with a listing or a shop of ours: counted, and linked.
CREATE TABLE reactions (
    object TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('Like', 'Announce', 'Reply', 'Block')),
    actor TEXT NOT NULL,
    uri TEXT NOT NULL,
    host TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (object, kind, actor, uri)
) STRICT, WITHOUT ROWID;
CREATE INDEX reactions_actor ON reactions (actor, uri);
CREATE INDEX reactions_host ON reactions (host);

-- What other servers report to the steward. `objects` is a JSON list of ids.
CREATE TABLE reports (
    id TEXT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    objects TEXT NOT NULL,
    words TEXT NOT NULL,
    at TEXT NOT NULL,
    closed TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX reports_host ON reports (host) WHERE closed IS NULL;

-- Listings that a shop pins, ours and the neighbours'.
CREATE TABLE featured (
    listing TEXT PRIMARY KEY REFERENCES listings (id) ON DELETE CASCADE,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX featured_shop ON featured (shop, at);

-- Where an actor of ours has moved to, and which others say that they are it.
ALTER TABLE local_actors ADD COLUMN moved_to TEXT;
ALTER TABLE local_actors ADD COLUMN also_known_as TEXT NOT NULL DEFAULT '[]';

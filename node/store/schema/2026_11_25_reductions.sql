-- What a reduced price is announced with, on the offer that has it now, a neighbour's too.
ALTER TABLE offers ADD COLUMN reduction_kind TEXT;
ALTER TABLE offers ADD COLUMN reduction_from INTEGER;
ALTER TABLE offers ADD COLUMN reduction_since TEXT;
ALTER TABLE offers ADD COLUMN reduction_until TEXT;

-- Every reduction that was decided here: planned, running, ended, stopped, or refused when it
-- was to begin. Rows are kept, for who must show them; only state, reference and why change.
CREATE TABLE reductions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offer TEXT NOT NULL,
    listing TEXT NOT NULL,
    kind TEXT NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents > 0),
    currency TEXT NOT NULL,
    -- To be gone back to when it ends, and what it is announced against; known once it runs.
    regular_cents INTEGER,
    reference_cents INTEGER,
    since TEXT,
    starts TEXT NOT NULL,
    ends TEXT NOT NULL,
    decided TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'running', 'ended', 'stopped', 'refused')),
    why TEXT
) STRICT;
CREATE INDEX reductions_by_listing ON reductions (listing, id);
CREATE INDEX reductions_by_state ON reductions (state, starts, ends)
    WHERE state IN ('planned', 'running');

-- What a shop says of itself to sell at a distance. `since` is NULL while it does not.
CREATE TABLE selling (
    shop TEXT PRIMARY KEY REFERENCES shops (id) ON DELETE CASCADE,
    since TEXT,
    trader TEXT NOT NULL,
    siret TEXT NOT NULL,
    email TEXT NOT NULL,
    mediator TEXT NOT NULL,
    return_address TEXT NOT NULL,
    within_days INTEGER,
    terms TEXT NOT NULL,
    holder TEXT NOT NULL,
    iban TEXT NOT NULL,
    link TEXT NOT NULL,
    alcohol INTEGER NOT NULL CHECK (alcohol IN (0, 1)),
    -- Ids of listings, as a JSON array.
    made_to_measure TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What makes a reservation an order: what was agreed, and nothing of having been paid. Who ordered
-- is in the reservation's sealed words alone.
CREATE TABLE orders (
    reservation TEXT NOT NULL UNIQUE REFERENCES reservations (id) ON DELETE CASCADE,
    brought INTEGER NOT NULL CHECK (brought IN (0, 1)),
    goods_cents INTEGER NOT NULL CHECK (goods_cents > 0),
    delivery_cents INTEGER NOT NULL CHECK (delivery_cents >= 0),
    exempt TEXT NOT NULL CHECK (exempt IN ('', 'perishable', 'made_to_measure')),
    -- The terms as they were read, HTML of ours.
    contract TEXT NOT NULL,
    withdrawn TEXT
) STRICT;

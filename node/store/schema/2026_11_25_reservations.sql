-- Keys that a merchant's browser made: public halves to show, private ones wrapped by the seven
-- words of the key card, which never come here. The one that is not replaced is the shop's.
CREATE TABLE shop_keys (
    id TEXT PRIMARY KEY,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    sealing TEXT NOT NULL,
    created TEXT NOT NULL,
    signature TEXT NOT NULL,
    -- The signature of the owner key before, where that one has changed.
    endorsement TEXT,
    -- Empty once a newer card holds these keys too.
    wrapped TEXT NOT NULL,
    replaced TEXT,
    lost INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX shop_keys_current ON shop_keys (shop) WHERE replaced IS NULL;
CREATE INDEX shop_keys_by_shop ON shop_keys (shop);

-- What residents asked shops of this node to put aside. Nothing here says who: that is in `sealed`.
CREATE TABLE reservations (
    id TEXT NOT NULL UNIQUE,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    listing TEXT NOT NULL,
    offer TEXT NOT NULL,
    item TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    -- Pieces that were taken from the stock for it and can still go back.
    taken INTEGER NOT NULL CHECK (taken >= 0),
    code TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('asked', 'ready', 'handed_over', 'unavailable', 'cancelled', 'expired')),
    made TEXT NOT NULL,
    changed TEXT NOT NULL,
    expires TEXT NOT NULL,
    ended TEXT,
    changed_by TEXT,
    key TEXT,
    sealed BLOB,
    answer BLOB
) STRICT;
CREATE UNIQUE INDEX reservations_open_by_code ON reservations (shop, code) WHERE ended IS NULL;
CREATE INDEX reservations_by_shop ON reservations (shop, made);
CREATE INDEX reservations_by_expiry ON reservations (expires) WHERE ended IS NULL;
CREATE INDEX reservations_by_end ON reservations (ended) WHERE ended IS NOT NULL;

-- The two links of a notice, of which only hashes are kept. One use of either ends both.
CREATE TABLE reservation_links (
    hash BLOB PRIMARY KEY,
    reservation TEXT NOT NULL REFERENCES reservations (id) ON DELETE CASCADE,
    act TEXT NOT NULL CHECK (act IN ('ready', 'unavailable'))
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_links_by_reservation ON reservation_links (reservation);

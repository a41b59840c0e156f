-- Offers lie in the order of their listings, and nowhere else: whoever reads or writes a listing
-- finds them on one page, and nobody looks for one by its id.
CREATE TABLE offers_by_listing (
    listing TEXT NOT NULL REFERENCES listings (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    axes TEXT NOT NULL DEFAULT '{}',
    price_cents INTEGER CHECK (price_cents >= 0),
    currency TEXT NOT NULL,
    quantity_milli INTEGER CHECK (quantity_milli > 0),
    unit TEXT,
    availability TEXT NOT NULL,
    stock INTEGER CHECK (stock >= 0),
    gtin TEXT,
    sku TEXT,
    reduction_kind TEXT,
    reduction_from INTEGER,
    reduction_since TEXT,
    reduction_until TEXT,
    PRIMARY KEY (listing, position),
    CHECK ((quantity_milli IS NULL) = (unit IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO offers_by_listing (
    listing, position, id, axes, price_cents, currency, quantity_milli, unit, availability, stock,
    gtin, sku, reduction_kind, reduction_from, reduction_since, reduction_until)
SELECT
    listing, position, id, axes, price_cents, currency, quantity_milli, unit, availability, stock,
    gtin, sku, reduction_kind, reduction_from, reduction_since, reduction_until
FROM offers ORDER BY listing, position;
DROP TABLE offers;
ALTER TABLE offers_by_listing RENAME TO offers;

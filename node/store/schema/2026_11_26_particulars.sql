-- What the law has a listing say of the goods: JSON as node/store/particulars.py writes it, or NULL.
ALTER TABLE listings ADD COLUMN particulars TEXT;
-- Who makes the goods of a brand, kept for each shop so that it is typed once.
CREATE TABLE makers (
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    brand TEXT NOT NULL,
    told TEXT NOT NULL,
    used TEXT NOT NULL,
    PRIMARY KEY (shop, brand)
) STRICT, WITHOUT ROWID;
-- A draft that lacks what the law asks is kept until it is published or erased.
ALTER TABLE drafts ADD COLUMN kept INTEGER NOT NULL DEFAULT 0 CHECK (kept IN (0, 1));

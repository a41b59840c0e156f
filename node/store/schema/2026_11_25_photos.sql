-- Photos whose clean copies lie in the media folder. `draft_until` is set until a listing shows it.
CREATE TABLE media (
    id TEXT PRIMARY KEY,
    shop TEXT NOT NULL REFERENCES shops ON DELETE CASCADE,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    added TEXT NOT NULL,
    draft_until TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_shop ON media (shop);

-- Which listing shows which, in what order, and what it says for who cannot see it.
CREATE TABLE photos (
    listing TEXT NOT NULL REFERENCES listings ON DELETE CASCADE,
    position INTEGER NOT NULL,
    id TEXT NOT NULL REFERENCES media,
    alt TEXT NOT NULL,
    PRIMARY KEY (listing, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX photos_by_id ON photos (id);

-- Catalogues that came as a file: what was read of them, and how far it is put on the shelf.
CREATE TABLE imports (
    id TEXT PRIMARY KEY,
    shop TEXT NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'done')),
    items TEXT NOT NULL,
    -- Listings that the file lacks, and whether they are more than half of what has a number.
    missing TEXT NOT NULL,
    half_gone INTEGER NOT NULL CHECK (half_gone IN (0, 1)),
    done INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    created TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX imports_by_shop ON imports (shop, state);

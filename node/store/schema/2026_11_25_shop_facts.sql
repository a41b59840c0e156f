-- What residents filter by. NULL: never told. Hours and delivery are JSON objects, payments a list.
ALTER TABLE shops ADD COLUMN hours TEXT;
ALTER TABLE shops ADD COLUMN payments TEXT NOT NULL DEFAULT '[]';
ALTER TABLE shops ADD COLUMN step_free INTEGER CHECK (step_free IN (0, 1));
ALTER TABLE shops ADD COLUMN delivery TEXT;
ALTER TABLE listings ADD COLUMN kind TEXT NOT NULL DEFAULT 'goods'
    CHECK (kind IN ('goods', 'service'));
ALTER TABLE listings ADD COLUMN pick_up INTEGER NOT NULL DEFAULT 1 CHECK (pick_up IN (0, 1));
ALTER TABLE listings ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered IN (0, 1));

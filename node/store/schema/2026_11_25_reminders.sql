-- When a shop was last asked by mail whether its shelf is still true.
CREATE TABLE reminders (
    shop TEXT PRIMARY KEY REFERENCES shops (id) ON DELETE CASCADE,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

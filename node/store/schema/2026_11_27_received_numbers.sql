-- A row's number is never given again: whoever has it in hand while the row is dropped, with all
-- that came from a host that is blocked, would end another's.
CREATE TABLE received_numbered (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    body BLOB NOT NULL,
    at TEXT NOT NULL,
    due TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0 CHECK (dead IN (0, 1)),
    error TEXT
) STRICT;
INSERT INTO received_numbered (id, actor, host, body, at, due, attempts, dead, error)
SELECT id, actor, host, body, at, due, attempts, dead, error FROM received;
DROP TABLE received;
ALTER TABLE received_numbered RENAME TO received;
CREATE INDEX received_waiting ON received (dead, due, id);

-- Mails that wait to be sent. One that was sent is gone; of one that was given up only why remains.
CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    added TEXT NOT NULL,
    until TEXT NOT NULL,
    due TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    given_up TEXT
) STRICT;
CREATE INDEX mails_by_due ON mails (due) WHERE given_up IS NULL;
CREATE TABLE mails_sent (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last TEXT NOT NULL
) STRICT;

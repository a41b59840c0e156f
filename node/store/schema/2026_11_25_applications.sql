-- Shops that somebody asks to open. The legal notice of a shop is written from its row.
CREATE TABLE applications (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    shop TEXT NOT NULL UNIQUE,
    siret TEXT NOT NULL,
    name TEXT NOT NULL,
    place TEXT NOT NULL,
    address TEXT NOT NULL,
    phone TEXT NOT NULL,
    hours TEXT,
    state TEXT NOT NULL CHECK (state IN ('begun', 'sent', 'approved', 'refused')),
    reason TEXT NOT NULL DEFAULT '',
    created TEXT NOT NULL,
    sent TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX applications_by_account ON applications (account);
CREATE INDEX applications_by_siret ON applications (siret);
CREATE INDEX applications_by_state ON applications (state, sent);
-- Codes that people ask for themselves: how often, and who waits for one to be handed over.
CREATE TABLE code_requests (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX code_requests_by_time ON code_requests (at);

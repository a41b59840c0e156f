-- The second factor of an account (RFC 6238), its recovery codes, and the sessions that have given one.
CREATE TABLE second_factors (
    account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    secret BLOB NOT NULL,
    begun TEXT NOT NULL,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    last_step INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE recovery_codes (
    account TEXT NOT NULL REFERENCES second_factors (account) ON DELETE CASCADE,
    mac BLOB NOT NULL,
    PRIMARY KEY (account, mac)
) STRICT, WITHOUT ROWID;
CREATE TABLE proven_sessions (
    token_hash BLOB PRIMARY KEY REFERENCES sessions (token_hash) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Six-digit codes to sign in with. Of each only a keyed hash is kept (node.key).
CREATE TABLE sign_in_codes (
    account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    code_mac BLOB NOT NULL,
    expires TEXT NOT NULL,
    wrong INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
-- When somebody tried a code, right or wrong.
CREATE TABLE sign_in_tries (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX sign_in_tries_by_account ON sign_in_tries (account, at);

-- Forms that were acted upon, and where their sender was sent: a second tap does nothing more.
CREATE TABLE sent_forms (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    form TEXT NOT NULL,
    outcome TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (account, form)
) STRICT, WITHOUT ROWID;

-- Which version of the site's rules somebody who looks after a shop has agreed to, and when.
CREATE TABLE rule_consents (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (account, version)
) STRICT, WITHOUT ROWID;

-- Relays (FEP-ae0c) that pass on what is announced, by the inbox that the settings name.
CREATE TABLE relays (
    inbox TEXT PRIMARY KEY,
    follow TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('requested', 'accepted', 'rejected')),
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID;

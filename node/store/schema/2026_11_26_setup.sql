-- What whoever sets a node up has noted or had checked: where its copies go, when its address answered.
CREATE TABLE setup_notes (
    subject TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

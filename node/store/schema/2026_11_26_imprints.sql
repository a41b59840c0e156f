-- What a shop says of who runs it, for its legal notice: only what the site does not know already.
CREATE TABLE imprints (
    shop TEXT PRIMARY KEY REFERENCES shops (id) ON DELETE CASCADE,
    trader TEXT NOT NULL,
    form TEXT NOT NULL,
    register TEXT NOT NULL,
    vat TEXT NOT NULL,
    email TEXT NOT NULL,
    mediator TEXT NOT NULL,
    authority TEXT NOT NULL
) STRICT, WITHOUT ROWID;

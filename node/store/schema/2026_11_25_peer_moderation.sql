-- Domains, each with all below it, that the node does not speak with. A domain may be host:port.
CREATE TABLE blocks (
    domain TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO blocks (domain, reason, since)
    SELECT host, '', blocked FROM peers WHERE blocked IS NOT NULL;
-- A neighbour that is hidden while something is looked into, since when and why.
ALTER TABLE peers ADD COLUMN suspended TEXT;
ALTER TABLE peers ADD COLUMN suspended_why TEXT;

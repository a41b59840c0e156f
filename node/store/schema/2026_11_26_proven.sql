-- Whether whoever asks for a shop has shown that the address is theirs. Until then anybody may have
-- typed it, and its account knows nothing of it.
ALTER TABLE applications ADD COLUMN proven INTEGER NOT NULL DEFAULT 1 CHECK (proven IN (0, 1));

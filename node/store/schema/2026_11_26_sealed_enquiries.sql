-- What a shop is asked is sealed to its key as soon as it has been read, and so is the copy of what it
-- answers: `words` is empty then. `key` names the key.
ALTER TABLE enquiries ADD COLUMN key TEXT;
ALTER TABLE enquiries ADD COLUMN sealed BLOB;
ALTER TABLE enquiry_answers ADD COLUMN key TEXT;
ALTER TABLE enquiry_answers ADD COLUMN sealed BLOB;
-- When it was given up, since the other server did not take it.
ALTER TABLE enquiry_answers ADD COLUMN failed TEXT;

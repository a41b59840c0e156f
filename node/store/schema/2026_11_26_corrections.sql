-- When what is to be corrected had last been changed as it was decided: a time of day is not exact
-- enough to tell whether it was changed since. Unknown for decisions taken before.
ALTER TABLE decisions ADD COLUMN version TEXT;

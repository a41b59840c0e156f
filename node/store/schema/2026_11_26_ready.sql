-- How many minutes after it was asked for a thing can be fetched. NULL: never told.
ALTER TABLE shops ADD COLUMN ready_minutes INTEGER;

-- A file that nobody has asked for yet is asked for once without a letter of its own. NULL: somebody
-- has, or there is none; else when its message might have gone without a file to wait for.
ALTER TABLE entry ADD COLUMN unasked_ms INTEGER;

CREATE INDEX entry_unasked ON entry (unasked_ms) WHERE unasked_ms IS NOT NULL;

-- Rows of state 3 are held: what is to be done with them cannot be said yet. Whatever follows in
-- the same place (a conversation, or a chat of amoCRM's that has none) waits behind them.
ALTER TABLE journal ADD COLUMN place TEXT;

CREATE INDEX journal_held ON journal (side, seq, received_ms) WHERE state = 3;
CREATE INDEX journal_held_place ON journal (place) WHERE state = 3;

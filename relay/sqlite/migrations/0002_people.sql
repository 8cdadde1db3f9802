-- One client has a number and a hidden address: whichever he comes by, one conversation.
CREATE TABLE alias (
    own          TEXT NOT NULL,
    address      TEXT NOT NULL,
    conversation TEXT NOT NULL,  -- it need not be there yet
    PRIMARY KEY (own, address)
) STRICT, WITHOUT ROWID;

-- since_ms: when it began, 0 if before this column; wrote: the client himself has written.
ALTER TABLE conversation ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN wrote INTEGER NOT NULL DEFAULT 0;
UPDATE conversation SET wrote = 1 WHERE crm_chat IS NULL OR crm_bound = 1;

-- Whether a number is on WhatsApp: registered, not_registered; a number without a row is unknown.
CREATE TABLE phone_check (
    number     TEXT    PRIMARY KEY,
    state      TEXT    NOT NULL,
    checked_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

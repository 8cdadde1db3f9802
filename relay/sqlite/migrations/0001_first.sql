-- The journal: what came in, raw. state: 0 unread, 1 read, 2 unreadable.
CREATE TABLE journal (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,  -- a place is never used again
    side        TEXT    NOT NULL,                   -- sorted towards: amocrm, whatsapp
    source      TEXT    NOT NULL,                   -- amocrm, whatsapp/CHANNEL
    trace       TEXT    NOT NULL,
    received_ms INTEGER NOT NULL,
    state       INTEGER NOT NULL DEFAULT 0,
    note        TEXT,
    payload     BLOB    NOT NULL
) STRICT;

CREATE INDEX journal_unread ON journal (side, seq) WHERE state = 0;
CREATE INDEX journal_tidy ON journal (received_ms) WHERE state = 1;

-- The outbox: what must go out. state: 0 pending, 1 begun, 2 delivered, 3 dead.
-- head: 1 for the oldest unfinished entry of its lane; wake_ms: min(due_ms, expires_ms).
-- Every index is partial, so that finished entries cost the living nothing.
CREATE TABLE entry (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    key         TEXT    NOT NULL UNIQUE,
    lane        TEXT    NOT NULL,
    destination TEXT    NOT NULL,
    channel     TEXT,
    trace       TEXT    NOT NULL,
    state       INTEGER NOT NULL DEFAULT 0,
    head        INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    accepted_ms INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    due_ms      INTEGER NOT NULL,
    wake_ms     INTEGER NOT NULL,
    finished_ms INTEGER,
    error       TEXT,
    body        BLOB    NOT NULL
) STRICT;

CREATE INDEX entry_ready ON entry (destination, wake_ms) WHERE head = 1 AND state = 0;
-- Heads that expire before they are due: wake_ms does not show how far ahead they are due.
CREATE INDEX entry_expiring ON entry (destination, due_ms)
    WHERE head = 1 AND state = 0 AND expires_ms < due_ms;
CREATE INDEX entry_waiting ON entry (destination, lane, id, accepted_ms) WHERE state < 2;
CREATE INDEX entry_begun ON entry (destination) WHERE state = 1;
CREATE INDEX entry_dead ON entry (finished_ms, id, destination) WHERE state = 3;
CREATE INDEX entry_tidy ON entry (finished_ms) WHERE state = 2;

-- Who is who, and which message is which.
CREATE TABLE conversation (
    id             TEXT PRIMARY KEY,
    own            TEXT NOT NULL,
    client_address TEXT NOT NULL,
    client_phone   TEXT,
    client_name    TEXT,
    crm_chat       TEXT,
    crm_client     TEXT,
    crm_bound      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE crm_chat (
    id           TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversation (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
    own         TEXT    NOT NULL,
    whatsapp_id TEXT    NOT NULL,
    crm_id      TEXT    NOT NULL,
    kept_ms     INTEGER NOT NULL,
    PRIMARY KEY (own, whatsapp_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX link_tidy ON link (kept_ms);

-- The furthest status amoCRM was told of a message; a message without a row was told "sent".
CREATE TABLE told (
    crm_id  TEXT    PRIMARY KEY,
    status  INTEGER NOT NULL,
    kept_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX told_tidy ON told (kept_ms);

-- Receipts that came before their link.
CREATE TABLE early_receipt (
    own         TEXT    NOT NULL,
    whatsapp_id TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    kept_ms     INTEGER NOT NULL,
    PRIMARY KEY (own, whatsapp_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX early_receipt_tidy ON early_receipt (kept_ms);

CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

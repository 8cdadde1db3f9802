-- What the relay put into amoCRM in the bot's name, so that a hook for it is never taken for a
-- manager's message. crm_id: amoCRM's id of it; NULL if the answer did not tell.
CREATE TABLE posted (
    message      TEXT    PRIMARY KEY,
    conversation TEXT    NOT NULL,
    crm_id       TEXT,
    kept_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX posted_crm ON posted (crm_id) WHERE crm_id IS NOT NULL;
CREATE INDEX posted_nameless ON posted (conversation) WHERE crm_id IS NULL;
CREATE INDEX posted_tidy ON posted (kept_ms);

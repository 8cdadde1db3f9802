-- amoCRM's one-time tokens that were used, until they end by themselves.
CREATE TABLE widget_token (
    id       TEXT    PRIMARY KEY,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX widget_token_until ON widget_token (until_ms);

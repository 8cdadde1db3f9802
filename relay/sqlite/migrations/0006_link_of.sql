-- Quotes and reactions in amoCRM name a message by its id there.
CREATE INDEX link_crm ON link (crm_id);

-- SPDX-License-Identifier: EUPL-1.2
-- Keys that sign mail in the name of a domain (DKIM). Of each domain at most one waits for its record to be seen,
-- and at most one signs.
CREATE TABLE signing_key (
  tenant_id    BLOB NOT NULL,
  id           BLOB NOT NULL,
  domain_index BLOB NOT NULL,
  state        TEXT NOT NULL,
  details      BLOB NOT NULL,
  key_id       BLOB NOT NULL,
  secret       BLOB,
  problem      TEXT,
  checked_at   INTEGER,
  seen_at      INTEGER,
  began_at     INTEGER,
  ended_at     INTEGER,
  version      INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX signing_key_waiting ON signing_key (tenant_id, domain_index) WHERE state = 'waiting';
CREATE UNIQUE INDEX signing_key_signing ON signing_key (tenant_id, domain_index) WHERE state = 'signing';
-- What a scanner found in a mail that was set aside.
ALTER TABLE intake ADD COLUMN signature TEXT;
-- A recipient told their provider that the mail is unwanted (RFC 5965).
ALTER TABLE delivery ADD COLUMN complained_at INTEGER;

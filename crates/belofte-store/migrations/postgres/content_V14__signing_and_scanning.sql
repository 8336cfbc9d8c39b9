-- SPDX-License-Identifier: EUPL-1.2
-- Keys that sign mail in the name of a domain (DKIM). Of each domain at most one waits for its record to be seen,
-- and at most one signs.
CREATE TABLE signing_key (
  tenant_id    uuid NOT NULL,
  id           uuid NOT NULL,
  domain_index bytea NOT NULL,
  state        text COLLATE "C" NOT NULL,
  details      bytea NOT NULL,
  key_id       uuid NOT NULL,
  secret       bytea,
  problem      text COLLATE "C",
  checked_at   bigint,
  seen_at      bigint,
  began_at     bigint,
  ended_at     bigint,
  version      bigint NOT NULL,
  created_at   bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX signing_key_waiting ON signing_key (tenant_id, domain_index) WHERE state = 'waiting';
CREATE UNIQUE INDEX signing_key_signing ON signing_key (tenant_id, domain_index) WHERE state = 'signing';
-- What a scanner found in a mail that was set aside.
ALTER TABLE intake ADD COLUMN signature text COLLATE "C";
-- A recipient told their provider that the mail is unwanted (RFC 5965).
ALTER TABLE delivery ADD COLUMN complained_at bigint;
ALTER TABLE signing_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE signing_key FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON signing_key USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');

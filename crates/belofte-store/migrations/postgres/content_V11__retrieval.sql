-- SPDX-License-Identifier: EUPL-1.2
-- Mailboxes that are read over IMAP: how far, and what keeps them from being read.
CREATE TABLE retrieval (
  tenant_id  uuid NOT NULL,
  account_id uuid NOT NULL,
  position   bytea,
  key_id     uuid,
  problem    text COLLATE "C",
  since      bigint,
  failures   bigint NOT NULL,
  looked_at  bigint,
  older      bigint NOT NULL,
  left_there bigint NOT NULL,
  PRIMARY KEY (tenant_id, account_id)
);
ALTER TABLE retrieval ENABLE ROW LEVEL SECURITY;
ALTER TABLE retrieval FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON retrieval USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- SPDX-License-Identifier: EUPL-1.2
-- Words and changes that people keep under a name: their own, or everybody's.
CREATE TABLE macro (
  tenant_id  uuid NOT NULL,
  id         uuid NOT NULL,
  owner_id   uuid NOT NULL,
  shared     bigint NOT NULL,
  about      bytea NOT NULL,
  texts      bytea NOT NULL,
  key_id     uuid NOT NULL,
  uses       bigint NOT NULL,
  used_day   bigint,
  version    bigint NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE macro ENABLE ROW LEVEL SECURITY;
ALTER TABLE macro FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON macro USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');

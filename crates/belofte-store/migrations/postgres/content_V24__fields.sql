-- SPDX-License-Identifier: EUPL-1.2
-- Fields that a tenant defines for itself. All that it says of one is sealed; what is on a person lies under the key of
-- that person, what is on a case under that of the case. First by field: a list that asks for one reads it in order.
CREATE TABLE field (
  tenant_id   uuid NOT NULL,
  id          uuid NOT NULL,
  record_kind text NOT NULL,
  position    bigint NOT NULL,
  about       bytea NOT NULL,
  key_id      uuid NOT NULL,
  archived_at bigint,
  removed_at  bigint,
  version     bigint NOT NULL,
  created_at  bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE field ENABLE ROW LEVEL SECURITY;
ALTER TABLE field FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON field USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');

CREATE TABLE contact_field_value (
  tenant_id  uuid NOT NULL,
  field_id   uuid NOT NULL,
  contact_id uuid NOT NULL,
  value      bytea NOT NULL,
  key_id     uuid NOT NULL,
  version    bigint NOT NULL,
  PRIMARY KEY (tenant_id, field_id, contact_id)
);
CREATE INDEX contact_field_value_of ON contact_field_value (tenant_id, contact_id);
ALTER TABLE contact_field_value ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_field_value FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON contact_field_value USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');

CREATE TABLE conversation_field_value (
  tenant_id       uuid NOT NULL,
  field_id        uuid NOT NULL,
  conversation_id uuid NOT NULL,
  value           bytea NOT NULL,
  key_id          uuid NOT NULL,
  version         bigint NOT NULL,
  PRIMARY KEY (tenant_id, field_id, conversation_id)
);
CREATE INDEX conversation_field_value_of ON conversation_field_value (tenant_id, conversation_id);
ALTER TABLE conversation_field_value ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversation_field_value FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON conversation_field_value USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');

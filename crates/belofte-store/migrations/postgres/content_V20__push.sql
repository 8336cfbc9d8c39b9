-- SPDX-License-Identifier: EUPL-1.2
-- Browsers that are told when something is new, and the key by which the tenant says so to push services: a tenant
-- without that key allows none.
CREATE TABLE push_setting (
  tenant_id  uuid NOT NULL,
  public_key text COLLATE "C" NOT NULL,
  secret     bytea NOT NULL,
  key_id     uuid NOT NULL,
  allowed_at bigint NOT NULL,
  PRIMARY KEY (tenant_id)
);
ALTER TABLE push_setting ENABLE ROW LEVEL SECURITY;
ALTER TABLE push_setting FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON push_setting USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

CREATE TABLE push_device (
  tenant_id      uuid NOT NULL,
  id             uuid NOT NULL,
  user_id        uuid NOT NULL,
  session_id     uuid NOT NULL,
  endpoint_index bytea NOT NULL,
  details        bytea NOT NULL,
  key_id         uuid NOT NULL,
  problem        text COLLATE "C",
  told_at        bigint,
  created_at     bigint NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, endpoint_index)
);
CREATE INDEX push_device_of_user ON push_device (tenant_id, user_id);
ALTER TABLE push_device ENABLE ROW LEVEL SECURITY;
ALTER TABLE push_device FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON push_device USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- SPDX-License-Identifier: EUPL-1.2
-- To whom a tenant has answers handed in, since when and until when. What goes out goes to nobody else.
CREATE TABLE recipient (
  tenant_id  uuid NOT NULL,
  account_id uuid NOT NULL,
  host_index bytea NOT NULL,
  host       bytea NOT NULL,
  key_id     uuid NOT NULL,
  first_at   bigint NOT NULL,
  ended_at   bigint,
  PRIMARY KEY (tenant_id, account_id, host_index)
);
ALTER TABLE recipient ENABLE ROW LEVEL SECURITY;
ALTER TABLE recipient FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON recipient USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

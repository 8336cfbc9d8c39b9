-- SPDX-License-Identifier: EUPL-1.2
-- The installation itself: it has a ledger of its own, of what the operator's people do. Its leaves lie
-- among those of the tenants, under the nil id, which no tenant has.
CREATE TABLE installation (
  tenant_id uuid NOT NULL PRIMARY KEY,
  next_leaf bigint NOT NULL
);
INSERT INTO installation (tenant_id, next_leaf) VALUES ('00000000-0000-0000-0000-000000000000', 0);
ALTER TABLE installation ENABLE ROW LEVEL SECURITY;
ALTER TABLE installation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON installation USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

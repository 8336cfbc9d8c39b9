-- SPDX-License-Identifier: EUPL-1.2
-- The words of a tenant that three contacts have used, sealed; "through" is the number of the
-- last message in it.
CREATE TABLE lexicon (
  tenant_id uuid NOT NULL,
  content   bytea NOT NULL,
  key_id    uuid NOT NULL,
  through   bigint NOT NULL,
  saved_at  bigint NOT NULL,
  PRIMARY KEY (tenant_id)
);

ALTER TABLE lexicon ENABLE ROW LEVEL SECURITY;
ALTER TABLE lexicon FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON lexicon USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

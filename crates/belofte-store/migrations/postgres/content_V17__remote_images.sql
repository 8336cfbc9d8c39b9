-- SPDX-License-Identifier: EUPL-1.2
-- Remote images that somebody asked to see, for a few days, and whose images are shown without asking.
CREATE TABLE remote_image (
  tenant_id  uuid NOT NULL,
  id         uuid NOT NULL,
  message_id uuid NOT NULL,
  place      bigint NOT NULL,
  picture    bytea NOT NULL,
  key_id     uuid NOT NULL,
  fetched_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, message_id, place)
);
CREATE INDEX remote_image_fetched ON remote_image (tenant_id, fetched_at);
ALTER TABLE remote_image ENABLE ROW LEVEL SECURITY;
ALTER TABLE remote_image FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON remote_image USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- A user of nought is everybody.
CREATE TABLE image_choice (
  tenant_id  uuid NOT NULL,
  contact_id uuid NOT NULL,
  user_id    uuid NOT NULL,
  chosen_at  bigint NOT NULL,
  PRIMARY KEY (tenant_id, contact_id, user_id)
);
ALTER TABLE image_choice ENABLE ROW LEVEL SECURITY;
ALTER TABLE image_choice FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON image_choice USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- SPDX-License-Identifier: EUPL-1.2
-- People who work together, and the queues that they serve.
CREATE TABLE team (
  tenant_id   uuid NOT NULL,
  id          uuid NOT NULL,
  name        bytea NOT NULL,
  key_id      uuid NOT NULL,
  archived_at bigint,
  version     bigint NOT NULL,
  created_at  bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE team ENABLE ROW LEVEL SECURITY;
ALTER TABLE team FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON team USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

CREATE TABLE team_member (
  tenant_id uuid NOT NULL,
  team_id   uuid NOT NULL,
  user_id   uuid NOT NULL,
  PRIMARY KEY (tenant_id, team_id, user_id)
);
ALTER TABLE team_member ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_member FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON team_member USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
CREATE INDEX team_member_of_user ON team_member (tenant_id, user_id);

CREATE TABLE team_queue (
  tenant_id uuid NOT NULL,
  team_id   uuid NOT NULL,
  queue_id  uuid NOT NULL,
  PRIMARY KEY (tenant_id, team_id, queue_id)
);
ALTER TABLE team_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON team_queue USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
CREATE INDEX team_queue_of_queue ON team_queue (tenant_id, queue_id);

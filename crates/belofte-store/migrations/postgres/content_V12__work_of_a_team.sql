-- SPDX-License-Identifier: EUPL-1.2
-- A case has a place in the lists of its own: when its last message came, or when it came back after
-- it was put off.
ALTER TABLE conversation ADD COLUMN placed_at bigint NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN snoozed_until bigint;
ALTER TABLE conversation ADD COLUMN woken_at bigint;
-- The wall between tenants holds for who owns the table, too.
SELECT set_config('belofte.scope', 'system', true);
UPDATE conversation SET placed_at = last_message_at;
DROP INDEX conversation_list;
DROP INDEX conversation_assignee;
CREATE INDEX conversation_list ON conversation (tenant_id, status, placed_at, id);
CREATE INDEX conversation_assignee ON conversation (tenant_id, assignee_id, status, placed_at, id);
-- One job wakes a case.
CREATE UNIQUE INDEX job_wake ON job (tenant_id, subject_id) WHERE kind = 'wake';

-- The tenant's own words. A tag that was merged into another keeps its row, for what it was on, and
-- gives up its name.
CREATE TABLE tag (
  tenant_id   uuid NOT NULL,
  id          uuid NOT NULL,
  name        bytea NOT NULL,
  key_id      uuid NOT NULL,
  name_index  bytea,
  colour      text COLLATE "C" NOT NULL,
  archived_at bigint,
  merged_into uuid,
  version     bigint NOT NULL,
  created_at  bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX tag_name ON tag (tenant_id, name_index) WHERE name_index IS NOT NULL;

-- Status and place are those of the case, so that a list by tag reads no more rows than it gives.
CREATE TABLE conversation_tag (
  tenant_id       uuid NOT NULL,
  conversation_id uuid NOT NULL,
  tag_id          uuid NOT NULL,
  status          text COLLATE "C" NOT NULL,
  placed_at       bigint NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id, tag_id)
);
CREATE INDEX conversation_tag_list ON conversation_tag (tenant_id, tag_id, status, placed_at, conversation_id);

-- Lists that people keep under a name: their own, or everybody's.
CREATE TABLE saved_view (
  tenant_id  uuid NOT NULL,
  id         uuid NOT NULL,
  owner_id   uuid NOT NULL,
  shared     bigint NOT NULL,
  content    bytea NOT NULL,
  key_id     uuid NOT NULL,
  version    bigint NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE tag ENABLE ROW LEVEL SECURITY;
ALTER TABLE tag FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON tag USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');
ALTER TABLE conversation_tag ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversation_tag FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON conversation_tag USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');
ALTER TABLE saved_view ENABLE ROW LEVEL SECURITY;
ALTER TABLE saved_view FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON saved_view USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');

-- SPDX-License-Identifier: EUPL-1.2
-- Queues have an order and words about them, are open at some hours, and can be archived. What lies in an archived queue
-- is to lie in `settles_in`, which is never archived itself: `archived_into` is what an admin said once.
ALTER TABLE queue ADD COLUMN description bytea;
ALTER TABLE queue ADD COLUMN position bigint NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE queue ADD COLUMN archived_at bigint;
ALTER TABLE queue ADD COLUMN archived_into uuid;
ALTER TABLE queue ADD COLUMN settles_in uuid;

-- Apart from the names, which are read all the time.
CREATE TABLE queue_hours (
  tenant_id uuid NOT NULL,
  queue_id  uuid NOT NULL,
  hours     bytea NOT NULL,
  key_id    uuid NOT NULL,
  version   bigint NOT NULL,
  PRIMARY KEY (tenant_id, queue_id)
);
ALTER TABLE queue_hours ENABLE ROW LEVEL SECURITY;
ALTER TABLE queue_hours FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON queue_hours USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- From which archived queues a case was moved, in order, for as long as nobody has moved or resolved it since.
CREATE TABLE queue_move (
  tenant_id       uuid NOT NULL,
  conversation_id uuid NOT NULL,
  step            bigint NOT NULL,
  from_queue      uuid NOT NULL,
  to_queue        uuid NOT NULL,
  moved_at        bigint NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id, step)
);
CREATE INDEX queue_move_from ON queue_move (tenant_id, from_queue, conversation_id);
ALTER TABLE queue_move ENABLE ROW LEVEL SECURITY;
ALTER TABLE queue_move FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON queue_move USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- The same columns count the cases and find those of a queue: what comes in writes no index more than before.
DROP INDEX conversation_counts;
CREATE INDEX conversation_counts ON conversation (tenant_id, queue_id, status, assignee_id, channel_account_id);

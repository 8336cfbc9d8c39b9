-- SPDX-License-Identifier: EUPL-1.2
-- Queues have an order and words about them, are open at some hours, and can be archived. What lies in an archived queue
-- is to lie in `settles_in`, which is never archived itself: `archived_into` is what an admin said once.
ALTER TABLE queue ADD COLUMN description BLOB;
ALTER TABLE queue ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE queue ADD COLUMN archived_at INTEGER;
ALTER TABLE queue ADD COLUMN archived_into BLOB;
ALTER TABLE queue ADD COLUMN settles_in BLOB;

-- Apart from the names, which are read all the time.
CREATE TABLE queue_hours (
  tenant_id BLOB NOT NULL,
  queue_id  BLOB NOT NULL,
  hours     BLOB NOT NULL,
  key_id    BLOB NOT NULL,
  version   INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, queue_id)
) STRICT;

-- From which archived queues a case was moved, in order, for as long as nobody has moved or resolved it since.
CREATE TABLE queue_move (
  tenant_id       BLOB NOT NULL,
  conversation_id BLOB NOT NULL,
  step            INTEGER NOT NULL,
  from_queue      BLOB NOT NULL,
  to_queue        BLOB NOT NULL,
  moved_at        INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_move_from ON queue_move (tenant_id, from_queue, conversation_id);

-- The same columns count the cases and find those of a queue: what comes in writes no index more than before.
DROP INDEX conversation_counts;
CREATE INDEX conversation_counts ON conversation (tenant_id, queue_id, status, assignee_id, channel_account_id);

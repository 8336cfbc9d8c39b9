-- SPDX-License-Identifier: EUPL-1.2
-- A case has a place in the lists of its own: when its last message came, or when it came back after
-- it was put off.
ALTER TABLE conversation ADD COLUMN placed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN snoozed_until INTEGER;
ALTER TABLE conversation ADD COLUMN woken_at INTEGER;
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
  tenant_id   BLOB NOT NULL,
  id          BLOB NOT NULL,
  name        BLOB NOT NULL,
  key_id      BLOB NOT NULL,
  name_index  BLOB,
  colour      TEXT NOT NULL,
  archived_at INTEGER,
  merged_into BLOB,
  version     INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX tag_name ON tag (tenant_id, name_index) WHERE name_index IS NOT NULL;

-- Status and place are those of the case, so that a list by tag reads no more rows than it gives.
CREATE TABLE conversation_tag (
  tenant_id       BLOB NOT NULL,
  conversation_id BLOB NOT NULL,
  tag_id          BLOB NOT NULL,
  status          TEXT NOT NULL,
  placed_at       INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id, tag_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_tag_list ON conversation_tag (tenant_id, tag_id, status, placed_at, conversation_id);

-- Lists that people keep under a name: their own, or everybody's.
CREATE TABLE saved_view (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  owner_id   BLOB NOT NULL,
  shared     INTEGER NOT NULL,
  content    BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  version    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;

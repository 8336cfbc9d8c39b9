-- SPDX-License-Identifier: EUPL-1.2
-- The account that a case began through, of one that was moved to another mailbox.
ALTER TABLE conversation ADD COLUMN began_account_id BLOB;
-- People name a case by its number.
CREATE INDEX conversation_no ON conversation (tenant_id, no);

-- Rows of cases as they were before a merge: the one that went into another one, and that other one,
-- which has no into_id here. Columns as those of conversation, under the same seals.
CREATE TABLE merged_conversation (
  tenant_id          BLOB NOT NULL,
  merge_id           BLOB NOT NULL,
  id                 BLOB NOT NULL,
  no                 INTEGER NOT NULL,
  status             TEXT NOT NULL,
  contact_id         BLOB NOT NULL,
  queue_id           BLOB NOT NULL,
  channel_account_id BLOB NOT NULL,
  assignee_id        BLOB,
  summary            BLOB NOT NULL,
  key_id             BLOB NOT NULL,
  message_count      INTEGER NOT NULL,
  last_message_at    INTEGER NOT NULL,
  last_message_kind  TEXT NOT NULL,
  unread             INTEGER NOT NULL,
  delivery_problem   INTEGER NOT NULL,
  waiting_since      INTEGER,
  first_reply_at     INTEGER,
  resolved_at        INTEGER,
  created_at         INTEGER NOT NULL,
  version            INTEGER NOT NULL,
  placed_at          INTEGER NOT NULL,
  snoozed_until      INTEGER,
  woken_at           INTEGER,
  began_account_id   BLOB,
  into_id            BLOB,
  merged_seq         INTEGER NOT NULL,
  merged_version     INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, merge_id, id)
) STRICT;
CREATE UNIQUE INDEX merged_address ON merged_conversation (tenant_id, id) WHERE into_id IS NOT NULL;
CREATE INDEX merged_no ON merged_conversation (tenant_id, no) WHERE into_id IS NOT NULL;
CREATE INDEX merged_into ON merged_conversation (tenant_id, into_id) WHERE into_id IS NOT NULL;

-- What went along: messages, threads and tags of the one, and the tags that the other one did not have.
CREATE TABLE merged_part (
  tenant_id BLOB NOT NULL,
  merge_id  BLOB NOT NULL,
  kind      TEXT NOT NULL,
  part_id   BLOB NOT NULL,
  PRIMARY KEY (tenant_id, merge_id, kind, part_id)
) STRICT, WITHOUT ROWID;

-- Cases that were taken out of another one.
CREATE TABLE split (
  tenant_id BLOB NOT NULL,
  id        BLOB NOT NULL,
  from_id   BLOB NOT NULL,
  split_seq INTEGER NOT NULL,
  messages  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Cases that stand beside each other; a_id is the smaller one.
CREATE TABLE conversation_link (
  tenant_id  BLOB NOT NULL,
  a_id       BLOB NOT NULL,
  b_id       BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, a_id, b_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_link_back ON conversation_link (tenant_id, b_id);

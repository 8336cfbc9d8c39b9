-- SPDX-License-Identifier: EUPL-1.2
-- The account that a case began through, of one that was moved to another mailbox.
ALTER TABLE conversation ADD COLUMN began_account_id uuid;
-- People name a case by its number.
CREATE INDEX conversation_no ON conversation (tenant_id, no);

-- Rows of cases as they were before a merge: the one that went into another one, and that other one,
-- which has no into_id here. Columns as those of conversation, under the same seals.
CREATE TABLE merged_conversation (
  tenant_id          uuid NOT NULL,
  merge_id           uuid NOT NULL,
  id                 uuid NOT NULL,
  no                 bigint NOT NULL,
  status             text COLLATE "C" NOT NULL,
  contact_id         uuid NOT NULL,
  queue_id           uuid NOT NULL,
  channel_account_id uuid NOT NULL,
  assignee_id        uuid,
  summary            bytea NOT NULL,
  key_id             uuid NOT NULL,
  message_count      bigint NOT NULL,
  last_message_at    bigint NOT NULL,
  last_message_kind  text COLLATE "C" NOT NULL,
  unread             bigint NOT NULL,
  delivery_problem   bigint NOT NULL,
  waiting_since      bigint,
  first_reply_at     bigint,
  resolved_at        bigint,
  created_at         bigint NOT NULL,
  version            bigint NOT NULL,
  placed_at          bigint NOT NULL,
  snoozed_until      bigint,
  woken_at           bigint,
  began_account_id   uuid,
  into_id            uuid,
  merged_seq         bigint NOT NULL,
  merged_version     bigint NOT NULL,
  PRIMARY KEY (tenant_id, merge_id, id)
);
CREATE UNIQUE INDEX merged_address ON merged_conversation (tenant_id, id) WHERE into_id IS NOT NULL;
CREATE INDEX merged_no ON merged_conversation (tenant_id, no) WHERE into_id IS NOT NULL;
CREATE INDEX merged_into ON merged_conversation (tenant_id, into_id) WHERE into_id IS NOT NULL;

-- What went along: messages, threads and tags of the one, and the tags that the other one did not have.
CREATE TABLE merged_part (
  tenant_id uuid NOT NULL,
  merge_id  uuid NOT NULL,
  kind      text COLLATE "C" NOT NULL,
  part_id   uuid NOT NULL,
  PRIMARY KEY (tenant_id, merge_id, kind, part_id)
);

-- Cases that were taken out of another one.
CREATE TABLE split (
  tenant_id uuid NOT NULL,
  id        uuid NOT NULL,
  from_id   uuid NOT NULL,
  split_seq bigint NOT NULL,
  messages  bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- Cases that stand beside each other; a_id is the smaller one.
CREATE TABLE conversation_link (
  tenant_id  uuid NOT NULL,
  a_id       uuid NOT NULL,
  b_id       uuid NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, a_id, b_id)
);
CREATE INDEX conversation_link_back ON conversation_link (tenant_id, b_id);
ALTER TABLE merged_conversation ENABLE ROW LEVEL SECURITY;
ALTER TABLE merged_conversation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON merged_conversation USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');
ALTER TABLE merged_part ENABLE ROW LEVEL SECURITY;
ALTER TABLE merged_part FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON merged_part USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');
ALTER TABLE split ENABLE ROW LEVEL SECURITY;
ALTER TABLE split FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON split USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');
ALTER TABLE conversation_link ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversation_link FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON conversation_link USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');

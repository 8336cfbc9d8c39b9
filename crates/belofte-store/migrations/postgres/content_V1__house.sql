-- SPDX-License-Identifier: EUPL-1.2
-- tenant_id stands first in every key. Times are microseconds since 1970 in UTC, booleans 0 or 1.
-- Columns named profile, settings, summary, content, envelope, entry, recipient, reply, name,
-- value, meta, answer and agent are sealed; key_id beside them names the key.

CREATE TABLE tenant (
  id         uuid NOT NULL,
  slug       text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  state      text COLLATE "C" NOT NULL,
  next_seq   bigint NOT NULL,
  next_leaf  bigint NOT NULL,
  next_case  bigint NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (slug)
);

CREATE TABLE user_account (
  tenant_id       uuid NOT NULL,
  id              uuid NOT NULL,
  role            text COLLATE "C" NOT NULL,
  privacy_officer bigint NOT NULL,
  state           text COLLATE "C" NOT NULL,
  language        text COLLATE "C" NOT NULL,
  colour_scheme   text COLLATE "C" NOT NULL,
  shortcuts       bigint NOT NULL,
  login_index     bytea NOT NULL,
  password        text COLLATE "C" NOT NULL,
  profile         bytea NOT NULL,
  key_id          uuid NOT NULL,
  created_at      bigint NOT NULL,
  last_seen_at    bigint,
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE login (
  tenant_id   uuid NOT NULL,
  login_index bytea NOT NULL,
  user_id     uuid NOT NULL,
  PRIMARY KEY (login_index, tenant_id)
);

CREATE TABLE session (
  tenant_id    uuid NOT NULL,
  token_hash   bytea NOT NULL,
  id           uuid NOT NULL,
  user_id      uuid NOT NULL,
  created_at   bigint NOT NULL,
  last_seen_at bigint NOT NULL,
  expires_at   bigint NOT NULL,
  agent        bytea NOT NULL,
  key_id       uuid NOT NULL,
  PRIMARY KEY (token_hash)
);
CREATE INDEX session_of_user ON session (tenant_id, user_id);

CREATE TABLE api_key (
  tenant_id    uuid NOT NULL,
  id           uuid NOT NULL,
  token_hash   bytea NOT NULL,
  scope        text COLLATE "C" NOT NULL,
  name         bytea NOT NULL,
  key_id       uuid NOT NULL,
  created_by   uuid NOT NULL,
  created_at   bigint NOT NULL,
  expires_at   bigint NOT NULL,
  revoked_at   bigint,
  last_used_at bigint,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (token_hash)
);

CREATE TABLE invitation (
  tenant_id       uuid NOT NULL,
  id              uuid NOT NULL,
  token_hash      bytea NOT NULL,
  role            text COLLATE "C" NOT NULL,
  privacy_officer bigint NOT NULL,
  created_by      uuid,
  created_at      bigint NOT NULL,
  expires_at      bigint NOT NULL,
  used_at         bigint,
  revoked_at      bigint,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (token_hash)
);

CREATE TABLE operator_user (
  id          uuid NOT NULL,
  login_index bytea NOT NULL,
  password    text COLLATE "C" NOT NULL,
  profile     bytea NOT NULL,
  key_id      uuid NOT NULL,
  created_at  bigint NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (login_index)
);

CREATE TABLE operator_session (
  token_hash  bytea NOT NULL,
  operator_id uuid NOT NULL,
  created_at  bigint NOT NULL,
  expires_at  bigint NOT NULL,
  PRIMARY KEY (token_hash)
);

CREATE TABLE sign_in_failure (
  subject      bytea NOT NULL,
  failures     bigint NOT NULL,
  last_at      bigint NOT NULL,
  locked_until bigint,
  PRIMARY KEY (subject)
);

CREATE TABLE queue (
  tenant_id  uuid NOT NULL,
  id         uuid NOT NULL,
  name       bytea NOT NULL,
  key_id     uuid NOT NULL,
  is_default bigint NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE channel_account (
  tenant_id  uuid NOT NULL,
  id         uuid NOT NULL,
  kind       text COLLATE "C" NOT NULL,
  state      text COLLATE "C" NOT NULL,
  queue_id   uuid NOT NULL,
  settings   bytea NOT NULL,
  key_id     uuid NOT NULL,
  version    bigint NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- Addresses of channel accounts, unique over the installation: the listener looks them up before
-- it knows a tenant.
CREATE TABLE account_address (
  address_index bytea NOT NULL,
  tenant_id     uuid NOT NULL,
  account_id    uuid NOT NULL,
  PRIMARY KEY (address_index)
);

CREATE TABLE contact (
  tenant_id  uuid NOT NULL,
  id         uuid NOT NULL,
  profile    bytea NOT NULL,
  key_id     uuid NOT NULL,
  created_at bigint NOT NULL,
  changed_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE identity (
  tenant_id   uuid NOT NULL,
  id          uuid NOT NULL,
  contact_id  uuid NOT NULL,
  kind        text COLLATE "C" NOT NULL,
  value_index bytea NOT NULL,
  value       bytea NOT NULL,
  key_id      uuid NOT NULL,
  verified    bigint NOT NULL,
  created_at  bigint NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, kind, value_index)
);
CREATE INDEX identity_contact ON identity (tenant_id, contact_id);

CREATE TABLE conversation (
  tenant_id          uuid NOT NULL,
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
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX conversation_list ON conversation (tenant_id, status, last_message_at, id);
CREATE INDEX conversation_assignee ON conversation (tenant_id, assignee_id, status, last_message_at, id);
CREATE INDEX conversation_contact ON conversation (tenant_id, contact_id, last_message_at);

CREATE TABLE thread (
  tenant_id          uuid NOT NULL,
  id                 uuid NOT NULL,
  conversation_id    uuid NOT NULL,
  channel_account_id uuid NOT NULL,
  created_at         bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX thread_conversation ON thread (tenant_id, conversation_id);

CREATE TABLE message (
  tenant_id          uuid NOT NULL,
  id                 uuid NOT NULL,
  no                 bigint NOT NULL,
  conversation_id    uuid NOT NULL,
  thread_id          uuid,
  channel_account_id uuid,
  kind               text COLLATE "C" NOT NULL,
  author_kind        text COLLATE "C" NOT NULL,
  author_id          uuid NOT NULL,
  external_index     bytea,
  content            bytea NOT NULL,
  key_id             uuid NOT NULL,
  source_blob_id     uuid,
  created_at         bigint NOT NULL,
  sent_at            bigint,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX message_external ON message (tenant_id, channel_account_id, external_index)
  WHERE external_index IS NOT NULL;
CREATE UNIQUE INDEX message_no ON message (tenant_id, no);
CREATE INDEX message_conversation ON message (tenant_id, conversation_id, no);

-- Every Message-ID that was seen or referred to, by blind index, and the thread that it speaks of.
CREATE TABLE message_reference (
  tenant_id       uuid NOT NULL,
  reference_index bytea NOT NULL,
  thread_id       uuid NOT NULL,
  PRIMARY KEY (tenant_id, reference_index, thread_id)
);

CREATE TABLE delivery (
  tenant_id   uuid NOT NULL,
  id          uuid NOT NULL,
  message_id  uuid NOT NULL,
  role        text COLLATE "C" NOT NULL,
  recipient   bytea NOT NULL,
  key_id      uuid NOT NULL,
  state       text COLLATE "C" NOT NULL,
  attempts    bigint NOT NULL,
  next_try_at bigint,
  code        text COLLATE "C",
  reply       bytea,
  created_at  bigint NOT NULL,
  updated_at  bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX delivery_message ON delivery (tenant_id, message_id);

CREATE TABLE attachment (
  tenant_id  uuid NOT NULL,
  id         uuid NOT NULL,
  message_id uuid,
  owner_id   uuid NOT NULL,
  blob_id    uuid NOT NULL,
  meta       bytea NOT NULL,
  key_id     uuid NOT NULL,
  media_type text COLLATE "C" NOT NULL,
  size_bytes bigint NOT NULL,
  inline     bigint NOT NULL,
  position   bigint NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX attachment_message ON attachment (tenant_id, message_id, position);

CREATE TABLE blob (
  tenant_id  uuid NOT NULL,
  id         uuid NOT NULL,
  kind       text COLLATE "C" NOT NULL,
  key_id     uuid NOT NULL,
  wrapped    bytea NOT NULL,
  dek_id     uuid NOT NULL,
  size_bytes bigint NOT NULL,
  data       bytea,
  created_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- What channels received. Never deleted with the message: the sum must hold.
CREATE TABLE intake (
  tenant_id    uuid NOT NULL,
  id           uuid NOT NULL,
  account_id   uuid NOT NULL,
  state        text COLLATE "C" NOT NULL,
  reason       text COLLATE "C",
  blob_id      uuid NOT NULL,
  envelope     bytea NOT NULL,
  key_id       uuid NOT NULL,
  size_bytes   bigint NOT NULL,
  received_at  bigint NOT NULL,
  processed_at bigint,
  retried_at   bigint,
  message_id   uuid,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX intake_account ON intake (tenant_id, account_id, state, received_at);

CREATE TABLE activity (
  tenant_id       uuid NOT NULL,
  conversation_id uuid NOT NULL,
  id              uuid NOT NULL,
  kind            text COLLATE "C" NOT NULL,
  actor_kind      text COLLATE "C" NOT NULL,
  actor_id        uuid NOT NULL,
  at              bigint NOT NULL,
  from_value      text COLLATE "C",
  to_value        text COLLATE "C",
  PRIMARY KEY (tenant_id, conversation_id, id)
);

CREATE TABLE event (
  tenant_id       uuid NOT NULL,
  seq             bigint NOT NULL,
  kind            text COLLATE "C" NOT NULL,
  conversation_id uuid,
  message_id      uuid,
  account_id      uuid,
  user_id         uuid,
  queue_id        uuid,
  at              bigint NOT NULL,
  PRIMARY KEY (tenant_id, seq)
);

CREATE TABLE job (
  tenant_id   uuid NOT NULL,
  id          uuid NOT NULL,
  kind        text COLLATE "C" NOT NULL,
  subject_id  uuid NOT NULL,
  state       text COLLATE "C" NOT NULL,
  run_at      bigint NOT NULL,
  attempts    bigint NOT NULL,
  fence       bigint NOT NULL,
  lease_until bigint,
  error_code  text COLLATE "C",
  created_at  bigint NOT NULL,
  changed_at  bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX job_due ON job (tenant_id, state, run_at, id);

CREATE TABLE ledger_leaf (
  tenant_id  uuid NOT NULL,
  no         bigint NOT NULL,
  kind       text COLLATE "C" NOT NULL,
  entry      bytea NOT NULL,
  key_id     uuid NOT NULL,
  commitment bytea NOT NULL,
  at         bigint NOT NULL,
  PRIMARY KEY (tenant_id, no)
);

CREATE TABLE ledger_checkpoint (
  tenant_id uuid NOT NULL,
  size      bigint NOT NULL,
  note      bytea NOT NULL,
  at        bigint NOT NULL,
  edge      bytea NOT NULL,
  PRIMARY KEY (tenant_id, size)
);

CREATE TABLE idempotency (
  tenant_id    uuid NOT NULL,
  actor_id     uuid NOT NULL,
  key_hash     bytea NOT NULL,
  request_hash bytea NOT NULL,
  status       bigint NOT NULL,
  answer       bytea NOT NULL,
  key_id       uuid NOT NULL,
  at           bigint NOT NULL,
  intended_id  uuid NOT NULL,
  PRIMARY KEY (tenant_id, actor_id, key_hash)
);

-- Statistics have no person key.
CREATE TABLE statistic (
  tenant_id          uuid NOT NULL,
  day                bigint NOT NULL,
  channel_account_id uuid NOT NULL,
  received           bigint NOT NULL,
  conversations      bigint NOT NULL,
  replies            bigint NOT NULL,
  resolved           bigint NOT NULL,
  PRIMARY KEY (tenant_id, day, channel_account_id)
);

-- Blind indexes of what was erased, so that it is not imported again.
CREATE TABLE tombstone (
  tenant_id      uuid NOT NULL,
  kind           text COLLATE "C" NOT NULL,
  external_index bytea NOT NULL,
  at             bigint NOT NULL,
  PRIMARY KEY (tenant_id, kind, external_index)
);

-- Search tokens of a message (keyed hashes, see the vault): inside the acknowledged commit here.
CREATE TABLE message_index (
  tenant_id uuid NOT NULL,
  no        bigint NOT NULL,
  tok       int4[] NOT NULL,
  PRIMARY KEY (tenant_id, no)
);
ALTER TABLE message_index ALTER COLUMN tok SET STORAGE EXTERNAL;
CREATE INDEX message_index_tok ON message_index USING gin (tok);

-- The second wall: a transaction sees the rows of the tenant that it named when it began, or all
-- rows when it said that it is system work. Without either it sees nothing. A role that is a
-- superuser or has BYPASSRLS passes through it; `belofte doctor` says so.
ALTER TABLE user_account ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_account FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON user_account USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE login ENABLE ROW LEVEL SECURITY;
ALTER TABLE login FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON login USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE session ENABLE ROW LEVEL SECURITY;
ALTER TABLE session FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON session USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_key FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON api_key USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE invitation ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON invitation USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE queue FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON queue USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE channel_account ENABLE ROW LEVEL SECURITY;
ALTER TABLE channel_account FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON channel_account USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE account_address ENABLE ROW LEVEL SECURITY;
ALTER TABLE account_address FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON account_address USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON contact USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE identity ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON identity USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE conversation ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON conversation USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE thread ENABLE ROW LEVEL SECURITY;
ALTER TABLE thread FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON thread USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE message ENABLE ROW LEVEL SECURITY;
ALTER TABLE message FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON message USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE message_reference ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_reference FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON message_reference USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON delivery USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE attachment ENABLE ROW LEVEL SECURITY;
ALTER TABLE attachment FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON attachment USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE blob ENABLE ROW LEVEL SECURITY;
ALTER TABLE blob FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON blob USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE intake ENABLE ROW LEVEL SECURITY;
ALTER TABLE intake FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON intake USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE activity ENABLE ROW LEVEL SECURITY;
ALTER TABLE activity FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON activity USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
ALTER TABLE event FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON event USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE job ENABLE ROW LEVEL SECURITY;
ALTER TABLE job FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON job USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE ledger_leaf ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_leaf FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON ledger_leaf USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE ledger_checkpoint ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_checkpoint FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON ledger_checkpoint USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON idempotency USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE statistic ENABLE ROW LEVEL SECURITY;
ALTER TABLE statistic FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON statistic USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE tombstone ENABLE ROW LEVEL SECURITY;
ALTER TABLE tombstone FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON tombstone USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE message_index ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_index FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON message_index USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');
ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON tenant USING (id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

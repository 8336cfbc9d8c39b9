-- SPDX-License-Identifier: EUPL-1.2
-- tenant_id stands first in every key. Times are microseconds since 1970 in UTC, booleans 0 or 1.
-- Columns named profile, settings, summary, content, envelope, entry, recipient, reply, name,
-- value, meta, answer and agent are sealed; key_id beside them names the key.

CREATE TABLE tenant (
  id         BLOB NOT NULL,
  slug       TEXT NOT NULL,
  name       TEXT NOT NULL,
  state      TEXT NOT NULL,
  next_seq   INTEGER NOT NULL,
  next_leaf  INTEGER NOT NULL,
  next_case  INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (slug)
) STRICT;

CREATE TABLE user_account (
  tenant_id       BLOB NOT NULL,
  id              BLOB NOT NULL,
  role            TEXT NOT NULL,
  privacy_officer INTEGER NOT NULL,
  state           TEXT NOT NULL,
  language        TEXT NOT NULL,
  colour_scheme   TEXT NOT NULL,
  shortcuts       INTEGER NOT NULL,
  login_index     BLOB NOT NULL,
  password        TEXT NOT NULL,
  profile         BLOB NOT NULL,
  key_id          BLOB NOT NULL,
  created_at      INTEGER NOT NULL,
  last_seen_at    INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE login (
  tenant_id   BLOB NOT NULL,
  login_index BLOB NOT NULL,
  user_id     BLOB NOT NULL,
  PRIMARY KEY (login_index, tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  tenant_id    BLOB NOT NULL,
  token_hash   BLOB NOT NULL,
  id           BLOB NOT NULL,
  user_id      BLOB NOT NULL,
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  agent        BLOB NOT NULL,
  key_id       BLOB NOT NULL,
  PRIMARY KEY (token_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_of_user ON session (tenant_id, user_id);

CREATE TABLE api_key (
  tenant_id    BLOB NOT NULL,
  id           BLOB NOT NULL,
  token_hash   BLOB NOT NULL,
  scope        TEXT NOT NULL,
  name         BLOB NOT NULL,
  key_id       BLOB NOT NULL,
  created_by   BLOB NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  revoked_at   INTEGER,
  last_used_at INTEGER,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (token_hash)
) STRICT;

CREATE TABLE invitation (
  tenant_id       BLOB NOT NULL,
  id              BLOB NOT NULL,
  token_hash      BLOB NOT NULL,
  role            TEXT NOT NULL,
  privacy_officer INTEGER NOT NULL,
  created_by      BLOB,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL,
  used_at         INTEGER,
  revoked_at      INTEGER,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (token_hash)
) STRICT;

CREATE TABLE operator_user (
  id          BLOB NOT NULL,
  login_index BLOB NOT NULL,
  password    TEXT NOT NULL,
  profile     BLOB NOT NULL,
  key_id      BLOB NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (login_index)
) STRICT;

CREATE TABLE operator_session (
  token_hash  BLOB NOT NULL,
  operator_id BLOB NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  PRIMARY KEY (token_hash)
) STRICT;

CREATE TABLE sign_in_failure (
  subject      BLOB NOT NULL,
  failures     INTEGER NOT NULL,
  last_at      INTEGER NOT NULL,
  locked_until INTEGER,
  PRIMARY KEY (subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  name       BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  is_default INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE channel_account (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  kind       TEXT NOT NULL,
  state      TEXT NOT NULL,
  queue_id   BLOB NOT NULL,
  settings   BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  version    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;

-- Addresses of channel accounts, unique over the installation: the listener looks them up before
-- it knows a tenant.
CREATE TABLE account_address (
  address_index BLOB NOT NULL,
  tenant_id     BLOB NOT NULL,
  account_id    BLOB NOT NULL,
  PRIMARY KEY (address_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  profile    BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE identity (
  tenant_id   BLOB NOT NULL,
  id          BLOB NOT NULL,
  contact_id  BLOB NOT NULL,
  kind        TEXT NOT NULL,
  value_index BLOB NOT NULL,
  value       BLOB NOT NULL,
  key_id      BLOB NOT NULL,
  verified    INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, kind, value_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_contact ON identity (tenant_id, contact_id);

CREATE TABLE conversation (
  tenant_id          BLOB NOT NULL,
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
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX conversation_list ON conversation (tenant_id, status, last_message_at, id);
CREATE INDEX conversation_assignee ON conversation (tenant_id, assignee_id, status, last_message_at, id);
CREATE INDEX conversation_contact ON conversation (tenant_id, contact_id, last_message_at);

CREATE TABLE thread (
  tenant_id          BLOB NOT NULL,
  id                 BLOB NOT NULL,
  conversation_id    BLOB NOT NULL,
  channel_account_id BLOB NOT NULL,
  created_at         INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_conversation ON thread (tenant_id, conversation_id);

CREATE TABLE message (
  tenant_id          BLOB NOT NULL,
  id                 BLOB NOT NULL,
  no                 INTEGER NOT NULL,
  conversation_id    BLOB NOT NULL,
  thread_id          BLOB,
  channel_account_id BLOB,
  kind               TEXT NOT NULL,
  author_kind        TEXT NOT NULL,
  author_id          BLOB NOT NULL,
  external_index     BLOB,
  content            BLOB NOT NULL,
  key_id             BLOB NOT NULL,
  source_blob_id     BLOB,
  created_at         INTEGER NOT NULL,
  sent_at            INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX message_external ON message (tenant_id, channel_account_id, external_index)
  WHERE external_index IS NOT NULL;
CREATE UNIQUE INDEX message_no ON message (tenant_id, no);
CREATE INDEX message_conversation ON message (tenant_id, conversation_id, no);

-- Every Message-ID that was seen or referred to, by blind index, and the thread that it speaks of.
CREATE TABLE message_reference (
  tenant_id       BLOB NOT NULL,
  reference_index BLOB NOT NULL,
  thread_id       BLOB NOT NULL,
  PRIMARY KEY (tenant_id, reference_index, thread_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
  tenant_id   BLOB NOT NULL,
  id          BLOB NOT NULL,
  message_id  BLOB NOT NULL,
  role        TEXT NOT NULL,
  recipient   BLOB NOT NULL,
  key_id      BLOB NOT NULL,
  state       TEXT NOT NULL,
  attempts    INTEGER NOT NULL,
  next_try_at INTEGER,
  code        TEXT,
  reply       BLOB,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_message ON delivery (tenant_id, message_id);

CREATE TABLE attachment (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  message_id BLOB,
  owner_id   BLOB NOT NULL,
  blob_id    BLOB NOT NULL,
  meta       BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  media_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  inline     INTEGER NOT NULL,
  position   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX attachment_message ON attachment (tenant_id, message_id, position);

CREATE TABLE blob (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  kind       TEXT NOT NULL,
  key_id     BLOB NOT NULL,
  wrapped    BLOB NOT NULL,
  dek_id     BLOB NOT NULL,
  size_bytes INTEGER NOT NULL,
  data       BLOB,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;

-- What channels received. Never deleted with the message: the sum must hold.
CREATE TABLE intake (
  tenant_id    BLOB NOT NULL,
  id           BLOB NOT NULL,
  account_id   BLOB NOT NULL,
  state        TEXT NOT NULL,
  reason       TEXT,
  blob_id      BLOB NOT NULL,
  envelope     BLOB NOT NULL,
  key_id       BLOB NOT NULL,
  size_bytes   INTEGER NOT NULL,
  received_at  INTEGER NOT NULL,
  processed_at INTEGER,
  retried_at   INTEGER,
  message_id   BLOB,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX intake_account ON intake (tenant_id, account_id, state, received_at);

CREATE TABLE activity (
  tenant_id       BLOB NOT NULL,
  conversation_id BLOB NOT NULL,
  id              BLOB NOT NULL,
  kind            TEXT NOT NULL,
  actor_kind      TEXT NOT NULL,
  actor_id        BLOB NOT NULL,
  at              INTEGER NOT NULL,
  from_value      TEXT,
  to_value        TEXT,
  PRIMARY KEY (tenant_id, conversation_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  tenant_id       BLOB NOT NULL,
  seq             INTEGER NOT NULL,
  kind            TEXT NOT NULL,
  conversation_id BLOB,
  message_id      BLOB,
  account_id      BLOB,
  user_id         BLOB,
  queue_id        BLOB,
  at              INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  tenant_id   BLOB NOT NULL,
  id          BLOB NOT NULL,
  kind        TEXT NOT NULL,
  subject_id  BLOB NOT NULL,
  state       TEXT NOT NULL,
  run_at      INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  fence       INTEGER NOT NULL,
  lease_until INTEGER,
  error_code  TEXT,
  created_at  INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_due ON job (tenant_id, state, run_at, id);

CREATE TABLE ledger_leaf (
  tenant_id  BLOB NOT NULL,
  no         INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  entry      BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  commitment BLOB NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, no)
) STRICT;

CREATE TABLE ledger_checkpoint (
  tenant_id BLOB NOT NULL,
  size      INTEGER NOT NULL,
  note      BLOB NOT NULL,
  at        INTEGER NOT NULL,
  edge      BLOB NOT NULL,
  PRIMARY KEY (tenant_id, size)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  tenant_id    BLOB NOT NULL,
  actor_id     BLOB NOT NULL,
  key_hash     BLOB NOT NULL,
  request_hash BLOB NOT NULL,
  status       INTEGER NOT NULL,
  answer       BLOB NOT NULL,
  key_id       BLOB NOT NULL,
  at           INTEGER NOT NULL,
  intended_id  BLOB NOT NULL,
  PRIMARY KEY (tenant_id, actor_id, key_hash)
) STRICT, WITHOUT ROWID;

-- Statistics have no person key.
CREATE TABLE statistic (
  tenant_id          BLOB NOT NULL,
  day                INTEGER NOT NULL,
  channel_account_id BLOB NOT NULL,
  received           INTEGER NOT NULL,
  conversations      INTEGER NOT NULL,
  replies            INTEGER NOT NULL,
  resolved           INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, day, channel_account_id)
) STRICT, WITHOUT ROWID;

-- Blind indexes of what was erased, so that it is not imported again.
CREATE TABLE tombstone (
  tenant_id      BLOB NOT NULL,
  kind           TEXT NOT NULL,
  external_index BLOB NOT NULL,
  at             INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, kind, external_index)
) STRICT, WITHOUT ROWID;

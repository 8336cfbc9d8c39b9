-- SPDX-License-Identifier: EUPL-1.2
-- What people are writing and have not sent: one reply and one note for each case, and one mail that
-- begins a case (of the case that no case is).
CREATE TABLE draft (
  tenant_id       BLOB NOT NULL,
  owner_id        BLOB NOT NULL,
  conversation_id BLOB NOT NULL,
  kind            TEXT NOT NULL,
  id              BLOB NOT NULL,
  content         BLOB NOT NULL,
  key_id          BLOB NOT NULL,
  version         INTEGER NOT NULL,
  saved_at        INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, conversation_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX draft_case ON draft (tenant_id, conversation_id);
CREATE INDEX draft_age ON draft (tenant_id, saved_at);
-- An upload that a draft holds waits for as long as the draft does.
ALTER TABLE attachment ADD COLUMN draft_id BLOB;
CREATE INDEX attachment_draft ON attachment (tenant_id, draft_id) WHERE draft_id IS NOT NULL;

-- Who is where at this moment, as one node tells the others. Nobody needs it a minute later.
CREATE TABLE presence (
  tenant_id       BLOB NOT NULL,
  line_id         BLOB NOT NULL,
  node_id         BLOB NOT NULL,
  user_id         BLOB NOT NULL,
  conversation_id BLOB NOT NULL,
  state           TEXT NOT NULL,
  since           INTEGER NOT NULL,
  taken_at        INTEGER,
  expires_at      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, line_id)
) STRICT, WITHOUT ROWID;

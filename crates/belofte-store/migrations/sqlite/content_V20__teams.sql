-- SPDX-License-Identifier: EUPL-1.2
-- People who work together, and the queues that they serve.
CREATE TABLE team (
  tenant_id   BLOB NOT NULL,
  id          BLOB NOT NULL,
  name        BLOB NOT NULL,
  key_id      BLOB NOT NULL,
  archived_at INTEGER,
  version     INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE team_member (
  tenant_id BLOB NOT NULL,
  team_id   BLOB NOT NULL,
  user_id   BLOB NOT NULL,
  PRIMARY KEY (tenant_id, team_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_member_of_user ON team_member (tenant_id, user_id);

CREATE TABLE team_queue (
  tenant_id BLOB NOT NULL,
  team_id   BLOB NOT NULL,
  queue_id  BLOB NOT NULL,
  PRIMARY KEY (tenant_id, team_id, queue_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_queue_of_queue ON team_queue (tenant_id, queue_id);

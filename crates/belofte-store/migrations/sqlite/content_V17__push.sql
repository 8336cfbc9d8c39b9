-- SPDX-License-Identifier: EUPL-1.2
-- Browsers that are told when something is new, and the key by which the tenant says so to push services: a tenant
-- without that key allows none.
CREATE TABLE push_setting (
  tenant_id  BLOB NOT NULL,
  public_key TEXT NOT NULL,
  secret     BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  allowed_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE push_device (
  tenant_id      BLOB NOT NULL,
  id             BLOB NOT NULL,
  user_id        BLOB NOT NULL,
  session_id     BLOB NOT NULL,
  endpoint_index BLOB NOT NULL,
  details        BLOB NOT NULL,
  key_id         BLOB NOT NULL,
  problem        TEXT,
  told_at        INTEGER,
  created_at     INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, endpoint_index)
) STRICT;
CREATE INDEX push_device_of_user ON push_device (tenant_id, user_id);

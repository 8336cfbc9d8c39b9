-- SPDX-License-Identifier: EUPL-1.2
-- Words and changes that people keep under a name: their own, or everybody's.
CREATE TABLE macro (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  owner_id   BLOB NOT NULL,
  shared     INTEGER NOT NULL,
  about      BLOB NOT NULL,
  texts      BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  uses       INTEGER NOT NULL,
  used_day   INTEGER,
  version    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;

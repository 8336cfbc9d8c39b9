-- SPDX-License-Identifier: EUPL-1.2
CREATE TABLE key (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  class      TEXT NOT NULL,
  state      TEXT NOT NULL,
  epoch      INTEGER NOT NULL,
  parent_id  BLOB NOT NULL,
  owner_id   BLOB,
  wrapped    BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_class ON key (tenant_id, class, created_at)
  WHERE class IN ('tenant', 'lookup', 'search', 'ledger', 'settings');

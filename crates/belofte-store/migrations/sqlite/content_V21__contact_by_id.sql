-- SPDX-License-Identifier: EUPL-1.2
-- A contact is read with each case that is shown: its row lies at its key now, and not one tree further.
CREATE TABLE contact_by_id (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  profile    BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO contact_by_id (tenant_id, id, profile, key_id, created_at, changed_at)
  SELECT tenant_id, id, profile, key_id, created_at, changed_at FROM contact ORDER BY tenant_id, id;
DROP TABLE contact;
ALTER TABLE contact_by_id RENAME TO contact;

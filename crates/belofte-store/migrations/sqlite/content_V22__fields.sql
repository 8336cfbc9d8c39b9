-- SPDX-License-Identifier: EUPL-1.2
-- Fields that a tenant defines for itself. All that it says of one is sealed; what is on a person lies under the key of
-- that person, what is on a case under that of the case. First by field: a list that asks for one reads it in order.
CREATE TABLE field (
  tenant_id   BLOB NOT NULL,
  id          BLOB NOT NULL,
  record_kind TEXT NOT NULL,
  position    INTEGER NOT NULL,
  about       BLOB NOT NULL,
  key_id      BLOB NOT NULL,
  archived_at INTEGER,
  removed_at  INTEGER,
  version     INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE contact_field_value (
  tenant_id  BLOB NOT NULL,
  field_id   BLOB NOT NULL,
  contact_id BLOB NOT NULL,
  value      BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  version    INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, field_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_field_value_of ON contact_field_value (tenant_id, contact_id);

CREATE TABLE conversation_field_value (
  tenant_id       BLOB NOT NULL,
  field_id        BLOB NOT NULL,
  conversation_id BLOB NOT NULL,
  value           BLOB NOT NULL,
  key_id          BLOB NOT NULL,
  version         INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, field_id, conversation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_field_value_of ON conversation_field_value (tenant_id, conversation_id);

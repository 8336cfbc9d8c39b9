-- SPDX-License-Identifier: EUPL-1.2
-- To whom a tenant has answers handed in, since when and until when. What goes out goes to nobody else.
CREATE TABLE recipient (
  tenant_id  BLOB NOT NULL,
  account_id BLOB NOT NULL,
  host_index BLOB NOT NULL,
  host       BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  first_at   INTEGER NOT NULL,
  ended_at   INTEGER,
  PRIMARY KEY (tenant_id, account_id, host_index)
) STRICT;

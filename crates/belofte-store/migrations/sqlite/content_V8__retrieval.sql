-- SPDX-License-Identifier: EUPL-1.2
-- Mailboxes that are read over IMAP: how far, and what keeps them from being read.
CREATE TABLE retrieval (
  tenant_id  BLOB NOT NULL,
  account_id BLOB NOT NULL,
  position   BLOB,
  key_id     BLOB,
  problem    TEXT,
  since      INTEGER,
  failures   INTEGER NOT NULL,
  looked_at  INTEGER,
  older      INTEGER NOT NULL,
  left_there INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, account_id)
) STRICT;

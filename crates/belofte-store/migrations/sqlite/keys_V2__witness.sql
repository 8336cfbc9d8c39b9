-- SPDX-License-Identifier: EUPL-1.2
-- What the keys know of their content: the newest entry of each tenant's ledger that was seen
-- durable. Content without it is older than its keys, or another. "doubt" says why nothing is
-- destroyed for the tenant, "number" how many it is about, "accepted_at" when the operator last
-- said that the pair belongs together.
CREATE TABLE witness (
  tenant_id   BLOB NOT NULL,
  leaf        INTEGER NOT NULL,
  commitment  BLOB NOT NULL,
  seen_at     INTEGER NOT NULL,
  doubt       TEXT,
  number      INTEGER NOT NULL,
  accepted_at INTEGER,
  PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;

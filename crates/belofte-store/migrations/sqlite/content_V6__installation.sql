-- SPDX-License-Identifier: EUPL-1.2
-- The installation itself: it has a ledger of its own, of what the operator's people do. Its leaves lie
-- among those of the tenants, under the nil id, which no tenant has.
CREATE TABLE installation (
  tenant_id BLOB NOT NULL PRIMARY KEY,
  next_leaf INTEGER NOT NULL
) STRICT;
INSERT INTO installation (tenant_id, next_leaf) VALUES (zeroblob(16), 0);

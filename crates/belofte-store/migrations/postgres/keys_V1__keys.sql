-- SPDX-License-Identifier: EUPL-1.2
CREATE TABLE key (
  tenant_id  uuid NOT NULL,
  id         uuid NOT NULL,
  class      text COLLATE "C" NOT NULL,
  state      text COLLATE "C" NOT NULL,
  epoch      bigint NOT NULL,
  parent_id  uuid NOT NULL,
  owner_id   uuid,
  wrapped    bytea NOT NULL,
  created_at bigint NOT NULL,
  changed_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX key_class ON key (tenant_id, class, created_at)
  WHERE class IN ('tenant', 'lookup', 'search', 'ledger', 'settings');

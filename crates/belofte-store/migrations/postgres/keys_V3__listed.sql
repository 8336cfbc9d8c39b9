-- SPDX-License-Identifier: EUPL-1.2
-- Whether the destruction of a key stands in the erasure list, which lies outside every back-up
-- and is replayed before a restored server serves.
ALTER TABLE key ADD COLUMN listed bigint NOT NULL DEFAULT 0;
CREATE INDEX key_unlisted ON key (tenant_id, id)
  WHERE state = 'destroyed' AND listed = 0 AND class IN ('contact', 'conversation', 'tenant');

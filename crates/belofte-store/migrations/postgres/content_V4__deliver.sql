-- SPDX-License-Identifier: EUPL-1.2
-- One job a message, and the deliveries that are not ended: the sweep looks for those without one.
-- The wall between tenants holds for who owns the table, too.
SELECT set_config('belofte.scope', 'system', true);
-- Earlier versions could make a second one; the first sends to all who wait.
DELETE FROM job WHERE kind = 'deliver' AND EXISTS (
  SELECT 1 FROM job earlier WHERE earlier.tenant_id = job.tenant_id AND earlier.subject_id = job.subject_id
  AND earlier.kind = 'deliver' AND earlier.id < job.id);
CREATE UNIQUE INDEX job_deliver ON job (tenant_id, subject_id) WHERE kind = 'deliver';
CREATE INDEX delivery_open ON delivery (tenant_id, message_id) WHERE state IN ('queued', 'sending');

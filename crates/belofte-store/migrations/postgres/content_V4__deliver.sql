-- SPDX-License-Identifier: EUPL-1.2
-- One job a message, and the deliveries that are not ended: the sweep looks for those without one.
CREATE UNIQUE INDEX job_deliver ON job (tenant_id, subject_id) WHERE kind = 'deliver';
CREATE INDEX delivery_open ON delivery (tenant_id, message_id) WHERE state IN ('queued', 'sending');

-- SPDX-License-Identifier: EUPL-1.2
-- How many conversations stand where is read from this index alone, without their sealed summaries.
CREATE INDEX conversation_counts ON conversation (tenant_id, status, assignee_id, queue_id, channel_account_id);

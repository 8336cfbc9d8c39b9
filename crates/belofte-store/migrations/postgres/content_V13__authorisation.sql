-- SPDX-License-Identifier: EUPL-1.2
-- What providers of mailboxes gave for signing in (OAuth 2.0), and who is under way to one.
CREATE TABLE authorisation (
  tenant_id      uuid NOT NULL,
  account_id     uuid NOT NULL,
  request        bytea,
  request_key_id uuid,
  tokens         bytea,
  tokens_key_id  uuid,
  granted_at     bigint,
  ended_at       bigint,
  renewing_until bigint,
  version        bigint NOT NULL,
  PRIMARY KEY (tenant_id, account_id)
);
ALTER TABLE authorisation ENABLE ROW LEVEL SECURITY;
ALTER TABLE authorisation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON authorisation USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

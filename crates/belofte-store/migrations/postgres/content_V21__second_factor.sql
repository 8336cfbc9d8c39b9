-- SPDX-License-Identifier: EUPL-1.2
-- The second factor of signing in. Which one a user has stands in the row of the user, under its proof: taking the rows
-- below away takes nobody's factor away.
ALTER TABLE user_account ADD COLUMN factor_id uuid;
ALTER TABLE user_account ADD COLUMN factor_reset_at bigint;

CREATE TABLE second_factor (
  tenant_id   uuid NOT NULL,
  id          uuid NOT NULL,
  user_id     uuid NOT NULL,
  secret      bytea NOT NULL,
  key_id      uuid NOT NULL,
  last_period bigint NOT NULL,
  created_at  bigint NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, user_id)
);
ALTER TABLE second_factor ENABLE ROW LEVEL SECURITY;
ALTER TABLE second_factor FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON second_factor USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- A code that was used is gone.
CREATE TABLE recovery_code (
  tenant_id uuid NOT NULL,
  factor_id uuid NOT NULL,
  code_hash bytea NOT NULL,
  PRIMARY KEY (tenant_id, factor_id, code_hash)
);
ALTER TABLE recovery_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_code FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON recovery_code USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- Wrong codes of an account, from wherever they came.
CREATE TABLE second_factor_try (
  tenant_id    uuid NOT NULL,
  user_id      uuid NOT NULL,
  method       text COLLATE "C" NOT NULL,
  failures     bigint NOT NULL,
  last_at      bigint NOT NULL,
  locked_until bigint,
  PRIMARY KEY (tenant_id, user_id, method)
);
ALTER TABLE second_factor_try ENABLE ROW LEVEL SECURITY;
ALTER TABLE second_factor_try FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON second_factor_try USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- A second factor that somebody is setting up, in a session or in a step of their sign-in.
CREATE TABLE second_factor_enrolment (
  tenant_id  uuid NOT NULL,
  user_id    uuid NOT NULL,
  holder_id  uuid NOT NULL,
  secret     bytea NOT NULL,
  key_id     uuid NOT NULL,
  expires_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, user_id, holder_id)
);
ALTER TABLE second_factor_enrolment ENABLE ROW LEVEL SECURITY;
ALTER TABLE second_factor_enrolment FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON second_factor_enrolment USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- A sign-in whose password was right, and that waits for its second step.
CREATE TABLE sign_in_step (
  tenant_id  uuid NOT NULL,
  token_hash bytea NOT NULL,
  id         uuid NOT NULL,
  user_id    uuid NOT NULL,
  kind       text COLLATE "C" NOT NULL,
  standing   bytea NOT NULL,
  origin     bytea NOT NULL,
  known      bigint NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  proof      bytea NOT NULL,
  PRIMARY KEY (token_hash)
);
CREATE INDEX sign_in_step_of_user ON sign_in_step (tenant_id, user_id);
ALTER TABLE sign_in_step ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_step FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON sign_in_step USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

-- Of which roles a tenant asks a second factor.
CREATE TABLE second_factor_rule (
  tenant_id  uuid NOT NULL,
  admin      bigint NOT NULL,
  supervisor bigint NOT NULL,
  agent      bigint NOT NULL,
  PRIMARY KEY (tenant_id)
);
ALTER TABLE second_factor_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE second_factor_rule FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON second_factor_rule USING (tenant_id = nullif(current_setting('belofte.tenant', true), '')::uuid
  OR current_setting('belofte.scope', true) = 'system');

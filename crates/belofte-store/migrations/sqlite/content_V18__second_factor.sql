-- SPDX-License-Identifier: EUPL-1.2
-- The second factor of signing in. Which one a user has stands in the row of the user, under its proof: taking the rows
-- below away takes nobody's factor away.
ALTER TABLE user_account ADD COLUMN factor_id BLOB;
ALTER TABLE user_account ADD COLUMN factor_reset_at INTEGER;

CREATE TABLE second_factor (
  tenant_id   BLOB NOT NULL,
  id          BLOB NOT NULL,
  user_id     BLOB NOT NULL,
  secret      BLOB NOT NULL,
  key_id      BLOB NOT NULL,
  last_period INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, user_id)
) STRICT;

-- A code that was used is gone.
CREATE TABLE recovery_code (
  tenant_id BLOB NOT NULL,
  factor_id BLOB NOT NULL,
  code_hash BLOB NOT NULL,
  PRIMARY KEY (tenant_id, factor_id, code_hash)
) STRICT, WITHOUT ROWID;

-- Wrong codes of an account, from wherever they came.
CREATE TABLE second_factor_try (
  tenant_id    BLOB NOT NULL,
  user_id      BLOB NOT NULL,
  method       TEXT NOT NULL,
  failures     INTEGER NOT NULL,
  last_at      INTEGER NOT NULL,
  locked_until INTEGER,
  PRIMARY KEY (tenant_id, user_id, method)
) STRICT, WITHOUT ROWID;

-- A second factor that somebody is setting up, in a session or in a step of their sign-in.
CREATE TABLE second_factor_enrolment (
  tenant_id  BLOB NOT NULL,
  user_id    BLOB NOT NULL,
  holder_id  BLOB NOT NULL,
  secret     BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, user_id, holder_id)
) STRICT, WITHOUT ROWID;

-- A sign-in whose password was right, and that waits for its second step.
CREATE TABLE sign_in_step (
  tenant_id  BLOB NOT NULL,
  token_hash BLOB NOT NULL,
  id         BLOB NOT NULL,
  user_id    BLOB NOT NULL,
  kind       TEXT NOT NULL,
  standing   BLOB NOT NULL,
  origin     BLOB NOT NULL,
  known      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  proof      BLOB NOT NULL,
  PRIMARY KEY (token_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_step_of_user ON sign_in_step (tenant_id, user_id);

-- Of which roles a tenant asks a second factor.
CREATE TABLE second_factor_rule (
  tenant_id  BLOB NOT NULL,
  admin      INTEGER NOT NULL,
  supervisor INTEGER NOT NULL,
  agent      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;

-- SPDX-License-Identifier: EUPL-1.2
-- Rows that grant access carry a proof under a key of their tenant; one without it grants nothing.
-- The password is sealed for the row of its user, and names the invitation that made them.
ALTER TABLE invitation ADD COLUMN proof bytea;
ALTER TABLE session ADD COLUMN proof bytea;
ALTER TABLE api_key ADD COLUMN proof bytea;
ALTER TABLE operator_user ADD COLUMN proof bytea;
ALTER TABLE operator_session ADD COLUMN proof bytea;
ALTER TABLE user_account DROP COLUMN password;
ALTER TABLE user_account ADD COLUMN credential bytea;
ALTER TABLE user_account ADD COLUMN credential_key_id uuid;
ALTER TABLE user_account ADD COLUMN invitation_id uuid;
ALTER TABLE user_account ADD COLUMN proof bytea;
CREATE UNIQUE INDEX user_account_invitation ON user_account (tenant_id, invitation_id);

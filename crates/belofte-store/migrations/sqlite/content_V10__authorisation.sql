-- SPDX-License-Identifier: EUPL-1.2
-- What providers of mailboxes gave for signing in (OAuth 2.0), and who is under way to one.
CREATE TABLE authorisation (
  tenant_id      BLOB NOT NULL,
  account_id     BLOB NOT NULL,
  request        BLOB,
  request_key_id BLOB,
  tokens         BLOB,
  tokens_key_id  BLOB,
  granted_at     INTEGER,
  ended_at       INTEGER,
  renewing_until INTEGER,
  version        INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, account_id)
) STRICT;

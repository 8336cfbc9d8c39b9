-- SPDX-License-Identifier: EUPL-1.2
-- What users are told of. One line for each message that names somebody or was refused, one for each
-- conversation that was given or written in: the subject says which.
CREATE TABLE notification (
  tenant_id       BLOB NOT NULL,
  user_id         BLOB NOT NULL,
  kind            TEXT NOT NULL,
  subject_id      BLOB NOT NULL,
  id              BLOB NOT NULL,
  conversation_id BLOB NOT NULL,
  message_id      BLOB,
  by_id           BLOB,
  happened        INTEGER NOT NULL,
  in_desk         INTEGER NOT NULL,
  at              INTEGER NOT NULL,
  read_at         INTEGER,
  PRIMARY KEY (tenant_id, user_id, kind, subject_id)
) STRICT;
CREATE INDEX notification_subject ON notification (tenant_id, subject_id);
CREATE INDEX notification_age ON notification (tenant_id, at);

-- What a user has chosen; without a row both ways hold.
CREATE TABLE notification_preference (
  tenant_id BLOB NOT NULL,
  user_id   BLOB NOT NULL,
  kind      TEXT NOT NULL,
  desk      INTEGER NOT NULL,
  push      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, user_id, kind)
) STRICT;

-- SPDX-License-Identifier: EUPL-1.2
-- What users are told of. One line for each message that names somebody or was refused, one for each
-- conversation that was given or written in: the subject says which.
CREATE TABLE notification (
  tenant_id       uuid NOT NULL,
  user_id         uuid NOT NULL,
  kind            text COLLATE "C" NOT NULL,
  subject_id      uuid NOT NULL,
  id              uuid NOT NULL,
  conversation_id uuid NOT NULL,
  message_id      uuid,
  by_id           uuid,
  happened        bigint NOT NULL,
  in_desk         bigint NOT NULL,
  at              bigint NOT NULL,
  read_at         bigint,
  PRIMARY KEY (tenant_id, user_id, kind, subject_id)
);
CREATE INDEX notification_subject ON notification (tenant_id, subject_id);
CREATE INDEX notification_age ON notification (tenant_id, at);

-- What a user has chosen; without a row both ways hold.
CREATE TABLE notification_preference (
  tenant_id uuid NOT NULL,
  user_id   uuid NOT NULL,
  kind      text COLLATE "C" NOT NULL,
  desk      bigint NOT NULL,
  push      bigint NOT NULL,
  PRIMARY KEY (tenant_id, user_id, kind)
);
ALTER TABLE notification ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON notification USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');
ALTER TABLE notification_preference ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_preference FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON notification_preference USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');

-- SPDX-License-Identifier: EUPL-1.2
-- What people are writing and have not sent: one reply and one note for each case, and one mail that
-- begins a case (of the case that no case is).
CREATE TABLE draft (
  tenant_id       uuid NOT NULL,
  owner_id        uuid NOT NULL,
  conversation_id uuid NOT NULL,
  kind            text COLLATE "C" NOT NULL,
  id              uuid NOT NULL,
  content         bytea NOT NULL,
  key_id          uuid NOT NULL,
  version         bigint NOT NULL,
  saved_at        bigint NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, conversation_id, kind)
);
CREATE INDEX draft_case ON draft (tenant_id, conversation_id);
CREATE INDEX draft_age ON draft (tenant_id, saved_at);
-- An upload that a draft holds waits for as long as the draft does.
ALTER TABLE attachment ADD COLUMN draft_id uuid;
CREATE INDEX attachment_draft ON attachment (tenant_id, draft_id) WHERE draft_id IS NOT NULL;

-- Who is where at this moment, as one node tells the others. Nobody needs it a minute later, so that it
-- need not outlive a crash.
CREATE UNLOGGED TABLE presence (
  tenant_id       uuid NOT NULL,
  line_id         uuid NOT NULL,
  node_id         uuid NOT NULL,
  user_id         uuid NOT NULL,
  conversation_id uuid NOT NULL,
  state           text COLLATE "C" NOT NULL,
  since           bigint NOT NULL,
  taken_at        bigint,
  expires_at      bigint NOT NULL,
  PRIMARY KEY (tenant_id, line_id)
);
ALTER TABLE draft ENABLE ROW LEVEL SECURITY;
ALTER TABLE draft FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON draft USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');
ALTER TABLE presence ENABLE ROW LEVEL SECURITY;
ALTER TABLE presence FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON presence USING (
  tenant_id = (SELECT nullif(current_setting('belofte.tenant', true), '')::uuid)
  OR (SELECT current_setting('belofte.scope', true)) = 'system');

-- SPDX-License-Identifier: EUPL-1.2
-- Remote images that somebody asked to see, for a few days, and whose images are shown without asking.
CREATE TABLE remote_image (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  message_id BLOB NOT NULL,
  place      INTEGER NOT NULL,
  picture    BLOB NOT NULL,
  key_id     BLOB NOT NULL,
  fetched_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, message_id, place)
) STRICT;
CREATE INDEX remote_image_fetched ON remote_image (tenant_id, fetched_at);

-- A user of nought is everybody.
CREATE TABLE image_choice (
  tenant_id  BLOB NOT NULL,
  contact_id BLOB NOT NULL,
  user_id    BLOB NOT NULL,
  chosen_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, contact_id, user_id)
) STRICT;

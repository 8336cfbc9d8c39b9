-- SPDX-License-Identifier: EUPL-1.2
-- How often keys of a tenant were changed or removed. A node that has seen the number knows, as long as it
-- stands, that every key that it has read since may still be used, and need not ask for each (decision 18).
CREATE TABLE key_turn (
  tenant_id uuid NOT NULL PRIMARY KEY,
  turn      bigint NOT NULL
);

CREATE FUNCTION key_turned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO key_turn AS t (tenant_id, turn) SELECT DISTINCT tenant_id, 1 FROM changed ORDER BY tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET turn = t.turn + 1;
  RETURN NULL;
END
$$;
CREATE TRIGGER key_changed AFTER UPDATE ON key REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION key_turned();
CREATE TRIGGER key_removed AFTER DELETE ON key REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION key_turned();

-- SPDX-License-Identifier: EUPL-1.2
-- Each node keeps the search index and the lexicon in files of its own, made from the content (decision 17):
-- this database holds no tokens of words.
DROP TABLE message_index;
DROP TABLE lexicon;

-- The wall reads its settings once for a statement, and no longer once for every row.
DO $$
DECLARE
  wall record;
BEGIN
  FOR wall IN SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' AND policyname = 'tenant_wall'
  LOOP
    EXECUTE format(
      'ALTER POLICY %I ON %I USING (%I = (SELECT nullif(current_setting(''belofte.tenant'', true), '''')::uuid) '
      'OR (SELECT current_setting(''belofte.scope'', true)) = ''system'')',
      wall.policyname, wall.tablename, CASE wall.tablename WHEN 'tenant' THEN 'id' ELSE 'tenant_id' END);
  END LOOP;
END
$$;

// SPDX-License-Identifier: EUPL-1.2
//! The map against the schema that is really there.

use std::collections::HashSet;

use super::*;
use crate::engine::{params, sql};
use crate::tests::{access, places};
use crate::{MIGRATIONS, Read, StoreError, Tx};

struct Schema;

impl Read for Schema {
    type Out = Vec<(String, String)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let text = if tx.is_postgres() {
            sql!(
                "SELECT table_name::text, column_name::text FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name NOT IN ('refinery_schema_history', 'belofte_migration') \
                 ORDER BY table_name COLLATE \"C\", ordinal_position"
            )
        } else {
            sql!(
                "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT IN ('refinery_schema_history') AND m.name NOT LIKE 'sqlite_%' \
                 ORDER BY m.name, c.cid"
            )
        };
        tx.query(text, params![], |row| Ok((row.text(0)?, row.text(1)?))).await
    }
}

#[test]
fn no_number_is_used_twice() {
    let mut seen = HashSet::new();
    for table in DATA_MAP.iter().chain(INDEX_MAP) {
        for column in table.columns {
            assert!(seen.insert(column.id), "{}.{} has the number of another", table.name, column.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_map_is_the_schema() {
    for place in places().await {
        let store = place.open(&MIGRATIONS).await.expect("stores");
        let there = store.read(&access(crate::SYSTEM), Schema).await.expect("a schema");
        let mut mapped: Vec<(String, String)> = DATA_MAP
            .iter()
            .flat_map(|table| {
                table.columns.iter().map(|column| (table.name.to_owned(), column.name.to_owned()))
            })
            .collect();
        mapped.sort_by(|a, b| a.0.cmp(&b.0));
        let mut there = there;
        there.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(mapped, there, "{}", place.name);
        store.close().await;
    }
}

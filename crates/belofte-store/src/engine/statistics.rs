// SPDX-License-Identifier: EUPL-1.2
//! What the planner of the embedded engine is told of the tables (https://sqlite.org/fileformat2.html#stat1tab).
//!
//! Told nothing, it takes every first column of an index for one that few rows share. Here that is the tenant, which
//! all rows may share: it went through every identity of a tenant for those of one person, and through every delivery for those of
//! one message. It is not asked to look for itself (ANALYZE): a plan must not depend on what lies there today, and be another one
//! tomorrow. What it is told follows from the schema alone.

use rusqlite::Connection;

use crate::StoreError;

/// A tenant has so many rows of a table …
const OF_TENANT: u64 = 1_000_000;
/// … and is one of so many.
const TENANTS: u64 = 100;
/// Rows of a partial index are one in so many.
const PARTIAL: u64 = 10;
/// What the planner takes for the columns that follow, when it is told nothing (`sqlite3DefaultRowEst`).
const FOLLOWING: [u64; 5] = [10, 9, 8, 7, 6];
/// … and for all that follow these.
const LATER: u64 = 5;

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    table: String,
    index: String,
    rows: String,
}

/// Tells the planner of each index that begins with the tenant, unless it knows already.
///
/// # Errors
/// The engine's errors.
pub(super) fn tell(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Deferred)?;
    let wanted = wanted(&transaction)?;
    let known = {
        let there = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'";
        match transaction.prepare(there)?.exists([])? {
            true => known(&transaction)?,
            false => Vec::new(),
        }
    };
    if known == wanted {
        return Ok(());
    }
    // Of the table of the schema nothing is gathered; what is to hold it is made.
    transaction.execute_batch("ANALYZE sqlite_schema; DELETE FROM sqlite_stat1")?;
    {
        let mut insert =
            transaction.prepare("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)")?;
        for told in &wanted {
            insert.execute(rusqlite::params![told.table, told.index, told.rows])?;
        }
    }
    // Read again by this connection; those that are opened later read it with the schema.
    transaction.execute_batch("ANALYZE sqlite_schema")?;
    transaction.commit()?;
    Ok(())
}

fn known(connection: &Connection) -> Result<Vec<Told>, StoreError> {
    let mut statement = connection.prepare("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx")?;
    let told = |row: &rusqlite::Row<'_>| {
        Ok(Told {
            table: row.get(0)?,
            index: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            rows: row.get(2)?,
        })
    };
    Ok(statement.query_map([], told)?.collect::<Result<_, _>>()?)
}

fn wanted(connection: &Connection) -> Result<Vec<Told>, StoreError> {
    let mut indexes = connection.prepare(
        "SELECT m.name, t.wr, i.name, i.\"unique\", i.origin, i.partial \
         FROM sqlite_schema m JOIN pragma_table_list(m.name) t ON t.schema = 'main' JOIN pragma_index_list(m.name) i \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, i.name",
    )?;
    let mut columns =
        connection.prepare("SELECT name FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno")?;
    let mut wanted = Vec::new();
    let mut rows = indexes.query([])?;
    while let Some(row) = rows.next()? {
        let (table, bare, index): (String, bool, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (unique, origin, partial): (bool, String, bool) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let names = columns.query_map([&index], |row| row.get::<_, Option<String>>(0))?;
        let names = names.collect::<Result<Vec<_>, _>>()?;
        if names.len() < 2 || names[0].as_deref() != Some("tenant_id") {
            continue;
        }
        let of_tenant = if partial { OF_TENANT / PARTIAL } else { OF_TENANT };
        let mut estimates = vec![of_tenant * TENANTS, of_tenant];
        estimates.extend((1..names.len()).map(|at| FOLLOWING.get(at - 1).copied().unwrap_or(LATER)));
        if unique {
            estimates.pop();
            estimates.push(1);
        }
        let rows = estimates.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        // The primary key of a table without row ids is told by the name of the table.
        let index = if bare && origin == "pk" { table.clone() } else { index };
        wanted.push(Told { table, index, rows });
    }
    wanted.sort_unstable();
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MIGRATIONS;

    fn content() -> Connection {
        let mut connection = Connection::open_in_memory().expect("a database");
        super::super::migrate::lite(&mut connection, MIGRATIONS.content_lite).expect("a schema");
        connection
    }

    fn plan(connection: &Connection, text: &str) -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).expect("a statement");
        let nothing = vec![rusqlite::types::Null; statement.parameter_count()];
        let rows = statement
            .query_map(rusqlite::params_from_iter(nothing), |row| row.get::<_, String>(3))
            .expect("a plan");
        rows.map(|row| row.expect("a line")).collect::<Vec<_>>().join("; ")
    }

    const OF_PERSON: &str =
        "SELECT id FROM identity WHERE tenant_id = ?1 AND contact_id = ?2 ORDER BY created_at, id";

    #[test]
    fn it_is_told_once_and_again_when_the_schema_is_another() {
        let mut connection = content();
        assert!(plan(&connection, OF_PERSON).contains("(tenant_id=?)"), "told nothing, it goes through all");
        tell(&mut connection).expect("told");
        assert!(plan(&connection, OF_PERSON).contains("identity_contact (tenant_id=? AND contact_id=?)"));
        let changes = connection.total_changes();
        tell(&mut connection).expect("known");
        assert_eq!(connection.total_changes(), changes, "nothing is written for what it knows");
        connection.execute_batch("CREATE INDEX later ON identity (tenant_id, kind)").expect("an index");
        tell(&mut connection).expect("told");
        assert!(connection.total_changes() > changes);
    }

    /// Where all rows of a tenant are gone through on purpose, in tables that grow with its customers.
    const ON_PURPOSE: &[&str] = &[
        // Counts of all cases, from an index that holds nothing else.
        "SELECT status, assignee_id, queue_id, channel_account_id, CAST(count(*) AS bigint) FROM conversation",
        // Quarantined mail, a page of it, when somebody asks.
        "SELECT id, account_id, received_at, size_bytes, reason, retried_at, signature FROM intake",
        // Mail that waits, counted when the operator's metrics are asked for.
        "SELECT COUNT(*) FROM channel_account a JOIN intake",
        // What a process before this one had begun, once at the start.
        "UPDATE idempotency SET at",
        // What the sweep looks for, seldom.
        "DELETE FROM idempotency",
        "SELECT id FROM blob",
        "SELECT source_blob_id FROM message",
        "SELECT seq, at FROM event",
        "SELECT DISTINCT d.message_id FROM delivery",
        "SELECT id FROM conversation WHERE tenant_id = ?1 AND id = ?2 UNION",
        "UPDATE delivery SET next_try_at = next_try_at",
        // Whether any case has a tag.
        "SELECT 1 FROM conversation_tag",
        // What the operator is told of the size of each tenant.
        "SELECT t.id, t.slug, t.name, t.created_at,",
        "SELECT t.id, (SELECT count(DISTINCT r.host_index)",
        // Lines of what is new, of everybody, once for all who are told.
        "SELECT user_id FROM notification",
    ];
    /// Tables that grow with a tenant's customers and their messages.
    const GROWING: &[&str] = &[
        "identity",
        "contact",
        "conversation",
        "message",
        "thread",
        "delivery",
        "attachment",
        "event",
        "intake",
        "contact_field_value",
        "conversation_field_value",
        "notification",
        "draft",
        "conversation_tag",
        "idempotency",
        "message_reference",
        "activity",
        "blob",
    ];

    /// The statements of the source, as far as each stands in one piece.
    fn statements() -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the source") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    if !path.ends_with("tests") {
                        folders.push(path);
                    }
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                for piece in text.split('"').filter(|piece| {
                    ["SELECT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|word| piece.starts_with(word))
                }) {
                    let joined: Vec<_> = piece.split("\\\n").map(str::trim_start).collect();
                    found.push(joined.concat().replace('$', "?"));
                }
            }
        }
        found
    }

    #[test]
    fn no_statement_goes_through_all_that_a_tenant_has() {
        let mut connection = content();
        tell(&mut connection).expect("told");
        let (mut looked_at, mut through_all) = (0, Vec::new());
        for text in statements() {
            let Ok(statement) = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")) else { continue };
            drop(statement);
            looked_at += 1;
            let plan = plan(&connection, &text);
            let bad = plan.split("; ").any(|line| {
                let mut words = line.split(' ');
                let (how, mut table) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                // Of a table that is called otherwise within the statement.
                if !GROWING.contains(&table) {
                    let called = format!(" {table} ");
                    let before = text.split(&called).next().and_then(|before| before.rsplit(' ').next());
                    table = before.unwrap_or(table);
                }
                let all = how == "SCAN" || line.ends_with("(tenant_id=?)");
                all && GROWING.contains(&table)
            });
            if bad && !ON_PURPOSE.iter().any(|known| text.starts_with(known)) {
                through_all.push(format!("{text}\n    {plan}"));
            }
        }
        assert!(looked_at > 300, "the source is read: {looked_at}");
        assert!(through_all.is_empty(), "{}", through_all.join("\n"));
    }
}

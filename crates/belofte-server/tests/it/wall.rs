// SPDX-License-Identifier: EUPL-1.2
//! The second wall: row-level security in PostgreSQL holds even for somebody who speaks SQL with
//! the program's own role.

use std::time::Duration;

use serde_json::json;

use crate::support::postgres::Database;
use crate::support::server::{Engine, Server};
use crate::support::swaks::swaks;
use crate::support::wait;

/// Tables of the installation itself: no tenant has rows in them.
const OF_NOBODY: [&str; 4] =
    ["operator_session", "operator_user", "refinery_schema_history", "sign_in_failure"];

fn lines(database: &Database, sql: &str) -> Vec<String> {
    database.query(sql).lines().map(str::to_owned).collect()
}

#[test]
fn without_a_tenant_there_are_no_rows_and_with_one_only_its_own() {
    let server = Server::start(Engine::Postgres);
    let other = server.found_tenant("bakker");
    for (admin, address) in [(server.admin(), "info@winkel.example"), (&other.admin, "info@bakker.example")] {
        let account = json!({
            "kind": "email", "address": address, "from_name": "x",
            "submission": { "host": "127.0.0.1", "port": 9, "security": "none" },
        });
        admin.post("/channel-accounts", account).expect(201);
        let sent = swaks(server.smtp, &["--from", "jan@klant.example", "--to", address, "--body", "hallo"]);
        assert!(sent.ok, "{}", sent.transcript);
        wait::until("the conversation", Duration::from_secs(20), || {
            let page = admin.get("/conversations?status=all").expect(200);
            page["items"][0].is_object().then_some(())
        });
    }
    let [content, _] = server.databases().expect("on PostgreSQL");
    // It is the role of the program, the owner of the tables, and still no exception to the wall.
    assert_eq!(
        content.query("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"),
        "f"
    );
    let owner = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner <> current_user";
    assert_eq!(content.query(owner), "0");

    let tables = lines(content, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
    let walled = lines(
        content,
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relrowsecurity AND c.relforcerowsecurity \
         AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid) ORDER BY 1",
    );
    let open: Vec<_> = tables.iter().filter(|table| !walled.contains(table)).collect();
    assert_eq!(open, OF_NOBODY.iter().collect::<Vec<_>>(), "tables without a wall");

    let mut filled = 0;
    for table in &walled {
        let column = if table == "tenant" { "id" } else { "tenant_id" };
        let count = |before: &str| {
            let sql = format!("BEGIN; {before} SELECT count(*) FROM {table}; COMMIT;");
            content.query(&sql).parse::<u64>().expect("a number")
        };
        let set = |tenant: &str| format!("SET LOCAL belofte.tenant = '{tenant}';");
        let all = count("SET LOCAL belofte.scope = 'system';");
        let readers = [&server.tenant.id, &other.id];
        assert_eq!(count(""), 0, "{table} without a tenant");
        assert_eq!(count("SET LOCAL belofte.tenant = '';"), 0, "{table} with an empty tenant");
        assert_eq!(count(&set("00000000-0000-0000-0000-000000000001")), 0, "{table} with a made-up tenant");
        // The installation's own ledger, and nothing else of it, lies behind the wall of no tenant.
        let mut seen = count(&set("00000000-0000-0000-0000-000000000000"));
        let own = ["installation", "ledger_checkpoint", "ledger_leaf"].contains(&table.as_str());
        assert!(own || seen == 0, "{table} has rows of the installation");
        for tenant in readers {
            seen += count(&set(tenant));
            let foreign = format!(
                "BEGIN; {} SELECT count(*) FROM {table} WHERE {column} <> '{tenant}'; COMMIT;",
                set(tenant)
            );
            assert_eq!(content.query(&foreign), "0", "{table} shows another tenant's rows");
        }
        assert_eq!(seen, all, "{table} has rows of nobody");
        filled += u32::from(all > 0);
        // What cannot be seen cannot be changed or made either.
        let gone = format!(
            "BEGIN; {} WITH gone AS (DELETE FROM {table} WHERE {column} = '{}' RETURNING 1) \
             SELECT count(*) FROM gone; ROLLBACK;",
            set(&other.id),
            server.tenant.id
        );
        assert_eq!(content.query(&gone), "0", "{table} lets another tenant's rows be deleted");
    }
    let added = format!(
        "BEGIN; SET LOCAL belofte.tenant = '{}'; \
         INSERT INTO ledger_checkpoint (tenant_id, size, note, at, edge) VALUES ('{}', 1000000, '', 0, ''); COMMIT;",
        other.id, server.tenant.id
    );
    refused(content.url(), &added, "a row was added for another tenant");
    assert!(filled >= 15, "only {filled} tables hold rows: this proves little");
    let smuggled = format!(
        "BEGIN; SET LOCAL belofte.tenant = '{}'; UPDATE conversation SET tenant_id = '{}'; COMMIT;",
        other.id, server.tenant.id
    );
    refused(content.url(), &smuggled, "a row was given to another tenant");
}

/// Runs statements that the wall has to refuse.
fn refused(url: &str, sql: &str, why: &str) {
    let answer = std::process::Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql])
        .output()
        .expect("psql comes with PostgreSQL");
    let told = String::from_utf8_lossy(&answer.stderr);
    assert!(told.contains("row-level security"), "{why}: {told}");
}

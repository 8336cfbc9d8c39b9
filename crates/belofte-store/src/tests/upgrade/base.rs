// SPDX-License-Identifier: EUPL-1.2
//! Databases as they lie there, past the house: their schema, their rows, and rows put back.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use tokio_postgres::Client;

use crate::EngineSettings;
use crate::tests::place::Place;

/// Tables and their columns.
pub(super) type Shape = BTreeMap<String, Vec<String>>;
/// Tables and their rows: the values of each as they stand in SQL, with a comma between them.
pub(super) type Rows = BTreeMap<String, Vec<String>>;

/// One database.
pub(super) enum Base {
    Lite(PathBuf),
    Postgres(String),
}

impl Base {
    /// Those of content and of keys.
    pub(super) fn both(place: &Place) -> [Self; 2] {
        match &place.engine {
            EngineSettings::Sqlite { .. } => {
                ["content.db", "keys.db"].map(|name| Self::Lite(place.folder.path().join(name)))
            }
            EngineSettings::Postgres(settings) => {
                [&settings.content_url, &settings.keys_url].map(|url| Self::Postgres(url.clone()))
            }
        }
    }

    pub(super) async fn run(&self, text: &str) {
        match self {
            Self::Lite(file) => {
                let file = rusqlite::Connection::open(file).expect("a file");
                file.execute_batch(text).expect("done");
            }
            Self::Postgres(url) => {
                connected(url, async |client| client.batch_execute(text).await).await.expect("done");
            }
        }
    }

    /// The lines of one text each that `question` answers with, in order.
    pub(super) async fn ask(&self, question: &str) -> Vec<String> {
        let mut lines: Vec<String> = match self {
            Self::Lite(file) => {
                let file = rusqlite::Connection::open(file).expect("a file");
                let mut question = file.prepare(question).expect("a question");
                let lines = question.query_map([], |row| row.get(0)).expect("answered");
                lines.collect::<Result<_, _>>().expect("answered")
            }
            Self::Postgres(url) => {
                let rows = connected(url, async |client| client.query(question, &[]).await).await;
                rows.expect("answered").iter().map(|row| row.get(0)).collect()
            }
        };
        lines.sort_unstable();
        lines
    }

    pub(super) async fn shape(&self) -> Shape {
        let question = match self {
            Self::Lite(_) => {
                "SELECT m.name || ' ' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'refinery%' AND m.name NOT LIKE 'sqlite_%'"
            }
            Self::Postgres(_) => {
                "SELECT c.relname || ' ' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
                 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' \
                 AND c.relname NOT LIKE 'refinery%' AND a.attnum > 0 AND NOT a.attisdropped"
            }
        };
        let mut shape = Shape::new();
        for line in self.ask(question).await {
            let (table, column) = line.split_once(' ').expect("a table and a column");
            shape.entry(table.to_owned()).or_default().push(column.to_owned());
        }
        shape
    }

    /// All rows, of these columns.
    pub(super) async fn rows(&self, shape: &Shape) -> Rows {
        let quote = match self {
            Self::Lite(_) => "quote",
            Self::Postgres(_) => "quote_nullable",
        };
        let of = |(table, columns): (&String, &Vec<String>)| {
            let values: Vec<_> = columns.iter().map(|column| format!("{quote}(\"{column}\")")).collect();
            format!("SELECT '{table} ' || {} FROM \"{table}\"", values.join(" || ', ' || "))
        };
        let question: Vec<_> = shape.iter().map(of).collect();
        let mut rows: Rows = shape.keys().map(|table| (table.clone(), Vec::new())).collect();
        for line in self.ask(&question.join(" UNION ALL ")).await {
            let (table, row) = line.split_once(' ').expect("a table and a row");
            rows.get_mut(table).expect("one of those").push(row.to_owned());
        }
        rows
    }

    /// Everything that the schema says, without what people read it by.
    pub(super) async fn schema(&self) -> Vec<String> {
        let question = match self {
            Self::Lite(_) => {
                "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') FROM sqlite_master \
                 WHERE tbl_name NOT LIKE 'refinery%'"
            }
            Self::Postgres(_) => SCHEMA,
        };
        let told = self.ask(question).await;
        told.into_iter().map(|line| line.split_whitespace().collect::<Vec<_>>().concat()).collect()
    }

    /// Puts the rows of a dump here, as far as there are tables and columns for them.
    pub(super) async fn put(&self, dump: &Dump) {
        let shape = self.shape().await;
        let mut text = String::new();
        // Some come to be with their table.
        for table in shape.keys() {
            writeln!(text, "DELETE FROM \"{table}\";").expect("written");
        }
        for row in &dump.rows {
            let Some(there) = shape.get(&row.table) else { continue };
            let known = row.columns.iter().zip(&row.values).filter(|(column, _)| there.contains(column));
            let (columns, values): (Vec<_>, Vec<_>) =
                known.map(|(column, value)| (format!("\"{column}\""), value.as_str())).unzip();
            let (columns, values) = (columns.join(", "), values.join(", "));
            writeln!(text, "INSERT INTO \"{}\" ({columns}) VALUES ({values});", row.table).expect("written");
        }
        let group = match self {
            Self::Lite(_) => format!("BEGIN; {text} COMMIT;"),
            Self::Postgres(_) => text,
        };
        self.run(&group).await;
    }

    /// What lies here, for [`Dump::parse`].
    pub(super) async fn dump(&self, version: usize) -> String {
        let shape = self.shape().await;
        let mut text = format!("-- SPDX-License-Identifier: EUPL-1.2\n-- Rows of version {version}\n");
        for (table, rows) in self.rows(&shape).await {
            if rows.is_empty() {
                writeln!(text, "-- Nothing in {table}").expect("written");
                continue;
            }
            let columns: Vec<_> = shape[&table].iter().map(|column| format!("\"{column}\"")).collect();
            let rows: Vec<_> = rows.iter().map(|row| format!("({row})")).collect();
            writeln!(text, "INSERT INTO \"{table}\" ({}) VALUES", columns.join(", ")).expect("written");
            writeln!(text, "{};", rows.join(",\n")).expect("written");
        }
        text
    }
}

/// With a connection for which no wall stands between tenants.
async fn connected<T>(url: &str, act: impl AsyncFnOnce(&Client) -> T) -> T {
    let config: tokio_postgres::Config = url.parse().expect("an address of a server");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a server");
    let act = async {
        client.batch_execute("SET belofte.scope = 'system'").await.expect("set");
        act(&client).await
    };
    tokio::select! {
        done = act => done,
        _ = connection => panic!("the server went away"),
    }
}

/// Columns, tables, indexes, constraints, the wall, triggers and functions. PostgreSQL names what is NOT NULL twice.
const SCHEMA: &str = "
SELECT format('column %s.%s %s %s null %s %s %s %s', c.relname, a.attname,
  row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
  pg_get_expr(d.adbin, d.adrelid), a.attstorage, a.attcollation::regcollation)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE 'refinery%'
UNION ALL SELECT format('%s %s %s %s %s %s', relkind, relname, relpersistence, relrowsecurity, relforcerowsecurity,
  reloptions) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'refinery%'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'refinery%'
UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
  AND conrelid::regclass::text NOT LIKE 'refinery%'
UNION ALL SELECT format('policy %s %s %s %s %s %s %s', tablename, policyname, permissive, roles, cmd, qual, with_check)
  FROM pg_policies WHERE schemaname = 'public'
UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace";

/// Rows that were kept.
pub(super) struct Dump {
    /// The schema that they were of.
    pub(super) version: usize,
    /// Tables without any.
    pub(super) empty: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    table: String,
    columns: Vec<String>,
    values: Vec<String>,
}

impl Dump {
    pub(super) fn parse(text: &str) -> Self {
        let version = text.lines().find_map(|line| line.strip_prefix("-- Rows of version "));
        let version = version.and_then(|number| number.parse().ok()).expect("the version");
        let (mut rows, mut of) = (Vec::new(), (String::new(), Vec::new()));
        for line in text.lines().filter(|line| !line.starts_with("--")) {
            if let Some(head) = line.strip_prefix("INSERT INTO \"") {
                let head = head.strip_suffix("\") VALUES").and_then(|head| head.split_once("\" (\""));
                let (table, columns) = head.expect("a table and its columns");
                of = (table.to_owned(), columns.split("\", \"").map(str::to_owned).collect());
            } else {
                let row =
                    line.strip_prefix('(').and_then(|row| row.trim_end_matches([',', ';']).strip_suffix(')'));
                let values = values_of(row.expect("a row"));
                rows.push(Row { table: of.0.clone(), columns: of.1.clone(), values });
            }
        }
        let empty = text.lines().filter_map(|line| line.strip_prefix("-- Nothing in ")).map(str::to_owned);
        Self { version, empty: empty.collect(), rows }
    }

    /// Leaves out rows of `table` of which the column has this value.
    pub(super) fn without(&mut self, table: &str, column: &str, value: &str) {
        self.rows.retain(|row| row.table != table || row.value(column) != Some(value));
    }

    /// Gives the column another value where it has this one.
    pub(super) fn replace(&mut self, table: &str, column: &str, value: &str, other: &str) {
        for row in self.rows.iter_mut().filter(|row| row.table == table && row.value(column) == Some(value)) {
            let at = row.columns.iter().position(|name| name == column).expect("it has a value");
            other.clone_into(&mut row.values[at]);
        }
    }
}

impl Row {
    fn value(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.values.get(at).map(String::as_str)
    }
}

/// Values with a comma between them; one in a text is of the text.
fn values_of(text: &str) -> Vec<String> {
    let (mut values, mut quoted) = (vec![String::new()], false);
    for letter in text.chars() {
        quoted ^= letter == '\'';
        if letter == ',' && !quoted {
            values.push(String::new());
        } else {
            values.last_mut().expect("one").push(letter);
        }
    }
    values.iter().map(|value| value.trim().to_owned()).collect()
}

#[test]
fn a_comma_in_a_text_is_of_the_text() {
    let text = "-- Rows of version 7\nINSERT INTO \"a\" (\"b\", \"c\", \"d\") VALUES\n(X'0a', 'it''s, so', NULL),\n(X'', '', 7);";
    let dump = Dump::parse(text);
    assert_eq!((dump.version, dump.rows.len()), (7, 2));
    assert_eq!(dump.rows[0].values, ["X'0a'", "'it''s, so'", "NULL"]);
    assert_eq!(dump.rows[0].columns, ["b", "c", "d"]);
}

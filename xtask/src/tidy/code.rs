// SPDX-License-Identifier: EUPL-1.2
//! Rules about Rust source.

use super::lexer::{self, Parts};
use super::{File, Finding, Tree};

/// A Rust file with its parts and the crate that it belongs to ("belofte-store", "xtask").
struct Source<'a> {
    file: &'a File,
    home: &'a str,
    parts: Parts,
}

impl Source<'_> {
    /// Integration tests, benches and fuzz targets speak with databases and look at statuses.
    fn is_outside_view(&self) -> bool {
        let path = &self.file.path;
        ["/tests/", "/benches/", "/fuzz/"]
            .iter()
            .any(|part| path.contains(part) || path.starts_with(&part[1..]))
    }

    /// Whether this is code of the product, and not of its tests, benches or tools.
    fn is_product(&self) -> bool {
        let name = self.file.path.rsplit('/').next().unwrap_or_default();
        let test = name.ends_with("_tests.rs") || name == "tests.rs" || name.starts_with("test_");
        self.file.path.starts_with("crates/") && !self.is_outside_view() && !test
    }

    /// The lines of the product itself: those before the tests of the file.
    fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let product = self.is_product();
        self.lines()
            .take_while(move |(_, line)| product && !line.replace(' ', "").starts_with("#[cfg(test)]"))
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.parts.code.lines().enumerate().map(|(number, line)| (number + 1, line))
    }
}

fn sources(tree: &Tree) -> impl Iterator<Item = Source<'_>> {
    tree.with_extension("rs").map(|file| {
        let path = file.path.strip_prefix("crates/").unwrap_or(&file.path);
        Source { home: path.split('/').next().unwrap_or_default(), parts: lexer::parts(&file.text), file }
    })
}

/// Whether `name` stands in `line` as a whole word.
fn has_word(line: &str, name: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        !line[..at].ends_with(part_of_name) && !line[at + name.len()..].starts_with(part_of_name)
    })
}

/// Invariant 1: only belofte-store contains SQL.
pub fn sql(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in
        sources(tree).filter(|s| !matches!(s.home, "belofte-store" | "xtask") && !s.is_outside_view())
    {
        for string in source.parts.strings.iter().filter(|string| is_sql(&string.text)) {
            findings.push(Finding::new(
                "sql",
                &source.file.path,
                string.line,
                "SQL belongs in belofte-store",
            ));
        }
    }
    findings
}

fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (Some(first), count) = (words.first(), words.len()) else { return false };
    let has = |word: &str| words.contains(&word);
    // Upper case is enough by itself; lower case only where prose is out of the question.
    match *first {
        "SELECT" | "WITH" => {
            count > 1 && (has("FROM") || words.get(1).is_some_and(|w| w.starts_with(['1', '('])) || has("AS"))
        }
        "INSERT" | "REPLACE" => has("INTO"),
        "UPDATE" => has("SET"),
        "DELETE" => has("FROM"),
        "CREATE" | "ALTER" | "DROP" => {
            ["TABLE", "INDEX", "VIEW", "TRIGGER", "DATABASE", "ROLE", "POLICY"].iter().any(|word| has(word))
        }
        "PRAGMA" => count > 1,
        "BEGIN" => has("IMMEDIATE"),
        "select" => has("from") && (has("where") || has("*")),
        "insert" => has("into") && text.contains("values"),
        "update" => has("set") && has("where"),
        "delete" => has("from") && has("where"),
        _ => false,
    }
}

/// Invariant 1: only belofte-server knows HTTP status codes.
pub fn status(tree: &Tree) -> Vec<Finding> {
    sources(tree)
        .filter(|source| source.home != "belofte-server")
        .flat_map(|source| {
            source
                .lines()
                .filter(|(_, code)| has_word(code, "StatusCode"))
                .map(|(line, _)| {
                    Finding::new(
                        "status",
                        &source.file.path,
                        line,
                        "statuses of HTTP belong in belofte-server",
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Invariant 8: no background work outside the job table and the task tracker.
pub fn spawn(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources(tree) {
        for (line, code) in source.lines() {
            let compact: String = code.chars().filter(|c| !c.is_whitespace()).collect();
            if ["tokio::spawn(", "task::spawn(", "task::spawn_local(", "usetokio::spawn"]
                .iter()
                .any(|call| compact.contains(call))
            {
                let text = "a task nobody waits for: use the job table or the task tracker";
                findings.push(Finding::new("spawn", &source.file.path, line, text));
            }
        }
    }
    findings
}

/// Where threads and sets of tasks are allowed: the writer and the readers of SQLite.
const THREADS: [&str; 2] =
    ["crates/belofte-store/src/engine/sqlite.rs", "crates/belofte-store/src/engine/readers.rs"];

/// Invariant 8, the other ways to run something that nobody waits for.
pub fn threads(tree: &Tree) -> Vec<Finding> {
    let calls = ["JoinSet", "Handle::current(", "Handle::try_current(", "thread::spawn(", "thread::Builder"];
    let text = "work outside the task tracker: use it, or the job table";
    found(tree, "spawn", &calls, text, |path| THREADS.contains(&path))
}

/// Invariant 9: no connection goes out but through the one client.
pub fn outbound(tree: &Tree) -> Vec<Finding> {
    let calls = [
        "TcpStream::connect",
        "lookup_host(",
        "TcpSocket::",
        "UdpSocket::",
        "UnixStream::connect",
        "ToSocketAddrs",
    ];
    let text = "connections go out through channels/outbound, which checks the register";
    found(tree, "outbound", &calls, text, |path| path == "crates/belofte-channels/src/outbound.rs")
}

/// Invariant 5: no transaction waits for a socket. The store, where transactions are, knows none but
/// those of its database.
pub fn transaction(tree: &Tree) -> Vec<Finding> {
    let calls = ["tokio::net", "std::net::Tcp", "TcpStream", "hyper::", "lettre::"];
    let text = "the store speaks with its database only: a transaction never waits for a socket";
    found(tree, "transaction", &calls, text, |path| !path.starts_with("crates/belofte-store/src/"))
}

/// Invariant 10: closed sets are enums. The engine's queue of writes, which are of many types, is
/// the exception.
pub fn open_sets(tree: &Tree) -> Vec<Finding> {
    const FOREIGN: [&str; 8] = ["Fn", "Error", "Debug", "Display", "ToSql", "Any", "Future", "Stream"];
    let mut findings = Vec::new();
    for source in sources(tree).filter(|s| !s.file.path.starts_with("crates/belofte-store/src/engine/")) {
        for (line, code) in source.product_lines() {
            for (at, _) in code.match_indices("dyn ") {
                let named: String = code[at + 4..]
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || matches!(c, ':' | '_'))
                    .collect();
                let name = named.rsplit("::").next().unwrap_or_default();
                if !FOREIGN.iter().any(|known| name.starts_with(known)) && !name.is_empty() {
                    let text = "a closed set is an enum, not a trait object";
                    findings.push(Finding::new("closed", &source.file.path, line, text));
                }
            }
        }
    }
    findings
}

/// Invariant 3: what is taken out of `Pii` goes into no log, figure or panic, and `Pii` prints nothing.
pub fn personal(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources(tree) {
        let mut open = 0_usize;
        for (line, code) in source.product_lines() {
            let begins = ["tracing::", "metrics::counter!", "gauge!(", "panic!(", "println!(", "eprintln!("];
            if open == 0 && begins.iter().any(|begin| code.contains(begin)) && code.contains("!(") {
                open = 1;
            }
            if open > 0 && code.contains(".expose(") {
                let text = "a personal value in a log, a figure or a panic";
                findings.push(Finding::new("personal", &source.file.path, line, text));
            }
            if open > 0 && code.contains(';') {
                open = 0;
            }
            if code.contains("Display for Pii") {
                findings.push(Finding::new("personal", &source.file.path, line, "Pii is never displayed"));
            }
        }
    }
    findings
}

/// Every line of the product, outside of files that are `allowed`, with one of `calls`.
fn found(
    tree: &Tree,
    rule: &'static str,
    calls: &[&str],
    text: &str,
    allowed: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources(tree).filter(|source| !allowed(&source.file.path)) {
        for (line, code) in source.product_lines() {
            let compact: String = code.chars().filter(|c| !c.is_whitespace()).collect();
            if calls.iter().any(|call| compact.contains(call)) {
                findings.push(Finding::new(rule, &source.file.path, line, text));
            }
        }
    }
    findings
}

/// A test that does not run says why.
pub fn ignored(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources(tree) {
        for (line, code) in source.lines() {
            if code.replace(' ', "").contains("#[ignore]") {
                findings.push(Finding::new(
                    "ignore",
                    &source.file.path,
                    line,
                    "say why: #[ignore = \"reason\"]",
                ));
            }
        }
    }
    for extension in ["ts", "tsx", "mjs"] {
        for file in tree.with_extension(extension) {
            for (number, line) in file.text.lines().enumerate() {
                if ["it.only(", "test.only(", "describe.only(", "it.skip(", "test.skip(", "describe.skip("]
                    .iter()
                    .any(|c| line.contains(c))
                {
                    findings.push(Finding::new(
                        "ignore",
                        &file.path,
                        number + 1,
                        "a test that is left out, or leaves out others",
                    ));
                }
            }
        }
    }
    findings
}

/// No note to ourselves: what is not done is an issue, and is not in the code.
pub fn marks(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources(tree).filter(|source| source.home != "xtask") {
        for comment in &source.parts.comments {
            for (offset, line) in comment.text.lines().enumerate() {
                let mark = ["TODO", "FIXME", "XXX", "HACK"].iter().find(|mark| has_word(line, mark));
                let lower = line.to_lowercase();
                let phrase = ["for now", "placeholder", "in a real", "not yet implemented"]
                    .iter()
                    .find(|p| lower.contains(**p));
                if let Some(word) = mark.or(phrase) {
                    let text = format!("{word:?}: finish it, or take it out");
                    findings.push(Finding::new("marks", &source.file.path, comment.line + offset, text));
                }
            }
        }
    }
    findings
}

/// Invariant 11: every crate says what it does not know.
pub fn crate_docs(tree: &Tree) -> Vec<Finding> {
    tree.files
        .iter()
        .filter(|file| {
            let parts: Vec<&str> = file.path.split('/').collect();
            matches!(parts[..], ["crates", _, "src", "lib.rs"] | ["xtask" | "benches", "src", "main.rs"])
        })
        .filter(|file| {
            let doc: Vec<&str> = file.text.lines().filter_map(|line| line.strip_prefix("//!")).collect();
            !doc.join(" ").split_whitespace().collect::<Vec<_>>().join(" ").contains("does *not* know")
        })
        .map(|file| {
            Finding::new("crate-doc", &file.path, 1, "the //! of a crate says what it does *not* know")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(findings: &[Finding]) -> Vec<(String, usize)> {
        findings.iter().map(|f| (f.path.clone(), f.line)).collect()
    }

    #[test]
    fn sql_outside_the_store_is_found_and_prose_is_not() {
        let tree = Tree::of(&[
            ("crates/belofte-core/src/a.rs", "// SELECT * FROM x\nlet q = \"SELECT id FROM messages\";"),
            (
                "crates/belofte-core/src/b.rs",
                "let q = \"INSERT INTO t VALUES (1)\"; let p = \"Select a queue from the list\";",
            ),
            (
                "crates/belofte-server/src/d.rs",
                "let q = \"\\\n  UPDATE jobs\n  SET state = 1\";".replace("\\\n", "").as_str(),
            ),
            ("crates/belofte-store/src/e.rs", "let q = \"SELECT id FROM messages\";"),
            ("crates/belofte-server/tests/it/f.rs", "let q = \"SELECT id FROM messages\";"),
            ("benches/src/g.rs", "let q = \"SELECT id FROM messages\";"),
        ]);
        assert_eq!(
            places(&sql(&tree)),
            [
                ("crates/belofte-core/src/a.rs".into(), 2),
                ("crates/belofte-core/src/b.rs".into(), 1),
                ("crates/belofte-server/src/d.rs".into(), 1),
            ]
        );
    }

    #[test]
    fn a_status_outside_the_server_is_found() {
        let tree = Tree::of(&[
            ("crates/belofte-core/src/a.rs", "\nfn f() -> StatusCode {}"),
            ("crates/belofte-core/src/b.rs", "struct MyStatusCodes; // StatusCode"),
            ("crates/belofte-server/src/c.rs", "StatusCode::OK"),
        ]);
        assert_eq!(places(&status(&tree)), [("crates/belofte-core/src/a.rs".into(), 2)]);
    }

    #[test]
    fn a_bare_task_is_found() {
        let tree = Tree::of(&[
            ("crates/a/src/a.rs", "tokio::spawn(async {});"),
            (
                "crates/a/src/b.rs",
                "tracker.spawn(async {}); let s = \"tokio::spawn(\"; std::thread::spawn(|| {});",
            ),
            ("crates/a/src/c.rs", "tokio::task :: spawn (f);"),
        ]);
        assert_eq!(places(&spawn(&tree)), [("crates/a/src/a.rs".into(), 1), ("crates/a/src/c.rs".into(), 1)]);
    }

    #[test]
    fn each_of_the_other_walls_is_found_and_tests_stand_outside() {
        let code = "use x;\nlet s = TcpStream::connect(a);\nlet j = JoinSet::new();\nlet b: Box<dyn Plug>;\n\
                    let e: &dyn std::error::Error;\ntracing::info!(\n  name = who.expose(),\n  \"x\");\n\
                    let fine = who.expose();\n#[cfg(test)]\nmod tests { JoinSet::new(); TcpStream::connect(b) }";
        let tree = Tree::of(&[
            ("crates/belofte-core/src/a.rs", code),
            ("crates/belofte-core/src/a_tests.rs", code),
            ("crates/belofte-server/tests/it/a.rs", code),
            ("benches/src/a.rs", code),
        ]);
        let at = |line| vec![("crates/belofte-core/src/a.rs".to_owned(), line)];
        assert_eq!(places(&outbound(&tree)), at(2));
        assert_eq!(places(&threads(&tree)), at(3));
        assert_eq!(places(&open_sets(&tree)), at(4));
        assert_eq!(places(&personal(&tree)), at(7));
        assert!(transaction(&tree).is_empty(), "only the store holds transactions");
        let store = Tree::of(&[("crates/belofte-store/src/a.rs", "\nuse tokio::net::TcpStream;")]);
        assert_eq!(transaction(&store).len(), 1);
        let own = Tree::of(&[("crates/belofte-channels/src/outbound.rs", "TcpStream::connect(a)")]);
        assert!(outbound(&own).is_empty());
    }

    #[test]
    fn a_silent_ignore_is_found() {
        let tree = Tree::of(&[
            ("crates/a/src/a.rs", "#[test]\n#[ignore]\nfn x() {}"),
            ("crates/a/src/b.rs", "#[ignore = \"needs an hour\"]\nfn x() {}"),
            ("web/desk/src/a.test.ts", "it.only('x', () => {})"),
        ]);
        assert_eq!(
            places(&ignored(&tree)),
            [("crates/a/src/a.rs".into(), 2), ("web/desk/src/a.test.ts".into(), 1)]
        );
    }

    #[test]
    fn a_note_to_ourselves_is_found() {
        let tree = Tree::of(&[
            ("crates/a/src/a.rs", "let x = 1; // TODO mend\n/* fine\n good enough for now */"),
            ("crates/a/src/b.rs", "let t = \"TODO\"; // the tokens for november"),
        ]);
        assert_eq!(places(&marks(&tree)), [("crates/a/src/a.rs".into(), 1), ("crates/a/src/a.rs".into(), 3)]);
    }

    #[test]
    fn a_crate_that_does_not_say_its_limits_is_found() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "//! Does things."),
            ("crates/b/src/lib.rs", "//! What it does *not*\n//! know: SQL."),
            ("crates/a/src/x/lib.rs", ""),
        ]);
        assert_eq!(places(&crate_docs(&tree)), [("crates/a/src/lib.rs".into(), 1)]);
    }
}

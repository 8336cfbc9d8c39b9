// SPDX-License-Identifier: EUPL-1.2

use super::*;

fn around(variables: &[(&str, &str)]) -> Surroundings {
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Surroundings { variables }
}

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::parse(Path::new("conf/belofte.toml"), text, &around(variables))
}

fn findings(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    match parse(text, variables) {
        Ok(_) => Vec::new(),
        Err(ConfigError::Findings(findings)) => findings.iter().map(Finding::to_string).collect(),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn without_a_file_everything_has_its_default() {
    let config = parse("", &[("BELOFTE_DATA", "/srv/belofte")]).expect("defaults hold");
    assert_eq!(config.server.listen.port(), 8443);
    assert_eq!(config.data_folder(), Path::new("/srv/belofte"));
    assert_eq!(config.root_key_file(), Path::new("/srv/belofte/root.key"));
    assert_eq!(config.smtp_hostname(), "localhost");
    assert_eq!(config.retrieval.poll_s.get(), 60);
}

#[test]
fn a_variable_overrides_the_file_and_paths_are_placed() {
    let text = "[server]\nlisten = \"0.0.0.0:443\"\n[server.tls]\nmode = \"files\"\ncert_file = \"a.pem\"\n\
                key_file = \"/etc/b.pem\"\n[outbound]\nallow_private = [\"10.0.0.0/8\"]\n";
    let config = parse(
        text,
        &[
            ("BELOFTE__SERVER__LISTEN", "[::1]:9443"),
            ("BELOFTE__OUTBOUND__ALLOW_PRIVATE", "relay.internal:587, 192.168.0.0/16"),
        ],
    )
    .expect("holds");
    assert_eq!(config.server.listen.to_string(), "[::1]:9443");
    assert_eq!(config.tls.cert_file.as_deref(), Some(Path::new("conf/a.pem")));
    assert_eq!(config.tls.key_file.as_deref(), Some(Path::new("/etc/b.pem")));
    assert_eq!(config.outbound.allow_private.len(), 2);
    assert_eq!(config.smtp.exempt.len(), 2);
}

#[test]
fn everything_wrong_is_told_at_once_with_its_line() {
    let text =
        "[server]\nlisten = \"nowhere\"\npublic_url = 5\nlistn = 1\n\n[limits]\nconnections = 3\n\n[serve]\n";
    assert_eq!(
        findings(text, &[]),
        [
            "conf/belofte.toml:2: server.listen: \"nowhere\" is not an address with a port, such as 127.0.0.1:8443 or [::1]:8443",
            "conf/belofte.toml:3: server.public_url: is a whole number, but must be an address such as https://desk.example",
            "conf/belofte.toml:4: server.listn: there is no such key; did you mean server.listen?",
            "conf/belofte.toml:7: limits.connections: 3 is not a whole number from 16 to 100000",
            "conf/belofte.toml:9: serve: there is no such section",
        ]
    );
}

#[test]
fn a_wrong_variable_is_told_by_its_name() {
    assert_eq!(
        findings("", &[("BELOFTE__LIMITS__DRAIN_S", "soon"), ("BELOFTE__NO__SUCH", "1")]),
        [
            "environment variable BELOFTE__LIMITS__DRAIN_S: limits.drain_s: \"soon\" is not a whole number from 1 to 600",
            "environment variable BELOFTE__NO__SUCH: no.such: there is no such key",
        ]
    );
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line() {
    let told = findings("[server]\nlisten = \n", &[]);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("conf/belofte.toml:2: "), "{told:?}");
}

#[test]
fn settings_that_contradict_each_other_are_told() {
    let told =
        findings("[server.tls]\nmode = \"files\"\n[storage]\nurl = \"postgres://a:canary@b/c\"\n", &[]);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains(":4: storage.url: is given, but storage.engine is not `postgres`"), "{told:?}");
    assert!(told.iter().all(|line| !line.contains("canary")), "{told:?}");
    let same = "[storage]\nengine = \"postgres\"\nurl = \"postgres://a/b\"\nkeys_url = \"postgres://a/b\"\n";
    assert!(findings(same, &[])[0].contains(":4: storage.keys_url: is the same"));
    assert!(findings("[observability]\nlog = \"loud\"\n", &[])[0].contains(":2: observability.log"));
    assert!(findings("[server]\npublic_url = \"http://a.example\"\n", &[])[0].contains("https://"));
}

#[test]
fn a_secret_can_stand_in_a_file_but_not_in_two_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("url");
    std::fs::write(&path, "postgres://u:geheim@db.example/content\n").expect("written");
    let path = path.to_str().expect("a text");
    let variables = [
        ("BELOFTE__STORAGE__ENGINE", "postgres"),
        ("BELOFTE__STORAGE__URL_FILE", path),
        ("BELOFTE__STORAGE__KEYS_URL", "postgres://u:geheim@db.example/keys"),
    ];
    let config = parse("", &variables).expect("holds");
    assert_eq!(
        config.storage.url.as_ref().map(Secret::expose),
        Some("postgres://u:geheim@db.example/content")
    );
    assert!(!format!("{config:?}").contains("geheim"));
    let twice = findings("[storage]\nkeys_url_file = \"x\"\n", &variables);
    assert!(twice[0].contains("storage.keys_url_file: stands beside storage.keys_url"), "{twice:?}");
    let absent = findings("[storage]\nengine = \"postgres\"\nurl_file = \"absent\"\nkeys_url = \"k\"\n", &[]);
    assert!(absent[0].contains(":3: storage.url_file: cannot read conf/absent"), "{absent:?}");
}

#[test]
fn a_file_named_by_a_variable_lies_in_the_working_folder() {
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let path = folder.path().join("url");
    std::fs::write(&path, "postgres://u@db.example/content").expect("written");
    let here = std::env::current_dir().expect("a folder");
    let path = std::fs::canonicalize(&path).expect("there");
    let path = path.strip_prefix(here).expect("below").to_str().expect("a text").to_owned();
    let variables = [
        ("BELOFTE__STORAGE__ENGINE", "postgres"),
        ("BELOFTE__STORAGE__URL_FILE", path.as_str()),
        ("BELOFTE__STORAGE__KEYS_URL", "postgres://u@db.example/keys"),
    ];
    assert_eq!(findings("", &variables), Vec::<String>::new());
}

#[test]
fn what_could_not_start_is_told() {
    let told = findings(
        "[storage]\nengine = \"postgres\"\nurl = \"postgres://u:canary@h:notaport/d\"\nkeys_url = \"zzz:canary\"\n\
         [smtp]\nlisten = \"127.0.0.1:8443\"\nlmtp_listen = \"0.0.0.0:9000\"\nhostname = \"a b c\"\n\
         [observability]\nmetrics_listen = \"127.0.0.1:9000\"\n",
        &[],
    );
    let keys: Vec<&str> = told.iter().filter_map(|line| line.split(": ").nth(1)).collect();
    let expected =
        ["storage.url", "storage.keys_url", "smtp.listen", "smtp.hostname", "observability.metrics_listen"];
    assert_eq!(keys, expected, "{told:?}");
    assert!(told.iter().all(|line| !line.contains("canary")), "{told:?}");
    let apart =
        "[smtp]\nlisten = \"127.0.0.1:25\"\nlmtp_listen = \"127.0.0.2:25\"\nhostname = \"mx-1.a.example\"\n";
    assert_eq!(findings(apart, &[]), Vec::<String>::new());
}

#[test]
fn files_are_looked_into_before_a_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("belofte.toml");
    let none = folder.path().join("empty.pem");
    std::fs::write(&none, "").expect("written");
    let text = "[server.tls]\nmode = \"files\"\ncert_file = \"no.pem\"\nkey_file = \"no.key\"\n\
                [outbound]\nroot_certs_file = \"empty.pem\"\n";
    std::fs::write(&file, text).expect("written");
    assert!(Config::load(Some(&file), &around(&[])).is_ok(), "commands that need no certificate go on");
    let Err(ConfigError::Findings(told)) = Config::load_with_files(Some(&file), &around(&[])) else {
        panic!("it cannot start");
    };
    let told: Vec<_> = told.iter().map(|finding| (finding.origin.clone(), finding.key.as_str())).collect();
    let expected = [(Origin::Line(3), "server.tls.cert_file"), (Origin::Line(6), "outbound.root_certs_file")];
    assert_eq!(told, expected);
}

#[test]
fn a_named_file_must_exist_and_the_default_one_need_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let around = around(&[("BELOFTE_DATA", folder.path().to_str().expect("a text"))]);
    assert!(Config::load(None, &around).is_ok());
    let named = folder.path().join("other.toml");
    assert!(matches!(Config::load(Some(&named), &around), Err(ConfigError::Unreadable { .. })));
}

/// The page for operators is that of this build (invariant 12).
#[test]
fn the_committed_reference_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operate/configuration.md");
    let committed = std::fs::read_to_string(path).expect("docs/operate/configuration.md is committed");
    assert!(
        committed == reference_page(),
        "the reference is stale: belofte config reference > docs/operate/configuration.md"
    );
}

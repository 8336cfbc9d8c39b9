// SPDX-License-Identifier: EUPL-1.2
//! TLS to PostgreSQL, against a cluster that takes no line in clear.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::support::certificate::Certificate;
use crate::support::free_port::free_ports;
use crate::support::peer::{Peer, new_folder, user_id};
use crate::support::wait;

struct Cluster {
    peer: Peer,
    port: u16,
    certificate: Certificate,
}

fn bin() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("installed by `cargo xtask test`");
    let folders = versions.map(|one| one.expect("a folder").path().join("bin"));
    folders.filter(|folder| folder.join("initdb").exists()).max().expect("a server")
}

fn start() -> Cluster {
    let folder = new_folder("postgres-tls");
    let certificate = Certificate::make(&folder);
    let [port] = free_ports();
    let (at, bin) = (folder.display().to_string(), bin().display().to_string());
    // PostgreSQL refuses to run as root, and a key that others can read.
    let become_other = if user_id() == 0 {
        format!("chown -R postgres {at}; as='setpriv --reuid=postgres --regid=postgres --clear-groups'")
    } else {
        "as=".to_owned()
    };
    let script = format!(
        "{become_other}; chmod 600 {at}/key.pem; cd {at}
         $as {bin}/initdb --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C -D {at}/data
         printf 'local all all trust\\nhostssl all all 127.0.0.0/8 trust\\n' > {at}/data/pg_hba.conf
         exec $as {bin}/postgres -D {at}/data -c port={port} -c listen_addresses=127.0.0.1,127.0.0.2 \
         -c unix_socket_directories={at} -c fsync=off -c ssl=on -c ssl_cert_file={at}/certificate.pem \
         -c ssl_key_file={at}/key.pem"
    );
    let peer = Peer::start(folder.clone(), "INT", &["sh", "-c", &script]);
    let psql = |text: &str| {
        let mut command = Command::new("psql");
        command.args(["-qX", "-h", &at, "-p", &port.to_string(), "-U", "postgres", "-c", text]);
        command.output().is_ok_and(|output| output.status.success())
    };
    wait::until("the cluster", Duration::from_secs(60), || psql("CREATE ROLE belofte LOGIN").then_some(()));
    for name in ["content", "keys"] {
        assert!(psql(&format!("CREATE DATABASE {name} OWNER belofte")));
    }
    Cluster { peer, port, certificate }
}

/// `belofte migrate` of the house in `folder` with databases on `host` and this mode.
fn migrate(cluster: &Cluster, folder: &Path, host: &str, mode: &str, roots: Option<&Path>) -> Output {
    let url = |name: &str| format!("postgres://belofte@{host}:{}/{name}{mode}", cluster.port);
    let roots = roots.map(|file| format!("root_certs_file = {file:?}\n")).unwrap_or_default();
    let config = format!(
        "[data]\nfolder = {:?}\n[storage]\nengine = \"postgres\"\nurl = {:?}\nkeys_url = {:?}\n{roots}",
        folder.join("data"),
        url("content"),
        url("keys")
    );
    let file = folder.join("belofte.toml");
    fs::write(&file, config).expect("our own folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_belofte"));
    command.arg("migrate").arg("--config").arg(&file).output().expect("the program runs")
}

#[test]
fn a_database_is_reached_over_a_line_that_is_what_its_address_asks_for() {
    let cluster = start();
    // One house throughout: its root key belongs to what lies in the databases.
    let house = new_folder("house");
    let strangers = new_folder("strangers");
    let stranger = Certificate::make(&strangers);
    let own = Some(cluster.certificate.authority.as_path());
    let other = Some(stranger.authority.as_path());
    for (host, mode, roots, reached) in [
        ("localhost", "?sslmode=verify-full", own, true),
        ("127.0.0.1", "?sslmode=verify-full", own, true),
        // The certificate is not for this address.
        ("127.0.0.2", "?sslmode=verify-full", own, false),
        ("127.0.0.2", "?sslmode=verify-ca", own, true),
        ("localhost", "?sslmode=verify-full", other, false),
        ("localhost", "?sslmode=verify-ca", other, false),
        ("localhost", "?sslmode=require", other, false),
        ("localhost", "?sslmode=require", None, true),
        // In clear, which this cluster does not take.
        ("localhost", "", None, false),
        ("localhost", "?sslmode=disable", None, false),
    ] {
        let output = migrate(&cluster, &house, host, mode, roots);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), reached, "{host}{mode}: {told}\n{}", cluster.peer.logs());
    }
    for mode in ["", "?sslmode=disable"] {
        let output = migrate(&cluster, &house, "db.example", mode, None);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains("another machine"), "{told}");
    }
    for folder in [strangers, house] {
        fs::remove_dir_all(folder).expect("our own folder");
    }
}

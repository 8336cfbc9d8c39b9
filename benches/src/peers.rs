// SPDX-License-Identifier: EUPL-1.2
//! The programs beside ours: a private PostgreSQL cluster with its default durability, and a
//! private Postfix that delivers by LMTP to a private Dovecot. Each lives exactly as long as its
//! handle.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio_postgres::NoTls;

use crate::data::mailbox;
use crate::machine::{Watch, pause};

/// Keeps a program alive until our end of its standard input closes, however we end.
const GUARD: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/belofte-server/tests/it/support/guard.sh");

/// A running program and its folder, which goes with it.
struct Peer {
    folder: PathBuf,
    stdin: Option<ChildStdin>,
    guard: Child,
}

impl Peer {
    fn start(folder: PathBuf, signal: &str, command: &[&str]) -> anyhow::Result<Self> {
        let log = fs::File::create(folder.join("guard.log"))?;
        let mut guard = Command::new("setsid")
            .args(["sh", GUARD])
            .arg(&folder)
            .arg(signal)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let stdin = guard.stdin.take();
        Ok(Self { folder, stdin, guard })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Waiting keeps ports and data from outliving the run.
        let _ = self.guard.wait();
    }
}

/// A folder that other users of the machine can enter, because peers give up root.
fn open_folder(name: &str) -> anyhow::Result<PathBuf> {
    let folder = crate::place::folder(name)?.keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// Different ports of the loopback that were free a moment ago.
pub fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    let listeners = (0..N).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// Waits until something listens on a port of the loopback.
pub fn until_listening(what: &str, port: u16) -> anyhow::Result<()> {
    let watch = Watch::start();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if watch.elapsed() > Duration::from_secs(30) {
            bail!("{what} does not listen");
        }
        pause(Duration::from_millis(20));
    }
    Ok(())
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn is_root() -> anyhow::Result<bool> {
    Ok(output(Command::new("id").arg("-u"))? == "0")
}

/// A private PostgreSQL cluster: durability as it comes (`fsync` and `synchronous_commit` on), memory
/// and checkpoints as the product's guide recommends, and more connections.
pub struct Cluster {
    peer: Peer,
    port: u16,
    made: AtomicU32,
}

impl Cluster {
    /// Starts one.
    pub async fn start() -> anyhow::Result<Self> {
        let mut bins: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .context("no PostgreSQL server programs are installed (postgresql)")?
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .filter(|bin| bin.join("initdb").exists())
            .collect();
        bins.sort();
        let bin = bins.pop().context("no PostgreSQL server programs are installed (postgresql)")?;
        let folder = open_folder("postgres")?;
        let data = folder.join("data").display().to_string();
        let mut account: Vec<String> = Vec::new();
        if is_root()? {
            // PostgreSQL refuses to run as root.
            output(Command::new("chown").arg("postgres").arg(&folder))?;
            let group = output(Command::new("id").args(["-g", "postgres"]))?;
            let regid = format!("--regid={group}");
            account = ["setpriv", "--reuid=postgres", &regid, "--clear-groups"].map(str::to_owned).to_vec();
        }
        let run = |program: &str, args: &[&str]| -> Vec<String> {
            let program = bin.join(program).display().to_string();
            account.iter().cloned().chain([program]).chain(args.iter().map(|arg| (*arg).to_owned())).collect()
        };
        let init = run(
            "initdb",
            &["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D", &data],
        );
        output(Command::new(&init[0]).args(&init[1..]).current_dir(&folder))?;
        let [port] = free_ports()?;
        let (number, sockets) =
            (format!("port={port}"), format!("unix_socket_directories={}", folder.display()));
        let start = run(
            "postgres",
            &[
                "-D",
                &data,
                "-c",
                &number,
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                &sockets,
                "-c",
                "max_connections=200",
                // What `docs/operate` recommends; nothing of durability is touched.
                "-c",
                "shared_buffers=1GB",
                "-c",
                "max_wal_size=4GB",
                "-c",
                "checkpoint_timeout=15min",
            ],
        );
        let start: Vec<&str> = start.iter().map(String::as_str).collect();
        let peer = Peer::start(folder, "INT", &start)?;
        let cluster = Self { peer, port, made: AtomicU32::new(0) };
        let watch = Watch::start();
        while let Err(error) = cluster.execute("postgres", "SELECT 1").await {
            if watch.elapsed() > Duration::from_secs(30) {
                return Err(error).context("PostgreSQL does not answer");
            }
            pause(Duration::from_millis(50));
        }
        cluster.execute("postgres", "CREATE ROLE belofte LOGIN").await?;
        Ok(cluster)
    }

    /// An empty database of the product's role (no superuser: row-level security holds); its
    /// address, by the cluster's socket as on any machine that holds both.
    pub async fn database(&self, name: &str) -> anyhow::Result<String> {
        let name = format!("{name}_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("CREATE DATABASE {name} OWNER belofte")).await?;
        let socket = self.peer.folder.display().to_string().replace('/', "%2F");
        Ok(format!("postgres://belofte@{socket}:{}/{name}", self.port))
    }

    /// Drops a database, so that its upkeep does not run beside what is measured next.
    pub async fn drop_database(&self, address: &str) -> anyhow::Result<()> {
        let name = address.rsplit('/').next().context("a database in its address")?;
        self.execute("postgres", &format!("DROP DATABASE {name} WITH (FORCE)")).await
    }

    /// The address of the same database for the superuser, whom no row-level security holds.
    pub fn as_superuser(url: &str) -> String {
        url.replacen("belofte@", "postgres@", 1)
    }

    async fn execute(&self, database: &str, sql: &str) -> anyhow::Result<()> {
        execute(&format!("postgres://postgres@127.0.0.1:{}/{database}", self.port), sql).await
    }

    /// The number of the cluster's first process.
    pub fn process(&self) -> anyhow::Result<u32> {
        let file = self.peer.folder.join("data/postmaster.pid");
        let text = fs::read_to_string(file)?;
        Ok(text.lines().next().context("no process")?.parse()?)
    }
}

/// Runs statements on a connection of their own.
pub async fn execute(url: &str, sql: &str) -> anyhow::Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let work = async {
        client.batch_execute(sql).await?;
        drop(client);
        anyhow::Ok(())
    };
    let (connection, work) = tokio::join!(connection, work);
    connection?;
    work
}

/// A private Postfix in front of a private Dovecot.
pub struct MailServers {
    postfix: Peer,
    dovecot: Peer,
    /// Where Postfix takes mail.
    pub smtp: u16,
}

impl MailServers {
    /// Starts both with the mailboxes of the bench; Postfix needs root.
    pub fn start(lanes: usize) -> anyhow::Result<Self> {
        if !is_root()? {
            bail!("the comparison with Postfix and Dovecot needs root, because Postfix does");
        }
        let [smtp] = free_ports()?;
        let dovecot = dovecot()?;
        let lmtp = dovecot.folder.join("lmtp");
        let watch = Watch::start();
        while UnixStream::connect(&lmtp).is_err() {
            if watch.elapsed() > Duration::from_secs(30) {
                bail!("Dovecot does not listen");
            }
            pause(Duration::from_millis(20));
        }
        let postfix = postfix(smtp, &lmtp, lanes)?;
        until_listening("Postfix", smtp)?;
        Ok(Self { postfix, dovecot, smtp })
    }

    /// What Postfix logs.
    pub fn log(&self) -> PathBuf {
        self.postfix.folder.join("log")
    }

    /// How many mails lie in the mailboxes.
    pub fn delivered(&self) -> anyhow::Result<usize> {
        let mut count = 0;
        for number in 0..crate::data::MAILBOXES {
            let new = self.dovecot.folder.join("mail").join(mailbox(number)).join("new");
            count += fs::read_dir(new).map_or(0, Iterator::count);
        }
        Ok(count)
    }
}

fn dovecot() -> anyhow::Result<Peer> {
    let folder = open_folder("dovecot")?;
    fs::create_dir(folder.join("mail"))?;
    output(Command::new("chown").arg("mail:mail").arg(folder.join("mail")))?;
    let at = folder.display();
    let config = format!(
        "base_dir = {at}/run\nstate_dir = {at}/state\nlog_path = {at}/log\nprotocols = lmtp\n\
         listen = 127.0.0.1\nssl = no\nmail_location = maildir:{at}/mail/%u\nfirst_valid_uid = 1\n\
         passdb {{\n driver = static\n args = nopassword=y\n}}\n\
         userdb {{\n driver = static\n args = uid=mail gid=mail home={at}/mail/%u allow_all_users=yes\n}}\n\
         service anvil {{\n chroot =\n}}\n\
         service lmtp {{\n unix_listener {at}/lmtp {{\n  mode = 0666\n }}\n}}\n"
    );
    let file = folder.join("dovecot.conf");
    fs::write(&file, config)?;
    Peer::start(folder, "TERM", &["/usr/sbin/dovecot", "-F", "-c", &file.display().to_string()])
}

/// As many deliveries at a time as there are lanes, and no slowing down of what comes in: the
/// best that this pair can do here.
fn postfix(smtp: u16, lmtp: &Path, lanes: usize) -> anyhow::Result<Peer> {
    let folder = open_folder("postfix")?;
    for name in ["config", "queue", "data"] {
        fs::create_dir(folder.join(name))?;
    }
    output(Command::new("chown").arg("postfix").arg(folder.join("data")))?;
    let (at, lmtp) = (folder.display(), lmtp.display());
    let config = folder.join("config");
    fs::write(
        config.join("main.cf"),
        format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\n\
             maillog_file = {at}/log\nmaillog_file_prefixes = {at}\n\
             command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n\
             mail_owner = postfix\nsetgid_group = postdrop\nmyhostname = mx.bench.example\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmydestination =\nalias_maps =\n\
             alias_database =\nlocal_recipient_maps =\nrelay_domains = bench.example\n\
             relay_transport = lmtp:unix:{lmtp}\n\
             default_transport = error:5.7.1 no mail leaves a bench\nmynetworks = 127.0.0.0/8\n\
             smtpd_recipient_restrictions = permit_mynetworks, reject\n\
             smtp_dns_support_level = disabled\nsmtpd_peername_lookup = no\n\
             lmtp_destination_concurrency_limit = {lanes}\ninitial_destination_concurrency = {lanes}\n\
             in_flow_delay = 0\n"
        ),
    )?;
    fs::write(
        config.join("master.cf"),
        format!(
            "127.0.0.1:{smtp} inet n - n - - smtpd\n\
             pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 1 1 qmgr\n\
             tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n\
             bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
             verify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\n\
             proxymap unix - - n - - proxymap\nproxywrite unix - - n - 1 proxymap\n\
             smtp unix - - n - - smtp\nrelay unix - - n - - smtp\nlmtp unix - - n - - lmtp\n\
             error unix - - n - - error\nretry unix - - n - - error\ndiscard unix - - n - - discard\n\
             anvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
             postlog unix-dgram n - n - 1 postlogd\n"
        ),
    )?;
    // The folders that `postfix start` would make, and the master itself.
    let start = format!(
        "cd {at}/queue && install -d -m 755 pid && install -d -o postfix -g postdrop -m 710 public && \
         install -d -o postfix -g postdrop -m 730 maildrop && install -d -o postfix -m 700 active bounce \
         corrupt defer deferred flush hold incoming private saved trace && \
         exec /usr/lib/postfix/sbin/master -c {} -d",
        config.display()
    );
    Peer::start(folder, "TERM", &["sh", "-c", &start])
}

/// Counts what a growing file says, reading only what is new.
pub struct Tail {
    file: fs::File,
    rest: Vec<u8>,
}

impl Tail {
    /// Begins at the present end of `file`.
    pub fn at_end(file: &Path) -> anyhow::Result<Self> {
        use std::io::{Seek as _, SeekFrom};
        let mut file = fs::File::open(file)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, rest: Vec::new() })
    }

    /// How many whole lines with `word` came since the last look.
    ///
    /// # Errors
    /// A line with `failure`, in its own words.
    pub fn count(&mut self, word: &str, failure: &str) -> anyhow::Result<usize> {
        use std::io::Read as _;
        self.file.read_to_end(&mut self.rest)?;
        let end = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..end).collect();
        let lines = String::from_utf8_lossy(&lines);
        if let Some(failed) = lines.lines().find(|line| line.contains(failure)) {
            bail!("{failed}");
        }
        Ok(lines.lines().filter(|line| line.contains(word)).count())
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! The product at work: the `belofte` program beside this one, with its default configuration.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::machine::{self, Watch, pause};
use crate::peers::{Cluster, free_ports, until_listening};
use crate::place::{Engine, Place};
use crate::smtp::{self, Parcel};

/// What one run of the listener took.
pub struct Run {
    /// Mails a second until the last one was filed and indexed.
    pub rate: f64,
    /// Milliseconds of processor of the server for each mail, from the socket to the commit.
    pub cpu: f64,
    /// The same of its indexer, which works after the commit.
    pub index_cpu: f64,
    /// The same of the cluster, with PostgreSQL.
    pub cluster_cpu: Option<f64>,
    /// The server's peak of memory, in MB.
    pub memory: f64,
    /// Mails a second until the last one was acknowledged.
    pub acknowledged: f64,
}

/// The server counts its stores anew after so long, and a little.
const FIGURES_EVERY: Duration = Duration::from_millis(5_500);

/// The program, serving a house.
pub struct Server {
    child: Child,
    /// The port of the desk.
    pub desk: u16,
    smtp: u16,
    figures: u16,
    log: PathBuf,
}

impl Server {
    /// The seconds that processors have worked for its index. The figures are as of now, or five seconds old.
    fn index_cpu(&self) -> anyhow::Result<f64> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.figures))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let told = text.lines().find_map(|line| line.strip_prefix("belofte_index_cpu_seconds "));
        told.context("no figure of the index")?.trim().parse().context("a figure is a number")
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it logged.
    pub fn told(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn program() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("belofte");
    if !path.exists() {
        bail!("build the product first: cargo xtask bench does");
    }
    Ok(path)
}

/// Starts the program on a founded house, with its default configuration.
pub fn serve(place: &Place) -> anyhow::Result<Server> {
    let [smtp, desk, figures] = free_ports()?;
    let at = place.folder.path();
    let storage = match &place.databases {
        None => String::new(),
        Some((content, keys)) => {
            format!("[storage]\nengine = \"postgres\"\nurl = \"{content}\"\nkeys_url = \"{keys}\"\n")
        }
    };
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:{desk}\"\npublic_url = \"https://localhost:{desk}\"\n\
         [data]\nfolder = \"{}\"\n[smtp]\nlisten = \"127.0.0.1:{smtp}\"\n\
         [observability]\nmetrics_listen = \"127.0.0.1:{figures}\"\n{storage}",
        at.display()
    );
    let file = at.join("bench.toml");
    fs::write(&file, config)?;
    let path = at.join("log");
    let log = fs::File::create(&path)?;
    let child = Command::new(program()?)
        .arg("--config")
        .arg(&file)
        .arg("serve")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    let server = Server { child, desk, smtp, figures, log: path };
    until_listening("the mail listener", smtp).with_context(|| server.told())?;
    Ok(server)
}

/// Founds a house, starts the server and hands it all parcels over `lanes` connections.
pub async fn run(
    engine: Engine,
    cluster: Option<&Cluster>,
    lanes: usize,
    parcels: &[Parcel],
) -> anyhow::Result<Run> {
    let place = Place::found(engine, cluster).await?;
    let server = serve(&place)?;
    let process = server.process();

    let mut progress = Progress::open(&place).await?;
    let beside = cluster.filter(|_| engine == Engine::Postgres);
    let postmaster = beside.map(Cluster::process).transpose()?;
    let cluster_cpu = || postmaster.map(machine::cpu_with_children).transpose();
    let index = server.index_cpu()?;
    let (cpu, beside, watch) = (machine::cpu(&process.to_string())?, cluster_cpu()?, Watch::start());
    tokio::task::block_in_place(|| smtp::send(server.smtp, lanes, parcels)).with_context(|| server.told())?;
    let acknowledged = watch.seconds();
    let count = parcels.len();
    while !progress.is_done(count).await? {
        if watch.seconds() > acknowledged + 120.0 {
            bail!("not all mails were filed within two minutes of the last acknowledgement");
        }
        pause(Duration::from_millis(5));
    }
    let seconds = watch.seconds();
    if let Some(left) = FIGURES_EVERY.checked_sub(Duration::from_secs_f64(seconds)) {
        pause(left);
    }
    // Both at one moment: what the indexer tidies up meanwhile is in the one and in the other.
    let index = server.index_cpu()? - index;
    let cpu = machine::cpu(&process.to_string())? - cpu;
    let cluster_cpu = match (cluster_cpu()?, beside) {
        (Some(after), Some(before)) => Some((after - before) * 1e3 / count as f64),
        _ => None,
    };
    let memory = machine::peak_memory(process)?;
    drop((server, progress));
    place.close(cluster).await?;
    Ok(Run {
        rate: count as f64 / seconds,
        cpu: (cpu - index) * 1e3 / count as f64,
        index_cpu: index * 1e3 / count as f64,
        cluster_cpu,
        memory,
        acknowledged: count as f64 / acknowledged,
    })
}

/// Looks from outside how far the server is.
struct Progress {
    content: Content,
    index: PathBuf,
}

enum Content {
    Lite(Box<rusqlite::Connection>),
    Postgres(
        tokio_postgres::Client,
        #[expect(dead_code, reason = "drives the connection")] tokio::task::JoinSet<()>,
    ),
}

const NEWEST: &str = "SELECT max(no) FROM message";
const FILED: &str = "SELECT CAST(coalesce(sum(received), 0) AS BIGINT) FROM statistic";

impl Progress {
    async fn open(place: &Place) -> anyhow::Result<Self> {
        let content = match &place.databases {
            None => {
                let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
                let content =
                    rusqlite::Connection::open_with_flags(place.folder.path().join("content.db"), flags)?;
                Content::Lite(Box::new(content))
            }
            Some((content, _)) => {
                let url = Cluster::as_superuser(content);
                let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
                let mut tasks = tokio::task::JoinSet::new();
                tasks.spawn(async move {
                    let _ = connection.await;
                });
                Content::Postgres(client, tasks)
            }
        };
        Ok(Self { content, index: place.index_file() })
    }

    /// Whether `count` mails are filed, and in the index.
    async fn is_done(&mut self, count: usize) -> anyhow::Result<bool> {
        let count = i64::try_from(count)?;
        let newest: i64 = match &self.content {
            Content::Lite(content) => {
                let filed: i64 = content.query_row(FILED, [], |row| row.get(0))?;
                if filed < count {
                    return Ok(false);
                }
                content.query_row(NEWEST, [], |row| row.get(0))?
            }
            Content::Postgres(client, _) => {
                if client.query_one(FILED, &[]).await?.get::<_, i64>(0) < count {
                    return Ok(false);
                }
                client.query_one(NEWEST, &[]).await?.get(0)
            }
        };
        Ok(applied(&self.index)? >= newest)
    }
}

/// The number of the last message that an index file holds; 0 when there is no file.
pub fn applied(index: &std::path::Path) -> anyhow::Result<i64> {
    if !index.exists() {
        return Ok(0);
    }
    let index = rusqlite::Connection::open_with_flags(index, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let text = "SELECT value FROM state WHERE name = 'applied'";
    Ok(index.query_row(text, [], |row| row.get(0)).unwrap_or(0))
}

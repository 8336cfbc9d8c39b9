// SPDX-License-Identifier: EUPL-1.2
//! The store's whole write of a message against the same rows in plaintext with the engine's own
//! full text, in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::bail;
use belofte_core::AtDoor;
use belofte_model::Incoming;
use belofte_store::{IncomingMail, NewFile, Store};
use tokio::task::JoinSet;

use crate::data::{Chance, Language, Mail, Shape, Writer};
use crate::house::applied;
use crate::machine::{self, Watch, pause};
use crate::peers::Cluster;
use crate::place::{Engine, House, Place};
use crate::plain::{Item, content};
use crate::plain_lite::Lite;
use crate::plain_postgres::Plain;

/// So many writes are under way at a time; plain SQLite commits as many at once.
pub const LANES: usize = 32;
/// After so many messages the other side has its turn.
const TURN: usize = 2_000;

/// Both sides, filled with the same mail.
pub struct Sides {
    /// Where ours lies.
    pub place: Place,
    /// Ours.
    pub house: House,
    /// Theirs.
    pub plain: PlainSide,
    folder: tempfile::TempDir,
    chance: Chance,
}

/// The plain alternative.
pub enum PlainSide {
    /// Embedded.
    Lite(Box<Lite>),
    /// On a server.
    Postgres(Plain),
}

/// What both sides took for the same mail, in seconds.
#[derive(Default)]
pub struct Times {
    /// Until the last of ours was durable and in the index.
    pub ours: f64,
    /// Until the last of theirs was durable.
    pub theirs: f64,
    /// Processor time of this process for ours.
    pub our_cpu: f64,
    /// The same for theirs.
    pub their_cpu: f64,
}

/// A mail as a channel hands it to the store, and its bytes.
struct Ready {
    mailbox: usize,
    raw: Vec<u8>,
    mail: IncomingMail,
}

impl Ready {
    fn new(mail: Mail) -> Self {
        Self { mailbox: mail.mailbox, raw: mail.raw(), mail: incoming(mail) }
    }
}

impl Sides {
    /// Founds both.
    pub async fn found(engine: Engine, cluster: Option<&Cluster>) -> anyhow::Result<Self> {
        let place = Place::found(engine, cluster).await?;
        let house = place.open().await?;
        let folder = crate::place::folder("plain")?;
        let plain = match cluster {
            Some(cluster) if engine == Engine::Postgres => {
                PlainSide::Postgres(Plain::new(cluster, LANES).await?)
            }
            _ => PlainSide::Lite(Box::new(Lite::new(folder.path())?)),
        };
        Ok(Self { place, house, plain, folder, chance: Chance::new(1) })
    }

    /// Closes both.
    pub async fn close(self, cluster: Option<&Cluster>) -> anyhow::Result<()> {
        self.house.close().await;
        self.place.close(cluster).await?;
        if let (PlainSide::Postgres(plain), Some(cluster)) = (&self.plain, cluster) {
            cluster.drop_database(plain.url()).await?;
        }
        drop((self.plain, self.folder));
        Ok(())
    }

    /// Files `count` mails of `shape` on both sides in turns; `first` says who begins.
    pub async fn fill(
        &mut self,
        language: &Language,
        shape: Shape,
        seed: u64,
        count: usize,
        ours_first: bool,
    ) -> anyhow::Result<Times> {
        let mut writer = Writer::new(language, shape, seed);
        let mut times = Times::default();
        let mut left = count;
        while left > 0 {
            let mails = writer.mails(left.min(TURN));
            left -= mails.len();
            for ours in [ours_first, !ours_first] {
                if ours {
                    let ready = mails.iter().cloned().map(Ready::new).collect();
                    let (cpu, watch) = (machine::cpu("self")?, Watch::start());
                    file(&self.place, &self.house, ready, LANES).await?;
                    times.ours += watch.seconds();
                    times.our_cpu += machine::cpu("self")? - cpu;
                } else {
                    let now = self.house.core.clock().now().as_micros();
                    let items: Vec<Item> =
                        mails.iter().map(|mail| Item::new(mail, &mut self.chance, now)).collect();
                    let (cpu, watch);
                    match &self.plain {
                        PlainSide::Lite(lite) => {
                            (cpu, watch) = (machine::cpu("self")?, Watch::start());
                            tokio::task::block_in_place(|| lite.file(&items, LANES))?;
                        }
                        PlainSide::Postgres(plain) => {
                            let items = Arc::new(items);
                            (cpu, watch) = (machine::cpu("self")?, Watch::start());
                            plain.file(items).await?;
                        }
                    }
                    times.theirs += watch.seconds();
                    times.their_cpu += machine::cpu("self")? - cpu;
                }
            }
        }
        Ok(times)
    }
}

/// Files mails in a house, over so many lanes.
pub async fn fill(place: &Place, house: &House, mails: &[Mail], lanes: usize) -> anyhow::Result<()> {
    file(place, house, mails.iter().cloned().map(Ready::new).collect(), lanes).await
}

/// Files mails as the listener does, and waits until the last is in the index.
async fn file(place: &Place, house: &House, ready: Vec<Ready>, lanes: usize) -> anyhow::Result<()> {
    let core = &house.core;
    let (ready, next) = (Arc::new(ready), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..lanes {
        let (core, ready, next) = (core.clone(), Arc::clone(&ready), Arc::clone(&next));
        let accounts = house.accounts.clone();
        tasks.spawn(async move {
            let mut newest = 0;
            while let Some(one) = ready.get(next.fetch_add(1, Ordering::Relaxed)) {
                let account = &accounts[one.mailbox];
                let access = belofte_core::door(&core, account);
                match belofte_core::file_at_door(&core, &access, account, &one.raw, &one.mail).await? {
                    AtDoor::Filed(no) => newest = newest.max(no),
                    AtDoor::Spool => bail!("a mail was not filed at the door"),
                }
            }
            Ok(newest)
        });
    }
    let mut newest = 0;
    while let Some(ended) = tasks.join_next().await {
        newest = newest.max(ended??);
    }
    let (index, watch) = (place.index_file(), Watch::start());
    while applied(&index)? < newest {
        if watch.elapsed() > Duration::from_secs(60) {
            bail!("the index does not follow");
        }
        pause(Duration::from_millis(1));
    }
    Ok(())
}

/// The mail as a channel hands it to the store.
fn incoming(mail: Mail) -> IncomingMail {
    let files = mail.file.clone().map(|bytes| NewFile {
        name: "factuur.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        content_id: None,
        inline: false,
        bytes,
    });
    IncomingMail {
        content: content(&mail),
        external_id: mail.message_id.clone(),
        related: mail.references.iter().rev().cloned().collect(),
        reply_thread: None,
        incoming: Incoming::Person,
        files: files.into_iter().collect(),
        sent_at: None,
        report: None,
        author: mail.from,
    }
}

/// What the index of a full store needs before it is asked, on PostgreSQL: what its own upkeep
/// would do within minutes.
pub async fn settle(sides: &Sides, store: &Store) -> anyhow::Result<()> {
    if let (Some((content, keys)), PlainSide::Postgres(plain)) = (&sides.place.databases, &sides.plain)
        && store.is_postgres()
    {
        for url in [Cluster::as_superuser(content), Cluster::as_superuser(keys), plain.url().to_owned()] {
            crate::peers::execute(&url, "VACUUM ANALYZE").await?;
        }
    }
    Ok(())
}

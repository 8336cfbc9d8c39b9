// SPDX-License-Identifier: EUPL-1.2
//! Disk full: senders are told to keep their mail, nothing that was acknowledged is lost, and the
//! service goes on by itself when there is room again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::empty::stop_and_be_empty;
use crate::support::collector::Collector;
use crate::support::lane::{Lane, Mail};
use crate::support::may_skip;
use crate::support::peer::user_id;
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::wait;

const DESK: &str = "info@winkel.example";
/// How many bytes the disk of the data folder holds …
const DISK: u64 = 24 << 20;
/// … and that of a database of PostgreSQL.
const DATABASE_DISK: u64 = 96 << 20;
/// How many are left when it gets full, in turn: room for some mails, for less than one, for nothing.
const LEFT: [u64; 3] = [512 << 10, 96 << 10, 0];
/// No lease of a mail ends within this time: recovery does not wait for one.
const RECOVERY: Duration = Duration::from_secs(40);

/// A small disk in memory.
struct Disk(PathBuf);

impl Disk {
    /// Puts what is in `folder` on a disk of its own; `None` when this machine cannot.
    fn under(folder: &Path) -> Option<Self> {
        let before = folder.with_extension("before");
        fs::rename(folder, &before).expect("our own folder");
        fs::create_dir(folder).expect("our own folder");
        let disk = Self::mount(folder, &format!("size={DISK},mode=700"))?;
        let copied = Command::new("cp").arg("-a").arg(before.join(".")).arg(folder).status();
        assert!(copied.is_ok_and(|status| status.success()), "the data fits");
        Some(disk)
    }

    /// An empty disk for a database, which belongs to who runs the test's PostgreSQL.
    fn for_database(folder: &Path) -> Option<Self> {
        let known = Command::new("id").args(["-u", "postgres"]).output().expect("id is part of every Debian");
        let uid = String::from_utf8_lossy(&known.stdout).trim().to_owned();
        let owner = if known.status.success() { uid } else { "65534".to_owned() };
        fs::create_dir(folder).expect("our own folder");
        Self::mount(folder, &format!("size={DATABASE_DISK},mode=700,uid={owner}"))
    }

    fn mount(folder: &Path, options: &str) -> Option<Self> {
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).output();
        let mounted = mounted.expect("mount is part of every Debian");
        if !mounted.status.success() {
            let what = format!("a tmpfs ({})", String::from_utf8_lossy(&mounted.stderr).trim());
            return if may_skip(&what) { None } else { unreachable!("it does not return in CI") };
        }
        Some(Self(folder.to_owned()))
    }

    /// Leaves `left` bytes.
    fn fill(&self, left: u64) {
        let output = Command::new("df").args(["-B1", "--output=avail"]).arg(&self.0).output().expect("df");
        let text = String::from_utf8_lossy(&output.stdout);
        let free: u64 = text.lines().nth(1).and_then(|line| line.trim().parse().ok()).expect("a number");
        let ballast = vec![0_u8; usize::try_from(free.saturating_sub(left)).expect("a small disk")];
        match fs::write(self.0.join("ballast"), ballast) {
            // The server wrote something in between: then it is full already.
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {}
            written => written.expect("our own file"),
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("ballast")).expect("it was there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the server may still run when a test fails.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

struct Shop {
    server: Server,
    account: String,
    acknowledged: Vec<Mail>,
    refused: Vec<u16>,
    number: usize,
}

impl Shop {
    /// Sends so many mails, every third with a large attachment.
    fn send(&mut self, count: usize) {
        let mut lane = Lane::connect(self.server.smtp).expect("it listens");
        for _ in 0..count {
            self.number += 1;
            let size = if self.number.is_multiple_of(3) { 50_000 } else { 0 };
            let mail = Mail::new(&format!("doos{:05}x", self.number), size);
            match lane.send(&mail, DESK).expect("it runs and answers") {
                250 => self.acknowledged.push(mail),
                code => self.refused.push(code),
            }
        }
    }

    fn accounting(&self) -> Value {
        let sum =
            self.server.admin().get(&format!("/channel-accounts/{}/accounting", self.account)).expect(200);
        let of = |name: &str| sum[name].as_i64().expect("a number");
        let parts = of("imported") + of("duplicates") + of("quarantined") + of("pending");
        assert_eq!(of("received"), parts, "{sum}");
        sum
    }

    fn until_filed(&self) {
        let all = self.acknowledged.len();
        wait::until("every mail to be filed", RECOVERY, || {
            let sum = self.accounting();
            (sum["pending"] == 0).then(|| assert_eq!(sum["imported"].as_u64(), Some(all as u64), "{sum}"))
        });
    }

    /// Everything acknowledged is found once and opens.
    fn check(&self) {
        let admin = self.server.admin();
        for mail in &self.acknowledged {
            let found = admin.post("/search", json!({ "q": mail.word })).expect(200);
            // An answer carries the subject of what it answers: one case all the same.
            let mut hits = found["items"].as_array().expect("items").clone();
            hits.dedup_by_key(|hit| hit["conversation"]["id"].to_string());
            assert_eq!(hits.len(), 1, "{}: {found}", mail.word);
            let case = hits[0]["conversation"]["id"].as_str().expect("an id");
            let page = admin.get(&format!("/conversations/{case}/messages")).expect(200);
            assert_eq!(page["items"][0]["subject"], mail.subject());
            if let Some(expected) = mail.attached() {
                let id = page["items"][0]["attachments"][0]["id"].as_str().expect("an attachment");
                let path = format!("/api/v1/attachments/{id}");
                let file = admin.exchange(Method::GET, &path, &[], Vec::new());
                assert!(file.body == expected, "the attachment of {} has other bytes", mail.word);
            }
        }
    }

    fn lag(&self) -> i64 {
        let found = self.server.admin().post("/search", json!({ "q": "woord" })).expect(200);
        found["indexed_lag"].as_i64().expect("a number")
    }
}

on_both_engines!(a_full_disk_refuses_and_recovers_by_itself, |engine| {
    if user_id() != 0 && may_skip("the right to mount a small disk (root)") {
        return;
    }
    let mut server = Server::start(engine);
    let customer = Collector::start(Duration::ZERO);
    let account = json!({
        "kind": "email", "address": DESK, "from_name": "Winkel",
        "submission": { "host": "127.0.0.1", "port": customer.port, "security": "none" },
    });
    let account = server.admin().post("/channel-accounts", account).expect(201);
    let account = account["id"].as_str().expect("an id").to_owned();
    server.stop();
    let Some(disk) = Disk::under(&server.data_folder()) else { return };
    let mut disks = vec![disk];
    // Where PostgreSQL has its rows; the data folder holds large files and the index then.
    let space = std::env::temp_dir().join(format!("belofte-space.{}", std::process::id()));
    if let Some([content, _]) = server.databases() {
        let Some(disk) = Disk::for_database(&space) else { return };
        content.move_to(&space);
        disks.push(disk);
    }
    server.boot();
    let mut shop = Shop { server, account, acknowledged: Vec::new(), refused: Vec::new(), number: 0 };

    shop.send(12);
    assert_eq!(shop.refused, Vec::<u16>::new());
    shop.until_filed();
    let case = shop.server.admin().get("/conversations?status=all").expect(200)["items"][0].clone();
    let messages = format!("/conversations/{}/messages", case["id"].as_str().expect("an id"));

    for (round, left) in LEFT.into_iter().enumerate() {
        disks.iter().for_each(|disk| disk.fill(left));
        wait::until("the disk to be full", Duration::from_secs(60), || {
            let before = shop.refused.len();
            shop.send(9);
            (shop.refused.len() - before == 9).then_some(())
        });
        let codes = std::mem::take(&mut shop.refused);
        assert!(codes.iter().all(|code| [451, 452].contains(code)), "{codes:?}\n{}", shop.server.logs());
        assert!(codes.contains(&452), "senders hear that there is no room: {codes:?}");
        // What is there can be read, and an answer that cannot be kept is refused in words.
        let page = shop.server.admin().get("/conversations?status=all").expect(200);
        assert!(page["items"].as_array().is_some_and(|items| !items.is_empty()));
        let note = json!({ "kind": "note", "text": "vol ".repeat(20_000), "attachment_ids": [] });
        shop.server.admin().post(&messages, note).problem(507, "storage_full");
        shop.accounting();

        disks.iter().for_each(Disk::free);
        wait::until("mail to be taken again", RECOVERY, || {
            let before = shop.acknowledged.len();
            shop.send(1);
            (shop.acknowledged.len() > before).then_some(())
        });
        shop.refused.clear();
        shop.send(6);
        assert_eq!(shop.refused, Vec::<u16>::new(), "there is room");
        shop.until_filed();
        wait::until("the index to have everything", RECOVERY, || (shop.lag() == 0).then_some(()));
        shop.check();
        let word = format!("antwoord{round}x");
        let reply = json!({ "kind": "reply", "text": &word, "attachment_ids": [] });
        shop.server.admin().post(&messages, reply).expect(201);
        wait::until("the answer", RECOVERY, || (customer.count(&word) == 1).then_some(()));
    }

    shop.server.kill();
    shop.server.boot();
    shop.until_filed();
    shop.check();
    stop_and_be_empty(&mut shop.server);
});

#[test]
fn an_index_that_could_not_be_written_is_made_without_new_mail() {
    let mut server = Server::start(Engine::Sqlite);
    let account = json!({ "kind": "email", "address": DESK, "from_name": "Winkel" });
    let account = server.admin().post("/channel-accounts", account).expect(201);
    let account = account["id"].as_str().expect("an id").to_owned();
    server.stop();
    // Something else stands where the index files belong.
    let folder = server.data_folder().join("idx");
    let _ = fs::remove_dir_all(&folder);
    fs::write(&folder, "not a folder").expect("our own folder");
    server.boot();
    let mut shop = Shop { server, account, acknowledged: Vec::new(), refused: Vec::new(), number: 0 };
    shop.send(4);
    shop.until_filed();
    assert_eq!(shop.acknowledged.len(), 4, "mail is taken without an index");
    fs::remove_file(&folder).expect("our own file");
    wait::until("the index to have everything", RECOVERY, || (shop.lag() == 0).then_some(()));
    shop.check();
    stop_and_be_empty(&mut shop.server);
}

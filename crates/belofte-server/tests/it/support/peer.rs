// SPDX-License-Identifier: EUPL-1.2
//! A program that lives exactly as long as its handle, see guard.sh.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// The folder of the scripts that keep peers alive.
pub const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support");

/// A running program and the folder with its data, which is removed after it.
#[derive(Debug)]
pub struct Peer {
    folder: PathBuf,
    stdin: Option<ChildStdin>,
    guard: Child,
}

impl Peer {
    /// Starts `command` under the guard. It gets `signal` ("TERM") when the handle is dropped
    /// or this process ends.
    pub fn start(folder: PathBuf, signal: &str, command: &[&str]) -> Self {
        let log = fs::File::create(folder.join("guard.log")).expect("the folder of a peer is writable");
        let mut guard = Command::new("setsid")
            .arg("sh")
            .arg(format!("{SCRIPTS}/guard.sh"))
            .arg(&folder)
            .arg(signal)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a file can be opened twice"))
            .stderr(log)
            .spawn()
            .expect("setsid (util-linux) is part of every Debian");
        let stdin = guard.stdin.take();
        Self { folder, stdin, guard }
    }

    /// The data of this peer.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the peer logged, for the message of a failing test.
    pub fn logs(&self) -> String {
        ["log", "guard.log"]
            .iter()
            .filter_map(|name| fs::read_to_string(self.folder.join(name)).ok())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("-- log of {}\n{}", self.folder.display(), self.logs());
        }
        drop(self.stdin.take());
        // Waiting keeps ports and data from outliving the test.
        let _ = self.guard.wait();
    }
}

/// A new folder that other users of this machine can enter, because peers give up root.
pub fn new_folder(name: &str) -> PathBuf {
    for number in 0..10_000 {
        let folder = std::env::temp_dir().join(format!("belofte-{name}-{}-{number}", std::process::id()));
        if fs::create_dir(&folder).is_ok() {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("our own folder");
            return folder;
        }
    }
    panic!("no folder for {name} in {}", std::env::temp_dir().display());
}

/// The id of the user that runs the tests; 0 is root.
pub fn user_id() -> u32 {
    let output = Command::new("id").arg("-u").output().expect("id (coreutils) is part of every Debian");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("id prints a number")
}

/// The name of the user that runs the tests.
pub fn user_name() -> String {
    let output = Command::new("id").arg("-un").output().expect("id (coreutils) is part of every Debian");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

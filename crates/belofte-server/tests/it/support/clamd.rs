// SPDX-License-Identifier: EUPL-1.2
//! A private clamd with signatures of our own: none is ever fetched.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::peer::{Peer, new_folder};
use super::wait;

/// What the signature of the test file is called.
pub const FOUND: &str = "Belofte.Test.Eicar";
/// The longest stream that it takes.
pub const LONGEST: usize = 1 << 20;

/// A running clamd.
#[derive(Debug)]
pub struct Clamd {
    _peer: Peer,
}

/// The EICAR test file, put together here: nothing that looks for malware finds it in this repository.
pub fn eicar() -> Vec<u8> {
    let parts = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STAND", "ARD-ANTIVIRUS-", "TEST-FILE!$H+H*"];
    parts.concat().into_bytes()
}

/// The line of configuration that names the one that listens at `socket`.
pub fn configuration(socket: &Path) -> String {
    format!("[malware]\nclamd = \"unix:{}\"\n", socket.display())
}

/// A socket in a folder of its own, for one that is started later or again.
pub fn socket() -> PathBuf {
    new_folder("clamd-socket").join("clamd.ctl")
}

impl Clamd {
    /// Starts one at `socket` that knows the test file.
    pub fn start(socket: &Path) -> Self {
        Self::that_knows(socket, &eicar())
    }

    /// Starts one that takes what is in the test file for nothing special: its signature was mended.
    pub fn mended(socket: &Path) -> Self {
        Self::that_knows(socket, b"niemand stuurt dit ooit: een heel andere reeks")
    }

    fn that_knows(socket: &Path, bytes: &[u8]) -> Self {
        let folder = new_folder("clamd");
        let signatures = folder.join("signatures");
        fs::create_dir(&signatures).expect("our own folder");
        let hex: String = bytes.iter().map(|octet| format!("{octet:02x}")).collect();
        fs::write(signatures.join("test.ndb"), format!("{FOUND}:0:*:{hex}\n")).expect("our own folder");
        let at = folder.display();
        let configuration = format!(
            "LocalSocket {}\nLocalSocketMode 666\nFixStaleSocket yes\nForeground yes\nLogFile {at}/log\n\
             DatabaseDirectory {}\nTemporaryDirectory {at}\nStreamMaxLength {LONGEST}\nScanMail yes\nMaxThreads 4\n\
             ConcurrentDatabaseReload no\nSelfCheck 0\n",
            socket.display(),
            signatures.display()
        );
        let file = folder.join("clamd.conf");
        fs::write(&file, configuration).expect("our own folder");
        let _ = fs::remove_file(socket);
        let shown = file.display().to_string();
        let peer = Peer::start(folder, "TERM", &["/usr/sbin/clamd", "-c", &shown]);
        wait::until("clamd to listen", Duration::from_secs(30), || socket.exists().then_some(()));
        Self { _peer: peer }
    }
}

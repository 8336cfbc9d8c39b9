// SPDX-License-Identifier: EUPL-1.2
//! Debian's Chromium, headless and silent: it asks nothing of any network by itself.

use super::peer::new_folder;
use std::path::PathBuf;
use std::process::Command;

/// A browser with an empty profile, which is removed with the handle.
#[derive(Debug)]
pub struct Chromium {
    program: PathBuf,
    profile: PathBuf,
}

impl Chromium {
    /// Finds the browser.
    pub fn new() -> Self {
        let program = ["/usr/bin/chromium", "/usr/bin/chromium-browser"]
            .iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
            .expect("chromium is installed by `cargo xtask test`");
        Self { program, profile: new_folder("chromium") }
    }

    /// A start of the browser; add what it has to do.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
            ])
            .arg(format!("--user-data-dir={}", self.profile.display()));
        command
    }

    /// The document at `url` after its scripts have run, as text.
    pub fn document(&self, url: &str) -> String {
        let output = self.command().args(["--dump-dom", url]).output().expect("chromium starts");
        assert!(output.status.success(), "chromium: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

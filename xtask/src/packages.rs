// SPDX-License-Identifier: EUPL-1.2
//! The Debian packages that the tests need: the real peers (a database, a mail server on
//! each side, a mail sender, a browser).
//!
//! Installing starts nothing and changes no running service: the tests bring up private
//! instances of their own.

use crate::shell::{self, Doing, Failure, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

struct Package {
    name: &'static str,
    /// Present when one of these exists; `*` stands for one folder name.
    files: &'static [&'static str],
}

const PACKAGES: &[Package] = &[
    Package { name: "postgresql", files: &["/usr/lib/postgresql/*/bin/initdb"] },
    Package { name: "postgresql-client", files: &["/usr/bin/psql"] },
    Package { name: "postfix", files: &["/usr/sbin/postfix"] },
    Package { name: "dovecot-imapd", files: &["/usr/lib/dovecot/imap"] },
    Package { name: "dovecot-lmtpd", files: &["/usr/lib/dovecot/lmtp"] },
    // Looks for malware, with signatures of the tests' own; none is fetched, and no daemon is started.
    Package { name: "clamav-daemon", files: &["/usr/sbin/clamd"] },
    Package { name: "swaks", files: &["/usr/bin/swaks"] },
    // swaks speaks STARTTLS through this, and only recommends it.
    Package { name: "libnet-ssleay-perl", files: &["/usr/share/doc/libnet-ssleay-perl"] },
    Package { name: "chromium", files: &["/usr/bin/chromium"] },
    // The same engine without its window, for most of the browser tests.
    Package { name: "chromium-headless-shell", files: &["/usr/bin/chromium-headless-shell"] },
    Package { name: "curl", files: &["/usr/bin/curl"] },
    Package { name: "openssl", files: &["/usr/bin/openssl"] },
];

const POLICY: &str = "/usr/sbin/policy-rc.d";
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/belofte-test.conf";

/// Makes sure that every package is there: installs what is missing when root, else fails
/// with the command that would.
pub fn ensure() -> Result<String> {
    let missing = missing(Path::new("/"));
    if missing.is_empty() {
        return Ok(format!("{} present", PACKAGES.len()));
    }
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(Failure::new(format!(
            "the tests need these Debian 12 packages, and this machine has no apt-get: {}",
            missing.join(" ")
        )));
    }
    if shell::user_id()? != 0 {
        return Err(Failure::new(format!(
            "Debian packages are missing; run this, then start again:\n\n  sudo apt-get install --no-install-recommends {}\n",
            missing.join(" ")
        )));
    }
    install(&missing)?;
    let still = self::missing(Path::new("/"));
    if still.is_empty() {
        Ok(format!("installed {}", missing.join(" ")))
    } else {
        Err(Failure::new(format!("apt-get succeeded, but these are still missing: {}", still.join(" "))))
    }
}

/// Makes sure that one of the packages is there, as [`ensure`] does.
pub fn ensure_one(name: &'static str) -> Result<()> {
    if !missing(Path::new("/")).contains(&name) {
        return Ok(());
    }
    if shell::user_id()? == 0 && Path::new("/usr/bin/apt-get").exists() {
        return install(&[name]);
    }
    Err(Failure::new(format!(
        "{name} is missing; run this, then start again:\n\n  sudo apt-get install {name}\n"
    )))
}

/// The packages of which no file exists below `root`.
fn missing(root: &Path) -> Vec<&'static str> {
    PACKAGES
        .iter()
        .filter(|package| !package.files.iter().any(|file| exists(root, file)))
        .map(|package| package.name)
        .collect()
}

fn exists(root: &Path, pattern: &str) -> bool {
    let relative = pattern.trim_start_matches('/');
    match relative.split_once("/*/") {
        None => root.join(relative).exists(),
        Some((before, after)) => fs::read_dir(root.join(before))
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|e| e.path().join(after).exists()))),
    }
}

fn install(missing: &[&str]) -> Result<()> {
    // A package must not start its service here, nor make a database cluster that nobody asked for.
    let _policy = Placed::put(POLICY, "#!/bin/sh\nexit 101\n", true)?;
    let _no_cluster = Placed::put(NO_CLUSTER, "create_main_cluster = false\n", false)?;
    // Another installation may hold the lock; apt waits for it.
    const WAIT: [&str; 2] = ["-o", "DPkg::Lock::Timeout=900"];
    let update = shell::run(Command::new("apt-get").args(WAIT).args(["-qq", "update"]));
    let mut install = Command::new("apt-get");
    install
        .args(WAIT)
        .args(["-q", "-y", "--no-install-recommends", "install"])
        .args(missing)
        .env("DEBIAN_FRONTEND", "noninteractive");
    // Lists from before may be enough when the update failed; the installation tells.
    shell::run(&mut install).map_err(|error| match update {
        Ok(()) => error,
        Err(first) => Failure::new(format!("{first}; {error}")),
    })
}

/// A file that is there only while packages are installed; an existing one is left alone.
struct Placed(Option<&'static str>);

impl Placed {
    fn put(path: &'static str, text: &str, executable: bool) -> Result<Self> {
        if Path::new(path).exists() {
            return Ok(Self(None));
        }
        let folder = Path::new(path).parent().expect("a file lies in a folder");
        fs::create_dir_all(folder).doing(&format!("make {}", folder.display()))?;
        fs::write(path, text).doing(&format!("write {path}"))?;
        if executable {
            shell::run(Command::new("chmod").args(["0755", path]))?;
        }
        Ok(Self(Some(path)))
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            // Nothing depends on its removal that could be told here.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_machine_lacks_everything_and_a_file_ends_that() {
        let root = std::env::temp_dir().join(format!("belofte-packages-{}", std::process::id()));
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        assert_eq!(missing(&root).len(), PACKAGES.len());
        fs::write(root.join("usr/bin/swaks"), "").unwrap();
        fs::create_dir_all(root.join("usr/lib/postgresql/15/bin")).unwrap();
        assert!(missing(&root).contains(&"postgresql"), "a folder without the program is not enough");
        fs::write(root.join("usr/lib/postgresql/15/bin/initdb"), "").unwrap();
        let left = missing(&root);
        fs::remove_dir_all(&root).unwrap();
        assert!(!left.contains(&"swaks") && !left.contains(&"postgresql"), "{left:?}");
        assert_eq!(left.len(), PACKAGES.len() - 2);
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! Writes archives in the interchange format `ustar` (POSIX.1-1988), which every `tar` reads.

use std::io;

const BLOCK: usize = 512;

/// What ends an archive.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// How many zeros follow a file of `size` bytes.
#[must_use]
pub fn padding(size: u64) -> usize {
    let rest = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - rest) % BLOCK
}

/// How many bytes a file of `size` bytes takes in an archive.
#[must_use]
pub fn length(size: u64) -> u64 {
    BLOCK as u64 + size + padding(size) as u64
}

/// What stands before a file's bytes: its name, mode 0600 and size.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for a name of more than 100 bytes.
pub fn header(name: &str, size: u64) -> io::Result<[u8; BLOCK]> {
    const LARGEST: u64 = 1 << 33;
    if name.len() > 100 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    if size < LARGEST {
        put(124, format!("{size:011o}\0").as_bytes());
    } else {
        // What eleven octal digits cannot say stands there in binary, as GNU tar began it.
        put(124, &[0x80, 0, 0, 0]);
        put(128, &size.to_be_bytes());
    }
    // No time of change: the ledger says when everything was.
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    fn listed(archive: &[u8]) -> Vec<[String; 3]> {
        let mut tar = Command::new("tar")
            .args(["-tvf", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("tar is part of every Debian");
        tar.stdin.take().expect("piped").write_all(archive).expect("tar reads");
        let output = tar.wait_with_output().expect("tar ends");
        let listed = String::from_utf8_lossy(&output.stdout);
        let words = listed.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        words.map(|words| [words[0].clone(), words[2].clone(), words[words.len() - 1].clone()]).collect()
    }

    #[test]
    fn the_systems_tar_reads_it() {
        let (mut archive, mut expected) = (Vec::new(), 0);
        for (name, size) in [("a", 0_usize), ("folder/b", 512), ("c.txt", 1_000)] {
            archive.extend_from_slice(&header(name, size as u64).expect("a short name"));
            archive.resize(archive.len() + size, b'x');
            archive.resize(archive.len() + padding(size as u64), 0);
            expected += length(size as u64);
        }
        assert_eq!(archive.len() as u64, expected);
        archive.extend_from_slice(&END);
        let mode = "-rw-------";
        let told = [[mode, "0", "a"], [mode, "512", "folder/b"], [mode, "1000", "c.txt"]];
        assert_eq!(listed(&archive), told.map(|line| line.map(str::to_owned)));
    }

    #[test]
    fn a_file_may_be_larger_than_octal_digits_say() {
        // The archive ends here, which tar says after it listed what it saw.
        let listed = listed(&header("large", 1 << 34).expect("a short name"));
        assert_eq!(listed[0], ["-rw-------", "17179869184", "large"]);
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        assert!(header(&"n".repeat(101), 0).is_err());
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! Writes archives in the interchange format `ustar` (POSIX.1-1988), which every `tar` reads.

use std::io::{self, Read, Write};

const BLOCK: usize = 512;

/// Writes one file with mode 0600.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for a name of more than 100 bytes or a file of 8 GiB and more,
/// [`io::ErrorKind::UnexpectedEof`] when `content` is shorter than `size`; those of reading and
/// writing.
pub fn file(to: &mut impl Write, name: &str, content: impl Read, size: u64) -> io::Result<()> {
    to.write_all(&header(name, size)?)?;
    if io::copy(&mut content.take(size), to)? < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let rest = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    to.write_all(&[0; BLOCK][..(BLOCK - rest) % BLOCK])
}

/// Ends the archive.
///
/// # Errors
/// Those of writing.
pub fn end(to: &mut impl Write) -> io::Result<()> {
    to.write_all(&[0; 2 * BLOCK])
}

fn header(name: &str, size: u64) -> io::Result<[u8; BLOCK]> {
    const LARGEST: u64 = 1 << 33;
    if name.len() > 100 || size >= LARGEST {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
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
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_systems_tar_reads_it() {
        let mut archive = Vec::new();
        for (name, size) in [("a", 0_usize), ("folder/b", 512), ("c.txt", 1_000)] {
            let content = vec![b'x'; size];
            file(&mut archive, name, content.as_slice(), size as u64).expect("memory takes all");
        }
        end(&mut archive).expect("memory takes all");
        assert_eq!(archive.len() % BLOCK, 0);
        let mut tar = Command::new("tar")
            .args(["-tvf", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tar is part of every Debian");
        tar.stdin.take().expect("piped").write_all(&archive).expect("tar reads");
        let output = tar.wait_with_output().expect("tar ends");
        let listed = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
        assert!(output.status.success());
        let told: Vec<_> = lines.iter().map(|line| (line[0], line[2], line[line.len() - 1])).collect();
        let mode = "-rw-------";
        assert_eq!(told, [(mode, "0", "a"), (mode, "512", "folder/b"), (mode, "1000", "c.txt")]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(file(&mut Vec::new(), &"n".repeat(101), &b""[..], 0).is_err());
        assert!(file(&mut Vec::new(), "short", &b"123"[..], 4).is_err());
    }
}

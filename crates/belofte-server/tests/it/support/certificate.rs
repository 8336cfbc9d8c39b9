// SPDX-License-Identifier: EUPL-1.2
//! A certificate authority that exists for one test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Files in PEM: an authority, and a certificate of `localhost` and 127.0.0.1 that it signed.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The authority, which a client has to trust.
    pub authority: PathBuf,
    /// The certificate of the server.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes the files in `folder`.
    pub fn make(folder: &Path) -> Self {
        let files = Self {
            authority: folder.join("authority.pem"),
            certificate: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
        };
        let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
        openssl(
            folder,
            &[
                &["req", "-x509", "-subj", "/CN=Test authority"],
                &new_key[..],
                &["-keyout", "authority.key", "-out", "authority.pem"],
            ],
        );
        openssl(
            folder,
            &[
                &["req", "-x509", "-subj", "/CN=localhost"],
                &new_key[..],
                &[
                    "-CA",
                    "authority.pem",
                    "-CAkey",
                    "authority.key",
                    "-keyout",
                    "key.pem",
                    "-out",
                    "certificate.pem",
                    "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-addext",
                    "basicConstraints=critical,CA:FALSE",
                ],
            ],
        );
        files
    }
}

fn openssl(folder: &Path, args: &[&[&str]]) {
    let output = Command::new("openssl").current_dir(folder).args(args.concat()).output();
    let output = output.expect("openssl is installed by `cargo xtask test`");
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
}

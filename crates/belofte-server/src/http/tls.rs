// SPDX-License-Identifier: EUPL-1.2
//! TLS with AWS-LC, for the desk and the mail listener: the certificate made here or read from
//! files, and taken again when they change.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use belofte_model::Timestamp;
use belofte_store::durable;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// How often files are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How long a certificate made here holds. Nobody vouches for it; what counts is that the
/// exception which people made for it in their browser stays good.
const MADE_HERE_DAYS: i64 = 20 * 365;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file holds no certificate or key in PEM.
    #[error("{path} holds no certificate or private key in PEM")]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// The key and the certificate do not belong together or are of an unknown kind.
    #[error("the certificate and its key cannot be used")]
    Unusable(#[from] rustls::Error),
    /// A certificate could not be made.
    #[error("a certificate could not be made")]
    Make(#[from] rcgen::Error),
}

/// A certificate with its key, as it is now.
pub struct Certificate {
    cert_file: PathBuf,
    key_file: PathBuf,
    current: RwLock<Current>,
}

struct Current {
    key: Arc<CertifiedKey>,
    changed: Option<SystemTime>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("cert_file", &self.cert_file).finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads a certificate with its chain and its key from files in PEM.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_files(cert_file: &Path, key_file: &Path) -> Result<Arc<Self>, TlsError> {
        let current = Current { key: load(cert_file, key_file)?, changed: changed(cert_file, key_file) };
        Ok(Arc::new(Self {
            cert_file: cert_file.to_owned(),
            key_file: key_file.to_owned(),
            current: RwLock::new(current),
        }))
    }

    /// The certificate made here and kept in `folder`; makes it for `host` at first start or when
    /// the host is another. Says so loudly: browsers will not trust it.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn self_signed(folder: &Path, host: &str, now: Timestamp) -> Result<Arc<Self>, TlsError> {
        let (cert_file, key_file) = (folder.join("certificate.pem"), folder.join("key.pem"));
        let host_file = folder.join("host");
        let known = std::fs::read_to_string(&host_file).is_ok_and(|known| known.trim() == host);
        if !(known && cert_file.exists() && key_file.exists()) {
            let (certificate, key) = make(host, now)?;
            let failed = |path: &Path| {
                let path = path.to_owned();
                move |source| TlsError::File { path, source }
            };
            durable::folder(folder).map_err(failed(folder))?;
            // The host says that key and certificate are there and belong together: it goes before
            // they change, and comes after they surely have.
            match std::fs::remove_file(&host_file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(&host_file)(error));
                }
                _ => durable::entries(folder).map_err(failed(folder))?,
            }
            durable::file(&key_file, 0o600, key.as_bytes()).map_err(failed(&key_file))?;
            durable::file(&cert_file, 0o600, certificate.as_bytes()).map_err(failed(&cert_file))?;
            durable::entries(folder).map_err(failed(folder))?;
            durable::file(&host_file, 0o600, host.as_bytes()).map_err(failed(&host_file))?;
            durable::entries(folder).map_err(failed(folder))?;
        }
        tracing::warn!(
            file = %cert_file.display(),
            "the desk uses a certificate made by itself: browsers warn, and nobody can tell this server \
             from another. Set server.tls to a certificate of your own before real use"
        );
        Self::from_files(&cert_file, &key_file)
    }

    /// Reads the files again when one has changed. What cannot be used leaves the old one.
    pub fn look_again(&self) {
        let now = changed(&self.cert_file, &self.key_file);
        if self.current.read().unwrap_or_else(PoisonError::into_inner).changed == now {
            return;
        }
        match load(&self.cert_file, &self.key_file) {
            Ok(key) => {
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                *current = Current { key, changed: now };
                tracing::info!(file = %self.cert_file.display(), "a new certificate is in use");
            }
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the new certificate cannot be used; the old one stays"
            ),
        }
    }

    /// Looks at the files every minute until `stop`.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        while tokio::time::timeout(LOOK_AGAIN, stop.cancelled()).await.is_err() {
            self.look_again();
        }
    }

    /// The settings of a listener with this certificate that speaks `protocols` (ALPN, RFC 7301).
    ///
    /// # Errors
    /// [`TlsError::Unusable`].
    pub fn listener(self: &Arc<Self>, protocols: &[&[u8]]) -> Result<Arc<ServerConfig>, TlsError> {
        let resolver = Arc::new(Resolver(Arc::clone(self)));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Arc::new(config))
    }
}

#[derive(Debug)]
struct Resolver(Arc<Certificate>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current.key))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn load(cert_file: &Path, key_file: &Path) -> Result<Arc<CertifiedKey>, TlsError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| match source {
            rustls_pki_types::pem::Error::Io(source) => TlsError::File { path, source },
            source => TlsError::Pem { path, source },
        }
    };
    let chain = CertificateDer::pem_file_iter(cert_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(failed(cert_file))?;
    if chain.is_empty() {
        return Err(failed(cert_file)(rustls_pki_types::pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(failed(key_file))?;
    let certified = CertifiedKey::from_der(chain, key, &provider())?;
    certified.keys_match()?;
    Ok(Arc::new(certified))
}

fn changed(cert_file: &Path, key_file: &Path) -> Option<SystemTime> {
    let of = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    of(cert_file).max(of(key_file))
}

fn make(host: &str, now: Timestamp) -> Result<(String, String), TlsError> {
    let mut names = vec![host.to_owned()];
    for name in ["localhost", "127.0.0.1", "::1"] {
        if name != host {
            names.push(name.to_owned());
        }
    }
    let mut params = CertificateParams::new(names)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, host);
    params.distinguished_name = name;
    let today = OffsetDateTime::from_unix_timestamp(now.as_secs()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    params.not_before = today - time::Duration::days(1);
    params.not_after = today + time::Duration::days(MADE_HERE_DAYS);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

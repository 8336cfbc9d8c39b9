// SPDX-License-Identifier: EUPL-1.2
//! A connection in clear or under TLS, and the settings of TLS.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// One end of a connection.
pub(crate) enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Line {
    /// Reads what is there into `buffer`; 0 at the end.
    pub(crate) async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read_buf(buffer).await,
            Self::Tls(tls) => tls.read_buf(buffer).await,
        }
    }

    /// Writes all of `bytes` and flushes, so that all of it has gone to the operating system.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.write_all(bytes).await,
            Self::Tls(tls) => {
                tls.write_all(bytes).await?;
                tls.flush().await
            }
        }
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.shutdown().await,
            Self::Tls(tls) => tls.shutdown().await,
        }
    }

    /// TLS version and cipher suite, such as `TLS 1.3 TLS13_AES_256_GCM_SHA384`.
    pub(crate) fn tls(&self) -> Option<String> {
        let Self::Tls(tls) = self else { return None };
        let connection = tls.get_ref().1;
        let version = match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        let suite = connection.negotiated_cipher_suite();
        Some(suite.map_or_else(|| version.to_owned(), |suite| format!("{version} {:?}", suite.suite())))
    }
}

/// The TLS of a client that trusts the public roots and `more_roots` (the operator's own).
///
/// # Errors
/// One of `more_roots` is no certificate.
pub fn client_tls(more_roots: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in more_roots {
        roots.add(root)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

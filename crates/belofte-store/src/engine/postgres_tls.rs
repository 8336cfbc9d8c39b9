// SPDX-License-Identifier: EUPL-1.2
//! TLS to PostgreSQL, as `sslmode` in the address of a database asks for it.
//!
//! | `sslmode`             | the line                                                                |
//! |-----------------------|-------------------------------------------------------------------------|
//! | none, `prefer`        | in clear on this machine; refused elsewhere                             |
//! | `disable`             | in clear on this machine; elsewhere only where the operator allows it   |
//! | `require`             | TLS; the certificate is checked when there are certificates to check by |
//! | `verify-ca`           | TLS with a certificate of a known authority                             |
//! | `verify-full`         | the same, and the certificate is that of the host                       |

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};

use crate::StoreError;

/// How the line to a database server is secured.
#[derive(Clone, Debug, Default)]
pub struct PostgresTls {
    /// The authorities (PEM) whose certificates are believed.
    pub root_certs: Option<std::path::PathBuf>,
    /// Whether an address with `sslmode=disable` may name another machine.
    pub allow_plaintext: bool,
}

/// What of a certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Nothing,
    Authority,
    AuthorityAndName,
}

/// What `url` says apart from its `sslmode`; `None` when it cannot be read.
pub(super) fn parse(url: &str) -> Option<tokio_postgres::Config> {
    tokio_postgres::Config::from_str(&take_mode(url).0).ok()
}

/// Reads the address of a database, with the connector for its lines.
///
/// # Errors
/// [`StoreError::Setup`] in words for the operator: an address that cannot be read, another machine
/// without TLS, a check without certificates to check by. No part of the address is repeated.
pub fn read_address(url: &str, tls: &PostgresTls) -> Result<(tokio_postgres::Config, Connector), StoreError> {
    let setup = |why: &str| StoreError::Setup(why.to_owned());
    let (rest, mode) = take_mode(url);
    let mut config = tokio_postgres::Config::from_str(&rest)
        .map_err(|_| setup("the address of the database cannot be read"))?;
    // Where an address is given beside a name, the line goes to the address.
    let here = if config.get_hostaddrs().is_empty() {
        config.get_hosts().iter().all(is_here)
    } else {
        config.get_hostaddrs().iter().all(IpAddr::is_loopback)
    };
    let check = match mode.as_deref() {
        None | Some("prefer" | "allow") if here => None,
        None | Some("prefer" | "allow") => {
            return Err(setup(
                "the database lies on another machine: its address must say sslmode=verify-full (or verify-ca, or \
                 require), or sslmode=disable with storage.allow_plaintext",
            ));
        }
        Some("disable") if here || tls.allow_plaintext => None,
        Some("disable") => {
            return Err(setup(
                "the database lies on another machine, and sslmode=disable would send everything in clear; only \
                 storage.allow_plaintext allows that",
            ));
        }
        Some("require") if tls.root_certs.is_none() => Some(Check::Nothing),
        Some("require" | "verify-ca") => Some(Check::Authority),
        Some("verify-full") => Some(Check::AuthorityAndName),
        Some(_) => return Err(setup("the sslmode of the database's address is none that is known")),
    };
    let Some(check) = check else {
        config.ssl_mode(SslMode::Disable);
        return Ok((config, Connector(None)));
    };
    config.ssl_mode(SslMode::Require);
    let client = client(check, tls.root_certs.as_deref())?;
    Ok((config, Connector(Some(Arc::new(client)))))
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// An address without its `sslmode`, which the driver knows only in part, and that mode.
fn take_mode(url: &str) -> (String, Option<String>) {
    let kept = |parts: Vec<&str>, by: &str| parts.join(by);
    if url.contains("://") {
        let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
        let (modes, others): (Vec<&str>, Vec<&str>) =
            query.split('&').partition(|pair| pair.starts_with("sslmode="));
        let mode = modes.last().and_then(|pair| pair.strip_prefix("sslmode=")).map(str::to_owned);
        return (format!("{base}?{}", kept(others, "&")), mode);
    }
    // `key=value key='a value'`: what stands in quotes is not looked into.
    let (mut rest, mut mode, mut quoted, mut start) = (String::new(), None, false, 0);
    let mut take = |token: &str, rest: &mut String| match token.trim().strip_prefix("sslmode=") {
        Some(told) => mode = Some(told.trim_matches('\'').to_owned()),
        None => rest.push_str(token),
    };
    let mut escaped = false;
    for (at, c) in url.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                take(&url[start..at], &mut rest);
                start = at;
            }
            _ => {}
        }
    }
    take(&url[start..], &mut rest);
    (rest, mode)
}

fn client(check: Check, roots: Option<&Path>) -> Result<ClientConfig, StoreError> {
    let setup = |why: String| StoreError::Setup(why);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| setup(format!("TLS to the database: {error}")))?;
    let mut known = RootCertStore::empty();
    if let Some(file) = roots {
        let unreadable = || setup(format!("storage.root_certs_file {} cannot be read", file.display()));
        for root in CertificateDer::pem_file_iter(file).map_err(|_| unreadable())? {
            known.add(root.map_err(|_| unreadable())?).map_err(|_| unreadable())?;
        }
    }
    if known.is_empty() && check != Check::Nothing {
        return Err(setup(
            "storage.root_certs_file must name the authorities to check the database's certificate by"
                .to_owned(),
        ));
    }
    let inner = match check {
        Check::Nothing => None,
        Check::Authority | Check::AuthorityAndName => {
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::new(known), Arc::clone(&provider))
                    .build()
                    .map_err(|error| setup(format!("TLS to the database: {error}")))?;
            Some(verifier)
        }
    };
    let verifier = Verifier { inner, name: check == Check::AuthorityAndName, provider };
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// Checks what the mode asks for. That the server holds the key of its certificate is always checked.
#[derive(Debug)]
struct Verifier {
    inner: Option<Arc<WebPkiServerVerifier>>,
    name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last, when everything else holds.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.name => Ok(ServerCertVerified::assertion()),
            checked => checked,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Makes the lines of a database: with TLS, or in clear where the address said so.
#[derive(Clone)]
pub struct Connector(Option<Arc<ClientConfig>>);

impl<S> MakeTlsConnect<S> for Connector
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Secured<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Handshake, io::Error> {
        // An address without a name has none that a certificate could be for.
        let name = ServerName::try_from(domain.to_owned())
            .or_else(|_| ServerName::try_from("database.invalid"))
            .map_err(io::Error::other)?;
        Ok(Handshake { config: self.0.clone(), name })
    }
}

/// A line before its handshake.
pub struct Handshake {
    config: Option<Arc<ClientConfig>>,
    name: ServerName<'static>,
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Secured<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Secured<S>, io::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let config = self.config.ok_or_else(|| io::Error::other("the address asks for no TLS"))?;
            Ok(Secured(tokio_rustls::TlsConnector::from(config).connect(self.name, stream).await?))
        })
    }
}

/// A line with TLS.
pub struct Secured<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> tokio_postgres::tls::TlsStream for Secured<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secured<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> Option<SslMode> {
        mode_with(url, &PostgresTls::default())
    }

    fn mode_with(url: &str, tls: &PostgresTls) -> Option<SslMode> {
        read_address(url, tls).ok().map(|(config, _)| config.get_ssl_mode())
    }

    #[test]
    fn a_line_in_clear_stays_on_this_machine() {
        for here in [
            "postgres://b@127.0.0.1/c",
            "postgres://b@localhost/c?sslmode=prefer",
            "host=/run/pg user=b",
            "postgres://b@[::1]/c?sslmode=disable",
        ] {
            assert_eq!(mode(here), Some(SslMode::Disable), "{here}");
        }
        for elsewhere in [
            "postgres://b@db.example/c",
            "postgres://b@192.0.2.7/c?sslmode=prefer",
            "postgres://b@db.example/c?sslmode=disable",
            "host=localhost,db.example user=b",
            "host=localhost hostaddr=192.0.2.7 user=b",
            "host=db.example user=b password='x sslmode=require'",
            // Nothing to check by.
            "postgres://b@db.example/c?sslmode=verify-full",
            "host=db.example user=b sslmode=verify-ca",
            "postgres://b@db.example/c?sslmode=odd",
        ] {
            assert_eq!(mode(elsewhere), None, "{elsewhere}");
        }
        for secured in [
            "postgres://b@db.example/c?sslmode=require&connect_timeout=3",
            "host=db.example sslmode=require user=b",
        ] {
            assert_eq!(mode(secured), Some(SslMode::Require), "{secured}");
        }
        let allowed = PostgresTls { allow_plaintext: true, ..PostgresTls::default() };
        assert_eq!(mode_with("postgres://b@db.example/c?sslmode=disable", &allowed), Some(SslMode::Disable));
        assert_eq!(
            mode_with("postgres://b@db.example/c", &allowed),
            None,
            "it has to be said in the address"
        );
    }

    #[test]
    fn what_is_in_quotes_is_no_mode() {
        let (rest, mode) =
            take_mode("host=db.example password='a sslmode=disable \\' b' sslmode=require user=b");
        assert_eq!(mode.as_deref(), Some("require"));
        assert_eq!(rest, "host=db.example password='a sslmode=disable \\' b' user=b");
        assert_eq!(
            take_mode("postgres://b@db.example/c?a=b&sslmode=verify-full&c=d"),
            ("postgres://b@db.example/c?a=b&c=d".to_owned(), Some("verify-full".to_owned()))
        );
    }
}

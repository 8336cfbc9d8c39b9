// SPDX-License-Identifier: EUPL-1.2
//! Certificates for tests.

use std::sync::Arc;

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// A server with a fresh self-signed certificate for `name`, and that certificate.
pub(crate) fn server(name: &str) -> (Arc<rustls::ServerConfig>, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("certificate");
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("certificate fits key");
    (Arc::new(config), certificate)
}

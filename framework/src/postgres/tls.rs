//! TLS to the database: a certificate is always verified, with its name. Used by the store and by `database`.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsFault {
    #[error("cannot read certificates from the file in `sslrootcert`")]
    File(#[source] rustls::pki_types::pem::Error),
    #[error("{0} holds no certificate of an authority: name a file in `sslrootcert`")]
    Empty(&'static str),
    #[error("cannot set up TLS")]
    Setup(#[source] rustls::Error),
}

/// With the authorities of that file, or those that the system knows (`SSL_CERT_FILE` names others).
pub(crate) fn tls(file: Option<&Path>) -> Result<MakeRustlsConnect, TlsFault> {
    let mut roots = RootCertStore::empty();
    let place = match file {
        Some(file) => {
            let certificates = CertificateDer::pem_file_iter(file).map_err(TlsFault::File)?;
            let certificates: Result<Vec<_>, _> = certificates.collect();
            roots.add_parsable_certificates(certificates.map_err(TlsFault::File)?);
            "that file"
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            "this system"
        }
    };
    if roots.is_empty() {
        return Err(TlsFault::Empty(place));
    }
    // The provider by name: where two are built in, the default is a panic.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsFault::Setup)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Returns true if TLS failed in this connection, and not the network.
pub(crate) fn is_at_fault(error: &tokio_postgres::Error) -> bool {
    let Some(cause) = std::error::Error::source(error) else {
        return false;
    };
    if cause.is::<rustls::Error>() {
        return true;
    }
    let inner = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    matches!(inner, Some(error) if error.is::<rustls::Error>())
}

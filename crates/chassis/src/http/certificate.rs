//! The certificate of a server: read from files, and again when they change, so that a new one needs no restart.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use x509_cert::{Certificate, der::Decode};

/// How long a new certificate may lie there before it is served.
const RELOAD_INTERVAL: Duration = Duration::from_secs(60);

/// A certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's certificate first, then those that lead to the authority.
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{} cannot be read as PEM", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: pem::Error,
    },
    #[error("{} holds no certificate", .0.display())]
    Empty(PathBuf),
    #[error("the certificate of {} cannot be read", .path.display())]
    Certificate {
        path: PathBuf,
        #[source]
        source: x509_cert::der::Error,
    },
    #[error("the key of {} does not fit the certificate", .path.display())]
    Key {
        path: PathBuf,
        #[source]
        source: rustls::Error,
    },
}

/// The certificate that is served at present.
#[derive(Debug)]
pub struct ServerCertificate {
    files: CertificateFiles,
    current: RwLock<Arc<CertifiedKey>>,
}

impl ServerCertificate {
    /// Reads the files.
    ///
    /// # Errors
    /// When they hold no certificate with its key.
    pub fn load(files: CertificateFiles) -> Result<Arc<Self>, CertificateError> {
        let current = RwLock::new(Arc::new(read(&files)?));
        Ok(Arc::new(Self { files, current }))
    }

    /// Reads the files again, and says whether they hold another certificate, which is then served to new connections.
    ///
    /// # Errors
    /// When they hold no certificate with its key: the one before stays.
    pub fn reload(&self) -> Result<bool, CertificateError> {
        let read = read(&self.files)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = current.cert != read.cert;
        *current = Arc::new(read);
        Ok(is_other)
    }

    pub(super) fn server_config(self: &Arc<Self>) -> Result<ServerConfig, rustls::Error> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        Ok(builder.with_safe_default_protocol_versions()?.with_no_client_auth().with_cert_resolver(resolver))
    }

    pub(super) async fn reload_until_stopped(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(RELOAD_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match self.reload() {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!(path = %self.files.chain.display(), "serving another certificate");
                }
                Err(error) => {
                    let error = anyhow::Error::from(error);
                    tracing::error!(error = format!("{error:#}"), "the certificate stays the one before");
                }
            }
        }
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Reads the files, and notes when the certificate ends.
fn read(files: &CertificateFiles) -> Result<CertifiedKey, CertificateError> {
    let CertificateFiles { chain: path, key: key_path } = files;
    let unreadable = |source| CertificateError::Read { path: path.clone(), source };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    let own = chain.first().ok_or_else(|| CertificateError::Empty(path.clone()))?;
    let own = Certificate::from_der(own)
        .map_err(|source| CertificateError::Certificate { path: path.clone(), source })?;
    let ends_at = own.tbs_certificate.validity.not_after.to_unix_duration();
    let key = PrivateKeyDer::from_pem_file(key_path)
        .map_err(|source| CertificateError::Read { path: key_path.clone(), source })?;
    let certified = CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|source| CertificateError::Key { path: key_path.clone(), source })?;
    metrics::gauge!("sms_tls_certificate_expiry_timestamp_seconds").set(ends_at.as_secs_f64());
    Ok(certified)
}

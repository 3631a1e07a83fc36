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

/// Largest file that is read. A directory, a pipe or a device is none, and might never end.
const FILE_LIMIT: u64 = 1024 * 1024;

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
    #[error("{} is no file of at most {FILE_LIMIT} bytes", .0.display())]
    File(PathBuf),
    #[error("the certificate of {} has expired, and the one before has not", .0.display())]
    Expired(PathBuf),
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
    current: RwLock<Arc<Served>>,
}

#[derive(Debug)]
struct Served {
    certified: Arc<CertifiedKey>,
    /// Since 1970.
    ends_at: Duration,
}

impl Served {
    fn has_expired(&self) -> bool {
        self.ends_at.as_secs() <= jsonwebtoken::get_current_timestamp()
    }
}

impl ServerCertificate {
    /// Reads the files.
    ///
    /// # Errors
    /// When they hold no certificate with its key.
    pub fn load(files: CertificateFiles) -> Result<Arc<Self>, CertificateError> {
        let current = read(&files)?;
        note_end(&current);
        let current = RwLock::new(Arc::new(current));
        Ok(Arc::new(Self { files, current }))
    }

    /// Reads the files again, and says whether they hold another certificate, which is then served to new connections.
    ///
    /// # Errors
    /// When they hold no certificate with its key, or one that has expired: the one before stays.
    pub fn reload(&self) -> Result<bool, CertificateError> {
        let read = read(&self.files)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = current.certified.cert != read.certified.cert;
        if is_other && read.has_expired() && !current.has_expired() {
            return Err(CertificateError::Expired(self.files.chain.clone()));
        }
        note_end(&read);
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
            // On a thread of its own: a file system that hangs must not hold up requests.
            let certificate = Arc::clone(&self);
            let reloading = tokio::task::spawn_blocking(move || certificate.reload());
            let Some(reloaded) = stop.run_until_cancelled(reloading).await else { return };
            let Ok(reloaded) = reloaded else { continue };
            match reloaded {
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
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).certified))
    }
}

fn note_end(served: &Served) {
    metrics::gauge!("sms_tls_certificate_expiry_timestamp_seconds").set(served.ends_at.as_secs_f64());
}

fn read(files: &CertificateFiles) -> Result<Served, CertificateError> {
    let CertificateFiles { chain: path, key: key_path } = files;
    for path in [path, key_path] {
        // What cannot be read at all is told below, with its cause.
        if std::fs::metadata(path).is_ok_and(|it| !it.is_file() || it.len() > FILE_LIMIT) {
            return Err(CertificateError::File(path.clone()));
        }
    }
    let unreadable = |source| CertificateError::Read { path: path.clone(), source };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    let parse = |der: &CertificateDer<'_>| {
        Certificate::from_der(der)
            .map_err(|source| CertificateError::Certificate { path: path.clone(), source })
    };
    let parsed = chain.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let own = parsed.first().ok_or_else(|| CertificateError::Empty(path.clone()))?;
    let ends_at = own.tbs_certificate.validity.not_after.to_unix_duration();
    let key = PrivateKeyDer::from_pem_file(key_path)
        .map_err(|source| CertificateError::Read { path: key_path.clone(), source })?;
    let certified = CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|source| CertificateError::Key { path: key_path.clone(), source })?;
    Ok(Served { certified: Arc::new(certified), ends_at })
}

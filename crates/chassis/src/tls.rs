//! The TLS implementation of a process.

/// Makes `ring` the TLS implementation of this process. Clients panic without one. A second call changes nothing.
pub fn install_tls() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS implementation was installed before");
    }
}

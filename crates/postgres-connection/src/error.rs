//! What keeps a URL from being used.

/// Why a URL cannot be used: waiting does not mend it.
#[derive(Debug, thiserror::Error)]
pub enum PostgresUrlError {
    #[error("the URL of the database cannot be read")]
    Malformed(#[from] tokio_postgres::Error),
    #[error("sslmode is {0:?}, should be disable, allow, prefer, require, verify-ca or verify-full")]
    UnknownMode(String),
    #[error(
        "sslmode stands where it cannot be told apart: write a question mark in the password as %3F, and a blank after each pair"
    )]
    AmbiguousSslMode,
    #[error(
        "sslrootcert=system needs sslmode=verify-full: anybody can have a certificate of a public authority"
    )]
    SystemRootsNeedVerifyFull,
    #[error("the root certificates that sslrootcert names cannot be used: {0}")]
    Roots(String),
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}

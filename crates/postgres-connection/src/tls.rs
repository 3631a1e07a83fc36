//! TLS as libpq's `sslmode` and `sslrootcert` mean it: <https://www.postgresql.org/docs/17/libpq-ssl.html>.

use std::{fs, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::PostgresUrlError;

/// What a connection asks of the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS where the server has it, with whatever certificate; libpq's default.
    Prefer,
    /// TLS with whatever certificate. With a root certificate it means [`TlsMode::VerifyCa`], as in libpq.
    Require,
    /// A certificate of the root certificate, whatever name it is for.
    VerifyCa,
    /// A certificate for the host of the URL.
    VerifyFull,
}

impl TlsMode {
    pub(crate) fn parse(text: &str) -> Result<Self, PostgresUrlError> {
        match text {
            "disable" => Ok(Self::Disable),
            // libpq's `allow` tries without TLS first, and like `prefer` promises nothing.
            "allow" | "prefer" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" => Ok(Self::VerifyFull),
            _ => Err(PostgresUrlError::UnknownMode(text.to_owned())),
        }
    }
}

/// A connector for `mode`. `root` is the file of root certificates in PEM, or `system` for those of the platform; the
/// platform's are asked without one as well.
pub(crate) fn connector(mode: TlsMode, root: Option<&str>) -> Result<MakeRustlsConnect, PostgresUrlError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(PostgresUrlError::Tls)?;
    let roots = match root {
        None | Some("system") => None,
        Some(path) => Some(Arc::new(read_roots(path)?)),
    };
    let dangerous = |verifier| builder.clone().dangerous().with_custom_certificate_verifier(verifier);
    let config = match (mode, roots) {
        (TlsMode::Disable | TlsMode::Prefer, _) | (TlsMode::Require, None) => {
            dangerous(Arc::new(Lenient { roots: None, provider }))
        }
        (TlsMode::Require | TlsMode::VerifyCa, Some(roots)) => {
            dangerous(Arc::new(Lenient { roots: Some(roots), provider }))
        }
        (TlsMode::VerifyFull, Some(roots)) => {
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
            builder
                .with_webpki_verifier(verifier.map_err(|error| PostgresUrlError::Roots(error.to_string()))?)
        }
        // Anybody can have a certificate of a public authority for some name, so the name is verified here, too.
        (TlsMode::VerifyCa | TlsMode::VerifyFull, None) => {
            builder.with_platform_verifier().map_err(PostgresUrlError::Tls)?
        }
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn read_roots(path: &str) -> Result<RootCertStore, PostgresUrlError> {
    let unreadable = |what: String| PostgresUrlError::Roots(format!("{path}: {what}"));
    let pem = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    if roots.is_empty() { Err(unreadable("holds no certificate".to_owned())) } else { Ok(roots) }
}

/// Accepts a certificate of `roots`, or any without them, for any host. The handshake's signatures are verified.
#[derive(Debug)]
struct Lenient {
    roots: Option<Arc<RootCertStore>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _host: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

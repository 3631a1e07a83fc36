//! TLS before a server that runs without: the server behind is the real one.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// How the client asks for TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    /// It begins with it, as for `https` and `amqps`.
    None,
    /// It asks first, as PostgreSQL's protocol has it.
    Postgres,
}

/// A port of this machine that speaks TLS, with a certificate of an authority of its own, and hands all to another port.
#[derive(Debug)]
pub struct TlsFront {
    /// Where it listens.
    pub address: SocketAddr,
    /// The authority's certificate, in PEM.
    pub authority: PathBuf,
    accepting: tokio::task::JoinHandle<()>,
}

impl TlsFront {
    /// Before `target`, with a certificate for the host `name`.
    pub async fn start(target: SocketAddr, name: &str, greeting: Greeting) -> anyhow::Result<Self> {
        let (config, authority_pem) = certificate_for(name)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let authority = std::env::temp_dir().join(format!("sms-test-{}.pem", uuid::Uuid::now_v7()));
        std::fs::write(&authority, authority_pem)?;
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                // A client that does not like the certificate hangs up: no fault of ours.
                tokio::spawn(async move { drop(serve(client, &acceptor, target, greeting).await) });
            }
        });
        Ok(Self { address, authority, accepting })
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
        drop(std::fs::remove_file(&self.authority));
    }
}

fn certificate_for(name: &str) -> anyhow::Result<(ServerConfig, String)> {
    let mut authority = CertificateParams::new([])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new([name.to_owned()])?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((config, authority.pem()))
}

async fn serve(
    mut client: TcpStream,
    acceptor: &TlsAcceptor,
    target: SocketAddr,
    greeting: Greeting,
) -> anyhow::Result<()> {
    if greeting == Greeting::Postgres {
        // https://www.postgresql.org/docs/17/protocol-message-formats.html: SSLRequest is of eight bytes; S says yes.
        let mut request = [0; 8];
        client.read_exact(&mut request).await?;
        anyhow::ensure!(request[4..] == 80_877_103_u32.to_be_bytes(), "the client does not ask for TLS");
        client.write_all(b"S").await?;
    }
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(target).await.context("the server behind")?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

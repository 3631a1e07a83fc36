//! The HTTP server of a daemon: what surrounds the routes of every service.
//!
//! A span per request that continues the caller's trace; `X-Request-Id` accepted and echoed; every error an RFC 9457
//! problem; limits on bodies; security headers; compression, except of event streams; duration metrics; and an end in
//! order: `/readyz` answers 503 and each answer closes its connection, the load balancer sends no more work, the port closes,
//! requests in hand are finished.
//!
//! Streams without an end must watch [`Shutdown::soft`], or the shutdown waits for the grace time.

mod certificate;
mod extractors;
mod log_sample;
mod middleware;
mod operations;
mod span;

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::Service,
    middleware::{Compress, from_fn},
    web,
};
use tracing_actix_web::TracingLogger;

use crate::{
    config::sections::Server,
    health::Health,
    ops::{self, Version},
    shutdown::Shutdown,
};

pub use certificate::{CertificateError, CertificateFiles, ServerCertificate};
pub use extractors::{JsonBody, OptionalJsonBody};
pub use middleware::RequestId;
pub use operations::Operations;
pub use operations::check_query;

/// Why the server could not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not valid, or another process listens there.
    #[error("cannot listen on {address}")]
    Listen {
        address: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the HTTP server cannot serve")]
    Serve(#[from] std::io::Error),
    #[error("the HTTP server cannot serve with TLS")]
    Certificate(#[from] CertificateError),
    #[error("the HTTP server cannot serve with TLS")]
    Tls(#[from] rustls::Error),
}

/// A port that is bound. Connections queue up from here on, so a daemon may listen well before it serves.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    /// None: plain HTTP.
    certificate: Option<Arc<ServerCertificate>>,
    /// Instead of [`Options::drain`].
    drain: Option<Duration>,
}

impl Listener {
    /// As the config says, with TLS or without.
    pub fn bind(server: &Server) -> Result<Self, ServeError> {
        // First: a wrong certificate must not leave a port that never answers.
        let certificate = server.certificate_files().map(ServerCertificate::load).transpose()?;
        let drain = Some(Duration::from_millis(server.drain_ms));
        Ok(Self { certificate, drain, ..listen(&server.bind)? })
    }

    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Listens on `host:port`, without TLS; port 0 lets the system choose.
pub fn listen(address: &str) -> Result<Listener, ServeError> {
    let tcp = TcpListener::bind(address)
        .map_err(|source| ServeError::Listen { address: address.to_owned(), source })?;
    Ok(Listener { tcp, certificate: None, drain: None })
}

/// Limits and threads of a server. The default is right for a daemon.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads that serve requests; at least one.
    pub workers: usize,
    /// Largest JSON body and largest body read as a whole, in bytes. A handler may set its own for its route.
    pub body_limit: usize,
    /// How long `/readyz` answers 503 before the port closes, so that a load balancer notices in time.
    pub drain: Duration,
    /// How long requests in hand may take after that.
    pub grace: Duration,
    pub version: Version,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(2, |n| n.get().clamp(1, 8)),
            body_limit: 256 * 1024,
            drain: Duration::from_millis(300),
            grace: Duration::from_secs(20),
            version: Version { service: "unknown", version: env!("CARGO_PKG_VERSION") },
        }
    }
}

/// Serves the routes of `configure`, and those of [`ops`], until shutdown; returns when the last request is answered.
pub async fn serve<C>(
    listener: Listener,
    shutdown: Shutdown,
    health: Health,
    configure: C,
) -> Result<(), ServeError>
where
    C: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
{
    serve_with(Options::default(), listener, shutdown, health, configure).await
}

/// Like [`serve`], with `options`.
pub async fn serve_with<C>(
    options: Options,
    listener: Listener,
    shutdown: Shutdown,
    health: Health,
    configure: C,
) -> Result<(), ServeError>
where
    C: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
{
    let address = listener.local_addr()?;
    let Options { workers, body_limit, drain, grace, version } = options;
    let (ops, closing) = (ops::routes(health.clone(), version), health.clone());
    let app = move || {
        // The middleware that is wrapped last is the outermost.
        App::new()
            .configure(extractors::with_problems(body_limit))
            .configure(ops.clone())
            .configure(configure.clone())
            .default_service(web::to(middleware::no_route))
            .wrap(from_fn(extractors::refuse_nul))
            .wrap(from_fn(middleware::mark_uncompressed))
            .wrap(Compress::default())
            .wrap(from_fn(middleware::complete_response))
            .wrap_fn({
                let health = closing.clone();
                move |request, service| {
                    middleware::close_while_draining(health.clone(), service.call(request))
                }
            })
            .wrap(TracingLogger::<span::RequestSpan>::new())
    };
    let server = HttpServer::new(app)
        .workers(workers.max(1))
        .disable_signals()
        .shutdown_timeout(grace.as_secs().max(1))
        // Without this, a stream goes on for a client that has closed its connection until two writes have failed.
        .h1_allow_half_closed(false);
    let Listener { tcp, certificate, drain: configured } = listener;
    let drain = configured.unwrap_or(drain);
    let server = match &certificate {
        None => server.listen(tcp)?,
        Some(certificate) => server.listen_rustls_0_23(tcp, certificate.server_config()?)?,
    };
    let server = server.run();
    tracing::info!(http.address = %address, tls = certificate.is_some(), "listening");
    let reloading = async {
        if let Some(certificate) = certificate {
            certificate.reload_until_stopped(shutdown.soft().clone()).await;
        }
    };

    let handle = server.handle();
    let stop = async {
        shutdown.requested().await;
        health.drain();
        tokio::select! {
            () = tokio::time::sleep(drain) => {}
            () = shutdown.hard().cancelled() => {}
        }
        // Closes the port at once, then waits for the requests in hand.
        tokio::select! {
            () = handle.stop(true) => {}
            () = async {
                shutdown.hard().cancelled().await;
                handle.stop(false).await;
            } => {}
        }
    };
    let (served, (), ()) = tokio::join!(server, stop, reloading);
    tracing::debug!(http.address = %address, "no longer listening");
    Ok(served?)
}

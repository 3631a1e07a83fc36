//! TLS by certificate files: served, replaced without a restart, refused when they do not fit.

use std::{path::Path, time::Duration};

use actix_web::web;
use chassis::{
    check_ready,
    config::sections::Server,
    health::Health,
    http::{CertificateError, CertificateFiles, Listener, Options, ServeError, ServerCertificate},
    shutdown::Shutdown,
};
use rcgen::{CertificateParams, CertifiedKey, KeyPair, date_time_ymd, generate_simple_self_signed};
use reqwest::{Certificate, Client};
use tempfile::TempDir;

fn server(directory: &Path) -> Server {
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    Server {
        bind: "127.0.0.1:0".to_owned(),
        tls_certificate: path("tls.crt"),
        tls_key: path("tls.key"),
        drain_ms: 0,
    }
}

fn files(directory: &Path) -> CertificateFiles {
    server(directory).certificate_files().unwrap()
}

/// Writes a new certificate for `localhost`, and returns it in PEM.
fn write_certificate(directory: &Path) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("tls.crt"), cert.pem()).unwrap();
    std::fs::write(directory.join("tls.key"), signing_key.serialize_pem()).unwrap();
    cert.pem()
}

#[tokio::test]
async fn a_server_with_a_certificate_speaks_tls_alone() {
    chassis::install_tls();
    let directory = TempDir::new().unwrap();
    let pem = write_certificate(directory.path());
    let listener = Listener::bind(&server(directory.path())).unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::manual();
    let routes = |app: &mut web::ServiceConfig| {
        app.route("/look", web::get().to(|| async { "seen" }));
    };
    let options = Options { workers: 1, drain: Duration::ZERO, ..Options::default() };
    let serving = chassis::http::serve_with(options, listener, shutdown.clone(), Health::new(), routes);
    shutdown.supervise("http", serving);

    let trusting = Client::builder().tls_certs_only([Certificate::from_pem(pem.as_bytes()).unwrap()]);
    let trusting = trusting.resolve("localhost", address).build().unwrap();
    let answer = trusting.get(format!("https://localhost:{}/look", address.port())).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "seen");

    let others = Client::builder().resolve("localhost", address).build().unwrap();
    let refused = others.get(format!("https://localhost:{}/look", address.port())).send().await;
    refused.expect_err("the system's authorities do not know the certificate");
    let plain = Client::builder().build().unwrap().get(format!("http://{address}/look")).send().await;
    plain.expect_err("plain HTTP where TLS is spoken");

    let asked = tokio::task::spawn_blocking(move || {
        (check_ready(&address.to_string(), true), check_ready(&address.to_string(), false))
    });
    let (over_tls, plain) = asked.await.unwrap();
    over_tls.unwrap();
    plain.expect_err("a health check without TLS");

    shutdown.request("the test is over");
    shutdown.finished().await;
}

#[test]
fn a_new_certificate_is_served_without_a_restart_and_a_broken_one_is_not() {
    let directory = TempDir::new().unwrap();
    write_certificate(directory.path());
    let certificate = ServerCertificate::load(files(directory.path())).unwrap();
    assert!(!certificate.reload().unwrap(), "the files are the same");
    write_certificate(directory.path());
    assert!(certificate.reload().unwrap());

    // As found between the writing of one file and of the other.
    let before = std::fs::read(directory.path().join("tls.key")).unwrap();
    write_certificate(directory.path());
    std::fs::write(directory.path().join("tls.key"), before).unwrap();
    assert!(matches!(certificate.reload(), Err(CertificateError::Key { .. })));
    std::fs::write(directory.path().join("tls.crt"), "").unwrap();
    assert!(matches!(certificate.reload(), Err(CertificateError::Empty(_))));
    // One that has expired is served only where nothing better was there before.
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
    parameters.not_after = date_time_ymd(2021, 2, 3);
    std::fs::write(directory.path().join("tls.crt"), parameters.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(directory.path().join("tls.key"), key.serialize_pem()).unwrap();
    assert!(matches!(certificate.reload(), Err(CertificateError::Expired(_))));
    ServerCertificate::load(files(directory.path())).unwrap();
    let valid = write_certificate(directory.path());
    std::fs::write(
        directory.path().join("tls.crt"),
        format!("{valid}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    )
    .unwrap();
    assert!(
        matches!(certificate.reload(), Err(CertificateError::Certificate { .. })),
        "each of the chain is read"
    );
    std::fs::remove_file(directory.path().join("tls.crt")).unwrap();
    std::fs::create_dir(directory.path().join("tls.crt")).unwrap();
    assert!(matches!(certificate.reload(), Err(CertificateError::File(_))), "a pipe would never end");
    std::fs::remove_dir(directory.path().join("tls.crt")).unwrap();
    assert!(matches!(certificate.reload(), Err(CertificateError::Read { .. })));
}

#[test]
fn without_a_usable_certificate_no_port_is_opened() {
    let directory = TempDir::new().unwrap();
    let refused = Listener::bind(&server(directory.path())).unwrap_err();
    assert!(matches!(refused, ServeError::Certificate(CertificateError::Read { .. })), "{refused:?}");
}

#[test]
fn the_end_of_the_certificate_is_a_metric() {
    chassis::metrics::install();
    let directory = TempDir::new().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
    parameters.not_after = date_time_ymd(2031, 2, 3);
    let certificate = parameters.self_signed(&key).unwrap();
    std::fs::write(directory.path().join("tls.crt"), certificate.pem()).unwrap();
    std::fs::write(directory.path().join("tls.key"), key.serialize_pem()).unwrap();
    ServerCertificate::load(files(directory.path())).unwrap();
    let metrics = chassis::metrics::render();
    // 2031-02-03T00:00:00Z
    assert!(metrics.contains("sms_tls_certificate_expiry_timestamp_seconds 1927843200"), "{metrics}");
}

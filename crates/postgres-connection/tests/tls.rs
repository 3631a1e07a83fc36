//! `sslmode` and `sslrootcert`, with a real PostgreSQL behind TLS.

use std::net::SocketAddr;

use postgres_connection::PostgresUrl;
use testbed::{Greeting, TlsFront, World};
use tokio_postgres::{Config, config::Host};

/// TLS before the world's server, with a certificate for `name`, and what a URL needs beside host and TLS.
async fn front(world: &World, name: &str) -> anyhow::Result<(TlsFront, String)> {
    let config: Config = world.database_url.parse()?;
    let [Host::Tcp(host)] = config.get_hosts() else { anyhow::bail!("one host: {config:?}") };
    let address = tokio::net::lookup_host((host.as_str(), config.get_ports()[0])).await?.next();
    let address: SocketAddr = address.expect("the server has an address");
    let front = TlsFront::start(address, name, Greeting::Postgres).await?;
    let user = config.get_user().unwrap_or_default();
    let password = String::from_utf8_lossy(config.get_password().unwrap_or_default()).into_owned();
    let database = config.get_dbname().unwrap_or_default();
    let port = front.address.port();
    Ok((front, format!("port={port} user={user} password='{password}' dbname={database}")))
}

#[tokio::test]
async fn each_sslmode_asks_of_the_certificate_what_libpq_says() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let (front, rest) = front(&world, "localhost").await?;
    let authority = format!("sslrootcert={}", front.authority.display());
    let other = World::empty().await?;
    let (other, _) = self::front(&other, "localhost").await?;
    let stranger = format!("sslrootcert={}", other.authority.display());
    for (host, mode, root, accepted) in [
        ("localhost", "prefer", "", true),
        ("localhost", "require", "", true),
        ("localhost", "require", &*stranger, false),
        ("127.0.0.1", "require", &*authority, true),
        ("localhost", "verify-ca", "", false),
        ("127.0.0.1", "verify-ca", &*authority, true),
        ("localhost", "verify-ca", &*stranger, false),
        ("localhost", "verify-full", "", false),
        ("localhost", "verify-full", "sslrootcert=system", false),
        ("localhost", "verify-full", &*authority, true),
        ("127.0.0.1", "verify-full", &*authority, false),
        ("localhost", "verify-full", &*stranger, false),
    ] {
        let url = format!("host={host} {rest} sslmode={mode} {root}");
        let connected = PostgresUrl::parse(&url, "test")?.connect().await;
        let said = connected.err().map(|error| error.to_string());
        assert_eq!(said.is_none(), accepted, "{host} {mode} {root}: {said:?}");
        assert!(said.is_none_or(|said| said.contains("certificate")), "{host} {mode} {root}");
    }
    Ok(())
}

#[tokio::test]
async fn server_without_tls_is_refused_where_tls_is_asked_for() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let connect = async |mode: &str| {
        let url = format!("{}?sslmode={mode}", world.database_url);
        anyhow::Ok(PostgresUrl::parse(&url, "test")?.connect().await.map(drop))
    };
    connect("disable").await??;
    connect("prefer").await??;
    for mode in ["require", "verify-full"] {
        let said = connect(mode).await?.expect_err(mode).to_string();
        assert!(said.contains("TLS"), "{said}");
    }
    Ok(())
}

#[test]
fn root_certificates_that_cannot_be_used_are_named() {
    for (root, said) in [("/nowhere/ca.pem", "/nowhere/ca.pem"), ("/dev/null", "no certificate")] {
        let url = format!("postgres://db/sms?sslmode=verify-full&sslrootcert={root}");
        let error = PostgresUrl::parse(&url, "test").expect_err(root);
        assert!(error.to_string().contains(said), "{error}");
    }
    assert!(PostgresUrl::parse("postgres://db/sms?sslmode=require&sslrootcert=system", "test").is_err());
}

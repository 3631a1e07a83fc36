//! `amqps` with a private authority, with a real RabbitMQ behind TLS.
#![expect(clippy::disallowed_types, reason = "tests hand in the machine's clock")]

use std::sync::Arc;

use anyhow::Context;
use broker::Broker;
use domain::clock::SystemClock;
use testbed::{Greeting, TlsFront, World};

#[tokio::test]
async fn broker_with_a_private_authority_is_reached_only_by_who_names_it() -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::empty().await?;
    let mut url = url::Url::parse(world.amqp_url().await?)?;
    let behind = url.socket_addrs(|| Some(5672))?.into_iter().next().context("the broker has an address")?;
    let front = TlsFront::start(behind, "localhost", Greeting::None).await?;
    url = url.as_str().replacen("amqp:", "amqps:", 1).parse()?;
    url.set_host(Some("localhost"))?;
    url.set_port(Some(front.address.port())).map_err(|()| anyhow::anyhow!("a URL with a host"))?;
    let ping = async |url: String| {
        let pinged = Broker::connect(url.into(), "test", Arc::new(SystemClock)).ping().await;
        pinged.map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    };

    let authority = front.authority.display();
    assert_eq!(ping(format!("{url}?cacertfile={authority}")).await, Ok(()));
    let unknown = ping(url.to_string()).await.expect_err("an unknown authority");
    assert!(unknown.contains("certificate"), "{unknown}");
    let missing = ping(format!("{url}?cacertfile=/nowhere/ca.pem")).await.expect_err("no such file");
    assert!(missing.contains("/nowhere/ca.pem"), "{missing}");
    let plain = url.as_str().replacen("amqps:", "amqp:", 1);
    let plain = ping(format!("{plain}?cacertfile={authority}")).await.expect_err("it is not encrypted");
    assert!(plain.contains("amqps"), "{plain}");
    Ok(())
}

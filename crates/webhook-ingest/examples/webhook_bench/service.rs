//! The service under load: this program, started once more as a process of its own.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use chassis::http;
use testbed::{Process, World};
use webhook_ingest::{Config, DAEMON};

use crate::{
    load::SECRET,
    mode::{MODE_VARIABLE, Mode},
    sink::start_partial,
};

const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Serves until it is killed.
pub(crate) fn serve(mode: Mode) -> ExitCode {
    chassis::run_without_arguments(DAEMON, async move |process: chassis::Process| {
        let config: Config = process.config()?;
        let listener = http::listen(&config.server.bind)?;
        let service = match mode {
            Mode::Both => webhook_ingest::start(&config, &process.shutdown, &process.health).await?,
            partial => start_partial(&config, partial, &process.shutdown).await?,
        };
        let (shutdown, health) = (process.shutdown.clone(), process.health.clone());
        process.shutdown.supervise("http", http::serve(listener, shutdown, health, service.routes()));
        anyhow::Ok(())
    })
}

/// A process on a database and a vhost of its own.
pub(crate) struct Service {
    pub(crate) port: u16,
    process: Process,
    metrics: reqwest::Client,
    // The last field, so that it is dropped after the process that uses it.
    _world: World,
}

impl Service {
    pub(crate) async fn start(mode: Mode) -> anyhow::Result<Self> {
        let template = testbed::template_name("bench", "maintenance")?;
        let world = World::from_template(&template, async |url| {
            store::Store::connect(&url, 2).await?.migrate().await?;
            Ok(())
        })
        .await?;
        let port = testbed::free_port();
        let environment = [
            (MODE_VARIABLE, format!("{mode:?}")),
            ("SMS_ENV", "development".to_owned()),
            ("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_unset| "warn".to_owned())),
            ("BIND", format!("127.0.0.1:{port}")),
            ("DATABASE_URL", world.database_url.clone()),
            ("AMQP_URL", world.amqp_url().await?.to_owned()),
            ("WEBHOOK_SECRET", SECRET.to_owned()),
            // A limit that is never reached: each request is checked against it all the same.
            ("SMS_WEBHOOK__RATE_PER_SECOND", "1000000".to_owned()),
            ("SMS_WEBHOOK__RATE_BURST", "1000000".to_owned()),
        ];
        let mut process = Process::spawn(std::env::current_exe()?, &[], environment)?;
        process.wait_ready(&format!("http://127.0.0.1:{port}"), WAIT_TIMEOUT).await?;
        let metrics = reqwest::Client::builder().timeout(WAIT_TIMEOUT).build()?;
        Ok(Self { port, process, metrics, _world: world })
    }

    /// Waits until RabbitMQ has confirmed so many events. Returns at once in a mode that does not publish.
    pub(crate) async fn wait_published(&self, mode: Mode, events: usize) -> anyhow::Result<()> {
        let began = Instant::now();
        while mode.publishes() {
            let metrics = self.metrics.get(format!("http://127.0.0.1:{}/metrics", self.port)).send().await?;
            let metrics = metrics.error_for_status()?.text().await?;
            let sent =
                metrics.lines().find_map(|line| line.strip_prefix("messaging_client_sent_messages_total "));
            let published = sent.map_or(Ok(0), str::parse)?;
            if published >= events {
                break;
            }
            anyhow::ensure!(began.elapsed() < WAIT_TIMEOUT, "{published} of {events} events were published");
            // A short pause, because it is part of the measured time.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Resident memory of the process, in megabytes.
    pub(crate) fn resident_memory(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1_000.0)
    }
}

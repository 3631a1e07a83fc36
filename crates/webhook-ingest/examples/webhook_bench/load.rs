//! Senders on keep-alive connections. They do as little work as possible, since they share the processors with the service.

use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::TimeDelta;
use contracts::webhook::{
    EventType, WebhookBody, WebhookData,
    signature::{ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER},
};
use domain::{
    WebhookEventId,
    clock::{Clock, SystemClock},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The webhook secret of both sides.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// HTTP requests, signed and ready to be written.
pub(crate) struct SignedRequests(Vec<Vec<u8>>);

impl SignedRequests {
    /// Each request is about another vessel.
    pub(crate) fn new(count: usize) -> Self {
        let secret = Secret::parse(&SECRET.to_owned().into()).expect("a valid secret");
        let now = SystemClock.now();
        let request = |number: usize| {
            let updated_at = now - TimeDelta::seconds(1);
            let data = WebhookData {
                id: Some(format!("vessel-{number:06}")),
                updated_at: Some(updated_at),
                imo: Some("9074729".to_owned()),
            };
            let event_type = EventType::VesselUpdated;
            let body = WebhookBody { event_type, timestamp: updated_at, schema_version: 1, data };
            let body = serde_json::to_vec(&body).expect("a body is plain JSON");
            let id = format!("msg_{}", WebhookEventId::new().as_uuid().simple());
            let (timestamp, signature) = (now.timestamp(), secret.sign(&id, now.timestamp(), &body));
            let head = format!(
                "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                 {ID_HEADER}: {id}\r\n{TIMESTAMP_HEADER}: {timestamp}\r\n{SIGNATURE_HEADER}: {signature}\r\n\
                 Content-Length: {}\r\n\r\n",
                webhook_ingest::WEBHOOK_PATH,
                body.len()
            );
            [head.as_bytes(), &body].concat()
        };
        Self((0..count).map(request).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

pub(crate) struct LoadGenerator(Vec<TcpStream>);

impl LoadGenerator {
    pub(crate) async fn connect(port: u16, connections: usize) -> anyhow::Result<Self> {
        let mut streams = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        Ok(Self(streams))
    }

    /// Sends all requests, one after the other on each connection. Returns the time of each answer. Any answer but 202 is an
    /// error.
    pub(crate) async fn send(&mut self, requests: &SignedRequests) -> anyhow::Result<Vec<Duration>> {
        let senders = self.0.len();
        let sending = self.0.iter_mut().enumerate().map(|(sender, stream)| async move {
            let mut took = Vec::with_capacity(requests.len() / senders + 1);
            let mut answer = vec![0; 8192];
            for request in requests.0.iter().skip(sender).step_by(senders) {
                let began = Instant::now();
                stream.write_all(request).await?;
                let status = read_answer(stream, &mut answer).await?;
                took.push(began.elapsed());
                anyhow::ensure!(status == b"202", "answered {}", String::from_utf8_lossy(&answer));
            }
            Ok(took)
        });
        Ok(futures_util::future::try_join_all(sending).await?.concat())
    }
}

/// Reads one answer to its end.
async fn read_answer<'a>(stream: &mut TcpStream, buffer: &'a mut [u8]) -> anyhow::Result<&'a [u8]> {
    let mut read = 0;
    loop {
        let more = stream.read(&mut buffer[read..]).await?;
        anyhow::ensure!(more > 0, "the connection was closed");
        read += more;
        let Some(head) = buffer[..read].windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head])?;
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if read >= head + 4 + length.context("an answer has a length")? {
            return Ok(&buffer[9..12]);
        }
    }
}

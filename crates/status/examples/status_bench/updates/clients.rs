//! Clients: sockets and a task for each, which counts events as they come.

use std::{
    cell::RefCell,
    fmt,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use broker::{Broker, Updates};
use contracts::messages::{
    RecordCounts, RecordType, SyncProgress, SyncUpdate, TaskCounts, sync_update::What,
};
use domain::{
    SyncId,
    clock::{Clock, SystemClock},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};

use super::helper::{Orders, answer};
use crate::figures::percentile;

/// The end of the measured event's text: a byte that no other byte of the stream is.
const MARK: u8 = b'~';
/// Clients that connect at the same time.
const CONNECTING_LIMIT: usize = 64;
/// How long an update may take to reach all.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(60);

/// The first order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) server: Server,
    pub(super) clients: usize,
}

/// Whose clients they are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Server {
    Status { port: u16, token: String, amqp_url: String },
    Bare { port: u16, event: Vec<u8> },
}

/// How an update has reached all clients: milliseconds since it was published.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Arrived {
    first: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    last: f64,
    /// What a client has read.
    pub(super) event: Vec<u8>,
}

impl fmt::Display for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, p50, p99, last, event } = self;
        write!(f, "{first:.1}/{p50:.1}/{p99:.1}/{last:.1} ms, {} bytes", event.len())
    }
}

/// What all clients of the process have received of one update.
struct Arrivals {
    began: Instant,
    times: Vec<Duration>,
    event: Vec<u8>,
    lost_clients: usize,
    buffer: Vec<u8>,
}

/// Follows orders until there are no more.
pub(crate) async fn run() -> anyhow::Result<()> {
    let mut orders = Orders::read();
    let setup: Setup = orders.next().await?.context("no order came")?;
    let mut publisher = Publisher::connect(&setup.server).await?;
    let arrivals = Rc::new(RefCell::new(Arrivals {
        began: Instant::now(),
        times: Vec::with_capacity(setup.clients),
        event: Vec::new(),
        lost_clients: 0,
        buffer: vec![0; 16 * 1024],
    }));
    let all_arrived = Rc::new(Notify::new());
    let server = &setup.server;
    let connecting = stream::iter((0..setup.clients).map(|_| connect(server)));
    let sockets: Vec<TcpStream> = connecting.buffer_unordered(CONNECTING_LIMIT).try_collect().await?;
    for socket in sockets {
        tokio::task::spawn_local(follow(socket, arrivals.clone(), all_arrived.clone(), setup.clients));
    }
    answer(&json!({}))?;

    while orders.next::<serde_json::Value>().await?.is_some() {
        {
            let mut arrivals = arrivals.borrow_mut();
            arrivals.times.clear();
            arrivals.began = Instant::now();
        }
        publisher.publish().await?;
        let arriving = tokio::time::timeout(ARRIVAL_TIMEOUT, all_arrived.notified());
        if arriving.await.is_err() {
            let Arrivals { times, lost_clients, .. } = &*arrivals.borrow();
            anyhow::bail!(
                "{} of {} clients got the update; {lost_clients} are lost",
                times.len(),
                setup.clients
            );
        }
        answer(&arrivals.borrow_mut().summary())?;
    }
    Ok(())
}

impl Arrivals {
    fn summary(&mut self) -> Arrived {
        self.times.sort_unstable();
        let at = |share: f64| percentile(&self.times, share);
        Arrived { first: at(0.0), p50: at(0.5), p99: at(0.99), last: at(1.0), event: self.event.clone() }
    }
}

/// A connection on which updates arrive from now on.
async fn connect(server: &Server) -> anyhow::Result<TcpStream> {
    match server {
        Server::Status { port, token, .. } => {
            let mut socket = TcpStream::connect(("127.0.0.1", *port)).await?;
            let request = format!(
                "GET /api/sync/updates HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\
                 Authorization: Bearer {token}\r\n\r\n"
            );
            socket.write_all(request.as_bytes()).await?;
            let mut head = Vec::with_capacity(1024);
            while !head.windows(4).any(|it| it == b"\r\n\r\n") {
                anyhow::ensure!(socket.read_buf(&mut head).await? > 0, "the connection was closed");
            }
            let head = String::from_utf8_lossy(&head);
            anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
            anyhow::ensure!(!head.as_bytes().contains(&MARK), "{head}");
            Ok(socket)
        }
        Server::Bare { port, .. } => {
            let mut socket = TcpStream::connect(("127.0.0.1", *port)).await?;
            socket.read_u8().await?;
            Ok(socket)
        }
    }
}

/// Counts the events of a connection until it ends.
async fn follow(socket: TcpStream, arrivals: Rc<RefCell<Arrivals>>, all_arrived: Rc<Notify>, clients: usize) {
    while socket.readable().await.is_ok() {
        let mut arrivals = arrivals.borrow_mut();
        let Arrivals { began, times, event, buffer, .. } = &mut *arrivals;
        let read = match socket.try_read(buffer) {
            Ok(0) => break,
            Ok(read) => &buffer[..read],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(_) => break,
        };
        let marks = read.iter().filter(|byte| **byte == MARK).count();
        for _ in 0..marks {
            times.push(began.elapsed());
        }
        if marks == 1 && times.len() == clients {
            event.clear();
            event.extend_from_slice(read);
            all_arrived.notify_one();
        }
    }
    arrivals.borrow_mut().lost_clients += 1;
}

/// What makes the server send an update.
enum Publisher {
    /// Through the broker, as workers do it.
    Broker(Updates),
    Bare {
        control: TcpStream,
        event: Vec<u8>,
    },
}

impl Publisher {
    async fn connect(server: &Server) -> anyhow::Result<Self> {
        Ok(match server {
            Server::Status { amqp_url, .. } => {
                let broker = Broker::connect(amqp_url.clone().into(), "bench", Arc::new(SystemClock));
                Self::Broker(Updates::new(&broker))
            }
            Server::Bare { port, event } => {
                Self::Bare { control: TcpStream::connect(("127.0.0.1", *port)).await?, event: event.clone() }
            }
        })
    }

    async fn publish(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Broker(updates) => {
                let (updates, update) = (updates.clone(), progress());
                // The update may be with the clients before the broker has confirmed it.
                tokio::task::spawn_local(async move { updates.publish(&update).await });
            }
            Self::Bare { control, event } => {
                let length = u32::try_from(event.len())?.to_be_bytes();
                control.write_all(&[&length, event.as_slice()].concat()).await?;
            }
        }
        Ok(())
    }
}

/// The update of a full sync in its second phase.
fn progress() -> SyncUpdate {
    let counts = |record_type: RecordType, read: u64| RecordCounts {
        record_type: record_type.into(),
        expected: Some(read * 2),
        read,
        created: read / 2,
        updated: read / 4,
        unchanged: read - read / 2 - read / 4,
        reached: Some(true),
        ..RecordCounts::default()
    };
    SyncUpdate {
        occurred_at: Some(SystemClock.now().into()),
        name: "sync.progress".to_owned(),
        what: Some(What::Sync(SyncProgress {
            sync_id: SyncId::new().to_string(),
            state: "running".to_owned(),
            cause: "scheduled".to_owned(),
            mode: "full".to_owned(),
            phase: 2,
            counts: vec![
                counts(RecordType::Company, 812),
                counts(RecordType::Vessel, 10_412),
                counts(RecordType::Equipment, 612_500),
                counts(RecordType::User, 48_000),
            ],
            detail: format!("page 1226 of 2000{}", char::from(MARK)),
            tasks: Some(TaskCounts { pending: 774, done: 1_226, ..TaskCounts::default() }),
        })),
    }
}

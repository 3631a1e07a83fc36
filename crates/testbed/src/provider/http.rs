//! An HTTP/1.1 listener that sends exactly the bytes that it is given, one request per connection. Knows nothing of lists
//! and records.
//!
//! No HTTP server stands below: servers refuse to announce a longer body than they send, and to close a connection within
//! an answer.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A request that the provider has received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Without the query: `/api/sync/vessels`.
    pub path: String,
    /// Parameters of the query, decoded.
    pub query: BTreeMap<String, String>,
    /// Names are in lower case.
    pub headers: BTreeMap<String, String>,
}

/// An answer, byte for byte.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    delay: Duration,
    cut: Cut,
}

#[derive(Debug, Clone, Copy)]
enum Cut {
    Nowhere,
    AfterBytesOfBody(usize),
    BeforeAnswer,
}

impl Answer {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        let (headers, body, delay) = Default::default();
        Self { status, headers, body, delay, cut: Cut::Nowhere }
    }

    /// 200 with this body, which may be anything.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).body(body)
    }

    /// No answer: the connection is closed when the request is read.
    pub fn disconnect() -> Self {
        Self { cut: Cut::BeforeAnswer, ..Self::status(0) }
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// A header; replaces one of this name, and the listener's own `Content-Length`, `Content-Type`, `Date`, `Connection`.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_string());
        self
    }

    /// Sends the answer so long after the request.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Announces the whole body, and closes the connection after so many bytes of it.
    #[must_use]
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Cut::AfterBytesOfBody(bytes);
        self
    }

    /// What travels.
    fn bytes(&self) -> Vec<u8> {
        let sent = match self.cut {
            Cut::Nowhere => self.body.len(),
            Cut::AfterBytesOfBody(bytes) => bytes.min(self.body.len()),
            Cut::BeforeAnswer => return Vec::new(),
        };
        let date = DateTime::<Utc>::from(SystemTime::now()).format("%a, %d %b %Y %H:%M:%S GMT");
        let mut headers = BTreeMap::from([
            ("connection".to_owned(), "close".to_owned()),
            ("content-length".to_owned(), self.body.len().to_string()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("date".to_owned(), date.to_string()),
        ]);
        headers.extend(self.headers.clone());
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("HTTP/1.1 {} \r\n{lines}\r\n", self.status);
        [head.as_bytes(), &self.body[..sent]].concat()
    }
}

/// Requests that are answered at this moment.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl InFlight {
    /// The most that there ever were.
    pub(super) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

/// Answers every request by this function of the listener's own address and the request, until the test's runtime ends.
pub(super) async fn listen(
    in_flight: Arc<InFlight>,
    answer: impl Fn(SocketAddr, Request) -> Answer + Send + Sync + 'static,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let answer = Arc::new(move |request| answer(address, request));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, in_flight) = (Arc::clone(&answer), Arc::clone(&in_flight));
            // A client that goes away is no concern of the test's: its own error says what it missed.
            tokio::spawn(async move {
                let now = in_flight.now.fetch_add(1, Ordering::SeqCst) + 1;
                in_flight.most.fetch_max(now, Ordering::SeqCst);
                respond(stream, &*answer, &in_flight).await.ok()
            });
        }
    });
    Ok(address)
}

async fn respond(
    mut stream: TcpStream,
    answer: &impl Fn(Request) -> Answer,
    in_flight: &InFlight,
) -> io::Result<()> {
    let request = read_request(&mut stream).await;
    let answer = request.map(answer);
    if let Ok(answer) = &answer {
        tokio::time::sleep(answer.delay).await;
    }
    // Before the client can know that it may ask again.
    in_flight.now.fetch_sub(1, Ordering::SeqCst);
    let answer = answer?;
    stream.write_all(&answer.bytes()).await?;
    stream.shutdown().await
}

/// Reads a request's head. Requests of the provider's API have no body.
async fn read_request(stream: &mut TcpStream) -> io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let start = lines.next_line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut headers = BTreeMap::new();
    while let Some(line) = lines.next_line().await?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut words = start.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let url = reqwest::Url::parse(&format!("http://provider{target}")).map_err(io::Error::other)?;
    let query = url.query_pairs().into_owned().collect();
    Ok(Request { method: method.to_owned(), path: url.path().to_owned(), query, headers })
}

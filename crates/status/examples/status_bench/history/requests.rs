//! A client that does as little work as possible: requests one after the other on a keep-alive connection.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The service closes a connection that has been idle for five seconds.
const IDLE_LIMIT: Duration = Duration::from_secs(2);

pub(super) struct Connection {
    port: u16,
    socket: TcpStream,
    used_at: Instant,
    token: String,
    answer: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(port: u16, token: &str) -> anyhow::Result<Self> {
        let socket = connect(port).await?;
        Ok(Self { port, socket, used_at: Instant::now(), token: token.to_owned(), answer: Vec::new() })
    }

    /// Connects anew if the service may close the connection before the next request.
    pub(super) async fn renew(&mut self) -> anyhow::Result<()> {
        if self.used_at.elapsed() > IDLE_LIMIT {
            self.socket = connect(self.port).await?;
        }
        Ok(())
    }

    /// Status and body of the answer.
    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<(u16, &str)> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nAuthorization: Bearer {}\r\n\r\n",
            self.token
        );
        self.socket.write_all(request.as_bytes()).await?;
        self.answer.clear();
        loop {
            let read = self.socket.read_buf(&mut self.answer).await?;
            anyhow::ensure!(read > 0, "the connection was closed");
            let Some(head) = self.answer.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&self.answer[..head])?;
            let length = text.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            let length = length.context("an answer has a length")?;
            if self.answer.len() >= head + 4 + length {
                self.used_at = Instant::now();
                let status = text.get(9..12).context("a status")?.parse()?;
                return Ok((status, std::str::from_utf8(&self.answer[head + 4..])?));
            }
        }
    }
}

async fn connect(port: u16) -> anyhow::Result<TcpStream> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

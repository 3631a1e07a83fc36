//! The client side of `/readyz`, for the command `healthcheck`.

use std::{
    io::{Error, Read, Result, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks `/readyz` at `host:port` over plain HTTP; `0.0.0.0` and `::` mean this machine.
///
/// # Errors
/// When nobody answers within three seconds, or the answer is not 200.
pub fn check_ready(address: &str) -> Result<()> {
    let address = reachable_address(address)?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /readyz?verbose HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).unwrap_or("no answer");
    if status == "200" {
        return Ok(());
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Err(Error::other(format!("not ready ({status}): {body}")))
}

/// The address to connect to: a daemon may bind all addresses of a machine.
fn reachable_address(address: &str) -> Result<SocketAddr> {
    let mut address =
        address.to_socket_addrs()?.next().ok_or_else(|| Error::other("the host has no address"))?;
    if address.ip().is_unspecified() {
        let local = if address.is_ipv4() { "127.0.0.1" } else { "::1" };
        address.set_ip(local.parse().map_err(Error::other)?);
    }
    Ok(address)
}

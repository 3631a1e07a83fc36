use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;

static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A free port of the loopback interface, given to nobody else by this process.
///
/// It lies below the range from which systems number outgoing connections, so that none of these takes it before the
/// caller's service listens, or while that service is restarted.
pub fn free_port() -> u16 {
    let mut given = GIVEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    loop {
        let random = u16::from_le_bytes([uuid_byte(), uuid_byte()]);
        let port = 10_000 + random % 10_000;
        if !given.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            given.insert(port);
            return port;
        }
    }
}

fn uuid_byte() -> u8 {
    uuid::Uuid::now_v7().as_bytes()[15] // the random end of it
}

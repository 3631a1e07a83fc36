//! Who sends, and how much of it is taken: a limit per source, and room for what is in hand.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use actix_web::HttpRequest;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Sources, each with its own limit.
pub(crate) struct Sources {
    limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
    /// Gateways: what they say of their callers is believed.
    trusted: Vec<IpNet>,
}

impl Sources {
    /// `per_second` webhooks of each source in the long sync, `burst` at once; 0 a second: any number.
    pub(crate) fn new(per_second: u32, burst: u32, trusted: Vec<IpNet>) -> Self {
        let limiter = NonZeroU32::new(per_second).map(|per_second| {
            let burst = NonZeroU32::new(burst).unwrap_or(per_second);
            RateLimiter::keyed(Quota::per_second(per_second).allow_burst(burst))
        });
        Self { limiter, trusted }
    }

    /// The address that a request comes from: the peer's or, where that is a trusted gateway, the last one in
    /// `X-Forwarded-For` that is none.
    pub(crate) fn of(&self, request: &HttpRequest) -> IpAddr {
        let peer = request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.ip());
        let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
        let forwarded: Vec<&str> = if self.is_trusted(peer) { forwarded.collect() } else { Vec::new() };
        self.behind(peer, &forwarded)
    }

    fn behind(&self, peer: IpAddr, forwarded: &[&str]) -> IpAddr {
        let mut source = peer.to_canonical();
        for hop in forwarded.iter().rev().flat_map(|list| list.rsplit(',')) {
            if !self.is_trusted(source) {
                break;
            }
            // Whatever stands before nonsense cannot be believed.
            let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
            source = hop.to_canonical();
        }
        source
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(&address.to_canonical()))
    }

    /// Counts a request of a source; if it is one too many, says when to come back.
    pub(crate) fn admit(&self, source: IpAddr) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.check_key(&network(source)).map_err(|early| early.wait_time_from(limiter.clock().now()))
    }

    /// Forgets sources that have been quiet, or their number would grow for ever.
    pub(crate) fn forget_quiet(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// One caller has many IPv6 addresses, but one /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(it) => IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() & (u128::MAX << 64))),
    }
}

/// Memory for the bodies of webhooks in hand, shared by all.
#[derive(Clone)]
pub(crate) struct Room(Arc<Semaphore>);

/// Gives its part back when dropped.
#[derive(Debug)]
pub(crate) struct Taken(Option<OwnedSemaphorePermit>);

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Takes some more bytes; false if there are none left.
    pub(crate) fn take(&self, bytes: usize, taken: &mut Taken) -> bool {
        let permit = u32::try_from(bytes).ok().and_then(|n| self.0.clone().try_acquire_many_owned(n).ok());
        let Some(permit) = permit else { return false };
        match &mut taken.0 {
            Some(all) => all.merge(permit),
            none => *none = Some(permit),
        }
        true
    }
}

impl Taken {
    pub(crate) const fn nothing() -> Self {
        Self(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_what_a_trusted_gateway_says_of_its_caller_is_believed() {
        let sources = Sources::new(0, 0, vec!["10.0.0.0/8".parse().unwrap()]);
        for (peer, forwarded, source) in [
            ("192.0.2.1", vec!["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            // A caller may write what it likes; the gateway appends whom it saw.
            ("10.0.0.1", vec!["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["203.0.113.9", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", vec!["203.0.113.9, nonsense"], "10.0.0.1"),
        ] {
            assert_eq!(sources.behind(ip(peer), &forwarded), ip(source), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_source_has_its_burst_and_other_sources_have_theirs() {
        let sources = Sources::new(1, 2, Vec::new());
        let (one, other) = (ip("2001:db8::1"), ip("192.0.2.2"));
        assert!(sources.admit(one).is_ok() && sources.admit(ip("2001:db8::ff")).is_ok());
        let wait = sources.admit(one).expect_err("the burst is over");
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(sources.admit(other).is_ok());
        sources.forget_quiet();
        assert!(sources.admit(one).is_err(), "it has not been quiet");
    }

    #[test]
    fn room_that_is_taken_comes_back() {
        let room = Room::new(10);
        let mut taken = Taken::nothing();
        assert!(room.take(4, &mut taken) && room.take(6, &mut taken));
        assert!(!room.take(1, &mut Taken::nothing()));
        drop(taken);
        assert!(room.take(10, &mut Taken::nothing()));
    }
}

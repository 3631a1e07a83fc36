//! A rate limit per client address.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, clock::Clock};

/// A rate limit per client address. IPv6 addresses of one /64 share a limit, since one client has all of them.
pub(crate) struct RateLimiter(Option<DefaultKeyedRateLimiter<IpAddr>>);

impl RateLimiter {
    /// `per_second` requests of each client in the long run, and `burst` at once. 0 per second: no limit.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        Self(NonZeroU32::new(per_second).map(|per_second| {
            let burst = NonZeroU32::new(burst).unwrap_or(per_second);
            governor::RateLimiter::keyed(Quota::per_second(per_second).allow_burst(burst))
        }))
    }

    /// Counts a request of a client. Over the limit, the error is the time to wait.
    pub(crate) fn check(&self, client: IpAddr) -> Result<(), Duration> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(&network(client)).map_err(|early| early.wait_time_from(limiter.clock().now()))
    }

    /// Forgets clients whose burst is full again. Without this, memory would grow with every new address.
    pub(crate) fn forget_idle(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(it) => IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn clients_have_bursts_of_their_own() {
        let limiter = RateLimiter::new(1, 2);
        let client = ip("192.0.2.1");
        assert!(limiter.check(client).is_ok() && limiter.check(client).is_ok());
        let wait = limiter.check(client).expect_err("the burst is over");
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(limiter.check(ip("192.0.2.2")).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_a_limit() {
        let limiter = RateLimiter::new(1, 2);
        assert!(limiter.check(ip("2001:db8::1")).is_ok() && limiter.check(ip("2001:db8::ff")).is_ok());
        assert!(limiter.check(ip("2001:db8::1")).is_err());
    }

    #[test]
    fn a_client_over_its_limit_is_not_forgotten() {
        let limiter = RateLimiter::new(1, 1);
        assert!(limiter.check(ip("192.0.2.1")).is_ok());
        limiter.forget_idle();
        assert!(limiter.check(ip("192.0.2.1")).is_err());
    }
}

//! The address of a request's client, behind trusted gateways too.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::HttpRequest;
use ipnet::IpNet;

/// Gateways whose `X-Forwarded-For` is trusted.
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The peer's address. If the peer is a trusted gateway, the last address in `X-Forwarded-For` that is not one.
    pub(crate) fn client_address(&self, request: &HttpRequest) -> IpAddr {
        let peer = request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.ip());
        let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
        let forwarded: Vec<&str> = if self.contains(peer) { forwarded.collect() } else { Vec::new() };
        self.resolve(peer, &forwarded)
    }

    fn resolve(&self, peer: IpAddr, forwarded: &[&str]) -> IpAddr {
        let mut address = peer.to_canonical();
        for hop in forwarded.iter().rev().flat_map(|list| list.rsplit(',')) {
            if !self.contains(address) {
                break;
            }
            // Entries before a malformed one cannot be trusted.
            let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
            address = hop.to_canonical();
        }
        address
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn x_forwarded_for_is_trusted_only_from_a_trusted_gateway() {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        for (peer, forwarded, client) in [
            ("192.0.2.1", vec!["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            // A client can send the header itself; the gateway appends the address that it saw.
            ("10.0.0.1", vec!["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["203.0.113.9", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", vec!["203.0.113.9, nonsense"], "10.0.0.1"),
        ] {
            assert_eq!(proxies.resolve(ip(peer), &forwarded), ip(client), "{peer} {forwarded:?}");
        }
    }
}

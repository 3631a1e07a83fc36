//! One POST to the endpoint. It follows no redirect, uses no proxy, and unless the policy allows it connects to no
//! address outside the public internet: a wrong or hostile URL must not reach services inside the network.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect,
};

use crate::target_policy::TargetPolicy;

/// How many bytes of an answer's body are kept.
const BODY_LIMIT: usize = 4096;

/// Why webhooks cannot be sent to a URL.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTarget {
    #[error("{0:?} is not an http or https URL")]
    NotHttp(String),
    #[error("{0} is not https (webhook.plain_http allows it)")]
    PlainHttp(Url),
    #[error("{0} is not a public address (webhook.private_addresses allows it)")]
    PrivateAddress(IpAddr),
    #[error("cannot create the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// The endpoint that webhooks go to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    client: Client,
    url: Url,
}

/// An HTTP answer to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The first [`BODY_LIMIT`] bytes of the body.
    pub(super) beginning: String,
    pub(super) retry_after: Option<String>,
    /// The header `webhook-delivery`.
    pub(super) delivery: Option<String>,
}

impl Target {
    pub(super) fn new(url: &str, timeout: Duration, policy: TargetPolicy) -> Result<Self, InvalidTarget> {
        let not_http = || InvalidTarget::NotHttp(url.to_owned());
        let url = Url::parse(url).map_err(|_malformed| not_http())?;
        match url.scheme() {
            "https" => {}
            "http" if policy.plain_http => {}
            "http" => return Err(InvalidTarget::PlainHttp(url)),
            _ => return Err(not_http()),
        }
        let mut builder = Client::builder()
            .user_agent(concat!("onboarding-portal/", env!("CARGO_PKG_VERSION"), " (Standard Webhooks)"))
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .redirect(redirect::Policy::none())
            .no_proxy()
            // Not decompressed: the limit of the body counts bytes as they are sent.
            .no_gzip()
            .no_zstd();
        if !policy.private_addresses {
            // A literal address is never resolved, so it is checked here. A name is checked when it is connected to:
            // checked earlier, it could resolve to another address by then.
            let literal =
                url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
            if let Some(address) = literal.filter(|address| !is_public(*address)) {
                return Err(InvalidTarget::PrivateAddress(address));
            }
            builder = builder.dns_resolver(PublicResolver);
        }
        Ok(Self { client: builder.build().map_err(InvalidTarget::Client)?, url })
    }

    /// Makes one attempt. The error is a sentence for the list of attempts.
    pub(super) async fn post(&self, headers: Vec<(String, String)>, body: String) -> Result<Answer, String> {
        let mut request =
            self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|error| describe(&error))?;
        let header = |name: &str| header_text(response.headers(), name);
        let (retry_after, delivery) = (header(RETRY_AFTER.as_str()), header("webhook-delivery"));
        let status = response.status().as_u16();
        let mut beginning = Vec::new();
        while beginning.len() < BODY_LIMIT
            // The status decides: a body that breaks off changes nothing.
            && let Ok(Some(chunk)) = response.chunk().await
        {
            beginning.extend_from_slice(&chunk);
        }
        beginning.truncate(BODY_LIMIT);
        let beginning = String::from_utf8_lossy(&beginning).into_owned();
        Ok(Answer { status, beginning, retry_after, delivery })
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned())
}

/// The causes of an error, without the URL, which the reader knows.
fn describe(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "no answer in time".to_owned() } else { "no answer".to_owned() };
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A DNS resolver that returns only public addresses.
#[derive(Debug)]
struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<_> = found.iter().copied().filter(|address| is_public(address.ip())).collect();
            match (public.is_empty(), found.first()) {
                (true, Some(first)) => Err(Box::new(InvalidTarget::PrivateAddress(first.ip())) as _),
                _ => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether an address belongs to the public internet, by the registries of special-purpose addresses (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0 // this network
        || (a == 100 && (64..128).contains(&b)) // shared by carriers
        || (a == 192 && b == 0 && c == 0) // protocol assignments
        || (a == 192 && b == 88 && c == 99) // relays of 6to4
        || (a == 198 && (18..20).contains(&b)) // benchmarks
        || a >= 240; // reserved
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // An address that embeds an IPv4 address is public if that one is.
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] => embedded(high, low), // mapped
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low), // NAT64
        [0x2002, high, low, ..] => embedded(high, low),            // 6to4
        [0x2001, 0x0db8, ..] => false,                             // documentation
        [0x2001, second, ..] if second < 0x0200 => false,          // protocol assignments, Teredo
        // 2000::/3 is all that is assigned to the public internet.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: TargetPolicy = TargetPolicy { private_addresses: false, plain_http: false };

    #[test]
    fn special_purpose_addresses_are_not_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "fc00::1",
            "ff02::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "2001::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn other_addresses_are_public() {
        for address in
            ["1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn url_with_a_private_address_or_plain_http_is_refused() {
        chassis::install_tls();
        let refused = |url: &str| Target::new(url, Duration::from_secs(1), STRICT).unwrap_err().to_string();
        assert!(refused("http://example.com/hook").contains("is not https"));
        assert!(refused("https://127.0.0.1/hook").contains("127.0.0.1 is not a public address"));
        assert!(refused("https://[::1]:8443/hook").contains("::1 is not a public address"));
        // Other ways to write 127.0.0.1.
        assert!(refused("https://2130706433/hook").contains("127.0.0.1"));
        assert!(refused("https://0x7f.1/hook").contains("127.0.0.1"));
        assert!(refused("ftp://example.com/").contains("is not an http or https URL"));
        assert!(refused("hook").contains("is not an http or https URL"));
    }

    #[tokio::test]
    async fn name_that_resolves_to_this_machine_is_refused_on_connecting() {
        chassis::install_tls();
        let policy = TargetPolicy { private_addresses: false, plain_http: true };
        let target = Target::new("http://localhost:9/hook", Duration::from_secs(5), policy).unwrap();
        let reason = target.post(Vec::new(), String::new()).await.unwrap_err();
        assert!(reason.contains("is not a public address"), "{reason}");
    }
}

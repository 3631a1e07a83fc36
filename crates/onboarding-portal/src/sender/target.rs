//! One POST to the endpoint, and what must not happen on the way: no redirect is followed, no proxy is asked, and unless
//! it is allowed no address is connected to that the public internet does not have.

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

/// What is kept of an answer, in bytes.
const KEPT: usize = 4096;

/// What may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Addresses of this machine and of private networks.
    pub(crate) private_addresses: bool,
    /// `http:`, which anybody on the way can read.
    pub(crate) plain_http: bool,
}

/// An address that can never be sent to.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No URL.
    #[error("{0:?} is no http or https URL")]
    NoUrl(String),
    /// Only https is allowed.
    #[error("{0} is not https (webhook.plain_http allows it)")]
    Plain(Url),
    /// The address in it is private.
    #[error("{0} is not a public address (webhook.private_addresses allows it)")]
    Private(IpAddr),
    /// The client could not be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

/// Where webhooks go.
#[derive(Debug, Clone)]
pub(super) struct Target {
    client: Client,
    url: Url,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The beginning of the body.
    pub(super) beginning: String,
    pub(super) retry_after: Option<String>,
    /// The header `webhook-delivery`.
    pub(super) delivery: Option<String>,
}

impl Target {
    pub(super) fn new(url: &str, timeout: Duration, policy: Policy) -> Result<Self, Refused> {
        let no_url = || Refused::NoUrl(url.to_owned());
        let url = Url::parse(url).map_err(|_malformed| no_url())?;
        match url.scheme() {
            "https" => {}
            "http" if policy.plain_http => {}
            "http" => return Err(Refused::Plain(url)),
            _ => return Err(no_url()),
        }
        let mut builder = Client::builder()
            .user_agent(concat!("onboarding-portal/", env!("CARGO_PKG_VERSION"), " (Standard Webhooks)"))
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .redirect(redirect::Policy::none())
            .no_proxy()
            // What is kept of an answer is bounded as it is sent.
            .no_gzip()
            .no_zstd();
        if !policy.private_addresses {
            // A literal address is never resolved, so it is checked here; a name when it is connected to, so that it
            // cannot be checked as one address and used as another.
            let literal =
                url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
            if let Some(address) = literal.filter(|address| !is_public(*address)) {
                return Err(Refused::Private(address));
            }
            builder = builder.dns_resolver(PublicOnly);
        }
        Ok(Self { client: builder.build().map_err(Refused::Client)?, url })
    }

    /// One attempt; the error is a sentence for the attempts log.
    pub(super) async fn post(
        &self,
        headers: [(&'static str, String); 3],
        body: String,
    ) -> Result<Answer, String> {
        let mut request =
            self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|error| explain(&error))?;
        let header = |name: &str| text_of(response.headers(), name);
        let (retry_after, delivery) = (header(RETRY_AFTER.as_str()), header("webhook-delivery"));
        let status = response.status().as_u16();
        let mut beginning = Vec::new();
        while beginning.len() < KEPT
            // The status has come: that the rest breaks off changes nothing.
            && let Ok(Some(chunk)) = response.chunk().await
        {
            beginning.extend_from_slice(&chunk);
        }
        beginning.truncate(KEPT);
        let beginning = String::from_utf8_lossy(&beginning).into_owned();
        Ok(Answer { status, beginning, retry_after, delivery })
    }
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned())
}

/// The error with its causes, without the address, which the reader knows.
fn explain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "no answer in time".to_owned() } else { "no answer".to_owned() };
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Resolves names to public addresses alone.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<_> = found.iter().copied().filter(|address| is_public(address.ip())).collect();
            match (public.is_empty(), found.first()) {
                (true, Some(first)) => Err(Box::new(Refused::Private(first.ip())) as _),
                _ => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether the public internet has this address: by the registries of special-purpose addresses (RFC 6890).
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
    // Addresses that carry an IPv4 address are as public as that one.
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] => inner(high, low), // mapped
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inner(high, low), // NAT64
        [0x2002, high, low, ..] => inner(high, low),            // 6to4
        [0x2001, 0x0db8, ..] => false,                          // documentation
        [0x2001, second, ..] if second < 0x0200 => false,       // protocol assignments, Teredo
        // 2000::/3 is all that is assigned to the public internet.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Policy = Policy { private_addresses: false, plain_http: false };

    #[test]
    fn addresses_of_machines_and_private_networks_are_not_public() {
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
        for address in
            ["1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_that_is_not_allowed_is_refused_at_once() {
        chassis::install_tls();
        let refused = |url: &str| Target::new(url, Duration::from_secs(1), STRICT).unwrap_err().to_string();
        assert!(refused("http://example.com/hook").contains("is not https"));
        assert!(refused("https://127.0.0.1/hook").contains("127.0.0.1 is not a public address"));
        assert!(refused("https://[::1]:8443/hook").contains("::1 is not a public address"));
        // Other ways to write 127.0.0.1.
        assert!(refused("https://2130706433/hook").contains("127.0.0.1"));
        assert!(refused("https://0x7f.1/hook").contains("127.0.0.1"));
        assert!(refused("ftp://example.com/").contains("is no http or https URL"));
        assert!(refused("hook").contains("is no http or https URL"));
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused_when_it_is_resolved() {
        chassis::install_tls();
        let policy = Policy { private_addresses: false, plain_http: true };
        let target = Target::new("http://localhost:9/hook", Duration::from_secs(5), policy).unwrap();
        let headers = [("a", String::new()), ("b", String::new()), ("c", String::new())];
        let reason = target.post(headers, String::new()).await.unwrap_err();
        assert!(reason.contains("is not a public address"), "{reason}");
    }
}

//! Web servers: a client that follows no redirect by itself, and where a server may send us on to.
//!
//! A server that others run must not decide which hosts this machine asks: what is behind a firewall or on the machine itself
//! would be asked in its name. So an address leads to its own host and port, and to others only for those who allow it; never
//! to the machine itself or to its link, where cloud machines keep credentials, unless the first address was there too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use object_store::client::ClientConfigKey;
use object_store::{ClientOptions, Error as ClientError};
use reqwest::redirect::Policy;
use reqwest::{NoProxy, Proxy, Url};

/// The client that [`object_store`] would make of the same options, but for redirects.
pub(crate) fn client(options: &ClientOptions) -> object_store::Result<reqwest::Client> {
    let value = |key| options.get_config_value(&key).filter(|text| !text.is_empty());
    let is_set =
        |key| value(key).is_some_and(|text| matches!(text.as_str(), "true" | "1" | "yes" | "on" | "y"));
    let number = |key| value(key).map(|text| text.parse::<u32>().map_err(unusable)).transpose();
    let time = |key| value(key).map(|text| humantime::parse_duration(&text).map_err(unusable)).transpose();

    let mut builder = reqwest::Client::builder()
        .redirect(Policy::none())
        // Compressed answers have other lengths than the files.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .https_only(!is_set(ClientConfigKey::AllowHttp))
        .danger_accept_invalid_certs(is_set(ClientConfigKey::AllowInvalidCertificates));
    if let Some(agent) = value(ClientConfigKey::UserAgent) {
        builder = builder.user_agent(agent);
    }
    if is_set(ClientConfigKey::NoSystemCertificates) {
        builder = builder.tls_certs_only(std::iter::empty());
    }
    if let Some(url) = value(ClientConfigKey::ProxyUrl) {
        let mut proxy = Proxy::all(url).map_err(unusable)?;
        if let Some(hosts) = value(ClientConfigKey::ProxyExcludes) {
            proxy = proxy.no_proxy(NoProxy::from_string(&hosts));
        }
        if let Some(pem) = value(ClientConfigKey::ProxyCaCertificate) {
            let certificate = reqwest::tls::Certificate::from_pem(pem.as_bytes()).map_err(unusable)?;
            builder = builder.tls_certs_merge(std::iter::once(certificate));
        }
        builder = builder.proxy(proxy);
    }
    if let Some(limit) = time(ClientConfigKey::Timeout)? {
        builder = builder.timeout(limit);
    }
    if let Some(limit) = time(ClientConfigKey::ConnectTimeout)? {
        builder = builder.connect_timeout(limit);
    }
    if let Some(limit) = time(ClientConfigKey::ReadTimeout)? {
        builder = builder.read_timeout(limit);
    }
    if let Some(limit) = time(ClientConfigKey::PoolIdleTimeout)? {
        builder = builder.pool_idle_timeout(limit);
    }
    if let Some(most) = number(ClientConfigKey::PoolMaxIdlePerHost)? {
        builder = builder.pool_max_idle_per_host(most as usize);
    }
    if let Some(interval) = time(ClientConfigKey::Http2KeepAliveInterval)? {
        builder = builder.http2_keep_alive_interval(interval);
    }
    if let Some(limit) = time(ClientConfigKey::Http2KeepAliveTimeout)? {
        builder = builder.http2_keep_alive_timeout(limit);
    }
    if is_set(ClientConfigKey::Http2KeepAliveWhileIdle) {
        builder = builder.http2_keep_alive_while_idle(true);
    }
    if let Some(bytes) = number(ClientConfigKey::Http2MaxFrameSize)? {
        builder = builder.http2_max_frame_size(Some(bytes));
    }
    if is_set(ClientConfigKey::Http1Only) {
        builder = builder.http1_only();
    }
    if is_set(ClientConfigKey::Http2Only) {
        builder = builder.http2_prior_knowledge();
    }
    builder.build().map_err(unusable)
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> ClientError {
    ClientError::Generic { store: "HTTP client", source: Box::new(error) }
}

/// Why a server is not followed where it sends us.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    /// Another place, which may be allowed.
    Elsewhere(String),
    /// What nobody may allow, or no address.
    Never(String),
}

/// The address that an answer leads to from `here`, where all began with `origin`.
pub(crate) async fn next(origin: &str, here: &str, place: &str, may_leave: bool) -> Result<Url, Refused> {
    let wrong = || Refused::Never(format!("the server sends on to {}, which is no web address", told(place)));
    let origin = Url::parse(origin).map_err(|_| wrong())?;
    let there = Url::parse(here).and_then(|here| here.join(place)).map_err(|_| wrong())?;
    let Some(host) = there.host_str().filter(|_| matches!(there.scheme(), "http" | "https")) else {
        return Err(wrong());
    };
    if is_same_place(&origin, &there) {
        return Ok(there);
    }
    let port = there.port().map(|port| format!(":{port}")).unwrap_or_default();
    let name = told(&format!("{}://{host}{port}", there.scheme()));
    if !may_leave {
        return Err(Refused::Elsewhere(format!("the server sends on to another place, {name}")));
    }
    // What has no address here may have one where a proxy looks.
    let from = addresses(&origin).await;
    for address in addresses(&there).await {
        let reach = Reach::of(address);
        if reach != Reach::World && !from.iter().any(|own| Reach::of(*own) == reach) {
            return Err(Refused::Never(format!(
                "the server sends on to {name}, which is an address of this machine or its link ({address})"
            )));
        }
    }
    Ok(there)
}

/// Whether two addresses are of one server: host and port are the same, or only encryption was added.
fn is_same_place(one: &Url, other: &Url) -> bool {
    let ports = (one.port_or_known_default(), other.port_or_known_default());
    let is_encrypted_now =
        one.scheme() == "http" && other.scheme() == "https" && ports == (Some(80), Some(443));
    let is_no_weaker = one.scheme() == other.scheme() || is_encrypted_now;
    one.host_str() == other.host_str() && is_no_weaker && (ports.0 == ports.1 || is_encrypted_now)
}

async fn addresses(url: &Url) -> Vec<IpAddr> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    tokio::net::lookup_host((host, port))
        .await
        .map(|found| found.map(|address| address.ip()).collect())
        .unwrap_or_default()
}

/// How far an address reaches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reach {
    Machine,
    Link,
    World,
}

impl Reach {
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(address) => Self::of_v4(address),
                None if address.is_loopback() || address == Ipv6Addr::UNSPECIFIED => Self::Machine,
                // Amazon's machines have their credentials at fd00:ec2::254 too.
                None if address.is_unicast_link_local() || address.segments()[..2] == [0xfd00, 0x0ec2] => {
                    Self::Link
                }
                None => Self::World,
            },
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [0 | 127, ..] => Self::Machine,
            [169, 254, ..] => Self::Link,
            _ => Self::World,
        }
    }
}

/// An address as it is shown, without what may be a signature.
fn told(place: &str) -> String {
    super::answer::shown(place.split('?').next().unwrap_or_default())
}

/// Redirects that are followed for one request.
pub(crate) const MOST_REDIRECTS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(origin: &str, place: &str, may_leave: bool) -> Result<String, Refused> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(next(origin, origin, place, may_leave)).map(|url| url.to_string())
    }

    #[test]
    fn a_server_sends_on_within_itself() {
        let origin = "http://203.0.113.1/a/x.tif";
        for (place, expected) in [
            ("y.tif", "http://203.0.113.1/a/y.tif"),
            ("/y.tif?k=1", "http://203.0.113.1/y.tif?k=1"),
            ("http://203.0.113.1:80/y", "http://203.0.113.1/y"),
            ("https://203.0.113.1/y", "https://203.0.113.1/y"),
        ] {
            assert_eq!(judged(origin, place, false).as_deref(), Ok(expected), "{place}");
        }
    }

    #[test]
    fn other_places_have_to_be_allowed() {
        for (origin, place) in [
            ("http://203.0.113.1/x", "http://203.0.113.2/x"),
            ("http://203.0.113.1/x", "//203.0.113.2/x"),
            ("http://203.0.113.1/x", "http://203.0.113.1:8080/x"),
            ("https://203.0.113.1/x", "http://203.0.113.1/x"),
            ("http://127.0.0.1:8000/x", "http://127.0.0.1:8001/x"),
        ] {
            assert!(matches!(judged(origin, place, false), Err(Refused::Elsewhere(_))), "{place}");
            assert!(judged(origin, place, true).is_ok(), "{place}");
        }
    }

    #[test]
    fn nobody_is_sent_to_this_machine_or_its_link() {
        for place in [
            "http://127.0.0.1/x",
            "http://localhost/x",
            "http://[::1]/x",
            "http://[::ffff:127.0.0.1]/x",
            "http://0.0.0.0/x",
            "http://2130706433/x",
            "http://169.254.169.254/latest/meta-data",
            "http://[fe80::1]/x",
            "http://[fd00:ec2::254]/x",
            "file:///etc/passwd",
            "ftp://203.0.113.1/x",
        ] {
            assert!(matches!(judged("http://203.0.113.1/x", place, true), Err(Refused::Never(_))), "{place}");
        }
        let own = judged("http://127.0.0.1:8000/x", "http://169.254.169.254/x", true);
        assert!(matches!(own, Err(Refused::Never(_))));
    }

    #[test]
    fn signatures_are_not_shown() {
        let refused = judged("http://203.0.113.1/x", "http://203.0.113.2/x?signature=secret", false);
        assert!(!format!("{refused:?}").contains("secret"), "{refused:?}");
    }
}

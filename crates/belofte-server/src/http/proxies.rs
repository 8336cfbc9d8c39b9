// SPDX-License-Identifier: EUPL-1.2
//! Who asks, when a proxy stands before this server.
//!
//! Anybody can write `X-Forwarded-For`. It is read only when the connection comes from a network
//! that the operator trusts, and from its end, as far as its entries are proxies of that network
//! themselves: the first that is not is who asked them. What stands before it was written by
//! somebody outside.

use std::net::{IpAddr, SocketAddr};

use belofte_channels::network::Network;
use http::HeaderMap;
use http::header::FORWARDED;

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    /// Believes proxies in these networks.
    #[must_use]
    pub const fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether the proxy at `address` is believed.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Who asks over a connection from `peer`. It is `peer` itself where it is no proxy of ours, says
    /// nothing, or says what cannot be read. A proxy that passes on the header which it does not write
    /// must not speak for its caller: where both forms are there and differ, none is believed.
    #[must_use]
    pub fn caller(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if !self.trusts(peer.ip()) {
            return peer;
        }
        let said = |name: &str| {
            let all: Option<Vec<&str>> =
                headers.get_all(name).iter().map(|value| value.to_str().ok()).collect();
            all.map(|all| all.join(",")).filter(|all| !all.trim().is_empty())
        };
        let listed = said("x-forwarded-for").map(|all| self.first_outside(all.split(',').map(plain)));
        let standard =
            said(FORWARDED.as_str()).map(|all| self.first_outside(all.split(',').map(forwarded_for)));
        let caller = match (listed, standard) {
            (Some(one), Some(other)) if one == other => one,
            (Some(one), None) | (None, Some(one)) => one,
            _ => None,
        };
        caller.map_or(peer, |address| SocketAddr::new(address, 0))
    }

    /// From the end, the first address that is no proxy of ours; the last proxy's own when all are, and
    /// none when an entry cannot be read.
    fn first_outside<'a>(
        &self,
        entries: impl DoubleEndedIterator<Item = Option<IpAddr>> + 'a,
    ) -> Option<IpAddr> {
        let mut outermost = None;
        for entry in entries.rev() {
            let address = entry?.to_canonical();
            if !self.trusts(address) {
                return Some(address);
            }
            outermost = Some(address);
        }
        outermost
    }
}

/// An address, perhaps with a port, IPv6 in brackets then.
fn plain(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let socket = || entry.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    entry.parse().ok().or_else(socket).or_else(bracketed)
}

/// The `for` of an element (RFC 7239, section 4); names that hide an address are none.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    plain(value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().expect("a network"));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a value"));
        }
        let peer = SocketAddr::new(peer.parse().expect("an address"), 4711);
        Proxies::new(networks.to_vec()).caller(peer, &map).ip().to_string()
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed_and_only_for_what_it_saw() {
        let forged = [("x-forwarded-for", "198.51.100.7")];
        assert_eq!(caller("192.0.2.1", &forged), "192.0.2.1");
        assert_eq!(caller("10.0.0.1", &forged), "198.51.100.7");
        assert_eq!(caller("::ffff:10.0.0.1", &forged), "198.51.100.7");
        // The caller wrote the first, the proxy the second.
        assert_eq!(caller("10.0.0.1", &[("x-forwarded-for", "203.0.113.9, 198.51.100.7")]), "198.51.100.7");
        let two = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.7, 10.2.3.4")];
        assert_eq!(caller("10.0.0.1", &two), "198.51.100.7");
        assert_eq!(caller("10.0.0.1", &[("x-forwarded-for", "10.9.9.9")]), "10.9.9.9");
        assert_eq!(caller("10.0.0.1", &[]), "10.0.0.1");
        for broken in ["unknown", "198.51.100.7, ?", "198.51.100.7,", ""] {
            assert_eq!(caller("10.0.0.1", &[("x-forwarded-for", broken)]), "10.0.0.1", "{broken}");
        }
    }

    #[test]
    fn both_forms_are_read_and_must_not_contradict() {
        for (value, expected) in [
            ("for=198.51.100.7;proto=https", "198.51.100.7"),
            ("For=\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("for=203.0.113.9, for=198.51.100.7, for=10.1.1.1", "198.51.100.7"),
            ("for=_hidden", "fd00::1"),
            ("proto=https", "fd00::1"),
        ] {
            assert_eq!(caller("fd00::1", &[("forwarded", value)]), expected, "{value}");
        }
        let listed = ("x-forwarded-for", "198.51.100.7");
        assert_eq!(caller("fd00::1", &[listed, ("forwarded", "for=198.51.100.7")]), "198.51.100.7");
        assert_eq!(caller("fd00::1", &[listed, ("forwarded", "for=203.0.113.9")]), "fd00::1");
        assert_eq!(caller("fd00::1", &[listed, ("forwarded", "for=_x")]), "fd00::1");
    }
}

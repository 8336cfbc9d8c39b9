// SPDX-License-Identifier: EUPL-1.2
//! Which internet addresses are public, and networks in CIDR notation.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network: an address and the number of its leading bits that count (RFC 4632, RFC 4291).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// The text is no address with an optional `/prefix` in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a network in CIDR notation, such as 10.0.0.0/8 or fd00::/8")]
pub struct NetworkError;

impl Network {
    /// The network of `prefix` leading bits of `address`; bits behind them are cleared.
    ///
    /// # Errors
    /// [`NetworkError`] when the prefix is longer than the address (32 or 128 bits).
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, NetworkError> {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= longest).then(|| Self { address: masked(address, prefix), prefix }).ok_or(NetworkError)
    }

    /// Whether `address` lies in this network. An IPv4-mapped IPv6 address counts as the IPv4
    /// address that it carries, on either side.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.address.is_ipv4() == address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let prefix = match prefix {
            Some(digits) => digits.parse().map_err(|_| NetworkError)?,
            None if address.is_ipv4() => 32,
            None => 128,
        };
        Self::new(address, prefix)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// IPv4 networks that are not the public internet (IANA special-purpose registry, RFC 6890 and
/// its updates; multicast and class E).
const SPECIAL_V4: [(Ipv4Addr, u8); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::new(255, 255, 255, 255), 32),
];

/// Parts of 2000::/3, the global unicast space, that are not the public internet: all of the
/// protocol block 2001::/23 (Teredo, benchmarking, ORCHID), documentation.
const SPECIAL_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether `address` belongs to the public internet: neither private, loopback, link-local,
/// shared, documentation, multicast nor reserved. An IPv6 address that carries an IPv4 address
/// by which a gateway would go on (IPv4-mapped, NAT64 by RFC 6052, 6to4 by RFC 3056) is judged
/// by the address it carries; every other IPv6 address outside 2000::/3 is not public.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !SPECIAL_V4.iter().any(|&(net, prefix)| same_network(v4.into(), net.into(), prefix))
        }
        IpAddr::V6(v6) => match carried_v4(v6) {
            Some(v4) => is_public(v4.into()),
            None => {
                v6.segments()[0] & 0xe000 == 0x2000
                    && !SPECIAL_V6.iter().any(|&(net, prefix)| same_network(v6.into(), net.into(), prefix))
            }
        },
    }
}

fn same_network(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    masked(address, prefix) == network
}

/// The IPv4 address that an IPv6 address stands for, if it is of a kind that does.
fn carried_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let low = || Ipv4Addr::from_bits(v6.to_bits() as u32);
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(low()),
        [0x2002, high, middle, ..] => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(middle))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    #[test]
    fn addresses_that_are_not_the_public_internet_are_known() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            // IPv6: unspecified, loopback, IPv4-compatible, mapped, NAT64 local, discard, Teredo,
            // benchmarking, ORCHID, documentation, unique local, link-local, site-local, multicast.
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:0:808:808::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::",
            "2002:c0a8:101::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "4000::1",
            "1::1",
        ] {
            assert!(!is_public(ip(text)), "{text} must not count as public");
        }
    }

    #[test]
    fn public_addresses_pass_in_every_dress() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4013:c00::1b",
            "2001:200::1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(is_public(ip(text)), "{text} must count as public");
        }
    }

    #[test]
    fn networks_are_read_and_contain_what_they_should() {
        let lan: Network = "10.20.30.40/8".parse().expect("network");
        assert_eq!(lan.to_string(), "10.0.0.0/8");
        assert!(
            lan.contains(ip("10.1.1.1"))
                && lan.contains(ip("::ffff:10.1.1.1"))
                && !lan.contains(ip("11.0.0.1"))
        );
        let all: Network = "0.0.0.0/0".parse().expect("network");
        assert!(all.contains(ip("255.1.1.1")) && !all.contains(ip("::1")));
        let one: Network = "::1".parse().expect("network");
        assert!(one.contains(ip("::1")) && !one.contains(ip("::2")));
        let local: Network = "fd00::/8".parse().expect("network");
        assert!(local.contains(ip("fdff::1")) && !local.contains(ip("fe80::1")));
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "host/8"] {
            assert_eq!(bad.parse::<Network>(), Err(NetworkError), "{bad:?}");
        }
    }
}

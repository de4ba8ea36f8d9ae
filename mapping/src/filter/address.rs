//! IP addresses in patterns. Lambda's matcher reads a string that looks like one as the address, so `"::1"` finds
//! `"0:0:0:0:0:0:0:1"`, and `"10.0.0.1"` finds `"10.0.0.01"`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest text of an IPv4 address, as Java reads them.
const V4_TEXT_BYTES_MAX: usize = 15;

/// The address that a text writes. None: it writes none.
pub(super) fn parse(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let address: Ipv6Addr = text.parse().ok()?;
        // With dots in it, it does not look like one.
        return (!text.contains('.')).then(|| IpAddr::V6(address).to_canonical());
    }
    if text.len() > V4_TEXT_BYTES_MAX {
        return None;
    }
    // Java takes leading zeros for nothing; the standard library refuses them.
    let octet = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    let octets: Vec<u8> = text.split('.').map(octet).collect::<Option<_>>()?;
    let octets: [u8; 4] = octets.try_into().ok()?;
    Some(IpAddr::V4(Ipv4Addr::from(octets)))
}

/// A block of addresses: `10.0.0.0/24`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Any address of the block.
    address: IpAddr,
    /// How many leading bits they have in common.
    common_bits: u32,
}

impl Block {
    /// None: not an address, a slash, and fewer bits than an address has.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, common_bits) = text.split_once('/')?;
        let address = parse(address)?;
        let common_bits: u32 = common_bits.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        (common_bits < bits).then_some(Self {
            address,
            common_bits,
        })
    }

    pub(super) fn contains(&self, other: IpAddr) -> bool {
        let differing_bits = match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                u128::from(own.to_bits() ^ other.to_bits()) << 96
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => own.to_bits() ^ other.to_bits(),
            _ => return false,
        };
        differing_bits.leading_zeros() >= self.common_bits
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, parse};

    #[test]
    fn one_address_is_equal_however_it_is_written() {
        assert_eq!(parse("::1"), parse("0:0:0:0:0:0:0:1"));
        assert_eq!(parse("010.0.0.01"), parse("10.0.0.1"));
        assert_eq!(parse("::ffff:a00:1"), parse("10.0.0.1"));
        assert!(parse("::1").is_some() && parse("10.0.0.1").is_some());
    }

    #[test]
    fn what_only_resembles_an_address_is_none() {
        for text in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "+1.2.3.4",
            "1..2.3",
            "::ffff:1.2.3.4",
            ":",
            "a:b",
            "0000000001.2.3.4",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_block_holds_the_addresses_that_share_its_bits() {
        let contains = |block: &str, address: &str| {
            Block::parse(block)
                .unwrap()
                .contains(parse(address).unwrap())
        };

        assert!(contains("10.0.0.0/8", "10.255.255.255"));
        assert!(!contains("10.0.0.0/8", "11.0.0.0"));
        assert!(contains("10.0.0.77/0", "192.168.0.1"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::"));
        assert!(!contains("::/0", "10.0.0.1"));
    }

    #[test]
    fn a_block_needs_an_address_and_fewer_bits_than_it_has() {
        for text in [
            "10.0.0.1",
            "10.0.0.0/32",
            "::/128",
            "host/8",
            "10.0.0.0/-1",
            "10.0.0.0/",
        ] {
            assert_eq!(Block::parse(text), None, "{text}");
        }
    }
}

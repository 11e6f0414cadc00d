//! Makers of network interfaces by MAC address, from the IEEE registry.

use quaywatch_model::MacAddr;

/// Lines of `prefix TAB organisation`, sorted by bytes. See `data/SOURCE.md`.
const TABLE: &str = include_str!("../data/oui.tsv");

/// Lengths of prefixes in hexadecimal digits, longest first: MA-S and IAB, MA-M, MA-L.
const PREFIX_DIGITS: [usize; 3] = [9, 7, 6];

/// The organisation that a MAC address was assigned to; `None` for locally administered and unassigned addresses.
#[must_use]
pub fn vendor_of(mac: MacAddr) -> Option<&'static str> {
    if mac.is_local() || mac.is_group() {
        return None;
    }
    let digits: String = mac.0.iter().map(|octet| format!("{octet:02x}")).collect();
    PREFIX_DIGITS.iter().find_map(|length| find(digits.get(..*length)?))
}

/// Binary search over the lines.
fn find(prefix: &str) -> Option<&'static str> {
    let (mut low, mut high) = (0, TABLE.len());
    while low < high {
        let start = line_start(low + (high - low) / 2);
        let line = TABLE.get(start..)?.lines().next()?;
        let (key, vendor) = line.split_once('\t')?;
        match key.cmp(prefix) {
            std::cmp::Ordering::Equal => return Some(vendor.trim_end_matches([',', ' '])),
            std::cmp::Ordering::Less => low = start + line.len() + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

fn line_start(offset: usize) -> usize {
    TABLE.as_bytes().get(..offset).and_then(|before| before.iter().rposition(|b| *b == b'\n')).map_or(0, |at| at + 1)
}

/// How surely a maker's equipment is a cellular modem or router.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cellular {
    /// The maker makes little else.
    Likely,
    /// The maker makes much else: switches, cameras, telephones, serial servers.
    Possible,
}

/// Makers of cellular modems and routers, by how their names in the registry begin (lower case).
const CELLULAR: &[(&str, Cellular)] = &[
    ("sierra wireless", Cellular::Likely),
    ("airlink", Cellular::Likely),
    ("teltonika", Cellular::Likely),
    ("uab teltonika", Cellular::Likely),
    ("uab \"teltonika", Cellular::Likely),
    ("guangzhou robustel", Cellular::Likely),
    ("robustel", Cellular::Likely),
    ("xiamen four-faith", Cellular::Likely),
    ("four-faith", Cellular::Likely),
    ("cradlepoint", Cellular::Likely),
    ("inhand", Cellular::Likely),
    ("beijing inhand", Cellular::Likely),
    ("shenzhen hongdian", Cellular::Likely),
    ("quectel", Cellular::Likely),
    ("simcom", Cellular::Likely),
    ("shanghai simcom", Cellular::Likely),
    ("telit", Cellular::Likely),
    ("fibocom", Cellular::Likely),
    ("gemalto m2m", Cellular::Likely),
    ("insys icom", Cellular::Likely),
    ("insys microelectronics", Cellular::Likely),
    ("netmodule", Cellular::Likely),
    ("peplink", Cellular::Likely),
    ("pepwave", Cellular::Likely),
    ("proscend", Cellular::Likely),
    ("novatel wireless", Cellular::Likely),
    ("huawei", Cellular::Possible),
    ("zte corporation", Cellular::Possible),
    ("digi international", Cellular::Possible),
    ("digiboard", Cellular::Possible),
    ("multitech", Cellular::Possible),
    ("multi-tech", Cellular::Possible),
    ("moxa", Cellular::Possible),
    ("xiamen milesight", Cellular::Possible),
    ("westermo", Cellular::Possible),
    ("u-blox", Cellular::Possible),
];

/// Whether a maker by this name makes cellular modems.
#[must_use]
pub fn cellular(vendor: &str) -> Option<Cellular> {
    let vendor = vendor.to_lowercase();
    CELLULAR.iter().find(|(name, _)| vendor.starts_with(name)).map(|(_, how)| *how)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vendor(mac: &str) -> Option<&'static str> {
        vendor_of(MacAddr::parse(mac).unwrap())
    }

    #[test]
    fn every_line_of_the_table_is_found() {
        let mut last = "";
        for line in TABLE.lines() {
            let (prefix, name) = line.split_once('\t').unwrap();
            assert!(last < prefix, "{last} {prefix}");
            assert!(PREFIX_DIGITS.contains(&prefix.len()));
            last = prefix;
            assert_eq!(find(prefix), Some(name.trim_end_matches([',', ' '])));
        }
        assert_eq!(find("ffffff"), None);
    }

    #[test]
    fn longest_prefix_and_local_addresses() {
        assert_eq!(vendor("00:1b:1b:12:34:56"), Some("Siemens AG"));
        assert_eq!(vendor("02:1b:1b:12:34:56"), None);
        assert_eq!(vendor("c8:5c:e2:71:00:00"), Some("SYNERGY SYSTEMS AND SOLUTIONS"));
    }

    #[test]
    fn cellular_makers() {
        assert_eq!(cellular("Sierra Wireless, ULC"), Some(Cellular::Likely));
        assert_eq!(cellular("HUAWEI TECHNOLOGIES CO.,LTD"), Some(Cellular::Possible));
        assert_eq!(cellular("Siemens AG"), None);
    }
}

//! Telling routers from hosts on a segment.
//!
//! All packets from behind a router bear its MAC address, so a MAC address alone must not merge addresses into one
//! asset. A MAC address is a router's when
//! - the device says so or hosts are told to use it (ICMPv6 router advertisement, LLDP or CDP capability, DHCP router option),
//! - it is a virtual router address (VRRP, HSRP),
//! - it sends packets whose TTL shows that they were forwarded, of an address that it does not claim by ARP,
//! - it sends packets of a public address that it does not claim, or
//! - it sends packets of addresses of three or more networks that it does not claim.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use quaywatch_model::{Address, MacAddr};

use crate::address::{is_link_local, is_public, neighbourhood, was_forwarded};
use crate::segment_view::SegmentView;

/// Networks from which a MAC address must send to be a router's, where nothing else shows it.
const NETWORKS_OF_A_ROUTER: usize = 3;

/// A router claims by ARP the addresses behind it (proxy ARP) if it claims more than this many.
const ADDRESSES_CLAIMED_BY_A_HOST: usize = 2;

/// A router on a segment.
#[derive(Default, Debug)]
pub(crate) struct Router {
    /// Why it is taken for one.
    pub reasons: BTreeSet<String>,
    /// Addresses that are its own; all others seen with its MAC lie behind it.
    pub own: BTreeSet<IpAddr>,
}

/// The routers of a segment by MAC address.
pub(crate) fn routers(view: &SegmentView) -> BTreeMap<MacAddr, Router> {
    let mut macs: BTreeSet<MacAddr> = view.uses.keys().chain(view.bound.keys()).map(|(_, mac)| *mac).collect();
    macs.extend(view.spans.keys().filter_map(|address| match address {
        Address::Mac(mac) => Some(*mac),
        _ => None,
    }));
    let mut routers: BTreeMap<MacAddr, Router> = BTreeMap::new();
    for mac in macs {
        let router = examine(view, mac);
        if !router.reasons.is_empty() {
            routers.insert(mac, router);
        }
    }
    adopt_near_addresses(view, &mut routers);
    routers
}

fn examine(view: &SegmentView, mac: MacAddr) -> Router {
    let uses: Vec<(IpAddr, &BTreeSet<i64>)> =
        view.uses.iter().filter(|((_, user), _)| *user == mac).map(|((ip, _), (ttls, _))| (*ip, ttls)).collect();
    let forwarded =
        |ip: IpAddr| uses.iter().any(|(used, ttls)| *used == ip && ttls.iter().any(|ttl| was_forwarded(*ttl)));
    let claimed: BTreeSet<IpAddr> = view.bound.keys().filter(|(_, by)| *by == mac).map(|(ip, _)| *ip).collect();
    let is_proxy = claimed.len() > ADDRESSES_CLAIMED_BY_A_HOST;
    let mut own: BTreeSet<IpAddr> = claimed.into_iter().filter(|ip| !(is_proxy && forwarded(*ip))).collect();
    own.extend(uses.iter().map(|(ip, _)| *ip).filter(|ip| is_link_local(*ip)));
    let mut router = Router { own, ..Router::default() };
    told(view, mac, &uses, &mut router);
    shown(&uses, &mut router);
    if is_virtual_router(mac) {
        router.reasons.insert("virtual router MAC address".to_owned());
    }
    router
}

/// What the device or others say.
fn told(view: &SegmentView, mac: MacAddr, uses: &[(IpAddr, &BTreeSet<i64>)], router: &mut Router) {
    for (address, reasons) in &view.routers {
        let own = match address.ip() {
            None => *address == Address::Mac(mac),
            Some(ip) => {
                let used = uses.iter().any(|(used, ttls)| *used == ip && !ttls.iter().any(|ttl| was_forwarded(*ttl)));
                router.own.contains(&ip) || used
            }
        };
        if own {
            router.reasons.extend(reasons.iter().cloned());
            router.own.extend(address.ip());
        }
    }
}

/// What its packets show.
fn shown(uses: &[(IpAddr, &BTreeSet<i64>)], router: &mut Router) {
    let foreign: Vec<_> = uses.iter().filter(|(ip, _)| !router.own.contains(ip)).collect();
    let forwarded = foreign.iter().filter(|(_, ttls)| ttls.iter().any(|ttl| was_forwarded(*ttl))).count();
    let networks: BTreeSet<IpAddr> = foreign.iter().map(|(ip, _)| neighbourhood(*ip)).collect();
    let public = foreign.iter().any(|(ip, _)| matches!(ip, IpAddr::V4(_)) && is_public(*ip));
    if forwarded > 0 {
        router.reasons.insert("forwards packets of others, as their TTL shows".to_owned());
    } else if public || networks.len() >= NETWORKS_OF_A_ROUTER {
        router.reasons.insert("sends packets of addresses of other networks".to_owned());
    }
}

/// An address without ARP claim, not forwarded, in the network of the segment's hosts: the router's own.
fn adopt_near_addresses(view: &SegmentView, routers: &mut BTreeMap<MacAddr, Router>) {
    let local = view.uses.keys().chain(view.bound.keys()).filter(|(_, mac)| !routers.contains_key(mac));
    let near: BTreeSet<IpAddr> = local.map(|(ip, _)| *ip).filter(|ip| !is_public(*ip)).map(neighbourhood).collect();
    for ((ip, mac), (ttls, _)) in &view.uses {
        let forwarded = ttls.iter().any(|ttl| was_forwarded(*ttl));
        if let Some(router) = routers.get_mut(mac)
            && !forwarded
            && near.contains(&neighbourhood(*ip))
        {
            router.own.insert(*ip);
        }
    }
}

/// VRRP (RFC 9568 section 7.3), HSRP version 1 and 2.
fn is_virtual_router(mac: MacAddr) -> bool {
    let [a, b, c, d, e, _] = mac.0;
    matches!((a, b, c, d, e), (0, 0, 0x5e, 0, 1 | 2) | (0, 0, 0x0c, 0x07, 0xac) | (0, 0, 0x0c, 0x9f, 0xf0..=0xff))
}

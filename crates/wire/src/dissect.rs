//! Headers from the first byte of a packet down to the transport, through tunnels and fragments.

mod ip;
mod link;
mod tunnel;
mod wlan;

use quaywatch_model::MacAddr;

use crate::defragment::Defragmenter;
use crate::layers::{BadHeader, IpPacket, Layers, Network, Segment, Tunnel, Tunnels};
use crate::packet::Packet;

/// What the walk down the headers has gathered so far.
#[derive(Clone, Copy, Default)]
struct Walk {
    source_mac: Option<MacAddr>,
    destination_mac: Option<MacAddr>,
    vlan: Option<u16>,
    tunnels: Tunnels,
    oddity: Option<BadHeader>,
    /// Headers passed; bounds the walk over hostile nesting.
    steps: u8,
    /// Whether the capture cut the packet.
    cut: bool,
}

/// Most headers of all kinds in one packet.
const MAX_STEPS: u8 = 32;

/// What a step found: the next header to read, or the end of the walk.
enum Next<'a> {
    Ethernet(&'a [u8]),
    EtherType(u16, &'a [u8]),
    Llc(&'a [u8]),
    Ip(&'a [u8]),
    Ppp(&'a [u8]),
    /// An unfragmented, or whole, IP packet whose payload is to be read.
    Transport(IpPacket<'a>),
    Fragment(IpPacket<'a>),
    End(Network<'a>),
}

impl Walk {
    fn into_layers(self, network: Network<'_>) -> Layers<'_> {
        Layers {
            source_mac: self.source_mac,
            destination_mac: self.destination_mac,
            vlan: self.vlan,
            tunnels: self.tunnels,
            network,
            oddity: self.oddity,
        }
    }

    fn odd(&mut self, layer: &'static str, name: &'static str, reason: &'static str) {
        self.oddity.get_or_insert(BadHeader { layer, name, reason });
    }

    fn enter(&mut self, tunnel: Tunnel) -> Result<(), BadHeader> {
        if tunnel.source.is_some() {
            // What was read so far belongs to the machines that tunnel, not to those that talk.
            (self.source_mac, self.destination_mac, self.vlan) = (None, None, None);
        }
        if self.tunnels.push(tunnel) {
            return Ok(());
        }
        Err(bad("tunnel", "tunnel_too_deep", "tunnels nested too deep"))
    }

    /// Walks until the end, a fragment, or an error.
    fn run<'a>(&mut self, mut next: Next<'a>) -> Result<Next<'a>, BadHeader> {
        loop {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(bad("link", "headers_too_deep", "more headers than any real packet has"));
            }
            next = match next {
                Next::Ethernet(bytes) => link::ethernet(self, bytes)?,
                Next::EtherType(ethertype, bytes) => link::ethertype(self, ethertype, bytes)?,
                Next::Llc(bytes) => link::llc(bytes)?,
                Next::Ip(bytes) => ip::packet(self, bytes)?,
                Next::Ppp(bytes) => link::ppp(bytes)?,
                Next::Transport(packet) => tunnel::transport(self, packet)?,
                end @ (Next::Fragment(_) | Next::End(_)) => return Ok(end),
            };
        }
    }
}

const fn bad(layer: &'static str, name: &'static str, reason: &'static str) -> BadHeader {
    BadHeader { layer, name, reason }
}

fn cut_short(layer: &'static str, name: &'static str) -> BadHeader {
    bad(layer, name, "the frame ends inside this header")
}

/// Reads packets' headers; holds fragments until their datagram is whole.
#[derive(Default)]
pub struct Dissector {
    fragments: Defragmenter,
}

impl Dissector {
    /// The layers of `packet`; those of the whole datagram when it completes one.
    ///
    /// # Errors
    /// [`BadHeader`] when a header breaks its rules so that nothing below it can be read.
    pub fn dissect<'a>(&'a mut self, packet: &Packet<'a>) -> Result<Layers<'a>, BadHeader> {
        let mut walk = Walk { cut: packet.is_cut(), ..Walk::default() };
        let first = link::first(&mut walk, packet.link, packet.data)?;
        match walk.run(first)? {
            Next::Fragment(ip) => {
                let Some(whole) = self.fragments.add(packet.ts, &ip, walk.cut) else {
                    return Ok(walk.into_layers(Network::FragmentKept));
                };
                match walk.run(Next::Transport(whole))? {
                    Next::End(network) => Ok(walk.into_layers(network)),
                    // A fragment inside a reassembled datagram: no mirror port makes these.
                    _ => Ok(walk.into_layers(Network::Unknown("fragment inside a fragmented tunnel"))),
                }
            }
            Next::End(network) => Ok(walk.into_layers(network)),
            _ => Ok(walk.into_layers(Network::Unknown("unread header"))),
        }
    }

    /// Fragments dropped so far because their datagram never became whole or a limit was reached.
    #[must_use]
    pub fn fragments_dropped(&self) -> u64 {
        self.fragments.dropped()
    }
}

fn end<'a>(ip: IpPacket<'a>, segment: Segment<'a>) -> Next<'a> {
    Next::End(Network::Ip { ip, segment })
}

#[cfg(test)]
mod tests;

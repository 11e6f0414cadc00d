//! What decoders and document readers say: one [`Observation`] per fact, each becoming one row of evidence.
//!
//! Observations borrow from the packet they were read from. They state what was on the wire and never
//! judge it; [`Weakness`] names a property of a credential (it was readable, it is a factory default),
//! and the control decides what that means.

use serde::Serialize;

use crate::address::{Address, Endpoint, MacAddr};
use crate::coverage::{Coverage, Mark, Unrecognised, Weird};
use crate::place::{At, Timestamp};

/// Takes observations. Implemented by the evidence tables, by inventory, by tests.
pub trait Sink {
    /// Takes one observation made at `at`.
    fn emit(&mut self, at: At, observation: Observation<'_>);

    /// Says how the bytes now being fed were understood, where that differs from "decoded".
    ///
    /// The last and gravest mark of a feed decides the packet's [`Disposition`](crate::Disposition); sinks that keep no coverage ignore it.
    fn mark(&mut self, mark: Mark) {
        let _ = mark;
    }

    /// Announces that a connection to `server` will carry `protocol` (a name of the registry), which cannot be told from
    /// its content. Sinks that open no flows ignore it.
    fn expect(&mut self, server: Endpoint, protocol: &'static str) {
        let _ = (server, protocol);
    }
}

/// Which end of a flow sent something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the end that opened the flow.
    FromClient,
    /// From the end that was addressed.
    FromServer,
}

impl Direction {
    /// The name used in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Direction::FromClient => "from-client",
            Direction::FromServer => "from-server",
        }
    }

    /// The other direction.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Direction::FromClient => Direction::FromServer,
            Direction::FromServer => Direction::FromClient,
        }
    }
}

/// What carries a flow's payload.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// TCP: the payload is a byte stream.
    Tcp,
    /// UDP: the payload is datagrams.
    Udp,
    /// ICMP or ICMPv6.
    Icmp,
    /// Another IP protocol, by its IANA number.
    Ip(u8),
    /// A frame without IP, by its EtherType; SNAP protocols under their protocol id, IEEE 802.2 LLC by its DSAP (below 0x0600).
    Link(u16),
}

impl Transport {
    /// The name used in tables; the number of an IP protocol or EtherType is not part of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Icmp => "icmp",
            Transport::Ip(_) => "ip",
            Transport::Link(_) => "link",
        }
    }
}

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant,)+ }
        impl $name {
            /// All variants, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// The name used in tables, controls and on reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
            /// The variant of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.name() == name)
            }
        }
    };
}
pub(crate) use named;

named! {
    /// What an operation does to the machine, the same over all protocols.
    OperationClass {
        /// Reads process values or memory.
        Read = "read",
        /// Writes process values or memory.
        Write = "write",
        /// Start, stop, reset, mode change, reservation.
        Control = "control",
        /// Program download, upload, delete, online edit.
        Program = "program",
        /// Address, name, clock, firmware, communication parameters.
        Configure = "configure",
        /// Asks or tells who a device is.
        Identify = "identify",
        /// Opens, keeps or closes a session or connection.
        Session = "session",
        /// Diagnostics, counters, echo.
        Diagnose = "diagnose",
        /// Cyclic process data.
        Cyclic = "cyclic",
    }
}

named! {
    /// What a claim is about.
    Attribute {
        /// A MAC address.
        Mac = "mac",
        /// An IP address.
        Ip = "ip",
        /// The maker, as the device writes it.
        Vendor = "vendor",
        /// Product family or product name.
        Product = "product",
        /// Model or type designation.
        Model = "model",
        /// Order or catalogue number.
        OrderNumber = "order-number",
        /// Serial number.
        Serial = "serial",
        /// Firmware version.
        Firmware = "firmware",
        /// Hardware revision.
        Hardware = "hardware",
        /// Boot loader version.
        Bootloader = "bootloader",
        /// Host, station, system or device name.
        HostName = "host-name",
        /// DNS, NetBIOS or Windows domain.
        Domain = "domain",
        /// Operating system, with its version if stated.
        Os = "os",
        /// Server or client software with its version.
        Software = "software",
        /// What the device says it is or does (LLDP capability, DCP role, CIP device type).
        Capability = "capability",
        /// Where the device says it is, or plant designation.
        Location = "location",
        /// The user or project name stored in the device.
        Project = "project",
        /// Router, DNS server or time server that the subject was told to use; or netmask.
        NetworkSetting = "network-setting",
        /// Subject of an X.509 certificate that it presented.
        Certificate = "certificate",
        /// Operating state: run, stop, fault.
        State = "state",
        /// The subject forwards packets of others.
        Router = "router",
    }
}

named! {
    /// Where a name was learned.
    NameKind {
        /// DNS answer.
        Dns = "dns",
        /// DNS question that no answer in the capture settles.
        DnsQuery = "dns-query",
        /// Multicast DNS (RFC 6762).
        Mdns = "mdns",
        /// LLMNR (RFC 4795).
        Llmnr = "llmnr",
        /// NetBIOS name service (RFC 1002).
        Nbns = "nbns",
        /// DHCP host name option (RFC 2132 section 3.14).
        Dhcp = "dhcp",
        /// LLDP system name (IEEE 802.1AB section 8.5.6).
        Lldp = "lldp",
        /// CDP device id.
        Cdp = "cdp",
        /// PROFINET station name (IEC 61158-6-10).
        Dcp = "dcp",
        /// TLS server name indication (RFC 6066 section 3).
        TlsSni = "tls-sni",
        /// HTTP Host header field (RFC 9110 section 7.2).
        HttpHost = "http-host",
    }
}

named! {
    /// How a login or session attempt ended.
    Outcome {
        /// Accepted.
        Success = "success",
        /// Refused.
        Failure = "failure",
        /// The capture does not show it.
        Unknown = "unknown",
    }
}

named! {
    /// A property of a credential as seen on the wire. The secret itself is never kept.
    Weakness {
        /// The secret crossed the wire readable (password, token, community string).
        ClearText = "clear-text",
        /// The secret is a published factory default of a product.
        Default = "default",
        /// The secret is empty.
        Empty = "empty",
        /// The secret equals the account name.
        SameAsAccount = "same-as-account",
        /// An access without any credential was accepted (anonymous).
        Anonymous = "anonymous",
        /// A challenge-response that is broken today (NTLMv1, MD5 digest, SNMPv3 DES).
        WeakScheme = "weak-scheme",
        /// No weakness seen: an account name crossed the wire, its secret did not.
        None = "none",
    }
}

named! {
    /// The direction of a program transfer, as seen from the device.
    Transfer {
        /// Into the device.
        Download = "download",
        /// Out of the device.
        Upload = "upload",
    }
}

/// One flow, told when it ends (Zeek's `conn`).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Connection<'a> {
    /// The end that opened it.
    pub client: Endpoint,
    /// The end addressed.
    pub server: Endpoint,
    /// What carries it.
    pub transport: Transport,
    /// Protocol found by content; empty when none was.
    pub service: &'a str,
    /// Nanoseconds from first to last packet.
    pub duration: i64,
    /// Packets from the client.
    pub client_packets: u64,
    /// Packets from the server.
    pub server_packets: u64,
    /// Payload bytes from the client, each counted once.
    pub client_bytes: u64,
    /// Payload bytes from the server, each counted once.
    pub server_bytes: u64,
    /// Payload bytes that the reassembly never saw.
    pub missed_bytes: u64,
    /// Zeek's connection state (`S0`, `S1`, `SF`, `REJ`, `RSTO`, `RSTR`, `OTH`, ...).
    pub state: &'a str,
    /// Community ID v1 with seed 0; empty for flows without IP.
    pub community_id: &'a str,
    /// Innermost VLAN id.
    pub vlan: Option<u16>,
    /// Source MAC of the client's packets.
    pub client_mac: Option<MacAddr>,
    /// Source MAC of the server's packets.
    pub server_mac: Option<MacAddr>,
    /// TTL or hop limit of the client's first packet.
    pub client_ttl: Option<u8>,
    /// TTL or hop limit of the server's first packet.
    pub server_ttl: Option<u8>,
    /// Outer headers of a tunnel or mirror session, outermost first, e.g. `erspan2 10.0.0.1>10.0.0.2 id 7`.
    pub tunnel: &'a str,
    /// Instant of the last packet.
    pub end: Timestamp,
}

/// One OT request with its reply: the row that makes one control hold for all protocols.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Operation<'a> {
    /// Protocol name as in the registry.
    pub protocol: &'static str,
    /// The end that asks.
    pub client: Endpoint,
    /// The end that does.
    pub server: Endpoint,
    /// Unit, slot, station or node addressed behind the server.
    pub unit: Option<u32>,
    /// Function or service code of the protocol.
    pub code: u32,
    /// Name of the function in the protocol's own terms.
    pub name: &'a str,
    /// What it does.
    pub class: OperationClass,
    /// What it is done to: address range, tag, block, object path.
    pub object: &'a str,
    /// How many items, registers or bytes.
    pub quantity: Option<u64>,
    /// Status code of the reply; 0 for success where the protocol says nothing else; `None` without a reply.
    pub status: Option<u32>,
    /// Name of the status; empty without a reply.
    pub status_name: &'a str,
    /// Nanoseconds from request to reply.
    pub latency: Option<i64>,
    /// Frame that completed the request.
    pub request_frame: Option<u64>,
    /// Frame that completed the reply.
    pub reply_frame: Option<u64>,
    /// Further facts as one JSON object; empty where there are none.
    pub detail: &'a str,
}

/// A claim about who a device is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Identity<'a> {
    /// The device spoken of.
    pub subject: Address,
    /// What is claimed.
    pub attribute: Attribute,
    /// The claimed value, trimmed, as the device wrote it.
    pub value: &'a str,
    /// How it was learned: protocol and field, e.g. `s7comm szl 0x0011`, `lldp system description`.
    pub method: &'static str,
}

/// A name that stands for an address.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Name<'a> {
    /// What bears the name; [`Address::None`] for a question without answer.
    pub subject: Address,
    /// The name, lower case as DNS compares it only where the protocol is case-insensitive.
    pub name: &'a str,
    /// Where it was learned.
    pub kind: NameKind,
    /// Who asked or was told, if that is another host.
    pub asker: Address,
}

/// A service that a host was seen to offer.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Service<'a> {
    /// Where it is offered.
    pub server: Endpoint,
    /// What carries it.
    pub transport: Transport,
    /// Protocol name as in the registry.
    pub protocol: &'static str,
    /// Server software with version as announced; empty if it announced none.
    pub software: &'a str,
    /// Protocol version offered or negotiated; empty if it has none.
    pub version: &'a str,
}

/// A login or a session: who, how, and how it ended.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Session<'a> {
    /// The end that logs in.
    pub client: Endpoint,
    /// The end logged in to.
    pub server: Endpoint,
    /// Protocol name as in the registry.
    pub protocol: &'static str,
    /// Protocol version negotiated, e.g. `TLS 1.2`, `SSH-2.0`, `v2c`.
    pub version: &'a str,
    /// Account name, if readable.
    pub user: &'a str,
    /// Authentication method (`basic`, `form`, `password`, `usm authPriv`); empty if none was seen.
    pub method: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// Client software as announced.
    pub client_software: &'a str,
    /// Server software as announced.
    pub server_software: &'a str,
    /// Whether the session's content is encrypted.
    pub encrypted: bool,
    /// Further facts as one JSON object (`ja4`, `cipher`, `sni`, algorithms); empty where there are none.
    pub detail: &'a str,
}

/// An account whose secret was used on the wire, and what was wrong with it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Credential<'a> {
    /// The end that presented it.
    pub client: Endpoint,
    /// The end it was presented to.
    pub server: Endpoint,
    /// Protocol name as in the registry.
    pub protocol: &'static str,
    /// Account name; empty where the protocol has none (SNMP community).
    pub account: &'a str,
    /// What was wrong.
    pub weakness: Weakness,
    /// Which rule showed it, in words and without the secret, e.g. `community string is the well-known "public"` is told as `well-known read community`.
    pub rule: &'static str,
}

/// A request to a server that is neither OT operation nor login: HTTP method and URI.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Request<'a> {
    /// The end that asks.
    pub client: Endpoint,
    /// The end asked.
    pub server: Endpoint,
    /// Protocol name as in the registry.
    pub protocol: &'static str,
    /// Method or command.
    pub method: &'a str,
    /// Host asked for, if stated.
    pub host: &'a str,
    /// Path or argument; secrets in it are replaced.
    pub uri: &'a str,
    /// Client software as announced.
    pub user_agent: &'a str,
    /// Status code of the reply, if seen.
    pub status: Option<u32>,
}

/// A program, block or project moved into or out of a device.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Program<'a> {
    /// The end that drives the transfer.
    pub client: Endpoint,
    /// The device.
    pub server: Endpoint,
    /// Protocol name as in the registry.
    pub protocol: &'static str,
    /// Which way.
    pub transfer: Transfer,
    /// Block or file name in the protocol's own terms, e.g. `OB1`, `DB100`.
    pub name: &'a str,
    /// Bytes seen.
    pub size: u64,
    /// SHA-256 over the bytes seen, in transfer order; `None` when none were.
    pub sha256: Option<[u8; 32]>,
    /// Whether the transfer was seen from its start to its regular end without a gap.
    pub complete: bool,
}

/// A position fix.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Position<'a> {
    /// The receiver that sent it.
    pub receiver: Endpoint,
    /// Protocol name as in the registry.
    pub protocol: &'static str,
    /// Talker and sentence, e.g. `GPGGA`.
    pub sentence: &'a str,
    /// Degrees north, WGS 84.
    pub latitude: Option<f64>,
    /// Degrees east, WGS 84.
    pub longitude: Option<f64>,
    /// Fix quality of GGA field 6 (0 = no fix), or 0 / 1 from the status of RMC and GLL (V / A).
    pub quality: Option<u32>,
    /// Satellites in use.
    pub satellites: Option<u32>,
    /// Horizontal dilution of precision.
    pub hdop: Option<f64>,
    /// Speed over ground, metres per second.
    pub speed: Option<f64>,
    /// The receiver's own time, where the sentence holds date and time.
    pub receiver_time: Option<Timestamp>,
}

/// Cargo named on the wire: a container in a message, a tag at a reader.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cargo<'a> {
    /// The end that sent it.
    pub sender: Endpoint,
    /// The end it was sent to.
    pub receiver: Endpoint,
    /// Protocol name as in the registry.
    pub protocol: &'static str,
    /// What names it: message type (`BAPLIE`), report.
    pub message: &'a str,
    /// Reference of the message, as the sender gave it.
    pub reference: &'a str,
    /// `container` or `tag`.
    pub kind: &'static str,
    /// Its number.
    pub id: &'a str,
    /// Whether the check digit of a container number holds (ISO 6346); `None` where there is none.
    pub check: Option<bool>,
    /// Size and type code of a container (ISO 6346), e.g. `45G1`.
    pub size_type: &'a str,
    /// Further facts as one JSON object (`vessel`, `voyage`, `full`); empty where there are none.
    pub detail: &'a str,
}

/// A device's own clock against the capture's.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Clock {
    /// Whose clock.
    pub subject: Address,
    /// How it was learned, e.g. `ntp transmit timestamp`, `http date`.
    pub method: &'static str,
    /// What the device's clock said.
    pub device_time: Timestamp,
    /// Device time less capture time, nanoseconds.
    pub skew: i64,
}

/// Anything that can be observed in traffic.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observation<'a> {
    /// A flow ended.
    Connection(Connection<'a>),
    /// An OT operation.
    Operation(Operation<'a>),
    /// A claim about a device.
    Identity(Identity<'a>),
    /// A name for an address.
    Name(Name<'a>),
    /// A service offered.
    Service(Service<'a>),
    /// A login or session.
    Session(Session<'a>),
    /// A credential used.
    Credential(Credential<'a>),
    /// A request.
    Request(Request<'a>),
    /// A program moved.
    Program(Program<'a>),
    /// A position fix.
    Position(Position<'a>),
    /// A clock reading.
    Clock(Clock),
    /// Cargo named.
    Cargo(Cargo<'a>),
    /// A deviation.
    Weird(Weird<'a>),
    /// A line of the coverage account.
    Coverage(Coverage<'a>),
    /// A direction of a flow that no decoder recognised.
    Unrecognised(Unrecognised<'a>),
}

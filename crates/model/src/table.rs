//! The evidence tables, as data: their names, columns and what each column means.
//!
//! This is the contract between decoders, SQL and the documentation. The Arrow schemas, the
//! reference page and the loader's check of a control's `needs` are all made from it.

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// UTF-8 text. Never null: absent is the empty text, so that controls compare without `IS NULL`.
    Text,
    /// Signed 64-bit integer, null where absent.
    Int,
    /// 64-bit float, null where absent.
    Float,
    /// Truth value, null where unknown.
    Bool,
    /// Instant, nanoseconds UTC, null where absent.
    Time,
}

/// Where a table's rows come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Decoded from packets.
    Traffic,
    /// Read from a document.
    Document,
    /// Derived from other evidence; made anew at each assessment.
    Derived,
}

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name as used in SQL.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Meaning, with unit.
    pub doc: &'static str,
}

/// One table of evidence.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Name as used in SQL and as folder in a case.
    pub name: &'static str,
    /// Where its rows come from.
    pub origin: Origin,
    /// What one row is.
    pub doc: &'static str,
    /// Columns of its own, after those of [`PLACE`].
    pub columns: &'static [Column],
}

impl Table {
    /// All columns in order: those of [`PLACE`], then its own.
    pub fn all_columns(&self) -> impl Iterator<Item = &'static Column> {
        PLACE.iter().chain(self.columns)
    }

    /// The table of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Table> {
        TABLES.iter().find(|table| table.name == name)
    }
}

const fn text(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: Kind::Text, doc }
}
const fn int(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: Kind::Int, doc }
}
const fn float(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: Kind::Float, doc }
}
const fn boolean(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: Kind::Bool, doc }
}
const fn time(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: Kind::Time, doc }
}

/// Columns that open every table: the place of the row.
pub const PLACE: &[Column] = &[
    time("ts", "instant of the packet, or the time a document states; null if it states none"),
    text("site", "site id"),
    text("segment", "segment id: the capture point's broadcast domain"),
    text("uid", "flow id, the same in all tables; empty where the row belongs to no flow"),
    text("source", "input file as given, relative to the folder it was found in"),
    int("frame", "frame number in the capture as Wireshark counts, or line of the document"),
];

const CLIENT: Column = text("client", "address of the end that asks");
const CLIENT_PORT: Column = int("client_port", "its TCP or UDP port; 0 for other transports");
const SERVER: Column = text("server", "address of the end asked");
const SERVER_PORT: Column = int("server_port", "its TCP or UDP port; 0 for other transports");
const PROTOCOL: Column = text("protocol", "protocol name as `quaywatch protocols` lists it");
const DETAIL: Column = text("detail", "further facts as a JSON object; empty where there are none");

/// Every table, in the order of the documentation.
pub const TABLES: &[Table] = &[
    Table {
        name: "connections",
        origin: Origin::Traffic,
        doc: "one flow between two ends",
        columns: &[
            CLIENT,
            CLIENT_PORT,
            SERVER,
            SERVER_PORT,
            text("transport", "tcp, udp, icmp, ip (another IP protocol) or link (no IP)"),
            int("transport_code", "IP protocol number, or EtherType for link"),
            text("service", "protocol found by content; empty when none was"),
            time("end_ts", "instant of the last packet"),
            int("duration", "nanoseconds from first to last packet"),
            int("client_packets", "packets from the client"),
            int("server_packets", "packets from the server"),
            int("client_bytes", "payload bytes from the client, each counted once"),
            int("server_bytes", "payload bytes from the server, each counted once"),
            int("missed_bytes", "payload bytes that the reassembly never saw"),
            text("state", "connection state as Zeek names it (S0, S1, SF, REJ, RSTO, RSTR, OTH, ...)"),
            text("community_id", "Community ID v1, seed 0"),
            int("vlan", "innermost VLAN id"),
            text("client_mac", "source MAC of the client's packets"),
            text("server_mac", "source MAC of the server's packets"),
            int("client_ttl", "TTL or hop limit of the client's first packet"),
            int("server_ttl", "TTL or hop limit of the server's first packet"),
            text("tunnel", "outer headers of a tunnel or mirror session, outermost first"),
        ],
    },
    Table {
        name: "operations",
        origin: Origin::Traffic,
        doc: "one OT request with its reply, the same columns for every protocol",
        columns: &[
            PROTOCOL,
            CLIENT,
            CLIENT_PORT,
            SERVER,
            SERVER_PORT,
            int("unit", "unit, slot, station or node behind the server"),
            int("code", "function or service code"),
            text("name", "name of the function in the protocol's own terms"),
            text("class", "read, write, control, program, configure, identify, session, diagnose or cyclic"),
            text("object", "what it is done to: address range, tag, block, object path"),
            int("quantity", "number of items, registers or bytes"),
            int("status", "status code of the reply; null without a reply"),
            text("status_name", "name of the status; empty without a reply"),
            int("latency", "nanoseconds from request to reply"),
            int("request_frame", "frame that completed the request"),
            int("reply_frame", "frame that completed the reply"),
            DETAIL,
        ],
    },
    Table {
        name: "identities",
        origin: Origin::Traffic,
        doc: "one claim about who a device is",
        columns: &[
            text("subject", "address of the device spoken of"),
            text("attribute", "what is claimed: vendor, model, order-number, firmware, serial, host-name, ..."),
            text("value", "the claimed value as the device wrote it"),
            text("method", "how it was learned: protocol and field"),
        ],
    },
    Table {
        name: "names",
        origin: Origin::Traffic,
        doc: "one name that stands for an address",
        columns: &[
            text("subject", "what bears the name; empty for a question without answer"),
            text("name", "the name"),
            text("kind", "dns, dns-query, mdns, llmnr, nbns, dhcp, lldp, cdp, dcp, tls-sni or http-host"),
            text("asker", "who asked, if that is another host"),
        ],
    },
    Table {
        name: "services",
        origin: Origin::Traffic,
        doc: "one service that a host was seen to offer, once per flow",
        columns: &[
            SERVER,
            SERVER_PORT,
            text("transport", "tcp or udp"),
            PROTOCOL,
            text("software", "server software with version as announced"),
            text("version", "protocol version offered or negotiated"),
        ],
    },
    Table {
        name: "sessions",
        origin: Origin::Traffic,
        doc: "one login or session: who, how, and how it ended",
        columns: &[
            CLIENT,
            CLIENT_PORT,
            SERVER,
            SERVER_PORT,
            PROTOCOL,
            text("version", "protocol version negotiated"),
            text("user", "account name, if readable"),
            text("method", "authentication method; empty if none was seen"),
            text("outcome", "success, failure or unknown"),
            text("client_software", "client software as announced"),
            text("server_software", "server software as announced"),
            boolean("encrypted", "whether the session's content is encrypted"),
            DETAIL,
        ],
    },
    Table {
        name: "credentials",
        origin: Origin::Traffic,
        doc: "one account whose secret was used on the wire, and what was wrong with it; never the secret",
        columns: &[
            CLIENT,
            CLIENT_PORT,
            SERVER,
            SERVER_PORT,
            PROTOCOL,
            text("account", "account name; empty where the protocol has none"),
            text("weakness", "clear-text, default, empty, same-as-account, anonymous, weak-scheme or none"),
            text("rule", "which rule showed it, in words"),
        ],
    },
    Table {
        name: "requests",
        origin: Origin::Traffic,
        doc: "one request that is neither OT operation nor login, such as an HTTP request",
        columns: &[
            CLIENT,
            CLIENT_PORT,
            SERVER,
            SERVER_PORT,
            PROTOCOL,
            text("method", "method or command"),
            text("host", "host asked for"),
            text("uri", "path or argument, secrets replaced"),
            text("user_agent", "client software as announced"),
            int("status", "status code of the reply; null without a reply"),
        ],
    },
    Table {
        name: "programs",
        origin: Origin::Traffic,
        doc: "one program, block or project moved into or out of a device",
        columns: &[
            CLIENT,
            CLIENT_PORT,
            SERVER,
            SERVER_PORT,
            PROTOCOL,
            text("transfer", "download (into the device) or upload (out of it)"),
            text("name", "block or file name"),
            int("size", "bytes seen"),
            text("sha256", "SHA-256 of the bytes seen, hex; empty when none were"),
            boolean("complete", "seen from start to regular end without a gap"),
        ],
    },
    Table {
        name: "positions",
        origin: Origin::Traffic,
        doc: "one position fix",
        columns: &[
            text("receiver", "address of the receiver"),
            int("receiver_port", "its port"),
            PROTOCOL,
            text("sentence", "talker and sentence, e.g. GPGGA"),
            float("latitude", "degrees north, WGS 84"),
            float("longitude", "degrees east, WGS 84"),
            int("quality", "fix quality: GGA field 6 (0 = no fix), or 0 / 1 from the status of RMC and GLL"),
            int("satellites", "satellites in use"),
            float("hdop", "horizontal dilution of precision"),
            float("speed", "speed over ground, metres per second"),
            time("receiver_time", "the receiver's own time"),
        ],
    },
    Table {
        name: "clocks",
        origin: Origin::Traffic,
        doc: "one reading of a device's own clock against the capture's",
        columns: &[
            text("subject", "whose clock"),
            text("method", "how it was learned"),
            time("device_time", "what the device's clock said"),
            int("skew", "device time less capture time, nanoseconds"),
        ],
    },
    Table {
        name: "weird",
        origin: Origin::Traffic,
        doc: "one deviation from a protocol's rules",
        columns: &[
            text("name", "stable snake_case name of the deviation"),
            PROTOCOL,
            text("message", "what exactly"),
            text("sender", "sender's address"),
            int("sender_port", "sender's port"),
            text("receiver", "receiver's address"),
            int("receiver_port", "receiver's port"),
        ],
    },
    Table {
        name: "coverage",
        origin: Origin::Traffic,
        doc: "how many packets of one input ended in one way; the sum of `packets` is the number of packets read",
        columns: &[
            text("disposition", "decoded, without-payload, undecoded or malformed"),
            text("protocol", "protocol that decoded them, or the best guess at what they are"),
            text("reason", "why, where it was not decoded"),
            int("packets", "number of packets"),
            int("bytes", "their bytes on the wire"),
            time("first_ts", "instant of the first"),
            time("last_ts", "instant of the last"),
        ],
    },
    Table {
        name: "inputs",
        origin: Origin::Document,
        doc: "one input given to the run, read or rejected",
        columns: &[
            text("kind", "capture, or the document kind that a reader recognised; empty when none did"),
            text("status", "read, partly-read (kept up to the damage), rejected or duplicate"),
            text("reason", "what was wrong, where, and what to do; empty when nothing was"),
            int("bytes", "size of the file"),
            text("sha256", "SHA-256 of the file, hex"),
            int("packets", "packets read from a capture"),
            int("dropped", "packets the capturing machine says it lost; null if it does not say"),
            int("rows", "rows taken from a document"),
            int("rejected", "lines of a document that were not understood"),
        ],
    },
    Table {
        name: "firewall_rules",
        origin: Origin::Document,
        doc: "one rule or policy of a firewall configuration, in order",
        columns: &[
            text("device", "firewall the configuration is from (file name without ending)"),
            text("chain", "chain, access list or policy; an iptables chain outside of filter as CHAIN@TABLE"),
            int("position", "place in the chain, from 1; 0 for the chain's default policy"),
            text("action", "accept, drop, reject, log, jump or other"),
            text("protocol", "IP protocol; empty for any"),
            text("src", "source address or network; empty for any"),
            text("dst", "destination address or network; empty for any"),
            text("dst_port", "destination port or range; empty for any"),
            text("in_interface", "incoming interface; empty for any"),
            text("out_interface", "outgoing interface; empty for any"),
            text("state", "connection states matched, comma-separated; empty for any"),
            text("conditions", "further conditions that no other column holds, as written; empty if there are none"),
            text("raw", "the rule as written"),
        ],
    },
    Table {
        name: "accounts",
        origin: Origin::Document,
        doc: "one account of an account list",
        columns: &[
            text("system", "system, crane or host the account is on"),
            text("account", "account name"),
            text("person", "whom it belongs to"),
            boolean("privileged", "administrator rights"),
            boolean("enabled", "can be used"),
            boolean("mfa", "second factor required"),
            boolean("shared", "used by several persons"),
            time("last_login", "last use"),
        ],
    },
    Table {
        name: "people",
        origin: Origin::Document,
        doc: "one person who holds or held accounts",
        columns: &[
            text("person", "name or function as in `accounts`"),
            text("role", "function"),
            time("left_on", "day of leaving; null if still here"),
        ],
    },
    Table {
        name: "backups",
        origin: Origin::Document,
        doc: "one backup of a backup manifest",
        columns: &[
            text("asset", "what was backed up: host name, address, or crane id / part"),
            time("taken_at", "when"),
            text("sha256", "its SHA-256 as the manifest states, hex"),
            boolean("offline", "kept off the network"),
            text("location", "where it is kept"),
        ],
    },
    Table {
        name: "restore_tests",
        origin: Origin::Document,
        doc: "one test of restoring a backup",
        columns: &[
            text("asset", "what was restored"),
            time("tested_at", "when"),
            float("minutes", "how long it took"),
            text("outcome", "ok or failed"),
        ],
    },
    Table {
        name: "work_orders",
        origin: Origin::Document,
        doc: "one announced piece of work or remote session",
        columns: &[
            text("id", "number of the work order"),
            text("system", "crane id, system id or asset worked on"),
            text("company", "who does the work"),
            text("account", "account used"),
            text("work_source", "address or network the work is done from; empty for any"),
            time("from_ts", "start of the permitted time"),
            time("to_ts", "end of the permitted time"),
            text("purpose", "what for"),
        ],
    },
    Table {
        name: "scans",
        origin: Origin::Document,
        doc: "one target of a vulnerability scan",
        columns: &[
            text("target", "address, network or host name scanned"),
            time("scanned_at", "when"),
            text("scanner", "with what"),
            boolean("credentialed", "with a login on the target"),
        ],
    },
    Table {
        name: "assets",
        origin: Origin::Derived,
        doc: "one asset of the inventory; ts is when it was first seen",
        columns: &[
            text("asset", "id: segment/address, stable over runs"),
            text("address", "main address"),
            text("mac", "MAC address; empty if only seen behind a router"),
            text("name", "best name"),
            text("role", "controller, hmi, engineering-station, drive, switch, ... or unknown"),
            text("role_reason", "why this role"),
            text("vendor", "maker"),
            text("model", "product or order number"),
            text("firmware", "firmware version"),
            text("serial", "serial number"),
            text("os", "operating system"),
            text("crane", "crane id; empty if on none"),
            text("system", "system id; empty if in none"),
            text("zone", "zone id; empty if in none"),
            text("zone_kind", "crane, ot, it, dmz, remote, internet; empty if in none"),
            boolean("critical", "declared critical in the site model"),
            boolean("declared", "named in the site model"),
            boolean("seen", "seen in traffic"),
            boolean("external", "has a public address"),
            time("last_ts", "last seen"),
        ],
    },
    Table {
        name: "asset_attributes",
        origin: Origin::Derived,
        doc: "one attribute of an asset with its provenance; source and frame are those of the first claim",
        columns: &[
            text("asset", "asset id"),
            text("attribute", "as in `identities`"),
            text("value", "the value"),
            float("confidence", "0 to 1"),
            text("method", "how it was learned"),
            int("claims", "how many observations support it"),
            boolean("chosen", "whether this value stands in `assets`"),
        ],
    },
    Table {
        name: "interfaces",
        origin: Origin::Derived,
        doc: "one address of an asset",
        columns: &[
            text("asset", "asset id"),
            text("address", "IP or MAC address"),
            text("mac", "MAC address seen with it on the same segment; empty if none"),
            text("zone", "zone id; empty if in none"),
        ],
    },
    Table {
        name: "cranes",
        origin: Origin::Derived,
        doc: "one crane of the site model, declared or drafted",
        columns: &[
            text("crane", "crane id"),
            text("kind", "sts, rtg, rmg, asc, ..."),
            text("maker", "maker"),
            text("model", "model"),
            boolean("foreign_made", "made abroad, if the site model says"),
            text("sisters", "ids of its sister cranes, comma-separated"),
            int("members", "assets on it"),
        ],
    },
    Table {
        name: "zones",
        origin: Origin::Derived,
        doc: "one zone of the site model",
        columns: &[
            text("zone", "zone id"),
            text("kind", "crane, ot, it, dmz, remote, internet"),
            int("level", "Purdue level"),
            int("assets", "assets in it"),
            int("packets", "packets captured on its segments"),
        ],
    },
    Table {
        name: "flows",
        origin: Origin::Derived,
        doc: "connections joined with assets and held against the conduits: who talks to whom over which boundary",
        columns: &[
            text("client_asset", "asset id of the client"),
            CLIENT,
            text("client_zone", "zone of the client"),
            text("client_zone_kind", "kind of that zone"),
            text("client_crane", "crane of the client"),
            text("client_role", "role of the client"),
            text("server_asset", "asset id of the server"),
            SERVER,
            SERVER_PORT,
            text("server_zone", "zone of the server"),
            text("server_zone_kind", "kind of that zone"),
            text("server_crane", "crane of the server"),
            text("server_role", "role of the server"),
            text("transport", "tcp, udp, icmp, ip or link"),
            text("service", "protocol found by content"),
            text("state", "connection state as Zeek names it"),
            boolean("answered", "the server answered"),
            text("conduit", "id of the conduit that allows it; empty if none does"),
            text("boundary", "inside (one zone), allowed, not-allowed, or unknown (an end is in no zone)"),
        ],
    },
    Table {
        name: "conduits",
        origin: Origin::Derived,
        doc: "one conduit of the site model, or a pair of zones seen talking without one",
        columns: &[
            text("conduit", "conduit id; empty if the site model has none"),
            text("from_zone", "zone of the clients"),
            text("to_zone", "zone of the servers"),
            text("protocols", "protocols seen, comma-separated"),
            int("connections", "connections seen"),
            boolean("allowed", "whether the site model allows it"),
        ],
    },
    Table {
        name: "segments",
        origin: Origin::Derived,
        doc: "one segment of the site model or of the captures, and what was captured on it",
        columns: &[
            int("packets", "packets captured on it"),
            boolean("declared", "named in the site model"),
            time("last_ts", "instant of the last packet"),
        ],
    },
    Table {
        name: "maintenance_windows",
        origin: Origin::Derived,
        doc: "one maintenance window of the site model",
        columns: &[text("system", "crane or system id"), time("from_ts", "start"), time("to_ts", "end")],
    },
    Table {
        name: "settings",
        origin: Origin::Derived,
        doc: "one row: what the run was told about the site and how it judges time",
        columns: &[
            time("as_of", "the instant the assessment speaks of: argument, site model, or last packet"),
            boolean("site_given", "a site model was given"),
            int("scan_days", "days a scan may be old"),
            int("backup_days", "days a backup may be old"),
            int("review_days", "days an account review may be old"),
            int("restore_test_days", "days a restore test may be old"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_no_column_hides_a_place_column() {
        for (i, table) in TABLES.iter().enumerate() {
            assert!(TABLES[..i].iter().all(|other| other.name != table.name), "{}", table.name);
            let mut seen = std::collections::HashSet::new();
            for column in table.all_columns() {
                assert!(seen.insert(column.name), "{}.{}", table.name, column.name);
            }
        }
    }
}

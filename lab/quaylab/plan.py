"""The terminal on paper: segments, zones, hosts, conduits. Everything else in the lab reads this.

Addresses outside the terminal are from RFC 5737 documentation ranges. The host part of a MAC is made
up, its first three octets belong to the vendor named.
"""

from dataclasses import dataclass, field

SITE_ID = "lab-terminal"
SITE_NAME = "Quaywatch lab terminal"
AS_OF = "2026-11-02T16:00:00Z"


@dataclass(frozen=True)
class Segment:
    """A capture point: one Ethernet broadcast domain."""

    id: str
    captured: bool = True


@dataclass(frozen=True)
class Zone:
    id: str
    kind: str
    level: int
    cidrs: tuple[str, ...]
    # Only where the same range exists on several cranes: tells the copies apart.
    segments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conduit:
    id: str
    client_zone: str
    server_zone: str
    protocols: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nic:
    segment: str
    mac: str
    # Empty address: taken by DHCP; `lease` is then the address the server is told to hand out.
    address: str = ""
    lease: str = ""
    extra: tuple[str, ...] = ()
    # The phases in which the cable is plugged; empty means all.
    phases: tuple[int, ...] = ()

    @property
    def known_as(self) -> str:
        return self.address or self.lease


@dataclass(frozen=True)
class Host:
    name: str
    roles: tuple[str, ...]
    vendor: str
    nics: tuple[Nic, ...]
    model: str = ""
    firmware: str = ""
    serial: str = ""
    crane: str | None = None
    system: str | None = None
    critical: bool = False
    # Declared in site.toml as an [[asset]]; undeclared ones are what an assessor has to find.
    declared: bool = True
    gateway: str = ""
    routes: tuple[tuple[str, str], ...] = ()
    # Attributes that the device itself says on the wire, beyond what its MAC prefix says.
    on_wire: tuple[str, ...] = ()
    seen: bool = True


SEGMENTS = [
    Segment("crane-1"), Segment("crane-2"), Segment("crane-3"),
    Segment("yard"), Segment("dmz"), Segment("office"),
    # The public side is not the terminal's to capture.
    Segment("outside", captured=False),
]

ZONES = [
    Zone("crane-1", "crane", 1, ("10.30.1.0/24",)),
    Zone("crane-1-drives", "crane", 0, ("192.168.0.0/24",), ("crane-1",)),
    Zone("crane-2", "crane", 1, ("10.30.2.0/24",)),
    Zone("crane-2-drives", "crane", 0, ("192.168.0.0/24",), ("crane-2",)),
    Zone("crane-3", "crane", 1, ("10.30.3.0/24",)),
    Zone("tos", "ot", 3, ("10.20.0.0/24",)),
    Zone("dmz", "dmz", 3, ("10.40.0.0/24",)),
    Zone("office", "it", 4, ("10.50.0.0/24",)),
    Zone("vendor", "remote", 5, ("203.0.113.0/26",)),
    Zone("internet", "internet", 5, ("203.0.113.64/26", "203.0.113.128/25", "198.51.100.0/24")),
]

_LOOK = ("read", "identify", "session", "diagnose")
CONDUITS = [
    *(Conduit(f"cms-to-{c}", "tos", c, ("s7comm", "modbus", "enip", "cip"), _LOOK) for c in ("crane-1", "crane-2", "crane-3")),
    *(Conduit(f"{c}-positions", c, "tos", ("nmea", "nmea0183")) for c in ("crane-1", "crane-2", "crane-3")),
    *(Conduit(f"{z}-infrastructure", z, "dmz", ("dns", "ntp")) for z in ("crane-1", "crane-2", "crane-3", "tos", "office")),
    *(Conduit(f"network-management-{z}", "dmz", z, ("snmp",)) for z in ("crane-1", "crane-2", "crane-3", "tos")),
    *(Conduit(f"maintenance-{c}", "dmz", c, ("ssh",)) for c in ("crane-1", "crane-2")),
    Conduit("tos-web", "office", "tos", ("tls", "https", "http2")),
    Conduit("edi", "tos", "office", ("ftp", "ftp-data")),
    Conduit("vendor-vpn", "vendor", "dmz", ("openvpn",)),
]


def _crane(n: int, suffix: str) -> str:
    return f"10.30.{n}.{suffix}"


def _siemens_crane(n: int, firmware: str, serial_end: str) -> list[Host]:
    """One of the two sisters: same plan, same parts; only the PLC's firmware and the serials differ."""
    crane = f"crane-{n}"
    gateway = _crane(n, "1")
    x = f"{n:02x}"

    def nic(oui: str, last: int) -> tuple[Nic, ...]:
        return (Nic(crane, f"{oui}:{x}:00:{last:02x}", _crane(n, str(last))),)

    def drive_nic(oui: str, last: int) -> tuple[Nic, ...]:
        return (Nic(crane, f"{oui}:{x}:a8:{last:02x}", f"192.168.0.{last}"),)

    return [
        Host(f"{crane}-switch", ("switch",), "Moxa", nic("00:90:e8", 2), "EDS-510E", "V5.1", crane=crane,
             gateway=gateway, on_wire=("vendor", "model", "firmware", "name")),
        Host(f"{crane}-plc", ("controller",), "Siemens", nic("28:63:36", 10), "CPU 1516-3 PN/DP", firmware,
             f"S C-LAB{n}000{serial_end}", crane=crane, critical=True, gateway=gateway,
             on_wire=("vendor", "model", "firmware", "serial", "name")),
        Host(f"{crane}-io", ("io-device",), "Moxa", nic("00:90:e8", 12), "ioLogik E1212", "V3.2", crane=crane,
             gateway=gateway, on_wire=("vendor", "model", "firmware")),
        Host(f"{crane}-hmi", ("hmi",), "Siemens", nic("00:0e:8c", 20), "SIMATIC IPC477E", "V4.2.1", crane=crane,
             critical=True, gateway=gateway, on_wire=("name",)),
        Host(f"{crane}-eng", ("engineering-station",), "Dell", nic("d4:ae:52", 30), crane=crane, gateway=gateway,
             on_wire=("name",)),
        Host(f"{crane}-gnss", ("gnss-receiver",), "Trimble", nic("00:17:47", 40), crane=crane, gateway=gateway),
        Host(f"{crane}-drive-controller", ("controller",), "Siemens", drive_nic("28:63:36", 2), crane=crane),
        Host(f"{crane}-hoist-drive", ("drive",), "Siemens", drive_nic("00:1f:f8", 11), "SINAMICS G120", "4.7.13",
             crane=crane, on_wire=("vendor", "model", "firmware")),
        Host(f"{crane}-trolley-drive", ("drive",), "Siemens", drive_nic("00:1f:f8", 12), "SINAMICS G120", "4.7.13",
             crane=crane, on_wire=("vendor", "model", "firmware")),
    ]


_CRANE_3 = [
    Host("crane-3-switch", ("switch",), "Hirschmann", (Nic("crane-3", "00:80:63:03:00:02", "10.30.3.2"),), "RS20", "09.0.05",
         crane="crane-3", gateway="10.30.3.1", on_wire=("vendor", "model", "firmware", "name")),
    Host("crane-3-plc", ("controller",), "Rockwell", (Nic("crane-3", "00:1d:9c:03:00:0a", "10.30.3.10"),),
         "1756-L71/B LOGIX5571", "20.11", "00c0ffe1", crane="crane-3", critical=True, gateway="10.30.3.1",
         on_wire=("vendor", "model", "firmware", "serial")),
    Host("crane-3-hoist-drive", ("drive",), "Schneider", (Nic("crane-3", "00:00:54:03:00:0b", "10.30.3.11"),),
         "ATV930", "V1.9", crane="crane-3", gateway="10.30.3.1", on_wire=("vendor", "model", "firmware")),
    Host("crane-3-hmi", ("hmi",), "Advantech", (Nic("crane-3", "00:0b:ab:03:00:14", "10.30.3.20"),), crane="crane-3",
         critical=True, gateway="10.30.3.254", routes=(("10.0.0.0/8", "10.30.3.1"),), on_wire=("name",)),
    Host("crane-3-gnss", ("gnss-receiver",), "Trimble", (Nic("crane-3", "00:17:47:03:00:28", "10.30.3.40"),),
         crane="crane-3", gateway="10.30.3.1"),
    Host("crane-3-modem", ("modem", "router"), "Teltonika",
         (Nic("crane-3", "00:1e:42:03:00:fe", "10.30.3.254"), Nic("outside", "00:1e:42:03:01:fe", "203.0.113.253")),
         crane="crane-3", declared=False, routes=(("10.0.0.0/8", "10.30.3.1"),)),
]

_YARD = [
    Host("yard-switch", ("switch",), "Moxa", (Nic("yard", "00:90:e8:20:00:02", "10.20.0.2"),), "EDS-G516E", "V5.2",
         system="network", gateway="10.20.0.1", on_wire=("vendor", "model", "firmware", "name")),
    Host("tos-server", ("tos-server", "server"), "Hewlett Packard", (Nic("yard", "94:18:82:20:00:0a", "10.20.0.10"),),
         system="terminal-operating-system", critical=True, gateway="10.20.0.1", on_wire=("name",)),
    Host("cms-gateway", ("server",), "Hewlett Packard", (Nic("yard", "94:18:82:20:00:14", "10.20.0.20"),),
         system="positioning", gateway="10.20.0.1", on_wire=("name",)),
    Host("historian", ("historian", "server"), "Hewlett Packard", (Nic("yard", "94:18:82:20:00:1e", "10.20.0.30"),),
         system="cargo-tracking", gateway="10.20.0.1", on_wire=("name",)),
    Host("rfid-reader-1", ("rfid-reader",), "Impinj", (Nic("yard", "00:16:25:20:00:32", "10.20.0.50"),),
         system="cargo-tracking", gateway="10.20.0.1"),
]

_DMZ = [
    Host("vpn-gateway", ("server", "router"), "Hewlett Packard", (Nic("dmz", "94:18:82:40:00:0a", "10.40.0.10"),),
         system="remote-access", gateway="10.40.0.1"),
    Host("jump-host", ("server",), "Hewlett Packard", (Nic("dmz", "94:18:82:40:00:14", "10.40.0.20"),),
         system="remote-access", gateway="10.40.0.1"),
    Host("infra-server", ("server",), "Hewlett Packard", (Nic("dmz", "94:18:82:40:00:35", "10.40.0.53"),),
         system="network", gateway="10.40.0.1", on_wire=("name",)),
]

_OFFICE = [
    Host("office-server", ("server",), "Hewlett Packard", (Nic("office", "94:18:82:50:00:05", "10.50.0.5"),),
         system="enterprise", gateway="10.50.0.1"),
    Host("planner-ws-1", ("workstation",), "Dell", (Nic("office", "d4:ae:52:50:00:15", lease="10.50.0.21"),),
         system="enterprise", on_wire=("name",)),
    Host("planner-ws-2", ("workstation",), "Dell",
         (Nic("office", "d4:ae:52:50:00:16", lease="10.50.0.22"), Nic("yard", "d4:ae:52:50:01:16", lease="10.20.0.122")),
         system="enterprise", declared=False, on_wire=("name",)),
    Host("crane-office-ws", ("workstation",), "Dell", (Nic("office", "d4:ae:52:50:00:1f", "10.50.0.31"),),
         system="enterprise", gateway="10.50.0.1"),
    Host("service-laptop-7", ("workstation", "unknown"), "Dell",
         (Nic("office", "d4:ae:52:50:00:47", lease="10.50.0.47", phases=(1,)),
          Nic("crane-3", "d4:ae:52:50:00:47", lease="10.30.3.147", phases=(3,))),
         declared=False, on_wire=("name",)),
]

# The firewall's ports share the maker's prefix but each has its own MAC, as on the real box.
FIREWALL = Host(
    "terminal-firewall", ("firewall", "router"), "Fortinet",
    tuple(Nic(segment, f"00:09:0f:ff:00:{i:02x}", address) for i, (segment, address) in enumerate([
        ("crane-1", "10.30.1.1"), ("crane-2", "10.30.2.1"), ("crane-3", "10.30.3.1"), ("yard", "10.20.0.1"),
        ("dmz", "10.40.0.1"), ("office", "10.50.0.1"), ("outside", "203.0.113.254")], start=1)),
    system="network",
)

_OUTSIDE = [
    Host("vendor-a-desk", ("workstation",), "Dell", (Nic("outside", "d4:ae:52:71:00:0a", "203.0.113.10"),), declared=False),
    Host("vendor-b-desk", ("workstation",), "Dell", (Nic("outside", "d4:ae:52:71:00:14", "203.0.113.20"),), declared=False),
    Host("tunnel-broker", ("server",), "Dell", (Nic("outside", "d4:ae:52:71:00:46", "203.0.113.70"),), declared=False),
    Host("vendor-b-cloud", ("server",), "Dell", (Nic("outside", "d4:ae:52:71:00:50", "203.0.113.80"),), declared=False),
]

# Declared by the terminal, but switched off on the day: the inventory must say it was not seen.
_ABSENT = [
    Host("crane-3-eng", ("engineering-station",), "Dell", (Nic("crane-3", "", "10.30.3.30"),), crane="crane-3", seen=False),
]

HOSTS: list[Host] = [
    *_siemens_crane(1, "2.9.2", "1234"), *_siemens_crane(2, "2.8.3", "1377"), *_CRANE_3,
    *_YARD, *_DMZ, *_OFFICE, FIREWALL, *_OUTSIDE, *_ABSENT,
]
BY_NAME = {h.name: h for h in HOSTS}


@dataclass(frozen=True)
class Crane:
    id: str
    maker: str
    model: str
    year: int
    foreign: bool
    zones: tuple[str, ...]
    sisters: tuple[str, ...] = field(default=())


CRANES = [
    Crane("crane-1", "Maker A", "STS 65t", 2019, True, ("crane-1", "crane-1-drives"), ("crane-2",)),
    Crane("crane-2", "Maker A", "STS 65t", 2019, True, ("crane-2", "crane-2-drives"), ("crane-1",)),
    Crane("crane-3", "Maker B", "STS 50t", 2012, False, ("crane-3",)),
]

SYSTEMS = {
    "terminal-operating-system": ("terminal-operating-system", ("tos",)),
    "positioning": ("positioning", ()),
    "cargo-tracking": ("cargo-tracking", ()),
    "enterprise": ("enterprise", ("office",)),
    "remote-access": ("remote-access", ()),
    "network": ("network", ()),
}


def zone_of(segment: str, address: str) -> str | None:
    """The zone of an address as seen in `segment`."""
    import ipaddress

    ip = ipaddress.ip_address(address)
    for zone in ZONES:
        if zone.segments and segment not in zone.segments:
            continue
        if any(ip in ipaddress.ip_network(c) for c in zone.cidrs):
            return zone.id
    return None


def zone_named(zone_id: str) -> Zone:
    return next(z for z in ZONES if z.id == zone_id)

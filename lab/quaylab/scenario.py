"""The day: three short stretches of a shift, the services standing in them, and who does what when.

Times are seconds into a phase. The passwords are made up for the lab and open nothing else.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Phase:
    number: int
    begins: datetime
    seconds: int
    what: str


PHASES = [
    Phase(1, datetime(2026, 11, 2, 8, 0, tzinfo=UTC), 56, "start of the shift: normal work and standing weaknesses"),
    Phase(2, datetime(2026, 11, 2, 10, 0, tzinfo=UTC), 46, "maintenance on crane-1, announced and within its window"),
    Phase(3, datetime(2026, 11, 2, 14, 0, tzinfo=UTC), 56, "intrusion through the modem and from the office"),
]
# A capture begins before its phase and outlives it by about this much, while services start and stop.
MARGIN = timedelta(seconds=25)

# Seconds into phase 3 at which the receivers of crane-2 and crane-3 go wrong.
GNSS_FAULT_AT = {2: 30, 3: 35}


@dataclass(frozen=True)
class Service:
    host: str
    kind: str
    options: dict[str, object] = field(default_factory=dict)
    phases: tuple[int, ...] = (1, 2, 3)


@dataclass(frozen=True)
class Step:
    phase: int
    at: int
    host: str
    do: str
    # A host's name, or an address outside the plan's hosts; empty for local broadcasts.
    to: str = ""
    options: dict[str, object] = field(default_factory=dict)
    lasts: int = 2

    @property
    def begins(self) -> datetime:
        return PHASES[self.phase - 1].begins + timedelta(seconds=self.at)

    @property
    def ends(self) -> datetime:
        return self.begins + timedelta(seconds=self.lasts)


_SWITCHES = [
    Service("crane-1-switch", "snmp", {"description": "Moxa EDS-510E, firmware V5.1", "community": "public"}),
    Service("crane-1-switch", "lldp", {"description": "Moxa EDS-510E, firmware V5.1"}),
    Service("crane-1-switch", "telnet", {"model": "EDS-510E", "accounts": ["svc-temp:Kran!2026x"]}, (2,)),
    Service("crane-2-switch", "lldp", {"description": "Moxa EDS-510E, firmware V5.1"}),
    Service("crane-2-switch", "telnet", {"model": "EDS-510E", "accounts": ["admin:admin"]}, (1,)),
    Service("crane-3-switch", "snmp", {"description": "Hirschmann RS20, firmware 09.0.05", "user": "quayops"}),
    Service("crane-3-switch", "lldp", {"description": "Hirschmann RS20, firmware 09.0.05"}),
    Service("yard-switch", "snmp", {"description": "Moxa EDS-G516E, firmware V5.2", "user": "quayops"}),
    Service("yard-switch", "lldp", {"description": "Moxa EDS-G516E, firmware V5.2"}),
]


def _drives(n: int) -> list[Service]:
    return [Service(f"crane-{n}-{d}-drive", "modbus",
                    {"vendor": "Siemens AG", "product": "SINAMICS G120", "model": "CU250S-2", "firmware": "4.7.13"})
            for d in ("hoist", "trolley")]


def _siemens_crane(n: int, firmware: str, serial: str) -> list[Service]:
    crane = f"crane-{n}"
    return [
        Service(f"{crane}-plc", "s7", {"station": f"STS{n}", "name": f"{crane}-plc", "module": "CPU 1516-3 PN/DP",
                                       "order": "6ES7 516-3AN01-0AB0", "serial": serial, "firmware": firmware}),
        Service(f"{crane}-plc", "dcp", {"name": f"{crane}-plc", "vendor": "S7-1500", "gateway": f"10.30.{n}.1"}),
        Service(f"{crane}-io", "modbus", {"vendor": "Moxa Inc.", "product": "ioLogik E1212", "model": "ioLogik E1212",
                                          "firmware": "V3.2"}),
        *_drives(n),
        Service(f"{crane}-hmi", "mdns"),
    ]


SERVICES = [
    *_SWITCHES,
    *_siemens_crane(1, "2.9.2", "S C-LAB10001234"), *_siemens_crane(2, "2.8.3", "S C-LAB20001377"),
    Service("crane-1-hmi", "web", {"product": "SIMATIC-HMI/4.2.1", "http": True, "login": "basic",
                                   "account": "operator:Nordkai-17-Luv", "tls": "1.2"}),
    Service("crane-2-hmi", "web", {"product": "SIMATIC-HMI/4.2.1", "http": True, "login": "form",
                                   "account": "supervisor:Spreader.41.Lee", "tls": "1.0", "clock_error": -3600}),
    Service("crane-1-gnss", "gnss", {"latitude": 53.5412, "longitude": 9.9310}),
    Service("crane-2-gnss", "gnss", {"latitude": 53.5409, "longitude": 9.9342}, (1, 2)),
    Service("crane-2-gnss", "gnss", {"latitude": 53.5409, "longitude": 9.9342, "fault": "jump", "after": GNSS_FAULT_AT[2]}, (3,)),
    Service("crane-3-gnss", "gnss", {"latitude": 53.5405, "longitude": 9.9377}, (1, 2)),
    Service("crane-3-gnss", "gnss", {"latitude": 53.5405, "longitude": 9.9377, "fault": "lost", "after": GNSS_FAULT_AT[3]}, (3,)),
    Service("crane-3-plc", "cip", {"product": "1756-L71/B LOGIX5571", "revision": "20.11", "serial": "00c0ffe1"}),
    Service("crane-3-hoist-drive", "modbus", {"vendor": "Schneider Electric", "product": "ATV930", "model": "ATV930D45",
                                              "firmware": "V1.9"}),
    Service("crane-3-hmi", "web", {"product": "PanelView/7.0", "http": True, "login": "basic", "account": "admin:admin"}, (3,)),
    Service("crane-3-hmi", "screen", {"secret": "hoist-03"}, (3,)),
    Service("crane-3-hmi", "mdns"),
    Service("crane-3-modem", "dhcp-dns", {"range": "10.30.3.140,10.30.3.149", "router": "10.30.3.254",
                                          "leases": {"d4:ae:52:50:00:47": "10.30.3.147"},
                                          "names": {"cloud.maker-b.example": "203.0.113.80"}}),
    Service("tos-server", "web", {"product": "TOS-Web/11.2", "tls": "1.3"}),
    Service("tos-server", "dhcp-dns", {"range": "10.20.0.120,10.20.0.129", "router": "10.20.0.1", "dns": "10.40.0.53",
                                       "leases": {"d4:ae:52:50:01:16": "10.20.0.122"}}),
    Service("cms-gateway", "positions"),
    Service("historian", "mqtt", {"account": "rfid-1:Gate-Tag-88"}),
    Service("office-server", "dhcp-dns", {"range": "10.50.0.20,10.50.0.29", "router": "10.50.0.1", "leases": {
        "d4:ae:52:50:00:15": "10.50.0.21", "d4:ae:52:50:00:16": "10.50.0.22", "d4:ae:52:50:00:47": "10.50.0.47"}}),
    Service("office-server", "ftp", {"account": "edi:Ladeliste_2026"}, (1,)),
    Service("infra-server", "dhcp-dns", {"names": {
        "tos-server.terminal.example": "10.20.0.10", "cms-gateway.terminal.example": "10.20.0.20",
        "historian.terminal.example": "10.20.0.30", "infra-server.terminal.example": "10.40.0.53",
        "crane-1-hmi.terminal.example": "10.30.1.20", "crane-1-eng.terminal.example": "10.30.1.30",
        "crane-2-hmi.terminal.example": "10.30.2.20", "crane-2-eng.terminal.example": "10.30.2.30"}}),
    Service("infra-server", "time"),
    Service("crane-1-eng", "ssh", {}, (2,)),
    Service("vpn-gateway", "tunnel-server", {"name": "vpn-gateway"}, (2,)),
    Service("tunnel-broker", "tunnel-server", {"name": "tunnel-broker"}, (2,)),
    Service("vendor-b-cloud", "web", {"product": "fleet-cloud", "tls": "1.3"}),
]


def _normal(phase: int) -> list[Step]:
    """What goes on all day: polling, panels, positions, time. All of it is allowed and must stay quiet."""
    length = PHASES[phase - 1].seconds
    whole = {"seconds": length - 6}
    steps = []
    for n in (1, 2):
        crane = f"crane-{n}"
        steps += [
            Step(phase, 0, f"{crane}-gnss", "position", "cms-gateway", lasts=length),
            Step(phase, 1, f"{crane}-hmi", "s7-poll", f"{crane}-plc", whole, length - 5),
            Step(phase, 2, "cms-gateway", "s7-poll", f"{crane}-plc", whole, length - 6),
            Step(phase, 2, f"{crane}-drive-controller", "modbus-poll", f"{crane}-hoist-drive", whole, length - 6),
            Step(phase, 3, f"{crane}-drive-controller", "modbus-poll", f"{crane}-trolley-drive", whole, length - 7),
            Step(phase, 9, f"{crane}-hmi", "s7-write", f"{crane}-plc", {"seed": 20 + n}),
            Step(phase, 6, f"{crane}-hmi", "time", "infra-server", {"seconds": length - 18}, length - 18),
        ]
    steps += [
        Step(phase, 0, "crane-3-gnss", "position", "cms-gateway", lasts=length),
        Step(phase, 3, "crane-3-hmi", "cip-poll", "crane-3-plc", whole, length - 6),
        Step(phase, 4, "cms-gateway", "cip-poll", "crane-3-plc", {"seconds": length - 10}, length - 8),
        Step(phase, 4, "crane-3-hmi", "modbus-poll", "crane-3-hoist-drive", {"seconds": length - 10}, length - 8),
        Step(phase, 7, "cms-gateway", "time", "infra-server", {"seconds": length - 18}, length - 18),
        Step(phase, 13, "infra-server", "snmp-v3", "crane-3-switch", {"user": "quayops"}),
        Step(phase, 17, "infra-server", "snmp-v3", "yard-switch", {"user": "quayops"}),
    ]
    return steps


_SHIFT_START = [
    *_normal(1),
    # Addresses and names.
    Step(1, 1, "planner-ws-1", "dhcp", "office-server", {"interface": "eth0"}),
    Step(1, 2, "planner-ws-2", "dhcp", "tos-server", {"interface": "eth1"}),
    Step(1, 5, "planner-ws-2", "dhcp", "office-server", {"interface": "eth0"}),
    Step(1, 3, "service-laptop-7", "dhcp", "office-server", {"interface": "eth0"}),
    Step(1, 8, "crane-1-hmi", "dns", "infra-server", {"names": ["cms-gateway.terminal.example", "historian.terminal.example"]}),
    Step(1, 9, "crane-2-hmi", "dns", "infra-server", {"names": ["tos-server.terminal.example"]}),
    Step(1, 12, "planner-ws-1", "dns", "infra-server", {"names": ["tos-server.terminal.example"]}),
    Step(1, 10, "cms-gateway", "dns", "infra-server", {"names": [
        "crane-1-hmi.terminal.example", "crane-2-hmi.terminal.example", "crane-1-eng.terminal.example",
        "crane-2-eng.terminal.example", "infra-server.terminal.example"]}),
    # Work that a conduit allows.
    Step(1, 14, "cms-gateway", "s7-identify", "crane-1-plc"),
    Step(1, 15, "cms-gateway", "s7-identify", "crane-2-plc"),
    Step(1, 16, "cms-gateway", "cip-identify", "crane-3-plc"),
    Step(1, 16, "crane-1-drive-controller", "modbus-identify", "crane-1-hoist-drive"),
    Step(1, 17, "crane-1-drive-controller", "modbus-identify", "crane-1-trolley-drive"),
    Step(1, 17, "crane-2-drive-controller", "modbus-identify", "crane-2-hoist-drive"),
    Step(1, 18, "crane-2-drive-controller", "modbus-identify", "crane-2-trolley-drive"),
    Step(1, 18, "crane-3-hmi", "modbus-identify", "crane-3-hoist-drive"),
    Step(1, 19, "cms-gateway", "modbus-identify", "crane-1-io"),
    Step(1, 20, "cms-gateway", "modbus-identify", "crane-2-io"),
    Step(1, 21, "crane-1-hmi", "modbus-write", "crane-1-io", {"value": 300}),
    Step(1, 22, "planner-ws-1", "https", "tos-server"),
    Step(1, 24, "crane-1-eng", "https", "crane-1-hmi"),
    Step(1, 26, "crane-1-eng", "dcp-identify"),
    Step(1, 27, "crane-2-eng", "dcp-identify"),
    # Standing weaknesses.
    Step(1, 23, "tos-server", "ftp", "office-server", {"account": "edi:Ladeliste_2026"}, 3),
    Step(1, 25, "rfid-reader-1", "mqtt", "historian", {"account": "rfid-1:Gate-Tag-88"}),
    Step(1, 28, "crane-office-ws", "http-basic", "crane-1-hmi", {"account": "operator:Nordkai-17-Luv"}, 3),
    Step(1, 30, "crane-1-eng", "http-basic", "crane-1-hmi", {"account": "operator:Nordkai-17-Luv"}, 3),
    Step(1, 32, "crane-office-ws", "snmp-v2c", "crane-1-switch", {"community": "public"}),
    Step(1, 34, "crane-2-eng", "http-form", "crane-2-hmi", {"account": "supervisor:Spreader.41.Lee"}, 3),
    Step(1, 36, "crane-2-eng", "https-old", "crane-2-hmi", lasts=3),
    Step(1, 38, "crane-2-eng", "telnet", "crane-2-switch", {"account": "admin:admin"}, 4),
    Step(1, 40, "crane-2-hmi", "s7-read", "crane-1-plc", {"seconds": 5}, 7),
    Step(1, 42, "crane-3-hmi", "dns", "crane-3-modem", {"names": ["cloud.maker-b.example"]}),
    Step(1, 44, "crane-3-hmi", "https", "vendor-b-cloud", lasts=3),
]

_MAINTENANCE = [
    *_normal(2),
    Step(2, 5, "vendor-a-desk", "tunnel", "vpn-gateway", {"through": "203.0.113.254", "seconds": 32}, 34),
    Step(2, 12, "jump-host", "ssh", "crane-1-eng", {"seconds": 18}, 20),
    Step(2, 16, "crane-1-eng", "s7-upload", "crane-1-plc"),
    Step(2, 19, "crane-1-eng", "s7-stop", "crane-1-plc"),
    Step(2, 22, "crane-1-eng", "s7-download", "crane-1-plc", {"seed": 5}),
    Step(2, 25, "crane-1-eng", "s7-start", "crane-1-plc"),
    Step(2, 28, "crane-1-eng", "telnet", "crane-1-switch", {"account": "svc-temp:Kran!2026x"}, 4),
    Step(2, 14, "crane-1-eng", "tunnel", "tunnel-broker", {"seconds": 22}, 24),
]

_INTRUSION = [
    *_normal(3),
    Step(3, 6, "vendor-b-desk", "screen", "crane-3-hmi", {"through": "203.0.113.253", "secret": "hoist-03", "seconds": 12}, 16),
    Step(3, 8, "service-laptop-7", "dhcp", "crane-3-modem", {"interface": "eth1"}),
    Step(3, 14, "service-laptop-7", "cip-identify", "crane-3-plc"),
    Step(3, 17, "service-laptop-7", "http-basic", "crane-3-hmi", {"account": "admin:admin"}, 3),
    Step(3, 20, "service-laptop-7", "cip-write", "crane-3-plc"),
    Step(3, 23, "crane-3-hmi", "s7-identify", "crane-2-plc"),
    Step(3, 26, "crane-3-hmi", "s7-stop", "crane-2-plc"),
    Step(3, 30, "planner-ws-1", "s7-download", "crane-2-plc", {"seed": 66}),
    Step(3, 34, "planner-ws-1", "s7-start", "crane-2-plc"),
    Step(3, 37, "planner-ws-1", "modbus-write", "crane-1-io", {"value": 900}),
    Step(3, 41, "crane-2-eng", "dcp-rename", "crane-2-plc", {"new_name": "crane-2-plc-b"}, 3),
]

STEPS = _SHIFT_START + _MAINTENANCE + _INTRUSION

ATTACKS = [
    ("crane to crane", 1, 40, "crane-1", "crane-2's HMI reads crane-1's controller"),
    ("tunnel to the outside", 2, 14, "crane-1", "the engineering station opens an OpenVPN tunnel to 203.0.113.70"),
    ("vendor through the modem", 3, 6, "crane-3", "VNC from 203.0.113.20 to the HMI, announced by nobody"),
    ("laptop on the crane", 3, 8, "crane-3", "a service laptop takes an address from the modem, lists and writes to the controller"),
    ("stop from the neighbour", 3, 26, "crane-2", "crane-3's HMI stops crane-2's controller"),
    ("program from the office", 3, 30, "crane-2", "an office workstation downloads a block to crane-2's controller and starts it"),
    ("writes from the office", 3, 37, "crane-1", "an office workstation writes registers and a coil of crane-1's I/O"),
    ("positions jump", 3, 30, "crane-2", "the GNSS position of crane-2 jumps by 3.4 km"),
    ("positions lost", 3, 35, "crane-3", "the GNSS receiver of crane-3 loses its fix"),
]

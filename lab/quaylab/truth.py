"""Derives ground-truth.json from plan, scenario and documents: what an assessment of this terminal has to say.

No tool's output enters here. Findings that two careful readers could judge either way are listed under
`tolerated`: to report them is no error, and to leave them out is none either.
"""

import ipaddress
import json
from datetime import UTC, datetime
from pathlib import Path

from . import plan, truth_documents
from .commands import address_of
from .scenario import ATTACKS, GNSS_FAULT_AT, MARGIN, PHASES, STEPS, Step

OT_KINDS = {"crane", "ot"}
PUBLIC_KINDS = {"internet", "remote"}
CHANGES = {"write", "control", "program", "configure"}
CONTROL_PROTOCOLS = {"s7comm", "modbus", "cip"}
# Whoever reaches one of these can move the crane.
COMMANDED_ROLES = {"controller", "safety-controller", "drive", "io-device"}
MANAGEMENT = {"http", "telnet", "ftp", "vnc", "snmp"}
MANAGED_ROLES = {"controller", "safety-controller", "hmi", "drive", "switch"}
MAY_CHANGE = {"engineering-station", "hmi", "controller", "safety-controller"}

# What a step puts on the wire: the protocol's names as a conduit may spell them, and the classes of operation.
TRAFFIC = {
    "position": (("nmea", "nmea0183"), ()), "dns": (("dns",), ()), "time": (("ntp",), ()), "dhcp": (("dhcp",), ()),
    "s7-poll": (("s7comm",), ("read",)), "s7-read": (("s7comm",), ("read",)), "s7-identify": (("s7comm",), ("identify",)),
    "s7-write": (("s7comm",), ("write",)), "s7-upload": (("s7comm",), ("program",)), "s7-download": (("s7comm",), ("program",)),
    "s7-stop": (("s7comm",), ("control",)), "s7-start": (("s7comm",), ("control",)),
    "modbus-poll": (("modbus",), ("read",)), "modbus-identify": (("modbus",), ("identify",)), "modbus-write": (("modbus",), ("write",)),
    "cip-poll": (("cip", "enip"), ("read",)), "cip-identify": (("cip", "enip"), ("identify",)), "cip-write": (("cip", "enip"), ("write",)),
    "http-basic": (("http",), ()), "http-form": (("http",), ()), "https": (("tls", "https"), ()), "https-old": (("tls", "https"), ()),
    "ftp": (("ftp",), ()), "telnet": (("telnet",), ()), "mqtt": (("mqtt",), ()), "ssh": (("ssh",), ()),
    "snmp-v2c": (("snmp",), ()), "snmp-v3": (("snmp",), ()), "tunnel": (("openvpn",), ()), "screen": (("vnc", "rfb"), ()),
    "dcp-identify": (("profinet-dcp",), ("identify",)), "dcp-rename": (("profinet-dcp",), ("configure",)),
}


class Flow:
    """One step as seen on the wire."""

    def __init__(self, step: Step):
        self.step = step
        self.protocols, self.classes = TRAFFIC[step.do]
        self.server = address_of(step.to, step.host)
        self.client = self._client_address()
        segment = plan.BY_NAME[step.to].nics[0].segment
        self.client_zone, self.server_zone = (plan.zone_of(segment, a) for a in (self.client, self.server))
        self.client_host, self.server_host = plan.BY_NAME[step.host], plan.BY_NAME[step.to]

    def _client_address(self) -> str:
        nics = plan.BY_NAME[self.step.host].nics
        live = [n for n in nics if not n.phases or self.step.phase in n.phases]
        to = {n.segment for n in plan.BY_NAME[self.step.to].nics}
        return next((n for n in live if n.segment in to), live[0]).known_as

    @property
    def name(self) -> str:
        return self.protocols[0]

    @property
    def crosses(self) -> bool:
        return self.client_zone != self.server_zone

    @property
    def allowed(self) -> bool:
        return any(c.client_zone == self.client_zone and c.server_zone == self.server_zone
                   and (not c.protocols or set(c.protocols) & set(self.protocols))
                   and (not c.classes or set(self.classes) <= set(c.classes)) for c in plan.CONDUITS)

    def kind(self, end: str) -> str:
        return plan.zone_named(end).kind

    def crane(self, zone: str) -> str | None:
        return next((c.id for c in plan.CRANES if zone in c.zones), None)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def finding(control: str, subjects: list[str], why: str, steps: list[Step] | None = None) -> dict:
    """One true instance; without steps it holds for the whole day."""
    if steps:
        begins, ends = min(s.begins for s in steps), max(s.ends for s in steps)
    else:
        begins, ends = PHASES[0].begins - MARGIN, PHASES[-1].begins + MARGIN * 4
    return {"control": control, "subjects": subjects, "from": _time(begins), "to": _time(ends), "why": why}


def _grouped(flows: list[Flow], key) -> dict:
    groups: dict = {}
    for flow in flows:
        groups.setdefault(key(flow), []).append(flow)
    return groups


def _segmentation(flows: list[Flow]) -> list[dict]:
    out = []
    pair = lambda f: (f.client, f.server, f.name)  # noqa: E731
    wrong = [f for f in flows if f.crosses and not f.allowed]
    for (client, server, name), group in _grouped(wrong, pair).items():
        steps, first = [f.step for f in group], group[0]
        out.append(finding("seg-flow-without-conduit", [client, server],
                           f"{name} from zone {first.client_zone} to {first.server_zone}; no conduit allows it", steps))
        if name in CONTROL_PROTOCOLS and set(first.server_host.roles) & COMMANDED_ROLES:
            out.append(finding("seg-controller-reachable", [client, server],
                               f"{name} on {first.server_host.name} from zone {first.client_zone}", steps))
        cranes = first.crane(first.client_zone), first.crane(first.server_zone)
        if all(cranes) and cranes[0] != cranes[1]:
            out.append(finding("seg-crane-to-crane", [client, server], f"{name} from {cranes[0]} to {cranes[1]}", steps))
    for (client, server, name), group in _grouped([f for f in flows if f.crosses], pair).items():
        steps, first = [f.step for f in group], group[0]
        kinds = {first.kind(first.client_zone): client, first.kind(first.server_zone): server}
        ot = next((a for k, a in kinds.items() if k in OT_KINDS), None)
        public = next((a for k, a in kinds.items() if k in PUBLIC_KINDS), None)
        if ot and public:
            out.append(finding("seg-internet-from-ot", [ot, public], f"{name} between an OT zone and a public address", steps))
        encrypted = first.step.do == "snmp-v3"
        if name in MANAGEMENT and not encrypted and set(first.server_host.roles) & MANAGED_ROLES:
            out.append(finding("seg-exposed-management-service", [server],
                               f"{name} of {first.server_host.name} reached from {client} in zone {first.client_zone}", steps))
    out += [
        finding("seg-dual-homed-asset", ["planner-ws-2"], "one workstation has a foot in the office and one in the TOS network; "
                "it sends the same host name in both by DHCP", [s for s in STEPS if s.host == "planner-ws-2"]),
        finding("seg-dual-homed-asset", ["d4:ae:52:50:00:47"], "service-laptop-7 was plugged in the office at 08:00 and on crane-3 at "
                "14:00, with the same MAC and host name", [s for s in STEPS if s.host == "service-laptop-7"]),
        finding("seg-undeclared-gateway", ["10.30.3.254"], "a cellular modem on crane-3 offers itself as router by DHCP and forwards "
                "public addresses; nobody declared it",
                [s for s in STEPS if "crane-3-modem" in (s.host, s.to) or s.to == "vendor-b-cloud" or s.host == "vendor-b-desk"]),
    ]
    return out


def _changes(flows: list[Flow]) -> list[dict]:
    out = []
    changing = [f for f in flows if set(f.classes) & CHANGES]
    for (client, server), group in _grouped(changing, lambda f: (f.client, f.server)).items():
        steps, first = [f.step for f in group], group[0]
        what = ", ".join(sorted({s.do for s in steps}))
        if not set(first.client_host.roles) & MAY_CHANGE:
            out.append(finding("acct-state-change-by-stranger", [client, server],
                               f"{what} by {first.client_host.name} ({first.client_host.roles[0]})", steps))
        outside = [f.step for f in group if set(f.classes) & (CHANGES - {"write"}) and not truth_documents.in_window(f)]
        if outside:
            # DCP has no IP header: the operation is between MAC addresses.
            subjects = [first.server_host.nics[0].mac] if first.name == "profinet-dcp" else [client, server]
            out.append(finding("mon-state-change-outside-window", subjects, f"{what} on {first.server_host.name}", outside))
    return out


def _watching(flows: list[Flow]) -> list[dict]:
    def gnss(n: int, at: int) -> list[Step]:
        step = Step(3, at, f"crane-{n}-gnss", "position", "cms-gateway", lasts=PHASES[2].seconds - at)
        return [step]

    old = [f.step for f in flows if f.step.do == "https-old"]
    skewed = [f.step for f in flows if f.step.to == "crane-2-hmi" and f.step.do.startswith("http")]
    identified = [f.step for f in flows if f.step.do == "s7-identify" and f.step.host == "cms-gateway"]
    return [
        finding("upd-end-of-life-protocol", ["10.30.2.20"], "crane-2's HMI negotiates TLS 1.0", old),
        finding("upd-firmware-differs-between-sisters", ["2.9.2", "2.8.3"], "the controllers of crane-1 and crane-2 run different "
                "firmware", identified),
        finding("mon-clock-skew", ["10.30.2.20"], "the HTTP Date of crane-2's HMI is an hour behind", skewed),
        finding("mon-position-implausible", ["10.30.2.40"], "the position of crane-2 jumps by 3.4 km within a second", gnss(2, GNSS_FAULT_AT[2])),
        finding("mon-position-implausible", ["10.30.3.40"], "the receiver of crane-3 loses its fix", gnss(3, GNSS_FAULT_AT[3])),
    ]


def _remote(flows: list[Flow]) -> list[dict]:
    out = []
    for flow in flows:
        if flow.step.do not in ("tunnel", "screen") or flow.server_host.name == "vpn-gateway":
            continue
        out.append(finding("acct-remote-access-outside", [flow.client, flow.server],
                           f"{flow.name} between {flow.client_host.name} and {flow.server_host.name}", [flow.step]))
        if flow.kind(flow.client_zone) in PUBLIC_KINDS:
            out.append(finding("acct-remote-session-without-work-order", [flow.client, flow.server],
                               "a session from outside that no work order announces for this day", [flow.step]))
    return out


def _assets() -> list[dict]:
    out = []
    for host in plan.HOSTS:
        for nic in (n for n in host.nics if n.segment != "outside"):
            wire = list(host.on_wire)
            out.append({
                "segment": nic.segment, "address": nic.known_as, "mac": nic.mac, "name": host.name, "roles": list(host.roles),
                "vendor": host.vendor, "model": host.model, "firmware": host.firmware, "serial": host.serial, "crane": host.crane,
                "system": host.system, "zone": plan.zone_of(nic.segment, nic.known_as), "seen": host.seen,
                "declared": host.declared,
                "attributes_on_wire": sorted({*wire, *(["vendor"] if host.seen else [])})})
    return sorted(out, key=lambda a: (a["segment"], ipaddress.ip_address(a["address"])))


TOLERATED = [
    {"control": "acct-clear-text-credential", "subjects": ["10.30.1.2"], "why": "an SNMP v2c community is a secret in clear, but no login"},
    {"control": "acct-remote-session-without-work-order", "subjects": ["10.30.1.30", "203.0.113.70"],
     "why": "the tunnel is opened from inside, so who came in through it is not to be seen"},
    {"control": "seg-dual-homed-asset", "subjects": ["10.30.3.254"],
     "why": "the modem's MAC also carries public addresses; that is what makes it an undeclared gateway"},
]

CLEAN = [
    "scan-older-than-interval", "mon-segment-without-sensor",
    *({"control": control, "not_subject": subject} for control, subject in [
        ("seg-flow-without-conduit", "10.20.0.20"), ("seg-controller-reachable", "10.20.0.20"),
        ("seg-exposed-management-service", "10.30.3.2"), ("seg-dual-homed-asset", "10.20.0.1"),
        ("seg-permit-any-any", "vpn-gateway"), ("seg-undeclared-gateway", "10.30.1.1"),
        ("upd-end-of-life-protocol", "10.30.1.20"), ("upd-firmware-differs-between-sisters", "SINAMICS"),
        ("mon-clock-skew", "10.40.0.53"), ("mon-clock-skew", "10.30.1.20"), ("mon-position-implausible", "10.30.1.40"),
        ("mon-state-change-outside-window", "10.30.1.10"), ("acct-clear-text-credential", "quayops"),
        ("acct-default-credential", "operator"), ("acct-default-credential", "supervisor"),
        ("acct-leaver-active", "commissioning"), ("acct-unregistered-account", "operator"),
        ("acct-shared-account", "supervisor"), ("acct-remote-access-outside", "10.40.0.10"),
        ("acct-remote-session-without-work-order", "203.0.113.10"), ("acct-state-change-by-stranger", "10.30.1.30"),
        ("rec-critical-asset-without-backup", "crane-1-plc"), ("rec-backup-older-than-download", "10.30.1.10"),
        ("rec-download-without-work-order", "10.30.1.10")]),
]


def ground_truth() -> dict:
    flows = [Flow(s) for s in STEPS if s.to]
    findings = (_segmentation(flows) + _changes(flows) + _watching(flows) + _remote(flows)
                + truth_documents.findings(flows, finding))
    fired = {f["control"] for f in findings}
    verdicts = {c: "not-satisfied" for c in sorted(fired)} | {
        "scan-older-than-interval": "satisfied", "mon-segment-without-sensor": "satisfied", "rec-restore-never-tested": "not-assessed"}
    attacks = [{"name": name, "at": _time(Step(phase, at, "", "").begins), "segment": segment, "what": what}
               for name, phase, at, segment, what in ATTACKS]
    return {"assets": _assets(), "findings": sorted(findings, key=lambda f: (f["control"], f["subjects"])), "clean": CLEAN,
            "tolerated": TOLERATED, "verdicts": dict(sorted(verdicts.items())), "attacks": attacks}


def write(terminal: Path) -> None:
    (terminal / "ground-truth.json").write_text(json.dumps(ground_truth(), indent=1) + "\n")

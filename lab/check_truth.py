"""Holds ground-truth.json against the captures (with tshark) and the documents; ends non-zero on any mismatch.

It checks both ways: everything the truth claims must be on the wire or in a document, and every pair of zones
that talks in the captures must be known to the truth or allowed by a conduit.
"""

import csv
import datetime
import email.utils
import ipaddress
import json
import re
import sys
import tomllib
from pathlib import Path

from quaylab.wire_questions import Wire, between, epoch

TERMINAL = Path(__file__).parent / "terminal"
CHANGE = ("(s7comm.header.rosctr==1 && s7comm.param.func in {0x05,0x1a,0x28,0x29}) || modbus.func_code in {5,6,15,16}"
          " || cip.service in {0x4d,0x53,0x05,0x06,0x07}")
CONTROL_OR_PROGRAM = "s7comm.header.rosctr==1 && s7comm.param.func in {0x1a,0x28,0x29}"
CONTROL_PROTOCOL = "s7comm || modbus || enip"
LOGIN = ("http.authbasic || urlencoded-form || ftp.request.command==\"PASS\" || mqtt.passwd || telnet")


CONTROL_PORTS = (102, 502, 44818)
PORTS = {21: "ftp", 22: "ssh", 53: "dns", 80: "http", 102: "s7comm", 123: "ntp", 161: "snmp", 443: "tls", 502: "modbus",
         1194: "openvpn", 5900: "vnc", 10110: "nmea", 44818: "enip"}


class Truth:
    def __init__(self) -> None:
        self.truth = json.loads((TERMINAL / "ground-truth.json").read_text())
        self.site = tomllib.loads((TERMINAL / "site.toml").read_text())
        self.wire = Wire(TERMINAL / "captures")
        self.problems: list[str] = []

    def document(self, name: str) -> list[dict]:
        with (TERMINAL / "documents" / name).open(newline="") as rows:
            return list(csv.DictReader(rows))

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.problems.append(what)

    def name_of(self, address: str) -> str:
        return next((a["name"] for a in self.truth["assets"] if a["address"] == address), address)

    def zone_of(self, segment: str, address: str) -> dict | None:
        ip = ipaddress.ip_address(address)
        return next((z for z in self.site["zone"] if (not z.get("segments") or segment in z["segments"])
                     and any(ip in ipaddress.ip_network(c) for c in z["cidrs"])), None)


def both(finding: dict) -> str:
    a, b = finding["subjects"]
    return f"ip.addr=={a} && ip.addr=={b} && {between(finding)}"


def server_of(finding: dict) -> str:
    return finding["subjects"][-1]


def clock_skew(t: Truth, f: dict) -> bool:
    rows = t.wire.rows(f"http.date && ip.src=={server_of(f)} && {between(f)}", "frame.time_epoch", "http.date")
    return any(abs(email.utils.parsedate_to_datetime(date).timestamp() - float(at)) > 60 for at, date in rows)


def positions(t: Truth, address: str) -> list[tuple[float, float | None]]:
    """(time, latitude in degrees, None without a fix) of each GGA sentence, from the capture nearest the receiver."""
    out = []
    for at, payload in t.wire.rows(f"udp.dstport==10110 && ip.src=={address}", "frame.time_epoch", "udp.payload", segment="yard"):
        fields = bytes.fromhex(payload.replace(":", "")).decode().split("\r\n")[0].split(",")
        fixed = fields[6] != "0"
        out.append((float(at), int(fields[2][:2]) + float(fields[2][2:]) / 60 if fixed else None))
    return out


def implausible(t: Truth, address: str) -> bool:
    sequence = positions(t, address)
    for (at, here), (later, there) in zip(sequence, sequence[1:]):
        if there is None or here is None:
            return True
        # 111 km to a degree of latitude; no crane travels at 20 m/s.
        if later - at < 60 and abs(there - here) * 111_000 > 20 * max(later - at, 1):
            return True
    return False


def dual_homed(t: Truth, f: dict) -> bool:
    subject = f["subjects"][0]
    test = f"eth.src=={subject}" if subject.count(":") == 5 else f'dhcp.option.hostname=="{subject}"'
    return sum(t.wire.seen(test, segment) for segment in t.wire.segments()) >= 2


def default_credential(t: Truth, f: dict) -> bool:
    window, server = between(f), server_of(f)
    if t.wire.seen(f'snmp.community=="public" && ip.dst=={server} && {window}'):
        return True
    if t.wire.seen(f'http.authbasic=="admin:admin" && ip.dst=={server} && {window}'):
        return True
    typed = t.wire.rows(f"telnet.data && ip.dst=={server} && {window}", "telnet.data")
    return "admin" in "".join(row[0] for row in typed).replace("\\r", "").replace("\\n", "").replace("\\x00", "")


def unregistered(t: Truth, f: dict) -> bool:
    return f["subjects"][0] not in {a["account"] for a in t.document("accounts.csv")}


def shared(t: Truth, f: dict) -> bool:
    account = f["subjects"][0]
    if any(a["account"] == account and a["shared"] == "true" for a in t.document("accounts.csv")):
        return True
    rows = t.wire.rows(f'http.authbasic contains "{account}:" && {between(f)}', "ip.src")
    return len({row[0] for row in rows}) > 1


def leaver(t: Truth, f: dict) -> bool:
    left = {p["person"] for p in t.document("people.csv") if p["left_on"]}
    return any(a["account"] == f["subjects"][0] and a["enabled"] == "true" and a["person"] in left for a in t.document("accounts.csv"))


def without_backup(t: Truth, f: dict) -> bool:
    address = server_of(f)
    critical = any(a["address"] == address and a["critical"] for a in t.site["asset"])
    return critical and not {address, t.name_of(address)} & {b["asset"] for b in t.document("backups.csv")}


def backup_older(t: Truth, f: dict) -> bool:
    taken = [epoch(b["taken_at"]) for b in t.document("backups.csv") if b["asset"] == t.name_of(server_of(f))]
    loads = t.wire.rows(f"s7comm.param.func==0x1a && ip.dst=={server_of(f)} && {between(f)}", "frame.time_epoch")
    return bool(taken and loads) and max(taken) < min(float(row[0]) for row in loads)


def download_unordered(t: Truth, f: dict) -> bool:
    rows = t.wire.rows(f"s7comm.header.rosctr==1 && s7comm.param.func==0x1a && ip.dst=={server_of(f)} && {between(f)}",
                       "frame.time_epoch", "ip.src")
    orders = t.document("work-orders.csv")
    return any(not any(o["source"] in ("", source) and epoch(o["from"]) <= float(at) <= epoch(o["to"]) for o in orders)
               for at, source in rows)


def not_scanned(t: Truth, f: dict) -> bool:
    return f["subjects"][1] not in {s["target"] for s in t.document("scans.csv")}


def permit_any(t: Truth, f: dict) -> bool:
    text = (TERMINAL / "documents" / f"{f['subjects'][0]}.rules").read_text()
    return any(re.fullmatch(r"-A FORWARD( -m comment --comment (\"[^\"]*\"|\S+))? -j ACCEPT", line) for line in text.splitlines())


def state_change(t: Truth, f: dict) -> bool:
    if len(f["subjects"]) == 1:
        return t.wire.seen(f"pn_dcp.service_id==4 && eth.dst=={f['subjects'][0]} && {between(f)}")
    return t.wire.seen(f"({CONTROL_OR_PROGRAM}) && {both(f)}")


def firmware_differs(t: Truth, f: dict) -> bool:
    return all(t.wire.contains(b"V" + bytes(int(n) for n in version.split("."))) for version in f["subjects"])


PROOF = {
    "seg-flow-without-conduit": lambda t, f: t.wire.seen(both(f)),
    "seg-crane-to-crane": lambda t, f: t.wire.seen(both(f)),
    "seg-controller-reachable": lambda t, f: t.wire.seen(f"({CONTROL_PROTOCOL}) && {both(f)}"),
    "seg-internet-from-ot": lambda t, f: t.wire.seen(both(f)),
    "seg-exposed-management-service": lambda t, f: t.wire.seen(
        f"(http.request || vnc || snmp.version in {{0,1}} || telnet) && ip.dst=={server_of(f)} && {between(f)}"),
    "seg-dual-homed-asset": dual_homed,
    "seg-undeclared-gateway": lambda t, f: t.wire.seen(f"dhcp.option.router=={server_of(f)}"),
    "seg-permit-any-any": permit_any,
    "upd-end-of-life-protocol": lambda t, f: t.wire.seen(
        f"tls.handshake.type==2 && tls.handshake.version==0x0301 && ip.src=={server_of(f)} && {between(f)}"),
    "upd-firmware-differs-between-sisters": firmware_differs,
    "scan-asset-not-scanned": not_scanned,
    "mon-clock-skew": clock_skew,
    "mon-state-change-outside-window": state_change,
    "mon-position-implausible": lambda t, f: implausible(t, server_of(f)),
    "acct-clear-text-credential": lambda t, f: t.wire.seen(f"({LOGIN}) && ip.dst=={server_of(f)} && {between(f)}"),
    "acct-default-credential": default_credential,
    "acct-leaver-active": leaver,
    "acct-shared-account": shared,
    "acct-unregistered-account": unregistered,
    "acct-remote-access-outside": lambda t, f: t.wire.seen(f"(openvpn || vnc) && {both(f)}"),
    "acct-remote-session-without-work-order": lambda t, f: t.wire.seen(f"(openvpn || vnc) && {both(f)}"),
    "acct-state-change-by-stranger": lambda t, f: t.wire.seen(f"({CHANGE}) && {both(f)}"),
    "rec-critical-asset-without-backup": without_backup,
    "rec-backup-older-than-download": backup_older,
    "rec-download-without-work-order": download_unordered,
}


def check_findings(t: Truth) -> None:
    for finding in t.truth["findings"]:
        control = finding["control"]
        t.expect(control in PROOF, f"no proof known for {control}")
        if control in PROOF:
            t.expect(PROOF[control](t, finding), f"not found: {control} {finding['subjects']}")


def encodings(attribute: str, value: str) -> list[bytes]:
    """The byte strings by which a device may say this value."""
    out = [value.encode()]
    numbers = re.fullmatch(r"\d+(\.\d+)+", value)
    if attribute == "firmware" and numbers:
        parts = bytes(int(n) for n in value.split("."))
        out += [b"V" + parts, parts] if len(parts) > 2 else [parts]
    if attribute == "serial" and re.fullmatch(r"[0-9a-f]{8}", value):
        out.append(bytes.fromhex(value)[::-1])
    return out


def check_assets(t: Truth) -> None:
    for asset in t.truth["assets"]:
        where, label = asset["segment"], f"{asset['segment']}/{asset['address']}"
        seen = bool(asset["mac"]) and t.wire.seen(f"eth.src=={asset['mac']} && (ip.src=={asset['address']} || "
                                                  f"arp.src.proto_ipv4=={asset['address']} || dhcp)", where)
        t.expect(seen == asset["seen"], f"{label}: seen is {seen}, the truth says {asset['seen']}")
        for attribute in asset["attributes_on_wire"]:
            value = asset[attribute]
            if attribute == "vendor":
                continue  # the MAC prefix, checked with the address
            if attribute == "name":
                found = t.wire.contains(value.encode())
            else:
                found = any(t.wire.contains(e, where, asset["mac"]) for e in encodings(attribute, value))
            t.expect(bool(value) and found, f"{label}: {attribute} {value!r} is not on the wire")


def check_completeness(t: Truth) -> None:
    """Every pair of hosts that talks across zones is in the truth's flows or allowed by a conduit, by the ports it opens."""
    known = {frozenset(f["subjects"]) for f in t.truth["findings"] if f["control"] == "seg-flow-without-conduit"}
    strange, crossing = set(), set()
    for segment in t.wire.segments():
        pairs = {tuple(r) for r in t.wire.rows("ip && !(ip.dst==224.0.0.0/4 || ip.dst==255.255.255.255 || ip.src==0.0.0.0)",
                                               "ip.src", "ip.dst", segment=segment)}
        for source, target in pairs:
            if "," in source or "," in target:
                strange.add(f"{segment}: IP inside ICMP between {source} and {target}")
                continue
            zones = t.zone_of(segment, source), t.zone_of(segment, target)
            if None in zones:
                strange.add(f"{segment}: {source} > {target} is in no zone")
            elif zones[0]["id"] != zones[1]["id"] and frozenset((source, target)) not in known:
                crossing.add((zones[0]["id"], zones[1]["id"], source, target))
    opened = {tuple(r) for r in t.wire.rows("tcp.flags.syn==1 && tcp.flags.ack==0", "ip.src", "ip.dst", "tcp.dstport")}
    # NTP and OpenVPN use their port on both ends: who spoke first is the client.
    for _, source, target, port in sorted(t.wire.rows("udp", "frame.time_epoch", "ip.src", "ip.dst", "udp.dstport")):
        if int(port) in PORTS and (target, source, port) not in opened:
            opened.add((source, target, port))
    for source_zone, target_zone, source, target in crossing:
        protocols = {PORTS.get(int(port), f"port {port}") for s, d, port in opened if (s, d) == (source, target)}
        if "ftp" in protocols:
            protocols = {p for p in protocols if not p.startswith("port ")}  # passive data connections
        allowed = {p for c in t.site["conduit"] if (c["from"], c["to"]) == (source_zone, target_zone) for p in c["protocols"]}
        answers = any((s, d) == (target, source) for s, d, _ in opened)
        if not protocols <= allowed or not (protocols or answers):
            strange.add(f"{source} > {target} crosses {source_zone} > {target_zone} with {sorted(protocols)}, unknown to the truth")
    for line in sorted(strange):
        t.expect(False, line)
    logins = t.wire.rows('http.authorization || ftp.request.command=="PASS" || mqtt.passwd || urlencoded-form', "ip.dst")
    logins += t.wire.rows("telnet && tcp.dstport==23", "ip.dst")
    listed = {f["subjects"][-1] for f in t.truth["findings"] if f["control"] == "acct-clear-text-credential"}
    t.expect({r[0] for r in logins} == listed, f"clear logins at {sorted({r[0] for r in logins})}, truth has {sorted(listed)}")
    loads = {r[0] for r in t.wire.rows("s7comm.header.rosctr==1 && s7comm.param.func==0x1a", "ip.dst")}
    t.expect(loads == {"10.30.1.10", "10.30.2.10"}, f"downloads to {loads}")
    requests = f"({CHANGE}) && tcp.dstport in {{{', '.join(map(str, CONTROL_PORTS))}}}"
    changes = {tuple(r) for r in t.wire.rows(requests, "ip.src", "ip.dst")}
    roles = {a["address"]: a["roles"] for a in t.truth["assets"]}
    strangers = {frozenset(c) for c in changes if not set(roles.get(c[0], [])) & {"hmi", "engineering-station", "controller"}}
    told = {frozenset(f["subjects"]) for f in t.truth["findings"] if f["control"] == "acct-state-change-by-stranger"}
    t.expect(strangers == told, f"changes by strangers: {[sorted(p) for p in strangers ^ told]} differ from the truth")


def check_verdicts(t: Truth) -> None:
    fired = {f["control"] for f in t.truth["findings"]}
    for control, verdict in t.truth["verdicts"].items():
        t.expect((verdict == "not-satisfied") == (control in fired), f"{control}: {verdict}, but findings say otherwise")
    t.expect(not (TERMINAL / "documents" / "restore-tests.csv").exists(), "restore-tests.csv must be missing")
    t.expect({s["id"] for s in t.site["segment"]} == set(t.wire.segments()), "a segment has no capture")
    oldest = min(epoch(s["scanned_at"]) for s in t.document("scans.csv"))
    as_of = t.site["site"]["as_of"]
    age = datetime.timedelta(seconds=epoch(as_of) - oldest).days
    t.expect(age < t.site["intervals"]["scan_days"], f"the oldest scan is {age} days old")
    for entry in t.truth["clean"]:
        if isinstance(entry, dict):
            hit = [f for f in t.truth["findings"] if f["control"] == entry["control"] and f["subjects"][-1:] == [entry["not_subject"]]]
            t.expect(not hit, f"{entry} contradicts a finding")


def check_wire_is_sound(t: Truth) -> None:
    t.expect(not t.wire.seen("_ws.malformed"), "malformed frames")
    t.expect(not t.wire.seen("icmp"), "ICMP that no scenario asked for")
    t.expect(not t.wire.seen("ipv6"), "IPv6 that the plan does not have")
    t.expect(t.wire.seen("lldp") and t.wire.seen("mdns") and t.wire.seen("pn_dcp"), "LLDP, mDNS or DCP missing")


def main() -> int:
    t = Truth()
    for check in (check_findings, check_assets, check_completeness, check_verdicts, check_wire_is_sound):
        check(t)
    for problem in t.problems:
        print(problem)
    count = len(t.truth["findings"])
    controls = len({f["control"] for f in t.truth["findings"]})
    print(f"{count} findings of {controls} controls, {len(t.truth['assets'])} assets: {len(t.problems)} mismatches")
    return 1 if t.problems else 0


if __name__ == "__main__":
    sys.exit(main())

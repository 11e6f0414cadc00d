"""Writes what the terminal would hand an assessor: site.toml and the documents, for the day of the scenario.

restore-tests.csv is left out on purpose: the terminal keeps none, and that control must come out "not assessed".
"""

import csv
import re
from pathlib import Path

from . import plan

# An account on a device that a person or program uses; `system` is the asset's declared name.
ACCOUNTS = [
    # system, account, person, privileged, enabled, mfa, shared, last_login
    ("crane-1-hmi", "operator", "shift-electrician-1", False, True, False, False, "2026-11-02T08:00:28Z"),
    ("crane-2-hmi", "supervisor", "crane-supervisor-1", True, True, False, False, "2026-11-02T08:00:34Z"),
    ("crane-3-hmi", "admin", "crane-supervisor-2", True, True, False, False, "2026-11-02T14:00:17Z"),
    ("crane-2-switch", "admin", "network-technician-1", True, True, False, False, "2026-11-02T08:00:38Z"),
    ("crane-3-switch", "quayops", "network-technician-1", False, True, False, False, "2026-11-02T08:00:13Z"),
    ("yard-switch", "quayops", "network-technician-1", False, True, False, False, "2026-11-02T08:00:17Z"),
    ("crane-1-eng", "maintenance", "shift-electrician-2", True, True, True, False, "2026-11-02T10:00:12Z"),
    ("crane-2-eng", "shift", "shift-electrician-2", False, True, False, True, "2026-11-01T21:10:00Z"),
    ("crane-1-eng", "commissioning", "commissioning-engineer-1", True, False, False, False, "2025-03-14T09:00:00Z"),
    ("tos-server", "planning4", "vessel-planner-4", False, True, True, False, "2026-06-29T15:20:00Z"),
    ("tos-server", "planning5", "vessel-planner-5", False, True, True, False, "2026-11-02T07:45:00Z"),
    ("office-server", "edi", "edi-clerk-1", False, True, False, False, "2026-11-02T08:00:23Z"),
    ("historian", "rfid-1", "gate-technician-1", False, True, False, False, "2026-11-02T08:00:25Z"),
    ("jump-host", "maker-a-service", "maker-a-technician-1", True, True, True, False, "2026-11-02T10:00:05Z"),
]

PEOPLE = [
    ("shift-electrician-1", "electrician", ""), ("shift-electrician-2", "electrician", ""),
    ("crane-supervisor-1", "supervisor", ""), ("crane-supervisor-2", "supervisor", ""),
    ("network-technician-1", "network technician", ""), ("gate-technician-1", "technician", ""),
    ("edi-clerk-1", "clerk", ""), ("vessel-planner-5", "planner", ""), ("maker-a-technician-1", "vendor technician", ""),
    ("vessel-planner-4", "planner", "2026-06-30"), ("commissioning-engineer-1", "vendor engineer", "2025-04-30"),
]

BACKUPS = [
    ("crane-1-plc", "2026-11-02T11:30:00Z", True), ("crane-2-plc", "2026-10-20T09:00:00Z", True),
    ("crane-1-hmi", "2026-10-20T09:20:00Z", True), ("crane-2-hmi", "2026-10-20T09:40:00Z", True),
    ("crane-1-drive-controller", "2026-10-20T10:00:00Z", True), ("crane-2-drive-controller", "2026-10-20T10:10:00Z", True),
    ("tos-server", "2026-11-02T02:00:00Z", False),
]

WORK_ORDERS = [
    ("WO-2026-0398", "crane-3", "Maker B Service", "", "203.0.113.20", "2026-10-28T08:00:00Z", "2026-10-28T12:00:00Z",
     "panel update (done)"),
    ("WO-2026-0411", "crane-1", "Terminal maintenance", "maintenance", "10.30.1.30", "2026-11-02T09:30:00Z",
     "2026-11-02T11:30:00Z", "load new anti-sway parameters into the crane's controller"),
    ("WO-2026-0412", "remote-access", "Maker A Service", "maker-a-service", "203.0.113.10", "2026-11-02T09:30:00Z",
     "2026-11-02T11:30:00Z", "remote support for WO-2026-0411 through the VPN gateway"),
    ("WO-2026-0413", "crane-1", "Maker A Service", "maintenance", "10.40.0.20", "2026-11-02T09:30:00Z",
     "2026-11-02T11:30:00Z", "remote support for WO-2026-0411 from the jump host"),
]

# Never scanned: the drive networks (no scanner reaches them), the reader, and what nobody knows of.
NOT_SCANNED = {"crane-1-drive-controller", "crane-1-hoist-drive", "crane-1-trolley-drive", "crane-2-drive-controller",
               "crane-2-hoist-drive", "crane-2-trolley-drive", "rfid-reader-1", "crane-3-modem"}

MAINTENANCE_WINDOWS = [("crane-1", "2026-11-02T09:30:00Z", "2026-11-02T11:30:00Z")]
INTERVALS = {"scan_days": 90, "backup_days": 30, "review_days": 90, "restore_test_days": 365}


def inside_nics(host: plan.Host) -> list[plan.Nic]:
    """The host's interfaces on the terminal's own segments."""
    return [n for n in host.nics if n.segment != "outside"]


def _csv(file: Path, header: str, rows: list[tuple]) -> None:
    with file.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header.split(","))
        for row in rows:
            writer.writerow([str(v).lower() if isinstance(v, bool) else v for v in row])


def _scans() -> list[tuple]:
    rows = []
    for host in plan.HOSTS:
        if host.name in NOT_SCANNED:
            continue
        for nic in inside_nics(host):
            # Cranes were scanned in the September lay-up, everything else monthly.
            when = "2026-09-15T03:00:00Z" if nic.segment.startswith("crane") else "2026-10-18T02:00:00Z"
            rows.append((nic.known_as, when, "Vulnerability Manager 9", "server" in host.roles))
    return rows


def _backup_hash(asset: str) -> str:
    import hashlib

    return hashlib.sha256(f"lab backup of {asset}".encode()).hexdigest()


def _quoted(values: object) -> str:
    return "[" + ", ".join(f'"{v}"' for v in values) + "]"


def _members(chosen: list[plan.Host]) -> str:
    return _quoted(f"{n.segment}/{n.known_as}" for h in chosen if h.declared for n in inside_nics(h))


def site_toml() -> str:
    lines = ["# The terminal as its owner declares it. What is missing here (a modem, two laptops) is for the assessment to find.",
             "[site]", f'id = "{plan.SITE_ID}"', f'name = "{plan.SITE_NAME}"', f'as_of = "{plan.AS_OF}"', ""]
    for segment in plan.SEGMENTS:
        if segment.captured:
            lines += ["[[segment]]", f'id = "{segment.id}"', f'captures = ["{segment.id}*.pcapng"]', ""]
    for zone in plan.ZONES:
        lines += ["[[zone]]", f'id = "{zone.id}"', f'kind = "{zone.kind}"', f"level = {zone.level}", f"cidrs = {_quoted(zone.cidrs)}"]
        if zone.segments:
            lines.append(f"segments = {_quoted(zone.segments)}")
        lines.append("")
    for conduit in plan.CONDUITS:
        lines += ["[[conduit]]", f'id = "{conduit.id}"', f'from = "{conduit.client_zone}"', f'to = "{conduit.server_zone}"',
                  f"protocols = {_quoted(conduit.protocols)}"]
        if conduit.classes:
            lines.append(f"classes = {_quoted(conduit.classes)}")
        lines.append("")
    for crane in plan.CRANES:
        members = [h for h in plan.HOSTS if h.crane == crane.id]
        lines += ["[[crane]]", f'id = "{crane.id}"', 'kind = "sts"', f'maker = "{crane.maker}"', f'model = "{crane.model}"',
                  f"year = {crane.year}", f"foreign = {str(crane.foreign).lower()}", f"members = {_members(members)}",
                  f"zones = {_quoted(crane.zones)}", f"sisters = {_quoted(crane.sisters)}", ""]
    for name, (kind, zones) in plan.SYSTEMS.items():
        members = [h for h in plan.HOSTS if h.system == name]
        lines += ["[[system]]", f'id = "{name}"', f'kind = "{kind}"', f"members = {_members(members)}", f"zones = {_quoted(zones)}", ""]
    for host in (h for h in plan.HOSTS if h.declared):
        for nic in inside_nics(host):
            lines += ["[[asset]]", f'segment = "{nic.segment}"', f'address = "{nic.known_as}"', f'name = "{host.name}"',
                      f'role = "{host.roles[0]}"', f"critical = {str(host.critical).lower()}", ""]
    lines += ["[[remote_access]]", 'id = "vpn-gateway"', 'address = "10.40.0.10"', 'vendor = "Maker A Service"', ""]
    for system, begins, ends in MAINTENANCE_WINDOWS:
        lines += ["[[maintenance_window]]", f'system = "{system}"', f'from = "{begins}"', f'to = "{ends}"', ""]
    lines += ["[intervals]", *(f"{k} = {v}" for k, v in INTERVALS.items())]
    return "\n".join(lines) + "\n"


def _as_document(saved: str) -> str:
    """iptables-save output with its date set to the scenario's and the packet counters of the run set to zero."""
    dated = re.sub(r" on \w{3} \w{3} +\d+ [\d:]+ \d{4}", " on Mon Nov  2 07:30:00 2026", saved)
    return re.sub(r"\[\d+:\d+\]", "[0:0]", dated)


def write(terminal: Path, saved_firewalls: dict[str, str]) -> None:
    folder = terminal / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    _csv(folder / "accounts.csv", "system,account,person,privileged,enabled,mfa,shared,last_login", ACCOUNTS)
    _csv(folder / "people.csv", "person,role,left_on", PEOPLE)
    _csv(folder / "backups.csv", "asset,taken_at,sha256,offline,location",
         [(a, t, _backup_hash(a), offline, "vault-1" if offline else "backup-server-1") for a, t, offline in BACKUPS])
    _csv(folder / "work-orders.csv", "id,system,company,account,source,from,to,purpose", WORK_ORDERS)
    _csv(folder / "scans.csv", "target,scanned_at,scanner,credentialed", _scans())
    for host, saved in saved_firewalls.items():
        (folder / f"{host}.rules").write_text(_as_document(saved))
    (terminal / "site.toml").write_text(site_toml())

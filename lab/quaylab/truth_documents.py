"""The part of the ground truth that needs the documents: accounts, work orders, backups, scans, firewall rules."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from . import documents, firewalls, plan
from .scenario import STEPS

if TYPE_CHECKING:
    from .truth import Flow

LOGINS = {"http-basic", "http-form", "telnet", "ftp", "mqtt"}
# Published factory defaults among the lab's accounts.
DEFAULTS = {"admin:admin"}


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def in_window(flow: "Flow") -> bool:
    return any(flow.server_host.crane == system and _when(begins) <= flow.step.begins and flow.step.ends <= _when(ends)
               for system, begins, ends in documents.MAINTENANCE_WINDOWS)


def _ordered(flow: "Flow") -> bool:
    return any(system in (flow.server_host.crane, flow.server_host.system) and source in ("", flow.client)
               and _when(begins) <= flow.step.begins and flow.step.ends <= _when(ends)
               for _, system, _, _, source, begins, ends, _ in documents.WORK_ORDERS)


def _accounts(flows: "list[Flow]", finding: Callable) -> list[dict]:
    out = []
    registered = {(system, account) for system, account, *_ in documents.ACCOUNTS}
    uses: dict = {}
    for flow in (f for f in flows if f.step.do in LOGINS):
        uses.setdefault((flow.server, flow.server_host.name, flow.step.options["account"]), []).append(flow)
    for (server, host, pair), group in uses.items():
        account, steps = pair.split(":", 1)[0], [f.step for f in group]
        protocol, sources = group[0].name, sorted({f.client for f in group})
        out.append(finding("acct-clear-text-credential", [account, server], f"{protocol} login of {account} on {host}", steps))
        if pair in DEFAULTS:
            out.append(finding("acct-default-credential", [account, server], f"{account} on {host} has its factory password", steps))
        if (host, account) not in registered:
            out.append(finding("acct-unregistered-account", [account], f"{account} on {host} is in no account list", steps))
        if len(sources) > 1:
            out.append(finding("acct-shared-account", [account], f"{account} on {host} is used from {' and '.join(sources)}", steps))
    walks = [s for s in STEPS if s.do == "snmp-v2c"]
    out.append(finding("acct-default-credential", ["10.30.1.2"], "SNMP v2c with the community every manual names", walks))
    left = {person for person, _, left_on in documents.PEOPLE if left_on}
    for system, account, person, _, enabled, _, shared, _ in documents.ACCOUNTS:
        if person in left and enabled:
            out.append(finding("acct-leaver-active", [account], f"{person} left, but {account} on {system} is enabled"))
        if shared:
            out.append(finding("acct-shared-account", [account], f"{account} on {system} is marked as shared"))
    return out


def _recovery(flows: "list[Flow]", finding: Callable) -> list[dict]:
    out = []
    taken = {asset: _when(at) for asset, at, _ in documents.BACKUPS}
    for host in (h for h in plan.HOSTS if h.critical and h.name not in taken):
        out.append(finding("rec-critical-asset-without-backup", [host.nics[0].known_as], f"{host.name} is critical and in no backup"))
    for flow in (f for f in flows if f.step.do == "s7-download"):
        name = flow.server_host.name
        if name in taken and taken[name] < flow.step.begins:
            out.append(finding("rec-backup-older-than-download", [flow.server], f"the backup of {name} is older than the program now in it",
                               [flow.step]))
        if not _ordered(flow):
            out.append(finding("rec-download-without-work-order", [flow.server], f"download from {flow.client} that no work order covers",
                               [flow.step]))
    return out


def findings(flows: "list[Flow]", finding: Callable) -> list[dict]:
    out = _accounts(flows, finding) + _recovery(flows, finding)
    for host in plan.HOSTS:
        if host.name in documents.NOT_SCANNED:
            nic = documents.inside_nics(host)[0]
            out.append(finding("scan-asset-not-scanned", [nic.segment, nic.known_as], f"{host.name} is in no scan"))
    assert "commissioning, remove\" -j ACCEPT" in firewalls.TERMINAL
    out.append(finding("seg-permit-any-any", ["terminal-firewall"], "the last FORWARD rule accepts everything"))
    return out

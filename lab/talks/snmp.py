"""A network station asks and sets a quay switch's agent with net-snmp's tools in versions 1, 2c and 3, and is told traps."""

import contextlib
import itertools
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .truth import Truth

# The same agent on a port of no protocol, and over IPv6.
_ELSEWHERE, _SIXTH = "127.0.0.1:48061", "udp6:[::1]:161"
# The station that is told traps has an address of its own, so that a row tells whom it speaks of.
_AGENT, _STATION = "127.0.0.1:161", "127.0.0.2:162"
_DESCRIPTION, _LOCATION = "Lab quay switch QS-8, firmware 2.4.1", "Lab berth 3"
_SYSTEM = "1.3.6.1.2.1.1"
_DESCR, _OBJECT_ID, _UP_TIME, _CONTACT, _NAME, _PLACE = (f"{_SYSTEM}.{number}.0" for number in range(1, 7))
# Two objects of this switch, and what its traps are called, below net-snmp's arc for trials.
_TRIAL, _TRAP_NAME, _MISSING = "1.3.6.1.4.1.8072.9999.9999", "1.3.6.1.6.3.1.1.4.1.0", f"{_SYSTEM}.77.0"
_PORT, _LABEL, _ALARM = f"{_TRIAL}.1.0", f"{_TRIAL}.2.0", f"{_TRIAL}.0.1"
_AUTHENTICATION, _PRIVACY, _WRONG = "lab-authentication", "lab-privacy-phrase", "lab-wrong-phrase"
# What the switch says of itself beside the system group: object, its type and value for snmpd, then what is claimed of whom.
_TOLD = (
    ("1.3.6.1.2.1.2.2.1.6.7", "octet_str", "0x02005E100008", "127.0.0.1", "mac", "02:00:5e:10:00:08", "snmp ifPhysAddress"),
    ("1.3.6.1.2.1.4.20.1.1.192.0.2.8", "ipaddress", "192.0.2.8", "127.0.0.1", "ip", "192.0.2.8", "snmp ipAdEntAddr"),
    ("1.3.6.1.2.1.4.22.1.2.7.192.0.2.9", "octet_str", "0x02005E100009", "192.0.2.9", "mac", "02:00:5e:10:00:09",
     "snmp ipNetToMediaPhysAddress"),
    *((f"1.3.6.1.2.1.47.1.1.1.1.{column}.1", "octet_str", f'"{value}"', "127.0.0.1", attribute, value, f"snmp entPhysical{name}")
      for column, name, attribute, value in (
        (2, "Descr", "product", "Lab chassis"), (8, "HardwareRev", "hardware", "C"), (9, "FirmwareRev", "firmware", "2.4.1"),
        (10, "SoftwareRev", "software", "2.4"), (11, "SerialNum", "serial", "LAB0008"), (12, "MfgName", "vendor", "Lab works"),
        (13, "ModelName", "model", "QS-8"))),
)
# snmpd's `override` knows no addresses; its `pass` asks this for the object that its third argument names.
_ANSWER = """[ "$2" = -g ] && printf '%s\\nipaddress\\n%s\\n' "$3" "$1"\n"""
# The engine that sends traps of version 3: Hirschmann's number (248), and a text.
_TRAP_ENGINE = "0x800000f8046c61622d71732d38"
# sysName stays out of it: what a configuration file sets, net-snmp lets nobody write.
_CONFIG = f"""agentAddress udp:{_AGENT},udp:{_ELSEWHERE},{_SIXTH}
engineID lab-quay-switch
sysDescr {_DESCRIPTION}
sysLocation {_LOCATION}
override -rw {_PORT} integer 1
override -rw {_LABEL} octet_str "crane 7"
rocommunity6 public ::1
rocommunity public 127.0.0.1
rwcommunity private 127.0.0.1
createUser guest
createUser watch SHA {_AUTHENTICATION}
createUser engineer SHA {_AUTHENTICATION} AES {_PRIVACY}
rouser guest noauth
rouser watch auth
rwuser engineer auth
"""
# Error statuses that occur here (RFC 3416 section 3) as a member of a row; none where nobody answered.
_STATUSES = {"": {}} | {name: {"status": number} for name, number in (
    ("noError", 0), ("noSuchName", 2), ("badValue", 3), ("noAccess", 6), ("wrongType", 7), ("notWritable", 17))}
_METHODS = {"snmpget": "get", "snmpgetnext": "get-next", "snmpbulkget": "get-bulk", "snmpwalk": "get-next"}
# What snmpd's refusals of a user are called by the tools; the names of the reports are those of RFC 3414 section 5.
_REFUSALS = ("Authentication failure", "Unknown user name", "Unsupported security level", "Decryption error")


@dataclass(frozen=True)
class _Who:
    """Under which version, community or name, and level something is said."""

    version: str
    name: str
    level: str = ""
    authentication: str = _AUTHENTICATION
    privacy: str = _PRIVACY

    def options(self) -> list[str]:
        if not self.level:
            return [f"-{self.version}", "-c", self.name]
        authentication = ["-a", "SHA", "-A", self.authentication] if self.level != "noAuthNoPriv" else []
        privacy = ["-x", "AES", "-X", self.privacy] if self.level == "authPriv" else []
        return ["-v3", "-u", self.name, "-l", self.level, *authentication, *privacy]


_GUEST, _WATCH = _Who("v3", "guest", "noAuthNoPriv"), _Who("v3", "watch", "authNoPriv")
_ENGINEER, _SIGNED = _Who("v3", "engineer", "authPriv"), _Who("v3", "engineer", "authNoPriv")


def _table(name: str) -> str:
    """What a row of requests names: a scalar or table of the MIB without its instance."""
    return ".".join(name.split(".")[: 9 if name.startswith("1.3.6.1.4.1.") else 8])


class _Lab:
    """Runs net-snmp's tools without anything of the machine's own configuration or MIB files, and tells what they said."""

    def __init__(self, truth: Truth, folder: Path):
        self.truth, self.ports = truth, itertools.count(50000, 10)
        self.environment = os.environ | {"SNMPCONFPATH": str(folder / "none"), "MIBS": "", "MIBDIRS": str(folder / "none"),
                                         "SNMP_PERSISTENT_DIR": str(folder / "state")}

    def run(self, tool: str, who: _Who, *arguments: str) -> tuple[str, str]:
        """Returns how the session ended, and the error status by the tool's own words: empty where nobody answered."""
        # Ports of its own for each, within this talk's namespace, so that no two happen to be one flow.
        Path("/proc/sys/net/ipv4/ip_local_port_range").write_text(f"{(port := next(self.ports))} {port + 9}")
        ended = subprocess.run([tool, *who.options(), "-r", "0", "-t", "1", "-On", *arguments], env=self.environment,
                               capture_output=True, text=True, check=False, timeout=20)
        text = ended.stdout + ended.stderr
        if any(refusal in text for refusal in _REFUSALS):
            return "failure", ""
        if "Timeout" in text or "No Response" in text:
            return "unknown", ""
        reason = re.search(r"Reason: \(?(\w+)", text)
        if reason is None and ended.returncode != 0:
            raise RuntimeError(f"{tool} {' '.join(arguments)}: {text}")
        return "success", reason.group(1) if reason else "noError"

    def identity(self, attribute: str, value: str, method: str, subject: str = "127.0.0.1") -> None:
        self.truth.told("identity", subject=subject, attribute=attribute, value=value, method=method)

    def requests(self, who: _Who, method: str, names: Iterable[str], status: str = "") -> None:
        """A row for each table that is asked for or told of, where it can be read."""
        for table in dict.fromkeys(map(_table, names)) if who.level != "authPriv" else ():
            self.truth.told("request", protocol="snmp", method=method, uri=table, **_STATUSES[status])

    def session(self, who: _Who, outcome: str) -> None:
        user, method = (who.name, f"usm {who.level}") if who.level else ("", "community")
        self.truth.told("session", protocol="snmp", version=who.version, user=user, outcome=outcome, method=method,
                        encrypted=who.level == "authPriv")

    def credentials(self, who: _Who, known: str, *messages: str) -> None:
        """What is shown of a credential: the community in each kind of message, whether it is known, or who the user is."""
        if who.level:
            rule = f"SNMPv3 user {'without' if who.level == 'noAuthNoPriv' else 'with'} authentication"
            rules = [("anonymous" if who.level == "noAuthNoPriv" else "none", rule)] if known else []
        else:
            rules = [("clear-text", f"community{message} sent in clear text") for message in messages]
            rules += [("default", known)] if known else []
        for weakness, rule in rules:
            self.truth.told("credential", protocol="snmp", account=who.name if who.level else "", weakness=weakness, rule=rule)

    def ask(self, tool: str, who: _Who, *names: str, options: Iterable[str] = (), agent: str = _AGENT) -> tuple[str, str]:
        """Asks for names; returns how the session ended and the status."""
        outcome, status = self.run(tool, who, *options, agent, *names)
        self.session(who, outcome)
        known = f"well-known {'write' if who.name == 'private' else 'read'} community"
        self.credentials(who, known if outcome == "success" else "", "")
        self.requests(who, f"{_METHODS[tool]}-request", names, status)
        return outcome, status

    def set(self, who: _Who, *values: tuple[str, str, str]) -> str:
        """Sets names to values of a type; returns the status."""
        outcome, status = self.run("snmpset", who, _AGENT, *(part for value in values for part in value))
        if who.level != "authPriv":
            self.truth.operation("snmp", "set-request", **{"class": "configure"}, object=", ".join(name for name, *_ in values),
                                 quantity=len(values), status_name=status, **_STATUSES[status])
        known, answer = ("well-known community used in a set request", [""]) if outcome == "success" else ("", [])
        self.credentials(who, known, " of a set request", *answer)
        self.session(who, outcome)
        return status

    def notify(self, tool: str, who: _Who, kind: str, names: Iterable[str], *arguments: str) -> None:
        """Sends a trap or inform. Nothing shows that a user's trap was accepted; a readable one is taken at its word."""
        outcome, _ = self.run(tool, who, *arguments)
        self.session(who, outcome if tool == "snmpinform" else "unknown")
        self.requests(who, kind, names)
        known = "" if who.level == "authPriv" else "well-known read community"
        self.credentials(who, known, " of a notification")
        if tool == "snmpinform":
            self.credentials(who, "", "")


def _communities(lab: _Lab) -> None:
    """Reads and sets of versions 1 and 2c, granted and refused."""
    for version in ("v1", "v2c"):
        public, private = _Who(version, "public"), _Who(version, "private")
        lab.ask("snmpget", public, _DESCR)
        lab.identity("product", _DESCRIPTION, "snmp sysDescr")
        assert lab.set(private, (_NAME, "s", f"lab-switch-{version}")) == "noError"
        lab.ask("snmpgetnext", public, _CONTACT)
        lab.identity("host-name", f"lab-switch-{version}", "snmp sysName")
        # From version 2 on a value says that there is none (RFC 3416 section 4.2.1).
        assert lab.ask("snmpget", public, _MISSING)[1] == ("noSuchName" if version == "v1" else "noError")
        lab.ask("snmpget", private, _PLACE, _UP_TIME, _PORT)
        lab.identity("location", _LOCATION, "snmp sysLocation")
        assert lab.set(private, (_PORT, "i", "2"), (_LABEL, "s", "crane 8")) == "noError"
        assert lab.set(private, (_PLACE, "s", "elsewhere")) != "noError"
        assert lab.set(private, (_PORT, "s", "two")) != "noError"
        assert lab.set(public, (_PORT, "i", "1")) != "noError"
    lab.ask("snmpbulkget", _Who("v2c", "public"), _SYSTEM, options=("-Cn0", "-Cr6"))
    lab.identity("product", _DESCRIPTION, "snmp sysDescr")
    lab.identity("software", "Net-SNMP", "snmp sysObjectID")
    lab.identity("host-name", "lab-switch-v2c", "snmp sysName")
    lab.identity("location", _LOCATION, "snmp sysLocation")


def _tables(lab: _Lab) -> None:
    """Tables: many names in one request, a long answer, a walk; and the agent's other addresses."""
    public = _Who("v2c", "public")
    lab.ask("snmpget", public, *(name for name, *_ in _TOLD))
    for _, _, _, subject, attribute, value, method in _TOLD:
        lab.identity(attribute, value, method, subject)
    lab.ask("snmpbulkget", public, f"{_SYSTEM}.9", options=("-Cn0", "-Cr20"))
    lab.ask("snmpwalk", public, f"{_SYSTEM}.9")
    lab.ask("snmpget", public, _DESCR, agent=_ELSEWHERE)
    lab.identity("product", _DESCRIPTION, "snmp sysDescr")
    lab.ask("snmpget", public, _DESCR, agent=_SIXTH)
    lab.identity("product", _DESCRIPTION, "snmp sysDescr", "::1")


def _users(lab: _Lab) -> None:
    """Version 3: each level, a set readable and one encrypted, and who is refused."""
    lab.ask("snmpget", _GUEST, _NAME)
    lab.identity("software", "Net-SNMP", "snmp engine id")
    lab.identity("host-name", "lab-switch-v2c", "snmp sysName")
    lab.ask("snmpget", _WATCH, _DESCR)
    lab.identity("product", _DESCRIPTION, "snmp sysDescr")
    lab.ask("snmpbulkget", _WATCH, _SYSTEM, options=("-Cn0", "-Cr6"))
    lab.ask("snmpget", _ENGINEER, _DESCR)
    assert lab.set(_SIGNED, (_NAME, "s", "lab-switch-v3")) == "noError"
    assert lab.set(_WATCH, (_NAME, "s", "stolen")) != "noError"
    assert lab.set(_ENGINEER, (_PORT, "i", "3")) == "noError"
    assert lab.set(replace(_SIGNED, authentication=_WRONG), (_PORT, "i", "4")) == ""
    for who in (replace(_WATCH, authentication=_WRONG), replace(_WATCH, name="stranger"), replace(_WATCH, level="authPriv"),
                replace(_ENGINEER, authentication=_WRONG)):
        assert lab.ask("snmpget", who, _DESCR)[0] == "failure"


def _notifications(lab: _Lab) -> None:
    """An inform, and traps of all versions; they come from the machine that the tool runs on."""
    old, public = _Who("v1", "public"), _Who("v2c", "public")
    names, values = (_UP_TIME, _TRAP_NAME, _NAME), (_ALARM, _NAME, "s", "lab-switch-v3")
    lab.notify("snmpinform", public, "inform-request", names, _STATION, "4711", *values)
    lab.identity("host-name", "lab-switch-v3", "snmp sysName")
    lab.notify("snmptrap", old, "trap", (_TRIAL, _LABEL, _NAME), _STATION, _TRIAL, "127.0.0.1", "6", "17", "4711",
               _LABEL, "s", "crane 8", _NAME, "s", "qs-8")
    lab.identity("software", "Net-SNMP", "snmp trap enterprise")
    lab.identity("host-name", "qs-8", "snmp sysName")
    # What another switch says, passed on by this one: the trap names whom it comes from.
    lab.notify("snmptrap", old, "trap", (_TRIAL, _NAME), _STATION, _TRIAL, "192.0.2.8", "2", "0", "4711", _NAME, "s", "qs-9")
    lab.identity("software", "Net-SNMP", "snmp trap enterprise", "192.0.2.8")
    lab.identity("host-name", "qs-9", "snmp sysName", "192.0.2.8")
    names = (_UP_TIME, _TRAP_NAME, _LABEL)
    for who in (public, _GUEST, _WATCH, _ENGINEER):
        engine = ["-e", _TRAP_ENGINE] if who.level else []
        lab.notify("snmptrap", who, "snmpv2-trap", names, *engine, _STATION, "4711", _ALARM, _LABEL, "s", "crane 9")
        if who.level in ("noAuthNoPriv", "authNoPriv"):
            lab.identity("vendor", "Hirschmann", "snmp engine id")


def _unanswered(lab: _Lab) -> None:
    """Last, since that nobody answered is only known when the flow ends: a wrong community, a wrong key for a cipher."""
    for version in ("v1", "v2c"):
        assert lab.ask("snmpget", _Who(version, "harbour-view"), _DESCR)[0] == "unknown"
        assert lab.set(_Who(version, "harbour-view"), (_PORT, "i", "4")) == ""
    assert lab.ask("snmpget", replace(_ENGINEER, privacy=_WRONG), _DESCR)[0] == "unknown"


def _station(station: socket.socket) -> None:
    """Hears notifications; answers an inform of version 2c by what it holds, which is all that RFC 3416 section 4.2.7 asks."""
    while True:
        message, sender = station.recvfrom(2048)
        # The PDU stands behind the version and the community.
        head = 2 if message[1] < 0x80 else 2 + (message[1] & 0x7F)
        at = head + 5 + message[head + 4]
        if message[head + 2] == 1 and message[at] == 0xA6:
            station.sendto(message[:at] + b"\xa2" + message[at + 1 :], sender)


@contextlib.contextmanager
def _agent(lab: _Lab, folder: Path) -> Iterator[None]:
    """net-snmp's agent in the foreground, with its configuration and state in the folder."""
    (answer := folder / "answer").write_text(_ANSWER)
    (config := folder / "snmpd.conf").write_text(_CONFIG + "".join(
        f"override {name} {kind} {value}\n" if kind != "ipaddress" else f"pass -p 1 {name} /bin/sh {answer} {value}\n"
        for name, kind, value, *_ in _TOLD))
    command = ["snmpd", "-f", "-Lo", "-C", "-c", str(config), "-p", str(folder / "pid"), "-I", "-smux"]
    with subprocess.Popen(command, env=lab.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as agent:
        try:
            time.sleep(1.5)
            yield
        finally:
            agent.terminate()


def run() -> Truth:
    version = subprocess.run(["snmpget", "-V"], capture_output=True, text=True, check=False)
    number = (version.stdout + version.stderr).split()[-1]
    truth = Truth(f"net-snmp {number}, snmpd and its tools; the receiver of traps is of the talk")
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind((_STATION.split(":")[0], 162))
        threading.Thread(target=_station, args=(station,), daemon=True).start()
        lab = _Lab(truth, Path(name))
        with _agent(lab, Path(name)):
            for part in (_communities, _tables, _users, _notifications, _unanswered):
                part(lab)
    return truth

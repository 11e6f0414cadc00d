"""Runs the day: builds the terminal, plays each phase, captures every segment, takes all down again."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from . import documents, firewalls, network, pcapng_options, plan, scenario_clock, truth
from .commands import service_command, step_command
from .material import Material
from .scenario import PHASES, SERVICES, STEPS, Phase

LAB = Path(__file__).parent.parent
TERMINAL = LAB / "terminal"
# Between the first capture and second 0 of a phase: time for the slowest stack to open its port.
_STARTUP_SECONDS = 16


class Players:
    """The processes of one phase. Only these are ever ended, each with its own process group."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.running: list[tuple[str, subprocess.Popen]] = []

    def start(self, ns: str, command: list[str], label: str, clock: float = 0) -> subprocess.Popen:
        environment = dict(os.environ, PYTHONPATH=str(LAB), PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1",
                           SNMP_PERSISTENT_DIR=str(self.folder / f"{label.split(' ')[0]}.snmp"), MIBS="", TERM="vt100")
        environment[scenario_clock.VARIABLE] = f"{clock:.3f}"
        log = (self.folder / f"{label.replace(' ', '-').replace('/', '_')}.log").open("ab")
        process = subprocess.Popen([*_own_identity(ns, self.folder), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env=environment, cwd=LAB, start_new_session=True)
        self.running.append((label, process))
        return process

    def end(self, how: int = signal.SIGTERM, patience: float = 4) -> None:
        for _, process in self.running:
            _signal(process, how)
        until = time.monotonic() + patience
        for _, process in self.running:
            try:
                process.wait(max(0.05, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait(5)
        self.running.clear()


def _own_identity(ns: str, folder: Path) -> list[str]:
    """Enters a namespace with a host name of its own and no resolver, so that nothing of the machine's shows on the wire."""
    empty = folder / "resolv.conf"
    empty.touch()
    inner = f'hostname "{ns.removeprefix(network.PREFIX)}"; mount --bind "{empty}" /etc/resolv.conf; exec "$@"'
    return ["ip", "netns", "exec", ns, "unshare", "--uts", "sh", "-c", inner, "sh"]


def _signal(process: subprocess.Popen, how: int) -> None:
    try:
        os.killpg(process.pid, how)
    except ProcessLookupError:
        pass


def _capture(players: Players, folder: Path) -> None:
    for segment in plan.SEGMENTS:
        if segment.captured:
            players.start(network.segment_namespace(segment.id),
                          ["dumpcap", "-q", "-i", network.SENSOR, "-w", str(folder / f"{segment.id}.pcapng")],
                          f"capture {segment.id}")


def _play(phase: Phase, material: Material, folder: Path) -> None:
    sensors, services, clients = Players(folder), Players(folder), Players(folder)
    try:
        network.plug(phase.number)
        _capture(sensors, folder)
        zero = time.time() + _STARTUP_SECONDS
        clock = phase.begins.timestamp() - zero
        for service in (s for s in SERVICES if phase.number in s.phases):
            error = float(service.options.get("clock_error", 0))
            services.start(network.namespace(service.host), service_command(service, material, phase),
                           f"{service.host} {service.kind} {phase.number}", clock + error)
        started = []
        for step in sorted((s for s in STEPS if s.phase == phase.number), key=lambda s: s.at):
            command = step_command(step, material)
            if command is None:
                continue
            time.sleep(max(0.0, zero + step.at - time.time()))
            label = f"{step.host} {step.do} {step.to} {phase.number}.{step.at}"
            started.append((label, clients.start(network.namespace(step.host), command, label, clock)))
        time.sleep(max(0.0, zero + phase.seconds - time.time()))
        for label, process in started:
            if process.poll() not in (0, None):
                print(f"  step failed ({process.poll()}): {label}", file=sys.stderr)
        for label, process in services.running:
            if process.poll() is not None:
                print(f"  service ended ({process.poll()}): {label}", file=sys.stderr)
    finally:
        clients.end()
        # Receivers of datagrams go last: an unreachable port would answer with ICMP that no scenario asked for.
        listeners, talkers = Players(folder), Players(folder)
        for label, process in services.running:
            (listeners if label.split()[1] in ("positions", "time") else talkers).running.append((label, process))
        talkers.end()
        listeners.end()
        time.sleep(1)
        sensors.end(signal.SIGINT)
    _move_clock(folder, clock)


def _move_clock(folder: Path, clock: float) -> None:
    """Shifts each capture to the scenario's date, by the same amount as the clocks of the devices."""
    for segment in plan.SEGMENTS:
        if segment.captured:
            captured = folder / f"{segment.id}.pcapng"
            subprocess.run(["editcap", "-t", f"{clock:.3f}", captured, folder / f"{segment.id}.shifted.pcapng"], check=True, timeout=60)


def _join(work: Path) -> None:
    captures = TERMINAL / "captures"
    shutil.rmtree(captures, ignore_errors=True)
    captures.mkdir(parents=True)
    for segment in plan.SEGMENTS:
        if segment.captured:
            parts = [str(work / f"phase-{p.number}" / f"{segment.id}.shifted.pcapng") for p in PHASES]
            subprocess.run(["mergecap", "-I", "all", "-F", "pcapng", "-w", str(captures / f"{segment.id}.pcapng"), *parts],
                           check=True, timeout=60)
            pcapng_options.strip(captures / f"{segment.id}.pcapng")


def main() -> None:
    work = Path(tempfile.mkdtemp(prefix="quaylab-"))
    # Some daemons read their part of it after giving up root; keys in it have their own permissions.
    work.chmod(0o755)
    began = datetime.now(UTC)
    try:
        material = Material(work)
        network.build()
        network.load_firewall("terminal-firewall", firewalls.TERMINAL)
        network.load_firewall("crane-3-modem", firewalls.MODEM)
        network.load_firewall("vpn-gateway", firewalls.VPN_GATEWAY)
        for phase in PHASES:
            print(f"phase {phase.number}: {phase.what}", flush=True)
            folder = work / f"phase-{phase.number}"
            folder.mkdir()
            _play(phase, material, folder)
        _join(work)
        documents.write(TERMINAL, {h: network.saved_firewall(h) for h in ("terminal-firewall", "vpn-gateway")})
        truth.write(TERMINAL)
        print(f"done in {(datetime.now(UTC) - began).seconds} s")
    finally:
        network.remove()
        if os.environ.get("QUAYLAB_KEEP"):
            print(f"kept {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()

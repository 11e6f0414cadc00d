"""Builds the terminal's cables, switches and routers as network namespaces, and takes them down again.

Nothing here touches an interface of the machine itself: every link lies between two namespaces whose
names start with the lab's prefix, and only those are removed.
"""

import subprocess

from . import plan

PREFIX = "qwlab-"
SENSOR = "mirror1"
# LLDP's group address, which a Linux bridge keeps to itself unless told to pass it on.
_FORWARD_LLDP = "0x4000"


def namespace(name: str) -> str:
    return PREFIX + name


def segment_namespace(segment: str) -> str:
    return PREFIX + "net-" + segment


def run(*args: str, check: bool = True) -> str:
    done = subprocess.run(args, capture_output=True, text=True, timeout=30)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(args)}: {done.stderr.strip()}")
    return done.stdout


def inside(ns: str, *args: str, check: bool = True) -> str:
    return run("ip", "netns", "exec", ns, *args, check=check)


def _sysctl(ns: str, **values: str) -> None:
    for key, value in values.items():
        inside(ns, "sysctl", "-qw", f"{key.replace('__', '.')}={value}")


def _add_namespace(ns: str) -> None:
    run("ip", "netns", "add", ns)
    # The plan is IPv4 only; without this every host would add router solicitations and MLD noise.
    _sysctl(ns, net__ipv6__conf__all__disable_ipv6="1", net__ipv6__conf__default__disable_ipv6="1")
    run("ip", "-n", ns, "link", "set", "lo", "up")


def _add_segment(segment: plan.Segment) -> None:
    ns = segment_namespace(segment.id)
    _add_namespace(ns)
    # No address learning: each frame reaches the sensor's port, as from a mirror port of a real switch.
    run("ip", "-n", ns, "link", "add", "br0", "type", "bridge", "ageing_time", "0", "mcast_snooping", "0",
        "group_fwd_mask", _FORWARD_LLDP)
    run("ip", "-n", ns, "link", "set", "br0", "up")
    run("ip", "-n", ns, "link", "add", "mirror0", "type", "veth", "peer", "name", SENSOR)
    run("ip", "-n", ns, "link", "set", "mirror0", "master", "br0")
    for port in ("mirror0", SENSOR):
        run("ip", "-n", ns, "link", "set", port, "up")
    # The sensor only listens.
    inside(ns, "ip", "link", "set", SENSOR, "arp", "off")


def _add_nic(host: plan.Host, index: int, nic: plan.Nic, port: str) -> None:
    ns, switch, name = namespace(host.name), segment_namespace(nic.segment), f"eth{index}"
    run("ip", "-n", switch, "link", "add", port, "type", "veth", "peer", "name", name, "netns", ns)
    run("ip", "-n", ns, "link", "set", name, "address", nic.mac)
    # Offloads would put frames with unfinished checksums, or larger than the wire allows, into the capture.
    for where, device in ((ns, name), (switch, port)):
        inside(where, "ethtool", "-K", device, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off")
    run("ip", "-n", switch, "link", "set", port, "master", "br0")
    run("ip", "-n", switch, "link", "set", port, "up")
    if nic.address:
        run("ip", "-n", ns, "addr", "add", f"{nic.address}/24", "broadcast", "+", "dev", name)
    if not nic.phases:
        run("ip", "-n", ns, "link", "set", name, "up")


def plug(phase: int) -> None:
    """Connects and disconnects the cables that are not plugged all day."""
    for host in plan.HOSTS:
        for index, nic in enumerate(host.nics):
            if nic.phases:
                state = "up" if phase in nic.phases else "down"
                run("ip", "-n", namespace(host.name), "link", "set", f"eth{index}", state)


def build() -> None:
    remove()
    for segment in plan.SEGMENTS:
        _add_segment(segment)
    port = 0
    for host in plan.HOSTS:
        if not host.seen:
            continue
        ns = namespace(host.name)
        _add_namespace(ns)
        for index, nic in enumerate(host.nics):
            port += 1
            _add_nic(host, index, nic, f"p{port}")
        if host.gateway:
            run("ip", "-n", ns, "route", "add", "default", "via", host.gateway)
        for target, via in host.routes:
            run("ip", "-n", ns, "route", "add", target, "via", via)
    for router in ("terminal-firewall", "crane-3-modem"):
        _sysctl(namespace(router), net__ipv4__ip_forward="1", net__ipv4__conf__all__send_redirects="0",
                net__ipv4__conf__default__send_redirects="0")


def load_firewall(host: str, rules: str) -> None:
    subprocess.run(["ip", "netns", "exec", namespace(host), "iptables-restore"], input=rules, text=True, check=True, timeout=30)


def saved_firewall(host: str) -> str:
    return inside(namespace(host), "iptables-save")


def remove() -> None:
    """Removes the lab's namespaces (and with them every link); safe to call at any time."""
    listed = run("ip", "netns", "list", check=False)
    for line in listed.splitlines():
        ns = line.split()[0] if line.split() else ""
        if ns.startswith(PREFIX):
            run("ip", "netns", "del", ns, check=False)

"""Turns services and steps of the scenario into programs to run inside a host's namespace."""

import sys
from pathlib import Path

from . import plan
from .material import Material
from .scenario import Phase, Service, Step

HERE = Path(__file__).parent


def address_of(name: str, near: str | None = None) -> str:
    """The address by which `near` reaches the host `name`: that on a shared segment if there is one."""
    nics = plan.BY_NAME[name].nics
    if near:
        segments = {n.segment for n in plan.BY_NAME[near].nics}
        shared = [n for n in nics if n.segment in segments]
        nics = tuple(shared) or nics
    return nics[0].known_as


def _python(module: str, *args: object) -> list[str]:
    return [sys.executable, "-m", f"quaylab.{module}", *map(str, args)]


def _options(values: dict[str, object], *names: str) -> list[str]:
    return [f"--{n}={values[n]}" for n in names if n in values]


def service_command(service: Service, material: Material, phase: Phase) -> list[str]:
    options, host = service.options, service.host
    own = address_of(host)
    match service.kind:
        case "s7":
            return _python("devices.s7_plc", *_options(options, "station", "name", "module", "order", "serial", "firmware"))
        case "modbus":
            return _python("devices.modbus_server", *_options(options, "vendor", "product", "model", "firmware"))
        case "cip":
            return _python("devices.cip_controller", *_options(options, "product", "revision", "serial"))
        case "dcp":
            return _python("devices.dcp_station", "--interface=eth0", f"--address={own}",
                           *_options(options, "name", "vendor", "gateway"))
        case "web":
            flags = ["--http"] if options.get("http") else []
            return _python("devices.web_hmi", *flags, f"--certificate={material.certificate(host)}",
                           *_options(options, "product", "login", "account", "tls"))
        case "gnss":
            return _python("devices.gnss_receiver", f"--bind={own}", f"--to={address_of('cms-gateway')}",
                           f"--phase-begins={phase.begins.timestamp()}",
                           *_options(options, "latitude", "longitude", "fault", "after"))
        case "ftp":
            return _python("devices.ftp_store", *_options(options, "account"))
        case "telnet":
            return _python("devices.telnet_port", f"--login={material.login_program(options['model'], options['accounts'])}")
        case "time":
            return _python("devices.time_server")
        case "positions":
            return _python("devices.position_sink")
        case "mdns":
            return _python("devices.multicast_name", f"--name={host}", f"--address={own}")
        case "snmp":
            return ["snmpd", "-f", "-Lf", "/dev/null", "-C", "-c", material.snmpd_configuration(host, options), "udp:161"]
        case "lldp":
            return ["lldpd", "-d", "-u", str(material.path(f"{host}.lldp")), "-I", "eth0", "-S", options["description"],
                    "-m", own]
        case "dhcp-dns":
            return ["dnsmasq", "-k", "-C", material.dnsmasq_configuration(host, own, options)]
        case "mqtt":
            return ["mosquitto", "-c", material.mosquitto_configuration(host, options)]
        case "ssh":
            return ["/usr/sbin/sshd", "-D", "-f", material.sshd_configuration(host)]
        case "tunnel-server":
            return ["openvpn", *material.tunnel(host, server=True)]
        case "screen":
            return ["Xvnc", ":77", "-geometry", "320x240", "-depth", "16", "-rfbport", "5900", "-SecurityTypes", "VncAuth",
                    "-PasswordFile", material.screen_password(options["secret"]), "-desktop", host]
    raise ValueError(f"no program for service {service.kind}")


def step_command(step: Step, material: Material) -> list[str] | None:
    """The program of a step; None where a service of the scenario does it."""
    options = step.options
    to = str(options.get("through") or (address_of(step.to, step.host) if step.to else ""))
    protocol, _, what = step.do.partition("-")
    match step.do:
        case "position":
            return None
        case "s7-read":
            return _python("actions.s7", to, "poll", *_options(options, "seconds"))
        case _ if protocol in ("s7", "modbus", "cip"):
            return _python(f"actions.{protocol}", to, what, *_options(options, "seconds", "seed", "value"))
        case "dhcp":
            return ["busybox", "udhcpc", "-f", "-n", "-q", "-t", "4", "-i", options["interface"], "-x", f"hostname:{step.host}",
                    "-s", str(HERE / "dhcp_bound.sh")]
        case "dns":
            return _python("actions.lookup", to, *options["names"])
        case "time":
            return _python("actions.clock", to, *_options(options, "seconds"))
        case "https" | "https-old":
            return _python("actions.web", to, f"--tls={'old' if step.do == 'https-old' else 'new'}")
        case "http-basic" | "http-form":
            return _python("actions.web", to, f"--{what}={options['account']}")
        case "ftp":
            return _python("actions.ftp_transfer", to, *_options(options, "account"))
        case "telnet":
            return _python("actions.telnet_login", to, *_options(options, "account"))
        case "mqtt":
            name, secret = options["account"].split(":", 1)
            return ["mosquitto_pub", "-h", to, "-i", step.host, "-u", name, "-P", secret, "-t", "gate/rfid/1",
                    "-m", '{"container":"MSKU9070323","gate":1}']
        case "snmp-v2c":
            return ["snmpwalk", "-v2c", "-c", options["community"], to, "1.3.6.1.2.1.1"]
        case "snmp-v3":
            return ["snmpwalk", "-v3", "-u", options["user"], "-l", "authPriv", "-a", "SHA", "-A", material.SNMP_AUTH,
                    "-x", "AES", "-X", material.SNMP_PRIVACY, to, "1.3.6.1.2.1.1"]
        case "ssh":
            return ["ssh", "-i", material.ssh_key(), "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
                    "-o", "UserKnownHostsFile=/dev/null", f"root@{to}", f"sleep {options['seconds']}"]
        case "tunnel":
            return ["timeout", "--preserve-status", str(options["seconds"]), "openvpn", *material.tunnel(step.to, server=False, remote=to)]
        case "screen":
            return _python("actions.screen", to, *_options(options, "secret", "seconds"))
        case "dcp-identify":
            return _python("actions.dcp")
        case "dcp-rename":
            station = plan.BY_NAME[step.to].nics[0].mac
            return _python("actions.dcp", f"--station-mac={station}", f"--new-name={options['new_name']}")
    raise ValueError(f"no program for step {step.do}")

"""Keys, certificates and configuration files that the stacks need, made anew in a scratch folder for each run."""

import datetime
import shlex
import subprocess
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from Crypto.Cipher import DES

# The fixed key with which every VNC server stores its password, each byte bit-reversed as DES wants it.
_VNC_KEY = bytes(int(f"{b:08b}"[::-1], 2) for b in (23, 82, 107, 6, 35, 78, 88, 7))


class Material:
    SNMP_AUTH = "lab-auth-Quay-7719"
    SNMP_PRIVACY = "lab-priv-Quay-4402"

    def __init__(self, folder: Path):
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / name

    def _write(self, name: str, text: str, mode: int = 0o644) -> str:
        file = self.path(name)
        file.write_text(text)
        file.chmod(mode)
        return str(file)

    def certificate(self, host: str) -> str:
        """A self-signed certificate and its key in one file, valid around the scenario's date."""
        file = self.path(f"{host}.pem")
        if file.exists():
            return str(file)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{host}.terminal.example")])
        start = datetime.datetime(2026, 1, 1)
        certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                       .serial_number(x509.random_serial_number()).not_valid_before(start)
                       .not_valid_after(start + datetime.timedelta(days=1825)).sign(key, hashes.SHA256()))
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
        file.chmod(0o600)
        self._write(f"{host}.fingerprint", certificate.fingerprint(hashes.SHA256()).hex(":"))
        return str(file)

    def tunnel(self, server_name: str, server: bool, remote: str = "") -> list[str]:
        """OpenVPN arguments; no network device behind the tunnel, so that it changes nobody's routes."""
        own, peer = (server_name, f"{server_name}-client") if server else (f"{server_name}-client", server_name)
        own_file = self.certificate(own)
        self.certificate(peer)
        role = ["--tls-server", "--dh", "none"] if server else ["--tls-client", "--remote", remote]
        return ["--dev", "null", "--port", "1194", "--proto", "udp4", "--cert", own_file, "--key", own_file,
                "--peer-fingerprint", self.path(f"{peer}.fingerprint").read_text(), "--ping", "4", "--verb", "1",
                "--explicit-exit-notify", "1", *role]

    def login_program(self, model: str, accounts: list[str]) -> str:
        words = " ".join(map(shlex.quote, [sys.executable, "-m", "quaylab.devices.switch_login", model, *accounts]))
        home = Path(__file__).parent.parent
        return self._write(f"login-{model}-{len(accounts)}-{abs(hash(tuple(accounts)))}",
                           f"#!/bin/sh\ncd {shlex.quote(str(home))}\nexec {words}\n", 0o755)

    def snmpd_configuration(self, host: str, options: dict[str, object]) -> str:
        lines = [f"sysDescr {options['description']}", f"sysName {host}", "sysLocation quay", "sysContact network-technician-1"]
        if "community" in options:
            lines.append(f"rocommunity {options['community']}")
        if "user" in options:
            lines += [f"createUser {options['user']} SHA {self.SNMP_AUTH} AES {self.SNMP_PRIVACY}", f"rouser {options['user']} priv"]
        self.path(f"{host}.snmp").mkdir(exist_ok=True)
        return self._write(f"{host}-snmpd.conf", "\n".join(lines) + "\n")

    def dnsmasq_configuration(self, host: str, address: str, options: dict[str, object]) -> str:
        lines = ["user=root", "no-resolv", "no-hosts", "no-poll", f"pid-file={self.path(host + '-dnsmasq.pid')}",
                 f"listen-address={address}", "bind-interfaces"]
        if "range" in options:
            lines += [f"dhcp-range={options['range']},255.255.255.0,12h", f"dhcp-leasefile={self.path(host + '.leases')}",
                      f"dhcp-option=option:router,{options['router']}", "dhcp-authoritative", "no-ping",
                      f"dhcp-option=option:dns-server,{options.get('dns', address)}"]
            lines += [f"dhcp-host={mac},{lease}" for mac, lease in options["leases"].items()]
        lines += [f"host-record={name},{value}" for name, value in options.get("names", {}).items()]
        return self._write(f"{host}-dnsmasq.conf", "\n".join(lines) + "\n")

    def mosquitto_configuration(self, host: str, options: dict[str, object]) -> str:
        secrets = self.path(f"{host}-mqtt.passwords")
        name, secret = str(options["account"]).split(":", 1)
        subprocess.run(["mosquitto_passwd", "-b", "-c", str(secrets), name, secret], check=True, timeout=10)
        return self._write(f"{host}-mosquitto.conf",
                           f"user root\nlistener 1883 0.0.0.0\nallow_anonymous false\npassword_file {secrets}\n")

    def _key(self, name: str) -> Path:
        file = self.path(name)
        if not file.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(file)], check=True, timeout=10)
        return file

    def ssh_key(self) -> str:
        return str(self._key("jump-key"))

    def sshd_configuration(self, host: str) -> str:
        Path("/run/sshd").mkdir(exist_ok=True)
        allowed = self._write("authorized", self._key("jump-key").with_suffix(".pub").read_text(), 0o600)
        return self._write(f"{host}-sshd.conf", f"Port 22\nHostKey {self._key(host + '-host-key')}\nPidFile none\n"
                           f"AuthorizedKeysFile {allowed}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
                           "PermitRootLogin prohibit-password\n")

    def screen_password(self, secret: object) -> str:
        file = self.path("screen.password")
        file.write_bytes(DES.new(_VNC_KEY, DES.MODE_ECB).encrypt(str(secret).encode().ljust(8, b"\0")[:8]))
        return str(file)

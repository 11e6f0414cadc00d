"""An administrator runs a command on a crane management server: pywinrm asks a small HTTP server of ours, after MS-WSMV.

Once with its password in clear and readable messages, once by NTLM with sealed messages, once with a wrong password.
pyspnego does the server's part of NTLM.
"""

import base64
import os
import re
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import spnego
import winrm
from winrm.exceptions import InvalidCredentialsError

from .truth import Truth

_PORT = 5985
_DOMAIN, _USER, _PASSWORD = "QUAY", "craneadmin", "hoist-and-lower"
_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_ENVELOPE = ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:w="{shell}" '
             'xmlns:m="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
             'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header>'
             "<a:RelatesTo>{message}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>")
_COMMAND = "5C1E8F7A-0000-4000-8000-000000000001"
_OUTPUT = base64.b64encode(b"RTG-CMS01\r\n").decode()
_BODIES = {
    "transfer/Create": '<m:SelectorSet><m:Selector Name="ShellId">11111111-2222-4333-8444-555555555555</m:Selector>'
                       "</m:SelectorSet>",
    "shell/Command": f"<w:CommandResponse><w:CommandId>{_COMMAND}</w:CommandId></w:CommandResponse>",
    "shell/Receive": f'<w:ReceiveResponse><w:Stream Name="stdout" CommandId="{_COMMAND}">{_OUTPUT}</w:Stream>'
                     f'<w:CommandState CommandId="{_COMMAND}" State="{_SHELL}/CommandState/Done">'
                     "<w:ExitCode>0</w:ExitCode></w:CommandState></w:ReceiveResponse>",
}
_BOUNDARY = b"--Encrypted Boundary\r\n"


def _soap(request: str) -> bytes:
    """The answer to a request, by the end of its action."""
    action = re.search(r"<a:Action[^>]*>([^<]*)<", request)
    message = re.search(r"<a:MessageID[^>]*>([^<]*)<", request)
    if action is None or message is None:
        raise ValueError("no SOAP request")
    body = next((body for end, body in _BODIES.items() if action[1].endswith(end)), "")
    return _ENVELOPE.format(shell=_SHELL, message=message[1], body=body).encode()


def _sealed(content: bytes, context: spnego.ContextProxy) -> bytes:
    """MS-WSMV section 2.2.9.1: two parts, the length of the signature before signature and content."""
    header, data, _ = context.wrap_winrm(content)
    kind = f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(content)}\r\n".encode()
    return (_BOUNDARY + b"\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n" + kind + _BOUNDARY
            + b"\tContent-Type: application/octet-stream\r\n" + len(header).to_bytes(4, "little") + header + data
            + b"--Encrypted Boundary--\r\n")


def _opened(body: bytes, context: spnego.ContextProxy) -> str:
    sealed = body.split(b"application/octet-stream\r\n", 1)[1].removesuffix(b"--Encrypted Boundary--\r\n")
    length = int.from_bytes(sealed[:4], "little")
    return context.unwrap_winrm(sealed[4:4 + length], sealed[4 + length:]).decode()


class _Host(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Microsoft-HTTPAPI/2.0", ""
    _context: spnego.ContextProxy | None = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            right = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
            self._answer(200, _soap(body.decode())) if token == right else self._refuse("")
        elif scheme in ("Negotiate", "NTLM"):
            self._negotiate(scheme, base64.b64decode(token))
        elif self._context is not None and self._context.complete:
            self._answer(200, _sealed(_soap(_opened(body, self._context)), self._context), sealed=True)
        else:
            self._refuse("")

    def _negotiate(self, scheme: str, token: bytes) -> None:
        if self._context is None or self._context.complete:
            self._context = spnego.server(protocol="ntlm")
        try:
            out = self._context.step(token)
        except spnego.exceptions.SpnegoError:
            self._context = None
            self._refuse("")
            return
        if self._context.complete:
            self._answer(200, b"")
        else:
            self._refuse(f"{scheme} {base64.b64encode(out or b'').decode()}")

    def _refuse(self, challenge: str) -> None:
        self.send_response(401)
        for offer in [challenge] if challenge else ["Negotiate", 'Basic realm="WSMAN"']:
            self.send_header("WWW-Authenticate", offer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, status: int, content: bytes, sealed: bool = False) -> None:
        self.send_response(status)
        kind = ('multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
                if sealed else "application/soap+xml;charset=UTF-8")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing on the terminal."""


def _run_command(user: str, password: str, transport: str) -> None:
    session = winrm.Session(f"http://127.0.0.1:{_PORT}/wsman", auth=(user, password), transport=transport)
    if session.run_cmd("hostname").std_out != b"RTG-CMS01\r\n":
        raise ValueError("another host answered")


def _speak(truth: Truth) -> None:
    _run_command(_USER, _PASSWORD, "plaintext")
    truth.told("session", protocol="winrm", user=_USER, method="basic", outcome="success", encrypted=False)
    truth.told("credential", protocol="winrm", account=_USER, weakness="clear-text")
    for _ in range(4):
        truth.told("request", protocol="winrm", method="POST", uri="/wsman", status=200)
    _run_command(f"{_DOMAIN}\\{_USER}", _PASSWORD, "ntlm")
    truth.told("session", protocol="winrm", user=f"{_DOMAIN}\\{_USER}", method="ntlmv2", outcome="success", encrypted=True)
    try:
        _run_command("guest", "guess", "plaintext")
    except InvalidCredentialsError:
        truth.told("session", protocol="winrm", user="guest", method="basic", outcome="failure")


def run() -> Truth:
    truth = Truth(f"pywinrm {version('pywinrm')}, own server after MS-WSMV with pyspnego {version('pyspnego')}")
    with tempfile.TemporaryDirectory() as folder, ThreadingHTTPServer(("127.0.0.1", _PORT), _Host) as server:
        accounts = Path(folder) / "accounts"
        accounts.write_text(f"{_DOMAIN}:{_USER}:{_PASSWORD}\n")
        os.environ["NTLM_USER_FILE"] = str(accounts)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _speak(truth)
        server.shutdown()
    return truth

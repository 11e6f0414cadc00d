"""A line and a terminal exchange a stowage plan, a loading list, a discharge report and gate moves: EDIFACT by ISO 9735.

Messages after SMDG's manuals; carried by pyftpdlib and ftplib, http.server and http.client, aiosmtpd and smtplib.
"""

import ftplib
import http.client
import io
import smtplib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from typing import NamedTuple

from aiosmtpd.controller import Controller
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

from .truth import Truth

_FTP, _HTTP, _SMTP = 2121, 8080, 2525
_LETTERS = {letter: value for letter, value in zip(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ", (number for number in range(10, 39) if number % 11), strict=True)}
_VESSEL, _VOYAGE = "EVER QUAY", "0042W"


class _Box(NamedTuple):
    number: str
    size_type: str
    full: bool


_RIGHT = _Box("CSQU3054383", "45G1", True)
_EMPTY = _Box("MSKU1234565", "22G1", False)
# The last digit belongs to no number: a typist's error.
_WRONG = _Box("TCLU7654328", "42R1", True)


def _check_digit(number: str) -> int:
    """ISO 6346, annex A: weights double from place to place; 10 counts as 0."""
    values = [_LETTERS[sign] if sign.isalpha() else int(sign) for sign in number[:10]]
    return sum(value << place for place, value in enumerate(values)) % 11 % 10


def _right(box: _Box) -> bool:
    return _check_digit(box.number) == int(box.number[10])


def _equipment(message: str, box: _Box) -> str:
    """BAPLIE knows neither supplier nor status of a box; the others name the code list of size and type."""
    load = 5 if box.full else 4
    if message == "BAPLIE":
        return f"EQD+CN+{box.number}+{box.size_type}+++{load}'"
    return f"EQD+CN+{box.number}+{box.size_type}:102:5+2+2+{load}'"


def _interchange(message: str, reference: str, boxes: list[_Box], lines: bool = False) -> bytes:
    head = [f"UNH+{reference}01+{message}:D:95B:UN:SMDG20'", f"BGM+45+{reference}+9'"]
    if message == "CODECO":
        head.append("TDT+1++3++:172:87'")
    elif message == "BAPLIE":
        head.append(f"TDT+20+{_VOYAGE}+++MSK:172:20+++PDAB:103::{_VESSEL}'")
    else:
        head.append(f"TDT+20+{_VOYAGE}+1++MSK:172:20+++PDAB:103::{_VESSEL}'")
    body: list[str] = []
    for place, box in enumerate(boxes):
        body += [f"LOC+147+00{place}0284::5'", "FTX+AAA+++DON?'T STOW ?+ ROLL'"] if message == "BAPLIE" else []
        body.append(_equipment(message, box))
    segments = [*head, *body]
    segments.append(f"UNT+{len(segments) + 1}+{reference}01'")
    whole = ["UNA:+.? '", f"UNB+UNOA:2+LINE01+QUAYTERM+261124:0102+{reference}'", *segments, f"UNZ+1+{reference}'"]
    return ("\r\n" if lines else "").join(whole).encode()


def _told(truth: Truth, message: str, reference: str, boxes: list[_Box]) -> None:
    truth.told("request", protocol="edifact", method=message)
    for box in boxes:
        ship = {} if message == "CODECO" else {"detail__vessel": _VESSEL, "detail__voyage": _VOYAGE}
        truth.told("cargo", protocol="edifact", message=message, id=box.number, check=_right(box), size_type=box.size_type,
                   detail__full=box.full, **ship)
        if not _right(box):
            truth.deviates("edifact_container_check_digit")


@contextmanager
def _ftp() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        accounts = DummyAuthorizer()
        accounts.add_user("line", "stowage", folder, perm="elrw")
        handler = type("Handler", (FTPHandler,), {"authorizer": accounts, "banner": "ready"})
        with ThreadedFTPServer(("127.0.0.1", _FTP), handler) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            yield
            server.close_all()


class _Partner(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing on the terminal."""


class _Mailbox:
    async def handle_DATA(self, *_: object) -> str:
        return "250 taken"


def _over_ftp(truth: Truth) -> None:
    plan = [_RIGHT, _EMPTY, _WRONG]
    content = _interchange("BAPLIE", "B1", plan)
    with _ftp(), ftplib.FTP() as line:
        line.connect("127.0.0.1", _FTP, timeout=10)
        line.login("line", "stowage")
        line.storbinary("STOR plan.edi", io.BytesIO(content))
        _told(truth, "BAPLIE", "B1", plan)
        got = io.BytesIO()
        line.retrbinary("RETR plan.edi", got.write)
        if got.getvalue() != content:
            raise ValueError("another plan came back")
        _told(truth, "BAPLIE", "B1", plan)


def _over_http(truth: Truth) -> None:
    with HTTPServer(("127.0.0.1", _HTTP), _Partner) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        partner = http.client.HTTPConnection("127.0.0.1", _HTTP, timeout=10)
        boxes = [_EMPTY, _RIGHT]
        partner.request("POST", "/edi/in", _interchange("COPRAR", "L1", boxes, lines=True),
                        {"Content-Type": "application/EDIFACT"})
        partner.getresponse().read()
        partner.close()
        server.shutdown()
    _told(truth, "COPRAR", "L1", boxes)


def _over_mail(truth: Truth) -> None:
    controller = Controller(_Mailbox(), hostname="127.0.0.1", port=_SMTP)
    controller.start()
    try:
        for message, encoding in (("COARRI", "base64"), ("CODECO", "quoted-printable")):
            boxes = [_RIGHT, _WRONG]
            mail = EmailMessage()
            mail["From"], mail["To"], mail["Subject"] = "terminal@quay.example", "edi@line.example", message
            mail.set_content("Report attached.\n")
            mail.add_attachment(_interchange(message, "D1", boxes, lines=True), maintype="application", subtype="edifact",
                                filename=f"{message}.edi", cte=encoding)
            with smtplib.SMTP("127.0.0.1", _SMTP, timeout=10) as terminal:
                terminal.send_message(mail)
            _told(truth, message, "D1", boxes)
    finally:
        controller.stop()


def run() -> Truth:
    if not (_right(_RIGHT) and _right(_EMPTY)) or _right(_WRONG):
        raise ValueError("check digits are not as meant")
    truth = Truth(f"own after ISO 9735; pyftpdlib {version('pyftpdlib')}, aiosmtpd {version('aiosmtpd')}, Python's clients")
    _over_ftp(truth)
    _over_http(truth)
    _over_mail(truth)
    return truth

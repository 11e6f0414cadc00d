"""A service laptop at a laser scanner: SICK CoLa A and CoLa B, after SICK's "Telegram listing ranging sensors" 8014631.

Telegrams, answers and hashes as the listing and SICK's own driver (sick_scan, whose log of an MRS6124 has the checksums
that are tried here first) have them. CoLa A writes values as text, CoLa B as bytes with their lengths.
"""

import struct
from collections.abc import Callable
from functools import reduce

from .dialogue import Stream, client, server
from .truth import Truth

_PORT_A, _PORT_B = 2111, 2112
# Level, name and the maker's hash of its password, as open drivers (LMS1xx) log in with.
_LEVELS = ((2, "maintenance", 0xB21ACE26), (3, "authorized client", 0xF4724744), (4, "service", 0x81BE23AA))
_WRONG_HASH = 0x12345678
_READS = {
    b"DeviceIdent": ("LMS10x_FieldEval", "V1.36-21.10.2010"),
    b"FirmwareVersion": ("V1.36-21.10.2010",),
    b"LocationName": ("STS04 SPREADER",),
    b"SerialNumber": ("11160099",),
}
_ANSWERS = {b"sRN": b"sRA", b"sWN": b"sWA", b"sMN": b"sAN", b"sEN": b"sEA"}


def _checksum(telegram: bytes) -> int:
    return reduce(lambda sum_, byte: sum_ ^ byte, telegram, 0)


def _frame_a(telegram: bytes) -> bytes:
    return b"\x02" + telegram + b"\x03"


def _frame_b(telegram: bytes) -> bytes:
    return b"\x02\x02\x02\x02" + struct.pack(">I", len(telegram)) + telegram + bytes([_checksum(telegram)])


def _receive_a(stream: Stream) -> bytes:
    return stream.until(b"\x03")[1:-1]


def _receive_b(stream: Stream) -> bytes:
    head = stream.exactly(8)
    telegram = stream.exactly(struct.unpack(">I", head[4:])[0])
    if stream.exactly(1)[0] != _checksum(telegram):
        raise ValueError("checksum")
    return telegram


class _Dialect:
    """What differs between CoLa A and CoLa B."""

    def __init__(self, binary: bool):
        self.binary = binary
        self.frame: Callable[[bytes], bytes] = _frame_b if binary else _frame_a
        self.receive: Callable[[Stream], bytes] = _receive_b if binary else _receive_a

    def text(self, value: str) -> bytes:
        if self.binary:
            return struct.pack(">H", len(value)) + value.encode()
        return f"{len(value):X} {value}".encode()

    def number(self, value: int, size: int) -> bytes:
        return value.to_bytes(size) if self.binary else f"{value:X}".encode()

    def telegram(self, command: bytes, *values: bytes) -> bytes:
        """CoLa B has a blank behind the name only, and none between its values."""
        if self.binary:
            return command + b" " + b"".join(values) if values else command
        return b" ".join((command, *values))


def _answer(dialect: _Dialect, request: bytes) -> list[bytes]:
    kind, name = request[:3], request.split(b" ")[1]
    answer = _ANSWERS[kind] + b" " + name
    yes, no = dialect.number(1, 1), dialect.number(0, 1)
    if kind == b"sRN" and name not in _READS and name != b"SCdevicestate":
        return [b"sFA " + dialect.number(3, 2 if dialect.binary else 1)]
    if kind == b"sRN":
        values = [dialect.text(value) for value in _READS[name]] if name in _READS else [yes]
        return [dialect.telegram(answer, *values)]
    if kind == b"sMN" and name == b"SetAccessMode":
        right = any(dialect.number(known, 4) in request for _, _, known in _LEVELS)
        return [dialect.telegram(answer, yes if right else no)]
    if kind == b"sEN":
        scans = [dialect.telegram(b"sSN LMDscandata", dialect.number(number, 2), yes) for number in range(3)]
        return [dialect.telegram(answer, yes), *(scans if request.endswith(yes) else [])]
    if kind == b"sWN":
        return [answer + (b" " if dialect.binary else b"")]
    return [dialect.telegram(answer, yes)]


def _scanner(dialect: _Dialect) -> Callable[[Stream], None]:
    def serve(stream: Stream) -> None:
        while True:
            for telegram in _answer(dialect, dialect.receive(stream)):
                stream.send(dialect.frame(telegram))
    return serve


def _ask(stream: Stream, dialect: _Dialect, telegram: bytes, answers: int = 1) -> bytes:
    stream.send(dialect.frame(telegram))
    return [dialect.receive(stream) for _ in range(answers)][0]


def _told(truth: Truth, kind: str, named: str, **members: str | int) -> None:
    truth.told("operation", protocol="sick-cola", **{"class": kind}, object=named, **members)


def _speak(dialect: _Dialect, port: int, truth: Truth) -> None:
    with client(port) as stream:
        def ask(command: bytes, *values: bytes, answers: int = 1) -> bytes:
            return _ask(stream, dialect, dialect.telegram(command, *values), answers)

        ask(b"sRN DeviceIdent")
        _told(truth, "identify", "DeviceIdent", status=0)
        ask(b"sRN FirmwareVersion")
        _told(truth, "identify", "FirmwareVersion", status=0)
        ask(b"sRN SerialNumber")
        ask(b"sRN LocationName")
        for attribute, value in (("model", "LMS10x_FieldEval"), ("firmware", "V1.36-21.10.2010"), ("serial", "11160099"),
                                 ("host-name", "STS04 SPREADER")):
            truth.told("identity", attribute=attribute, value=value)
        ask(b"sRN SCdevicestate")
        _told(truth, "read", "SCdevicestate", status=0)
        ask(b"sRN NoSuchVariable")
        _told(truth, "read", "NoSuchVariable", status=3)
        for level, user, code in ((3, "authorized client", _WRONG_HASH), *_LEVELS):
            ask(b"sMN SetAccessMode", dialect.number(level, 1) if dialect.binary else f"{level:02}".encode(),
                dialect.number(code, 4))
            _told(truth, "session", "SetAccessMode")
            outcome = "failure" if code == _WRONG_HASH else "success"
            truth.told("session", protocol="sick-cola", user=user, outcome=outcome)
            if outcome == "success":
                truth.told("credential", protocol="sick-cola", account=user, weakness="default")
        ask(b"sWN EIHstCola", dialect.number(1, 1))
        _told(truth, "configure", "EIHstCola", status=0)
        ask(b"sMN LMCstopmeas")
        _told(truth, "control", "LMCstopmeas", status=0)
        ask(b"sMN mEEwriteall")
        _told(truth, "configure", "mEEwriteall", status=0)
        ask(b"sMN Run")
        # Run logs out and takes the settings over.
        _told(truth, "session", "Run", status=0)
        ask(b"sEN LMDscandata", dialect.number(1, 1), answers=4)
        _told(truth, "cyclic", "LMDscandata", status=0)


def run() -> Truth:
    for telegram, checksum in ((b"sRN SCdevicestate", 0x30), (b"sMN SetAccessMode \x03\xf4\x72\x47\x44", 0xB3)):
        if _checksum(telegram) != checksum:
            raise ValueError("checksum is not what a scanner's log has")
    truth = Truth("own, after SICK 8014631 and the log of sick_scan")
    for dialect, port in ((_Dialect(binary=False), _PORT_A), (_Dialect(binary=True), _PORT_B)):
        with server(port, _scanner(dialect)):
            _speak(dialect, port, truth)
    return truth

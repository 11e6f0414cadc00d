"""An HMI and a stranger at a Unitronics Vision controller: PCOM over TCP, after Unitronics' "PCOM Protocol".

The manual as its readers took it down: scapy's and Nmap's PCOM of L. Rosa (codes, identity, checksums) and pypcom
(lists of operands within binary requests, with the manual's examples).
"""

import struct
from collections.abc import Sequence

from .dialogue import Stream, client, server
from .truth import Truth

_PORT = 20256
_ASCII, _BINARY = 101, 102
_NAME, _OPERANDS, _TABLE = 0x0C, 0x4D, 0x04
_MB, _MI, _MF, _VECTOR = 1, 3, 7, 0x80
_PLC_NAME = b"REEFER RACK 3"


def _tcp(number: int, mode: int, body: bytes) -> bytes:
    return struct.pack(">H", number) + struct.pack("<BBH", mode, 0, len(body)) + body


def _ascii(prefix: str, text: str) -> bytes:
    """A message of hexadecimal text: the sum of everything behind the prefix, modulo 256, and a carriage return."""
    return f"{prefix}{text}{sum(text.encode()) % 256:02X}\r".encode()


def _complement(part: bytes) -> bytes:
    """The checksum of binary messages: two's complement of the sum in 16 bits; 0 for nothing."""
    return struct.pack("<H", -sum(part) & 0xFFFF)


def _binary(addresses: bytes, command: int, details: bytes, arguments: bytes = bytes(6)) -> bytes:
    head = b"/_OPLC" + addresses + struct.pack("<B3xBx", 1, command) + arguments + struct.pack("<H", len(details))
    return head + _complement(head) + details + _complement(details) + b"\\"


class _Master:
    def __init__(self, stream: Stream):
        self._stream = stream
        self._number = 0x1200

    def ascii(self, command: str, unit: int = 0) -> str:
        """The text of the answer behind the unit."""
        answer = self._ask(_ASCII, _ascii("/", f"{unit:02X}{command}")).decode()
        if not answer.startswith(f"/A{unit:02X}") or _ascii("/A", answer[2:-3]) != answer.encode():
            raise ValueError(f"not an answer: {answer!r}")
        return answer[4:-3]

    def binary(self, command: int, details: bytes = b"", arguments: bytes = bytes(6)) -> bytes:
        answer = self._ask(_BINARY, _binary(b"\x00\xfe", command, details, arguments))
        if answer[12] != command | 0x80:
            raise ValueError("not the answer to this command")
        return answer[24:-3]

    def _ask(self, mode: int, body: bytes) -> bytes:
        self._number += 1
        self._stream.send(_tcp(self._number, mode, body))
        return _receive(self._stream)[2]


def _receive(stream: Stream) -> tuple[int, int, bytes]:
    head = stream.exactly(6)
    return struct.unpack(">H", head[:2])[0], head[2], stream.exactly(struct.unpack("<H", head[4:])[0])


def _ascii_answer(unit: str, command: str) -> bytes:
    count = int(command[6:8], 16) if len(command) >= 8 and command[:2] in ("RW", "RB", "GS", "GF", "RE", "RA") else 0
    match command[:2]:
        case "ID":
            text = "ID13T38 A00300941B001001P00000000000000000FT00000"
        case "RW" | "GF":
            text = command[:2] + "".join(f"{value + 100:04X}" for value in range(count))
        case "RB" | "GS" | "RE" | "RA":
            text = command[:2] + "10" * (count // 2) + "1" * (count % 2)
        case "RN":
            text = "RN" + "0000BEEF" * int(command[7:9], 16)
        case "UG":
            text = "UG05"
        case "RC":
            text = "RC30150902241126"
        case other:
            text = other
    return _ascii("/A", unit + text)


def _binary_answer(request: bytes) -> bytes:
    answers = {_NAME: _PLC_NAME, _OPERANDS: struct.pack("<6h", *range(113, 119)), _TABLE: bytes(range(8))}
    return _binary(b"\xfe\x00", request[12] | 0x80, answers[request[12]], request[14:20])


def _controller(stream: Stream) -> None:
    while True:
        number, mode, body = _receive(stream)
        if mode == _BINARY:
            stream.send(_tcp(number, mode, _binary_answer(body)))
        else:
            text = body.decode()
            stream.send(_tcp(number, mode, _ascii_answer(text[1:3], text[3:-3])))


def _operands(*lists: tuple[int, int, Sequence[int]]) -> tuple[bytes, bytes]:
    """Arguments and details of a read of operands: type, count, and one address of a vector or each of its own."""
    details = b"".join(struct.pack("<HBB", count, kind, 0xFF) + struct.pack(f"<{len(addresses)}H", *addresses)
                       for kind, count, addresses in lists)
    return bytes(4) + struct.pack("<H", len(lists)), details


def _told(truth: Truth, kind: str, **members: str | int) -> None:
    truth.told("operation", protocol="pcom", **{"class": kind}, **members)


def _read_and_write(master: _Master, truth: Truth) -> None:
    for command, kind, named, count in (
            ("RW000A03", "read", "MI 10-12", 3),
            ("RB01F401", "read", "MB 500", 1),
            ("GS000008", "read", "SB 0-7", 8),
            ("GF001E02", "read", "SI 30-31", 2),
            ("RE000004", "read", "I 0-3", 4),
            ("RNL000502", "read", "ML 5-6", 2),
            ("RNJ000901", "read", "SDW 9", 1),
            ("SW006402000A0014", "write", "MI 100-101", 2),
            ("SB0007011", "write", "MB 7", 1),
            ("SA00020201", "write", "O 2-3", 2)):
        master.ascii(command)
        _told(truth, kind, object=named, quantity=count)


def _speak(truth: Truth) -> None:
    with client(_PORT) as stream:
        master = _Master(stream)
        master.ascii("ID")
        _told(truth, "identify")
        for attribute, value in (("vendor", "Unitronics"), ("model", "13T38"), ("hardware", "A"), ("firmware", "3.9 (41)")):
            truth.told("identity", attribute=attribute, value=value)
        _read_and_write(master, truth)
        if master.binary(_NAME) != _PLC_NAME:
            raise ValueError("the controller has another name")
        _told(truth, "identify")
        truth.told("identity", attribute="host-name", value=_PLC_NAME.decode())
        arguments, details = _operands((_MI | _VECTOR, 6, [13]))
        master.binary(_OPERANDS, details, arguments)
        _told(truth, "read")
        arguments, details = _operands((_MF, 1, [15]), (_MI, 3, [1, 2, 3]), (_MB, 2, [1, 7]))
        master.binary(_OPERANDS, details, arguments)
        _told(truth, "read")
        master.binary(_TABLE, bytes(32))
        _told(truth, "read")
    with client(_PORT) as stream:
        master = _Master(stream)
        master.ascii("UG")
        truth.told("operation", protocol="pcom", code=int.from_bytes(b"UG"))
        master.ascii("RC", unit=5)
        _told(truth, "diagnose", unit=5)
        master.ascii("SC30150902241126")
        _told(truth, "configure")
        master.ascii("US07")
        _told(truth, "configure")
        for command in ("CCS", "CCR", "CCE", "CCI"):
            master.ascii(command)
            _told(truth, "control")


def run() -> Truth:
    truth = Truth("own, after Unitronics' PCOM Protocol")
    with server(_PORT, _controller):
        _speak(truth)
    return truth

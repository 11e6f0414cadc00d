"""A crane's HMI and an engineer at a Series 90-30: GE SRTP after Denton et al., Digital Investigation 22 (2017).

What the paper leaves open is taken from open drivers that work against such controllers (HslCommunication, gesrtp-py,
ge-ethernet-SRTP, libOpenSRTP): the opening, the length of what follows, that a write with a text has its service at
byte 50.
"""

import struct

from .dialogue import Stream, client, server
from .truth import Truth

_PORT = 18245
_FIXED = 56
_REQUEST, _REPLY = 2, 3
_SHORT, _WITH_TEXT, _DONE, _DONE_WITH_TEXT, _REFUSED = 0xC0, 0x80, 0xD4, 0x94, 0xD1
_STATUS, _READ, _WRITE, _PRIVILEGE, _RUN_STOP, _CLOCK, _TYPE = 0x00, 0x04, 0x07, 0x21, 0x23, 0x25, 0x43
# Memory types: words of %R, bytes of %I, single bits of %M.
_R, _I, _M_BITS = 0x08, 0x10, 0x4C
_BASE = {9: 1, 17: 1, 36: 0x10, 37: 0x0E, 40: 1, 41: 1}
_IDENTITY = bytes(18) + b"STS04_HOIST".ljust(16, b"\0") + bytes(8)


def _fixed(kind: int, number: int, message: int, length: int, rest: dict[int, int]) -> bytes:
    """The 56 bytes that every message begins with; all that is not named in `rest` has its usual value."""
    part = bytearray(_FIXED)
    part[0], part[2], part[30], part[31] = kind, number, 6, message
    part[4:6] = struct.pack("<H", length)
    for place, value in (_BASE | rest).items():
        part[place] = value
    return bytes(part)


def _at(place: int, content: bytes) -> dict[int, int]:
    return dict(enumerate(content, place))


class _Master:
    """The asking end; numbers its requests."""

    def __init__(self, stream: Stream):
        self._stream = stream
        self._number = 0
        self._stream.send(bytes(_FIXED))
        if self._stream.exactly(_FIXED)[0] != 1:
            raise ValueError("the controller did not take the opening")

    def ask(self, service: int, arguments: bytes = b"") -> bytes:
        return self._send(_SHORT, _at(42, bytes([service]) + arguments), b"")

    def write(self, memory: int, offset: int, count: int, values: bytes) -> None:
        """Values of more than six bytes stand behind the fixed part, and the service moves to byte 50."""
        where = struct.pack("<BHH", memory, offset, count)
        if len(values) <= 6:
            self._send(_SHORT, _at(42, bytes([_WRITE]) + where + values), b"")
        else:
            rest = {9: 2, 17: 2, 30: 9, 42: 2} | _at(48, bytes([1, 1, _WRITE]) + where)
            self._send(_WITH_TEXT, rest, values)

    def _send(self, message: int, rest: dict[int, int], text: bytes) -> bytes:
        self._number += 1
        self._stream.send(_fixed(_REQUEST, self._number, message, len(text), rest) + text)
        reply = self._stream.exactly(_FIXED)
        if reply[0] != _REPLY or reply[2] != self._number:
            raise ValueError("not the reply to this request")
        return reply + self._stream.exactly(struct.unpack_from("<H", reply, 4)[0])


def _answer(request: bytes) -> bytes:
    service = request[42] if request[31] == _SHORT else request[50]
    number = request[2]
    if service == _READ:
        memory, _, count = struct.unpack_from("<BHH", request, 43)
        size = {_R: 2 * count, _I: count, _M_BITS: (count + 7) // 8}[memory]
        if size > 6:
            return _fixed(_REPLY, number, _DONE_WITH_TEXT, size, {}) + bytes(range(size))
        return _fixed(_REPLY, number, _DONE, 0, _at(44, bytes(range(1, size + 1))))
    if service == _TYPE:
        return _fixed(_REPLY, number, _DONE_WITH_TEXT, len(_IDENTITY), {}) + _IDENTITY
    if service == _PRIVILEGE and request[43] > 2:
        # The drivers read both bytes as one number, the second of them the higher.
        return _fixed(_REPLY, number, _REFUSED, 0, {42: 0x05, 43: 0x01})
    return _fixed(_REPLY, number, _DONE, 0, _at(44, bytes(6)))


def _controller(stream: Stream) -> None:
    if stream.exactly(_FIXED) != bytes(_FIXED):
        return
    stream.send(b"\1" + bytes(_FIXED - 1))
    while True:
        request = stream.exactly(_FIXED)
        stream.exactly(struct.unpack_from("<H", request, 4)[0])
        stream.send(_answer(request))


def _speak(truth: Truth) -> None:
    with client(_PORT) as stream:
        master = _Master(stream)
        master.ask(_STATUS)
        truth.operation("ge-srtp", "PLC short status", **{"class": "diagnose"}, status=0)
        # On the wire from 0, in the controller's language from 1. Bytes of discrete memory are counted by bytes on the
        # wire, as a station program with libOpenSRTP reads %I1665 (byte 209), and by bits in the language.
        for memory, offset, count, named in ((_R, 99, 2, "%R100"), (_R, 0, 12, "%R1"), (_I, 208, 8, "%I1665"),
                                             (_M_BITS, 16, 1, "%M17")):
            master.ask(_READ, struct.pack("<BHH", memory, offset, count))
            truth.operation("ge-srtp", "read system memory", **{"class": "read"}, object=named, quantity=count, status=0)
        master.write(_R, 199, 1, b"\x2a\0")
        truth.operation("ge-srtp", "write system memory", **{"class": "write"}, object="%R200", quantity=1, status=0)
        master.write(_M_BITS, 7, 1, b"\x80")
        truth.operation("ge-srtp", "write system memory", **{"class": "write"}, object="%M8", quantity=1, status=0)
        master.write(_R, 300, 8, bytes(range(16)))
        truth.operation("ge-srtp", "write system memory", **{"class": "write"}, object="%R301", quantity=8, status=0)
    with client(_PORT) as stream:
        master = _Master(stream)
        master.ask(_TYPE)
        truth.operation("ge-srtp", "return controller type", **{"class": "identify"}, status=0)
        truth.told("identity", attribute="project", value="STS04_HOIST")
        master.ask(_CLOCK, b"\0\0\0\2\0")
        truth.operation("ge-srtp", "return time and date", **{"class": "diagnose"}, status=0)
        master.ask(_PRIVILEGE, b"\2")
        truth.operation("ge-srtp", "change privilege level", **{"class": "session"}, status=0)
        master.ask(_PRIVILEGE, b"\4wrong")
        truth.operation("ge-srtp", "change privilege level", **{"class": "session"}, status=0x0105)
        for state in (0, 1):
            master.ask(_RUN_STOP, bytes([state]))
            truth.operation("ge-srtp", "set PLC run or stop", **{"class": "control"}, status=0)


def run() -> Truth:
    truth = Truth("own, after Denton et al. 2017 and open drivers")
    with server(_PORT, _controller):
        _speak(truth)
    return truth

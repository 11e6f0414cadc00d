"""An engineer finds, opens and commands a CODESYS V3 runtime: after A. Nochvay's "CODESYS Runtime" (Kaspersky, 2019).

Field by field as in public tools that speak to real runtimes: Tenable's proofs of concept (blocks, datagrams, channel
open, services), Metasploit's and Greenbone's detections (name service over UDP and TCP). No source at hand has the
numbers of CmpApp's services: those are from published dissectors, as the analyzer's are.
"""

import binascii
import socket
import struct
import threading

from .dialogue import Ended, Stream, client, server
from .truth import Truth

_TCP, _UDP = 11740, 1740
_NAME_REQUEST, _NAME_ANSWER, _CHANNEL = 0x03, 0x04, 0x40
_OPEN, _OPENED, _CLOSE = 0xC3, 0x83, 0xC4
_RESOLVE_IDENTITY, _IDENTITY = 0xC202, 0xC280
# The first block of a service is marked; the highest bit says that the end which opened the channel sent it.
_DATA, _FIRST = 0x01, 0x01
_CHANNEL_ID = 0x000B
_MASTER, _DEVICE = bytes.fromhex("2ddc0000"), bytes.fromhex("2ddf7f000001")
_DEVICE_LOGIN, _IDENTIFY = (0x01, 0x02), (0x01, 0x01)
_SET_SETTING = (0x06, 0x02)
_APP_LOGIN, _APP_START, _APP_STOP = (0x02, 0x01), (0x02, 0x10), (0x02, 0x11)


def _block(datagram: bytes) -> bytes:
    return struct.pack("<II", 0xE8170100, len(datagram) + 8) + datagram


def _datagram(service: int, sender: bytes, receiver: bytes, content: bytes) -> bytes:
    """Hop count 13, header of three words, priority normal; the content begins at a multiple of four."""
    lengths = (len(sender) // 2) << 4 | len(receiver) // 2
    head = struct.pack("BBBBBB", 0xC5, 13 << 3 | 3, 1 << 6, service, 0, lengths) + receiver + sender
    return head + bytes(-len(head) % 4) + content


def _content(datagram: bytes) -> tuple[int, bytes]:
    lengths = datagram[5]
    end = (datagram[1] & 7) * 2 + (lengths >> 4) * 2 + (lengths & 15) * 2
    return datagram[3], datagram[end + -end % 4:]


def _meta(command: int, content: bytes) -> bytes:
    """Opens and closes channels; the checksum covers the header with itself as zero."""
    head = struct.pack("<BBH", command, 0, 0x0101)
    return head + struct.pack("<I", binascii.crc32(head + bytes(4) + content)) + content


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + _number(value >> 7)


def _tag(identity: int, content: bytes) -> bytes:
    return _number(identity) + _number(len(content)) + content


def _service(group: int, command: int, session: int, tags: bytes) -> bytes:
    head = struct.pack("<HHIIHH", group, command, session, len(tags), 0, 0)
    service = struct.pack("<HH", 0xCD55, len(head)) + head + tags
    return struct.pack("<II", len(service), binascii.crc32(service)) + service


def _identity(request: int) -> bytes:
    node, device, vendor = ("STS04-PLC", "CODESYS Control for Linux SL", "3S - Smart Software Solutions GmbH")
    texts = b"".join(text.encode("utf-16-le") + b"\0\0" for text in (node, device, vendor))
    return (struct.pack("<HHI", _IDENTITY, 0x0400, request) + struct.pack("<HBBH", 4, 1, 0, 0)
            + struct.pack("<HHH", len(node), len(device), len(vendor))
            + struct.pack("<IIII", 0x1006, 0x00000001, 0x03051300, 0) + struct.pack("<BBB9x", 0, 0, 1) + texts)


def _receive(stream: Stream) -> tuple[int, bytes]:
    magic, size = struct.unpack("<II", stream.exactly(8))
    if magic != 0xE8170100:
        raise ValueError("not a block")
    return _content(stream.exactly(size - 8))


def _answer(service: int, content: bytes, number: int) -> bytes | None:
    """What the runtime sends back, as a datagram."""
    def reply(kind: int, answer: bytes) -> bytes:
        return _datagram(kind, _DEVICE, _MASTER, answer)

    if service == _NAME_REQUEST:
        return reply(_NAME_ANSWER, _identity(struct.unpack_from("<I", content, 4)[0]))
    if content[0] == _OPEN:
        message = struct.unpack_from("<I", content, 8)[0]
        opened = struct.pack("<IHHII", message, 0, _CHANNEL_ID, 0x1F4000, 4)
        return reply(_CHANNEL, _meta(_OPENED, opened))
    if content[0] != _DATA:
        return None
    block = struct.unpack_from("<I", content, 4)[0]
    group, command, session = struct.unpack_from("<HHI", content, 24)
    result = _tag(0x82, _tag(0x20, b"\0\0"))
    answer = _service(group | 0x80, command, session, result)
    return reply(_CHANNEL, struct.pack("<BBHII", _DATA, _FIRST, _CHANNEL_ID, number, block) + answer)


def _runtime(stream: Stream) -> None:
    number = 0
    while True:
        service, content = _receive(stream)
        number += service == _CHANNEL and content[0] == _DATA
        answer = _answer(service, content, number)
        if answer is None:
            raise Ended
        stream.send(_block(answer))


class _Master:
    def __init__(self, stream: Stream):
        self._stream = stream
        self._number = 0

    def send(self, service: int, content: bytes) -> None:
        self._stream.send(_block(_datagram(service, _MASTER, _DEVICE, content)))

    def ask(self, service: int, content: bytes) -> bytes:
        self.send(service, content)
        return _receive(self._stream)[1]

    def open(self) -> None:
        answer = self.ask(_CHANNEL, _meta(_OPEN, struct.pack("<III", 0x12345678, 0x1F4000, 5)))
        if answer[0] != _OPENED:
            raise ValueError("no channel")

    def call(self, service: tuple[int, int], tags: bytes) -> None:
        self._number += 1
        data = struct.pack("<BBHII", _DATA, _FIRST | 0x80, _CHANNEL_ID, self._number, self._number - 1)
        self.ask(_CHANNEL, data + _service(*service, 0x11, tags))


def _found(truth: Truth) -> None:
    truth.told("identity", attribute="host-name", value="STS04-PLC")
    truth.told("identity", attribute="vendor", value="3S - Smart Software Solutions GmbH")


def _name_service_over_udp(truth: Truth) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as device, socket.socket(type=socket.SOCK_DGRAM) as master:
        device.bind(("127.0.0.1", _UDP))
        master.bind(("127.0.0.1", _UDP + 1))
        master.settimeout(5)

        def serve() -> None:
            question, asker = device.recvfrom(2048)
            service, content = _content(question)
            device.sendto(_answer(service, content, 0) or b"", asker)

        thread = threading.Thread(target=serve)
        thread.start()
        package = struct.pack("<HHI", _RESOLVE_IDENTITY, 0x0400, 0x04206969)
        master.sendto(_datagram(_NAME_REQUEST, b"\x00\x01", b"", package), ("127.0.0.1", _UDP))
        master.recv(2048)
        thread.join()
    truth.told("operation", protocol="codesys-v3", **{"class": "identify"})
    _found(truth)


def _speak(truth: Truth) -> None:
    _name_service_over_udp(truth)
    with client(_TCP) as stream:
        master = _Master(stream)
        master.ask(_NAME_REQUEST, struct.pack("<HHI", _RESOLVE_IDENTITY, 0x0400, 7))
        truth.told("operation", protocol="codesys-v3", **{"class": "identify"}, status_name="answered")
        _found(truth)
        master.open()
        truth.told("operation", protocol="codesys-v3", name="open channel", status=0, status_name="ok")
        master.call(_IDENTIFY, b"")
        truth.told("operation", protocol="codesys-v3", **{"class": "identify"}, status_name="answered")
        master.call(_DEVICE_LOGIN, _tag(0x22, struct.pack("<H", 1)) + _tag(0x81, _tag(0x10, b"\0\0")))
        truth.told("operation", protocol="codesys-v3", **{"class": "session"}, status_name="answered")
        truth.told("session", protocol="codesys-v3", outcome="unknown")
        setting = _tag(0x10, b"CmpGateway\0") + _tag(0x11, b"Timeout\0") + _tag(0x12, struct.pack("<i", 30))
        master.call(_SET_SETTING, _tag(0x81, setting))
        truth.told("operation", protocol="codesys-v3", **{"class": "configure"}, object="CmpSettings 0x6",
                   status_name="answered")
        master.call(_APP_LOGIN, _tag(0x81, _tag(0x10, b"Application\0")))
        truth.told("operation", protocol="codesys-v3", **{"class": "session"}, status_name="answered")
        for service in (_APP_STOP, _APP_START):
            master.call(service, _tag(0x11, struct.pack("<I", 1)))
            truth.told("operation", protocol="codesys-v3", **{"class": "control"}, status_name="answered")
        master.send(_CHANNEL, _meta(_CLOSE, struct.pack("<HH", _CHANNEL_ID, 0)))
        truth.told("operation", protocol="codesys-v3", **{"class": "session"})


def run() -> Truth:
    truth = Truth("own, after Nochvay 2019 and open tools")
    with server(_TCP, _runtime):
        _speak(truth)
    return truth

"""A supplier's tunnel into the crane network: SOCKS 4, 4a and 5 after RFC 1928, RFC 1929 and NEC's description of 4.

The proxy passes on to a Modbus server behind it, so that what is inside has to be told too.
"""

import socket
import struct

from .dialogue import Ended, Stream, client, server
from .truth import Truth

_PROXY, _MODBUS = 1080, 1502
_ACCOUNT, _PASSWORD = b"supplier", b"remote-care"
_NONE, _GSSAPI, _LOGIN, _NO_METHOD = 0, 1, 2, 0xFF
_CONNECT, _BIND = 1, 2
_LOOPBACK = socket.inet_aton("127.0.0.1")


def _modbus(stream: Stream) -> None:
    """Answers reads of holding registers."""
    while True:
        head = stream.exactly(8)
        count = struct.unpack(">HH", stream.exactly(4))[1]
        data = struct.pack(">B", 2 * count) + bytes(2 * count)
        stream.send(head[:4] + struct.pack(">H", 2 + len(data)) + head[6:8] + data)


def _read_registers(stream: Stream, first: int, count: int) -> None:
    stream.send(struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, first, count))
    stream.exactly(9 + 2 * count)


def _relay(stream: Stream) -> None:
    """Passes one request and its answer on to the Modbus server."""
    with client(_MODBUS) as inside:
        inside.send(stream.exactly(12))
        head = inside.exactly(9)
        stream.send(head + inside.exactly(head[8]))


def _version_4(stream: Stream) -> None:
    command, _, address = struct.unpack(">BH4s", stream.exactly(7))
    stream.until(b"\0")
    if address[:3] == b"\0\0\0" and address[3]:
        stream.until(b"\0")
    granted = command == _CONNECT
    stream.send(struct.pack(">BBH4s", 0, 90 if granted else 91, 0, bytes(4)))
    if granted:
        _relay(stream)


def _version_5(stream: Stream) -> None:
    methods = stream.exactly(stream.exactly(1)[0])
    # With a password where the client can, else without: a badly kept proxy.
    method = next((method for method in (_LOGIN, _NONE) if method in methods), _NO_METHOD)
    stream.send(bytes([5, method]))
    if method == _NO_METHOD:
        return
    if method == _LOGIN:
        stream.exactly(1)
        account = stream.exactly(stream.exactly(1)[0])
        password = stream.exactly(stream.exactly(1)[0])
        right = (account, password) == (_ACCOUNT, _PASSWORD)
        stream.send(bytes([1, 0 if right else 1]))
        if not right:
            return
    _, command, _, kind = stream.exactly(4)
    host = stream.exactly({1: 4, 4: 16}.get(kind) or stream.exactly(1)[0])
    port = struct.unpack(">H", stream.exactly(2))[0]
    reply = 7 if command != _CONNECT else 0 if host in (_LOOPBACK, b"localhost") and port == _MODBUS else 5
    stream.send(struct.pack(">BBBB4sH", 5, reply, 0, 1, _LOOPBACK, 40_000 if reply == 0 else 0))
    if reply == 0:
        _relay(stream)


def _proxy(stream: Stream) -> None:
    try:
        (_version_5 if stream.exactly(1) == b"\5" else _version_4)(stream)
    except (Ended, ConnectionError):
        return


def _ask_5(stream: Stream, command: int, address: bytes, port: int) -> int:
    stream.send(bytes([5, command, 0]) + address + struct.pack(">H", port))
    return stream.exactly(10)[1]


def _offer(stream: Stream, methods: bytes) -> int:
    stream.send(bytes([5, len(methods)]) + methods)
    return stream.exactly(2)[1]


def _log_in(stream: Stream, password: bytes) -> bool:
    _offer(stream, bytes([_NONE, _LOGIN]))
    stream.send(bytes([1, len(_ACCOUNT)]) + _ACCOUNT + bytes([len(password)]) + password)
    return stream.exactly(2)[1] == 0


def _told(truth: Truth, name: str, target: str, status: int, **members: str) -> None:
    truth.operation("socks", name, **{"class": "session"}, object=target, status=status, **members)


def _inside(truth: Truth, first: int, count: int) -> None:
    """Told twice: behind the proxy, and as what passed through it."""
    for _ in range(2):
        truth.operation("modbus", "Read Holding Registers", quantity=count, status=0,
                        object=f"holding-register {first}-{first + count - 1}")


def _talk_5(truth: Truth) -> None:
    with client(_PROXY) as stream:
        if not _log_in(stream, _PASSWORD) or _ask_5(stream, _CONNECT, b"\1" + _LOOPBACK, _MODBUS):
            raise ValueError("refused")
        truth.told("session", protocol="socks", version="5", user="supplier", method="password", outcome="success")
        truth.told("credential", protocol="socks", account="supplier", weakness="clear-text")
        _told(truth, "connect", f"127.0.0.1:{_MODBUS}", 0, detail__bound="127.0.0.1:40000")
        _read_registers(stream, 100, 2)
        _inside(truth, 100, 2)
    with client(_PROXY) as stream:
        _log_in(stream, b"guess")
        truth.told("session", protocol="socks", version="5", user="supplier", method="password", outcome="failure")
    with client(_PROXY) as stream:
        _offer(stream, bytes([_NONE, _GSSAPI]))
        _ask_5(stream, _CONNECT, b"\3\x09localhost", _MODBUS)
        truth.told("session", protocol="socks", version="5", user="", method="none", outcome="success")
        truth.told("credential", protocol="socks", weakness="anonymous")
        _told(truth, "connect", f"localhost:{_MODBUS}", 0)
        _read_registers(stream, 0, 5)
        _inside(truth, 0, 5)
    for command, name, port, status in ((_CONNECT, "connect", 22, 5), (_BIND, "bind", 0, 7)):
        with client(_PROXY) as stream:
            _offer(stream, bytes([_NONE]))
            _ask_5(stream, command, b"\1" + _LOOPBACK, port)
            _told(truth, name, f"127.0.0.1:{port}", status)
    with client(_PROXY) as stream:
        _offer(stream, bytes([_GSSAPI]))


def _talk_4(truth: Truth) -> None:
    for address, host, target in ((_LOOPBACK, b"", "127.0.0.1"), (b"\0\0\0\1", b"localhost\0", "localhost")):
        with client(_PROXY) as stream:
            stream.send(struct.pack(">BBH4s", 4, _CONNECT, _MODBUS, address) + b"engineer\0" + host)
            stream.exactly(8)
            truth.told("session", protocol="socks", user="engineer", outcome="success")
            # 90 on the wire; success is 0 in the evidence.
            _told(truth, "connect", f"{target}:{_MODBUS}", 0, status_name="granted")
            _read_registers(stream, 7, 3)
            _inside(truth, 7, 3)
    with client(_PROXY) as stream:
        stream.send(struct.pack(">BBH4s", 4, _BIND, 20, _LOOPBACK) + b"engineer\0")
        stream.exactly(8)
        _told(truth, "bind", "127.0.0.1:20", 91)


def run() -> Truth:
    truth = Truth("own, after RFC 1928, RFC 1929 and SOCKS 4")
    with server(_MODBUS, _modbus), server(_PROXY, _proxy):
        _talk_5(truth)
        _talk_4(truth)
    return truth

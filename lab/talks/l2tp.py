"""A crane's cellular router dials in at the terminal's concentrator: L2TP version 2 after RFC 2661, PAP after RFC 1334."""

import hashlib
import socket
import struct

from .truth import Truth

_PORT = 1701
_SCCRQ, _SCCRP, _SCCCN, _STOP, _HELLO, _ICRQ, _ICRP, _ICCN, _CDN = 1, 2, 3, 4, 6, 10, 11, 12, 14
_MESSAGE, _RESULT, _VERSION, _FRAMING, _HOST, _VENDOR, _TUNNEL, _WINDOW = 0, 1, 2, 3, 7, 8, 9, 10
_CHALLENGE, _RESPONSE = 11, 13
_SESSION, _SERIAL, _FRAMING_TYPE, _CALLING, _SPEED = 14, 15, 19, 22, 24
_PPP_PAP, _PPP_IP = 0xC023, 0x0021
_ROUTER_TUNNEL, _CENTRE_TUNNEL, _ROUTER_SESSION, _CENTRE_SESSION = 4711, 9, 3, 8
_ACCOUNT, _PASSWORD = b"rtg12@cranes", b"lte-dial-in"


def _short(value: int) -> bytes:
    return struct.pack(">H", value)


def _long(value: int) -> bytes:
    return struct.pack(">I", value)


def _attributes(kind: int, rest: dict[int, bytes]) -> bytes:
    """All of them mandatory, none hidden, the kind of the message first."""
    return b"".join(struct.pack(">HHH", 0x8000 | 6 + len(value), 0, attribute) + value
                    for attribute, value in ({_MESSAGE: _short(kind)} | rest).items())


class _End:
    """One end: knows the ids that the other end assigned, and counts what it sent and got."""

    def __init__(self, port: int):
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.settimeout(5)
        self.forget()

    def forget(self) -> None:
        """Makes ready for another tunnel."""
        self.tunnel = self.session = 0
        self._sent = self._got = 0

    def control(self, other: "_End", kind: int, rest: dict[int, bytes] | None = None, session: int = 0) -> None:
        body = _attributes(kind, rest or {})
        head = struct.pack(">HHHHHH", 0xC802, 12 + len(body), self.tunnel, session, self._sent, self._got)
        self._sent += 1
        self._send(other, head + body)
        other._got += 1

    def acknowledge(self, other: "_End") -> None:
        """A message without a body."""
        self._send(other, struct.pack(">HHHHHH", 0xC802, 12, self.tunnel, 0, self._sent, self._got))

    def data(self, other: "_End", protocol: int, content: bytes) -> None:
        body = b"\xff\x03" + _short(protocol) + content
        self._send(other, struct.pack(">HHHH", 0x4002, 8 + len(body), self.tunnel, self.session) + body)

    def _send(self, other: "_End", message: bytes) -> None:
        self.socket.sendto(message, other.socket.getsockname())
        if other.socket.recv(2048) != message:
            raise ValueError("another message came")


def _pap(code: int, content: bytes) -> bytes:
    return struct.pack(">BBH", code, 1, 4 + len(content)) + content


def _dial_in(router: _End, centre: _End, truth: Truth) -> None:
    offer = {_VERSION: b"\1\0", _FRAMING: _long(3), _WINDOW: _short(8)}
    router.control(centre, _SCCRQ, offer | {_HOST: b"rtg12-lte", _VENDOR: b"QuayRoute 4.2", _TUNNEL: _short(_ROUTER_TUNNEL)})
    centre.tunnel = _ROUTER_TUNNEL
    centre.control(router, _SCCRP, offer | {_HOST: b"vpn-concentrator", _VENDOR: b"xl2tpd-1.3",
                                            _TUNNEL: _short(_CENTRE_TUNNEL)})
    router.tunnel = _CENTRE_TUNNEL
    router.control(centre, _SCCCN)
    centre.acknowledge(router)
    truth.told("session", protocol="l2tp", method="none", outcome="success")
    truth.told("identity", attribute="host-name", value="rtg12-lte")
    truth.told("identity", attribute="host-name", value="vpn-concentrator")
    truth.operation("l2tp", "start-control-connection", object="rtg12-lte", status=0)
    router.control(centre, _ICRQ, {_SESSION: _short(_ROUTER_SESSION), _SERIAL: _long(1), _CALLING: b"+31201234567"})
    centre.session = _ROUTER_SESSION
    centre.control(router, _ICRP, {_SESSION: _short(_CENTRE_SESSION)}, session=_ROUTER_SESSION)
    router.session = _CENTRE_SESSION
    router.control(centre, _ICCN, {_SPEED: _long(10_000_000), _FRAMING_TYPE: _long(1)}, session=_CENTRE_SESSION)
    centre.acknowledge(router)
    truth.operation("l2tp", "incoming-call", status=0)


def _use(router: _End, centre: _End, truth: Truth) -> None:
    for password, code, outcome in ((b"guess", 3, "failure"), (_PASSWORD, 2, "success")):
        login = bytes([len(_ACCOUNT)]) + _ACCOUNT + bytes([len(password)]) + password
        router.data(centre, _PPP_PAP, _pap(1, login))
        centre.data(router, _PPP_PAP, _pap(code, b"\0"))
        truth.told("session", protocol="l2tp", user=_ACCOUNT.decode(), outcome=outcome)
    truth.told("credential", protocol="l2tp", account=_ACCOUNT.decode(), weakness="clear-text")
    for _ in range(3):
        router.data(centre, _PPP_IP, b"\x45" + bytes(19))
    router.control(centre, _HELLO)
    centre.acknowledge(router)
    result = {_RESULT: _short(3), _SESSION: _short(_ROUTER_SESSION)}
    router.control(centre, _CDN, result, session=_CENTRE_SESSION)
    centre.acknowledge(router)
    truth.operation("l2tp", "call-disconnect-notify")
    router.control(centre, _STOP, {_TUNNEL: _short(_ROUTER_TUNNEL), _RESULT: _short(1)})
    centre.acknowledge(router)
    truth.operation("l2tp", "stop-control-connection")


def _answer(kind: int, secret: bytes, challenge: bytes) -> bytes:
    """RFC 2661 section 4.4.3: MD5 over the kind of the message that carries the answer, secret and challenge."""
    return hashlib.md5(bytes([kind]) + secret + challenge, usedforsecurity=False).digest()


def _with_a_secret(router: _End, centre: _End, truth: Truth) -> None:
    """A second router knows another secret than the concentrator and is sent away."""
    mine, yours = bytes(range(16)), bytes(range(16, 32))
    offer = {_VERSION: b"\1\0", _FRAMING: _long(3)}
    router.control(centre, _SCCRQ, offer | {_HOST: b"rtg13-lte", _TUNNEL: _short(5), _CHALLENGE: mine})
    centre.tunnel = 5
    centre.control(router, _SCCRP, offer | {_HOST: b"vpn-concentrator", _TUNNEL: _short(6), _CHALLENGE: yours,
                                            _RESPONSE: _answer(_SCCRP, b"quay", mine)})
    router.tunnel = 6
    router.control(centre, _SCCCN, {_RESPONSE: _answer(_SCCCN, b"kade", yours)})
    truth.told("session", protocol="l2tp", method="shared secret", outcome="failure")
    truth.operation("l2tp", "start-control-connection", object="rtg13-lte")
    # 4: the requester is not authorized.
    centre.control(router, _STOP, {_TUNNEL: _short(6), _RESULT: _short(4)})
    router.acknowledge(centre)
    truth.operation("l2tp", "stop-control-connection", detail__result_code=4)


def run() -> Truth:
    truth = Truth("own, after RFC 2661 and RFC 1334")
    centre = _End(_PORT)
    try:
        for talk in ((_dial_in, _use), (_with_a_secret,)):
            router = _End(0)
            for part in talk:
                part(router, centre, truth)
            router.socket.close()
            centre.forget()
    finally:
        centre.socket.close()
    return truth

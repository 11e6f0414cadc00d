"""A base station at the berth, its caster and its rovers: NTRIP 1 and 2 after RTCM 10410, RTCM 3 after RTCM 10403.

pyrtcm frames the messages with their CRC-24Q and reads them back before they are sent. The base moves by some metres
in the middle, which nobody should do to one that is built.
"""

import base64
import functools
import math
import operator
from importlib.metadata import version

from pyrtcm import RTCMMessage
from pynmeagps import NMEAMessage

from .dialogue import Ended, Stream, client, server
from .truth import Truth

_PORT = 2101
_STATION = 1210
_MOUNT, _OPEN = "BERTH12", "OPEN1"
_ACCOUNT, _PASSWORD, _SOURCE_PASSWORD = "sc07", "rover-secret", "letmein"
_AGENT = "NTRIP QuayRover/1.0"
_TABLE = (f"CAS;caster.example;2101;Quay;Port;0;NLD;51.95;4.05;0.0.0.0;0;none\r\n"
          f"NET;QUAY;Port;B;N;none;none;none;none\r\n"
          f"STR;{_MOUNT};Berth 12;RTCM 3.2;1005(10),1077(1);2;GPS;QUAY;NLD;51.95;4.05;0;0;sNTRIP;none;B;N;9600;\r\n"
          f"STR;{_OPEN};Open;RTCM 3.2;1005(10);2;GPS;QUAY;NLD;51.95;4.05;1;0;sNTRIP;none;N;N;9600;\r\n"
          "ENDSOURCETABLE\r\n")


def _bits(*fields: tuple[int, int]) -> bytes:
    """Values with their widths, the highest bit first, filled up to whole bytes with zeros."""
    text = "".join(format(value % (1 << width), f"0{width}b") for width, value in fields)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[start:start + 8], 2) for start in range(0, len(text), 8))


def _frame(*fields: tuple[int, int]) -> bytes:
    message = RTCMMessage(payload=_bits(*fields))
    if int(message.identity) != fields[0][1]:
        raise ValueError("pyrtcm reads another message")
    return message.serialize()


def _place(latitude: float, longitude: float, height: float) -> list[int]:
    """Earth-centred coordinates in ten-thousandths of a metre, WGS 84."""
    semi_major, flattening = 6378137.0, 1 / 298.257223563
    eccentricity = flattening * (2 - flattening)
    phi, lam = math.radians(latitude), math.radians(longitude)
    radius = semi_major / math.sqrt(1 - eccentricity * math.sin(phi) ** 2)
    metres = ((radius + height) * math.cos(phi) * math.cos(lam), (radius + height) * math.cos(phi) * math.sin(lam),
              (radius * (1 - eccentricity) + height) * math.sin(phi))
    return [round(metre * 10_000) for metre in metres]


def _base(latitude: float, longitude: float, antenna: int | None = None) -> bytes:
    """1005, or 1006 with the height of the antenna."""
    x, y, z = _place(latitude, longitude, 46.5)
    fields = [(12, 1005 if antenna is None else 1006), (12, _STATION), (6, 0), (1, 1), (1, 0), (1, 0), (1, 0), (38, x),
              (1, 0), (1, 0), (38, y), (2, 0), (38, z)]
    return _frame(*fields, *([] if antenna is None else [(16, antenna)]))


def _text(text: str) -> list[tuple[int, int]]:
    return [(8, len(text)), *((8, letter) for letter in text.encode())]


def _equipment() -> bytes:
    return _frame((12, 1033), (12, _STATION), *_text("TRM57971.00     NONE"), (8, 0), *_text("1440911512"),
                  *_text("TRIMBLE NETR9"), *_text("5.48"), *_text("5248K51234"))


def _observations() -> bytes:
    """1004 of two satellites, then 1077 of three with one signal each."""
    satellite = ((1, 0), (24, 5_000_000), (20, 1200), (7, 100), (8, 70), (8, 180), (2, 0), (14, 12), (20, 900), (7, 90),
                 (8, 160))
    old = _frame((12, 1004), (12, _STATION), (30, 200_000_000), (1, 0), (5, 2), (1, 0), (3, 0), (6, 5), *satellite, (6, 12),
                 *satellite)
    mask = functools.reduce(operator.or_, (1 << (64 - number) for number in (5, 12, 25)))
    new = _frame((12, 1077), (12, _STATION), (30, 200_000_000), (1, 0), (3, 0), (7, 0), (2, 0), (2, 0), (1, 0), (3, 0),
                 (64, mask), (32, 1 << 30), (3, 7), *[(8, 75)] * 3, *[(4, 0)] * 3, *[(10, 500)] * 3, *[(14, -100)] * 3,
                 *[(20, 10)] * 3, *[(24, 20)] * 3, *[(10, 600)] * 3, *[(1, 0)] * 3, *[(10, 700)] * 3, *[(15, 30)] * 3)
    return old + new


_CORRECTIONS = _base(51.95, 4.05) + _observations()


def _caster(stream: Stream) -> None:
    head = stream.until(b"\r\n\r\n").decode()
    words = head.split("\r\n", 1)[0].split(" ")
    second = "Ntrip-Version: Ntrip/2.0" in head
    if words[0] == "SOURCE":
        if words[1] != _SOURCE_PASSWORD:
            stream.send(b"ERROR - Bad Password\r\n")
            return
        stream.send(b"ICY 200 OK\r\n\r\n")
        while True:
            stream.exactly(1)
    mount = words[1].removeprefix("/")
    if words[0] == "POST":
        stream.send(b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nServer: NTRIP QuayCaster/1.0\r\nContent-Length: 0\r\n\r\n")
        while True:
            stream.exactly(1)
    right = base64.b64encode(f"{_ACCOUNT}:{_PASSWORD}".encode()).decode()
    if not mount and second:
        stream.send("HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nServer: NTRIP QuayCaster/1.0\r\n"
                    f"Content-Type: gnss/sourcetable\r\nContent-Length: {len(_TABLE)}\r\n\r\n{_TABLE}".encode())
    elif not mount:
        fields = f"Server: QuayCaster/1.0\r\nContent-Type: text/plain\r\nContent-Length: {len(_TABLE)}\r\n\r\n"
        stream.send(f"SOURCETABLE 200 OK\r\n{fields}{_TABLE}".encode())
    elif mount != _OPEN and f"Basic {right}" not in head:
        stream.send(b'HTTP/1.0 401 Unauthorized\r\nServer: QuayCaster/1.0\r\nWWW-Authenticate: Basic realm="quay"\r\n\r\n')
    elif second:
        stream.send(b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nServer: NTRIP QuayCaster/1.0\r\n"
                    b"Content-Type: gnss/data\r\nTransfer-Encoding: chunked\r\n\r\n")
        stream.send(f"{len(_CORRECTIONS):X}\r\n".encode() + _CORRECTIONS + b"\r\n0\r\n\r\n")
    else:
        stream.send(b"ICY 200 OK\r\n\r\n")
        stream.send(_CORRECTIONS)
        while True:
            stream.exactly(1)


def _get(mount: str, *, password: str = "", second: bool = False) -> bytes:
    lines = [f"GET /{mount} HTTP/{'1.1' if second else '1.0'}"]
    lines += ["Host: 127.0.0.1:2101", "Ntrip-Version: Ntrip/2.0"] if second else []
    lines += [f"User-Agent: {_AGENT}"]
    if password:
        lines.append("Authorization: Basic " + base64.b64encode(f"{_ACCOUNT}:{password}".encode()).decode())
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _fetch(request: bytes, length: int) -> None:
    with client(_PORT) as stream:
        stream.send(request)
        stream.until(b"\r\n\r\n")
        stream.exactly(length)


def _base_told(truth: Truth, number: int = 1005) -> None:
    truth.told("position", protocol="rtcm", sentence=f"RTCM {number} station {_STATION}")
    _said(truth, number, detail__height_m="46.500", detail__computed=False)


def _said(truth: Truth, number: int, **members: str | int | bool) -> None:
    truth.told("operation", protocol="rtcm", **{"class": "cyclic"}, code=number, object=f"station {_STATION}", **members)


def _observed(truth: Truth) -> None:
    _said(truth, 1004, detail__satellites=2)
    _said(truth, 1077, detail__satellites=3, detail__signals=1)


def _rovers(truth: Truth) -> None:
    for second in (False, True):
        _fetch(_get("", second=second), len(_TABLE))
        truth.told("request", protocol="ntrip", method="GET", uri="/", status=200)
        for code, name in ((2, "caster.example"), (3, "QUAY"), (1, _MOUNT), (1, _OPEN)):
            truth.told("operation", protocol="ntrip", **{"class": "identify"}, code=code, object=name)
    with client(_PORT) as stream:
        stream.send(_get(_MOUNT, password="wrong"))
        stream.until(b"\r\n\r\n")
    truth.told("request", protocol="ntrip", method="GET", uri=f"/{_MOUNT}", status=401)
    truth.told("session", protocol="ntrip", user=_ACCOUNT, method="basic", outcome="failure", detail__mountpoint=_MOUNT)
    with client(_PORT) as stream:
        stream.send(_get(_MOUNT, password=_PASSWORD))
        stream.until(b"\r\n\r\n")
        stream.exactly(len(_CORRECTIONS))
        stream.send(NMEAMessage("GP", "GGA", 0, time="010203", lat=51.951, NS="N", lon=4.052, EW="E", quality=4, numSV=14,
                                HDOP=0.8, alt=5.0, altUnit="M", sep=43.0, sepUnit="M").serialize())
    truth.told("request", protocol="ntrip", method="GET", uri=f"/{_MOUNT}", status=200)
    truth.told("session", protocol="ntrip", user=_ACCOUNT, method="basic", outcome="success", detail__role="client")
    truth.told("credential", protocol="ntrip", account=_ACCOUNT, weakness="clear-text")
    _base_told(truth)
    _observed(truth)
    truth.told("position", protocol="nmea", sentence="GPGGA", quality=4, satellites=14)
    _fetch(_get(_MOUNT, password=_PASSWORD, second=True), len(_CORRECTIONS))
    truth.told("session", protocol="ntrip", user=_ACCOUNT, method="basic", outcome="success", detail__mountpoint=_MOUNT)
    _base_told(truth)
    _fetch(_get(_OPEN), len(_CORRECTIONS))
    truth.told("credential", protocol="ntrip", weakness="anonymous")
    _base_told(truth)


def _sources(truth: Truth) -> None:
    for password, outcome in (("guess", "failure"), (_SOURCE_PASSWORD, "success")):
        with client(_PORT) as stream:
            stream.send(f"SOURCE {password} {_MOUNT}\r\nSource-Agent: NTRIP QuayBase/1.0\r\n\r\n".encode())
            if stream.until(b"\r\n").startswith(b"ICY"):
                stream.exactly(2)
                stream.send(_base(51.95, 4.05) + _equipment() + _observations())
                # 0.00003 degrees of latitude are 3.3 metres.
                stream.send(_base(51.95003, 4.05) + _base(51.95003, 4.05, antenna=15_000))
        truth.told("session", protocol="ntrip", outcome=outcome, detail__role="source", detail__mountpoint=_MOUNT)
    truth.told("credential", protocol="ntrip", weakness="clear-text")
    _base_told(truth)
    truth.told("identity", attribute="model", value="TRIMBLE NETR9")
    truth.told("identity", attribute="firmware", value="5.48")
    truth.told("identity", attribute="serial", value="5248K51234")
    _said(truth, 1033, detail__antenna_serial="1440911512")
    _observed(truth)
    truth.deviates("rtcm_base_moved")
    truth.told("weird", name="rtcm_base_moved",)
    truth.told("position", protocol="rtcm", sentence=f"RTCM 1005 station {_STATION}")
    _said(truth, 1006, detail__antenna_height_m="1.5000")


def _source_of_version_2(truth: Truth) -> None:
    """Its corrections ride in chunks that end anywhere, also within a message."""
    account = base64.b64encode(f"berth12:{_SOURCE_PASSWORD}".encode()).decode()
    with client(_PORT) as stream:
        stream.send(f"POST /{_MOUNT} HTTP/1.1\r\nHost: 127.0.0.1:2101\r\nNtrip-Version: Ntrip/2.0\r\n"
                    f"Authorization: Basic {account}\r\nUser-Agent: NTRIP QuayBase/2.0\r\nContent-Type: gnss/data\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n".encode())
        stream.until(b"\r\n\r\n")
        for start in range(0, len(_CORRECTIONS), 40):
            chunk = _CORRECTIONS[start:start + 40]
            stream.send(f"{len(chunk):X}\r\n".encode() + chunk + b"\r\n")
        stream.send(b"0\r\n\r\n")
    truth.told("request", protocol="ntrip", method="POST", uri=f"/{_MOUNT}", status=200)
    truth.told("session", protocol="ntrip", user="berth12", method="basic", outcome="success", detail__role="source",
               detail__mountpoint=_MOUNT)
    truth.told("credential", protocol="ntrip", account="berth12", weakness="clear-text")
    _base_told(truth)
    _observed(truth)


def run() -> Truth:
    truth = Truth(f"own after RTCM 10410, pyrtcm {version('pyrtcm')}, pynmeagps {version('pynmeagps')}")

    def serve(stream: Stream) -> None:
        try:
            _caster(stream)
        except (Ended, ConnectionError):
            return

    with server(_PORT, serve):
        _rovers(truth)
        _sources(truth)
        _source_of_version_2(truth)
    return truth

"""A vessel traffic receiver hands on what ships around the berth say: AIS in NMEA 0183, made by pyais, over UDP and TCP."""

import socket
import time
from importlib.metadata import version

from pyais.encode import encode_dict

from .dialogue import Stream, client, server
from .truth import Truth

_UDP, _TCP = 10110, 10111
_SHIP, _BASE, _BOAT, _BUOY = 244660123, 2442002, 244780456, 992441234
_SENDS: tuple[dict[str, str | int | float | bytes | bool], ...] = (
    {"type": 4, "mmsi": _BASE, "year": 2026, "month": 11, "day": 24, "hour": 1, "minute": 2, "second": 3,
     "lat": 51.95, "lon": 4.05},
    {"type": 1, "mmsi": _SHIP, "status": 0, "speed": 12.3, "lat": 51.96, "lon": 4.02, "course": 91.5, "heading": 90},
    {"type": 5, "mmsi": _SHIP, "imo": 9321483, "callsign": "PDAB", "shipname": "EVER QUAY", "ship_type": 71,
     "to_bow": 200, "to_stern": 100, "to_port": 20, "to_starboard": 25, "draught": 12.4, "destination": "NLRTM",
     "month": 11, "day": 25, "hour": 6, "minute": 30},
    {"type": 18, "mmsi": _BOAT, "speed": 5.1, "lat": 51.97, "lon": 4.1, "course": 180.0, "heading": 181},
    {"type": 24, "mmsi": _BOAT, "partno": 0, "shipname": "LINESMAN 4"},
    {"type": 24, "mmsi": _BOAT, "partno": 1, "ship_type": 52, "callsign": "PE1234", "to_bow": 5, "to_stern": 6,
     "to_port": 2, "to_starboard": 2},
    {"type": 21, "mmsi": _BUOY, "aid_type": 14, "name": "MAAS CENTER", "lat": 52.0, "lon": 3.9, "virtual_aid": 1},
    {"type": 1, "mmsi": _SHIP, "status": 5, "speed": 0.0, "lat": 51.95, "lon": 4.06, "course": 91.5, "heading": 92},
)


def _sentences(index: int) -> list[str]:
    return encode_dict(_SENDS[index], talker_id="AI", sentence_type="VDM", radio_channel="AB"[index % 2], seq_id=index)


def _place(truth: Truth, sentence: str, latitude: float, longitude: float) -> None:
    """Degrees as they are on the wire: ten-thousandths of a minute."""
    truth.told("position", protocol="ais", sentence=sentence, latitude=latitude, longitude=longitude)


def _told(truth: Truth) -> None:
    """What a receiver of all sentences knows; a station's number has nine digits."""
    def operation(name: str, station: int, **members: str | int | bool) -> None:
        truth.operation("ais", name, **{"class": "cyclic"}, object=f"{station:09}", **members)

    _place(truth, f"AIVDM 4 {_BASE:09}", 51.95, 4.05)
    _place(truth, f"AIVDM 1 {_SHIP}", 51.96, 4.02)
    operation("static and voyage data", _SHIP, detail__name="EVER QUAY", detail__call_sign="PDAB", detail__imo=9321483,
              detail__destination="NLRTM", detail__length_m=300, detail__beam_m=45, detail__draught_m="12.4",
              detail__eta="11-25T06:30Z", detail__ship_type=71)
    _place(truth, f"AIVDM 18 {_BOAT}", 51.97, 4.1)
    operation("static data", _BOAT, detail__name="LINESMAN 4")
    operation("static data", _BOAT, detail__call_sign="PE1234", detail__length_m=11, detail__beam_m=4, detail__ship="tug")
    _place(truth, f"AIVDM 21 {_BUOY}", 52.0, 3.9)
    operation("aid to navigation", _BUOY, detail__name="MAAS CENTER", detail__virtual=True)
    _place(truth, f"AIVDM 1 {_SHIP}", 51.95, 4.06)
    operation("position report", _SHIP, detail__status="moored", detail__heading=92)


def _over_udp() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as monitor, socket.socket(type=socket.SOCK_DGRAM) as receiver:
        monitor.bind(("127.0.0.1", _UDP))
        receiver.bind(("127.0.0.1", _UDP + 10))
        for index in range(len(_SENDS)):
            for sentence in _sentences(index):
                receiver.sendto(sentence.encode() + b"\r\n", ("127.0.0.1", _UDP))
            time.sleep(0.02)


def _receiver(stream: Stream) -> None:
    """All sentences in pieces that end wherever, as a serial converter sends them."""
    text = "".join(sentence + "\r\n" for index in range(len(_SENDS)) for sentence in _sentences(index)).encode()
    for start in range(0, len(text), 50):
        stream.send(text[start:start + 50])
        time.sleep(0.01)


def _over_tcp() -> None:
    count = sum(len(_sentences(index)) for index in range(len(_SENDS)))
    with server(_TCP, _receiver), client(_TCP) as stream:
        for _ in range(count):
            stream.until(b"\r\n")


def run() -> Truth:
    truth = Truth(f"pyais {version('pyais')}")
    _over_udp()
    _told(truth)
    _over_tcp()
    _told(truth)
    return truth

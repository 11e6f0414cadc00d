"""A GNSS receiver on a crane: NMEA 0183 GGA and RMC once a second over UDP.

The sentences are the receiver's own product, so this module writes them itself (checksum per NMEA 0183
section 5.3). `--fault` lets it jump or lose its fix at a given second of its life.
"""

import argparse
import math
import socket
import time

from quaylab.scenario_clock import now


def sentence(body: str) -> str:
    checksum = 0
    for byte in body.encode():
        checksum ^= byte
    return f"${body}*{checksum:02X}\r\n"


def degrees_minutes(value: float, width: int) -> str:
    degrees = int(abs(value))
    return f"{degrees:0{width}d}{(abs(value) - degrees) * 60:08.5f}"


def sentences(at: float, latitude: float, longitude: float, fixed: bool) -> str:
    clock, date = time.strftime("%H%M%S.00", time.gmtime(at)), time.strftime("%d%m%y", time.gmtime(at))
    if not fixed:
        return sentence(f"GPGGA,{clock},,,,,0,00,,,M,,M,,") + sentence(f"GPRMC,{clock},V,,,,,,,{date},,,N")
    lat = f"{degrees_minutes(latitude, 2)},{'N' if latitude >= 0 else 'S'}"
    lon = f"{degrees_minutes(longitude, 3)},{'E' if longitude >= 0 else 'W'}"
    return (sentence(f"GPGGA,{clock},{lat},{lon},4,14,0.7,46.2,M,44.1,M,1.0,0001")
            + sentence(f"GPRMC,{clock},A,{lat},{lon},0.6,087.0,{date},,,R"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--to", required=True)
    parser.add_argument("--bind", required=True)
    parser.add_argument("--latitude", type=float, required=True)
    parser.add_argument("--longitude", type=float, required=True)
    parser.add_argument("--fault", choices=("none", "jump", "lost"), default="none")
    parser.add_argument("--after", type=float, default=0, help="seconds into the phase")
    parser.add_argument("--phase-begins", type=float, required=True, help="seconds since 1970, on the scenario's clock")
    args = parser.parse_args()
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    out.bind((args.bind, 10110))
    # The gateway's ear has to be open first; a receiver takes its time to start anyway.
    time.sleep(6)
    while True:
        life = now() - args.phase_begins
        # A gantry at travelling speed: well under 1 m/s along the quay.
        longitude = args.longitude + 0.000004 * math.sin(life / 10)
        latitude = args.latitude
        if args.fault == "jump" and life >= args.after:
            latitude += 0.031  # about 3.4 km
        lost = args.fault == "lost" and life >= args.after
        try:
            out.sendto(sentences(now(), latitude, longitude, not lost).encode(), (args.to, 10110))
        except OSError:
            pass  # the far side is not up yet: a receiver does not care
        time.sleep(1)


if __name__ == "__main__":
    main()

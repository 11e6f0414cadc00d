"""Asks a time server for the time (SNTP client, RFC 4330), every few seconds, without setting any clock."""

import argparse
import socket
import time

from quaylab.devices.time_server import stamp
from quaylab.scenario_clock import now


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--seconds", type=float, default=30)
    args = parser.parse_args()
    until = time.monotonic() + args.seconds
    while time.monotonic() < until:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind(("0.0.0.0", 123))
            client.settimeout(2)
            client.sendto(b"\x23\x00\x06\xec" + bytes(36) + stamp(now()), (args.server, 123))
            client.recv(512)
        time.sleep(16)


if __name__ == "__main__":
    main()

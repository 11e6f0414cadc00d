"""An engineering tool's PROFINET DCP side: lists the stations and may rename one."""

import argparse
import socket
import struct
import time

from quaylab.devices.dcp_station import ETHERTYPE, GET_SET, IDENTIFY_REQUEST, MULTICAST, block, frame


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--interface", default="eth0")
    parser.add_argument("--station-mac")
    parser.add_argument("--new-name")
    args = parser.parse_args()
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
    wire.bind((args.interface, ETHERTYPE))
    wire.settimeout(2)
    own = wire.getsockname()[4]
    wire.send(frame(MULTICAST, own, IDENTIFY_REQUEST, 5, 0, 0x01000001, struct.pack(">BBH", 255, 255, 0), delay=1))
    time.sleep(1)
    if args.new_name:
        station = bytes.fromhex(args.station_mac.replace(":", ""))
        # Block qualifier 1: keep the name after power-off.
        rename = block(2, 2, b"\0\x01" + args.new_name.encode())
        wire.send(frame(station, own, GET_SET, 4, 0, 0x01000002, rename))
        time.sleep(1)


if __name__ == "__main__":
    main()

"""A PROFINET station's DCP side (IEC 61158-6-10): answers Identify, takes Set of its station name.

There is no free-standing stack for the device side; this one speaks just enough for an engineering tool
to list the station and rename it. Frames go to the host's own interface inside its namespace only.
"""

import argparse
import socket
import struct

ETHERTYPE = 0x8892
MULTICAST = bytes.fromhex("010ecf000000")
IDENTIFY_REQUEST, IDENTIFY_REPLY, GET_SET = 0xFEFE, 0xFEFF, 0xFEFD


def block(option: int, suboption: int, content: bytes) -> bytes:
    padding = b"\0" if len(content) % 2 else b""
    return struct.pack(">BBH", option, suboption, len(content)) + content + padding


def frame(to: bytes, sender: bytes, frame_id: int, service: int, kind: int, xid: int, blocks: bytes, delay: int = 0) -> bytes:
    body = struct.pack(">HBBIHH", frame_id, service, kind, xid, delay, len(blocks)) + blocks
    return (to + sender + struct.pack(">H", ETHERTYPE) + body).ljust(60, b"\0")


def identity(args: argparse.Namespace, name: str) -> bytes:
    information = b"\0\0"
    address = socket.inet_aton(args.address) + socket.inet_aton("255.255.255.0") + socket.inet_aton(args.gateway)
    return (block(2, 1, information + args.vendor.encode())
            + block(2, 2, information + name.encode())
            + block(2, 3, information + struct.pack(">HH", 0x002A, 0x010D))
            + block(2, 4, information + b"\x02\0")
            + block(1, 2, b"\0\x01" + address))


def main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("name", "vendor", "address", "gateway", "interface"):
        parser.add_argument(f"--{option}", required=True)
    args = parser.parse_args()
    name = args.name
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
    wire.bind((args.interface, ETHERTYPE))
    # The multicast group has to be joined by hand on a packet socket (packet(7), PACKET_ADD_MEMBERSHIP).
    wire.setsockopt(263, 1, struct.pack("iHH8s", socket.if_nametoindex(args.interface), 0, 6, MULTICAST))
    own = wire.getsockname()[4]
    while True:
        data = wire.recv(1514)
        if len(data) < 26 or data[:6] not in (MULTICAST, own):
            continue
        sender, frame_id, service, kind, xid = data[6:12], *struct.unpack(">HBBI", data[14:22])
        if frame_id == IDENTIFY_REQUEST and kind == 0:
            wire.send(frame(sender, own, IDENTIFY_REPLY, 5, 1, xid, identity(args, name)))
        elif frame_id == GET_SET and service == 4 and kind == 0:
            option, suboption, length = struct.unpack(">BBH", data[26:30])
            if (option, suboption) == (2, 2):
                name = data[32:30 + length].decode(errors="replace")
            wire.send(frame(sender, own, GET_SET, 4, 1, xid, block(5, 4, bytes((option, suboption, 0)))))


if __name__ == "__main__":
    main()

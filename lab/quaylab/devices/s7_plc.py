"""A Siemens controller: python-snap7's S7 server, with the identity of one CPU and an upload in blocks."""

import argparse
import struct
import time

from snap7.server import Server
from snap7.type import SrvArea


def _component(index: int, text: str) -> bytes:
    return struct.pack(">H", index) + text.encode().ljust(32, b"\0")[:32]


def _module(index: int, order_number: str, version: bytes) -> bytes:
    """A record of system status list 0x0011: index, order number, module type, two version words."""
    return struct.pack(">H", index) + order_number.encode().ljust(20)[:20] + b"\0\xc0" + version


class Plc(Server):
    def __init__(self, identity: argparse.Namespace):
        self.identity = identity
        super().__init__(log=False)

    def _get_szl_data(self, szl_id: int, szl_index: int) -> bytes | None:
        who = self.identity
        if szl_id == 0x001C:
            records = [_component(1, who.station), _component(2, who.name), _component(3, ""),
                       _component(4, "Original Siemens Equipment"), _component(5, who.serial), _component(7, who.module)]
            return struct.pack(">HH", 34, len(records)) + b"".join(records)
        if szl_id == 0x0011:
            major, minor, patch = (int(n) for n in who.firmware.split("."))
            records = [_module(1, who.order, b"\0\x01\0\x01"), _module(6, who.order, b"\0\x01\0\x01"),
                       _module(7, who.order, bytes((ord("V"), major, minor, patch)))]
            return struct.pack(">HH", 28, len(records)) + b"".join(records)
        return super()._get_szl_data(szl_id, szl_index)


def main() -> None:
    args = argparse.ArgumentParser()
    for option in ("station", "name", "module", "order", "serial", "firmware"):
        args.add_argument(f"--{option}", required=True)
    plc = Plc(args.parse_args())
    # DB 1: hoist, trolley and gantry positions; DB 2: limits; DB 10: the block that engineering downloads.
    for number, size in ((1, 128), (2, 64), (10, 1024)):
        plc.register_area(SrvArea.DB, number, bytearray(size))
    plc.register_area(SrvArea.MK, 0, bytearray(64))
    plc.start(102)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()

"""S7comm clients, over python-snap7: panels that poll, engineering that loads, intruders that stop."""

import argparse
import time

from snap7.client import Client
from snap7.type import Block

PROGRAM_BLOCK = 10


def poll(plc: Client, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        plc.db_read(1, 0, 48)
        time.sleep(2)


def identify(plc: Client) -> None:
    plc.get_order_code()
    plc.get_cpu_info()


def download(plc: Client, seed: int) -> None:
    """Loads a data block of 600 bytes: two fragments at the negotiated PDU size."""
    plc.download(bytearray((i * 7 + seed) % 251 for i in range(600)), PROGRAM_BLOCK)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("plc")
    parser.add_argument("do", choices=("poll", "identify", "write", "download", "upload", "stop", "start"), nargs="+")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    plc = Client()
    plc.connect(args.plc, 0, 1)
    steps = {
        "poll": lambda: poll(plc, args.seconds),
        "identify": lambda: identify(plc),
        "write": lambda: plc.db_write(2, 4, bytearray((0, args.seed))),
        "download": lambda: download(plc, args.seed),
        "upload": lambda: plc.full_upload(Block.DB, PROGRAM_BLOCK),
        "stop": plc.plc_stop,
        "start": plc.plc_hot_start,
    }
    for do in args.do:
        steps[do]()
        time.sleep(0.2)
    plc.disconnect()


if __name__ == "__main__":
    main()

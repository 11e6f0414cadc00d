"""EtherNet/IP clients: pycomm3 for identification, cpppo's own client for tags."""

import argparse
import time

from cpppo.server.enip import client
from pycomm3 import CIPDriver


def tags(controller: str, *operations: str) -> None:
    with client.connector(host=controller, timeout=4) as link:
        wanted = client.parse_operations(operations)
        for _ in link.pipeline(operations=wanted, depth=1, timeout=4):
            pass


def poll(controller: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    with client.connector(host=controller, timeout=4) as link:
        while time.monotonic() < until:
            for _ in link.pipeline(operations=client.parse_operations(["HoistPosition[0-3]", "TrolleySpeed[0-1]"]), depth=1,
                                   timeout=4):
                pass
            time.sleep(2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("controller")
    parser.add_argument("do", choices=("poll", "identify", "write"), nargs="+")
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    for do in args.do:
        if do == "identify":
            CIPDriver.list_identity(args.controller)
        elif do == "poll":
            poll(args.controller, args.seconds)
        else:
            tags(args.controller, "WindLimit[0]=(DINT)45")
        time.sleep(0.2)


if __name__ == "__main__":
    main()

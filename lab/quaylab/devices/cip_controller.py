"""A Logix-style controller: cpppo's EtherNet/IP server with one CPU's CIP identity and a few tags."""

import argparse
import sys

from cpppo.server.enip import device
from cpppo.server.enip.main import main as serve


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--product", required=True)
    parser.add_argument("--revision", required=True, help="major.minor")
    parser.add_argument("--serial", required=True, help="eight hex digits")
    args = parser.parse_args()
    major, minor = (int(n) for n in args.revision.split("."))
    chosen = {
        "Vendor Number": "1", "Device Type": "14", "Product Code Number": "92",
        # CIP sends major first; cpppo takes the pair as one little-endian word.
        "Product Revision": str(minor << 8 | major),
        "Serial Number": str(int(args.serial, 16)), "Product Name": args.product,
    }
    # cpppo reads its identity from a configuration section of each object's class.
    if not device.Object.config_loader.has_section("Identity"):
        device.Object.config_loader.add_section("Identity")
    for key, value in chosen.items():
        device.Object.config_loader.set("Identity", key, value)
    sys.exit(serve(["--no-udp", "--address", "0.0.0.0:44818", "HoistPosition=REAL[4]", "TrolleySpeed=REAL[4]",
                    "WindLimit=DINT[2]"]))


if __name__ == "__main__":
    main()

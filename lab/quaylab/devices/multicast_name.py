"""Announces an HMI's web page over multicast DNS, with the zeroconf library."""

import argparse
import socket
import time

from zeroconf import IPVersion, ServiceInfo, Zeroconf


def main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("name", "address"):
        parser.add_argument(f"--{option}", required=True)
    args = parser.parse_args()
    page = ServiceInfo("_http._tcp.local.", f"{args.name}._http._tcp.local.", addresses=[socket.inet_aton(args.address)],
                       port=80, server=f"{args.name}.local.", properties={"path": "/"})
    announcer = Zeroconf(interfaces=[args.address], ip_version=IPVersion.V4Only)
    announcer.register_service(page)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()

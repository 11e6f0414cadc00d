"""Asks a DNS server for names."""

import argparse
import time

import dns.message
import dns.query


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()
    for name in args.names:
        dns.query.udp(dns.message.make_query(name, "A"), args.server, timeout=3)
        time.sleep(0.3)


if __name__ == "__main__":
    main()

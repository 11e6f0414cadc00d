"""A switch's telnet port: accepts and hands each connection to the real telnetd (which expects inetd)."""

import argparse
import socket
import subprocess


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--login", required=True, help="program that telnetd runs instead of /bin/login")
    args = parser.parse_args()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", 23))
    listener.listen(4)
    while True:
        connection, _ = listener.accept()
        with connection:
            subprocess.Popen(["telnetd", "-h", "-E", args.login], stdin=connection, stdout=connection, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()

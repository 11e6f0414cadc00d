"""The crane management gateway's ear for positions: takes NMEA datagrams and drops them."""

import socket


def main() -> None:
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind(("0.0.0.0", 10110))
    while True:
        ear.recv(2048)


if __name__ == "__main__":
    main()

"""An SNTP server (RFC 4330) on the lab's clock.

chronyd and ntpd take their receive timestamps from the kernel, whose clock cannot be moved to the
scenario's date for one namespace; this server asks the scenario's clock.
"""

import socket
import struct

from quaylab.scenario_clock import now

# Seconds from 1900 (NTP) to 1970 (Unix).
_EPOCH = 2_208_988_800


def stamp(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack(">II", (whole + _EPOCH) & 0xFFFFFFFF, int((seconds - whole) * (1 << 32)))


def reply(request: bytes, received: float) -> bytes | None:
    if len(request) < 48 or request[0] & 0x07 != 3:
        return None
    version = request[0] >> 3 & 0x07
    head = struct.pack(">BBbbIIII", version << 3 | 4, 2, request[2] if request[2] < 128 else 6, -20, 0x120, 0x240, 0, 0)[:12]
    reference = b"GPS\0"
    return head + reference + stamp(received - 16) + request[40:48] + stamp(received) + stamp(now())


def main() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", 123))
    while True:
        request, client = server.recvfrom(512)
        answer = reply(request, now())
        if answer:
            server.sendto(answer, client)


if __name__ == "__main__":
    main()

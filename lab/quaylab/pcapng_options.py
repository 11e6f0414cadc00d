"""Removes from a pcapng file what tells about the machine it was captured on, and keeps every packet as it is.

dumpcap writes the processor, kernel and interface name into the options of the section header and interface
description blocks (draft-ietf-opsawg-pcapng sections 4.1 and 4.2). Only the time resolution has to stay.
"""

import struct
from pathlib import Path

_SECTION, _INTERFACE = 0x0A0D0D0A, 0x00000001
_TIME_RESOLUTION = 9
_STATISTICS = 0x00000005


def _kept_options(options: bytes) -> bytes:
    out, at = b"", 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from("<HH", options, at)
        if code == _TIME_RESOLUTION:
            out += options[at:at + 4 + (length + 3) // 4 * 4]
        at += 4 + (length + 3) // 4 * 4
    return out + struct.pack("<HH", 0, 0)


def strip(file: Path) -> None:
    data, out, at = file.read_bytes(), [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        block = data[at:at + length]
        if kind in (_SECTION, _INTERFACE):
            # Fixed part after type and length: 16 bytes in a section header, 8 in an interface description.
            fixed = 24 if kind == _SECTION else 16
            options = b"" if kind == _SECTION else _kept_options(block[fixed:-4])
            total = struct.pack("<I", fixed + len(options) + 4)
            out.append(block[:4] + total + block[8:fixed] + options + total)
        elif kind != _STATISTICS:
            out.append(block)
        at += length
    file.write_bytes(b"".join(out))

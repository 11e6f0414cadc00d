"""A scanner asks a CODESYS V2 runtime who it is: after Digital Bond's codesys-v2-discover and Greenbone's detection.

More of this protocol is not public; the texts stand where the scanners read them, 32 bytes each from byte 64 on.
"""

import struct

from .dialogue import Stream, client, server
from .truth import Truth

_PORT = 2455
_MAGIC = b"\xbb\xbb"
_GET_INFORMATION = b"\x01"


def _message(order: str, content: bytes) -> bytes:
    return _MAGIC + struct.pack(f"{order}I", len(content)) + content


def _runtime(stream: Stream) -> None:
    """Answers in the byte order of the question."""
    while True:
        head = stream.exactly(6)
        order = "<" if head[2] else ">"
        stream.exactly(struct.unpack(f"{order}I", head[2:])[0])
        texts = b"".join(text.ljust(32, b"\0") for text in (b"Nucleus PLUS", b"1.13.5", b"750-841"))
        answer = _message(order, bytes(58) + texts + bytes(8))
        stream.send(answer)


def _speak(truth: Truth) -> None:
    for order in "<>":
        with client(_PORT) as stream:
            stream.send(_message(order, _GET_INFORMATION))
            head = stream.exactly(6)
            stream.exactly(struct.unpack(f"{order}I", head[2:])[0])
        truth.operation("codesys-v2", "get information", **{"class": "identify"}, code=1)
        truth.told("identity", attribute="os", value="Nucleus PLUS 1.13.5")
        truth.told("identity", attribute="product", value="750-841")


def run() -> Truth:
    truth = Truth("own, after open scanners")
    with server(_PORT, _runtime):
        _speak(truth)
    return truth

"""pymcprotocol asks a server written after Mitsubishi's SLMP Reference Manual (SH-080956ENG), in 3E and 4E frames, binary and ASCII.

The client is another's reading of the manual; the server is ours and knows no more than the answers need.
"""

from collections.abc import Callable

import pymcprotocol
from pymcprotocol.mcprotocolerror import MCProtocolError

from .dialogue import Stream, server
from .truth import Truth

_PORT = 5007
_PASSWORD = "1234"
_NAME, _CODE = "Q03UDVCPU", 0x0366
# End codes (SH-080956ENG, and the error codes of the built-in Ethernet port).
_DONE, _OUT_OF_RANGE, _WRONG_PASSWORD = 0x0000, 0xC056, 0xC810
# Points of data registers that the controller has.
_REGISTERS = 12288


class Fields:
    """The fields of a message: bytes, lowest first, or twice as many characters, highest first."""

    def __init__(self, ascii_code: bool, data: bytes = b""):
        self.ascii_code = ascii_code
        self.data = data

    def take(self, size: int) -> int:
        """A number of `size` bytes."""
        length = size * 2 if self.ascii_code else size
        piece, self.data = self.data[:length], self.data[length:]
        return int(piece, 16) if self.ascii_code else int.from_bytes(piece, "little")

    def device(self) -> tuple[str, int]:
        """Device code and number: three bytes and one, or two characters and six digits."""
        if self.ascii_code:
            code, number, self.data = self.data[:2].decode().rstrip("*"), int(self.data[2:8]), self.data[8:]
            return code, number
        number = self.take(3)
        return {0xA8: "D", 0x90: "M", 0x9D: "Y"}[self.take(1)], number

    def put(self, number: int, size: int) -> "Fields":
        self.data += format(number, f"0{size * 2}X").encode() if self.ascii_code else number.to_bytes(size, "little")
        return self

    def bits(self, values: list[int]) -> None:
        """One character a point, or one half of a byte, the upper first."""
        if self.ascii_code:
            self.data += "".join(map(str, values)).encode()
        else:
            padded = values + [0] * (len(values) % 2)
            self.data += bytes(upper << 4 | lower for upper, lower in zip(padded[::2], padded[1::2]))


class Controller:
    """A controller with registers and relays, and a password for those who change them."""

    def __init__(self) -> None:
        self.words: dict[tuple[str, int], int] = {}

    def serve(self, stream: Stream) -> None:
        while True:
            first = stream.exactly(2)
            ascii_code = first in (b"50", b"54")
            kind = first + (stream.exactly(2) if ascii_code else b"")
            four = kind in (b"5400", b"\x54\x00")
            unit = 2 if ascii_code else 1
            serial = stream.exactly(4 * unit) if four else b""
            route = stream.exactly(5 * unit)
            length = Fields(ascii_code, stream.exactly(2 * unit)).take(2)
            request = Fields(ascii_code, stream.exactly(length))
            request.take(2)
            command, subcommand = request.take(2), request.take(2)
            code, answer = self._answer(command, subcommand, request)
            if code != _DONE:
                answer = Fields(ascii_code, route).put(command, 2).put(subcommand, 2).data
            body = Fields(ascii_code).put(code, 2).data + answer
            head = kind.replace(b"5", b"D", 1) if ascii_code else bytes([kind[0] | 0x80, 0])
            stream.send(head + serial + route + Fields(ascii_code).put(len(body), 2).data + body)

    def _answer(self, command: int, subcommand: int, request: Fields) -> tuple[int, bytes]:
        answer = Fields(request.ascii_code)
        if command in (0x0401, 0x1401):
            return self._batch(command == 0x1401, subcommand == 1, request, answer)
        if command in (0x0403, 0x1402):
            self._random(command == 0x1402, subcommand == 1, request, answer)
        elif command == 0x0101:
            answer.data = _NAME.ljust(16).encode()
            answer.put(_CODE, 2)
        elif command in (0x1630, 0x1631):
            request.take(2)
            if request.data != _PASSWORD.encode():
                return _WRONG_PASSWORD, b""
        elif command == 0x0619:
            answer.data = request.data
        return _DONE, answer.data

    def _batch(self, write: bool, bits: bool, request: Fields, answer: Fields) -> tuple[int, bytes]:
        code, number = request.device()
        count = request.take(2)
        if number + count > _REGISTERS:
            return _OUT_OF_RANGE, b""
        places = [(code, number + index) for index in range(count)]
        if write:
            for index, place in enumerate(places):
                if not bits:
                    self.words[place] = request.take(2)
                elif request.ascii_code:
                    self.words[place] = request.data[index] - ord("0")
                else:
                    self.words[place] = request.data[index // 2] >> (0 if index % 2 else 4) & 1
        elif bits:
            answer.bits([self.words.get(place, 0) for place in places])
        else:
            for place in places:
                answer.put(self.words.get(place, 0), 2)
        return _DONE, answer.data

    def _random(self, write: bool, bits: bool, request: Fields, answer: Fields) -> None:
        if bits:
            for _ in range(request.take(1)):
                place = request.device()
                self.words[place] = request.take(1)
            return
        words, doubles = request.take(1), request.take(1)
        for size in [2] * words + [4] * doubles:
            place = request.device()
            if write:
                self.words[place] = request.take(size)
            else:
                answer.put(self.words.get(place, 0), size)


def _refused(action: Callable[[], object], code: int) -> None:
    """The end code is what the client's library understood."""
    try:
        action()
    except MCProtocolError as error:
        assert int(error.errorcode, 16) == code, error
        return
    raise AssertionError(f"expected end code {code:04X}")


def _ask(plc: pymcprotocol.Type3E, truth: Truth, frame: str, code: str) -> None:
    def told(name: str, group: str, **members: str | int) -> None:
        truth.operation("melsec", name, **({"class": group, "status": 0, "detail__frame": frame, "detail__code": code} | members))

    plc.setaccessopt(commtype=code.lower())
    plc.connect("127.0.0.1", _PORT)
    assert plc.read_cputype() == (_NAME, f"{_CODE:04x}")
    told("Read Type Name", "identify")
    _refused(lambda: plc.remote_unlock("4321"), _WRONG_PASSWORD)
    told("Remote Password Unlock", "session", status=_WRONG_PASSWORD)
    plc.remote_unlock(_PASSWORD)
    told("Remote Password Unlock", "session")
    plc.batchwrite_wordunits("D100", [7, 70, 700])
    told("Device Write", "write", object="D100", quantity=3)
    assert plc.batchread_wordunits("D100", 3) == [7, 70, 700]
    told("Device Read", "read", object="D100", quantity=3)
    plc.batchwrite_bitunits("M10", [1, 0, 1])
    told("Device Write", "write", object="M10", quantity=3)
    assert plc.batchread_bitunits("M10", 3) == [1, 0, 1]
    told("Device Read", "read", object="M10", quantity=3)
    _refused(lambda: plc.batchread_wordunits("D12280", 20), _OUT_OF_RANGE)
    told("Device Read", "read", object="D12280", quantity=20, status=_OUT_OF_RANGE)
    plc.randomwrite(["D200", "D300"], [5, 6], ["D400"], [70000])
    told("Device Write Random", "write", object="D200", quantity=3)
    assert plc.randomread(["D200", "D300"], ["D400"]) == ([5, 6], [70000])
    told("Device Read Random", "read", object="D200", quantity=3)
    plc.randomwrite_bitunits(["M20", "M30"], [1, 1])
    told("Device Write Random", "write", object="M20", quantity=2)
    plc.remote_stop()
    told("Remote Stop", "control")
    plc.remote_latchclear()
    told("Remote Latch Clear", "control")
    plc.remote_run(clear_mode=0, force_exec=True)
    told("Remote Run", "control", object="forced")
    plc.remote_pause()
    told("Remote Pause", "control", object="not forced")
    assert plc.echo_test("QUAY7") == (5, "QUAY7")
    told("Self Test", "diagnose")
    plc.remote_lock(_PASSWORD)
    told("Remote Password Lock", "session")
    plc.close()


def run() -> Truth:
    truth = Truth("pymcprotocol 0.3.0, own server after SH-080956ENG")
    with server(_PORT, Controller().serve):
        for frame, client in (("3E", pymcprotocol.Type3E), ("4E", pymcprotocol.Type4E)):
            for code in ("binary", "ASCII"):
                _ask(client(), truth, frame, code)
    truth.told("identity", attribute="model", value=_NAME)
    for outcome in ("failure", "success"):
        truth.told("session", protocol="melsec", outcome=outcome)
    return truth

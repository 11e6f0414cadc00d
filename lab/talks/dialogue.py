"""A TCP server for one client at a time and the client's end of it, for the talks written after a specification."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Ended(Exception):
    """The other end closed the connection before it had sent what was asked for."""


class Stream:
    """A connection of which whole messages can be read."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.settimeout(10)

    def exactly(self, length: int) -> bytes:
        got = b""
        while len(got) < length:
            piece = self._connection.recv(length - len(got))
            if not piece:
                raise Ended
            got += piece
        return got

    def until(self, end: bytes) -> bytes:
        """Everything up to and with `end`."""
        got = b""
        while not got.endswith(end):
            got += self.exactly(1)
        return got

    def send(self, message: bytes) -> None:
        self._connection.sendall(message)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def server(port: int, serve: Callable[[Stream], None]) -> Iterator[None]:
    """Calls `serve` for each connection to `port`, until it returns or the client goes."""
    listener = socket.create_server(("127.0.0.1", port))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            stream = Stream(connection)
            try:
                serve(stream)
            except Ended:
                pass
            finally:
                stream.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@contextmanager
def client(port: int) -> Iterator[Stream]:
    stream = Stream(socket.create_connection(("127.0.0.1", port)))
    try:
        yield stream
    finally:
        stream.close()

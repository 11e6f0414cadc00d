"""The office's file drop: pyftpdlib with one account."""

import argparse
import os
import tempfile

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

from quaylab.scenario_clock import now


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--account", required=True)
    name, secret = parser.parse_args().account.split(":", 1)
    with tempfile.TemporaryDirectory() as folder:
        accounts = DummyAuthorizer()
        accounts.add_user(name, secret, folder, perm="elradfmw")

        class Drop(FTPHandler):
            authorizer = accounts
            banner = "EDI drop ready."

            def on_file_received(self, file: str) -> None:
                # Listings show the file's time: it has to be the scenario's.
                os.utime(file, (now(), now()))

        FTPServer(("0.0.0.0", 21), Drop).serve_forever()


if __name__ == "__main__":
    main()

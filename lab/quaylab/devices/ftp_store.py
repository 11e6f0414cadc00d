"""The office's file drop: pyftpdlib with one account."""

import argparse
import tempfile

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


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

        FTPServer(("0.0.0.0", 21), Drop).serve_forever()


if __name__ == "__main__":
    main()

"""Sends a loading list to the office's file drop and lists the folder."""

import argparse
import ftplib
import io

MESSAGE = b"UNB+UNOA:2+LABTERM+LABLINE+261102:0800+1'UNH+1+BAPLIE:D:95B:UN:SMDG20'\r\n" * 6


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--account", required=True)
    args = parser.parse_args()
    name, secret = args.account.split(":", 1)
    with ftplib.FTP(args.server, timeout=8) as drop:
        drop.login(name, secret)
        drop.storbinary("STOR baplie-0800.edi", io.BytesIO(MESSAGE))
        drop.retrlines("LIST", lambda _: None)


if __name__ == "__main__":
    main()

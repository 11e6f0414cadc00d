"""Logs in to a switch with the real telnet program, typing as a person would."""

import argparse

import pexpect


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("switch")
    parser.add_argument("--account", required=True)
    args = parser.parse_args()
    name, secret = args.account.split(":", 1)
    session = pexpect.spawn("telnet", [args.switch], timeout=8)
    for prompt, answer in (("login: ", name), ("Password: ", secret), ("# ", "show ports"), ("# ", "exit")):
        session.expect(prompt)
        session.sendline(answer)
    session.expect(pexpect.EOF)


if __name__ == "__main__":
    main()

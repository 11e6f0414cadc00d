"""The dialogue that telnetd runs on a switch: login, password, a prompt with two commands."""

import sys
import termios


def ask_secret(prompt: str) -> str:
    """Asks without echo, as login programs do."""
    attributes = termios.tcgetattr(0)
    silent = list(attributes)
    silent[3] &= ~termios.ECHO
    sys.stdout.write(prompt)
    sys.stdout.flush()
    termios.tcsetattr(0, termios.TCSADRAIN, silent)
    try:
        return sys.stdin.readline().strip()
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, attributes)
        print()


def main() -> None:
    model, accounts = sys.argv[1], dict(a.split(":", 1) for a in sys.argv[2:])
    print(f"{model}\n")
    for _ in range(3):
        sys.stdout.write("login: ")
        sys.stdout.flush()
        name = sys.stdin.readline().strip()
        if name in accounts and ask_secret("Password: ") == accounts[name]:
            break
        print("Login incorrect")
    else:
        return
    while True:
        sys.stdout.write(f"{model}# ")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line or line.strip() == "exit":
            return
        print("port 1 up\nport 2 up\nport 3 down" if line.startswith("show") else "unknown command")


if __name__ == "__main__":
    main()

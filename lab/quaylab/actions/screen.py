"""Takes over an HMI's screen by VNC: looks, types, looks again."""

import argparse
import asyncio

import asyncvnc


async def work(server: str, secret: str, seconds: float) -> None:
    async with asyncvnc.connect(server, 5900, password=secret) as screen:
        for key in ("Return", "F4", "Return"):
            screen.keyboard.press(key)
            screen.mouse.move(100, 60)
            screen.mouse.click()
            await asyncio.wait_for(screen.screenshot(), 10)
            await asyncio.sleep(seconds / 3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--secret", required=True)
    parser.add_argument("--seconds", type=float, default=9)
    args = parser.parse_args()
    asyncio.run(work(args.server, args.secret, args.seconds))


if __name__ == "__main__":
    main()

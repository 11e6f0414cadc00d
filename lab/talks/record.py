"""Records talks: `python -m talks.record [NAME ...]`, all of them without a name. Needs root for the namespaces.

A talk is a module `talks/NAME.py` with a function `run() -> Truth`, which
starts its server on the loopback, asks it, ends it, and returns what was said. Each talk has a network namespace of
its own in which nothing but the loopback exists, so it reaches nobody and nobody reaches it.
"""

import importlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from quaylab import pcapng_options

HERE = Path(__file__).parent
CAPTURES = HERE / "captures"
_NOT_TALKS = {"__init__", "dialogue", "record", "truth"}
_PATIENCE_SECONDS = 120
# dumpcap says nothing when its socket is open, and hands packets on in batches.
_CAPTURE_STARTS, _CAPTURE_ENDS = 1.0, 1.5


def names() -> list[str]:
    return sorted(file.stem for file in HERE.glob("*.py") if file.stem not in _NOT_TALKS)


def _inside(name: str) -> None:
    """Plays one talk; runs inside its namespace."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.pcapng"
        with subprocess.Popen(["dumpcap", "-q", "-i", "lo", "-w", str(raw)], stderr=subprocess.DEVNULL) as capture:
            time.sleep(_CAPTURE_STARTS)
            try:
                truth = importlib.import_module(f"talks.{name}").run()
            finally:
                time.sleep(_CAPTURE_ENDS)
                capture.send_signal(signal.SIGINT)
        pcapng_options.strip(raw)
        CAPTURES.mkdir(exist_ok=True)
        (CAPTURES / f"{name}.pcapng").write_bytes(raw.read_bytes())
        truth.write(CAPTURES / f"{name}.json")


def _record(name: str) -> bool:
    inner = f'hostname lab; exec "{sys.executable}" -m talks.record --inside "{name}"'
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    with subprocess.Popen(["unshare", "--net", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c", inner],
                          cwd=HERE.parent, env=environment) as talk:
        try:
            failed = talk.wait(_PATIENCE_SECONDS) != 0
        except subprocess.TimeoutExpired:
            talk.kill()
            failed = True
    print(f"{name}: {'failed' if failed else 'recorded'}", flush=True)
    return not failed


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--inside"]:
        _inside(arguments[1])
        return 0
    unknown = set(arguments) - set(names())
    if unknown:
        print(f"no such talk: {', '.join(sorted(unknown))}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    results = [_record(name) for name in arguments or names()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Questions to the captures, answered by tshark: how many frames match, and what a field holds."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from pathlib import Path

# Steps start a little late when the machine is busy; a finding's time may be off by this much.
SLACK_SECONDS = 6


class Wire:
    def __init__(self, captures: Path):
        self.files = sorted(captures.glob("*.pcapng"))
        self.rows = cache(self._rows)

    def segments(self) -> list[str]:
        return [f.stem for f in self.files]

    def _rows(self, display_filter: str, *fields: str, segment: str | None = None) -> list[list[str]]:
        """The named fields of every frame that matches; with no fields, its number."""
        def ask(file: Path) -> list[list[str]]:
            command = ["tshark", "-n", "-r", str(file), "-Y", display_filter, "-T", "fields", "-E", "occurrence=a"]
            for field in fields or ("frame.number",):
                command += ["-e", field]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            if done.returncode:
                raise RuntimeError(f"{display_filter}: {done.stderr}")
            return [line.split("\t") for line in done.stdout.splitlines()]

        chosen = [f for f in self.files if segment in (None, f.stem)]
        with ThreadPoolExecutor(max_workers=4) as pool:
            return [row for rows in pool.map(ask, chosen) for row in rows]

    def seen(self, display_filter: str, segment: str | None = None) -> bool:
        return bool(self.rows(display_filter, segment=segment))

    def contains(self, value: bytes, segment: str | None = None, sender: str | None = None) -> bool:
        """Whether these bytes stand in a frame (sent by that MAC)."""
        where = f"eth.src=={sender} && " if sender else ""
        return self.seen(f"{where}frame contains {value.hex(':')}", segment)


def epoch(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def between(finding: dict) -> str:
    begins, ends = epoch(finding["from"]) - SLACK_SECONDS, epoch(finding["to"]) + SLACK_SECONDS
    return f"frame.time_epoch >= {begins} && frame.time_epoch <= {ends}"

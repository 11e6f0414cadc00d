"""What a talk said, as its own client and server know it: never read from the capture."""

import json
from pathlib import Path

Value = str | int | float | bool | list[str] | list[int]


class Truth:
    """Rows that have to be found in a capture, in the order in which they were said.

    A row names its kind (`operation`, `identity`, `session`, ... as in the evidence) and any members of it;
    `detail.name` names a member of the detail. A row of the evidence may have more members than are named here.
    """

    def __init__(self, stack: str):
        """`stack` says what spoke: the library and the version of it, or the specification it was written against."""
        self.stack = stack
        self._rows: list[dict[str, Value]] = []
        self._weird: set[str] = set()

    def told(self, kind: str, **members: Value) -> None:
        """Dots in names of members are written as two underscores: `detail__value=5`."""
        self._rows.append({"kind": kind} | {name.replace("__", "."): value for name, value in members.items()})

    def operation(self, protocol: str, name: str, **members: Value) -> None:
        """A request and its answer."""
        self.told("operation", protocol=protocol, name=name, **members)

    def deviates(self, name: str) -> None:
        """Allows a weird row of this name; without it any weird row is a failure."""
        self._weird.add(name)

    def write(self, path: Path) -> None:
        rows = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in self._rows)
        weird = json.dumps(sorted(self._weird))
        path.write_text(f'{{\n  "stack": {json.dumps(self.stack)},\n  "weird": {weird},\n  "rows": [\n{rows}\n  ]\n}}\n')

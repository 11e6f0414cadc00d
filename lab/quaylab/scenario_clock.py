"""The clock of the devices: the machine's, moved to the scenario's date.

Captures are moved by the same amount afterwards, so that a device's clock and the capture's agree. Only the
programs that show a time on the wire ask for it: GNSS receivers, the time server and its clients, web pages.
"""

import os
import time

VARIABLE = "QUAYLAB_CLOCK_SHIFT"


def now() -> float:
    return time.time() + float(os.environ.get(VARIABLE, "0"))

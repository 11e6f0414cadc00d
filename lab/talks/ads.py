"""pyads asks the test server that comes with it, on the AMS port of a TwinCAT 3 runtime.

Client and server share a library, but not their code: the client is Beckhoff's own AdsLib, the server is written in Python.
"""

import time

import pyads
from pyads.testserver import AdsTestServer, AdvancedHandler, PLCVariable

from .truth import Truth

_RUNTIME, _LOCAL = "127.0.0.1.1.1", "127.0.0.1.1.2"
_PORT = pyads.PORT_TC3PLC1
# Index groups of the symbol service (Beckhoff Information System, "Index groups").
_FLAGS = 0x4020


def _speak(truth: Truth) -> None:
    def told(name: str, group: str, **members: str | int) -> None:
        truth.operation("ads", name, **({"class": group, "unit": _PORT, "status": 0} | members))

    plc = pyads.Connection(_RUNTIME, _PORT, "127.0.0.1")
    with plc:
        plc.read_device_info()
        # The test server leaves out the fill of the name, which has 16 bytes by the specification ("ADS Read Device Info").
        truth.operation("ads", "ReadDeviceInfo", **{"class": "identify", "unit": _PORT})
        truth.deviates("ads_reply_short")
        plc.read_state()
        told("ReadState", "diagnose")
        plc.write(_FLAGS, 16, 1234, pyads.PLCTYPE_INT)
        told("Write", "write", object="plc-memory-bytes 0x4020:0x10")
        plc.read(_FLAGS, 16, pyads.PLCTYPE_INT)
        told("Read", "read", object="plc-memory-bytes 0x4020:0x10")
        handle = plc.get_handle("MAIN.speed")
        told("ReadWrite", "read", object="symbol-handle-by-name MAIN.speed")
        assert plc.read_by_name("MAIN.speed", pyads.PLCTYPE_LREAL, handle=handle) == 1.5
        plc.write_by_name("MAIN.speed", 2.5, pyads.PLCTYPE_LREAL, handle=handle)
        assert plc.read_by_name("MAIN.speed", pyads.PLCTYPE_LREAL, handle=handle) == 2.5
        plc.release_handle(handle)
        # The test server answers for notifications, but brings them to its own process only, not over the wire.
        attribute = pyads.NotificationAttrib(2)
        handles = plc.add_device_notification((_FLAGS, 16), attribute, lambda *_: None)
        told("AddDeviceNotification", "read", object="plc-memory-bytes 0x4020:0x10")
        plc.del_device_notification(*handles)
        told("DeleteDeviceNotification", "session")
        plc.write_control(pyads.ADSSTATE_STOP, 0, 0, pyads.PLCTYPE_INT)
        told("WriteControl", "control", object="stop")
        plc.write_control(pyads.ADSSTATE_RUN, 0, 0, pyads.PLCTYPE_INT)
        told("WriteControl", "control", object="run")


def run() -> Truth:
    truth = Truth(f"pyads {pyads.__version__}: AdsLib, and its test server")
    handler = AdvancedHandler()
    handler.add_variable(PLCVariable("MAIN.speed", 1.5, pyads.constants.ADST_REAL64, "LREAL"))
    handler.add_variable(PLCVariable("MAIN.flags", 0, pyads.constants.ADST_INT16, "INT", _FLAGS, 16))
    server = AdsTestServer(handler, logging=False)
    server.start()
    time.sleep(0.5)
    try:
        pyads.open_port()
        pyads.set_local_address(_LOCAL)
        _speak(truth)
        pyads.close_port()
    finally:
        server.stop()
    return truth

"""A straddle carrier reports to mosquitto, and a badly kept monitor listens to everything with its password in clear."""

import json
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.properties import Properties

from .truth import Truth

_PORT = 1883
# Hierarchical message of TIC 4.0: subjects are arrays, observed properties carry a time stamp and points of measurement.
_TIC = json.dumps({
    "header": {"timestamp": "2026-11-02T08:00:00Z", "uuid": "5f1a0c52-0b4e-4b0e-9f7a-3f0d3b1f6a10"},
    "che": [{"name": "SC-07", "spreader": [{"twistlock": {"locked": [
        {"timestamp": "2026-11-02T08:00:00Z", "output": {"actual": {"value": True}}}]}}]}],
})
_CONFIG = "listener 1883 127.0.0.1\nallow_anonymous true\npassword_file {folder}/accounts\nuser root\n"


def _client(name: str, version: int) -> paho.Client:
    return paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name, protocol=version)


def _wait(*tests) -> None:
    until = time.monotonic() + 5
    while not all(test() for test in tests):
        if time.monotonic() > until:
            raise TimeoutError("the broker did not answer")
        time.sleep(0.02)


def _varint(number: int) -> bytes:
    out = b""
    while number > 0x7f:
        out, number = out + bytes([number & 0x7f | 0x80]), number >> 7
    return out + bytes([number])


def _counted(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _metric(value: bytes, name: str = "", alias: int | None = None) -> bytes:
    """Sparkplug 3.0 section 6.4: name is field 1, alias field 2; `value` is the value's own field."""
    named = (_counted(1, name.encode()) if name else b"") + (_varint(2 << 3) + _varint(alias) if alias is not None else b"")
    return _counted(2, named + value)


def _sparkplug(truth: Truth, node: paho.Client) -> None:
    """An edge node is born, reports by alias, and is told to write and to be born again; payloads by hand (no library)."""
    def real(number: float) -> bytes:
        return b"\x69" + struct.pack("<d", number)

    for kind, payload, values in (
        ("NBIRTH", _metric(real(12.5), "hoist/height", 1) + _metric(_counted(15, b"Kuenz"), "Properties/Hardware Make"),
         ["hoist/height=12.5", "Properties/Hardware Make=Kuenz"]),
        ("NDATA", _metric(real(13.25), alias=1), ["hoist/height=13.25"]),
        ("NCMD", _metric(b"\x50" + _varint(70), "hoist/limit"), ["hoist/limit=70"]),
        ("NCMD", _metric(b"\x70\x01", "Node Control/Rebirth"), ["Node Control/Rebirth=true"]),
    ):
        topic = f"spBv1.0/yard/{kind}/sc-07"
        node.publish(topic, payload, qos=1).wait_for_publish(5)
        wrote = {"NBIRTH": "cyclic", "NDATA": "cyclic"}.get(kind, "control" if "Rebirth" in values[0] else "write")
        truth.operation("mqtt", kind, object=topic, detail__node="yard/sc-07", detail__values=values, **{"class": wrote})
    truth.told("identity", attribute="vendor", value="Kuenz")


def _speak(truth: Truth) -> None:
    heard: list[str] = []
    monitor = _client("yard-monitor", paho.MQTTv311)
    monitor.username_pw_set("monitor", "harbour-view")
    monitor.on_message = lambda client, data, message: heard.append(message.topic)
    monitor.connect("127.0.0.1", _PORT)
    monitor.loop_start()
    _wait(monitor.is_connected)
    truth.told("session", protocol="mqtt", user="monitor")
    monitor.subscribe("tic/#", qos=1)
    truth.operation("mqtt", "SUBSCRIBE", object="tic/#", status=1, status_name="granted QoS 1")
    time.sleep(0.3)

    carrier = _client("che-sc-07", paho.MQTTv5)
    carrier.connect("127.0.0.1", _PORT)
    carrier.loop_start()
    _wait(carrier.is_connected)
    properties = Properties(paho.PacketTypes.PUBLISH)
    properties.ContentType = "application/json"
    carrier.publish("tic/sc-07/hoist", '{"height": 4.2}', qos=1, properties=properties).wait_for_publish(5)
    truth.operation("mqtt", "PUBLISH", object="tic/sc-07/hoist", quantity=15)
    _wait(lambda: heard == ["tic/sc-07/hoist"])
    carrier.publish("tic/sc-07/spreader", _TIC, qos=0)
    truth.operation("mqtt", "PUBLISH", object="tic/sc-07/spreader", quantity=len(_TIC), detail__payload="tic-4.0")
    _wait(lambda: len(heard) == 2)
    _sparkplug(truth, carrier)
    for client in (carrier, monitor):
        client.disconnect()
        client.loop_stop()


def run() -> Truth:
    version = subprocess.run(["mosquitto", "-h"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    truth = Truth(f"{version}, paho-mqtt 2.2.0")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mosquitto_passwd", "-b", "-c", f"{folder}/accounts", "monitor", "harbour-view"], check=True)
        config = Path(folder) / "mosquitto.conf"
        config.write_text(_CONFIG.format(folder=folder))
        with subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL) as broker:
            try:
                time.sleep(1)
                _speak(truth)
            finally:
                broker.terminate()
    return truth

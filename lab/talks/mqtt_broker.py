"""A straddle carrier reports to mosquitto, and a badly kept monitor listens to everything with its password in clear."""

import subprocess
import tempfile
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.properties import Properties

from .truth import Truth

_PORT = 1883
_CONFIG = "listener 1883 127.0.0.1\nallow_anonymous true\npassword_file {folder}/accounts\nuser root\n"


def _client(name: str, version: int) -> paho.Client:
    return paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name, protocol=version)


def _wait(*tests) -> None:
    until = time.monotonic() + 5
    while not all(test() for test in tests):
        if time.monotonic() > until:
            raise TimeoutError("the broker did not answer")
        time.sleep(0.02)


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
    truth.operation("mqtt", "SUBSCRIBE", object="tic/#")
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

"""Modbus/TCP clients, over pymodbus."""

import argparse
import time

from pymodbus.client import ModbusTcpClient


def poll(device: ModbusTcpClient, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        device.read_holding_registers(0, count=12)
        device.read_input_registers(20, count=4)
        time.sleep(2)


def write(device: ModbusTcpClient, value: int) -> None:
    device.write_register(40, value)
    device.write_registers(41, [value, value + 1])
    device.write_coil(3, True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("device")
    parser.add_argument("do", choices=("poll", "identify", "write"), nargs="+")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--value", type=int, default=100)
    args = parser.parse_args()
    device = ModbusTcpClient(args.device, timeout=4)
    device.connect()
    for do in args.do:
        if do == "poll":
            poll(device, args.seconds)
        elif do == "identify":
            # Basic and regular identification: code 43, MEI type 14.
            device.read_device_information(read_code=1, object_id=0)
            device.read_device_information(read_code=2, object_id=0)
        else:
            write(device, args.value)
        time.sleep(0.2)
    device.close()


if __name__ == "__main__":
    main()

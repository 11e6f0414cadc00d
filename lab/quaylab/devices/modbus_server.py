"""A Modbus/TCP device: pymodbus's server with 43/14 identification."""

import argparse

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server import StartTcpServer


def main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("vendor", "product", "model", "firmware"):
        parser.add_argument(f"--{option}", required=True)
    args = parser.parse_args()
    identity = ModbusDeviceIdentification(info_name={
        "VendorName": args.vendor, "ProductCode": args.product, "MajorMinorRevision": args.firmware,
        "ProductName": args.product, "ModelName": args.model})
    # Wind, load and speed as a device at work would show them, rather than zeros.
    registers = ModbusSequentialDataBlock(0, [(i * 37 + 411) % 1500 for i in range(200)])
    bits = ModbusSequentialDataBlock(0, [i % 3 == 0 for i in range(64)])
    unit = ModbusSlaveContext(di=bits, co=ModbusSequentialDataBlock(0, [False] * 64), hr=registers, ir=registers)
    StartTcpServer(context=ModbusServerContext(slaves=unit, single=True), identity=identity, address=("0.0.0.0", 502))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes oui.tsv from the IEEE registry's CSV files.

Usage: make_oui.py FOLDER > oui.tsv
FOLDER holds oui.csv, oui28.csv, oui36.csv and iab.csv, as the IEEE publishes them or as the
`data` folder of the crate `oui-data` carries them. Prefixes that the registry only delegates
("IEEE Registration Authority") are left out: their parts are in the longer lists.
"""
import csv
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
vendors = {}
for name in ("iab.csv", "oui36.csv", "oui28.csv", "oui.csv"):
    with open(folder / name, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            vendor = " ".join(row["Organization Name"].split())
            if vendor and vendor not in ("IEEE Registration Authority", "Private"):
                vendors.setdefault(row["Assignment"].lower(), vendor)
for prefix in sorted(vendors):
    print(f"{prefix}\t{vendors[prefix]}")

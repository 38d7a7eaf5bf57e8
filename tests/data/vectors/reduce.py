#!/usr/bin/env python3
"""Writes limbo/cases.json and onecrl/records.json from what others publish (see README): what the tests read, no more.

    reduce.py limbo LIMBO.json >limbo/cases.json
    reduce.py onecrl ONECRL.json >onecrl/records.json
"""
import json
import sys

CASE = ("id", "validation_time", "expected_result", "expected_peer_name", "peer_certificate", "untrusted_intermediates",
        "trusted_certs", "crls")
RECORD = ("issuerName", "serialNumber", "subject", "pubKeyHash", "enabled", "schema")


def limbo(text):
    """Every case with the members that decide it."""
    return [{k: case[k] for k in CASE if case[k]} for case in text["testcases"]]


def onecrl(text):
    """Every record by key, and one for each issuer; the first of each kind is whole."""
    seen, kept = set(), []
    for record in text["data"]:
        who = record.get("issuerName", record.get("pubKeyHash"))
        kind = "issuerName" in record
        if who not in seen:
            kept.append(record if kind not in seen else {k: record[k] for k in RECORD if k in record})
        seen |= {who, kind}
    return kept


def main():
    what, path = sys.argv[1:]
    with open(path, encoding="utf-8") as f:
        text = json.load(f)
    member, items = ("testcases", limbo(text)) if what == "limbo" else ("data", onecrl(text))
    lines = ",\n".join(json.dumps(i, separators=(",", ":")) for i in items)
    print(f'{{"{member}": [\n{lines}\n]}}')


if __name__ == "__main__":
    main()

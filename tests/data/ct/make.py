#!/usr/bin/env python3
"""Writes lists of CT logs in the shapes that others publish, with keys and names of our own (see README).

    make.py dated >dated.json      every state, kind and member of the v3 schema, tiled logs beside others
    make.py undated >undated.json  no date, mostly rejected logs with their keys
"""
import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def log(number, state, since="2024-01-02T03:04:05Z", **more):
    """One log; its key is that of the private number. Nobody runs it."""
    key = ec.derive_private_key(number + 1, ec.SECP256R1()).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    name = f"Test {number}"
    return {"description": name, "log_id": base64.b64encode(hashlib.sha256(der).digest()).decode(),
            "key": base64.b64encode(der).decode(), "url": f"https://log{number}.test/", "mmd": 86400,
            **({"state": {state: {"timestamp": since}}} if state else {}), **more}


def interval(year):
    return {"temporal_interval": {"start_inclusive": f"{year}-01-01T00:00:00Z", "end_exclusive": f"{year + 1}-01-01T00:00:00Z"}}


def tiled(entry):
    return {**entry, "submission_url": entry.pop("url"), "monitoring_url": entry["description"].lower().replace(" ", "") + ".test"}


def dated():
    states = ["pending", "qualified", "usable", "readonly", "retired", "rejected", None]
    logs = [log(i, s, **interval(2025 + i % 3)) for i, s in enumerate(states)]
    readonly = logs[3]["state"]["readonly"]
    readonly["final_tree_head"] = {"sha256_root_hash": base64.b64encode(bytes(32)).decode(), "tree_size": 12345}
    logs += [log(20, "usable", log_type="test"), log(21, "usable", log_type="monitoring_only"), log(22, "usable", log_type="prod"),
             log(23, "usable", previous_operators=[{"name": "Before", "end_time": "2024-05-06T07:08:09Z"}]),
             {**log(24, None), "state": {"qualified": {"timestamp": "2025-08-11T12:33:27+01:00"},
                                         "usable": {"timestamp": "2025-09-22T12:29:18+01:00"}}}]
    return {"is_all_logs": True, "version": "89.25", "log_list_timestamp": "2026-08-20T13:34:57Z",
            "operators": [{"name": "One", "email": ["one@test"], "logs": logs, "tiled_logs": []},
                          {"name": "Two", "email": [], "logs": [],
                           "tiled_logs": [tiled(log(30 + i, s, **interval(2026))) for i, s in enumerate(states)]}]}


def undated():
    rejected = [log(100 + i, "rejected", since=f"{2015 + i}-05-02T17:41:23Z") for i in range(10)]
    for entry in rejected:
        entry["state"]["rejected"]["version"] = "133"
    return {"$schema": "https://lists.test/log_list_schema_v5.json", "assetVersion": 32, "assetVersionV2": 1013, "version": "511",
            "operators": [{"name": "Old", "email": [], "logs": rejected, "tiled_logs": []},
                          {"name": "New", "email": [], "logs": [log(120, "usable", **interval(2026)), log(121, "pending")],
                           "tiled_logs": [tiled(log(122, "readonly"))]}]}


if __name__ == "__main__":
    print(json.dumps({"dated": dated, "undated": undated}[sys.argv[1]](), indent=1))

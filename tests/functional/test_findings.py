"""What ctstub-watch found, as other programs show it; known certificates; disallow feeds."""
import json
import os

from functional._common import stub
from harness.case import case, check, equal

FINDING = {"event": "finding", "id": "00", "kind": "rogue", "because": "nobody expects it", "log": {"name": "Toy\u001b[31m log", "id": "AA=="},
           "index": 7, "logged": "2026-11-28T08:00:00.000Z", "matched": [{"item": "1.1.1.1", "upstream": "cloudflare"}],
           "issuer": "CN=Fina RDC 2020", "serial": "4af6"}
STATUS = {"at": "2026-11-28T08:00:00Z", "items": 4, "entries": 10, "entries_per_second": 2.5,
          "logs": [{"log": "Toy", "lag_entries": 0, "trouble": None}, {"log": "Slow", "lag_entries": 120, "trouble": "it is away"}],
          "left_out": [], "findings": {"expected": 3, "rogue": 1, "unreadable": 0, "log-misbehaved": 2}, "latest": [FINDING]}


@case("ctstub status shows the watcher's findings, and works without their file")
def status(t):
    d, _ = stub(t)
    os.makedirs(os.path.join(d.dir, "watch"), exist_ok=True)

    def put(text):
        with open(os.path.join(d.dir, "watch", "status.json"), "w", encoding="utf-8") as f:
            f.write(text)
    code, out, err = d.tool("status", "--json")
    equal((code, json.loads(out)["watch"]), (0, None), f"without a file: {err}")
    put(json.dumps(STATUS))
    code, out, err = d.tool("status", "--json")
    watch = json.loads(out)["watch"]
    equal((code, watch["findings"]["rogue"], watch["latest"][0]["serial"]), (0, 1, "4af6"), f"as JSON: {err}")
    check(watch["age_s"] > 600, f"its age: {watch['age_s']}")
    code, out, err = d.tool("status")
    equal(code, 0, err)
    for line in ("2 logs, 1 of them with trouble, 4 items, Slow is 120 entries behind; NOT RUNNING", "1 rogue, 0 unreadable, 2 of logs, 3 expected",
                 "1.1.1.1, issuer CN=Fina RDC 2020, serial 4af6"):
        check(line in out, f"{line!r} is missing in {out}")
    check("\u001b" not in out, "an escape of the file reached the terminal")
    for broken in ("", "[]", "{", "[" * 100000):
        put(broken)
        code, out, err = d.tool("status", "--json")
        equal((code, json.loads(out)["watch"]), (0, None), f"with a broken file: {err}")

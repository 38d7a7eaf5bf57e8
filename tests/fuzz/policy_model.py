"""The other side of fuzz_policy.c: what the oracle's model says of each case, and whether the judge said the same.

The first line on standard input is the list of logs (v3 JSON); each further line is an object with the facts of a case and the
verdict of the judge. The answer is a line: empty when both agree, else the difference.
"""
import datetime
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from oracle import model  # noqa: E402

DAY = 86400 * 1000


class Model(model.Model):
    def judge_path(self):
        """A path of which all signatures hold is compared with what is wanted of one although it has other faults: the monitor of
        CT logs reads of precertificates, which are never good, whether their issuer is allowed."""
        path = super().judge_path()
        candidates = [] if path or "chain-too-long" in self.reasons else [(p, self.faults(p)) for p in self.paths(["leaf"])]
        if candidates:
            chosen, faults = min(candidates, key=lambda c: (bool({"bad-signature", "weak-key"} & c[1]), len(c[1])))
            if not {"bad-signature", "weak-key"} & faults:
                self.reasons |= self.unwanted(chosen)
        return path

    def judge_lists(self, path):
        """Without a path nothing is known of who signed what: an entry for a key also names what was only presented."""
        super().judge_lists(path)
        if not path and any(kind == "spki-sha256" and self.key_of(target) in map(self.key_of, self.case["presented"])
                            for kind, target in self.case["disallow"]):
            self.reasons.add("disallowed")


def milliseconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def logs_of(text):
    """The facts of the model's world from a published list; those in no list are added by name."""
    logs = {"nobody": {"operator": "Nobody", "unlisted": True}, "mimic": {"operator": "Nobody", "unlisted": True, "denied_id": "mimic"}}
    for operator in json.loads(text)["operators"]:
        for log in operator.get("logs", []) + operator.get("tiled_logs", []):
            facts = logs[log["description"]] = {"operator": operator["name"], "static": log in operator.get("tiled_logs", [])}
            for state, since in log.get("state", {}).items():
                facts |= {"state": state, "state_ms": milliseconds(since["timestamp"])}
            if "log_type" in log:
                facts["log_type"] = log["log_type"]
            if "temporal_interval" in log:
                facts["interval"] = [milliseconds(log["temporal_interval"][k]) for k in ("start_inclusive", "end_exclusive")]
            if "previous_operators" in log:
                facts["previous"] = [(p["name"], milliseconds(p["end_time"])) for p in log["previous_operators"]]
    return {"logs": logs}


def case_of(facts):
    """The facts of a case with what no script changes."""
    case = {"name": None, "disallow": [], "constraints": [], "allow_issuer": [], "pin": [], "crls": [], "modes": {}, "report_until": None}
    case.update(facts)
    leaf = case["certificates"]["leaf"]
    if not leaf["sct_list"]:
        leaf["scts"] = None
    return case


def difference(world, line):
    both = json.loads(line)
    verdict, want = both["verdict"], Model(world, case_of(both["case"])).verdict()
    have = {"outcome": verdict["outcome"], "reasons": verdict["reasons"], "scts": [s["status"] for s in verdict["scts"]]}
    if want["scts"] is None:
        have["scts"] = None
    return "" if have == want else json.dumps({"judge": have, "model": want, "case": both["case"]})


def main():
    world = logs_of(sys.stdin.readline())
    for line in sys.stdin:
        print(difference(world, line), flush=True)


if __name__ == "__main__":
    main()

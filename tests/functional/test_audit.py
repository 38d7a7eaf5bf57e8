"""ctstub audit: promises that are kept, not yet kept, and broken, of both kinds of logs."""
import base64
import datetime
import json
import os

from harness.case import case, check, equal, rows
from harness.toylogs import ToyLogs

CHAIN = "good-static-ct"  # SCTs of alpha-1 and, with a leaf index, of delta-1


def world(t, *options, scenario=CHAIN):
    """Logs, and the chain of a scenario whose SCTs they made."""
    logs = ToyLogs(t, *options)
    code, out, err = t.run("ctstub-lab", "pki", logs.folder)
    equal(code, 0, f"pki {out} {err}")
    return logs, f"{logs.folder}/chains/{scenario}.pem"


def config(t, logs, more=""):
    return t.write("audit.conf", f'''state-dir = ""
ct {{ log-list = "{logs.list}" }}
trust {{ anchors = "{logs.anchors}" }}
{more}
''')


def audit(t, logs, *arguments, more=""):
    """(exit code, outcome by log, the whole)"""
    code, out, err = t.run("ctstub", "audit", "--json", "-c", config(t, logs, more), *arguments)
    check(out, err)
    whole = json.loads(out)
    return code, {s["log"]: s["outcome"] for a in whole["audited"] for s in a["scts"]}, whole


@case("for SCTs that the log honoured, audit reports the index and the tree head")
def kept(t):
    logs, chain = world(t, "--fill", "1000")
    logs.enter(chain)
    code, outcomes, whole = audit(t, logs, "--chain", chain)
    equal((code, outcomes), (0, {"alpha-1": "included", "delta-1": "included"}), "audit")
    found = {s["log"]: s for s in whole["audited"][0]["scts"]}
    equal(found["alpha-1"]["index"], 1000, "index in the RFC 6962 log")
    equal(found["alpha-1"]["head"]["size"], logs.sth("alpha-1")[0], "size of the head")
    equal(found["delta-1"]["head"]["root"], base64.b64encode(logs.checkpoint("delta-1")[2]).decode(), "root of the head")
    equal(found["delta-1"]["index"] + 1, logs.checkpoint("delta-1")[0], "index in the static-ct log")
    code, out, err = t.run("ctstub", "audit", "-c", config(t, logs), "--chain", chain)
    check(code == 0 and out.count("included") == 2 and "alpha-1" in out, f"text: {code} {out} {err}")


@rows([
    ("a log without the entry broke its SCT's promise", "alpha-1"),
    ("a static-ct log shorter than leaf_index broke its SCT's promise", "delta-1"),
], builds=("gcc", "san"))
def missing(t, log):
    logs, chain = world(t, "--fill", "10")
    folder = t.path("evidence")
    os.makedirs(folder)
    code, outcomes, whole = audit(t, logs, "--chain", chain, "--evidence", folder)
    equal((code, outcomes[log]), (1, "broken-promise"), "audit")
    equal(whole["broken"], 2, "both are counted")
    found = {s["log"]: s for s in whole["audited"][0]["scts"]}[log]
    leaf = base64.b64decode(found["evidence"]["leaf_hash"])
    with open(os.path.join(folder, leaf.hex() + ".json"), encoding="utf-8") as f:
        equal(json.load(f), found, "evidence")
    head = base64.b64decode(found["evidence"]["head"]).decode()
    check("10" in head and found["head"]["root"] in head.replace("\\/", "/"), f"head {head}")


@case("audit accepts a missing entry within the maximum merge delay")
def not_yet(t):
    logs, chain = world(t, "--fill", "10")
    _, _, whole = audit(t, logs, "--chain", chain)
    stamp = {s["log"]: s["timestamp"] for s in whole["audited"][0]["scts"]}
    # the SCT of the RFC 6962 log, a second before its day is over; the other log has a minute only
    soon = datetime.datetime.fromisoformat(stamp["alpha-1"].replace("Z", "+00:00")) + datetime.timedelta(seconds=86399)
    soon = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    code, outcomes, whole = audit(t, logs, "--chain", chain, "--at", soon)
    equal((code, outcomes), (1, {"alpha-1": "not-yet", "delta-1": "broken-promise"}), "audit")
    code, outcomes, _ = audit(t, logs, "--chain", chain, "--at", stamp["delta-1"])
    equal((code, outcomes), (0, {"alpha-1": "not-yet", "delta-1": "not-yet"}), "audit at the time of the SCT")


@rows([
    ("a proof that does not lead to the head", "bad-proof", "alpha-1", "broken-promise"),
    ("a tile that does not lead to the checkpoint", "bad-proof", "delta-1", "broken-promise"),
    ("a head whose signature is not the log's", "bad-signature", "alpha-1", "failed"),
    ("a checkpoint whose signature is not the log's", "bad-signature", "delta-1", "failed"),
    ("a log that is out of order", "broken", "alpha-1", "failed"),
    ("a log that answers with a page of HTML", "not-json", "delta-1", "failed"),
    ("a log with endless answers", "oversized", "alpha-1", "failed"),
    ("a tree head from before the entry", "roll-back", "alpha-1", "broken-promise"),
    ("a checkpoint from before the entry", "roll-back", "delta-1", "broken-promise"),
], builds=("gcc", "san"))
def misbehaves(t, name, log, outcome):
    logs, chain = world(t, "--fill", "1000")
    logs.enter(chain)
    other = {"alpha-1": "delta-1", "delta-1": "alpha-1"}[log]
    equal(audit(t, logs, "--chain", chain)[:2], (0, {log: "included", other: "included"}), "before")
    logs.misbehave(name, log)
    have, outcomes, _ = audit(t, logs, "--chain", chain)
    equal(outcomes, {log: outcome, other: "included"}, "outcomes")
    equal(have, 1 if outcome == "broken-promise" else 3, "exit code")


@rows([
    ("SCTs that the log did not sign promise nothing", "sct-bad-signature", "not-asked"),
    ("SCTs of unknown logs cannot be audited", "unknown-log", "not-asked"),
], builds=("gcc",))
def no_promise(t, scenario, outcome):
    logs, chain = world(t, scenario=scenario)
    check(os.path.exists(chain), f"no {chain}: {sorted(os.listdir(os.path.dirname(chain)))}")
    _, _, whole = audit(t, logs, "--chain", chain)
    check(outcome in [s["outcome"] for s in whole["audited"][0]["scts"]], str(whole))


@case("a certificate without SCTs has no promise to break: a private CA does not fail the audit", builds=("gcc",))
def no_scts(t):
    logs, chain = world(t, scenario="fina-no-ct")
    code, outcomes, whole = audit(t, logs, "--chain", chain)
    equal((code, outcomes, whole["failed"], whole["audited"][0]["error"]), (0, {}, 0, None), "exit code, SCTs, failures")
    code, out, err = t.run("ctstub", "audit", "-c", config(t, logs), "--chain", chain)
    check(code == 0 and "not-asked      the certificate has no SCTs" in out, f"text: {code} {out} {err}")


@case("audit fetches the chain of an upstream and audits it")
def live(t):
    logs, _ = world(t)
    server = t.spawn("server", [t.program("ctstub-lab"), "serve", CHAIN, "--listen", "127.0.0.1:0", "--pki", logs.folder])
    server.wait_log("listening")
    port = int(server.log().split("address=127.0.0.1:")[1].split()[0])
    upstream = f'upstream "lab" {{ address = {{"127.0.0.1"}} port = {port} }} upstream "gone" {{ address = {{"127.0.0.1"}} port = 1 }}'
    code, outcomes, _ = audit(t, logs, "lab", more=upstream)
    equal((code, outcomes), (1, {"alpha-1": "broken-promise", "delta-1": "broken-promise"}), "nothing was entered")
    logs.enter(f"{logs.folder}/chains/{CHAIN}.pem")
    code, outcomes, _ = audit(t, logs, "lab", more=upstream)
    equal((code, outcomes), (0, {"alpha-1": "included", "delta-1": "included"}), "after it was")
    code, _, whole = audit(t, logs, more=upstream)
    equal((code, [a["what"].split()[0] for a in whole["audited"]]), (3, ["lab", "gone"]), "all upstreams, one of which is gone")
    check(whole["audited"][1]["error"], "no word of why")


@case("audit uses the chains in the journal, and connects to upstreams that are not in it", builds=("gcc", "san"))
def journal(t):
    logs, chain = world(t)
    logs.enter(chain)
    with open(chain, encoding="ascii") as f:
        certificates = ["".join(part.split("-----END")[0].split()) for part in f.read().split("-----BEGIN CERTIFICATE-----")[1:]]
    shown = {"time": "2026-11-28T10:00:00Z", "event": "change", "upstream": "lab", "address": "127.0.0.1:1", "sha256": "ab" * 32,
             "not_after": "2099-01-01T00:00:00Z", "chain": certificates}
    t.write("state/journal.jsonl", "".join(json.dumps(r) + "\n" for r in (
        dict(shown, address="127.0.0.2:1"), shown, dict(shown, event="refused", sha256="cd" * 32),
        dict(shown, sha256="ef" * 32, not_after="2020-01-01T00:00:00Z"))))
    path = t.write("journal.conf", f'''state-dir = "{t.path("state")}"
ct {{ log-list = "{logs.list}" }}
trust {{ anchors = "{logs.anchors}" }}
upstream "lab" {{ address = {{"127.0.0.1"}} port = 1 }}
upstream "other" {{ address = {{"127.0.0.1"}} port = 1 }}
''')
    code, out, err = t.run("ctstub", "audit", "--json", "-c", path, "lab")
    check(out, err)
    audited = json.loads(out)["audited"]
    equal([(a["what"], [s["outcome"] for s in a["scts"]]) for a in audited],
          [("lab 127.0.0.1:1, seen 2026-11-28T10:00:00Z", ["included", "included"])], "from the journal, once")
    equal(code, 0, "exit code")
    code, out, _ = t.run("ctstub", "audit", "--json", "-c", path, "lab", "--live")
    check(code == 3 and json.loads(out)["failed"] == 1, f"--live {code} {out}")
    code, out, _ = t.run("ctstub", "audit", "--json", "-c", path)
    equal((code, [a["what"].split()[0] for a in json.loads(out)["audited"]]), (3, ["lab", "other"]), "the other one is asked, and is not there")


@rows([
    ("an upstream that does not exist", ("nobody",), 2, "no upstream"),
    ("a chain and --live", ("--live", "--chain", "x"), 2, "usage"),
    ("an upstream and a chain", ("lab", "--chain", "x"), 2, "usage"),
    ("a chain that does not exist", ("--chain", "/nonexistent"), 3, "/nonexistent"),
    ("an invalid time", ("--at", "noon"), 2, "noon"),
], builds=("gcc",))
def wrong(t, arguments, code, says):
    path = t.write("wrong.conf", 'state-dir = ""\n')
    have, out, err = t.run("ctstub", "audit", "-c", path, *arguments)
    check(have == code and says in out + err, f"{have} {out} {err}")

"""The journal: what upstreams showed is recorded once, survives restarts, crashes, full disks and damage."""
import json
import os

from functional._common import again, stat
from harness import client
from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.pki import Authority, Site, key_pem, pem
from harness.upstream import DotServer

DEFAULT = "info"  # the level at which people run it


class World:
    """A daemon in front of one server whose certificate changes."""

    def __init__(self, t, with_ct=True, level=DEFAULT, extra="", daemon=True, **options):
        self.t = t
        self.site = Site(t, with_ct=with_ct)
        self.other = Authority("Other root")
        with open(self.site.anchors, "ab") as f:
            f.write(pem(self.other.cert))
        self.server = DotServer(t, self.site, tune=lambda context: setattr(context, "num_tickets", 0))
        self.n = 0
        ct = f'ct {{ log-list = "{self.site.log_list}" }}\n' if with_ct else 'ct { mode = "off" }\n'
        self.extra = ct + 'cache { serve-stale = "0s" }\n' + extra
        if daemon:
            self.daemon = Daemon(t, upstream("one", self.server), anchors=self.site.anchors, ct=None, extra=self.extra,
                                 log_level=level, **options)
            self.dir = options.get("state_dir", self.daemon.dir)

    def show(self, key, certificate, *chain):
        """From now on the server presents this."""
        self.n += 1
        chain_file = self.t.write(f"shown-{self.n}.pem", b"".join(pem(c) for c in (certificate, *chain)))
        self.server.context.load_cert_chain(chain_file, self.t.write(f"shown-{self.n}.key", key_pem(key)))
        self.server.stop()
        self.server.start()

    def renew(self, logs=None, issuer=None):
        issuer = issuer or self.site.intermediate
        key, certificate = issuer.issue(["127.0.0.1"], ["dns.test"], self.site.logs if logs is None else logs)
        self.show(key, certificate, *([self.site.intermediate.cert] if issuer is self.site.intermediate else []))
        return certificate

    def ask(self, want="NOERROR"):
        self.asked = getattr(self, "asked", 0) + 1
        reply = self.daemon.ask(f"n{self.asked}.example", timeout=10)
        equal(client.rcode(reply), want, "rcode")

    def settle(self, n):
        """The records, when there are n of them."""
        until(lambda: len(self.records()) >= n, 10, f"{n} records; there are {self.records()}; log {self.daemon.log()[-600:]}")
        records = self.records()
        equal(len(records), n, f"records {[(r['event'], r.get('new')) for r in records]}")
        return records

    def records(self, name="journal.jsonl"):
        try:
            with open(os.path.join(self.dir, name), encoding="utf-8") as f:
                return [json.loads(line) for line in f if line.endswith("\n")]
        except FileNotFoundError:
            return []

    def events(self, name):
        return [line for line in self.daemon.log().splitlines() if f" {name} " in line]


@case("the first acceptance is recorded and logged at the default level, once, also over restarts", builds=("gcc", "san"))
def first(t):
    w = World(t)
    w.ask()
    record = w.settle(1)[0]
    equal((record["event"], record["upstream"], record["new"]), ("first-acceptance", "one", ["leaf", "key", "issuer", "scts"]), "record")
    equal((record["address"], record["serial"]), (f"127.0.0.1:{w.server.port}", f"{w.site.cert.serial_number:x}".zfill(len(record["serial"]))), "whose")
    equal((sorted(record["logs"]), len(record["log_ids"]), len(record["chain"])), (["Alpha 1", "Beta 1", "Gamma tiled"], 3, 2), "logs and chain")
    equal(len(w.events("first-acceptance")), 1, f"events {w.daemon.log()}")
    for _ in range(3):
        w.server.stop()
        w.server.start()
        w.ask()
    again(w.daemon)
    w.ask()
    w.settle(1)
    equal(len(w.events("first-acceptance")), 0, "events after a restart")


@case("a renewed certificate is a change, and logged at the default level")
def renewal(t):
    w = World(t)
    w.ask()
    w.renew()
    w.ask()
    record = w.settle(2)[1]
    equal((record["event"], record["new"]), ("change", ["leaf", "key"]), "record")
    equal([("new=leaf,key" in line) for line in w.events("certificate-changed")], [True], "events")
    equal((len(w.events("issuer-changed")), stat(w.daemon, "upstream_issuer_changes")), (0, 0), "the issuer is the same")


@case("another issuer is a warning and a metric, and the one before it is known already", builds=("gcc", "san"))
def issuer(t):
    w = World(t, with_ct=False)
    w.ask()
    w.renew(logs=(), issuer=w.other)
    w.ask()
    record = w.settle(2)[1]
    equal((record["event"], record["new"]), ("change", ["leaf", "key", "issuer"]), "record")
    check("Other root" in record["issuer"] and "Other root" in record["anchor"], f"whose {record}")
    line = w.events("issuer-changed")
    check(len(line) == 1 and line[0].startswith("warn ") and "Other root" in line[0], f"event {line}")
    equal(stat(w.daemon, "upstream_issuer_changes"), 1, "metric")
    w.show(w.site.key, w.site.cert, w.site.intermediate.cert)
    w.ask()
    w.renew(logs=(), issuer=w.other)
    w.ask()
    records = w.settle(3)
    equal(records[2]["new"], ["leaf", "key"], "both issuers are known by now")
    equal(stat(w.daemon, "upstream_issuer_changes"), 1, "metric")


@case("other logs are a new set of SCTs")
def other_logs(t):
    w = World(t, extra='ct { policy = "chrome" }\n')
    w.ask()
    w.renew(logs=w.site.logs[:2])
    w.ask()
    record = w.settle(2)[1]
    equal((record["new"], sorted(record["logs"])), (["leaf", "key", "scts"], ["Alpha 1", "Beta 1"]), "record")


def evidence(w):
    folder = os.path.join(w.dir, "evidence")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


@case("a refusal is recorded once an hour, with its evidence, and the acceptance after it", builds=("gcc", "san"))
def refusal(t):
    w = World(t)
    w.ask()
    w.renew(logs=w.site.logs[:1])
    w.ask("SERVFAIL")
    until(lambda: len(evidence(w)) == 2, 10, f"evidence {evidence(w)}")
    again(w.daemon)
    w.ask("SERVFAIL")
    record = w.settle(2)[1]
    equal((record["event"], record["reason"], record["count"]), ("refused", "ct-too-few-scts", 1), "record")
    equal(evidence(w), [record["evidence"] + ".json", record["evidence"] + ".pem"], "files")
    w.renew()
    again(w.daemon)
    w.ask()
    equal([r["event"] for r in w.settle(3)], ["first-acceptance", "refused", "change"], "records")
    w.renew(logs=w.site.logs[:1])
    w.ask("SERVFAIL")
    w.settle(4)
    w.show(w.site.key, w.site.cert, w.site.intermediate.cert)
    again(w.daemon)
    w.ask()
    equal(w.settle(5)[4]["event"], "accepted", "back to one that is known")


@case("ctstub verify takes the evidence, and reaches the verdict beside it")
def evidence_verifies(t):
    w = World(t)
    w.renew(logs=())
    w.ask("SERVFAIL")
    name = w.settle(1)[0]["evidence"]
    folder = os.path.join(w.dir, "evidence")
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as f:
        kept = json.load(f)
    equal(kept["reasons"], ["ct-no-scts"], "verdict")
    code, out, err = t.run("ctstub", "verify", "-c", w.daemon.config, "--upstream", "one", "--at", kept["at"], "--json",
                           os.path.join(folder, name + ".pem"))
    equal((code, json.loads(out)), (1, kept), f"verify {err}")

"""What ctstub-watch found, as other programs show it; known certificates; disallow feeds."""
import base64
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess

from cryptography.hazmat.primitives import serialization

from functional._common import servfail, stub
from harness import client
from harness.case import Skip, case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.patience import patient
from harness.pki import Authority, Site, spki
from harness.toylogs import ToyLogs, leaf_hash, root_from_path
from harness.upstream import DotServer
from harness.web import HttpProxy, Web

FINDING = {"event": "finding", "id": "00", "kind": "rogue", "because": "nobody expects it", "log": {"name": "Toy\u001b[31m log", "id": "AA=="},
           "index": 7, "logged": "2026-11-28T08:00:00.000Z", "matched": [{"item": "1.1.1.1", "upstream": "cloudflare"}],
           "issuer": "CN=Fina RDC 2020", "serial": "4af6"}
STATUS = {"at": "2026-11-28T08:00:00Z", "items": 4, "entries": 10, "entries_per_second": 2.5,
          "logs": [{"log": "Toy", "lag_entries": 0, "trouble": None}, {"log": "Slow", "lag_entries": 120, "trouble": "it is away"}],
          "left_out": [], "findings": {"expected": 3, "rogue": 1, "unreadable": 0, "log-misbehaved": 2}, "not_blocked": 5, "unrecorded": 6,
          "latest": [FINDING]}


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
                 "not blocked    5 rogue", "not recorded   6 findings", "1.1.1.1, issuer CN=Fina RDC 2020, serial 4af6"):
        check(line in out, f"{line!r} is missing in {out}")
    check("\u001b" not in out, "an escape of the file reached the terminal")
    for broken in ("", "[]", "{", "[" * 100000):
        put(broken)
        code, out, err = d.tool("status", "--json")
        equal((code, json.loads(out)["watch"]), (0, None), f"with a broken file: {err}")


# ---- from the log to the refusal

def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


class Day:
    """A resolver that the daemon uses, toy logs, and the watcher with the daemon's own configuration."""

    def __init__(self, t, watch, upstream_more="", known=""):
        self.t, self.logs, self.site = t, ToyLogs(t, "--quiet"), Site(t)
        with open(self.site.anchors, "rb") as ours, open(self.logs.anchors, "rb") as theirs:
            anchors = t.write("both.pem", ours.read() + theirs.read())
        self.server = DotServer(t, self.site)
        self.known = t.write("known.txt", known)
        one = upstream("one", self.server)
        one = one[:one.rindex("}")] + upstream_more + " }\n"
        self.d = Daemon(t, one, anchors=anchors,
                        extra=f'ct {{ mode = "off" log-list = "{self.logs.list}" }}\nwatch {{ poll = "1s" {watch.replace("@K", self.known)} }}\n')
        self.folder = os.path.join(self.d.dir, "watch")

    def run(self, *options):
        return self.t.run("ctstub-watch", "-c", self.d.config, *options, timeout=60)

    def start(self):
        self.watcher = self.t.spawn("watcher", [self.t.program("ctstub-watch"), "-c", self.d.config, "-v", "--from", "0"])
        self.watcher.wait_log("watching", 20)

    def issue(self, log="alpha-1", pre=False, authority=None):
        """A certificate for the resolver's address that somebody else had issued, in a log."""
        authority = authority or self.site.intermediate
        key, certificate = authority.issue(["127.0.0.1"])
        self.logs.submit(log, [der(certificate), der(authority.cert)], pre)
        return key, certificate

    def events(self, kind="finding"):
        path = os.path.join(self.folder, "findings.jsonl")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as f:
            return [e for e in map(json.loads, f) if e["event"] == kind]

    def file(self, name):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8") as f:
            return f.read()


@rows([(f"what a resolver shows appears in {what}, and its open connection is refused", log)
       for what, log in (("an RFC 6962 log", "alpha-1"), ("a static-ct log", "delta-1"))])
def from_log_to_refusal(t, log):
    day = Day(t, 'block = "enforce" known-file = {"@K"}')
    equal(client.rcode(day.d.ask("before.example.com")), "NOERROR", "rcode before")
    day.start()
    day.logs.submit(log, [der(day.site.cert), der(day.site.intermediate.cert)], False)
    until(lambda: "disallowed" in json.dumps(day.d.ctl("upstreams")), 20, lambda: "the open connection is refused; " + day.watcher.log()[-500:])
    servfail(day.d.ask("after.example.com"), "one", "disallowed")
    serial = f"{day.site.cert.serial_number:x}"
    [found] = day.events()
    equal((found["kind"], int(found["serial"], 16), found["log"]["name"], found["matched"][0]["item"]),
          ("rogue", day.site.cert.serial_number, log, "127.0.0.1"), "the finding")
    check(f"serial {serial}" in day.file("disallow.txt").replace("serial 0", "serial "), day.file("disallow.txt"))
    evidence = os.path.join(day.folder, "evidence", found["id"])
    until(lambda: os.path.exists(os.path.join(evidence, "proof.json")), 10, "the proof is kept")
    with open(os.path.join(evidence, "proof.json"), encoding="utf-8") as f:
        proof = json.load(f)
    with open(os.path.join(evidence, "leaf.bin"), "rb") as f:
        leaf = leaf_hash(f.read())
    head = proof["tree_head"]
    equal(root_from_path(leaf, proof["leaf_index"], head["tree_size"], [base64.b64decode(h) for h in proof["audit_path"]]),
          base64.b64decode(head["sha256_root_hash"]), "the root by the proof that was kept")
    for text in ("1 rogue", f"rogue          127.0.0.1, issuer CN=Intermediate of site,O=Test,C=XX, serial {found['serial']}, log {log} index 0\n"):
        until(lambda text=text: text in day.d.tool("status")[1], 10, lambda text=text: f"{text} in status: {day.d.tool('status')}")
    until(lambda: 'ctstub_watch_findings_total{kind="rogue"} 1' in day.file("metrics.prom"), 10, lambda: day.file("metrics.prom"))


@rows([
    ("an allowed issuer", 'allow-issuer = {"spki-sha256 @I"}', "", "expected"),
    ("an allowed root", 'allow-issuer = {"spki-sha256 @R"}', "", "expected"),
    ("a root that is allowed by its name", 'allow-issuer = {"issuer @N"}', "", "expected"),
    ("another allowed issuer", 'allow-issuer = {"spki-sha256 @O"}', "", "rogue"),
    ("nothing that is known", "", "", "rogue"),
], builds=("gcc",))
def judged(t, more, known, kind):
    def fill(text, day_site):
        keys = {"@I": day_site.intermediate.key, "@R": day_site.root.key, "@O": day_site.key}
        for mark, key in keys.items():
            text = text.replace(mark, hashlib.sha256(spki(key)).hexdigest())
        return text.replace("@N", day_site.root.name.rfc4514_string())
    day = Day(t, 'known-file = {"@K"}', known=known)
    one = upstream("one", day.server)
    day.d.write(one[:one.rindex("}")] + fill(more, day.site) + " }\n",
                f'ct {{ mode = "off" log-list = "{day.logs.list}" }}\nwatch {{ poll = "1s" known-file = {{"{day.known}"}} }}\n')
    for log, pre in (("alpha-1", False), ("delta-1", False)):
        _, certificate = day.issue(log, pre)
        code, out, err = day.run("--once", "--from", "0")
        found = [e for e in day.events() if int(e["serial"], 16) == certificate.serial_number]
        equal((code, [e["kind"] for e in found]), (0 if kind == "expected" else 1, [kind]), f"{log}: {out}{err[-600:]}")
        equal(day.run("--once")[0], 0, f"{log}: exit code when nothing is new")


@case("-t reports every error of the watch section, with its place")
def tested(t):
    watched = t.write("watched.txt", "1.1.1.1\nnot/a/prefix\n")
    config = t.write("bad.conf", 'upstream "one" { address = {"192.0.2.1"} }\nwatch { block = "enforce" }\n')
    code, _, err = t.run("ctstub-watch", "-t", "-c", config)
    check(code == 2 and f'{config}:2: block is "enforce" and upstream "one" has no allow-issuer' in err, f"{code} {err}")
    code, _, err = t.run("ctstubd", "-t", "-c", config)
    check(code == 2 and f"{config}:2: block" in err, f"the daemon: {code} {err}")
    config = t.write("worse.conf", "no-such = 1\nneither = 2\n")
    for words in (["known", "add", "/dev/null"], ["pull", "--key", "/none", "https://127.0.0.1:1/"]):
        code, out, err = t.run("ctstub-watch", *words, "-c", config)
        check(code == 2 and all(f"ctstub-watch {words[0]}: {config}:{n}: unknown option" in err for n in (1, 2)) and not out, f"{words}: {code} {out}{err}")
    config = t.write("bad.conf", f'upstream "one" {{ address = {{"192.0.2.1"}} }}\nwatch {{ watch-file = {{"{watched}"}} }}\n')
    code, _, err = t.run("ctstub-watch", "-t", "-c", config)
    check(code == 2 and f"{config}:2: option \"watch-file\": {watched}:2: " in err, f"{code} {err}")
    config = t.write("bad.conf", 'upstream "one" { address = {"192.0.2.1"} }\nstate-dir = ""\n')
    for words in (["-t"], ["--once"], ["pull", "--key", "/none", "https://127.0.0.1:1/"]):
        code, out, err = t.run("ctstub-watch", *words, "-c", config)
        check(code == 2 and 'option "state-dir" is empty, a folder was expected' in err and not out, f"without a folder, {words}: {code} {out}{err}")
    equal(t.run("ctstubd", "-t", "-c", config)[0], 0, "the daemon can do without the folder")
    config = t.write("good.conf", f'upstream "one" {{ address = {{"192.0.2.1"}} }}\nwatch {{ watch-file = {{"{t.write("w.txt", "::1/128")}"}} }}\n')
    equal(t.run("ctstub-watch", "-t", "-c", config)[0], 0, "a good one")


FAULTS = [
    ("an invalid item", "watch-file", "1.1.1.1\nnot/a/prefix\n\n300.1.1.1\n192.0.2.1/24 # ours\n", {2: '"not/a/prefix": an address, a prefix with host bits zero', 4: '"300.1.1.1": an address',
                                                                                          5: '"192.0.2.1/24 # ours": an address'}),
    ("an invalid name", "watch-file", ".example.com # ours\nb\u00fc*.test\n", {2: "an address, a prefix"}),
    ("a malformed entry", "known-file", "issuer CN=x\nspki-sha256 00\n", {2: "is not a SHA-256"}),
    ("an entry by serial", "known-file", "serial 01 issuer CN=x\n", {1: "any CA can choose a serial"}),
]


@rows([(f"{what} in a {option}: ctstubd -t warns of what ctstub-watch -t refuses, in the same words", option, text, faults) for what, option, text, faults in FAULTS],
      builds=("gcc", "san"))
def tested_by_the_daemon(t, option, text, faults):
    file = t.write("file", text)
    config = t.write("c.conf", f'user = ""\ntrust {{ anchors = "{Site(t).anchors}" }}\nupstream "one" {{ address = {{"192.0.2.1"}} }}\nwatch {{ {option} = {{"{file}"}} }}\n')
    code, _, err = t.run("ctstub-watch", "-t", "-c", config)
    said = [line.removeprefix("ctstub-watch: ") for line in err.splitlines()]
    equal((code, len(said)), (2, len(faults)), f"ctstub-watch -t: {err}")
    for line, (number, words) in zip(said, faults.items()):
        check(line.startswith(f'{config}:4: option "{option}": {file}:{number}: ') and words in line, line)
    code, out, err = t.run("ctstubd", "-t", "-c", config)
    warned = [line.removeprefix("warning: ") for line in out.splitlines() if option in line]
    equal((code, warned), (0, said), f"ctstubd -t: {out}{err}")
    t.write("file", "# nothing\n")
    check(option not in t.run("ctstubd", "-t", "-c", config)[1], "a good file")


@rows([(f"{' '.join(words)} with - twice is an error of usage, and signs no empty feed", words) for words in (
    ["sign", "--key", "-", "--output", "feed.txt", "-"], ["sign", "--key", "org.key", "--output", "feed.txt", "-", "-"],
    ["pull", "--key", "-", "--ca", "-", "https://127.0.0.1:1/"])], builds=("gcc",))
def dash_once(t, words):
    equal(t.run("ctstub-watch", "sign", "--new-key", "org")[0], 0, "a new key")
    with open(t.path("org.key"), "rb") as f:
        code, out, err = t.run("ctstub-watch", *words, stdin=f.read())
    equal((code, out, err), (2, "", f'ctstub-watch {words[0]}: standard input is one file, "-" was expected once\n'), "exit code and complaint")
    check(not os.path.exists(t.path("feed.txt")), "a feed")


# ---- what is expected

@case("known add takes a certificate from a file, and what an upstream shows")
def known(t):
    day = Day(t, 'known-file = {"@K"}')
    fingerprint = hashlib.sha256(der(day.site.cert)).hexdigest()
    issuer = hashlib.sha256(spki(day.site.intermediate.key)).hexdigest()
    code, out, err = day.t.run("ctstub-watch", "known", "add", "-c", day.d.config, "--print", day.site.chain)
    check(code == 0 and f"cert-sha256 {fingerprint}" in out and issuer not in out, f"{code} {out}{err}")
    code, out, err = day.t.run("ctstub-watch", "known", "add", "-c", day.d.config, "--print", "--issuer", day.site.chain)
    check(code == 0 and f"spki-sha256 {issuer}" in out, f"{code} {out}{err}")
    code, out, err = day.t.run("ctstub-watch", "known", "add", "-c", day.d.config, "--live", "one")
    equal(code, 0, f"live: {out}{err}")
    with open(day.known, encoding="utf-8") as f:
        text = f.read()
    check(f"cert-sha256 {fingerprint}" in text, "the known-file")
    code, out, err = day.t.run("ctstub-watch", "known", "add", "-c", day.d.config, day.site.chain)
    check(code == 0 and "already" in out, f"the same from a file: {out}{err}")
    with open(day.known, encoding="utf-8") as f:
        equal(f.read(), text, "the known-file, to which the same was added again")
    code, out, err = day.t.run("ctstub-watch", "known", "add", "-c", day.d.config, "--issuer", day.site.chain)
    check(code == 0 and "added" in out, f"with the issuer: {out}{err}")
    with open(day.known, encoding="utf-8") as f:
        check(f"spki-sha256 {issuer}" in f.read(), "the known-file, with the issuer")
    day.logs.submit("alpha-1", [der(day.site.cert), der(day.site.intermediate.cert)], False)
    code, _, err = day.run("--once", "--from", "0")
    equal((code, [e["kind"] for e in day.events()]), (0, ["expected"]), err[-500:])
    for what, words in (("no such upstream", ("--live", "two")), ("no certificate", ("--print", day.d.config)), ("nothing", ()),
                        ("an unknown option", ("--nope", day.site.chain))):
        equal(t.run("ctstub-watch", "known", "add", "-c", day.d.config, *words)[0], 2, what)
    day.d.write(upstream("one", day.server).replace("address", 'disallow = {"issuer ' + day.site.intermediate.name.rfc4514_string() + '"} address', 1))
    equal(t.run("ctstub-watch", "known", "add", "-c", day.d.config, "--print", "--live", "one")[0], 1, "an upstream that is refused")


# ---- a feed for many machines

class Feed:
    def __init__(self, t, **top):
        self.t = t
        self.d, self.server = stub(t, **top)
        self.web = Web(t, self.d.site)
        self.key = t.path("org")
        self.entries = t.write("entries.txt", "# ours\nserial 01 issuer CN=x\n")
        equal(t.run("ctstub-watch", "sign", "--new-key", self.key)[0], 0, "a new key")

    def sign(self, *more, key=None):
        code, out, err = self.t.run("ctstub-watch", "sign", "--key", (key or self.key) + ".key", "--output", self.web.path("feed.txt"), *more, self.entries)
        equal(code, 0, f"sign: {out}{err}")

    def pull(self, *more, env=None):
        return self.t.run("ctstub-watch", "pull", "-c", self.d.config, "--key", self.key + ".pub", "--ca", self.d.site.anchors, *more, self.web.url, env=env)

    def reload_wanted(self):
        return os.path.exists(os.path.join(self.d.dir, "watch", "reload-wanted"))

    def installed(self):
        path = os.path.join(self.d.dir, "watch", "feed.txt")
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as f:
            return f.read()


@case("a feed is signed, pulled and in force at once, on an open connection")
def feed_in_force(t):
    feed = Feed(t)
    equal(client.rcode(feed.d.ask("before.example.com")), "NOERROR", "rcode before")
    serial = f"{feed.d.site.cert.serial_number:x}"
    feed.entries = t.write("entries.txt", f"serial {serial} issuer {feed.d.site.intermediate.name.rfc4514_string()}\n")
    feed.sign()
    code, out, err = feed.pull()
    check(code == 0 and "edition 1 taken: 1 entry" in out and "in force" in out, f"{code} {out}{err}")
    servfail(feed.d.ask("after.example.com"), "one", "disallowed")
    equal(feed.reload_wanted(), False, "a reload is wanted although the daemon reloaded")
    code, out, err = feed.pull()
    check(code == 0 and "here already" in out, f"{code} {out}{err}")


@case("a feed is pulled through the proxy that https_proxy names")
def feed_through_a_proxy(t):
    feed, proxy = Feed(t), HttpProxy(t)
    feed.sign()
    code, out, err = feed.pull(env=t.env(https_proxy=proxy.url))
    check(code == 0 and "edition 1 taken" in out, f"{code} {out}{err}")
    check(proxy.asked, "nothing went through the proxy")


@case("a reload is refused when the daemon may not read the watcher's folder, and the entries stay in force")
def feed_unreadable(t):
    feed = Feed(t, user="nobody")
    serial = f"{feed.d.site.cert.serial_number:x}"
    feed.entries = t.write("entries.txt", f"serial {serial} issuer {feed.d.site.intermediate.name.rfc4514_string()}\n")
    feed.sign()
    equal(feed.pull()[0], 0, "the first pull")
    folder = os.path.join(feed.d.dir, "watch")
    os.chown(folder, 0, 0)
    os.chmod(folder, 0o700)
    code, out, err = t.run("ctstub", "reload", "--socket", feed.d.control)
    servfail(feed.d.ask("after.example.com"), "one", "disallowed")
    check(code != 0 and "watch" in out + err, f"{code} {out}{err}")
    feed.sign()
    code, out, err = feed.pull()
    check(code == 0 and "did not reload" in out, f"{code} {out}{err}")
    os.chmod(folder, 0o755)
    equal(t.run("ctstub", "reload", "--socket", feed.d.control)[0], 0, "a reload once it can be read")


@case("when the daemon does not reload, a file says that it should, for the path unit")
def feed_reload_wanted(t):
    feed = Feed(t)
    feed.d.process.stop()
    feed.sign()
    code, out, err = feed.pull()
    check(code == 0 and "did not reload" in out, f"{code} {out}{err}")
    equal(feed.reload_wanted(), True, "a reload is wanted")


def change(path, function):
    with open(path, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(function(data))


FEED_FAULTS = [
    ("an entry that was changed", 1, "not of this file", lambda f: change(f.web.path("feed.txt"), lambda d: d.replace(b"serial 01", b"serial 02"))),
    ("a line that was added", 1, "not of this file", lambda f: change(f.web.path("feed.txt"), lambda d: d + b"serial 03 issuer CN=x\n")),
    ("a sequence that was changed", 1, "not of this file", lambda f: change(f.web.path("feed.txt"), lambda d: d.replace(b"sequence 2", b"sequence 9"))),
    ("a signature by another key", 1, "another key", lambda f: (f.t.run("ctstub-watch", "sign", "--new-key", f.key + "2"), f.sign("--sequence", "3", key=f.key + "2"))),
    ("a trusted comment that was changed", 1, "trusted comment", lambda f: change(f.web.path("feed.txt.minisig"), lambda d: d.replace(b"sequence:2", b"sequence:9"))),
    ("no signature", 3, "404", lambda f: os.unlink(f.web.path("feed.txt.minisig"))),
    ("no feed", 3, "404", lambda f: os.unlink(f.web.path("feed.txt"))),
    ("a signature that is a gigabyte", 3, "", lambda f: change(f.web.path("feed.txt.minisig"), lambda d: d * 100000)),
    ("a feed of nine megabytes", 3, "too large", lambda f: change(f.web.path("feed.txt"), lambda d: d + b"#" * (9 << 20))),
    ("a redirect", 3, "301", lambda f: (os.unlink(f.web.path("feed.txt")), os.mkdir(f.web.path("feed.txt")))),
    ("an edition before the one at hand", 1, "older than", lambda f: f.sign("--sequence", "1")),
    ("another edition of the same number", 1, "other content", lambda f: (setattr(f, "entries", f.t.write("e2.txt", "serial 09 issuer CN=x\n")),
                                                                        f.pull(), f.sign("--sequence", "2"))),
]


@rows([(f"{what} is refused, and the installed feed stays", code, word, fault) for what, code, word, fault in FEED_FAULTS], builds=("gcc", "san"))
def feed_refused(t, code, word, fault):
    feed = Feed(t)
    feed.sign("--sequence", "2")
    if word in ("older than", "other content"):
        equal(feed.pull()[0], 0, "the first pull")
    before = feed.installed()
    fault(feed)
    got, out, err = feed.pull()
    check(got == code and word in err, f"{got} {out}{err}")
    equal(feed.installed(), before, "the feed at hand")
    if word == "older than":
        equal(feed.pull("--force")[0], 0, "with --force")


@rows([("a server whose certificate is refused", "--ca", "other", 1, "the server's certificate is refused: untrusted"),
       ("anchors that cannot be read", "--ca", "none", 2, "--ca: cannot read "), ("a key that cannot be read", "--key", "none", 2, "--key: cannot read ")], builds=("gcc",))
def feed_not_fetched(t, option, file, want, says):
    feed = Feed(t)
    feed.sign("--sequence", "2")
    if file == "other":
        t.write("other", Authority("other").cert.public_bytes(serialization.Encoding.PEM).decode())
    code, out, err = feed.pull(option, t.path(file))
    check((code, out) == (want, "") and err.startswith("ctstub-watch pull: ") and says in err, f"{code} {out}{err}")


@rows([("a feed by a new key is accepted once, whatever number a feed by the stolen key has", True, 0, "edition 3 taken", 1, "older than"),
       ("where the signer of the installed feed is not known its number counts", False, 1, "older than", 1, "older than")], builds=("gcc",))
def feed_new_key(t, known, code, word, code_after, word_after):
    feed = Feed(t)
    feed.sign("--sequence", str(1 << 53))
    equal(feed.pull()[0], 0, "the pull of what a thief signed")
    signer = os.path.join(feed.d.dir, "watch", "feed.key")
    if not known:
        os.unlink(signer)
    feed.key = t.path("new")
    equal(t.run("ctstub-watch", "sign", "--new-key", feed.key)[0], 0, "a new key")
    feed.sign("--sequence", "3")
    got, out, err = feed.pull()
    check(got == code and word in out + err, f"{got} {out}{err}")
    feed.entries = t.write("entries.txt", "serial 03 issuer CN=x\n")
    feed.sign("--sequence", "2")
    got, out, err = feed.pull()
    check(got == code_after and word_after in err, f"an earlier one by the new key: {got} {out}{err}")


@case("the signer of a feed is stored with the next pull after a crash came before that")
def feed_key_lost(t):
    feed = Feed(t)
    feed.sign()
    equal(feed.pull()[0], 0, "the first pull")
    signer = os.path.join(feed.d.dir, "watch", "feed.key")
    with open(signer, encoding="utf-8") as f:
        before = f.read()
    check(re.fullmatch("[0-9a-f]{64}\n", before), before)
    for rest in (None, "", "0" * 64 + "\n"):
        os.unlink(signer)
        if rest is not None:
            t.write(os.path.relpath(signer, t.path("")), rest)
        code, out, err = feed.pull()
        check(code == 0 and "here already" in out, f"{code} {out}{err}")
        with open(signer, encoding="utf-8") as f:
            equal(f.read(), before, "the signer")


@case("a feed that was signed too long ago is refused: a newer one may be held back")
def feed_old(t):
    feed = Feed(t)
    feed.sign()
    code, out, err = feed.pull("--max-age", "1ms")
    check(code == 1 and "held back" in err, f"{code} {out}{err}")
    equal(feed.pull("--max-age", "1ms", "--force")[0], 0, "with --force")


@case("the installed edition is refused when no newer one has come for too long")
def feed_frozen(t):
    feed = Feed(t)
    feed.sign()
    equal(feed.pull()[0], 0, "the first pull")
    code, out, err = feed.pull("--max-age", "1ms")
    check(code == 1 and "held back" in err, f"{code} {out}{err}")


@rows([
    ("bad lines are shown with the file that has them", ("serial 01 issuer CN=x\nserial\n", "issuer CN=x\n\nbad\nworse\n"), ("one:2:", "two:3:", "two:4:")),
    ("the lines of an edition that is signed again are counted with its header", ("# ctstub-feed 1\n# sequence 3\n# date 2026-11-28T08:00:00Z\nbad\n", ""), ("one:4:",)),
    ("a byte order mark before any of the files is no fault", ("\ufeffserial 01 issuer CN=x\n", "\ufeffserial 02 issuer CN=x"), ()),
], builds=("gcc",))
def signed_lines(t, texts, places):
    files = [t.write(name, text) for name, text in zip(("one", "two"), texts)]
    equal(t.run("ctstub-watch", "sign", "--new-key", t.path("org"))[0], 0, "a new key")
    code, out, err = t.run("ctstub-watch", "sign", "--key", t.path("org.key"), "--output", t.path("feed.txt"), *files)
    wanted = [f"ctstub-watch sign: {t.path(place)}" for place in places]
    equal((code, [line[:len(want)] for line, want in zip(err.splitlines(), wanted, strict=True)]), (2 if places else 0, wanted), f"{out}{err}")
    equal(os.path.exists(t.path("feed.txt")), not places, "a feed")


@rows([
    ("a link in place of the installed feed is not followed", "feed.txt"),
    ("a link in place of the watcher's folder is not followed", ""),
], builds=("gcc",))
def feed_link(t, name):
    feed = Feed(t)
    feed.sign()
    elsewhere, folder = t.path("elsewhere"), os.path.join(feed.d.dir, "watch")
    os.makedirs(elsewhere)
    outside = t.write("elsewhere/feed.txt", "keep\n")
    if name:
        os.makedirs(folder, exist_ok=True)
        os.symlink(outside, os.path.join(folder, name))
    else:
        check(not os.path.exists(folder), "the daemon makes no such folder")
        os.symlink(elsewhere, folder)
    code, out, err = feed.pull()
    equal(code, 3, f"{out}{err}")
    with open(outside, encoding="utf-8") as f:
        equal((f.read(), os.listdir(elsewhere)), ("keep\n", ["feed.txt"]), "the file elsewhere")


@case("minisign itself accepts what we sign, and we accept what it signs")
def interop(t):
    if not shutil.which("minisign"):
        raise Skip("minisign is not on this machine")
    feed = Feed(t)
    feed.sign()
    done = subprocess.run(["minisign", "-V", "-p", feed.key + ".pub", "-m", feed.web.path("feed.txt")], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    equal(done.returncode, 0, f"minisign -V: {done.stdout.decode()}")
    subprocess.run(["minisign", "-G", "-W", "-f", "-p", feed.key + ".pub", "-s", t.path("mini.key")], stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["minisign", "-S", "-l", "-s", t.path("mini.key"), "-m", feed.web.path("feed.txt")], stdout=subprocess.DEVNULL, check=True)
    equal(feed.pull()[0], 0, "pull of what minisign signed")


# ---- what the watcher logs when something stands in its way

def folder_in_place_of(name):
    return lambda day: os.makedirs(os.path.join(day.folder, name))


def file_in_place_of(name):
    def put(day):
        os.makedirs(os.path.dirname(os.path.join(day.folder, name)), exist_ok=True)
        with open(os.path.join(day.folder, name), "w", encoding="utf-8"):
            pass
    return put


def link_in_place_of_folder(day):
    os.symlink(os.path.join(day.d.dir, "nowhere"), day.folder)


def folder_in_place_of_state(day):
    os.makedirs(os.path.join(day.folder, hashlib.sha256(day.logs.keys["alpha-1"]).hexdigest()))


def stop_daemon(day):
    day.d.process.stop()


def journal_is_folder(day):
    day.d.process.stop()
    path = os.path.join(day.d.dir, "journal")
    shutil.rmtree(path, ignore_errors=True)
    for name in os.listdir(day.d.dir):
        if name.startswith("journal"):
            os.unlink(os.path.join(day.d.dir, name))
    os.makedirs(os.path.join(day.d.dir, "journal.jsonl"))


def without_url(day, names):
    with open(day.logs.list, encoding="utf-8") as f:
        text = json.load(f)
    for operator in text["operators"]:
        for log in operator.get("logs", []):
            if log["description"] in names:
                log.pop("url", None)
    with open(day.logs.list, "w", encoding="utf-8") as f:
        json.dump(text, f)


@rows([
    ("a program that fails", "exec-failed", 'exec = "/bin/false"', None),
    ("a certificate to be blocked by hand", "proposed", 'block = "propose"', None),
    ("a folder where the proposals belong", "not-blocked", 'block = "propose"', folder_in_place_of("proposed.txt")),
    ("a file where the evidence belongs", "evidence-not-written", "", file_in_place_of("evidence")),
    ("a daemon that is not there to reload", "reload-failed", 'block = "enforce"', stop_daemon),
    ("a folder where the status belongs", "status-not-written", "", folder_in_place_of("status.json")),
    ("a folder where the findings belong", "no-findings", "", folder_in_place_of("findings.jsonl")),
    ("a folder where the journal belongs", "journal-not-read", 'block = "enforce"', journal_is_folder),
    ("a link where the watcher's folder belongs", "no-state-folder", "", link_in_place_of_folder),
    ("a folder where the state of a log belongs", "no-reader", "", folder_in_place_of_state),
    ("a log without a URL", "log-not-watched", "", lambda day: without_url(day, ["beta-1"])),
    ("many logs without a URL", "logs-not-watched", "", lambda day: without_url(day, set(day.logs.keys) - {"alpha-1"})),
], builds=("gcc", "san"))
def in_the_way(t, event, watch, prepare):
    day = Day(t, watch + ' known-file = {"@K"}')
    day.issue()
    equal(client.rcode(day.d.ask("before.example.com")), "NOERROR", "rcode")
    if prepare:
        prepare(day)
    _, _, err = day.run("-v", "-v", "--once", "--from", "0")
    lines = len(re.findall(rf"^\w+ {event} ", err, re.M))
    check(lines == 1 or lines > 1 and event == "status-not-written", f"{lines} lines of {event} in {err[-900:]}")


@case("a disk that takes no evidence costs one line with the folder and the reason, not one a finding, and one when it takes it again")
def evidence_in_the_way(t):
    day = Day(t, 'known-file = {"@K"}')
    equal(client.rcode(day.d.ask("before.example.com")), "NOERROR", "rcode")
    file_in_place_of("evidence")(day)
    for _ in range(3):
        day.issue()
    day.start()
    until(lambda: len(day.events()) == 3 and "evidence-not-written" in day.watcher.log(), 20, lambda: day.watcher.log()[-900:])
    until(lambda: len(re.findall("^error rogue ", day.watcher.log(), re.M)) == 3, 10, "three findings")
    os.unlink(os.path.join(day.folder, "evidence"))
    day.issue()
    until(lambda: "evidence-written-again" in day.watcher.log(), 20, lambda: day.watcher.log()[-900:])
    lines = re.findall(r"^\w+ (evidence-.*)$", day.watcher.log(), re.M)
    missing = int(lines[-1].partition("missing=")[2])
    equal(lines, [f'evidence-not-written log=alpha-1 error="Not a directory" path={day.folder}/evidence', f"evidence-written-again missing={missing}"],
          "lines")
    # the last of the three may have been written, if the log answered late
    until(lambda: missing + len(os.listdir(os.path.join(day.folder, "evidence"))) == 4, 20, "each finding has its evidence or counts as missing")


@case("a proposal that cannot be written is left to the next run, and the exit code says so")
def proposal_left(t):
    day = Day(t, 'block = "propose" known-file = {"@K"}')
    _, certificate = day.issue()
    folder_in_place_of("proposed.txt")(day)
    for code_wanted in (1, 3, 3):  # the finding is new only once
        code, _, err = day.run("--once", "--from", "0")
        equal((code, len(re.findall("^error not-blocked ", err, re.M))), (code_wanted, 1), err[-900:])
    os.rmdir(os.path.join(day.folder, "proposed.txt"))
    code, _, err = day.run("--once")
    equal((code, "not-blocked" in err), (0, False), err[-900:])
    check(f"serial {certificate.serial_number:x}" in day.file("proposed.txt").replace("serial 0", "serial "), day.file("proposed.txt"))


@case("--once gives up an entry whose finding cannot be recorded, and the next run has it")
def unrecorded(t):
    day = Day(t, 'known-file = {"@K"}')
    day.issue()
    done = subprocess.run([t.program("ctstub-watch"), "-c", day.d.config, "--once", "--from", "0"], env=t.env(), capture_output=True, text=True,
                          timeout=patient(60), check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY)))
    equal((done.returncode, day.events()), (3, []), done.stderr[-900:])
    check(1 < len(re.findall(rf'^error finding-not-recorded .* error="File too large" path={day.folder}/findings\.jsonl$', done.stderr, re.M)) < 10,
          done.stderr[-900:])
    code, _, err = day.run("--once", "--from", "0")
    equal((code, [e["kind"] for e in day.events()]), (1, ["rogue"]), err[-900:])

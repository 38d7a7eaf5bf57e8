"""The update window: an old list of CT logs is renewed through the upstreams that it refuses, and through nobody else (R14)."""
import json
import os

from cryptography.hazmat.primitives import hashes

from functional._common import Https, servfail
from harness import client, net, wire
from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, section, upstream
from harness.faults import Faults
from harness.minisign import Minisign
from harness.pki import DAY, Authority, Log, Site, key_pem, log_list, pem, utc_now
from harness.upstream import DotServer

YEARS = 3 * 365 * 86400
HOST = "mirror.lab.test"
SOURCES = {HOST, "raw.githubusercontent.com", "hg.mozilla.org"}  # the public ones are answered with this machine


def address(q):
    return wire.answer(q, records=[wire.record(b"\xc0\x0c", 1, 60, b"\x7f\0\0\x01")] if q.qtype == 1 else [])


def alias(q):
    return wire.answer(q, records=[wire.record(b"\xc0\x0c", 5, 60, wire.name_bytes("other.lab.test")),
                                   wire.record(wire.name_bytes("other.lab.test"), 1, 60, b"\x7f\0\0\x01")] if q.qtype == 1 else [])


class Lab:
    """A daemon, its upstream, and a signed mirror of the list whose name only the upstream knows; the clock is scripted."""

    def __init__(self, t, when_stale="refuse", option="", answer=address, compiled_in=False, site=None, later_logs=False, before="", limit=""):
        self.t, self.faults = t, Faults(t)
        self.site = site or Site(t, names=(HOST,), with_ct=True, not_before=utc_now() - 2 * DAY, not_after=utc_now() + 2000 * DAY)
        self.server = DotServer(t, self.site, answer=answer)
        self.key = Minisign()
        self.list = log_list(self.site.logs, utc_now() + YEARS * DAY / 86400 - DAY).encode()
        self.files = {"/list.json": self.list, "/list.json.minisig": self.key.sign(self.list)}
        self.https = Https(t, self.site, self.files)
        port = self.https.url.split(":")[2].split("/")[0]
        logs = [Log("Alpha 0", "Alpha"), Log("Beta 0", "Beta"), Log("Gamma 0", "Gamma", static=True)] if later_logs else self.site.logs
        old = t.write("old.json", log_list(logs, utc_now() - DAY))
        ct = f'''ct {{ when-stale = "{when_stale}" list-url = "https://{HOST}:{port}/list.json" list-key = "{t.write("key.pub", self.key.public())}"
{option} }}
'''
        more = {"ct_logs": old} if compiled_in else {}
        if limit:
            digest = self.site.root.cert.fingerprint(hashes.SHA256()).hex()
            before += section("trust", constraints_file=[t.write("limits", f"cert-sha256 {digest} {limit}\n")])
        state = t.path("state")
        os.makedirs(state, mode=0o700)
        self.daemon = Daemon(t, before + upstream("lab", self.server, **more), anchors=self.site.anchors, ct=None, extra=ct, env=self.faults.env,
                             state_dir=state)
        self.state = state
        if not compiled_in:
            self.tool("ct-logs", "import", "--force", old)
            equal(self.tool("reload")[0], 0, "reload")

    def tool(self, verb, *arguments):
        verb, *first = verb, *arguments
        words = [first.pop(0)] if verb == "ct-logs" else []
        return self.t.run("ctstub", verb, *words, "-c", self.daemon.config, *first, env=self.t.env(**self.faults.env))

    def accepted(self):
        equal(client.rcode(self.daemon.ask("www.example.com")), "NOERROR", "rcode while the list is fresh")
        journal = os.path.join(self.state, "journal.jsonl")
        until(lambda: os.path.exists(journal) and os.path.getsize(journal) > 0, 10, "the journal knows it")

    def later(self):
        self.faults.clocks(wall=YEARS, event=True)

    def update(self, *options):
        return self.tool("ct-logs", "update", *options)

    def window(self):
        return json.loads(self.tool("status", "--json")[1])["update_window"]

    def asked(self):
        return [q.name.lower() for q in self.server.questions]


@case("R14 with a clock three years ahead the list is renewed through the window, and the upstreams are accepted again", builds=("gcc",))
def three_years(t):
    lab = Lab(t)
    lab.accepted()
    lab.later()
    servfail(lab.daemon.ask("other.example.com"), "ct-list-stale")
    check("ct-list-stale" in lab.tool("status")[1], "status names the old list")
    equal(lab.window(), {"enabled": True, "open": False, "left_s": 0, "windows": 0, "names": 0, "last": None}, "window before")
    before = len(lab.server.questions)
    code, out, err = lab.update()
    check(code == 0 and "from mirror" in out, f"{code} {out} {err}")
    check("update window: open for 600 s" in err and f"asked the upstreams for {HOST}" in err, err)
    equal(set(lab.asked()[before:]), SOURCES, "names that went upstream")
    w = lab.window()
    equal((w["open"], w["windows"], w["names"]), (True, 1, 4), "window while it is open")
    check("update window  open, 10 min left, 4 names resolved in 1 window" in lab.tool("status")[1], lab.tool("status")[1])
    metrics = lab.tool("stats", "--prometheus")[1].splitlines()
    check({"ctstub_update_window 1", "ctstub_update_windows_total 1", "ctstub_update_window_names_total 4"} <= set(metrics), "metrics")
    equal(lab.tool("reload")[0], 0, "reload")
    equal(client.rcode(lab.daemon.ask("new.example.com")), "NOERROR", "rcode with the new list")
    lab.faults.clocks(wall=YEARS + 601, event=True)
    check(not lab.window()["open"] and "update window  closed, last opened 20" in lab.tool("status")[1], "the window is over")
    equal(lab.tool("status", "--json")[0], 0, "exit code of status in the end")


@case("a fresh machine whose package is three years old is renewed through the window without a journal", builds=("gcc",))
def fresh(t):
    lab = Lab(t, compiled_in=True)
    lab.later()
    servfail(lab.daemon.ask("other.example.com"), "ct-list-stale")
    code, out, err = lab.update("--force")
    check(code == 0 and "from mirror" in out and "asked the upstreams" in err, f"{code} {out} {err}")


def untouched(lab):
    del lab


def no_journal(lab):
    for name in os.listdir(lab.state):
        if name.startswith("journal"):
            os.remove(os.path.join(lab.state, name))


def new_key(lab, issuer=None):
    """The upstream shows another key: of the same issuer, or of another CA of the same root."""
    key, cert = (issuer or lab.site.intermediate).issue(["127.0.0.1"], [HOST], lab.site.logs, not_after=utc_now() + 2000 * DAY)
    chain = lab.t.write("new-chain.pem", pem(cert) + pem((issuer or lab.site.intermediate).cert))
    lab.server.context.load_cert_chain(chain, lab.t.write("new-key.pem", key_pem(key)))


def new_issuer(lab):
    new_key(lab, Authority("Another intermediate", lab.site.root))


def refused_only(lab):
    no_journal(lab)
    write_journal(lab, event="refused", reason="untrusted", count=1)


def other_address(lab):
    no_journal(lab)
    write_journal(lab, address="192.0.2.1:853")


def write_journal(lab, mode=0o600, **more):
    from harness.pki import spki
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki(lab.site.key))
    record = {"event": "accepted", "time": "2026-11-01T00:00:00Z", "upstream": "lab", "address": f"127.0.0.1:{lab.server.port}",
              "spki_sha256": digest.finalize().hex(), **more}
    path = os.path.join(lab.state, "journal.jsonl")
    with open(path, "w", encoding="utf-8") as f:
        f.write(json.dumps(record, separators=(",", ":")) + "\n")
    os.chmod(path, mode)


def written(lab):
    no_journal(lab)
    write_journal(lab)


def writable_by_others(lab):
    no_journal(lab)
    write_journal(lab, mode=0o666)


def of_another_user(lab):
    no_journal(lab)
    write_journal(lab)
    os.chown(os.path.join(lab.state, "journal.jsonl"), 12345, 12345)


def link(lab):
    written(lab)
    path = os.path.join(lab.state, "journal.jsonl")
    os.rename(path, path + ".elsewhere")
    os.symlink(path + ".elsewhere", path)


def garbage(lab):
    no_journal(lab)
    with open(os.path.join(lab.state, "journal.jsonl"), "w", encoding="utf-8") as f:
        f.write("{}\nnot a record\n")


@rows([
    ("the key of the last acceptance in the journal: the window opens", untouched, {}, True),
    ("a new key of the same issuer: it opens", new_key, {}, True),
    ("a record as the daemon writes it", written, {}, True),
    ("the source's name is an alias: its address is taken, no other name is asked", untouched, {"answer": alias}, True),
    ("a new key of another issuer: the upstream is not asked", new_issuer, {}, False),
    ("no journal, and a list that was renewed before: no upstream is asked", no_journal, {}, False),
    ("a journal that knows refusals only", refused_only, {}, False),
    ("a journal that knows another address only", other_address, {}, False),
    ("a journal that others could have written", writable_by_others, {}, False),
    ("a journal of another user", of_another_user, {}, False),
    ("a journal that is a link", link, {}, False),
    ("a journal without a record", garbage, {}, False),
    ("update-window = false", untouched, {"option": "update-window = false"}, False),
    ("when-stale = report needs no window", untouched, {"when_stale": "report"}, False),
    ("with enforce, certificates of logs newer than the list", written, {"when_stale": "enforce", "later_logs": True}, True),
    ("below a root with sct-not-after, a certificate with valid SCTs from before that date: it opens", untouched,
     {"limit": "sct-not-after 2100-01-01T00:00:00Z"}, True),
    ("with enforce, below a root with sct-not-after, a certificate of logs newer than the list: the upstream is not asked", written,
     {"when_stale": "enforce", "later_logs": True, "limit": "sct-not-after 2020-01-01T00:00:00Z"}, False),
    ("with enforce, a new key of another issuer", new_issuer, {"when_stale": "enforce"}, False),
], builds=("gcc",))
def trust(t, change, how, opens):
    if os.geteuid() != 0 and change is of_another_user:
        return
    lab = Lab(t, **how)
    if not how.get("later_logs"):
        lab.accepted()
    lab.daemon.process.stop()
    change(lab)
    if change in (new_key, new_issuer):
        lab.server.stop()
        lab.server.start()
    lab.later()
    before = len(lab.server.questions)
    code, out, err = lab.update("--force")
    asked = lab.asked()[before:]
    equal((code == 0, set(asked)), (opens, SOURCES if opens else set()), f"renewed, and names that went upstream; {out} {err}")


@rows([("a journal that a crash cut in its last line", -40), ("a journal whose last line lacks its end", -1),
       ("a journal that a crash cut in its only line", 20)])
def cut(t, at):
    """A crash cut the journal: what is whole is used, and nothing behind its end is read."""
    lab = Lab(t)
    lab.daemon.process.stop()
    written(lab)
    path = os.path.join(lab.state, "journal.jsonl")
    with open(path, "rb") as f:
        line = f.read()
    with open(path, "wb") as f:
        f.write(line[:at] if at > 0 else 40 * line + line[:at])
    lab.later()
    before = len(lab.server.questions)
    code, out, err = lab.update("--force")
    equal((code == 0, set(lab.asked()[before:])), (at < 0, SOURCES if at < 0 else set()), f"renewed, and names that went upstream; {out} {err}")


@case("after an upstream of two addresses, the journal of the next upstream still opens the window")
def addresses(t):
    lab = Lab(t, before=section('upstream "other"', address=["127.0.0.2", "127.0.0.3"], port=net.free_port("127.0.0.2")))
    lab.daemon.process.stop()
    written(lab)
    lab.later()
    before = len(lab.server.questions)
    code, out, err = lab.update("--force")
    equal((code, set(lab.asked()[before:])), (0, SOURCES), f"renewed, and names that went upstream; {out} {err}")


@case("the second window of a day is refused, one on the next day is not, and a record of the future counts as none", builds=("gcc",))
def once_a_day(t):
    lab = Lab(t)
    lab.accepted()
    lab.files.clear()  # the mirror is away: the list stays old
    for seconds, opens in ((0, True), (500, True), (601, False), (86000, False), (86401, True), (86401 + 601, False)):
        lab.faults.clocks(wall=YEARS + seconds)
        err = lab.update()[2]
        equal(("asked the upstreams" in err, "over" in err), (opens, not opens), f"window after {seconds} s: {err}")
    equal((lab.window()["windows"], lab.window()["names"]), (2, 9), "windows and names so far")
    for seconds, opens in ((-86400, True), (-86400 + 601, False)):
        lab.faults.clocks(wall=YEARS + seconds)
        equal("asked the upstreams" in lab.update()[2], opens, f"after the clock went back, {seconds} s")
    with open(os.path.join(lab.state, "update-window"), "w", encoding="utf-8") as f:
        f.write("\0began nonsense\n" * 9)
    check("asked the upstreams" in lab.update()[2], "a record that cannot be read is none")


@case("a window in which no upstream answered does not count for the day", builds=("gcc",))
def unanswered(t):
    lab = Lab(t)
    lab.accepted()
    lab.server.stop()
    lab.later()
    for _ in range(2):
        err = lab.update()[2]
        check("update window: open for 600 s" in err and "asked the upstreams" not in err, err)
        check(not lab.window()["open"], "the window is over")
        lab.faults.clocks(wall=YEARS + 1200)
    equal(lab.window()["windows"], 2, "windows so far")
    lab.server.start()
    check("asked the upstreams" in lab.update()[2], "once the network is there the window serves")


@case("the unit that renews the list keeps list and record in a folder of its own, and finds the journal in state-dir", builds=("gcc",))
def own_folder(t):
    lab = Lab(t)
    lab.accepted()
    lab.later()
    own = os.path.join(lab.state, "ct-logs")
    os.mkdir(own, mode=0o750)
    err = lab.update("--state-dir", own, "--force")[2]
    check("asked the upstreams" in err, err)
    equal(lab.window()["windows"], 1, "windows in the status")
    equal((os.path.exists(os.path.join(own, "update-window")), os.path.exists(os.path.join(lab.state, "update-window"))),
          (True, False), "records")


@case("the unit's window and one by hand are the same: ten minutes a day in all", builds=("gcc",))
def one_for_both(t):
    lab = Lab(t)
    lab.accepted()
    lab.files.clear()
    own = os.path.join(lab.state, "ct-logs")
    os.mkdir(own, mode=0o750)
    for seconds, arguments, opens in ((0, ("--state-dir", own), True), (300, (), True), (700, (), False), (86500, (), True),
                                      (86500 + 700, ("--state-dir", own), False), (2 * 86500, ("--state-dir", own), True)):
        lab.faults.clocks(wall=YEARS + seconds)
        err = lab.update(*arguments)[2]
        equal(("asked the upstreams" in err, "over" in err), (opens, not opens), f"{arguments} after {seconds} s: {err}")


@case("a window that cannot be recorded does not open", builds=("gcc",))
def unrecorded(t):
    lab = Lab(t)
    lab.accepted()
    lab.daemon.process.stop()
    lab.later()
    os.mkdir(os.path.join(lab.state, "update-window"))
    before = len(lab.server.questions)
    err = lab.update()[2]
    equal(("update window:" in err, len(lab.server.questions)), (True, before), f"complaint, and questions upstream; {err}")

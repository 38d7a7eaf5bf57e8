"""Log lines in the native protocol of journald: a socket that the test opens stands for the journal's."""
import os
import re
import socket
import subprocess

from harness import client
from harness.case import Skip, case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.pki import Site
from harness.upstream import DotServer

JOURNAL = "/run/systemd/journal/socket"
# systemd tells with JOURNAL_STREAM which file standard error was: so does this
IS_JOURNAL = ("/bin/sh", "-c", 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); export JOURNAL_STREAM; exec "$@"', "sh")
IS_ELSEWHERE = ("/bin/sh", "-c", 'JOURNAL_STREAM=1:1; export JOURNAL_STREAM; exec "$@"', "sh")


class Journal:
    """What journald would get. It lies in a /run of this mount namespace alone."""

    def __init__(self, t, mount=True):
        if mount:
            done = subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], stderr=subprocess.PIPE, check=False)
            if done.returncode != 0:
                raise Skip(f"/run cannot be covered: {done.stderr.decode().strip()}")
            os.makedirs(os.path.dirname(JOURNAL))
        self.entries = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(JOURNAL)
        self.socket.setblocking(False)
        t.defer(self.socket.close)

    def read(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                return self.entries
            self.entries.append(parse(data))

    def event(self, name, seconds=10):
        return until(lambda: next((e for e in self.read() if e["CTSTUB_EVENT"] == name), None), seconds, f"the journal has {name}")

    def away(self):
        self.socket.close()
        os.unlink(JOURNAL)


def parse(data):
    """An entry whose fields are all of one line; each once."""
    found = {}
    for line in data.decode("ascii").split("\n")[:-1]:
        name, equals, value = line.partition("=")
        check(equals and re.fullmatch("[A-Z][A-Z0-9_]*", name), f"no field: {line!r}")
        check(name not in found, f"twice {name}: {data!r}")
        found[name] = value
    return found


def ids(t):
    with open(os.path.join(t.src, "base/log_events.def"), encoding="utf-8") as f:
        return dict(re.findall(r'^LOG_EVENT\("([a-z-]+)", "([0-9a-f]{32})"', f.read(), re.M))


def refusing(t, wrap, **top):
    """A daemon whose only upstream is refused; its calls are killed if the sandbox does not know them."""
    site = Site(t, ips=("127.0.0.2",))
    server = DotServer(t, site)
    return Daemon(t, [upstream("impostor", server)], anchors=site.anchors, wrap=wrap, env={"CTSTUB_SECCOMP": "kill"}, **top)


@case("a refusal comes with MESSAGE_ID, PRIORITY, CTSTUB_REASON and CTSTUB_UPSTREAM, and not on standard error as well", netns=True)
def fields(t):
    journal = Journal(t)
    d = refusing(t, IS_JOURNAL)
    d.ask("www.example.com")
    entry = journal.event("refused")
    want = {"MESSAGE_ID": ids(t)["refused"], "PRIORITY": "4", "SYSLOG_FACILITY": "3", "SYSLOG_IDENTIFIER": "ctstubd",
            "SYSLOG_PID": str(d.process.pid), "CTSTUB_EVENT": "refused", "CTSTUB_UPSTREAM": "impostor", "CTSTUB_ADDR": "127.0.0.1",
            "CTSTUB_REASON": "ip-mismatch", "MESSAGE": "warn refused upstream=impostor addr=127.0.0.1 reason=ip-mismatch"}
    equal(entry, want, "the entry")
    d.ctl("log-level", level="debug")
    d.process.stop()
    for entry in journal.read():
        equal(entry.get("MESSAGE_ID"), ids(t).get(entry["CTSTUB_EVENT"]), f"the identifier of {entry['CTSTUB_EVENT']}")
        check(entry["MESSAGE_ID"], f"no identifier: {entry}")
    check({"started", "listening", "ended"} <= {e["CTSTUB_EVENT"] for e in journal.entries}, "the start or the end is missing")
    equal(d.log(), "", "lines on standard error")


@case("with log-format = \"json\" the message is the JSON line, and CTSTUB_VERDICT the verdict", netns=True, builds=("gcc",))
def json_lines(t):
    journal = Journal(t)
    d = refusing(t, IS_JOURNAL, log_format="json")
    d.ask("www.example.com")
    entry = journal.event("refused")
    check(entry["MESSAGE"].startswith('{"time":"') and entry["MESSAGE"].endswith("}"), entry["MESSAGE"][:200])
    check(entry["CTSTUB_VERDICT"].startswith("{") and '"ip-mismatch"' in entry["CTSTUB_VERDICT"], entry["CTSTUB_VERDICT"][:200])


@rows([("a standard error that is not the journal gets lines, and the journal's socket nothing", IS_ELSEWHERE),
       ("without JOURNAL_STREAM nothing goes to the journal's socket", ())], netns=True, builds=("gcc",))
def elsewhere(t, wrap):
    journal = Journal(t)
    d = refusing(t, wrap)
    d.ask("www.example.com")
    d.process.wait_log("warn refused upstream=impostor")
    equal(journal.read(), [], "entries")


@case("while the journal is away lines go to standard error; a socket made anew gets the next line", netns=True, builds=("gcc",))
def away(t):
    journal = Journal(t)
    d = refusing(t, IS_JOURNAL)
    journal.event("started")
    journal.away()
    d.ctl("flush", name="away.example")
    d.process.wait_log("flushed")
    back = Journal(t, mount=False)
    d.ctl("flush", name="back.example")
    back.event("flushed")
    equal(d.log().count("flushed"), 1, "lines on standard error")


@case("a journal that reads nothing delays no answer; lines that it does not accept go to standard error", netns=True, builds=("gcc",))
def stuck(t):
    Journal(t)
    d = refusing(t, IS_JOURNAL)
    for i in range(600):  # beyond what a datagram socket queues (net.unix.max_dgram_qlen) on any machine we know
        d.ctl("log-level", level=("info", "debug")[i % 2])
    d.process.wait_log("log-level")
    equal(client.rcode(d.ask("localhost")), "NOERROR", "a question meanwhile")

"""The control socket and the verbs of ctstub that talk to it (G08, G09)."""
import grp
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

from functional._common import again, servfail, stub
from harness import client, net
from harness.case import Skip, case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.jumps import Jumps
from harness.patience import patient
from harness.pki import Site
from harness.upstream import DotServer


@rows([(f"{' '.join(v)} works as text and as JSON", v) for v in (["status"], ["upstreams"], ["stats"], ["flush"], ["flush", "example.com"], ["reload"],
                                                                *(["log-level", level] for level in ("error", "warn", "notice", "info", "debug")),
                                                                ["captive", "1"], ["captive", "off"])])
def verbs(t, words):
    d, _ = stub(t)
    d.ask("www.example.com")
    code, out, err = d.tool(*words)
    equal(code, 0, f"exit code: {err}")
    code, out, err = d.tool(words[0], "--json", *words[1:])
    equal(code, 0, f"exit code with --json: {err}")
    json.loads(out)


TIMER_OF_THE_BOOT_CLOCK = """
import ctypes, select, time
libc = ctypes.CDLL(None)
timer = libc.timerfd_create(time.CLOCK_BOOTTIME, 0)
at = (ctypes.c_long * 4)(0, 0, int(time.clock_gettime(time.CLOCK_BOOTTIME)) + 1000, 0)
assert libc.timerfd_settime(timer, 1, at, None) == 0
waiting = select.epoll()
waiting.register(timer)
print("waits", flush=True)
print("woken" if waiting.poll(60) else "not woken", flush=True)
"""


@case("a timer that was set before a sleep is due after it, in a program that waits (the library of the tests)")
def timer_over_sleep(t):
    jumps = Jumps(t)
    p = t.spawn("timer", ["/usr/bin/python3", "-c", TIMER_OF_THE_BOOT_CLOCK], env={**jumps.env, "PYTHONMALLOC": "malloc"})
    p.wait_log("waits")
    jumps.sleep(1001)
    p.wait_log("woken")
    check("not woken" not in p.log(), p.log())
    p.popen.wait(patient(10))


@case("captive mode ends when its time is up, also while the machine sleeps, and the log says so")
def captive_ends(t):
    jumps = Jumps(t)
    d = Daemon(t, f'upstream "gone" {{ address = {{"127.0.0.1"}} port = {net.free_port("127.0.0.1")} }}\n', env=jumps.env)
    d.ctl("captive", minutes=1)
    jumps.sleep(30)
    check(d.ctl("status")["captive"]["active"], "captive mode after half of its time")
    check("time is up" not in d.log(), d.log())
    jumps.sleep(31)

    def over():
        active = d.ctl("status")["captive"]["active"]
        return not active and re.search(r' captive-mode state=off why="time is up"', d.log())
    until(over, 20, f"captive mode ends: {d.log()[-600:]}")


@case("captive mode goes on when an upstream answers that serves forwards only, and ends with one for other names")
def captive_and_forwards(t):
    site = Site(t)
    general, own = DotServer(t, site), DotServer(t, site)
    general.stop()
    d = Daemon(t, [upstream("general", general), upstream("own", own)], anchors=site.anchors,
               extra='forward "corp.example" { upstream = {"own"} }\n')
    servfail(d.ask("www.example.com"))
    d.ctl("captive", minutes=5)
    equal(client.rcode(d.ask("www.corp.example")), "NOERROR", "a name of the forward")
    time.sleep(0.3)  # the end is reported to another thread
    check(d.ctl("status")["captive"]["active"], f"captive mode after an answer of the forward's upstream: {d.log()[-600:]}")
    general.start()
    until(lambda: not d.ctl("status")["captive"]["active"], 10, "captive mode ends")
    equal(client.rcode(d.ask("other.example.com")), "NOERROR", "other names")


@case("a refused reload reports all errors, as text and as JSON, and changes nothing (G03)")
def reload_refused(t):
    d, _ = stub(t)
    good = open(d.config, encoding="utf-8").read()
    for broken, lines in ((good + "\nnope = 1\nmore = 2\n", 2), (good[:len(good) // 2] + "{ {", 1), (None, 1)):
        if broken is None:
            os.unlink(d.config)
        else:
            with open(d.config, "w", encoding="utf-8") as f:
                f.write(broken)
        code, out, err = d.tool("reload", "--socket", d.control)
        equal(code, 2, f"exit code: {out}{err}")
        check("the daemon keeps the configuration that it has" in err, err)
        code, out, _ = d.tool("reload", "--socket", d.control, "--json")
        answer = json.loads(out)
        check(code == 2 and answer["ok"] is False and len(answer["errors"]) >= lines, f"{code} {answer}")
        equal(answer["error"], answer["errors"][0], "the first error")
        check(all(line in err for line in answer["errors"]), f"as text: {err}")
        status = d.ctl("status")
        equal((status["generation"], status["reload_error"]), (1, answer["error"]), "generation and reload_error")
        equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode afterwards")


@case("reload says what changed, and once more says that nothing did")
def reload_changes(t):
    d, _ = stub(t)
    names = t.write("names.txt", "ads.example\n")
    before = open(d.config, encoding="utf-8").read()
    code, out, err = d.tool("reload")
    equal((code, out.splitlines()[1:]), (0, ["nothing changed"]), f"without a change: {err}")
    with open(d.config, "w", encoding="utf-8") as f:
        f.write(before + f'cache {{ size = "1MiB" }}\nfilter {{ list-file = {{"{names}"}} }}\nupstream "two" {{ address = {{"192.0.2.9"}} }}\n')
    code, out, err = d.tool("reload")
    equal((code, out.splitlines()), (0, ["configuration reloaded, generation 3", 'cache: size: "16MiB" -> "1MiB"',
                                         f'filter: list-file: added {{"{names}"}}', 'upstream "two": added',
                                         "names of the filter lists: 0 -> 1"]), f"with changes: {err}")
    t.write("names.txt", "ads.example\nmore.example\n")
    answer = d.ctl("reload")
    equal((answer["changes"], answer["more_changes"]),
          ([{"where": "", "option": "names of the filter lists", "before": "1", "after": "2", "needs_restart": False,
             "text": "names of the filter lists: 1 -> 2"}], False), "a file that changed")
    with open(d.config, "w", encoding="utf-8") as f:
        f.write(before + 'workers = 2\n')
    d.process.signal(1)
    until(lambda: "restart-needed" in d.log(), 10, "SIGHUP logs the same")


@rows([("one worker", 1), ("two workers", 2)], builds=("gcc",))
def listens_still(t, workers):
    """A reload with another `listen` needs a restart: until then the status has the addresses on which the daemon answers."""
    d, _ = stub(t, workers=workers)
    with open(d.config, encoding="utf-8") as f:
        before = f.read()
    with open(d.config, "w", encoding="utf-8") as f:
        f.write(re.sub(r"^listen = .*$", 'listen = {"127.0.0.1:1", "[::1]:1"}', before, flags=re.M))
    _, out, _ = d.tool("reload")
    check("(needs a restart)" in out, out)
    equal(d.ctl("status")["listen"], [f"127.0.0.1:{d.port}"], "listen")
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")


@case("status shows what still needs a restart, until it is undone or the daemon restarts", builds=("gcc",))
def restart_pending(t):
    d, _ = stub(t)
    with open(d.config, encoding="utf-8") as f:
        before = f.read()

    def reload(text):
        with open(d.config, "w", encoding="utf-8") as f:
            f.write(text)
        equal(d.tool("reload")[0], 0, "exit code of reload")
        code, out, _ = d.tool("status")
        return code, [line for line in out.splitlines() if line.startswith("needs restart")], d.ctl("status")["restart_needed"]
    quiet = reload(before)
    equal(quiet[1:], ([], []), "nothing changed")
    more = before + 'workers = 2\nquery-log { size = "1MiB" }\n'
    lines = ["needs restart  workers: 1 -> 2", 'needs restart  query-log: size: "64MiB" -> "1MiB"']
    for what, text in (("a reload that changes them", more), ("another reload", more), ("one that changes more", more + 'cache { size = "1MiB" }\n')):
        code, shown, needed = reload(text)
        equal((code, shown), (quiet[0], lines), f"exit code and lines after {what}")
        equal([(c["where"], c["option"], c["before"], c["after"], c["needs_restart"]) for c in needed],
              [("", "workers", "1", "2", True), ("query-log", "size", '"64MiB"', '"1MiB"', True)], f"JSON after {what}")
        check("\nctstub_restart_needed 2\n" in d.tool("stats", "--prometheus")[1], "the metric")
    with open(d.config, "w", encoding="utf-8") as f:
        f.write(more + "no-such = 1\n")
    equal((d.tool("reload")[0] != 0, len(d.ctl("status")["restart_needed"])), (True, 2), "a reload that is refused")
    with open(d.config, "w", encoding="utf-8") as f:
        f.write(before)
    equal(d.tool("reload")[1].splitlines()[1:], ["workers: 2 -> 1", 'cache: size: "1MiB" -> "16MiB"', 'query-log: size: "1MiB" -> "64MiB"'], "the lines of the reload that undoes them")
    equal(reload(before)[1:], ([], []), "undone")
    check("\nctstub_restart_needed 0\n" in d.tool("stats", "--prometheus")[1], "the metric afterwards")
    reload(more)
    again(d)
    equal(d.ctl("status")["restart_needed"], [], "after a restart")


@case("ctstub(1) documents every key of the daemon's answers, and each upstream line names its worker")
def keys(t):
    d, _ = stub(t, workers=2)
    d.ask("www.example.com")
    with open(os.path.join(t.src, "cli", "ctstub.1"), encoding="utf-8") as f:
        manual = set(re.findall(r"[a-z_0-9]+", f.read().replace("\\(dq", " ")))

    def walk(value, path=""):
        if isinstance(value, list):
            for item in value:
                walk(item, path)
        elif isinstance(value, dict):
            for key, below in value.items():
                check(key in manual, f"{path}.{key} is not in the manual")
                if key not in ("counters", "reasons", "verdict"):
                    walk(below, f"{path}.{key}")
    for words in (["status"], ["upstreams"], ["stats"], ["flush"], ["reload"], ["log-level", "info"], ["captive", "1"]):
        code, out, err = d.tool(words[0], "--json", *words[1:])
        equal(code, 0, f"exit code of {words}: {err}")
        walk(json.loads(out), words[0])
    workers = [line.rpartition(", ")[2] for line in d.tool("upstreams")[1].splitlines()[1:]]
    equal(workers, ["worker 0", "worker 1"], "the end of the lines")


@case("stats --prometheus is well-formed, and its counters count")
def prometheus(t):
    d, _ = stub(t)
    for i in range(7):
        d.ask(f"p{i}.example.com")
    code, out, err = d.tool("stats", "--prometheus")
    equal(code, 0, f"exit code: {err}")
    line = re.compile(r'^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)*\})? \d+(\.\d+)?)$')
    bad = [x for x in out.splitlines() if x and not line.match(x)]
    check(not bad, f"odd lines: {bad[:3]}")
    asked = re.search(r"^ctstub_questions_udp_total(?:\{[^}]*\})? (\d+)", out, re.M)
    check(asked and int(asked.group(1)) >= 7, f"questions counted: {asked and asked.group(0)}")
    took = re.search(r'^ctstub_upstream_answer_seconds\{[^}]*\} (\d\.\d{6})$', out, re.M)
    check(took and float(took.group(1)) > 0, f"an answer takes a plain number of seconds, to the microsecond: {took}")


def scrape(port):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: s.recv(65536), b""))


@case("a separate `ctstub metrics` process serves the same over HTTP")
def metrics(t):
    d, _ = stub(t)
    d.ask("www.example.com")
    port = net.free_port()
    exporter = t.spawn("metrics", [t.program("ctstub"), "metrics", "-c", d.config, "--listen", f"127.0.0.1:{port}"])
    until(lambda: net.answers_tcp("127.0.0.1", port), 10, "the exporter listens")
    data = scrape(port)
    check(b" 200 " in data.split(b"\r\n")[0] and b"ctstub_questions_udp_total" in data, data[:300])
    check(b"ctstub_watch_" not in data, "metrics of a watcher that is not there")
    os.mkdir(os.path.join(d.dir, "watch"), 0o755)
    watched = '# HELP ctstub_watch_items Watched.\n# TYPE ctstub_watch_items gauge\nctstub_watch_items 7\n'
    with open(os.path.join(d.dir, "watch", "metrics.prom"), "w", encoding="utf-8") as f:
        f.write(watched + "ctstub_upstream_up 99\n# HELP up x\nctstub_watch_bad\x00 1\n")
    data = scrape(port)
    check(data.endswith(watched.encode()), f"what ctstub-watch wrote: {data[-300:]}")
    check(b"ctstub_upstream_up 99" not in data, "the watcher speaks for the daemon")
    length = int(re.search(rb"Content-Length: (\d+)", data).group(1))
    equal(length, len(data.partition(b"\r\n\r\n")[2]), "Content-Length")
    equal(d.process.stop(), 0, "exit code of the daemon")
    check(b" 503 " in scrape(port).split(b"\r\n")[0], "without a daemon")
    with socket.create_connection(("127.0.0.1", port), 5):  # says nothing, and does not delay the end
        equal(exporter.stop(), 0, "exit code after SIGTERM")


@case("status and upstreams name a refused upstream, its reason and its verdict")
def refusal(t):
    site, other = Site(t), Site(t, prefix="other")
    d = Daemon(t, upstream("one", DotServer(t, other)), anchors=site.anchors)
    servfail(d.ask("www.example.com"), "untrusted")
    code, out, _ = d.tool("upstreams")
    check("untrusted" in out and "one" in out, out)
    data = json.dumps(d.ctl("upstreams"))
    check('"untrusted"' in data and '"refused"' in data, data[:500])


@case("with log-format json the log holds the same verdict object as the control socket, refused and accepted")
def verdict_in_log(t):
    site, other = Site(t), Site(t, prefix="other")
    server = DotServer(t, other)
    d = Daemon(t, upstream("one", server), anchors=site.anchors, log_format="json")

    def logged(event):
        lines = [json.loads(line) for line in d.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]
    servfail(d.ask("www.example.com"), "untrusted")
    until(lambda: logged("refused"), 10, "the refusal is logged")
    given = d.ctl("upstreams")["upstreams"][0]["verdict"]
    equal({**logged("refused")[0]["verdict"], "at": 0}, {**given, "at": 0}, "the verdict object")
    equal(given["reasons"], ["untrusted"], "its reasons")
    d.write(upstream("one", server, trust_anchors=other.anchors))
    equal(d.tool("reload")[0], 0, "exit code of reload")
    until(lambda: client.rcode(d.ask("again.example.com")) == "NOERROR", 10, "the new anchors are in force")
    until(lambda: logged("accepted"), 10, "the acceptance is logged")
    equal(logged("accepted")[0]["verdict"]["outcome"], "accepted", "its outcome")


@case("after flush the next question goes upstream again")
def flush(t):
    d, server = stub(t)
    for _ in range(3):
        d.ask("www.example.com")
        d.ask("www.example.net")
    equal(len(server.questions), 2, "questions upstream before")
    equal(d.tool("flush", "example.com")[0], 0, "exit code")
    d.ask("www.example.com")
    d.ask("www.example.net")
    equal(server.names().count("www.example.com"), 2, "questions for the name flushed")
    equal(server.names().count("www.example.net"), 1, "questions for the other name")


@rows([(f"flush refuses {what}, and flushes nothing", name, code) for what, name, code in (
    ("an escape and a byte that is not UTF-8", "a\\.b\udcff", 2), ("a byte that is not UTF-8", "a\udcff", 2), ("an escape that does not end", "a\\", 3),
    ("an escape of three digits beyond a byte", "a\\256", 3), ("an empty label", "a..b", 2), ("an empty name", "", 2))])
def flush_refused(t, name, want):
    d, server = stub(t)
    d.ask("www.example.com")
    code, _, err = d.tool("flush", name)
    equal(code, want, f"exit code: {err}")
    d.ask("www.example.com")
    equal(len(server.questions), 1, "questions upstream")


@case("the tools report a daemon that is not running with exit code 3")
def nobody(t):
    config = t.write("c.conf", f'control-socket = "{t.dir}/nobody"\n')
    for verb in ("status", "stats", "upstreams", "reload", "flush"):
        code, _, err = t.run("ctstub", verb, "-c", config)
        equal(code, 3, f"exit code of {verb}")
        check(err, "nothing is said")


@rows([("G08 half a message", b'{"verb": "sta'), ("G08 a request that is not JSON", b"GET / HTTP/1.1\r\n\r\n"), ("G08 a gigabyte announced by never ending", b"x" * 100_000),
       ("G08 nesting of 10,000", b"[" * 10_000 + b"\n"), ("G08 an array", b"[1,2]\n"), ("G08 an unknown verb", b'{"verb": "format"}\n'),
       ("G08 a verb that is a number", b'{"verb": 7}\n'), ("G08 a NUL byte", b'{"verb": "status\\u0000x"}\n'), ("G08 an empty line", b"\n")])
def rubbish(t, data):
    d, _ = stub(t)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(d.control)
        s.settimeout(patient(10))
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            reply = b""
            while True:
                more = s.recv(65536)
                if not more:
                    break
                reply += more
        except (BrokenPipeError, ConnectionResetError):
            reply = b""
    if reply:
        check(not json.loads(reply)["ok"], f"it said {reply}")
    check(d.ctl("status")["ok"], "afterwards")


@case("G08 hundreds of silent control connections leave room for an active one and for DNS")
def many(t):
    d, _ = stub(t)
    idle = []
    for _ in range(200):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(2)
        try:
            s.connect(d.control)
        except OSError:
            break
        idle.append(s)
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")

    def speaks():
        try:
            return d.ctl("status")["ok"]
        except (OSError, ValueError):
            return False
    until(speaks, 20, "the control socket answers again")
    for s in idle:
        s.close()


@case("G08 another user can neither read nor change anything")
def other_user(t):
    if os.geteuid() != 0:
        from harness.case import Skip
        raise Skip("only root can become another user")
    d, _ = stub(t)
    os.chmod(os.path.dirname(d.control), 0o755)
    mode = os.stat(d.control).st_mode & 0o777
    check(mode & 0o007 == 0, f"the socket's mode is {mode:o}")
    code, _, _ = t.run("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", t.program("ctstub"), "flush", "-c", d.config)
    equal(code, 3, "exit code as nobody")


ADMIN = next((g.gr_name for g in grp.getgrall() if g.gr_gid not in (0, 65534)), None)
GROUP = [
    ("a member of control-group by a supplementary group may reload", ADMIN, ["--regid=65533", "--groups={group}"], ["reload"], 0, ""),
    ("a member by the primary group may flush", ADMIN, ["--regid={group}", "--clear-groups"], ["flush"], 0, ""),
    ("a member may set the log level", ADMIN, ["--regid=65533", "--groups={group}"], ["log-level", "debug"], 0, ""),
    ("a member may open the captive window", ADMIN, ["--regid=65533", "--groups={group}"], ["captive", "1"], 0, ""),
    ("a member may read", ADMIN, ["--regid=65533", "--groups={group}"], ["stats"], 0, ""),
    ("a member of other groups may not connect", ADMIN, ["--regid=65533", "--groups=65530"], ["stats"], 3, "permission"),
    ("without control-group no group may connect", "", ["--regid=65533", "--groups={group}"], ["stats"], 3, "permission"),
]


def root_stub(t, **options):
    """A daemon that root made, whose folder everybody may enter."""
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    d, _ = stub(t, **options)
    for folder in (t.dir, d.dir):
        os.chmod(folder, 0o755)
    return d


def as_member(t, d, how, words):
    group = str(grp.getgrnam(ADMIN).gr_gid)
    return t.run("/usr/bin/setpriv", "--reuid=65533", *[h.format(group=group) for h in how], t.program("ctstub"), *words, "--socket", d.control)


@rows(GROUP)
def control_group(t, group, how, words, want, text):
    d = root_stub(t, control_group=group)
    code, _, err = as_member(t, d, how, words)
    check(code == want and text in err.lower(), f"{code}: {err}")


@case("where others can connect, only members of control-group may change something")
def control_group_rights(t):
    d = root_stub(t, control_group=ADMIN)
    os.chmod(d.control, 0o666)
    code, _, err = as_member(t, d, ["--regid=65533", "--groups=65530"], ["flush"])
    check(code == 3 and "members of control-group" in err, f"{code}: {err}")
    equal(as_member(t, d, ["--regid=65533", "--groups=65530"], ["stats"])[0], 0, "reading")
    equal(as_member(t, d, ["--regid=65533", "--groups=65530,{group}"], ["flush"])[0], 0, "a member with more groups")


@case("a control-group that does not exist is an error of -t, and a warning of a daemon that answers all the same")
def control_group_missing(t):
    d, _ = stub(t, control_group="no-such-group")
    check("no-control-group" in d.log() and "there is no such group" in d.log(), d.log())
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    code, _, err = t.run("ctstubd", "-t", "-c", d.config)
    check(code == 2 and 'there is no group "no-such-group" on this machine' in err, f"{code}: {err}")


@case("G08 the daemon replaces a stale socket and leaves a live one to its owner")
def stale(t):
    d, server = stub(t)
    d.process.kill()
    check(os.path.exists(d.control), "the socket is still there")
    again = t.spawn("ctstubd", [t.program("ctstubd"), "-c", d.config])
    d.process = again
    d.wait()
    check(d.ctl("status")["ok"], "the new socket answers")


@case("G09 names and certificate subjects are escaped in status, log and metrics")
def escaped(t):
    site = Site(t)
    key, cert = site.intermediate.issue(ips=["127.0.0.2"], common_name="evil\x1b[31m\r\nx")
    from harness.pki import key_pem, pem
    chain, key_file = t.write("e/chain.pem", pem(cert) + pem(site.intermediate.cert)), t.write("e/key.pem", key_pem(key))
    d = Daemon(t, upstream("one", DotServer(t, site, chain=chain, key=key_file)), anchors=site.anchors)
    servfail(d.ask("www.example.com"), "ip-mismatch")
    for words in (["upstreams"], ["upstreams", "--json"], ["status"], ["stats", "--prometheus"], ["probe", "one"]):
        out = d.tool(*words)[1]
        check("\x1b" not in out and "\r" not in out, f"{words} shows control bytes")
    check("\x1b" not in d.log(), "the log shows control bytes")


@case("G08 the daemon disconnects a client that asks for much and never reads")
def slow_reader(t):
    d, _ = stub(t)
    held = []
    for _ in range(8):
        s = socket.socket(socket.AF_UNIX)
        s.connect(d.control)
        s.sendall(b'{"verb": "upstreams"}\n')
        held.append(s)
    results = []
    threads = [threading.Thread(target=lambda: results.append(d.ctl("status")["ok"])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patient(15))
    equal(results, [True] * 4, "others are served")
    for s in held:
        s.close()


HOLD = """
import os, socket, sys
os.setgroups([int(g) for g in sys.argv[4:]]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
held = []
for i in range(int(sys.argv[3])):
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); held.append(s)
    try: s.send(b"{")
    except OSError: pass  # no place for it
print("held", flush=True)
sys.stdin.read()
"""
ASK = """
import os, socket, sys
os.setgroups([int(g) for g in sys.argv[3:]]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(60); s.sendall(b'{"verb":"status"}\\n')
data = b""
while True:
    more = s.recv(65536)
    if not more: break
    data += more
print(data.decode()[:10])
"""


def hold(t, d, uid, n, *groups):
    p = subprocess.Popen([sys.executable, "-c", HOLD, d.control, str(uid), str(n), *groups], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    t.defer(lambda: (p.stdin.close(), p.stdout.close(), p.wait(patient(10))))
    equal(p.stdout.readline(), b"held\n", "what the holder says")


@rows([(f"A5 while {what}, {who} gets an answer from the control socket", holders, asker) for what, holders, who, asker in (
    ("no place is taken", (), "root", 0), ("no place is taken", (), "a user", 65533),
    ("a user holds all of the user's places", ((65532, 16),), "root", 0),
    ("a user holds all of the user's places", ((65532, 16),), "another user", 65533),
    ("a user takes more than all places", ((65532, 40),), "root", 0),
    ("a user takes more than all places", ((65532, 40),), "another user", 65533),
    ("two users hold all of their places", ((65532, 8), (65531, 8)), "root", 0),
    ("two users hold all of their places", ((65532, 8), (65531, 8)), "another user", 65533),
    ("many users hold a place each", tuple((65000 + i, 1) for i in range(14)), "root", 0),
    ("one user has many and others one", ((65532, 11), (65531, 1)), "another user", 65533))])
def places(t, holders, asker):
    if os.geteuid() != 0:
        raise Skip("only root can be several users")
    d, _ = stub(t)
    os.chmod(t.dir, 0o755)
    os.chmod(d.dir, 0o755)
    os.chmod(d.control, 0o666)
    for uid, n in holders:
        hold(t, d, uid, n)
    says_status(d, asker)


def says_status(d, asker, *groups):
    done = subprocess.run([sys.executable, "-c", ASK, d.control, str(asker), *groups], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, check=False)
    equal((done.returncode, done.stdout), (0, b'{"ok":true\n'[:10] + b"\n"), f"what it says; {done.stderr.decode()[-300:]}")


@rows([(f"A5 while {what} of control-group, {who} gets an answer from the control socket", holders, asker, member) for what, holders, who, asker, member in (
    ("one member holds all places", (65532,), "root", 0, False), ("one member holds all places", (65532,), "another member", 65533, True),
    ("two members take all places", (65532, 65531), "root", 0, False), ("two members take all places", (65532, 65531), "another member", 65533, True))])
def places_of_members(t, holders, asker, member):
    group = str(grp.getgrnam(ADMIN).gr_gid)
    d = root_stub(t, control_group=ADMIN)
    os.chmod(d.control, 0o666)
    for uid in holders:
        hold(t, d, uid, 40, group)
    says_status(d, asker, *([group] if member else []))

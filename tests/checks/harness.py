"""The harness itself, against clients that are not ours: what the functional tests stand on holds."""
import glob
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

from harness.case import case, check, equal, rows, until
from harness.children import Children
from harness.load import Load
from harness.pki import Site
from harness.proxy import Proxy
from harness.rawtls import ShownCertificate
from harness.servers import Plain
from harness.soak_load import due_to_machine
from harness.standstill import STILL_S, TimeIsUp, Withheld, excused, waited_s
from harness.upstream import DohServer, DotServer
from harness import case as case_module
from harness import patience, turns, wire


def kdig(t, server, *options):
    code, out, err = t.run("kdig", f"@{server.address}", "-p", server.port, "+timeout=3", "+retry=0", *options,
                           "www.example.com", "A")
    return code, out + err


def expected_address():
    return ".".join(map(str, wire.rdata_for([b"www", b"example", b"com"], wire.A)))


@case("the DoT server answers kdig, which accepts its certificate by address", builds=("gcc",))
def dot(t):
    site = Site(t)
    server = DotServer(t, site)
    _, out = kdig(t, server, "+tls", f"+tls-ca={site.anchors}", "+tls-hostname=dns.test")
    check(expected_address() in out, out)
    equal(server.handshakes, 1, "handshakes")
    equal(server.names(), ["www.example.com"], "names asked")


@case("the DoH server answers kdig over POST and GET", builds=("gcc",))
def doh(t):
    site = Site(t)
    server = DohServer(t, site)
    for option in ("+https", "+https-get"):
        _, out = kdig(t, server, "+https=/dns-query", option, f"+tls-ca={site.anchors}", "+tls-hostname=dns.test")
        check(expected_address() in out, out)
    equal([r.h[":method"] for r in server.requests], ["POST", "GET"], "methods")


@case("the proxy passes, delays, turns black and cuts", builds=("gcc",))
def proxy(t):
    site = Site(t)
    between = Proxy(t, DotServer(t, site))
    options = ("+tls", f"+tls-ca={site.anchors}", "+tls-hostname=dns.test")
    check(expected_address() in kdig(t, between, *options)[1], "it does not pass")
    between.delay = 0.2
    started = time.monotonic()
    check(expected_address() in kdig(t, between, *options)[1], "it does not pass with a delay")
    check(time.monotonic() - started > 0.4, "it does not delay")
    between.delay, between.black = 0, True
    check(expected_address() not in kdig(t, between, *options)[1], "black lets something through")


@case("the Python forger's SCTs are what OpenSSL reads", builds=("gcc",))
def forged_scts(t):
    site = Site(t, with_ct=True)
    out = subprocess.run(["openssl", "x509", "-in", site.chain, "-noout", "-text"], stdout=subprocess.PIPE, check=True).stdout.decode()
    equal(out.count("Signed Certificate Timestamp:"), 3, "timestamps that OpenSSL shows")
    equal(out.count("Version   : v1 (0x0)"), 3, "of version 1")
    log_ids = ["".join(f"{b:02X}" for b in log.log_id) for log in site.logs]
    shown = out.replace(":", "").replace("\n", "").replace(" ", "")
    check(all(i in shown for i in log_ids), "log ids")


def listed(t, name, label, *options):
    """The names of a module's cases in a build, without the build."""
    command = [sys.executable, "-B", "-m", "harness.case", f"functional.test_{name}", "--top", t.top, "--src", t.src, "--build", t.build,
               "--label", label, "--logs", t.dir, "--list", *options]
    out = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={**os.environ, "PYTHONPATH": os.path.join(t.src, "tests")}).stdout
    return {line.partition("/")[2] for line in out.decode().splitlines()}


@case("what the plain build leaves to the sanitizers in a whole run is run by them, and nothing else is left", builds=("gcc",))
def once(t):
    for name, why in turns.ONCE.items():
        check(len(why.split()) > 4, f"{name}: why?")
        plain, left, sanitized = listed(t, name, "gcc"), listed(t, name, "gcc", "--once"), listed(t, name, "san")
        check(sanitized, f"{name} has no case under the sanitizers")
        equal(plain - left, plain & sanitized, f"{name}: cases that the plain build leaves out")
        check(left <= plain, f"{name}: more cases than without --once")


@case("every module that the order of a run names is there", builds=("gcc",))
def named(t):
    have = {os.path.basename(f)[5:-3] for f in glob.glob(os.path.join(t.src, "tests", "functional", "test_*.py"))}
    for table in (turns.LONGEST, turns.LOADS, turns.BESIDE, turns.ONCE, map(turns.name_of, turns.THREADS + turns.NO_THREADS)):
        equal(sorted(set(table) - have), [], "modules that are not there")
    programs = {f[:-2] for folder in ("unit", "fuzz") for f in glob.glob(f"tests/{folder}/**/*.c", root_dir=t.src, recursive=True)}
    gone = [start for start in turns.IN_VALGRIND if not any(p.startswith(start) for p in programs)]
    equal(gone, [], "unit tests that are not there")


@case("a tarball is tested with what reads its files, and valgrind has each reader of hostile bytes", builds=("gcc",))
def reduced(t):
    programs = subprocess.run(["make", "-s", "list-tests"], cwd=t.build, stdout=subprocess.PIPE, check=True).stdout.decode().split()
    targets = [p for p in programs if p.startswith("tests/fuzz/")]
    tested = turns.reads_the_tree(t.src, programs)
    check(targets and set(targets) <= set(tested), "stored inputs that a tarball is not tested with")
    check("tests/unit/verify/test_vectors" in tested, f"no vectors in {tested}")
    check(len(tested) < len(programs) / 2, f"{len(tested)} of {len(programs)} are no reduced form")
    equal([p for p in targets if not turns.in_valgrind(p)], [], "stored inputs that valgrind does not have")
    for start, why in turns.IN_VALGRIND.items():
        check(len(why.split()) > 2, f"{start}: why?")


@case("a load is played again when only the machine is to blame for every failure", builds=("gcc",))
def played_again(_t):
    both, one = (50, 0.1, ["dying 127.0.0.1: closed", "alive 127.0.0.1: connect-timeout"]), (50, 4.1, ["dying 127.0.0.1: closed"])
    soon, late = (50, 3.9, []), (50, 4.0, [])  # neither names an upstream, which is a fault
    waits = (50, 4.0, ["dying 127.0.0.1: closed", "alive 127.0.0.1: no answer"])
    still = [(10, 20), (53, 58)]               # for 1.1 s of the time of `one`
    for failures, wrong, lost, stood, wanted in (
            ([], 0, 0, still, False), ([both], 0, 0, [], True), ([both, one], 0, 0, [], False), ([one], 0, 0, [], False), ([soon], 0, 0, [], False),
            ([late], 0, 0, [], False), ([waits], 0, 0, [], True), ([waits, both], 0, 0, [], True), ([late, soon], 0, 0, still, False),
            ([waits, one], 0, 0, [], False), ([late, both], 0, 0, [], False),
            ([one], 0, 0, still, True), ([one, late], 0, 0, still, True), ([one], 0, 0, [(10, 50), (53.2, 60)], False),
            ([both], 1, 0, still, False), ([both], 0, 1, still, False), ([late], 0, 1, still, False)):
        load = Load(None, 10)
        load.failures, load.wrong, load.lost, load.stood = failures, wrong, lost, stood
        equal(load.starved("alive"), wanted, f"{failures}, {wrong} wrong, {lost} lost")


@case("no thread of a server waits on its sockets when its test is over: they may be the next test's", builds=("gcc",))
def servers_end(t):
    site = Site(t)
    for what, kind in {"DoT": lambda: DotServer(t, site), "DoH": lambda: DohServer(t, site), "a shown certificate": lambda: ShownCertificate(t, [], False),
                       "clear text": lambda: Plain(t), "a proxy": lambda: Proxy(t, DotServer(t, site))}.items():
        before, kept = set(threading.enumerate()), len(t._deferred)
        kind()
        waits = set(threading.enumerate()) - before
        check(waits, f"{what}: no thread")
        until(lambda waits=waits: all(sleeps(thread) for thread in waits), 20, f"{what}: they wait")
        for function in reversed(t._deferred[kept:]):
            function()
        del t._deferred[kept:]
        until(lambda waits=waits: not any(thread.is_alive() for thread in waits), 20, f"{what}: they end")


@rows([(f"a connection that the test closes ends in its own thread, which was {what}: {kind.__name__}", kind, early)
       for what, early in (("about to read", True), ("reading", False)) for kind in (DotServer, DohServer)], builds=("gcc",))
def closed_by_another(t, kind, early):
    """One that is about to read finds its descriptor led elsewhere, and must see an end there too."""
    begun, go = threading.Event(), threading.Event()
    ended = []

    def handler(connection):
        begun.set()
        if early:
            go.wait(20)
        try:
            server.serve(connection)
        finally:
            ended.append(connection)
    site = Site(t)
    server = kind(t, site, handler=handler)
    for close in ("close", "reset"):
        before = set(threading.enumerate())
        with socket.create_connection((server.address, server.port)) as plain:
            context = ssl.create_default_context(cafile=site.anchors)
            context.check_hostname = False
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # Python 3.13 sets it; the certificates of the tests are plainer
            context.set_alpn_protocols(server.alpn)
            with context.wrap_socket(plain):
                check(begun.wait(20), "a connection")
                threads = set(threading.enumerate()) - before
                until(lambda threads=threads: threads and all(sleeps(thread) for thread in threads), 20, "it waits")
                for connection in server.connected():
                    getattr(connection, close)()
                go.set()
                until(lambda threads=threads: not any(thread.is_alive() for thread in threads), 20, f"its thread ends after {close}")
        begun.clear()
        go.clear()
    equal(len(ended), 2, "connections")


def sleeps(thread):
    """In a system call that waits."""
    with open(f"/proc/self/task/{thread.native_id}/stat", encoding="ascii") as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "S"


@case("two cases with one name are a failure of their module: one of them alone could not be asked for")
def two_of_one_name(_t):
    equal(case_module.twice(), [], "of this module")
    kept = case_module.CASES[:]
    try:
        case_module.CASES.append(case_module.CASES[0])
        equal(case_module.twice(), [kept[0].name], "with its first case once more")
    finally:
        case_module.CASES[:] = kept


@case("the soak does not count what only the machine is to blame for, and counts everything else", builds=("gcc",))
def soaked(_t):
    healthy, named, other = frozenset(("one", "two")), ["three 9.9.9.9: closed", "two ::1: no answer"], ["three 9.9.9.9: closed"]
    for kind, took, texts, up, still, wanted in (
            ("failed", 4.0, named, healthy, 1.0, True), ("failed", 4.0, other, healthy, 1.0, True), ("failed", 0.5, named, healthy, 1.0, True),
            ("failed", 4.0, named, healthy, 0.9, False),          # the machine left time enough
            ("failed", 4.0, named, healthy, 0.0, False),
            ("failed", 3.9, other, healthy, 3.9, False),          # a healthy upstream was left, and was not asked
            ("failed", 3.9, [], healthy, 3.9, False),
            ("failed", 0.1, ["twofold ::1: closed"], healthy, 3.0, False),
            ("failed", 4.0, named, frozenset(), 4.0, False),      # nobody was healthy
            ("lost", 6.0, [], healthy, 3.0, True), ("lost", 6.0, [], healthy, 2.9, False), ("lost", 0.2, [], healthy, 3.0, False),
            ("wrong", 6.0, named, healthy, 6.0, False)):
        equal(due_to_machine(kind, took, texts, up, still), wanted, f"{kind} after {took} s, {texts}, {sorted(up)}, {still} s without a processor")


@case("what the machine withholds is the longest wait of a thread in each interval", builds=("gcc",))
def withheld(_t):
    w = Withheld(list)
    for began, now, waited in ((0.0, 0.1, {7: {"7": 5.0}}),                            # what it waited before says nothing
                               (0.1, 0.2, {7: {"7": 5.02, "8": 9.0}}),                 # a new thread neither
                               (0.2, 0.3, {7: {"7": 5.04, "8": 9.05}, 9: {"9": 1.0}}),
                               (0.3, 0.4, {9: {"9": 3.0}}),                            # no more than the interval
                               (0.4, 0.5, {9: {"9": 3.0}}), (0.5, 2.12, {})):          # and this program itself
        w.add(began, now, waited)
    equal([round(s, 3) for _, _, s in w.waits], [0, 0.02, 0.05, 0.1, 0, 1.5], "withheld in each interval")
    equal([round(w.seconds(*of), 3) for of in ((0.0, 0.5), (0.25, 0.4), (0.5, 1.31), (3, 9))], [0.17, 0.125, 0.75, 0], "and in between")


@case("a program that shares a processor with three others waits for it, and one that sleeps or is stopped does not", builds=("gcc",))
def waits_for_processor(t):
    cpu = str(min(os.sched_getaffinity(0)))
    busy, sleeps = [sys.executable, "-c", "while True: pass"], [sys.executable, "-c", "import time; time.sleep(1000)"]
    started = [t.spawn(f"p{i}", ["taskset", "-c", cpu, *command]) for i, command in enumerate([busy] * 4 + [sleeps])]
    until(lambda: started[3].cpu_seconds() > 0.2, 20, "it has begun")
    started[0].signal(signal.SIGSTOP)
    pids = (started[0].pid, started[3].pid, started[4].pid)
    before = [sum(waited_s(pid).values()) for pid in pids]
    until(lambda: sum(waited_s(pids[1]).values()) > before[1] + 0.5, 20, "it waits for the processor")
    after = [sum(waited_s(pid).values()) for pid in pids]
    check(after[0] - before[0] < 0.25 and after[2] - before[2] < 0.25, f"waited by the stopped one, the busy one and the sleeper: {before}, {after}")
    started[0].signal(signal.SIGCONT)


@case("patience is what was asked for on a quiet machine, grows with the load, and has a limit", builds=("gcc",))
def waits(_t):
    rows = ((0.1, 1.0, 10), (1.5, 1.0, 15), (1.0, 3.0, 30), (90.0, 2.0, 10 * patience.MOST))
    kept = patience.load, patience.delay
    try:
        for load, delay, wanted in rows:
            patience.load, patience.delay = (lambda load=load: load), (lambda delay=delay: delay)
            equal(patience.patient(10), wanted, f"load {load}, delay {delay}")
            equal((patience.for_answer(1), patience.for_answer(10)), (1, wanted), "for an answer that may not come")
        equal((patience.patient(None), patience.for_answer(None)), (None, None), "without an end")
    finally:
        patience.load, patience.delay = kept
    check(patience.load() > 0 and patience.delay() >= 1, "what is measured")


@case("a test is played again when it failed as one does that misses a limit, and the machine stood still", builds=("gcc",))
def test_played_again(_t):
    rows = (
        (TimeIsUp("not within 5 s: it connects"), True), (TimeoutError("timed out"), True), (subprocess.TimeoutExpired("kdig", 5), True),
        (AssertionError("rcode: have 'SERVFAIL', want 'NOERROR'"), True), (AssertionError("rcode of g1: have 2, want 0"), True),
        (AssertionError("no 'untrusted' in [(22, 'one 127.0.0.1: connect-timeout')]"), True),
        (AssertionError("questions upstream: have 2, want 1"), True),
        (AssertionError("round trips and connections: have (2, 1), want (1, 1)"), True),
        (AssertionError("handshakes: have 4, want 3 or fewer"), True),
        (AssertionError("handshakes: have 4, want 0 or fewer"), False),
        (AssertionError("questions upstream: have 1, want 0"), False),            # it must not be asked
        (AssertionError("questions upstream: have 2, want 0"), False),            # and 2 is no response code there
        (AssertionError("leaks: have 2, want 0"), False),
        (AssertionError("questions upstream: have ['a'], want []"), False),
        (AssertionError("bytes of application data: have 12, want 0"), False),
        (AssertionError("rcode: have 'NOERROR', want 'SERVFAIL'"), False),        # it must be refused
        (AssertionError("another question's answer"), False), (KeyError("counters"), False), (None, False))
    for error, wanted in rows:
        equal((excused(error, STILL_S), excused(error, STILL_S / 2)), (wanted, False), repr(error))


@case("a program that is stopped sees that it stood still", builds=("gcc",))
def stopped(t):
    text = "import sys, harness.standstill as s; w = s.Watch(); print('up', flush=True); input(); print(w.seconds())"
    with subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "PYTHONPATH": os.path.join(t.src, "tests")}) as p:
        p.stdout.readline()
        p.send_signal(signal.SIGSTOP)
        time.sleep(STILL_S + 0.3)  # it stands still meanwhile
        p.send_signal(signal.SIGCONT)
        time.sleep(0.2)            # and wakes
        out, _ = p.communicate("\n", timeout=patience.patient(20))
    check(float(out) > STILL_S, f"stood still for {out}")


@case("two programs are never given the same port", builds=("gcc",))
def own_ports(t):
    text = "import harness.net as n; print(*(n.free_port() for _ in range(200)), flush=True); input()"
    started = [subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env={**os.environ, "PYTHONPATH": os.path.join(t.src, "tests")}) for _ in range(5)]
    ports = [n for p in started for n in p.stdout.readline().split()]
    for p in started:
        p.communicate("\n", timeout=patience.patient(20))
    equal((len(ports), len(set(ports))), (1000, 1000), "ports given, and different ones")


ENDED = """
import time
from harness.case import case

@case("the first")
def first(t):
    t.spawn("kept", ["sleep", "1000"])
    with open({started!r}, "w") as f:
        f.write(str(t.processes[0].pid))
    time.sleep(1000)

@case("the second")
def second(_t):
    pass
"""

ENDED_BETWEEN = """
import os
import signal
from harness.case import case

@case("the first")
def first(t):
    finish = t.finish
    def finish_late():
        os.kill(os.getpid(), signal.SIGTERM)
        return finish()
    t.finish = finish_late

@case("the second")
def second(_t):
    pass
"""


def ended_module(t, children, text):
    t.write("ended.py", text)
    return children.start([sys.executable, "-B", "-m", "harness.case", "ended", "--top", t.top, "--build", t.build, "--logs", t.dir],
                          stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": f"{t.src}/tests:{t.dir}"})


def lines_of(module):
    return [line.partition(" [")[0] for line in module.stdout.read().splitlines()]


@case("a run that is ended ends the test that runs, and what that started; no other test begins", builds=("gcc",))
def run_is_ended(t):
    started, children = t.path("started"), Children()
    module = ended_module(t, children, ENDED.format(started=started))
    waits = threading.Thread(target=children.wait, args=[module])
    waits.start()
    until(lambda: os.path.exists(started) and os.path.getsize(started), 20, "the test starts a program")
    with open(started, encoding="ascii") as f:
        sleeper = int(f.read())
    check(case_module.running(sleeper), "the program that the test started does not run")
    children.end_all()
    waits.join(patience.patient(20))
    equal(module.returncode, 128 + signal.SIGTERM, "exit code of the module")
    check(not case_module.running(sleeper), "the program that the test started still runs")
    equal(lines_of(module), ["not ok gcc/ended/the first: KeyboardInterrupt: ended by SIGTERM"], "what the module says")


@case("a run that is ended between two tests fails, although those that ran are well", builds=("gcc",))
def run_is_ended_between(t):
    children = Children()
    module = ended_module(t, children, ENDED_BETWEEN)
    children.wait(module)
    equal((module.returncode, lines_of(module)), (128 + signal.SIGTERM, ["ok gcc/ended/the first"]), "exit code of the module, what it says")

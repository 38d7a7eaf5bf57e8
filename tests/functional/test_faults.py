"""What happens when a call fails, is short or interrupted, or a clock is wrong: promises A11 and A12, cases R07, R08, K01 to K03.

tests/fault/shim.c is preloaded into the daemon and does what stands in a mapped file. Allocations fail only for callers in
ctstubd itself: GnuTLS 3.7.9 crashes in places when its own fail. With --long every call of a sequence fails once, in the
default run a sample of them. The filter of system calls kills meanwhile: no way out of a failure may need another call.
"""
import errno
import os
import re
import signal
import time

from functional._common import servfail
from harness import client, wire
from harness.case import check, equal, rows, case, until
from harness.daemon import Daemon, upstream
from harness.faults import EINTR, FORBIDDEN, SHORT, YEAR, Faults, Stub
from harness.pki import Site
from harness.upstream import DotServer


def sample(t, total, n):
    """1..total; in the default run n of them, the first ones and the last among them."""
    if t.long or total <= n:
        return range(1, total + 1)
    return sorted({1, 2, 3, total, *(1 + i * (total - 1) // (n - 3) for i in range(n - 3))})


RUNTIME = [("allocation", errno.ENOMEM, 14), ("socket", errno.EMFILE, 3), ("connect", errno.ENETUNREACH, 3), ("connect", errno.EPERM, 3),
           ("accept4", errno.ECONNABORTED, 2), ("accept4", errno.ENOMEM, 2), ("send", errno.ENOBUFS, 5), ("send", errno.EPIPE, 5),
           ("recv", errno.ECONNRESET, 6), ("recv", errno.ENOMEM, 5), ("recvmmsg", errno.ENOMEM, 2), ("sendmmsg", errno.EPERM, 2),
           ("sendmmsg", errno.ENOBUFS, 2), ("epoll_wait", errno.EINTR, 6), ("getrandom", errno.ENOSYS, 2)]


@rows([(f"A11 R07 R08 {protocol}: {call} fails with {errno.errorcode[error]} during a question: the next one is answered",
        protocol, call, error, n) for call, error, n in RUNTIME for protocol in (("DoT", "DoH") if n > 3 else ("DoT",))],
      builds=("gcc",), timeout=1200)
def during_questions(t, protocol, call, error, n):
    s = Stub(t, protocol, log_level="info")

    def one_round():
        s.drop()
        s.ask(timeout=1)
        s.ask(tcp=True, timeout=1)
    s.works("before")
    one_round()
    before = s.faults.count(call)
    one_round()
    total = s.faults.count(call) - before
    check(total > 0 or call == "getrandom", f"a question makes no {call}")  # random numbers are kept in store
    for k in sample(t, total, n) if total else ():
        s.faults.arm(call, k, error)
        one_round()
        s.faults.disarm()
        s.works(f"{call} {k} of {total}")


@rows([("A11 R08 DoT: the daemon recovers after all allocations failed for a while", "DoT"), ("A11 R08 DoH: the daemon recovers after all allocations failed for a while", "DoH")],
      builds=("gcc",))
def starved(t, protocol):
    s = Stub(t, protocol)
    s.works("before")
    for times in (2, 10, 1000):
        s.faults.arm("allocation", 1, errno.ENOMEM, times)
        s.drop()
        for i in range(6):
            s.ask(tcp=i % 2 == 1, timeout=1)
        s.faults.disarm()
        s.works(f"{times} allocations")


@case("A11 R08 when an allocation or a file fails during a reload, the old or the new configuration works",
      netns=True, builds=("gcc",), timeout=1200)
def during_reload(t):
    s = Stub(t, "DoT", log_level="info")
    s.works("before")
    for call, error, n in (("allocation", errno.ENOMEM, 20), ("open", errno.EMFILE, 4), ("read", errno.EIO, 6)):
        before = s.faults.count(call)
        check(s.daemon.ctl("reload")["ok"], "reload")
        total = s.faults.count(call) - before
        check(total > 0, f"a reload makes no {call}")
        for k in sample(t, total, n):
            s.faults.arm(call, k, error)
            try:
                s.daemon.ctl("reload")
            except (OSError, ValueError):
                pass  # the control connection had the fault
            s.faults.disarm()
            s.works(f"reload, {call} {k} of {total}")
    check(s.daemon.ctl("reload")["ok"], "reload at the end")


@case("A11 R08 a reload that a worker has no memory for names it, and the worker goes on with what it has", timeout=1200)
def reload_of_a_worker(t):
    """In each thread by itself the allocations of a reload fail, one after the other, until a line names it."""
    s = Stub(t, "DoT", log_level="info", workers=2)
    one, two = upstream("one", s.server), upstream("two", s.server)

    def reload(blocks):
        s.daemon.write(blocks)
        try:
            s.daemon.ctl("reload")
            s.daemon.ctl("upstreams")  # each worker was asked, after it got the configuration
        except (OSError, ValueError):
            pass  # the control connection had the fault

    def named():
        return set(re.findall(r"reload-without-memory (workers?=\d+)", s.daemon.log()))

    def named_by(thread):
        """What the thread was named as. It is of no use to go on when it made no more allocations than that."""
        before, k = named(), 0
        s.faults.thread(thread)
        while named() == before:
            k += 1
            s.faults.arm("allocation", k, errno.ENOMEM)
            reload(one + two)
            check(not s.faults.armed, f"thread {thread} made fewer than {k} allocations in a reload")
            s.faults.disarm()
            s.alive(f"thread {thread}, allocation {k}")
            reload(one)
        s.works(f"thread {thread}, allocation {k}")
        return named() - before
    s.works("before")
    threads = sorted(map(int, os.listdir(f"/proc/{s.daemon.process.pid}/task")))
    equal(sorted(map(sorted, map(named_by, threads))), [["worker=0"], ["worker=1"], ["workers=2"]], "who was without memory")
    s.faults.thread(0)
    check(s.daemon.ctl("reload")["ok"], "reload at the end")


@rows([(f"R07 while {call} fails with {errno.errorcode[error]} the daemon tries again from time to time; then {what}", call, error)
       for call, what in (("sendmmsg", "the reply is sent"), ("recvmmsg", "the question is read")) for error in (errno.ENOBUFS, errno.ENOMEM)], builds=("gcc",))
def no_kernel_memory(t, call, error):
    s = Stub(t, "DoT", log_level="info")
    s.works("before")
    before = s.faults.count(call)
    s.faults.arm(call, 1, error, times=1_000_000_000)
    begun = time.monotonic()
    with s.daemon.udp(20) as c:
        name = s.name()
        c.send(wire.question(name))
        until(lambda: s.faults.count(call) >= before + 20, 20, f"twenty calls of {call}")
        took = time.monotonic() - begun
        s.faults.disarm()
        client.has_data(c.receive(), name.encode().split(b"."))
    check(took >= 0.15, f"twenty calls in {took:.3f} s: it spins")


@rows([(f"A11 R08 {call} fails with {errno.errorcode[error]} at the start: the daemon works, or exits with a reason", call, error, n)
       for call, error, n in (("allocation", errno.ENOMEM, 16), ("socket", errno.EMFILE, 5), ("open", errno.EMFILE, 6), ("open", errno.EACCES, 5),
                              ("read", errno.EIO, 6), ("getrandom", errno.ENOSYS, 4), ("timerfd_create", errno.EMFILE, 4))],
      netns=True, builds=("gcc",), timeout=3600)
def at_start(t, call, error, n):
    s = Stub(t, "DoT", log_level="info")
    s.daemon.process.wait_log(" started ")
    total = s.faults.count(call)
    check(total > 0, f"a start makes no {call}")
    s.works("before")
    for k in sample(t, total, n):
        s.daemon.process.stop()
        s.faults.arm(call, k, error)
        p = s.daemon.process = t.spawn("ctstubd", [t.program("ctstubd"), "-c", s.daemon.config], env=t.env(**s.faults.env))
        p.expect = (0, 2, 3)
        # not the word in the log: for that very line there may have been no memory
        until(lambda: not p.alive() or s.ask(timeout=1), 20, f"{call} {k}: it answers, or ends")
        s.faults.disarm()
        if p.alive():
            s.works(f"{call} {k} of {total}")
        else:
            check(p.popen.returncode in (2, 3), f"{call} {k}: exit code {p.popen.returncode}: {p.log()[-300:]}")
            check(p.log().strip(), f"{call} {k}: it ended without a word")


@case("A11 R08 ctstubd -t reports every failed allocation of names, routes and filters", builds=("gcc",), timeout=3600)
def check_only(t):
    faults, site = Faults(t), Site(t)
    config = t.write("c.conf", f'local {{ data = {{"printer.test 60 A 192.0.2.9"}} }}\nfilter {{ list-file = {{"{t.write("list", "ads.example")}"}} }}\n'
                     f'rebinding {{ protect = true allow = {{"corp.example"}} }}\nforward "corp.example" {{ upstream = {{}} }}\n'
                     f'upstream "one" {{ address = {{"192.0.2.1"}} ct = "off" trust-anchors = "{site.anchors}" }}\n')
    env = t.env(**faults.env)
    code, _, err = t.run("ctstubd", "-t", "-c", config, env=env)
    equal(code, 0, f"exit code; {err}")
    total = faults.count("allocation")
    for k in range(1 if t.long else total - 120, total + 1):  # they are the last ones
        faults.arm("allocation", k, errno.ENOMEM)
        code, _, err = t.run("ctstubd", "-t", "-c", config, env=env)
        check(code in (0, 2, 3), f"allocation {k} of {total}: exit code {code}")
        check(code == 0 or err.strip(), f"allocation {k} of {total}: no word")


@rows([(f"A11 {protocol}: {what}", protocol, mode) for protocol in ("DoT", "DoH")
       for what, mode in (("every read and write is short: all answers are right", SHORT), ("every second call is interrupted: all answers are right", EINTR))],
      builds=("gcc",))
def spoiled(t, protocol, mode):
    s = Stub(t, protocol)
    s.faults.mode(mode)
    for i in range(24):
        if i % 8 == 0:
            s.drop()
        check(s.ask(tcp=i % 2 == 1), f"question {i} is not answered")
    check(s.daemon.ctl("reload")["ok"], "reload")
    check(s.ask(), "the question after a reload")
    check(s.faults.hits > 20, "nothing was spoiled")
    equal(s.daemon.process.stop(), 0, "exit code")


# ---- the filter of system calls

@case("P13 every test runs under the filter that kills: a call that no code of ours makes ends the daemon at once", builds=("gcc",))
def forbidden_kills(t):
    equal(t.env()["CTSTUB_SECCOMP"], "kill", "the environment of every daemon of the tests")
    s = Stub(t, "DoT")
    s.works("before")
    s.daemon.process.expect = None
    s.faults.mode(FORBIDDEN)
    s.ask(timeout=1)
    until(lambda: s.daemon.process.popen.poll() is not None, 10, "it ends")
    equal((s.daemon.process.popen.returncode, s.faults.hits), (-signal.SIGSYS, 0), "the signal that ended it, and calls that came back")


@case("P13 installed, the filter refuses such a call, and the daemon goes on", builds=("gcc",))
def forbidden_fails(t):
    faults, site = Faults(t), Site(t)
    d = Daemon(t, upstream("one", DotServer(t, site)), anchors=site.anchors, env={**faults.env, "CTSTUB_SECCOMP": ""})
    equal(client.rcode(d.ask("before.example.com")), "NOERROR", "rcode")
    faults.mode(FORBIDDEN)
    equal(client.rcode(d.ask("after.example.com")), "NOERROR", "rcode")
    check(faults.hits > 0, "nothing forbidden was tried")


# ---- clocks

@case("K01 after a ten-year clock jump either way cache lifetimes stay and the open connection is judged anew", builds=("gcc",))
def wall_jumps(t):
    s = Stub(t, "DoT")
    d = s.daemon
    s.works("before")
    d.ask("kept.example.com")
    for years, reason in ((10, "expired"), (-10, "clock-not-set")):
        s.faults.clocks(wall=years * YEAR)
        reply = d.ask("kept.example.com")
        equal(client.rcode(reply), "NOERROR", "rcode from the cache")
        check(reply.answer[0].ttl > 200, f"a TTL of {reply.answer[0].ttl}")
        asked = len(s.server.questions)
        servfail(d.ask(s.name()), reason)
        equal(len(s.server.questions), asked, "questions that went over the open connection all the same")
        spent, begun = d.process.cpu_seconds(), time.monotonic()
        for _ in range(20):
            d.ask(s.name())
        check(d.process.cpu_seconds() - spent < 1 + time.monotonic() - begun, "it spins")
        s.faults.clocks()
        check(s.ask(), "the first question with the right time again")


@case("K03 started in 1970: refused as clock-not-set without spinning, and service once the clock is set", builds=("gcc",))
def no_clock(t):
    s = Stub(t, "DoT")
    s.daemon.process.stop()
    s.faults.clocks(wall=-int(time.time()) + 100)
    s.daemon.process = t.spawn("ctstubd", [t.program("ctstubd"), "-c", s.daemon.config], env=t.env(**s.faults.env))
    s.daemon.wait()
    handshakes = s.server.connections
    for _ in range(50):
        servfail(s.daemon.ask(s.name()), "clock-not-set")
    check(s.server.connections - handshakes <= 20, f"{s.server.connections - handshakes} connections for 50 questions")
    equal(s.server.questions, [], "questions upstream")
    s.faults.clocks()
    check(s.ask(), "the first question with the right time")


@case("K02 after a sleep of eight hours expired entries are gone and the first question uses a new connection", builds=("gcc",))
def sleep(t):
    s = Stub(t, "DoT")
    d = s.daemon
    d.ask("kept.example.com")
    d.ask("kept.example.com")
    equal((len(s.server.questions), s.server.handshakes), (1, 1), "questions and handshakes before")
    s.faults.clocks(boot=8 * 3600)
    equal(client.rcode(d.ask("kept.example.com")), "NOERROR", "rcode after the sleep")
    equal((len(s.server.questions), s.server.handshakes), (2, 2), "questions and handshakes after it")


@case("a popular name is asked for again shortly before its answer expires, and only then")
def prefetched(t):
    s = Stub(t, "DoT")

    def counted():
        return s.daemon.ctl("stats")["counters"]["prefetched"]

    def popular():
        for _ in range(5):
            equal(s.daemon.ask("popular.example.com").rcode(), 0, "rcode")
    popular()  # for 300 s
    s.faults.clocks(boot=200)
    popular()
    equal(counted(), 0, "prefetched with a third of its life left")
    s.faults.clocks(boot=290)
    popular()
    until(lambda: counted() == 1, 10, "it is prefetched")

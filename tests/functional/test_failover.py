"""Upstreams that die, go black or come back: reliability cases P01 to P08, R12, R13, and promise A2."""
import os
import signal
import socket
import subprocess
import threading
import time

from functional._common import servfail, stub
from harness import client, net, wire
from harness.case import at_most, case, check, equal, rows, until, within
from harness.daemon import Daemon, upstream
from harness.load import Load, played
from harness.patience import patient
from harness.pki import Site
from harness.proxy import Proxy
from harness.upstream import DohServer, DotServer, drop_arriving


def kill(between, _server):
    between.refuse = True
    between.cut(reset=True)


def blacken(between, _server):
    between.black = True


def mid_frame(_between, server):
    server.cut_next = True


@rows([(f"A2 P01 P02 {what}: no client of {{total}} sees a failure".format(total="10,000"), how, protocol)
       for protocol in ("dot", "doh") for what, how in ((f"{protocol}: the upstream is killed", kill), (f"{protocol}: the upstream goes black", blacken),
                                                         (f"{protocol}: the upstream closes in mid frame", mid_frame))
       if not (protocol == "doh" and how is mid_frame)], timeout=600)
def dying(t, how, protocol):
    rate = 1500 if t.long and protocol == "dot" else 500  # what HTTP/2 in Python can carry
    load = played(lambda slower: through_death(t, how, protocol, rate // slower), "alive")
    check(load.slowest < patient(4.5), f"the slowest answer took {load.slowest:.2f} s")
    t.promised(f"0 failures of {load.total:,} questions, the slowest answer {load.slowest:.2f} s")


def through_death(t, how, protocol, rate):
    """The load that ran while one of two upstreams died."""
    site = Site(t)
    kind = DotServer if protocol == "dot" else DohServer

    def handler(connection):
        while True:
            q = connection.read_question()
            if getattr(connection.server, "cut_next", False):
                connection.send_raw(wire.frame(wire.answer(q))[:25])
                return
            connection.send(wire.answer(q))
    first = kind(t, site, **({"handler": handler} if protocol == "dot" else {}))
    second = kind(t, site)
    between = Proxy(t, first)
    d = Daemon(t, [upstream("dying", between), upstream("alive", second)], anchors=site.anchors, extra='strategy = "ordered"\n',
               log_level="info")
    d.ask("warm.example.com")
    total = 100_000 if t.long else (2_000 if t.sanitized else 10_000)
    load = Load(d, total, rate=rate)
    load.start()
    until(lambda: load.answered > total // 4, 120, "a quarter of the questions")
    how(between, first)
    load.finish()
    d.process.stop()
    return load


@case("P02 R13 the first question after a total outage is answered")
def back_again(t):
    site = Site(t)
    between = Proxy(t, DotServer(t, site))
    d = Daemon(t, upstream("one", between), anchors=site.anchors)
    equal(client.rcode(d.ask("before.example.com")), "NOERROR", "rcode before")
    between.refuse = True
    between.cut(reset=True)
    reply = d.ask("down.example.com")
    servfail(reply)
    for i in range(20):  # back-off grows
        d.ask(f"down{i}.example.com")
    between.refuse = False
    number = iter(range(10_000))
    started = time.monotonic()
    until(lambda: client.rcode(d.ask(f"up{next(number)}.example.com")) == "NOERROR", 10, "answers again")
    within(2, started, "an upstream that is back is used late")


@case("R12 after an outage many waiting questions need one handshake")
def one_handshake(t):
    site = Site(t)
    server = DotServer(t, site)
    d = Daemon(t, upstream("one", server), anchors=site.anchors, extra="hedge = false\n")  # a late answer would cost another one
    with d.udp(8) as c:
        # all at once, and no more than the sockets on the way have room for
        for i in range(150):
            c.send(wire.question(f"w{i}.example.com", ident=i))
        got = sum(1 for _ in range(150) if c.receive()[3] & 15 == 0)
    equal(got, 150, "answers")
    at_most(server.handshakes, 1, "handshakes")


@rows([(f"P04 {n} addresses that {what}, and a healthy one after them: no question fails, not even the first", n, black)
       for what, black in (("never answer", False), ("are black holes", True)) for n in (3, 5)])
def many_silent(t, n, black):
    """A question is at three servers at most; one that is silent for long does not hold a place."""
    site = Site(t)

    def silent(connection):
        while True:
            connection.read_question()
    servers = [DotServer(t, site, handler=silent) for _ in range(n)]
    between = [Proxy(t, server) for server in servers]
    for proxy in between:
        proxy.black = black
    good = DotServer(t, site)
    d = Daemon(t, [upstream(f"silent{i}", proxy) for i, proxy in enumerate(between)] + [upstream("good", good)], anchors=site.anchors,
               extra='strategy = "ordered"\n')
    for i in range(4):
        equal(client.rcode(d.ask(f"n{i}.example.com")), "NOERROR", f"question {i}")


@case("P04 a black-holed address beside one that answers delays questions briefly, and once")
def black_address(t):
    site = Site(t, ips=("127.0.0.1", "127.0.0.2", "::1"))
    server = DotServer(t, site)
    mute = __import__("socket").create_server(("127.0.0.2", server.port), backlog=1)
    t.defer(mute.close)
    d = Daemon(t, upstream("one", server, address=["127.0.0.2", "127.0.0.1"]), anchors=site.anchors)
    started = time.monotonic()
    equal(client.rcode(d.ask("first.example.com")), "NOERROR", "rcode")
    within(3.5, started, "the first answer is too slow")
    started = time.monotonic()
    for i in range(20):
        equal(client.rcode(d.ask(f"n{i}.example.com")), "NOERROR", "rcode")
    within(2, started, "later answers are slow, too")


@rows([(f"P02 a NAT box forgets idle connections ({what}): one question meets a dead one, the next ones do not", kind)
       for what, kind in (("DoT", DotServer), ("DoH", DohServer))])
def forgetful_network(t, kind):
    d, server = stub(t, kind=kind, log_level="debug", extra='keep-warm = "0s"\n')
    for i in range(4):
        equal(client.rcode(d.ask(f"n{i}.example.com")), "NOERROR", f"question {i}")
        time.sleep(5.5)
        for connection in server.connected():
            drop_arriving(connection.tls)
    equal(d.log().count("the peer does not acknowledge"), 1, "questions that met a dead connection")


@case("P05 port 853 answers with a portal's web page: SERVFAIL that says plain-text, and recovery afterwards")
def portal(t):
    site = Site(t)
    pages = []

    def page(plain):
        if not server.open:
            pages.append(1)
            plain.recv(1024)
            plain.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n")
            return False
        return True
    server = DotServer(t, site, on_accept=page)
    server.open = False
    d = Daemon(t, upstream("one", server), anchors=site.anchors)
    servfail(d.ask("www.example.com"), "plain-text")
    equal(server.application_bytes, 0, "bytes of application data")
    server.open = True
    d.ctl("captive", minutes=0)
    number = iter(range(10_000))
    until(lambda: client.rcode(d.ask(f"up{next(number)}.example.com")) == "NOERROR", 10, "answers after the login")


@case("P06 the daemon survives a closed reader of its standard error")
def closed_log(t):
    site = Site(t)
    server = DotServer(t, site)
    d = Daemon(t, upstream("one", server), anchors=site.anchors, wait=False)
    d.process.stop()
    reader, writer = __import__("os").pipe()
    p = subprocess.Popen([t.program("ctstubd"), "-c", d.config], stderr=writer, stdout=writer, env=t.env(), start_new_session=True)
    t.defer(lambda: (p.terminate(), p.wait(patient(10))))
    __import__("os").close(writer)
    until(lambda: net.answers_tcp(d.address, d.port), 20, "ctstubd listens")
    __import__("os").close(reader)
    for i in range(50):
        d.ask(f"q{i}.example.com")
    check(p.poll() is None, f"it ended with {p.poll()}")


@case("P07 SIGHUP every 50 ms under load loses no answer", timeout=180)
def reloads(t):
    d, _ = stub(t, log_level="info")
    total = 20_000 if t.long else (2_000 if t.sanitized else 6_000)

    def play(slower):
        load = Load(d, total, rate=500 // slower, prefix=f"load{slower}x")
        load.start()
        while load.running():
            d.process.signal(signal.SIGHUP)
            load.wait(0.05)
        load.finish()
        return load
    played(play, "one")
    check(d.ctl("stats")["ok"], "the daemon still talks")


@case("P07 a reload of a broken file keeps the old configuration and reports it; the next good one takes effect")
def broken_reload(t):
    d, server = stub(t)
    good = open(d.config, encoding="utf-8").read()
    for content in ("no-such-option = 1\n", "upstream \"one\" {\n", "", None):
        if content is None:
            __import__("os").unlink(d.config)
        else:
            with open(d.config, "w", encoding="utf-8") as f:
                f.write(content if content else "listen = 7\n")
        response = d.ctl("reload")
        check(not response["ok"], f"reload of {content!r} said {response}")
        equal(client.rcode(d.ask(f"still{len(str(content))}.example.com")), "NOERROR", "rcode with the old configuration")
        equal(d.ctl("status")["reload_error"], response["error"], "reload_error of the status")
    with open(d.config, "w", encoding="utf-8") as f:
        f.write(good)
    check(d.ctl("reload")["ok"], "the good file is accepted")
    equal(d.ctl("status")["reload_error"], None, "reload_error of the status after the good file")


@rows([("P08 SIGTERM under load: pending questions are answered, and the daemon exits cleanly within seconds", [signal.SIGTERM]),
       ("P08 SIGINT under load: the same", [signal.SIGINT]), ("P08 SIGTERM twice: the same", [signal.SIGTERM, signal.SIGTERM]),
       ("P08 SIGTERM during a reload: the same", [signal.SIGHUP, signal.SIGTERM]), ("P08 SIGHUP after SIGTERM: the same", [signal.SIGTERM, signal.SIGHUP])])
def terminate(t, signals):
    gate = threading.Event()

    def answer(q):
        if q.name.startswith("slow"):
            gate.wait(patient(20))
        return wire.answer(q)
    d, server = stub(t, answer)
    with d.udp(5) as c:
        c.send(wire.question("slow.example.com"))
        until(lambda: "slow.example.com" in server.names(), 5, "the question upstream")
        for number in signals:
            d.process.signal(number)
            if number == signals[0] == signal.SIGTERM and len(signals) > 1:  # two that arrive at once are one
                until(lambda: "notice ending" in d.log(), 5, "the first signal took effect")
        gate.set()
        equal(c.receive()[3] & 15, 0, "rcode of the question in flight")
    started = time.monotonic()
    equal(d.process.popen.wait(patient(10)), 0, "exit code")
    within(3, started, "the end takes too long")
    check(" reloaded " not in d.log().partition("notice ending")[2], "a reload began after the end had")


@case("P08 `ctstub reload` while the daemon ends says so, or finds it gone; nothing is reloaded")
def reload_while_ending(t):
    gate = threading.Event()

    def answer(q):
        gate.wait(patient(20))
        return wire.answer(q)
    d, server = stub(t, answer)
    with d.udp(5) as c:
        c.send(wire.question("slow.example.com"))
        until(lambda: server.names(), 5, "the question upstream")
        d.process.signal(signal.SIGTERM)
        until(lambda: "notice ending" in d.log(), 5, "the signal took effect")
        code, out, err = d.tool("reload", "--socket", d.control)
        gate.set()
    check(code != 0 and ("the daemon is ending" in err or "not running" in err or "connect" in err), f"{code}: {out}{err}")
    equal(d.process.popen.wait(patient(10)), 0, "exit code")
    check("notice reloaded" not in d.log(), "it was reloaded")


def huge(q):
    """An answer of 60,000 bytes."""
    text = wire.record(b"\xc0\x0c", wire.TXT, 300, (bytes([249]) + b"x" * 249) * 240)
    return wire.header(q.ident, 0x8180, 1, 1, 0, 0) + q.section + text


@case("P08 SIGTERM while a TCP client reads late: it gets all replies, each of them whole")
def terminate_unread(t):
    total = 40
    d, _ = stub(t, huge)
    equal(len(d.ask("huge.example.com", "TXT", tcp=True).answer), 1, "records")
    with d.tcp(10) as c:
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        c.send_raw(b"".join(wire.frame(wire.question("huge.example.com", wire.TXT, ident=i)) for i in range(total)))
        until(lambda: d.ctl("stats")["counters"]["questions_tcp"] > 1, 5, "its first questions are read")
        check(d.ctl("stats")["counters"]["questions_tcp"] < total, "its replies are not all sent")
        d.process.signal(signal.SIGTERM)
        until(lambda: "notice ending" in d.log(), 5, "the signal took effect")
        sizes = [len(c.receive()) for _ in range(total)]
        check(all(n > 60_000 for n in sizes), f"the replies have {sizes} bytes")
        equal(c.receive(), b"", "after the last reply")
    equal(d.process.popen.wait(patient(10)), 0, "exit code")


@case("P10 a daemon continues after SIGSTOP and SIGCONT")
def stopped(t):
    d, server = stub(t)
    d.ask("before.example.com")
    d.process.signal(signal.SIGSTOP)
    with d.udp(10) as c:
        c.send(wire.question("during.example.com"))
        until(lambda: open(f"/proc/{d.process.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[0] == "T", 5, "it stands still")
        d.process.signal(signal.SIGCONT)
        equal(c.receive()[3] & 15, 0, "rcode of the question that waited")


@case("P16 a second daemon on the same sockets refuses to start, and names the socket")
def second_instance(t):
    d, server = stub(t)
    config = t.write("second.conf", open(d.config, encoding="utf-8").read().replace(d.control, d.control + "2"))
    code, _, err = t.run("ctstubd", "-c", config)
    check(code in (1, 2, 3), f"exit code {code}")
    check(str(d.port) in err, f"the address is not named: {err}")
    equal(client.rcode(d.ask("first.example.com")), "NOERROR", "the first one's answer")


@case("P12 the daemon starts with standard input, output and error closed")
def closed_descriptors(t):
    site = Site(t)
    server = DotServer(t, site)
    d = Daemon(t, upstream("one", server), anchors=site.anchors, wait=False)
    d.process.stop()
    p = subprocess.Popen(["/bin/sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', t.program("ctstubd"), "-c", d.config], env=t.env())
    t.defer(lambda: (p.terminate(), p.wait(patient(10))))
    until(lambda: net.answers_tcp(d.address, d.port), 20, "ctstubd listens")
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")


@case("P12 hundreds of inherited descriptors do not disturb the daemon, and no helper inherits them")
def inherited_descriptors(t):
    d, _ = stub(t, wait=False)
    d.process.stop()
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(300)]
    t.defer(lambda: [os.close(fd) for fd in held])
    d.process = t.spawn("ctstubd", [t.program("ctstubd"), "-c", d.config], pass_fds=held)
    d.wait()
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    with open(f"/proc/{d.process.pid}/task/{d.process.pid}/children", encoding="ascii") as f:
        helpers = f.read().split()
    check(helpers, "there is no helper to look at")
    for helper in helpers:
        check(len(os.listdir(f"/proc/{helper}/fd")) < 10, f"descriptors of helper {helper}: {os.listdir(f'/proc/{helper}/fd')}")


@case("workers = 2: both answer, statistics add up, reload and end are clean")
def two_workers(t):
    d, server = stub(t, extra="workers = 2\n")
    for i in range(200):
        equal(client.rcode(d.ask(f"w{i}.example.com", tcp=i % 5 == 0)), "NOERROR", "rcode")
    counted = d.ctl("stats")["counters"]
    equal((counted["questions_udp"], counted["questions_tcp"]), (160, 40), "questions over UDP and TCP")
    workers = {u["worker"]: u["answers"] for u in d.ctl("upstreams")["upstreams"]}
    check(len(workers) == 2 and all(workers.values()), f"answers of each worker: {workers}")
    check(d.ctl("reload")["ok"], "reload")
    equal(client.rcode(d.ask("after.example.com")), "NOERROR", "rcode after the reload")


@case("an upstream without a route is unreachable, and the client gets EDE 22 or 23 in time", netns=True)
def unreachable(t):
    site = Site(t)
    server = type("Nowhere", (), {"address": "192.0.2.1", "port": 853, "alpn": ["dot"]})
    d = Daemon(t, upstream("one", server), anchors=site.anchors)
    reply = d.ask("www.example.com")
    servfail(reply, "one 192.0.2.1: unreachable")
    check({code for code, _ in client.ede(reply)} & {22, 23}, f"INFO-CODE {client.ede(reply)}")

"""What clients may send: reliability cases C01 to C36, against the daemon over UDP and TCP."""
import socket
import struct
import subprocess
import sys
import threading

import dns.flags
import dns.message
import dns.rcode

from functional._common import HAND_OVER, stub
from harness import client, net, wire
from harness.case import case, check, equal, rows, until
from harness.patience import patient
from harness.pki import Site
from harness.daemon import Daemon, upstream
from harness.upstream import DotServer

FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 1, 2, 3, 4, 5, 16
GOOD = wire.question("good.example.com", ident=0x7777)


def code_of(raw):
    return dns.message.from_wire(raw, ignore_trailing=True).rcode()


def dropped(d, *datagrams):
    """None of the datagrams is answered: what comes back first belongs to the good question sent after them."""
    with d.udp() as c:
        for datagram in datagrams:
            c.send(datagram)
        raw = c.ask(GOOD)
    equal(raw[:2], GOOD[:2], "the id of the first answer (of the good question)")
    equal(code_of(raw), 0, "rcode of the good question")


def only_good(server):
    check(set(server.names()) <= {"good.example.com"}, f"the upstream was asked for {server.names()}")


@rows([
    ("C01 an empty datagram is dropped, the socket stays armed", [b""]),
    ("C02 datagrams of 1 to 11 bytes are dropped", [GOOD[:n] for n in range(1, 12)]),
    ("C03 a response sent to the listener is dropped", [wire.question("bad.example.com", ident=0x1111, flags=0x8180)]),
])
def drops(t, datagrams):
    d, server = stub(t)
    dropped(d, *datagrams)
    only_good(server)


@rows([(f"C02 a TCP frame of {n} bytes closes the connection", n) for n in (0, 1, 11)])
def short_frames(t, n):
    d, server = stub(t)
    with d.tcp() as c:
        c.send(GOOD[:n])
        check(c.closed(5), "the connection stays open")
    equal(server.questions, [], "questions upstream")
    equal(d.ctl("stats")["counters"]["dropped"], 1, "frames that are counted as dropped")


DATAGRAM = 2048  # bytes of a question over UDP that the daemon reads
LONG_NAME = [b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61]      # 255 bytes with the root
TOO_LONG_NAME = [b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 62]  # 256
MANY_OPTIONS = b"".join(wire.option(3) + wire.option(10, b"x" * 8) + wire.option(12, b"\0" * 4) for _ in range(1000))
POINTERS = {"itself": b"\xc0\x0c", "a cycle of two": b"\xc0\x0e\xc0\x0c", "forward": b"\xc0\x20", "the header": b"\xc0\x02"}


ANSWERED_HERE = [(f"C04 opcode {n} is not implemented", wire.question("bad.example.com", flags=0x0100 | n << 11), NOTIMP)
       for n in (1, 2, 4, 5, 6, 15)] + [
    ("C05 a query without a question is malformed", wire.header(qd=0), FORMERR),
    ("C05 two questions are malformed (RFC 9619)", wire.header(qd=2) + 2 * (wire.name_bytes("bad.example.com") + b"\0\1\0\1"), FORMERR),
    ("C05 65535 questions are malformed", wire.header(qd=65535) + wire.name_bytes("bad.example.com") + b"\0\1\0\1", FORMERR),
    ("C06 an answer record in a question is malformed",
     wire.header(an=1) + wire.name_bytes("bad.example.com") + b"\0\1\0\1" + wire.record(b"\xc0\x0c", 1, 1, b"\1\2\3\4"), FORMERR),
    ("C06 an authority record in a question is malformed",
     wire.header(ns=1) + wire.name_bytes("bad.example.com") + b"\0\1\0\1" + wire.record(b"\xc0\x0c", 2, 1, b"\0"), FORMERR),
    ("C07 two OPT records are malformed (RFC 6891, 6.1.1)",
     wire.question("bad.example.com", ar=2, extra=wire.opt() + wire.opt()), FORMERR),
    ("C07 an OPT record with an owner is malformed",
     wire.question("bad.example.com", ar=1, extra=wire.opt(owner=wire.name_bytes("a.test"))), FORMERR),
    ("C07 an OPT record among the answers is malformed",
     wire.header(an=1) + wire.name_bytes("bad.example.com") + b"\0\1\0\1" + wire.opt(), FORMERR),
    ("C08 EDNS version 1 gets BADVERS (RFC 6891, 6.1.3)",
     wire.question("bad.example.com", ar=1, extra=wire.opt(version=1)), BADVERS),
    ("C10 an option that is longer than its record is malformed",
     wire.question("bad.example.com", ar=1, extra=wire.opt(options=b"\0\x03\0\x20abc")), FORMERR),
    ("C12 one byte after the message is malformed", wire.question("bad.example.com", tail=b"\0"), FORMERR),
    ("C12 500 bytes after the message are malformed", wire.question("bad.example.com", tail=b"x" * 500), FORMERR),
    ("C12 bytes after a message that fills the daemon's buffer for a datagram are malformed",
     wire.question("bad.example.com", ar=1, extra=wire.opt(options=wire.option(12, bytes(DATAGRAM - 48))), tail=b"x" * 90), FORMERR),
    ("C14 label type 0x40 is malformed", wire.header() + b"\x41a\0\0\1\0\1", FORMERR),
    ("C14 label type 0x80 is malformed", wire.header() + b"\x81a\0\0\1\0\1", FORMERR),
    ("C14 a name of 256 bytes is malformed", wire.question(TOO_LONG_NAME), FORMERR),
] + [(f"C13 a name that points to {what} is malformed", wire.header() + p + b"\0\1\0\1", FORMERR) for what, p in POINTERS.items()] + [
    ("C16 class CH is refused", wire.question("version.bind", wire.TXT, qclass=3), REFUSED),
    ("C16 id.server in class CH is refused", wire.question("id.server", wire.TXT, qclass=3), REFUSED),
    ("C16 class NONE is refused", wire.question("bad.example.com", qclass=254), REFUSED),
    ("C20 a question without RD is refused", wire.question("bad.example.com", flags=0), REFUSED),
]


def is_answered(raw, message, code, what="the reply"):
    check(raw, f"{what}: none")
    equal(raw[:2], message[:2], f"{what}: id")
    equal(raw[2] >> 3 & 15, message[2] >> 3 & 15, f"{what}: opcode")
    check(raw[2] & 0x80, f"{what}: QR is not set")
    if code == BADVERS:
        reply = dns.message.from_wire(raw)
        equal((reply.rcode(), reply.edns), (code, 0), f"{what}: rcode and EDNS version")
    else:
        equal(raw[3] & 15, code, f"{what}: rcode")


@rows(ANSWERED_HERE)
def answered_here(t, message, code):
    d, server = stub(t)
    for raw in (d.udp().ask(message), d.tcp().ask(message)):
        is_answered(raw, message, code)
    with d.udp() as c:
        equal(code_of(c.ask(GOOD)), 0, "the good question afterwards")
    only_good(server)


@case("C01 to C20 over IPv6: each query gets the same reply as over IPv4")
def over_ipv6(t):
    net.need_ipv6()
    d, server = stub(t, address="::1")
    dropped(d, b"", *[GOOD[:n] for n in range(1, 12)], wire.question("bad.example.com", flags=0x8180))
    for what, message, code in ANSWERED_HERE:
        for c in (d.udp(), d.tcp()):
            with c:
                is_answered(c.ask(message), message, code, what)
    only_good(server)


@rows([(f"C21 {what} of a question is ignored, and does not come back", flags) for what, flags in
       (("AA", 0x0500), ("TC", 0x0300), ("RA", 0x0180), ("Z", 0x0140), ("RCODE", 0x010f), ("all but the opcode", 0x07cf))])
def query_flags(t, flags):
    d, server = stub(t)
    raw = d.udp().ask(wire.question("flags.example.com", flags=flags))
    equal(raw[2:4], b"\x81\x80", "flags of the reply")
    equal(server.questions[0].flags, 0x0120, "flags upstream: RD, and AD for those who ask later")


@rows([(f"C17 type {name} is not for a stub, and reaches no upstream", n) for name, n in
       (("AXFR", 252), ("IXFR", 251), ("OPT", 41), ("TKEY", 249), ("TSIG", 250), ("MAILB", 253), ("MAILA", 254))])
def meta_types(t, qtype):
    d, server = stub(t)
    for raw in (d.udp().ask(wire.question("bad.example.com", qtype)), d.tcp().ask(wire.question("bad.example.com", qtype))):
        equal(code_of(raw), REFUSED, "rcode")
    equal(server.questions, [], "questions upstream")


@case("RFC 9824, 3.5: a query for NXNAME gets FORMERR, and reaches no upstream")
def nxname(t):
    d, server = stub(t)
    for raw in (d.udp().ask(wire.question("bad.example.com", 128)), d.tcp().ask(wire.question("bad.example.com", 128))):
        equal(code_of(raw), FORMERR, "rcode")
    equal(server.questions, [], "questions upstream")


@case("C07 256 OPT records do not wrap around to one")
def many_opts(t):
    d, server = stub(t)
    raw = d.tcp().ask(wire.question("bad.example.com", ar=257, extra=wire.opt() * 257))
    equal(code_of(raw), FORMERR, "rcode")
    only_good(server)


@rows([(f"C09 an OPT size of {size} counts as {used}", size, used) for size, used in ((0, 512), (100, 512), (65535, 1232))])
def opt_sizes(t, size, used):
    def answer(q):
        return wire.answer(q, records=[wire.record(b"\xc0\x0c", wire.TXT, 60, bytes([250]) + bytes(250)) for _ in range(12)])
    d, _ = stub(t, answer)
    raw = d.udp().ask(wire.question("size.example.com", wire.TXT, ar=1, extra=wire.opt(size)))
    check(len(raw) <= used, f"{len(raw)} bytes, want at most {used}")
    check(raw[2] & 2, "TC is not set")


@rows([("C10 15,000 empty options are malformed, at once", wire.option(65001) * 15000),
       ("C10 thousands of NSID, COOKIE and PADDING options are malformed", MANY_OPTIONS)])
def many_options(t, options):
    d, _ = stub(t)
    c = d.tcp()
    before = d.process.cpu_seconds()
    for _ in range(50):
        equal(code_of(c.ask(wire.question("options.example.com", ar=1, extra=wire.opt(options=options)))), FORMERR, "rcode")
    spent = d.process.cpu_seconds() - before
    check(spent < (5 if t.sanitized else 1), f"50 such questions cost {spent} s")


@case("C11 the upstream gets one OPT record, the daemon's own, without the client's options")
def one_opt_upstream(t):
    d, server = stub(t)
    options = wire.option(8, b"\0\1\x18\0\xc0\0\2") + wire.option(10, b"c" * 8) + wire.option(65001, b"secret")
    d.udp().ask(wire.question("edns.example.com", ar=1, extra=wire.opt(4096, options)))
    message = server.questions[0].message
    parsed = dns.message.from_wire(message)
    equal(parsed.edns, 0, "EDNS version")
    equal(server.questions[0].ar, 1, "additional records")
    equal({int(o.otype) for o in parsed.options} - {12, 11}, set(), "options other than padding and keepalive (RFC 7830, 7828)")
    check(b"secret" not in message and b"cccccccc" not in message, "a client's option went out")
    equal(len(message) % 128, 0, "length modulo 128 (RFC 8467, 4.1)")


@case("C14 a name of 255 bytes is forwarded")
def longest_name(t):
    d, server = stub(t)
    equal(code_of(d.udp().ask(wire.question(LONG_NAME))), 0, "rcode")
    equal(server.questions[0].labels, LONG_NAME, "the name upstream")


ODD = [b"a\0b", b"c.d", b"back\\slash", b"sp ace", b"at@", b"cr\r\nlf", b"\xff\xfe", b"\x1b[31m", b"example", b"com"]


@case("C15 odd bytes in labels pass unchanged, and are escaped in the log and the tools")
def odd_labels(t):
    d, server = stub(t)
    raw = d.udp().ask(wire.question(ODD))
    equal(server.questions[0].labels, ODD, "labels upstream")
    equal(wire.Question(raw).labels, ODD, "labels of the answer")
    d.ctl("stats")
    log = d.log()
    check(not any(c in log for c in ("\x1b[31m", "\0", "\r")), "raw control bytes in the log")


@rows([(f"C18 type {qtype} is forwarded and its record comes back byte by byte", qtype)
       for qtype in (261, 1000, 32768, 65280, 65534)])
def unknown_types(t, qtype):
    payload = bytes(range(256))
    d, server = stub(t, lambda q: wire.answer(q, records=[wire.record(b"\xc0\x0c", q.qtype, 60, payload)]))
    raw = d.tcp().ask(wire.question("unknown.example.com", qtype))
    check(payload in raw, "the record's bytes")
    equal(server.questions[0].qtype, qtype, "type upstream")


@case("C18 ANY is answered here by one HINFO record (RFC 8482, 4.2), over UDP and TCP")
def any_type(t):
    d, server = stub(t)
    for tcp in (False, True):
        reply = d.ask("any.example.com", "ANY", tcp=tcp)
        equal((client.rcode(reply), client.values(reply, "HINFO")), ("NOERROR", ['"RFC8482" ""']), "answer")
    equal(server.questions, [], "questions upstream")


TSIG = wire.record(wire.name_bytes("key"), 250, 0, wire.name_bytes("hmac-sha256") + bytes(16), 255)


@case("C19 one or two TSIG records are malformed, and memory stays flat")
def tsig(t):
    d, _ = stub(t)
    for n in (1, 2):
        equal(code_of_any(d.udp().ask(wire.question("tsig.example.com", ar=n, extra=TSIG * n))), FORMERR, "rcode")
    with d.udp() as c:
        for _ in range(200):
            c.ask(wire.question("tsig.example.com", ar=2, extra=TSIG * 2))
        before = d.process.rss_kib()
        for _ in range(100_000 if t.long else 4000):
            c.ask(wire.question("tsig.example.com", ar=2, extra=TSIG * 2))
        grown = d.process.rss_kib() - before
    check(grown < (20_000 if t.sanitized else 512), f"{grown} KiB more")


def code_of_any(raw):
    return raw[3] & 15


@case("C21 all 16 combinations of AD CD DO Z: CD and DO pass, Z is cleared, AD goes to clients that ask for it")
def flag_mixes(t):
    def answer(q):
        return wire.answer(q, flags=0x8180 | 0x0020)  # AD set by an upstream that is trusted to validate
    d, server = stub(t, answer)
    for mix in range(16):
        ad, cd, do, z = mix & 1, mix >> 1 & 1, mix >> 2 & 1, mix >> 3 & 1
        name = f"mix{mix}.example.com"
        flags = 0x0100 | (0x0020 if ad else 0) | (0x0010 if cd else 0) | (0x0040 if z else 0)
        raw = d.udp().ask(wire.question(name, flags=flags, ar=1, extra=wire.opt(do=bool(do))))
        q = next(q for q in server.questions if q.name == name)
        up = dns.message.from_wire(q.message)
        equal(bool(q.flags & 0x0010), bool(cd), f"{name}: CD upstream")
        equal(bool(up.ednsflags & dns.flags.DO), bool(do), f"{name}: DO upstream")
        equal(q.flags & 0x0040, 0, f"{name}: Z upstream")
        reply = struct.unpack(">H", raw[2:4])[0]
        equal(reply & 0x0040, 0, f"{name}: Z in the reply")
        equal(bool(reply & 0x0020), bool(ad or do), f"{name}: AD in the reply")
        equal(bool(reply & 0x0010), bool(cd), f"{name}: CD in the reply")


@case("U28 AD of an upstream that is not trusted to validate is cleared")
def ad_untrusted(t):
    site = Site(t)
    server = DotServer(t, site, answer=lambda q: wire.answer(q, flags=0x81a0))
    d = Daemon(t, upstream("one", server, trust_ad=False), anchors=site.anchors)
    raw = d.udp().ask(wire.question("ad.example.com", flags=0x0120))
    equal(raw[3] & 0x20, 0, "AD in the reply")


@case("C21 U28 AD of an answer from the cache goes to those who ask for it, and only from a trusted upstream")
def ad_from_cache(t):
    for trust in (True, False):
        site = Site(t)
        server = DotServer(t, site, answer=lambda q: wire.answer(q, flags=0x81a0))
        d = Daemon(t, upstream("one", server, trust_ad=trust), anchors=site.anchors, name=f"d{trust}")
        for flags, do, asks in ((0x0100, False, False), (0x0120, False, True), (0x0100, True, True), (0x0120, True, True)) * 2:
            raw = d.udp().ask(wire.question("ad.example.com", flags=flags, ar=1, extra=wire.opt(do=do)))
            equal(bool(raw[3] & 0x20), asks and trust, f"AD for flags {flags:#06x}, DO {do}, trust {trust}")
        equal(len(server.questions), 2, "questions: without DO, and with it")


@case("C22 the same question three times from one port becomes one question upstream")
def repeated(t):
    gate = threading.Event()

    def answer(q):
        gate.wait(patient(10))
        return wire.answer(q)
    d, server = stub(t, answer)
    message = wire.question("same.example.com", ident=0x4242)
    with d.udp() as c:
        for _ in range(3):
            c.send(message)
        until(lambda: server.questions, 5, "the question upstream")
        gate.set()
        equal(c.receive()[:2], message[:2], "id of the answer")
    d.ask("after.example.com")
    equal(server.names().count("same.example.com"), 1, "questions upstream")


@rows([("C23 two questions from one port with one id each get their own answer", False),
       ("C23 two questions over one connection with one id each get their own answer", True)])
def same_id(t, tcp):
    d, _ = stub(t)
    with d.tcp() if tcp else d.udp() as c:
        names = [b"one", b"two"]
        for n in names:
            c.send(wire.question([n, b"example", b"com"], ident=0x5151))
        got = {wire.Question(r).labels[0]: r for r in (c.receive(), c.receive())}
    for n in names:
        check(n in got, f"{n} has no answer")
        client.has_data(got[n], [n, b"example", b"com"], what=f"the answer for {n}")


@case("C23 C34 questions of one port, id and name that differ in spelling, flags or EDNS each get their own answer")
def same_id_and_name(t):
    gate = threading.Event()

    def answer(q):
        gate.wait(patient(10))
        return wire.answer(q, flags=0x81a0)
    d, server = stub(t, answer)
    with d.udp() as c:
        for name, more in (("same.example.com", {}), ("SAME.example.com", {}), ("same.example.com", {"flags": 0x0120}),
                           ("same.example.com", {"ar": 1, "extra": wire.opt()}), ("same.example.com", {"ar": 1, "extra": wire.opt(600)})):
            for _ in range(2):  # the second is the same datagram again, and gets no answer of its own
                c.send(wire.question(name, ident=0x5252, **more))
        until(lambda: d.ctl("stats")["counters"]["questions_udp"] == 10, 5, "all questions are read")
        gate.set()

        def reply():
            raw = c.receive()
            return wire.Question(raw).name, bool(raw[3] & 0x20), raw[11]
        got = [reply() for _ in range(5)]
        c.send(wire.question("last.example.com", ident=0x5252))
        equal(reply()[0], "last.example.com", "what comes after five replies")
    equal(sorted(got), [("SAME.example.com", False, 0), ("same.example.com", False, 0), ("same.example.com", False, 1),
                        ("same.example.com", False, 1), ("same.example.com", True, 0)], "name, AD and OPT of each")
    equal(server.names().count("same.example.com"), 1, "questions upstream")


def large(q):
    return wire.answer(q, records=[wire.record(b"\xc0\x0c", wire.TXT, 60, bytes([200]) + bytes([i]) * 200) for i in range(30)])


@rows([("C24 without OPT an answer beyond 512 bytes is cut with TC, and whole over TCP", 0, 512),
       ("C24 an answer beyond the client's 800 bytes is cut with TC, and whole over TCP", 800, 800),
       ("C24 an answer beyond our 1232 bytes is cut with TC, and whole over TCP", 4096, 1232)])
def truncation(t, size, limit):
    d, _ = stub(t, large)
    extra = {"ar": 1, "extra": wire.opt(size)} if size else {}
    message = wire.question("large.example.com", wire.TXT, **extra)
    raw = d.udp().ask(message)
    check(len(raw) <= limit, f"{len(raw)} bytes")
    reply = dns.message.from_wire(raw)
    check(reply.flags & dns.flags.TC, "TC is not set")
    whole = dns.message.from_wire(d.tcp().ask(message))
    check(not whole.flags & dns.flags.TC, "TC over TCP")
    equal(sum(len(r) for r in whole.answer), 30, "records over TCP")
    equal(bool(whole.edns >= 0), bool(size), "OPT in the reply exactly when in the question")


@case("C24 U30 clients that wait for the same answer get each as much as they take, in their own spelling")
def together(t):
    gate = threading.Event()

    def answer(q):
        gate.wait(patient(10))
        return large(q)
    d, server = stub(t, answer)
    asked = [(d.udp(), wire.question("together.example.com", wire.TXT, ident=1), 512),
             (d.udp(), wire.question("TOGETHER.example.com", wire.TXT, ident=2, ar=1, extra=wire.opt(4096)), 1232),
             (d.tcp(), wire.question("Together.example.com", wire.TXT, ident=3), 65535)]
    for c, message, _ in asked:
        c.send(message)
    until(lambda: d.ctl("stats")["counters"]["coalesced"] == 2, 5, "all wait for one answer")
    gate.set()
    for c, message, room in asked:
        with c:
            raw = c.receive()
        cut = room < 65535
        equal((raw[:2], bool(raw[2] & 2), wire.Question(raw).labels), (message[:2], cut, wire.Question(message).labels), "id, TC and name")
        check(len(raw) <= room, f"{len(raw)} bytes, where {room} fit")
        check(len(raw) + 213 > room or not cut, f"{len(raw)} bytes: another record would fit into {room}")
    equal(len(server.questions), 1, "questions upstream")


def texts(n):
    """TXT data of n bytes, in strings as long as may be."""
    data = b""
    while len(data) < n:
        take = min(256, n - len(data))
        take -= take == n - len(data) - 1  # the last byte would be no string
        data += bytes([take - 1]) + b"x" * (take - 1)
    return data


@rows([(f"C24 a reply of {n} bytes over {'TCP' if tcp else 'UDP'}, {'without EDNS' if size is None else f'with EDNS for {size}'}: {'cut' if cut else 'whole'}",
        tcp, size, n, cut) for tcp, size, n, cut in (
    (False, None, 512, False), (False, None, 513, True), (False, 512, 512, False), (False, 512, 513, True), (False, 1231, 1231, False),
    (False, 1231, 1232, True), (False, 1232, 1232, False), (False, 4096, 1232, False), (False, 4096, 1233, True),
    (True, None, 65535, False), (True, 512, 65535, False))])
def exact(t, tcp, size, n, cut):
    """n includes our OPT record, where there is one."""
    def answer(q):
        data = texts(n - 12 - len(q.section) - 12 - (0 if size is None else len(wire.opt())))
        return wire.answer(q, records=[wire.record(b"\xc0\x0c", wire.TXT, 60, data)], with_opt=False)
    d, _ = stub(t, answer)
    message = wire.question("exact.example.com", wire.TXT, **({} if size is None else {"ar": 1, "extra": wire.opt(size)}))
    with d.tcp() if tcp else d.udp() as c:
        raw = c.ask(message)
    equal(bool(raw[2] & 2), cut, "TC")
    check(len(raw) < n if cut else len(raw) == n, f"{len(raw)} bytes, want {n}{' cut' if cut else ''}")


@case("C25 a TCP prefix in two pieces is put together")
def split_prefix(t):
    d, _ = stub(t)
    with d.tcp() as c:
        framed = wire.frame(GOOD)
        c.send_raw(framed[:1])
        with d.udp() as u:
            u.ask(GOOD)  # the daemon has turned since
        c.send_raw(framed[1:3])
        with d.udp() as u:
            u.ask(GOOD)
        c.send_raw(framed[3:])
        equal(c.receive()[:2], GOOD[:2], "id")


@case("C25 a half-closed client still gets all its answers")
def half_close(t):
    d, _ = stub(t)
    with d.tcp() as c:
        for i in range(20):
            c.send(wire.question(f"half{i}.example.com", ident=i))
        c.half_close()
        got = {struct.unpack(">H", c.receive()[:2])[0] for _ in range(20)}
        equal(got, set(range(20)), "ids answered")
        equal(c.receive(), b"", "then it is closed")


@case("C25 an incomplete frame is dropped at the client's FIN")
def cut_frame(t):
    d, server = stub(t)
    with d.tcp() as c:
        c.send_raw(struct.pack(">H", 500) + GOOD)
        c.half_close()
        equal(c.receive(), b"", "the answer")
    equal(server.questions, [], "questions upstream")


@case("C26 1,000 pipelined questions, answered upstream in reverse order, all get their own answer")
def reverse_order(t):
    total = 1000

    def handler(connection):
        batch = []
        while True:
            batch.append(connection.read_question())
            if len(batch) == total:
                for q in reversed(batch):
                    connection.send(wire.answer(q))
    d, _ = stub(t, handler=handler)
    with d.tcp(10) as c:
        c.send_raw(b"".join(wire.frame(wire.question(f"q{i}.example.com", ident=i)) for i in range(total)))
        seen = set()
        for _ in range(total):
            raw = c.receive()
            ident = struct.unpack(">H", raw[:2])[0]
            client.has_data(raw, [b"q%d" % ident, b"example", b"com"], what=f"answer {ident}")
            seen.add(ident)
        equal(len(seen), total, "answers")


@case("C27 thousands of pipelined questions at once leave the stack flat", timeout=180)
def pipelined(t):
    d, _ = stub(t)
    d.ask("warm.example.com")
    total = 100_000 if t.long else 20_000
    framed = wire.frame(wire.question("warm.example.com"))
    with d.tcp(60) as c:
        sender = threading.Thread(target=c.send_raw, args=(framed * total,))
        sender.start()
        answers = 0
        while answers < total and c.receive():
            answers += 1
        sender.join(patient(10))
        equal(answers, total, "answers")


@case("C28 a client that never reads is disconnected, and others are served")
def never_reads(t):
    d, _ = stub(t, large)
    d.ask("large.example.com", "TXT", tcp=True)
    c = d.tcp()
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    c.socket.settimeout(1)
    framed = wire.frame(wire.question("large.example.com", wire.TXT))
    before = d.process.rss_kib()
    sent = 0
    try:
        while sent < 64 * 1024 * 1024 // 6000:
            c.send_raw(framed * 100)
            sent += 100
    except OSError:
        pass  # full, or closed: both are right
    equal(client.rcode(d.ask("other.example.com")), "NOERROR", "another client's answer")
    check(d.process.rss_kib() - before < 32_768, "the daemon holds the answers in memory")

    def gone():
        try:
            c.socket.send(b"\0")
            return False
        except TimeoutError:
            return False
        except OSError:
            return True
    until(gone, 60, "the connection is closed")


@case("C29 urgent data, a reset during a write and a close before the answer affect no other client")
def rude(t):
    gate = threading.Event()

    def answer(q):
        if q.name.startswith("late"):
            gate.wait(patient(10))
        return wire.answer(q)
    d, server = stub(t, answer)
    with d.tcp() as c:
        c.socket.send(b"\0", socket.MSG_OOB)
    for _ in range(20):
        c = d.tcp()
        c.send(wire.question("late.example.com"))
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()
    until(lambda: server.questions, 5, "the question upstream")
    gate.set()
    equal(client.rcode(d.ask("fine.example.com")), "NOERROR", "afterwards")


@case("C30 a loopback listener drops clients from other addresses, over UDP and TCP", netns=True)
def not_from_loopback(t):
    subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)
    d, server = stub(t)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("192.0.2.1", 0))
        s.sendto(wire.question("bad.example.com"), (d.address, d.port))
        dropped(d)
        s.setblocking(False)
        equal(receives(s), None, "the answer over UDP")
    c = client.Tcp.__new__(client.Tcp)
    c.socket, c._held = socket.create_connection((d.address, d.port), 5, ("192.0.2.1", 0)), b""
    with c:
        check(c.closed(5), "the TCP connection stays open")
    only_good(server)
    equal(d.ctl("stats")["counters"]["dropped"], 2, "dropped")


def receives(s):
    try:
        return s.recv(4096)
    except BlockingIOError:
        return None


@case("C32 a question from port 0 is dropped; those from echo, chargen and DNS make no loop", netns=True)
def source_ports(t):
    d, server = stub(t)
    echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    t.defer(echo.close)
    echo.bind(("127.0.0.1", 7))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as s:
        for port in (0, 7, 19, 53):
            message = wire.question(f"p{port}.example.com")
            s.sendto(struct.pack(">HHHH", port, d.port, 8 + len(message), 0) + message, (d.address, 0))
    echo.settimeout(patient(5))
    reply, sender = echo.recvfrom(4096)
    echo.sendto(reply, sender)  # what an echo service does
    dropped(d)
    echo.setblocking(False)
    equal(receives(echo), None, "the answer to an answer")
    equal(sorted(set(server.names()) - {"good.example.com"}), ["p19.example.com", "p53.example.com", "p7.example.com"], "names upstream")
    equal(d.ctl("stats")["counters"]["dropped"], 2, "dropped: port 0, and the echo")


@case("C31 the reply's source is the address that the query was sent to (RFC 2181, 4)")
def reply_address(t):
    net.need_ipv6()
    site = Site(t)
    server = DotServer(t, site)
    d = Daemon(t, upstream("one", server), anchors=site.anchors)
    d.process.stop()
    d.head = d.head.replace(f'"127.0.0.1:{d.port}"', f'"127.0.0.53:{d.port}", "127.0.0.54:{d.port}", "[::1]:{d.port}"')
    d.write(upstream("one", server))
    again = t.spawn("ctstubd", [t.program("ctstubd"), "-c", d.config])
    d.process = again
    for address in ("127.0.0.53", "127.0.0.54", "::1"):
        d.address = address
        until(lambda: net.answers_tcp(d.address, d.port), 10, f"{address} is listening")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(patient(5))
            s.sendto(GOOD, (address, d.port))
            equal(s.recvfrom(4096)[1][0], address, "source of the answer")


@case("C31 one socket for both families: each reply's source is the address that was asked, over IPv4 as well")
def both_families(t):
    """As a service manager makes it when IPV6_V6ONLY is off."""
    net.need_ipv6()
    d, server = stub(t, wait=False, listen=[f"[::]:{net.free_port()}"], allow=["192.0.2.0/24"])
    d.process.stop()
    port = int(d.head.partition("[::]:")[2].partition('"')[0])
    sockets = []
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        s = socket.socket(socket.AF_INET6, kind)
        t.defer(s.close)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.bind(("::", port))
        s.set_inheritable(True)
        sockets.append(s)
    sockets[1].listen()
    numbers = [s.fileno() for s in sockets]
    d.process = t.spawn("ctstubd", [sys.executable, "-c", HAND_OVER, ",".join(map(str, numbers)), t.program("ctstubd"), "-c", d.config],
                        pass_fds=numbers)
    d.process.wait_log(" started ")
    for address in ("127.0.0.1", "127.0.0.9", "::1"):
        name = f"a{address.replace(':', '').replace('.', '')}.example.com"
        for _ in range(2):  # after a wait for the upstream, and from the cache
            with client.Udp(address, port) as u:  # connected: a reply from another address does not arrive
                equal(code_of(u.ask(wire.question(name))), 0, f"rcode over UDP to {address}")
        with client.Tcp(address, port) as c:
            equal(code_of(c.ask(wire.question(f"tcp-{name}"))), 0, f"rcode over TCP to {address}")
    equal(len(server.questions), 6, "questions upstream")


@rows([(f"C33 {name} {qtype} is answered here", name, qtype, rcode) for name, qtype, rcode in (
    ("localhost", "A", "NOERROR"), ("localhost", "AAAA", "NOERROR"), ("a.localhost", "A", "NOERROR"),
    ("printer.local", "A", "NXDOMAIN"), ("x.onion", "A", "NXDOMAIN"), ("x.invalid", "A", "NXDOMAIN"), ("x.alt", "A", "NXDOMAIN"),
    ("router.home.arpa", "A", "NXDOMAIN"), ("resolver.arpa", "SVCB", "NOERROR"), ("_dns.resolver.arpa", "SVCB", "NOERROR"),
    ("_matter._tcp.default.service.arpa", "PTR", "NXDOMAIN"),
    ("1.0.0.127.in-addr.arpa", "PTR", "NOERROR"), ("1.1.168.192.in-addr.arpa", "PTR", "NXDOMAIN"),
    ("1.0.0.10.in-addr.arpa", "PTR", "NXDOMAIN"), ("1.0.254.169.in-addr.arpa", "PTR", "NXDOMAIN"),
    ("1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "PTR", "NXDOMAIN"), ("1.0.0.0.0.0.d.f.ip6.arpa", "PTR", "NXDOMAIN"))])
def special_names(t, name, qtype, want):
    d, server = stub(t)
    for tcp in (False, True):
        reply = d.ask(name, qtype, tcp=tcp)
        equal(client.rcode(reply), want, "rcode")
    equal(server.questions, [], "questions upstream")
    equal(server.application_bytes, 0, "bytes upstream")


@case("C34 each client gets its own spelling back; case variants share one cache entry")
def spelling(t):
    d, server = stub(t)
    for name in ("wWw.ExAmPlE.cOm", "www.example.com", "WWW.EXAMPLE.COM"):
        raw = d.udp().ask(wire.question(name))
        equal(wire.Question(raw).name, name, "the question in the answer")
        client.has_data(raw, [b"www", b"example", b"com"])
    equal(len(server.questions), 1, "questions upstream")


def negative(q):
    soa = wire.record(wire.name_bytes("example.com"), wire.SOA, 300, b"\0\0" + struct.pack(">IIIII", 1, 2, 3, 4, 300))
    body = wire.header(q.ident, 0x8183, 1, 0, 1, 1) + q.section + soa + wire.opt()
    return body


@case("C35 AAAA then A of a name that does not exist: each reply carries its own question")
def negative_types(t):
    d, _ = stub(t, negative)
    for qtype in ("AAAA", "A", "AAAA", "A"):
        reply = d.ask("missing.example.com", qtype, do=True)
        equal(client.rcode(reply), "NXDOMAIN", "rcode")
        equal(reply.question[0].rdtype, client.dns.rdatatype.from_text(qtype), "type in the question")


@case("C36 A, AAAA and HTTPS of one name from the cache never mix")
def types_from_cache(t):
    d, server = stub(t)
    for _ in range(4):
        for qtype, number in (("A", 1), ("AAAA", 28), ("HTTPS", 65)):
            with d.udp() as c:
                raw = c.ask(wire.question("mixed.example.com", number))
            client.has_data(raw, [b"mixed", b"example", b"com"], number, what=f"the answer for {qtype}")
    equal(len(server.questions), 3, "questions upstream")

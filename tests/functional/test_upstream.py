"""What upstreams may answer: reliability cases U01 to U32, over DoT; those of HTTP are in test_doh."""
import ssl
import struct
import threading
import time

import dns.message

from functional._common import servfail, stub, two
from harness import client, wire
from harness.case import at_most, case, check, equal, rows, until, within
from harness.daemon import Daemon, upstream
from harness.patience import patient
from harness.pki import Site
from harness.standstill import TimeIsUp
from harness.upstream import DohServer, DotServer, Gone

HIDDEN = bytes([6, 6, 6, 6])
LATE_S = 0.25  # after this long another upstream may be asked: the first is still connecting (UPSTREAM_RACE_MS)
OWNER = b"\xc0\x0c"


@case("U01 answers with a wrong id are ignored until the right one arrives")
def wrong_id(t):
    def handler(connection):
        while True:
            q = connection.read_question()
            for offset in (1, 2, 3):
                other = wire.answer(q, records=[wire.record(OWNER, 1, 60, HIDDEN)])
                connection.send(struct.pack(">H", (q.ident + offset) & 0xffff) + other[2:])
            connection.send(wire.answer(q))
    d, _ = stub(t, handler=handler)
    raw = d.udp().ask(wire.question("id.example.com"))
    check(HIDDEN not in raw, "the wrong answer was delivered")
    client.has_data(raw, [b"id", b"example", b"com"], what="the right answer")


@case("U01 U15 the daemon disconnects from a server that floods it with unsolicited answers")
def unasked(t):
    def handler(connection):
        q = connection.read_question()
        try:
            for i in range(200_000):
                if i & 0xffff != q.ident:
                    connection.send(struct.pack(">H", i & 0xffff) + wire.answer(q)[2:])
        except Gone:
            connection.server.was_left = True
            raise
    d, first, _ = two(t, {"handler": handler})
    first.was_left = False
    equal(client.rcode(d.ask("flood.example.com")), "NOERROR", "rcode, from the good one")
    until(lambda: first.was_left, 10, "the connection is closed on the flooder")


@rows([(f"a server that closes each connection after {n} answers loses no question of a burst", n) for n in (1, 2, 3, 7)])
def few_answers(t, n):
    def handler(connection):
        for _ in range(n):
            connection.send(wire.answer(connection.read_question()))
    d, server = stub(t, handler=handler)
    total = 0
    for burst in range(5):
        with d.udp(timeout=10) as questions:
            for i in range(12):
                questions.send(wire.question(f"n{i}.zone{burst}-{i}.com", ident=i))
            got = [questions.receive()[3] & 15 for _ in range(12)]
        equal(got, [0] * 12, f"RCODEs of burst {burst}")
        total += 12
    at_most(server.connections, total // n + 12, "connections")


def mangle_question(q, **change):
    labels = change.get("labels", q.labels)
    section = wire.name_bytes(labels) + struct.pack(">HH", change.get("qtype", q.qtype), change.get("qclass", q.qclass))
    return wire.header(q.ident, change.get("flags", 0x8180), change.get("qd", 1), 1, 0, 0) + section + wire.record(OWNER, 1, 60, HIDDEN)


MISMATCHES = {
    "U02 another name": lambda q: mangle_question(q, labels=[b"planted", b"example", b"com"]),
    "U02 another type": lambda q: mangle_question(q, qtype=28),
    "U02 another class": lambda q: mangle_question(q, qclass=3),
    "U03 no question": lambda q: wire.header(q.ident, 0x8180, 0, 1) + wire.record(wire.name_bytes("x.example.com"), 1, 60, HIDDEN),
    "U03 two questions": lambda q: wire.header(q.ident, 0x8180, 2, 1) + q.section * 2 + wire.record(OWNER, 1, 60, HIDDEN),
    "U03 not a response": lambda q: mangle_question(q, flags=0x0100),
    "U03 opcode UPDATE": lambda q: mangle_question(q, flags=0x8180 | 5 << 11),
    "U05 an A record whose length hides another": lambda q: wire.header(q.ident, 0x8180, 1, 2) + q.section +
        wire.record(OWNER, 1, 60, b"\x0a\0\0\1" + wire.record(OWNER, 1, 60, HIDDEN)) + wire.record(OWNER, 1, 60, b"\x0a\0\0\2"),
    "U06 A of no bytes": lambda q: wire.answer(q, records=[wire.record(OWNER, 1, 60, b"")]),
    "U06 A of three bytes": lambda q: wire.answer(q, records=[wire.record(OWNER, 1, 60, HIDDEN[:3])]),
    "U06 AAAA of 17 bytes": lambda q: wire.answer(q, records=[wire.record(OWNER, 28, 60, bytes(17))]),
    "U06 SOA cut short": lambda q: wire.answer(q, records=[wire.record(OWNER, 6, 60, b"\0\0" + bytes(10))]),
    "U06 CNAME longer than its record": lambda q: wire.answer(q, records=[
        OWNER + struct.pack(">HHIH", 5, 1, 60, 3) + wire.name_bytes("target.example.com")]),
    "U06 TXT string longer than its record": lambda q: wire.answer(q, records=[wire.record(OWNER, 16, 60, b"\x20abc")]),
    "U07 more records promised than there are": lambda q: wire.header(q.ident, 0x8180, 1, 9) + q.section + wire.record(OWNER, 1, 60, HIDDEN),
    "U07 cut inside the TTL": lambda q: wire.answer(q, with_opt=False)[:-9],
    "U07 cut inside the data": lambda q: wire.answer(q, with_opt=False)[:-1],
    "U12 bytes after the message": lambda q: wire.answer(q) + b"\0",
    "U17 two OPT records": lambda q: wire.header(q.ident, 0x8180, 1, 0, 0, 2) + q.section + wire.opt() * 2,
    "U16 eleven bytes": lambda q: wire.answer(q)[:11],
}


@rows([(f"{what}: refused, the other upstream answers, and the cache stays clean", change) for what, change in MISMATCHES.items()])
def spoilt_answer(t, change):
    d, first, second = two(t, {"answer": change})
    for _ in range(2):
        raw = d.udp().ask(wire.question("spoilt.example.com"))
        check(HIDDEN not in raw, "6.6.6.6 was delivered")
        client.has_data(raw, [b"spoilt", b"example", b"com"], what="the good upstream's answer")
    until(lambda: first.questions, 10, "the bad one is asked")
    first.answer = wire.answer
    raw = d.udp().ask(wire.question("planted.example.com"))
    check(HIDDEN not in raw, "6.6.6.6 stands under another name")


@rows([("U02 another name: alone, SERVFAIL that says answer-mismatch", MISMATCHES["U02 another name"], "answer-mismatch"),
       ("U06 A of three bytes: alone, SERVFAIL that says answer-malformed", MISMATCHES["U06 A of three bytes"], "answer-malformed")])
def spoilt_alone(t, change, reason):
    d, _ = stub(t, change)
    servfail(d.ask("alone.example.com"), "one", reason)


@case("U07 every prefix of a valid answer is refused without harm")
def prefixes(t):
    whole = {}

    def answer(q):
        message = wire.answer(q)
        whole.setdefault("n", len(message))
        return message[:int(q.labels[0][1:])] if q.labels[0].startswith(b"p") else message
    d, _ = stub(t, answer)
    d.ask("a.example.com")
    for n in range(12, whole["n"], 1 if t.long else 3):
        equal(client.rcode(d.ask(f"p{n}.example.com")), "SERVFAIL", f"rcode for {n} bytes")
    number = iter(range(10_000))
    until(lambda: client.rcode(d.ask(f"b{next(number)}.example.com")) == "NOERROR", 15, "a good answer afterwards")


@case("U04 TC over DoT does not loop: fails over once, then SERVFAIL")
def truncated_upstream(t):
    site = Site(t)
    servers = [DotServer(t, site, answer=lambda q: wire.answer(q, flags=0x8380)) for _ in range(2)]
    d = Daemon(t, [upstream(f"u{i}", s) for i, s in enumerate(servers)], anchors=site.anchors, extra='strategy = "ordered"\nhedge = false\n')
    servfail(d.ask("tc.example.com"), "answer-malformed")
    for s in servers:
        equal(len(s.questions), 1, "questions")
    servers[1].answer = wire.answer
    equal(client.rcode(d.ask("whole.example.com")), "NOERROR", "rcode with a whole answer behind a cut one")


def pointer_chain():
    """64 KB: names that point to names that point to names."""
    def answer(q):
        body, start = b"", 12 + len(q.section)
        records = []
        at = start
        records.append(wire.record(wire.name_bytes("a.example.com"), 16, 60, b"\x01x"))
        at += len(records[0])
        previous = start
        while at < 60_000:
            if previous >= 0x3fff:
                break
            r = wire.record(struct.pack(">H", 0xc000 | previous), 16, 60, b"\x01x")
            previous = at
            records.append(r)
            at += len(r)
        body = b"".join(records)
        return wire.header(q.ident, 0x8180, 1, len(records)) + q.section + body
    return answer


def dname_crowd():
    """64 KB: a chain of 64 aliases with names of 122 labels, and 900 DNAMEs of other such names."""
    def answer(q):
        behind = struct.pack(">H", 0xc000 | 13 + q.message[12])  # the question's name without its first label
        body, alias = b"", 12
        for i in range(64):
            at = 12 + len(q.section) + len(body)
            body += wire.record(struct.pack(">H", 0xc000 | alias), wire.CNAME, 60, b"\x02%02d" % i + behind)
            alias = at + 12
        for i in range(900):
            body += wire.record(b"\x01z" + behind, 39, 60, b"\0")
        rest = wire.record(b"\0", 65400, 60, bytes(64_000 - len(body)))  # long messages may hold long names
        return wire.header(q.ident, 0x8180, 1, 964, 1) + q.section + body + rest
    return answer


@rows([("U08 64 KB of pointers to pointers cost little time", pointer_chain, [b"example", b"com"]),
       ("U08 64 aliases among 900 DNAMEs cost little time", dname_crowd, [b"a"] * 120)])
def costly(t, make, domain):
    d, _ = stub(t, make())
    with d.tcp() as c:
        c.ask(wire.question([b"warm", *domain]))
        before = d.process.cpu_seconds()
        for i in range(50):
            check(c.ask(wire.question([b"costly%d" % i, *domain])), "no answer")
    spent = d.process.cpu_seconds() - before
    check(spent < (5 if t.sanitized else 0.5), f"50 such answers cost {spent} s")


# not under the sanitizers: they keep what was freed
@case("U09 a thousand answers with 64 KB of CNAMEs leave memory bounded", timeout=180, builds=("gcc",))
def many_cnames(t):
    def answer(q):
        records = [wire.record(OWNER, 5, 0, struct.pack(">H", 0xc00c)) for _ in range(4500)]
        return wire.answer(q, records=records, with_opt=False)
    d, _ = stub(t, answer)
    with d.tcp(30) as c:
        for i in range(20):
            c.ask(wire.question(f"c{i}.example.com"))
        before = d.process.rss_kib()
        for i in range(1000 if t.long else 200):
            c.ask(wire.question(f"d{i}.example.com"))
    grown = d.process.rss_kib() - before
    check(grown < 24_576, f"{grown} KiB more")


@rows([("U10 a CNAME loop is passed on, not followed", lambda q: [wire.record(OWNER, 5, 60, OWNER)]),
       ("U10 a chain of 2,000 CNAMEs is passed on, not followed", lambda q: [
           wire.record(wire.name_bytes(f"n{i}.x"), 5, 60, wire.name_bytes(f"n{i + 1}.x")) for i in range(2000)]),
       ("U32 a CNAME without its target is passed on as it is", lambda q: [wire.record(OWNER, 5, 60, wire.name_bytes("t.example.net"))]),
       ("U10 a DNAME is passed on", lambda q: [wire.record(wire.name_bytes("example.com"), 39, 60, wire.name_bytes("example.net")),
                                               wire.record(OWNER, 5, 60, wire.name_bytes("cname.example.net"))])])
def aliases(t, records):
    d, server = stub(t, lambda q: wire.answer(q, records=records(q), with_opt=False))
    reply = d.ask("alias.example.com", tcp=True)
    equal(client.rcode(reply), "NOERROR", "rcode")
    check(reply.answer, "the aliases are missing")
    equal(set(server.names()), {"alias.example.com"}, "names upstream")
    at_most(len(server.questions), 1, "questions upstream")


@case("U11 U12 records for other names in an answer are not cached")
def extra_records(t):
    def answer(q):
        if q.name == "first.example.com":
            extra = [wire.record(wire.name_bytes("victim.example.com"), 1, 86400, HIDDEN)]
            return wire.answer(q, records=[wire.record(OWNER, 1, 60, b"\1\2\3\4")] + extra)
        return wire.answer(q)
    d, server = stub(t, answer)
    d.ask("first.example.com")
    raw = d.udp().ask(wire.question("victim.example.com"))
    check(HIDDEN not in raw, "the planted record was delivered")
    check("victim.example.com" in server.names(), "the other name was not asked for")


@case("U13 duplicate answers and answers after the client's time are ignored")
def late_answers(t):
    def handler(connection):
        held = []
        while True:
            q = connection.read_question()
            connection.send(wire.answer(q))
            connection.send(wire.answer(q))
            for old in held:
                connection.send(wire.answer(old))
            held = (held + [q])[-20:]
    d, _ = stub(t, handler=handler)
    for i in range(100):
        equal(client.rcode(d.ask(f"twice{i}.example.com")), "NOERROR", "rcode")


@case("U13 an answer read together with the end of the connection is used")
def answer_and_end(t):
    def handler(connection):
        q = connection.read_question()
        connection.send(wire.answer(q))
    d, _ = stub(t, handler=handler)
    for i in range(20):
        equal(client.rcode(d.ask(f"end{i}.example.com")), "NOERROR", "rcode")


@case("U14 no two questions in flight on a connection share an id")
def ids(t):
    gate, seen = threading.Event(), []

    def handler(connection):
        batch, idents = [], []
        seen.append(idents)  # of one connection: questions come again over another when this server is slow
        while len(batch) < 2000:
            q = connection.read_question()
            idents.append(q.ident)
            batch.append(q)
        for q in batch:
            connection.send(wire.answer(q))
        gate.wait(patient(20))
    d, _ = stub(t, handler=handler)
    with d.tcp(20) as c:
        c.send_raw(b"".join(wire.frame(wire.question(f"i{i}.example.com", ident=i)) for i in range(2000)))
        for _ in range(2000):
            check(c.receive(), "an answer is missing")
    gate.set()
    for idents in seen:
        equal(len(set(idents)), len(idents), "different ids")
    most = max(seen, key=len)
    equal(len(most), 2000, "questions on one connection")
    check(sorted(most) != list(range(min(most), min(most) + 2000)), "ids can be guessed: they count up")


@rows([("U16 a frame of length 0", b"\0\0"), ("U16 a frame of five bytes", b"\0\5abcde"),
       ("U16 an incomplete frame of 65,535 bytes", b"\xff\xff" + b"x" * 100)])
def bad_frames(t, raw):
    def handler(connection):
        connection.read_question()
        connection.send_raw(raw)
        connection.read_question()
    d, _, second = two(t, {"handler": handler})
    started = time.monotonic()
    equal(client.rcode(d.ask("frame.example.com")), "NOERROR", "rcode, from the good one")
    within(4.5, started, "longer than a client waits")
    check(second.questions, "the good one was asked")


@case("U18 every RCODE: NXDOMAIN and NOERROR are answers; SERVFAIL, REFUSED and NOTIMP fail over, at most once")
def rcodes(t):
    site = Site(t)
    first = DotServer(t, site, answer=lambda q: wire.answer(q, rcode=int(q.labels[0][1:])))
    second = DotServer(t, site)
    d = Daemon(t, [upstream("bad", first), upstream("good", second)], anchors=site.anchors, extra='strategy = "ordered"\nhedge = false')
    for code in range(0, 16):
        began = time.monotonic()
        reply = d.ask(f"r{code}.example.com")
        asked_second = second.names().count(f"r{code}.example.com")
        if code in (0, 3):
            if asked_second and time.monotonic() - began >= LATE_S:
                raise TimeIsUp(f"rcode {code}: no answer of the first upstream within {LATE_S} s")
            equal(asked_second, 0, f"rcode {code}: questions to the second upstream")
            equal(int(reply.rcode()), code, "rcode passed on")
        if code in (2, 4, 5):
            equal(asked_second, 1, f"rcode {code}: questions to the second upstream")
            equal(client.rcode(reply), "NOERROR", "the second one's answer")
        check(first.names().count(f"r{code}.example.com") <= 2, "questions to the first upstream")


def rcode_for(code, edns):
    """What a client is told of an upstream's code: those of the hop (RFC 6891, 9; 8945, 3) are not its own, and the upper bits
    have no place without an OPT record."""
    hop = 16 <= code <= 23
    return 2 if hop or (code > 15 and not edns) else code


@rows([(f"U18 every RCODE up to 24, and 3841 and 4095, over {kind.alpn[0]}: what clients with and without EDNS get", kind)
       for kind in (DotServer, DohServer)])
def extended_rcodes(t, kind):
    def answer(q):
        code = int(q.labels[0][1:])
        return wire.header(q.ident, 0x8180 | code & 15, 1, 0, 0, 1) + q.section + wire.opt(rcode=code >> 4)
    d, server = stub(t, answer, kind=kind, extra="hedge = false\n")
    for code in [*range(0, 25), 3840, 3841, 4095]:
        for edns in (True, False):
            for tcp in (False, True):  # the second comes from the cache
                question = client.query(f"r{code}.{'with' if edns else 'without'}.example.com", edns=edns)
                reply = client.exchange(d.address, d.port, question, tcp)
                equal(int(reply.rcode()), rcode_for(code, edns), f"rcode for {code}, {'with' if edns else 'without'} EDNS")
    names = server.names()
    at_most(max(names.count(name) for name in names), 3, "questions of one name (RFC 9520, 3.2)")


@rows([("U19 TTL 0 is not kept", 0, 0), ("U19 a TTL with its top bit set counts as 0 (RFC 2181, 8)", 1 << 31, 0),
       ("U19 TTL 2^32-1 counts as 0", 2**32 - 1, 0), ("U19 ten years become a day", 315360000, 86400)])
def ttls(t, ttl, shown):
    d, server = stub(t, lambda q: wire.answer(q, ttl=ttl))
    for _ in range(2):
        reply = d.ask("ttl.example.com")
        check(reply.answer[0].ttl <= shown, f"TTL {reply.answer[0].ttl}, want at most {shown}")
    equal(len(server.questions), 1 if shown else 2, "questions upstream")


@case("U19 NXDOMAIN without SOA is cached for a second, with a huge MINIMUM for an hour at most")
def negatives(t):
    def answer(q):
        if q.labels[0] == b"bare":
            return wire.answer(q, rcode=3)
        soa = wire.record(wire.name_bytes("example.com"), 6, 4000000, b"\0\0" + struct.pack(">IIIII", 1, 2, 3, 4, 4000000))
        return wire.header(q.ident, 0x8183, 1, 0, 1, 0) + q.section + soa
    d, server = stub(t, answer)
    for _ in range(2):
        reply = d.ask("huge.example.com")
        check(reply.authority[0].ttl <= 3600, f"TTL {reply.authority[0].ttl}")
    equal(server.names().count("huge.example.com"), 1, "questions for the one with SOA")
    d.ask("bare.example.com")
    until(lambda: d.ask("bare.example.com") and server.names().count("bare.example.com") > 1, 10, "the one without SOA is asked for again")


@case("U21 removing an OPT record from the middle leaves all others unchanged")
def opt_in_the_middle(t):
    def answer(q):
        target = wire.name_bytes("mail.example.com")
        opt = wire.opt(1232, wire.option(15, b"\0\x16hello") + wire.option(12, bytes(20)))
        additional = [opt, wire.record(target, 1, 60, b"\1\2\3\4"), wire.record(b"\xc0\x0c", 1, 60, b"\5\6\7\x08")]
        answers = wire.record(OWNER, 15, 60, b"\0\x0a" + target)
        return wire.header(q.ident, 0x8180, 1, 1, 0, 3) + q.section + answers + b"".join(additional)
    d, _ = stub(t, answer)
    for edns in (False, True):
        reply = client.exchange(d.address, d.port, client.query("mx.example.com", "MX", edns=edns))
        equal(client.values(reply, "MX"), ["10 mail.example.com."], "answer")
        extra = sorted((str(r.name), r[0].to_text()) for r in reply.additional)
        equal(extra, [("mail.example.com.", "1.2.3.4"), ("mx.example.com.", "5.6.7.8")], "additional records")
        equal(reply.edns >= 0, edns, "OPT exactly when asked with one")


@case("U23 cookie, keepalive, padding and NSID of the upstream never reach the client")
def hop_by_hop(t):
    options = wire.option(10, b"c" * 16) + wire.option(11, b"\0\x64") + wire.option(12, bytes(100)) + wire.option(3, b"nsid") + \
        wire.option(15, b"\0\x03stale \x1b[31m text")

    def answer(q):
        return wire.header(q.ident, 0x8180, 1, 1, 0, 1) + q.section + wire.record(OWNER, 1, 60, b"\1\2\3\4") + wire.opt(1232, options)
    d, _ = stub(t, answer)
    for _ in range(2):
        raw = d.udp().ask(wire.question("hop.example.com", ar=1, extra=wire.opt()))
        reply = dns.message.from_wire(raw)
        types = {int(o.otype) for o in reply.options}
        equal(types - {15}, set(), "options that came through")
        check(b"\x1b" not in raw, "a control byte in the extended error")


def close_with_finished(context, plain):
    """For on_accept: close_notify comes together with the server's Finished, so the client has no time for a question."""
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(received, to_send, server_side=True)
    plain.settimeout(20)
    done = False
    while not done:
        try:
            tls.do_handshake()
            done = True
            tls.unwrap()
        except ssl.SSLWantReadError:
            plain.sendall(to_send.read())
        data = b"" if done else plain.recv(65536)
        received.write(data)
        done |= not data
    return False


@rows([("U25 the server closes after the accept", "accept"), ("U25 closes after the handshake", "handshake"),
       ("U25 closes with the last bytes of the handshake", "finished"),
       ("U25 the server closes in the middle of a frame", "frame"), ("U25 resets after the question", "reset")])
def closes(t, stage):
    def handler(connection):
        if stage == "handshake":
            return
        q = connection.read_question()
        if stage == "frame":
            connection.send_raw(wire.frame(wire.answer(q))[:20])
        if stage == "reset":
            connection.reset()
    bad, contexts = {"handler": handler}, []
    if stage == "accept":
        bad["on_accept"] = lambda plain: False
    if stage == "finished":
        bad["tune"] = contexts.append
        bad["on_accept"] = lambda plain: close_with_finished(contexts[0], plain)
    d, first, second = two(t, bad)
    started = time.monotonic()
    for i in range(5):
        equal(client.rcode(d.ask(f"c{i}.example.com")), "NOERROR", "rcode, from the good one")
    within(8, started, "the other upstream is found too slowly")
    at_most(first.connections, 15, "connections for 5 questions")


@case("U25 with a server that closes after each answer every client is answered")
def closes_after_answer(t):
    def handler(connection):
        connection.send(wire.answer(connection.read_question()))
    d, server = stub(t, handler=handler)
    for i in range(50):
        equal(client.rcode(d.ask(f"each{i}.example.com")), "NOERROR", "rcode")
    at_most(server.connections, 110, "connections for 50 questions")


@case("U26 with two upstreams down: a few attempts each, then SERVFAIL with EDE 22 or 23 in time, no busy loop")
def all_down(t):
    site = Site(t)
    servers = [DotServer(t, site) for _ in range(2)]
    for s in servers:
        s.stop()
    d = Daemon(t, [upstream(f"u{i}", s) for i, s in enumerate(servers)], anchors=site.anchors)
    started = time.monotonic()
    reply = d.ask("down.example.com")
    within(4.5, started, "longer than a client waits")
    servfail(reply, "connect-refused")
    check({code for code, _ in client.ede(reply)} & {22, 23}, f"INFO-CODE {client.ede(reply)}")
    before = d.process.cpu_seconds()
    with d.udp() as c:
        for i in range(200):
            c.send(client.query(f"down{i}.example.com").to_wire())
        for i in range(200):
            c.receive()
    check(d.process.cpu_seconds() - before < (6 if t.sanitized else 1.5), "the daemon is busy with nothing")


@case("U27 three slow answers do not delay a thousand others")
def slow_ones(t):
    gate = threading.Event()

    def handler(connection):
        while True:
            q = connection.read_question()
            if q.labels[0] in (b"q100", b"q500", b"q900"):
                def later(q=q):
                    gate.wait(patient(20))
                    connection.send(wire.answer(q))
                threading.Thread(target=later, daemon=True).start()
            else:
                connection.send(wire.answer(q))
    d, _ = stub(t, handler=handler)
    with d.tcp(20) as c:
        c.send_raw(b"".join(wire.frame(wire.question(f"q{i}.example.com", ident=i)) for i in range(1000)))
        for _ in range(997):
            ident = struct.unpack(">H", c.receive()[:2])[0]
            check(ident not in (100, 500, 900), "a slow one came before its time")
        gate.set()
        last = {struct.unpack(">H", c.receive()[:2])[0] for _ in range(3)}
    equal(last, {100, 500, 900}, "the slow ones")


@case("U30 when one of two clients waiting for the same question leaves, the other is answered")
def one_leaves(t):
    gate = threading.Event()

    def answer(q):
        if q.name.startswith("shared"):
            gate.wait(patient(10))
        return wire.answer(q, ttl=0)
    d, server = stub(t, answer)
    leaving, staying = d.tcp(), d.udp()
    leaving.send(wire.question("shared.example.com", ident=1))
    staying.send(wire.question("shared.example.com", ident=2))
    until(lambda: server.questions, 5, "the question upstream")
    leaving.close()
    gate.set()
    raw = staying.receive()
    equal(raw[:2], b"\0\2", "id")
    equal(server.names().count("shared.example.com"), 1, "questions upstream")


@case("U22 compressed names in SRV and unknown types pass unchanged")
def odd_compression(t):
    data = b"\0\1\0\2\0\x35" + b"\xc0\x0c"
    d, _ = stub(t, lambda q: wire.answer(q, records=[wire.record(OWNER, 65400, 60, data)], with_opt=False))
    raw = d.udp().ask(wire.question("compressed.example.com", 65400))
    check(data in raw, "the record was changed")


@case("U24 a keepalive time of 0 ends the connection after the answer; a wrong length is ignored")
def keepalive(t):
    def answer(q):
        value = b"\0\0" if q.labels[0] == b"zero" else b"\0\1\2"
        return wire.header(q.ident, 0x8180, 1, 1, 0, 1) + q.section + wire.record(OWNER, 1, 0, b"\1\2\3\4") + wire.opt(1232, wire.option(11, value))
    d, server = stub(t, answer)
    equal(client.rcode(d.ask("zero.example.com")), "NOERROR", "rcode with keepalive 0")
    until(lambda: not server.live, 5, "the connection is closed")
    for i in range(3):
        equal(client.rcode(d.ask(f"odd{i}.example.com")), "NOERROR", "rcode with an odd option")
    equal(server.handshakes, 2, "connections")


# ---- RFC 9520

def close_on(connection, q):
    raise Gone


def reset_on(connection, q):
    connection.reset()
    raise Gone


def break_off_on(connection, q):
    connection.send_raw(wire.frame(wire.answer(q))[:20])
    raise Gone


TRIES = [
    ("a server that closes the connection", close_on), ("a server that resets it", reset_on), ("a server that closes it in the middle of the answer", break_off_on),
    ("an answer of five bytes", lambda c, q: c.send_raw(b"\0\5hello")), ("an answer of no bytes", lambda c, q: c.send_raw(b"\0\0")),
    ("bytes that are no answer", lambda c, q: c.send(b"\xff" * 40)), ("another id", lambda c, q: c.send(b"\x55\x55" + wire.answer(q)[2:])),
    ("silence", lambda c, q: None), ("SERVFAIL", lambda c, q: c.send(wire.answer(q, rcode=2))), ("REFUSED", lambda c, q: c.send(wire.answer(q, rcode=5))),
    ("TC", lambda c, q: c.send(wire.answer(q, flags=0x8380))), ("a malformed record", lambda c, q: c.send(wire.answer(q, records=[wire.record(OWNER, 1, 60, b"abc")]))),
]


@rows([(f"RFC 9520 {what}: no server is asked the same question more than three times", react) for what, react in TRIES])
def tries(t, react):
    def handler(connection):
        while True:
            react(connection, connection.read_question())
    d, server = stub(t, handler=handler)
    for i in range(3):
        check(client.rcode(d.ask(f"t{i}.e{i}.com")) in ("SERVFAIL", "REFUSED"), "rcode")
        at_most(server.names().count(f"t{i}.e{i}.com"), 3, f"questions of name {i}")

"""DNS over HTTPS: reliability cases H01 to H24, with an HTTP/2 server in Python that does what a test tells it."""
import base64
import threading
import time

from functional._common import servfail, stub, stub_doh
from harness import client, wire
from harness.case import at_most, case, check, equal, rows, until, within
from harness.daemon import Daemon, upstream
from harness.patience import patient
from harness.pki import Site
from harness.upstream import DohServer, DotServer, Gone

TYPE = ("content-type", "application/dns-message")


def beside_good(t, respond, **options):
    """A bad DoH server first, a good one behind it."""
    site = Site(t)
    bad = DohServer(t, site, respond=respond, **options)
    good = DohServer(t, site)
    d = Daemon(t, [upstream("bad", bad), upstream("good", good)], anchors=site.anchors, extra='strategy = "ordered"\n')
    return d, bad, good


@rows([(f"H24 {method.upper()}{what}: the request follows RFC 8484 exactly", method, path) for method in ("post", "get")
       for what, path in (("", "/some/path"), (" with a path that is a URI template", "/some/path{?dns}"))])
def request(t, method, path):
    site = Site(t)
    server = DohServer(t, site)
    d = Daemon(t, upstream("one", server, method=method, path=path), anchors=site.anchors)
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    r = server.requests[0]
    equal(r.h[":method"], method.upper(), ":method")
    equal(r.h[":scheme"], "https", ":scheme")
    equal(r.h[":authority"], f"127.0.0.1:{server.port}", ":authority")
    equal(r.h["accept"], "application/dns-message", "accept")
    equal(r.question.ident, 0, "id (RFC 8484, 4.1)")
    if method == "post":
        equal(r.h[":path"], "/some/path", ":path")
        equal(r.h["content-type"], "application/dns-message", "content-type")
        equal(r.h.get("content-length"), str(len(r.body)), "content-length")
        equal(len(r.body) % 128, 0, "length modulo 128")
    else:
        text = r.h[":path"].partition("/some/path?dns=")[2]
        check(text and "=" not in text and "+" not in text and "/" not in text, f"base64url without padding: {r.h[':path']}")
        equal(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[:2], b"\0\0", "the message")
        equal(r.body, b"", "body of a GET")
    check(not {"cookie", "user-agent", "referer"} & set(r.h), f"headers that tell who we are: {r.h}")


@case("H24 :authority is the configured name")
def authority(t):
    site = Site(t)
    server = DohServer(t, site)
    d = Daemon(t, upstream("one", server, name="dns.test"), anchors=site.anchors)
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    check(server.requests[0].h[":authority"].startswith("dns.test"), server.requests[0].h[":authority"])
    equal(set(server.sni), {"dns.test"}, "SNI")


def status(code, headers=(), body=b"no"):
    body = b"" if code in (204, 304) else body  # these have none (RFC 9110, 15.3.5 and 15.4.5)
    return lambda request: (code, [("content-type", "text/plain"), *headers], body)


@rows([(f"H01 status {code}: the other upstream answers", status(code), "doh-status") for code in (400, 401, 404, 413, 415, 429, 500, 502, 503, 204, 206, 304)] + [
    (f"H01 status {code} is not followed: the other upstream answers", status(code, [("location", "https://127.0.0.1/elsewhere")]), "doh-redirect")
    for code in (301, 302, 307, 308)] + [
    (f"H02 content type {kind}: the other upstream answers", lambda r, kind=kind: (200, [("content-type", kind)], wire.answer(r.question)), "doh-type")
    for kind in ("text/html", "application/dns-json", "application/dns-messages")] + [
    ("H02 no content type: the other upstream answers", lambda r: (200, [], wire.answer(r.question)), "doh-type"),
    ("H03 an empty body: the other upstream answers", lambda r: (200, [TYPE], b""), None),
    ("H03 eleven bytes: the other upstream answers", lambda r: (200, [TYPE], wire.answer(r.question)[:11]), None),
    ("H03 65,536 bytes: the other upstream answers", lambda r: (200, [TYPE], wire.answer(r.question) + bytes(65536)), None),
    ("H04 an id other than 0: the other upstream answers, or the id is ignored", lambda r: (200, [TYPE], b"\x12\x34" + wire.answer(r.question)[2:]), None),
    ("H16 status twice", lambda r: (200, [(":status", "200"), TYPE], wire.answer(r.question)), None)], timeout=60)
def bad_responses(t, respond, reason):
    d, bad, good = beside_good(t, respond)
    started = time.monotonic()
    raw = d.udp().ask(wire.question("www.example.com"))
    client.has_data(raw, [b"www", b"example", b"com"], what="the good answer")
    within(4.5, started, "longer than a client waits")
    until(lambda: bad.requests, 10, "the bad one is asked")
    if reason:  # on a busy machine the other one may have answered before
        more = (f"more{i}.example.com" for i in range(10_000))
        until(lambda: reason in d.log() or d.ask(next(more)) is None, 20, f"the log names {reason}")
        alone, _ = stub_doh(t, respond=respond, name="alone")
        servfail(alone.ask("alone.example.com"), reason)


@case("H02 a content type with a parameter is accepted")
def type_with_parameter(t):
    d, _ = stub_doh(t, respond=lambda r: (200, [("content-type", "application/dns-message; x=y")], wire.answer(r.question)))
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")


@rows([("H05 Age 50 of TTL 60 leaves 10", "50", 10), ("H05 an Age that is not a number is ignored", "soon", 60),
       ("H05 a negative Age counts as none", "-5", 60), ("H05 a huge Age leaves 0", str(2**40), 0),
       ("H05 of a list of Ages the first counts", "50, 60", 10)])
def age(t, value, left):
    d, _ = stub_doh(t, respond=lambda r: (200, [TYPE, ("age", value)], wire.answer(r.question, ttl=60)))
    reply = d.ask("www.example.com")
    equal(client.rcode(reply), "NOERROR", "rcode")
    check(left - 1 <= reply.answer[0].ttl <= left, f"TTL {reply.answer[0].ttl}, want {left}")


@case("H15 answers swapped between two streams are not delivered")
def swapped(t):
    def handler(connection):
        import h2.config
        import h2.connection
        import h2.events
        http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        http.initiate_connection()
        connection.send_raw(http.data_to_send())
        bodies, held = {}, []  # of one connection: questions come again over another when this server is slow
        while True:
            for event in http.receive_data(connection.tls.recv(65536)):
                if isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                elif isinstance(event, h2.events.StreamEnded):
                    held.append((event.stream_id, wire.Question(bodies[event.stream_id])))
                elif isinstance(event, h2.events.ConnectionTerminated):
                    raise Gone
            if len(held) == 2:
                for (stream, _), (_, q) in zip(held, reversed(held)):
                    body = wire.answer(q)
                    http.send_headers(stream, [(":status", "200"), TYPE])
                    http.send_data(stream, body, end_stream=True)
                held.clear()
            connection.send_raw(http.data_to_send())
    d, _ = stub(t, handler=handler, kind=DohServer)
    with d.udp(8) as c:
        for i in (1, 2):
            c.send(wire.question(f"s{i}.example.com", ident=i))
        replies = [c.receive(), c.receive()]
    for raw in replies:
        q = wire.Question(raw)
        other = b"s2" if q.labels[0] == b"s1" else b"s1"
        check(wire.rdata_for([other, b"example", b"com"], 1) not in raw, "the other question's answer was delivered")
        equal(raw[3] & 15, 2, "rcode")


def h2_frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def raw_http2(react):
    """A server that speaks frames by hand: settings are exchanged, then react(connection, stream) once a request has come."""
    def handler(connection):
        connection.read(24)
        connection.send_raw(h2_frame(4, 0, 0, b""))
        while True:
            head = connection.read(9)
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:9], "big")
            connection.read(int.from_bytes(head[:3], "big"))
            if kind == 4 and not flags & 1:
                connection.send_raw(h2_frame(4, 1, 0, b""))
            if kind in (0, 1) and flags & 1:  # END_STREAM of a request
                react(connection, stream)
    return handler


BOMB = b"\x40\x01a" + b"\x7f\x9d\x1e" + b"b" * 4000 + b"\xbe" * 12000  # one large field, then thousands of references to it


def next_question(connection):
    """(stream, question) of the next POST."""
    while True:
        head = connection.read(9)
        payload = connection.read(int.from_bytes(head[:3], "big"))
        if head[3] == 0 and head[4] & 1:
            return int.from_bytes(head[5:9], "big"), wire.Question(payload)


def begin_answer(connection, n=None):
    """Fields, and n bytes of the answer (None: all) in a stream that goes on."""
    stream, q = next_question(connection)
    connection.send_raw(h2_frame(1, 4, stream, b"\x88\x5f\x17application/dns-message") + h2_frame(0, 0, stream, wire.answer(q)[:n]))


ENDS = {
    "the server closes after the accept": None,
    "closes after the handshake": lambda connection: None,
    "closes after the question": next_question,
    "resets after the question": lambda connection: (next_question(connection), connection.reset()),
    "closes in the middle of the fields": lambda connection: connection.send_raw(h2_frame(1, 4, next_question(connection)[0], bytes(40))[:20]),
    "closes in the middle of the answer": lambda connection: begin_answer(connection, 20),
    "closes after an answer whose stream is not ended": begin_answer,
}


@rows([(f"U25 T15 {what}: the other upstream answers, after few connections", react) for what, react in ENDS.items()])
def ends(t, react):
    def handler(connection):
        connection.read(24)
        connection.send_raw(h2_frame(4, 0, 0, b""))
        react(connection)
    site = Site(t)
    bad, good = DohServer(t, site, handler=handler, on_accept=None if react else lambda plain: False), DohServer(t, site)
    d = Daemon(t, [upstream("bad", bad), upstream("good", good)], anchors=site.anchors, extra='strategy = "ordered"\n')
    for i in range(5):
        raw = d.udp().ask(wire.question(f"e{i}.example.com"))
        client.has_data(raw, [b"e%d" % i, b"example", b"com"])
        check(f"e{i}.example.com" in good.names(), "the good one was not asked")
    until(lambda: bad.connections, 10, "the bad one is tried")
    at_most(bad.connections, 15, "connections for 5 questions")


def flood(make):
    def react(connection, stream):
        for i in range(100_000):
            connection.send_raw(make(i, stream))
    return react


FLOODS = {
    "H09 CONTINUATION without end": lambda c, s: (c.send_raw(h2_frame(1, 0, s, b"\x88")), flood(lambda i, n: h2_frame(9, 0, n, b""))(c, s)),
    "H11 an HPACK bomb": lambda c, s: c.send_raw(h2_frame(1, 4, s, b"\x88" + BOMB)),
    "H12 100,000 informational responses": flood(lambda i, s: h2_frame(1, 4, s, b"\x08\x03100")),
    "H12 100,000 empty DATA frames": lambda c, s: (c.send_raw(h2_frame(1, 4, s, b"\x88")), flood(lambda i, n: h2_frame(0, 0, n, b""))(c, s)),
    "H12 100,000 WINDOW_UPDATE frames": flood(lambda i, s: h2_frame(8, 0, 0, b"\0\0\0\1")),
    "H12 a WINDOW_UPDATE of 0": lambda c, s: c.send_raw(h2_frame(8, 0, s, b"\0\0\0\0")),
    "H12 100,000 frames of an unknown type": flood(lambda i, s: h2_frame(0xbe, 0, 0, b"x" * 8)),
    "H13 100,000 PING frames": flood(lambda i, s: h2_frame(6, 0, 0, bytes(8))),
    "H13 100,000 SETTINGS frames": flood(lambda i, s: h2_frame(4, 0, 0, b"")),
    "H14 a PUSH_PROMISE": lambda c, s: c.send_raw(h2_frame(5, 4, s, b"\0\0\0\2" + b"\x82\x87\x84")),
    "H16 a field name in capitals": lambda c, s: c.send_raw(h2_frame(1, 5, s, b"\x88\x00\x01A\x01b")),
    "H23 HTTP/1.1 after the agreement on h2": lambda c, s: c.send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "H07 RST_STREAM with REFUSED_STREAM": lambda c, s: c.send_raw(h2_frame(3, 0, s, b"\0\0\0\7")),
    "H07 RST_STREAM with ENHANCE_YOUR_CALM": lambda c, s: c.send_raw(h2_frame(3, 0, s, b"\0\0\0\x0b")),
    "H07 GOAWAY at each request": lambda c, s: c.send_raw(h2_frame(7, 0, 0, bytes(8))),
}


@rows([(f"{what}: the other upstream answers, memory stays bounded", react) for what, react in FLOODS.items()], timeout=90)
def floods(t, react):
    site = Site(t)
    bad, good = DohServer(t, site, handler=raw_http2(react)), DohServer(t, site)
    d = Daemon(t, [upstream("bad", bad), upstream("good", good)], anchors=site.anchors, extra='strategy = "ordered"\n')
    before = d.process.rss_kib()
    started = time.monotonic()
    for i in range(3):
        equal(client.rcode(d.ask(f"f{i}.example.com")), "NOERROR", "rcode, from the good one")
    within(12, started, "longer than clients wait")
    check(bad.connections <= 12, f"{bad.connections} connections for 3 questions")
    grown = d.process.rss_kib() - before
    check(grown < (400_000 if t.sanitized else 8_192), f"{grown} KiB more")


@rows([("H08 MAX_CONCURRENT_STREAMS 0", 3, 0), ("H08 MAX_CONCURRENT_STREAMS 1", 3, 1), ("H08 INITIAL_WINDOW_SIZE 0", 4, 0)])
def settings(t, ident, value):
    def handler(connection):
        connection.read(24)
        connection.send_raw(h2_frame(4, 0, 0, ident.to_bytes(2, "big") + value.to_bytes(4, "big")))
        while True:
            head = connection.read(9)
            connection.read(int.from_bytes(head[:3], "big"))
            if head[3] == 4 and not head[4] & 1:
                connection.send_raw(h2_frame(4, 1, 0, b""))
    site = Site(t)
    bad, good = DohServer(t, site, handler=handler), DohServer(t, site)
    d = Daemon(t, [upstream("bad", bad), upstream("good", good)], anchors=site.anchors, extra='strategy = "ordered"\n')
    started = time.monotonic()
    for i in range(2):
        equal(client.rcode(d.ask(f"s{i}.example.com")), "NOERROR", "rcode, from the good one")
    within(9, started, "longer than clients wait")


def raw_answers(react, settings=b"", on_headers=None):
    """A server that speaks frames by hand, and knows the bodies of its requests when it calls react(connection, stream)."""
    def handler(connection):
        connection.bodies = {}
        connection.read(24)
        connection.send_raw(h2_frame(4, 0, 0, settings))
        while True:
            head = connection.read(9)
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:9], "big")
            payload = connection.read(int.from_bytes(head[:3], "big"))
            if kind == 4 and not flags & 1:
                connection.send_raw(h2_frame(4, 1, 0, b""))
            if kind == 1 and on_headers:
                on_headers(connection, stream)
            if kind == 0:
                connection.bodies[stream] = connection.bodies.get(stream, b"") + payload
                if flags & 1:
                    react(connection, stream)
    return handler


OK_BLOCK = b"\x88" + b"\x0f\x10\x17application/dns-message"


@case("H06 GOAWAY while questions are in flight: every client is answered")
def goaway(t):
    count = [0]

    def react(connection, stream):
        count[0] += 1
        if count[0] % 5 == 0:  # ends the connection before this stream: it was not processed
            connection.send_raw(h2_frame(7, 0, 0, (stream - 2).to_bytes(4, "big") + bytes(4)))
            raise Gone
        question = wire.Question(connection.bodies[stream])
        connection.send_raw(h2_frame(1, 4, stream, OK_BLOCK))
        connection.send_raw(h2_frame(0, 1, stream, wire.answer(question)))
    d, _ = stub(t, handler=raw_answers(react), kind=DohServer)
    for i in range(40):
        raw = d.udp().ask(wire.question(f"g{i}.example.com"))
        equal(raw[3] & 15, 0, f"rcode of question {i}")


def settings_of(*pairs):
    return b"".join(ident.to_bytes(2, "big") + value.to_bytes(4, "big") for ident, value in pairs)


def windows(connection, stream):
    for _ in range(10):
        connection.send_raw(h2_frame(8, 0, stream, (50).to_bytes(4, "big")))


@rows([(f"H08 {what}: all questions are answered", settings, on_headers) for what, settings, on_headers in (
    ("MAX_CONCURRENT_STREAMS 1", settings_of((3, 1)), None), ("MAX_CONCURRENT_STREAMS of 2^32 - 1", settings_of((3, 0xffffffff)), None),
    ("MAX_CONCURRENT_STREAMS twice, the second counts", settings_of((3, 0), (3, 100)), None),
    ("INITIAL_WINDOW_SIZE 0 and windows that open later", settings_of((4, 0)), windows),
    ("INITIAL_WINDOW_SIZE 50 and windows that open later", settings_of((4, 50)), windows),
    ("HEADER_TABLE_SIZE 0", settings_of((1, 0)), None), ("HEADER_TABLE_SIZE of 2^32 - 1", settings_of((1, 0xffffffff)), None),
    ("MAX_HEADER_LIST_SIZE 10, which is advice", settings_of((6, 10)), None), ("the largest MAX_FRAME_SIZE", settings_of((5, 0xffffff)), None),
    ("settings that nobody knows", settings_of(*[(0xff00 + i, i) for i in range(30)]), None))])
def served(t, settings, on_headers):
    def react(connection, stream):
        connection.send_raw(h2_frame(1, 4, stream, OK_BLOCK) + h2_frame(0, 1, stream, wire.answer(wire.Question(connection.bodies[stream]))))
    d, _ = stub(t, handler=raw_answers(react, settings, on_headers), kind=DohServer)
    with d.udp(8) as c:
        for i in range(20):
            c.send(wire.question(f"s{i}.example.com", ident=i))
        equal([c.receive()[3] & 15 for _ in range(20)], [0] * 20, "rcodes")


@case("H22 two upstreams at one address and port have connections of their own, each with its name")
def not_coalesced(t):
    site = Site(t, names=("a.test", "b.test"))
    server = DohServer(t, site)
    d = Daemon(t, [upstream(name, server, name=f"{name}.test") for name in ("a", "b")], anchors=site.anchors, extra='strategy = "spread"\n')
    number = iter(range(1000))

    def both():
        equal(client.rcode(d.ask(f"n{next(number)}.example.com")), "NOERROR", "rcode")
        return len({r.h[":authority"] for r in server.requests}) == 2
    until(both, 20, "both are asked")
    equal(set(server.sni), {"a.test", "b.test"}, "names in the handshakes")
    check(server.connections >= 2, "one connection for both")


@case("H10 an answer that arrives byte by byte is accepted")
def dribbled(t):
    from harness.proxy import Proxy
    site = Site(t)
    between = Proxy(t, DohServer(t, site))
    between.dribble = 7
    d = Daemon(t, upstream("one", between), anchors=site.anchors)
    for i in range(3):  # a starved proxy can make a handshake longer than the daemon waits: another follows
        until(lambda i=i: client.rcode(d.ask(f"d{i}.example.com")) == "NOERROR", 20, "an answer")


@case("H10 a header block in two frames, each byte in a TLS record of its own, is accepted")
def dribbled_block(t):
    def react(connection, stream):
        frames = (h2_frame(1, 0, stream, OK_BLOCK[:1]) + h2_frame(9, 4, stream, OK_BLOCK[1:]) +
                  h2_frame(0, 1, stream, wire.answer(wire.Question(connection.bodies[stream]))))
        for i in range(len(frames)):
            connection.send_raw(frames[i:i + 1])
    d, _ = stub(t, handler=raw_answers(react), kind=DohServer)
    for i in range(3):
        equal(client.rcode(d.ask(f"d{i}.example.com")), "NOERROR", "rcode")
    check("doh-malformed" not in d.log(), "a connection was closed for it")


@case("H23 a server that only speaks HTTP/1.1 is refused as alpn-mismatch")
def http1(t):
    d, server = stub_doh(t, options={"alpn": ["http/1.1"]})
    reply = d.ask("www.example.com")
    equal(client.rcode(reply), "SERVFAIL", "rcode")
    check(any(r in str(client.ede(reply)) for r in ("alpn-mismatch", "tls-alert", "tls-failed")), str(client.ede(reply)))
    equal(server.application_bytes, 0, "bytes of application data")


@case("H19 H27 a slow DoH server does not delay answers from others")
def slow(t):
    gate = threading.Event()

    def respond(r):
        if r.question.name.startswith("slow"):
            gate.wait(patient(8))
        return 200, [TYPE], wire.answer(r.question)
    site = Site(t)
    bad, good = DohServer(t, site, respond=respond), DotServer(t, site)
    d = Daemon(t, [upstream("slow", bad), upstream("good", good)], anchors=site.anchors, extra='strategy = "ordered"\n')
    d.ask("warm.example.com")
    started = time.monotonic()
    equal(client.rcode(d.ask("slow.example.com")), "NOERROR", "rcode, hedged")
    within(4, started, "no other upstream was asked in time")
    gate.set()
    until(lambda: client.rcode(d.ask("after.example.com")) == "NOERROR", 5, "answers afterwards")


@rows([("H19 a DoH server that reads no more under a flood: the other one answers all of it, and memory stays bounded", True),
       ("H19 a DoH server that reads and says nothing: the same", False)], builds=("gcc",))
def flooded(t, deaf):
    ended = threading.Event()
    t.defer(ended.set)

    def handler(connection):
        connection.read(24)
        connection.send_raw(h2_frame(4, 0, 0, settings_of((3, 2000))))
        while not deaf:
            connection.read(1)
        ended.wait()
    site = Site(t)
    bad, good = DohServer(t, site, handler=handler), DotServer(t, site)
    d = Daemon(t, [upstream("bad", bad), upstream("good", good)], anchors=site.anchors, extra='strategy = "ordered"\n', log_level="info")
    before, total, codes = d.process.rss_kib(), 2000, []
    with d.tcp(20) as c:
        for first in range(0, total, 100):
            c.send_raw(b"".join(wire.frame(wire.question(f"f{i}.example.com", ident=i)) for i in range(first, first + 100)))
            codes += [c.receive()[3] & 15 for _ in range(100)]
    equal(codes, [0] * total, "rcodes")
    grown = d.process.rss_kib() - before
    check(grown < 32_768, f"{grown} KiB more")


@case("H21 cookies and Alt-Svc of the server are not kept")
def cookies(t):
    d, server = stub_doh(t, respond=lambda r: (200, [TYPE, ("set-cookie", "id=1"), ("alt-svc", 'h3=":443"')], wire.answer(r.question)))
    for i in range(3):
        equal(client.rcode(d.ask(f"c{i}.example.com")), "NOERROR", "rcode")
    check(not any("cookie" in r.h for r in server.requests), "a cookie was sent back")
    equal(server.connections, 1, "connections")

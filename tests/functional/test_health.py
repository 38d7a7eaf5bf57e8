"""Faults of one connection, name or moment stay with it: issue 10, A1, A2, A4 and A7, with servers that really misbehave."""
import concurrent.futures

from functional._common import servfail, stub, stub_doh
from harness import client, net, wire
from harness.case import at_most, case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.jumps import Jumps
from harness.pki import Site
from harness.upstream import DotServer

DNS = ("content-type", "application/dns-message")


PUNCTUAL = "hedge = false\n"  # on a busy machine any answer may be late, and would cost a second connection


def renamed(q):
    """An answer to another question."""
    return wire.header(q.ident, 0x8180, 1, 0) + wire.question("other.example.net")[12:]


BAD_ANSWERS = {
    "answers for another question": renamed,
    "answers that are cut": lambda q: wire.answer(q)[:-3],
    "answers whose record has no data": lambda q: wire.answer(q, records=[wire.record(b"\xc0\x0c", 16, 60, b"")])[:-11] + b"\1",
    "SERVFAIL": lambda q: wire.answer(q, rcode=2),
    "headers alone": lambda q: wire.header(q.ident, 0x8180, 0, 0),
}


@rows([(f"A1 the only connection brings {what}: the first question is answered all the same", bad)
       for what, bad in BAD_ANSWERS.items()])
def bad_connection(t, bad):
    def handler(connection):
        wrong = connection.server.connections == 1
        while True:
            q = connection.read_question()
            connection.send(bad(q) if wrong else wire.answer(q))
    d, server = stub(t, handler=handler, extra=PUNCTUAL)
    for i in range(20):
        equal(client.rcode(d.ask(f"n{i}.example{i}.com")), "NOERROR", f"question {i}")
    at_most(server.connections, 3, "connections")


@rows([(f"A1 DoH: the only connection brings {what}: the first question is answered all the same", response)
       for what, response in (("status 500", (500, [], b"")), ("status 502", (502, [], b"")), ("status 503", (503, [("content-type", "text/html")], b"<html>")),
                              ("status 404", (404, [], b"")), ("a page", (200, [("content-type", "text/html")], b"<html>")),
                              ("redirects", (302, [("location", "https://example.com/")], b"")), ("empty bodies", (200, [DNS], b"")))])
def bad_doh_connection(t, response):
    d, server = stub_doh(t, extra=PUNCTUAL)
    good = server.default_response
    first = []

    def respond(request):
        first.append(None)
        return response if server.connections == 1 else good(request)
    server.respond = respond
    for i in range(20):
        equal(client.rcode(d.ask(f"n{i}.example{i}.com")), "NOERROR", f"question {i}")
    at_most(server.connections, 3, "connections")


@case("A1 names that fail everywhere do not churn connections")
def broken_names(t):
    d, server = stub(t, answer=lambda q: wire.answer(q, rcode=2), extra=PUNCTUAL)
    for i in range(40):
        equal(client.rcode(d.ask(f"n{i}.broken{i}.com")), "SERVFAIL", "rcode")
    at_most(server.connections, 5, "connections")


def first_times(i):
    """How often a server at random fails question i: never, once, never, twice, and so on."""
    return (0, 1, 0, 2, 0, 0, 1, 1, 2)[i % 9]


@rows([(f"A1 the only upstream fails questions at random, with {what}: they are repeated, and answered", bad) for what, bad in BAD_ANSWERS.items()])
def fails_at_random(t, bad):
    def answer(q):
        i = int(q.labels[0][1:])
        return bad(q) if server.names().count(q.name.lower()) <= first_times(i) else wire.answer(q)
    d, server = stub(t, answer=answer, extra=PUNCTUAL)
    random_failures(d, server)


@rows([(f"A1 DoH: the only upstream fails questions at random, with {what}: they are repeated, and answered", response)
       for what, response in (("status 500", (500, [], b"")), ("status 502", (502, [], b"")), ("a page", (200, [("content-type", "text/html")], b"<html>")))])
def doh_fails_at_random(t, response):
    d, server = stub_doh(t, extra=PUNCTUAL)
    good = server.default_response

    def respond(request):
        i = int(request.question.labels[0][1:])
        return response if server.names().count(request.question.name.lower()) <= first_times(i) else good(request)
    server.respond = respond
    random_failures(d, server)


def random_failures(d, server):
    """It takes a few repeats that help until more than one is made."""
    failed = [i for i in range(90) if client.rcode(d.ask(f"n{i}.example{i}.com")) != "NOERROR" and i >= 30]
    equal(failed, [], "questions without an answer")
    names = server.names()
    at_most(max(names.count(name) for name in names), 3, "questions of one name (RFC 9520, 3.1)")


@case("A1 names that fail everywhere, between others, are asked once more, not three times")
def broken_between(t):
    d, server = stub(t, answer=lambda q: wire.answer(q, rcode=2 if "broken" in q.name.lower() else 0), extra=PUNCTUAL)
    for i in range(40):
        equal(client.rcode(d.ask(f"n{i}.broken{i}.com")), "SERVFAIL", "rcode")
        equal(client.rcode(d.ask(f"n{i}.example.com")), "NOERROR", "rcode of another one")
    at_most(sum("broken" in name for name in server.names()), 2 * 40 + 6, "questions")


def closes(connection, _q):
    connection.close()


def resets(connection, _q):
    connection.reset()


def answers(bad):
    return lambda connection, q: connection.send(bad(q))


HARM = {
    "closes the connection": closes,
    "resets the connection": resets,
    "closes in mid frame": lambda connection, q: (connection.send_raw(wire.frame(wire.answer(q))[:20]), connection.close()),
    "is a frame of three bytes": lambda connection, q: connection.send_raw(b"\0\3abc"),
    "has no answer": lambda connection, q: None,
    **{f"has {what}": answers(bad) for what, bad in BAD_ANSWERS.items()},
}


@rows([(f"A2 a zone of which each question {what} ({zones} such zones): other questions are answered", harm, zones)
       for what, harm in HARM.items() for zones in (1, 12)])
def bad_zone(t, harm, zones):
    def handler(connection):
        while True:
            q = connection.read_question()
            if "evil" in q.name.lower():
                harm(connection, q)
            else:
                connection.send(wire.answer(q))
    d, _server = stub(t, handler=handler, log_level="info")
    equal(client.rcode(d.ask("warm.example.com")), "NOERROR", "before")
    evil = d.udp()
    failed = []
    for i in range(60):
        evil.send(client.query(f"x{i}.evil{i % zones}.net").to_wire())
        rcode = client.rcode(d.ask(f"n{i}.example.com"))
        if rcode != "NOERROR":
            failed.append(rcode)
    if failed:
        equal(failed[0], "NOERROR", f"rcode of the first of {len(failed)} other questions that failed")
    equal([line for line in d.log().splitlines() if "upstream-failed" in line], [], "failures of the upstream")


@case("A7 the daemon waits for an upstream that is briefly unreachable")
def blip(t):
    d, server = stub(t)
    equal(client.rcode(d.ask("warm.example.com")), "NOERROR", "before")
    server.stop(reset=True)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        replies = [pool.submit(d.ask, f"n{i}.example.com") for i in range(10)]
        until(lambda: "connect-refused" in str(d.ctl("upstreams")), 10, "the daemon has noticed")
        server.start()
    for reply in replies:
        equal(client.rcode(reply.result()), "NOERROR", "rcode")


@case("A4 a refused upstream with a repaired certificate serves again when no other upstream is usable")
def repaired(t):
    site, stranger = Site(t), Site(t)
    first = DotServer(t, site, chain=stranger.chain, key=stranger.key_file)
    second = DotServer(t, site)
    d = Daemon(t, [upstream("first", first), upstream("second", second)], anchors=site.anchors, extra='strategy = "ordered"')
    equal(client.rcode(d.ask("one.example.com")), "NOERROR", "by the second")
    first.context.load_cert_chain(site.chain, site.key_file)
    second.stop(reset=True)
    until(lambda: client.rcode(d.ask("two.example.com")) == "NOERROR", 6, "the first serves")


@case("A4 the daemon backs off from a server that closes each connection on its question")
def closer(t):
    d, server = stub(t, handler=lambda connection: connection.read_question(), extra=PUNCTUAL)
    senders = [d.udp() for _ in range(4)]
    for i in range(200):
        senders[i % 4].send(client.query(f"n{i}.example{i}.com").to_wire())
    servfail(d.ask("last.example.org"), "closed")
    at_most(server.connections, 30, "connections")


@case("when many upstreams fail at once, 20 lines are logged in 10 seconds, and then how many were left out")
def lines_left_out(t):
    jumps = Jumps(t)
    d = Daemon(t, "".join(f'upstream "u{i}" {{ address = {{"127.0.0.1"}} port = {net.free_port("127.0.0.1")} }}\n' for i in range(30)),
               env=jumps.env)
    for i in range(8):  # each asks the next ones
        d.ask(f"n{i}.example{i}.com", timeout=6)
    until(lambda: d.process.log().count("upstream-failed") >= 20, 20, "20 lines")
    check("upstream-lines-left-out" not in d.process.log(), "nothing is said yet of what was left out")
    jumps.sleep(11)
    d.ask("later.example.com", timeout=6)
    d.process.wait_log("upstream-lines-left-out", 20)

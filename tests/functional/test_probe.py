"""ctstub probe, and metrics: over the wire, against servers on loopback."""
import hashlib
import json
import os
import re
import socket
import time

from functional._common import stub
from harness import wire
from harness.case import case, check, equal, rows, until
from harness.net import free_port
from harness.patience import patient
from harness.pki import Site, spki
from harness.upstream import DohServer, DotServer


def probe(t, site, server, *words, ct="require"):
    kind = "doh" if isinstance(server, DohServer) else "dot"
    config = t.write("c.conf", f'trust {{ anchors = "{site.anchors}" }} ct {{ mode = "{ct}" log-list = "{site.log_list}" }}\n'
                     f'upstream "one" {{ protocol = "{kind}" address = {{"127.0.0.1"}} port = {server.port} }}')
    code, out, err = t.run("ctstub", "probe", "--json", "-c", config, *(words or ["one"]))
    check(out, f"no output, {code}: {err}")
    return code, json.loads(out)


@rows([("DoT: accepted, asked once, reported", DotServer, "dot", "dot"), ("DoH: accepted, asked once, reported", DohServer, "doh", "h2")])
def accepted(t, kind, protocol, alpn):
    site = Site(t, with_ct=True)
    server = kind(t, site)
    code, v = probe(t, site, server)
    equal((code, v["outcome"], v["reasons"]), (0, "accepted", []), "exit code, outcome and reasons")
    equal((v["upstream"], v["protocol"], v["address"]), ("one", protocol, f"127.0.0.1:{server.port}"), "whom")
    equal((v["connection"]["tls_version"], v["connection"]["alpn"]), ("TLS1.3", alpn), "connection")
    equal(v["query"]["rcode"], "NOERROR", "rcode")
    check(v["query"]["time_ms"] > 0, "no time")
    equal(len(server.questions), 1, "questions")


@rows([
    ("a pin of the path's anchor", ["--pin", "KEY"], 0, []),
    ("a pin that is not met", ["--pin", "00" * 32], 1, ["pin-mismatch"]),
    ("an allowed issuer, with colons", ["--allow-issuer", "COLONS"], 0, []),
    ("an issuer that is not allowed", ["--allow-issuer", "issuer CN=Nobody"], 1, ["issuer-not-allowed"]),
    ("a disallow file", ["--disallow", "DISALLOW"], 1, ["disallowed"]),
    ("a constraints file", ["--constraints", "LIMITS"], 1, ["anchor-distrusted"]),
    ("other anchors", ["--ca", "OTHER"], 1, ["untrusted"]),
    ("other logs", ["--ct-logs", "NO LOGS"], 1, ["ct-too-few-scts"]),
    ("no transparency with other logs", ["--ct-logs", "NO LOGS", "--ct", "off"], 0, []),
    ("an invalid pin", ["--pin", "x"], 2, None),
    ("a file that does not exist", ["--disallow", "/nowhere"], 2, None),
    ("a file with an error", ["--constraints", "BAD"], 2, None),
])
def rules(t, options, code, reasons):
    site, other = Site(t, with_ct=True), Site(t, with_ct=True, prefix="other")
    key = hashlib.sha256(spki(site.root.cert)).hexdigest()
    words = {"KEY": key, "COLONS": ":".join(key[i:i + 2] for i in range(0, 64, 2)).upper(),
             "DISALLOW": t.write("disallow", f"spki-sha256 {key}\n"), "OTHER": other.anchors, "NO LOGS": other.log_list,
             "LIMITS": t.write("limits", f"spki-sha256 {key} not-before-max 2020-01-01T00:00:00Z\n"),
             "BAD": t.write("bad", f"spki-sha256 {key}\n")}
    server = DotServer(t, site)
    options = [words.get(o, o) for o in options]
    for what in ("one", f"dot://127.0.0.1:{server.port}"):
        have, v = probe(t, site, server, *options, what)
        equal((have, v.get("reasons", [None])[:1] if reasons else v.get("reasons")), (code, reasons), what)
        check(code != 2 or (v["error"] and v["errors"]), f"the failure as JSON: {v}")
    equal(len(server.questions), 2 if code == 0 else 0, "questions")


@rows([
    ("an argument that is not an upstream", ["no upstream"]), ("an unknown option", ["--bogus", "one"]), ("no upstream at all", ["--idle"]),
    ("a configuration that does not exist", ["-c", "/nowhere", "one"]),
])
def failures(t, words):
    code, out, err = t.run("ctstub", "probe", "--json", *words)
    equal(code, 2, "exit code")
    check(json.loads(out)["errors"] and err, f"{out} {err}")
    code, out, _ = t.run("ctstub", "probe", *words)
    equal((code, out), (2, ""), "without --json")


@case("help and manual describe every option of verify and probe")
def explained(t):
    with open(os.path.join(t.src, "cli", "ctstub.1"), encoding="utf-8") as f:
        manual = f.read()
    for verb in ("verify", "probe"):
        out = t.run("ctstub", verb, "--help")[1]
        used = set(re.findall(r"--[a-z-]+", out.split("\n\n")[0]))
        rows_ = dict(re.findall(r"^  (?:-.,|   ) (--[a-z-]+)[^\n]*?(?:\n {20,}| {1,})(\S[^\n]+)$", out, re.M))
        check(len(used) >= 10 and used <= set(rows_), f"{verb}: not explained: {used - set(rows_)}")
        for option in rows_:
            check(re.search(rf"(Fl|,) {option[1:]}(?![\w-])", manual), f"{option} is not in the manual")


@rows([("the DoT question is padded and asks for a keepalive time", DotServer), ("the question of DoH is padded", DohServer)])
def options(t, kind):
    site = Site(t, with_ct=True)
    server = kind(t, site)
    probe(t, site, server)
    rest = server.questions[0].rest
    check(rest[:3] == wire.opt()[:3], "an OPT record")
    equal(wire.option(11) in rest, kind is DotServer, "a keepalive time is asked for")
    equal(len(server.questions[0].message), 128, "bytes, padded")


@case("--idle measures the server's idle limit, not ours, and reports answers out of order")
def idle(t):
    site = Site(t, with_ct=True)
    seen = []

    def handler(connection):
        q = connection.read_question()
        if not seen:
            seen.append(q)
            records = wire.opt(options=wire.option(11, b"\0\1"))  # 0.1 s
            connection.send(wire.header(q.ident, 0x8180, 1, 0, 0, 1) + q.section + records)
            connection.read_question()
        second = connection.read_question()
        seen.extend((q, second))
        connection.send(wire.answer(second))
        time.sleep(2)
    server = DotServer(t, site, handler=handler)
    code, v = probe(t, site, server, "--idle", "one")
    equal((code, v["query"]["keepalive_ms"], v["query"]["out_of_order"]), (0, 100, True), "exit code, keepalive time, out of order")
    check(v["idle_close_ms"] > 200, f"{v['idle_close_ms']} ms: that was us")
    equal([q.ar for q in seen], [1, 0, 0], "OPT records in the questions")


@rows([("an answer for another name is answer-mismatch", lambda q: wire.header(q.ident, 0x8180, 1, 0) + wire.question("other.test")[12:], "answer-mismatch"),
       ("a question in place of an answer is answer-mismatch", lambda q: q.message, "answer-mismatch"),
       ("an answer cut short is answer-malformed", lambda q: wire.answer(q)[:13], "answer-malformed")])
def wrong_answers(t, answer, reason):
    site = Site(t, with_ct=True)
    code, v = probe(t, site, DotServer(t, site, answer=answer))
    equal((code, v["outcome"], v["query"]["failure"]), (3, "accepted", reason), "exit code, outcome and failure")


@case("a refused upstream gives exit code 1 before any question is sent")
def refused(t):
    site = Site(t)
    server = DotServer(t, site)
    code, v = probe(t, site, server)
    equal((code, v["outcome"], v["reasons"]), (1, "refused", ["ct-no-scts"]), "exit code, outcome and reasons")
    equal((v["connection"]["tls_version"], v["connection"]["alpn"], v["query"]), ("TLS1.3", "dot", None), "connection and query")
    code, out, _ = t.run("ctstub", "probe", "--ca", site.anchors, "--ct-logs", site.log_list, f"dot://127.0.0.1:{server.port}")
    check(code == 1 and "ct-no-scts" in out and "\nquestion" not in out, f"text: {out}")
    equal(server.questions, [], "questions")


def swap(server, site):
    server.context.load_cert_chain(site.chain, site.key_file)


def answer_and_swap(server, site):
    """The second connection, which tries to resume, meets another server."""
    def answer(q):
        swap(server, site)
        return wire.answer(q)
    server.answer = answer


def close_and_swap(server, site):
    """The server ends the connection under the question, which goes out again to another one."""
    def handler(connection):
        connection.read(2)
        swap(server, site)
    server.handler = handler


@rows([("a server that shows a refused certificate at the second connection gives exit code 1", answer_and_swap),
       ("a server that shows a refused certificate when the question is repeated gives exit code 1", close_and_swap)])
def refused_later(t, then):
    good, other = Site(t, with_ct=True), Site(t, prefix="other")
    server = DotServer(t, good, tune=lambda context: setattr(context, "num_tickets", 0))
    then(server, other)
    code, v = probe(t, good, server)
    equal((code, v["outcome"]), (1, "refused"), "exit code and outcome")
    check("untrusted" in v["reasons"], f"reasons {v['reasons']}")


@case("a URI is judged by the global rules, with the name that it contains")
def uri(t):
    site = Site(t, with_ct=True)
    server = DotServer(t, site)
    code, v = probe(t, site, server, f"dot://127.0.0.1:{server.port}#dns.test")
    equal((code, v["expected"]), (0, {"ip": "127.0.0.1", "name": "dns.test"}), "exit code and expected")
    code, v = probe(t, site, server, f"dot://127.0.0.1:{server.port}#other.test")
    equal((code, v["reasons"]), (1, ["name-mismatch"]), "exit code and reasons")


@case("an unreachable server gives exit code 3 and a transport reason")
def nobody(t):
    site = Site(t)
    port = free_port("127.0.0.1")
    code, v = probe(t, site, DotServer(t, site), f"dot://127.0.0.1:{port}")
    equal((code, v["outcome"], v["reasons"]), (3, "refused", ["connect-refused"]), "exit code, outcome and reasons")
    code, out, _ = t.run("ctstub", "probe", "--ca", site.anchors, f"dot://127.0.0.1:{port}")
    check(code == 3 and "connect-refused" in out and "\nquestion" not in out, f"text: {out}")


@rows([("neither an upstream nor an address", "nobody"), ("another scheme", "https://127.0.0.1"), ("a name", "dot://localhost"),
       ("an IPv4-mapped address", "dot://[::ffff:127.0.0.1]")])
def wrong_use(t, word):
    code, out, err = t.run("ctstub", "probe", word)
    check(code == 2 and err and not out, f"{code}: {err}")


@case("text output shows the outcome, the SCTs and the question")
def text(t):
    site = Site(t, with_ct=True)
    server = DotServer(t, site)
    config = t.write("c.conf", f'trust {{ anchors = "{site.anchors}" }} ct {{ log-list = "{site.log_list}" }}')
    code, out, _ = t.run("ctstub", "probe", "-c", config, f"dot://127.0.0.1:{server.port}")
    equal(code, 0, "exit code")
    check(all(word in out for word in ("accepted", "3 of 3", "TLS1.3", "NOERROR")), f"output: {out}")


def get(port, request):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(request)
        data = b""
        while True:
            more = s.recv(65536)
            if not more:
                return data
            data += more


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


@case("metrics serves the daemon's counters, and reports a missing daemon")
def metrics(t):
    d, _ = stub(t)
    port = free_port("127.0.0.1")
    t.spawn("ctstub", [t.program("ctstub"), "metrics", "--socket", d.control, "--listen", f"127.0.0.1:{port}"])
    until(lambda: listens(port), 10, "the exporter listens")
    answer = get(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    check(answer.startswith(b"HTTP/1.1 200 ") and b"\nctstub_replies_total " in answer, f"answer: {answer[:300]}")
    for path, status in ((b"/", b"200"), (b"/metrics?module=x", b"200"), (b"/metricsx", b"404"), (b"/other", b"404")):
        check(get(port, b"GET " + path + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 " + status + b" "), f"{path}")
    check(get(port, b"POST /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"), "another method")
    try:
        equal(get(port, b"GET /" + b"x" * 9000), b"", "answer to a request without an end")
    except ConnectionResetError:  # closed with bytes unread
        pass
    d.process.stop()
    check(get(port, b"GET /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503 "), "without the daemon")


SLOW = [b"", b"G", b"GET /metrics HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r"]


@rows([("R02 metrics answers while ten other clients are slow with their requests", 10), ("R02 metrics answers while more of them are than it waits for", 100)])
def slow_scrapers(t, number):
    d, _ = stub(t)
    port = free_port("127.0.0.1")
    t.spawn("ctstub", [t.program("ctstub"), "metrics", "--socket", d.control, "--listen", f"127.0.0.1:{port}"])
    until(lambda: listens(port), 10, "the exporter listens")
    held = []
    t.defer(lambda: [s.close() for s in held])
    for i in range(number):
        held.append(socket.create_connection(("127.0.0.1", port), patient(10)))
        held[-1].sendall(SLOW[i % len(SLOW)])
    answer = get(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    check(answer.startswith(b"HTTP/1.1 200 "), f"answer: {answer[:100]}")
    for s in held:
        s.settimeout(patient(10))
        try:
            while s.recv(65536):
                pass
        except ConnectionResetError:
            pass  # closed with bytes unread


@rows([(v, v.split()) for v in ("status", "upstreams", "stats", "flush", "reload", "log-level debug", "captive off")])
def no_daemon(t, words):
    code, out, err = t.run("ctstub", *words, "--socket", t.path("none"))
    check(code == 3 and not out and "does not answer" in err, f"{code}: {err}")


@case("manual and help describe every verb")
def verbs(t):
    with open(f"{t.src}/cli/ctstub.1", encoding="utf-8") as f:
        manual = f.read()
    _, out, _ = t.run("ctstub", "help")
    names = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    check(len(names) >= 13, f"verbs: {names}")
    for name in names:
        check(re.search(rf"^\.(It )?Cm {name}(?![\w-])", manual, re.M), f"{name} is not in the manual")
        code, out, _ = t.run("ctstub", "help", name)
        check(code == 0 and out.startswith(f"usage: ctstub {name}"), f"help of {name}: {out}")
        equal(t.run("ctstub", name, "--help")[0], 0, f"exit code of {name} --help")

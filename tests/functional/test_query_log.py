"""The query log: lines and dnstap, whose addresses it shows, what a writer that is stuck costs, and real readers of dnstap."""
import errno
import grp
import json
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading

from functional._common import stat, stub
from harness import client, net, wire
from harness.case import Skip, case, check, equal, gone, rows, until
from harness.faults import Faults, sample

LOCAL = 'local { data = {"box.test. 60 IN A 192.0.2.77"} }\n'
STRICT = {"CTSTUB_SECCOMP": "kill"}
KEYS = ["client", "name", "type", "class", "protocol", "source", "upstream", "addr", "rcode", "ede", "reason", "ms", "query_bytes",
        "reply_bytes"]
VALUE = re.compile(r' ([a-z_]+)=("(?:[^"\\]|\\x[0-9a-f]{2})*"|[^" =]*)(?= |$)')
DISGUISES = [  # a label, and its presentation (RFC 4343, 2.1)
    ("a line break", b"a\nforged", r"a\010forged"),
    ("a carriage return", b"a\rb", r"a\013b"),
    ("a quotation mark", b'a"b', r'a\"b'),
    ("a backslash", b"a\\b", r"a\\b"),
    ("a dot in a label", b"a.b", r"a\.b"),
    ("a space and a key", b"a rcode=NOERROR", r"a\032rcode=NOERROR"),
    ("an equals sign", b"a=b", "a=b"),
    ("a NUL", b"a\0b", r"a\000b"),
    ("an escape sequence of terminals", b"\x1b[2J", r"\027[2J"),
    ("bytes above ASCII", b"\xff\xc3\xa4", r"\255\195\164"),
    ("a brace and a bracket", b"{}[]", "{}[]"),
    ("a percent sign", b"%s%n", "%s%n"),
    ("a label of 63 bytes", b"\x07" * 63, r"\007" * 63),
    ("capitals as they were asked", b"MiXeD", "MiXeD"),
]


def logging(t, to=None, clients="full", size="64MiB", more=LOCAL, **daemon):
    """(daemon, server, path): one upstream, and a query log at `path` unless `to` says where else."""
    path = t.path("queries.log")
    section = f'query-log {{ to = "{to or path}"  clients = "{clients}"  size = "{size}" }}\n'
    d, server = stub(t, extra=section + more, env={**STRICT, **daemon.pop("env", {})}, **daemon)
    return d, server, path


def unquoted(value):
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m.group(1), 16)), value[1:-1]) if value.startswith('"') else value


def parse(line):
    """The fields of a line; it consists of nothing else."""
    check(line.isascii() and line.isprintable(), f"not plain: {line!r}")
    time, rest = line.split(" ", 1)
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time), f"the time: {line!r}")
    found = VALUE.findall(" " + rest)
    equal("".join(f" {k}={v}" for k, v in found), " " + rest, "the line")
    equal([k for k, _ in found], [k for k in KEYS if k in dict(found)], "the keys")
    return {k: unquoted(v) for k, v in found}


def lines(path, n, seconds=10):
    def there():
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as f:
            found = f.read().splitlines()
        return found if len(found) >= n else None
    found = until(there, seconds, f"{n} lines in {path}")
    equal(len(found), n, "lines")
    return found


@case("a line says who asked what, where the answer came from, and what it was", timeout=120)
def each_source(t):
    more = LOCAL + f'filter {{ list-file = {{"{t.write("block", "blocked.example" + chr(10))}"}} }}\nrebinding {{ protect = true }}\n'

    def answer(q):
        if q.name.startswith("private"):
            return wire.answer(q, records=[wire.record(b"\xc0\x0c", wire.A, 60, bytes([10, 0, 0, 1]))])
        return wire.answer(q, rcode=2 if q.name.startswith("broken") else 0)
    d, _, path = logging(t, more=more, answer=answer)
    asked = [("box.test", "A", False, {"source": "local", "rcode": "NOERROR"}),
             ("www.example.com", "A", False, {"source": "upstream", "upstream": "one", "addr": "127.0.0.1", "rcode": "NOERROR"}),
             ("www.example.com", "A", True, {"source": "cache", "rcode": "NOERROR", "protocol": "tcp"}),
             ("blocked.example", "AAAA", False, {"source": "filter", "rcode": "NXDOMAIN", "ede": "15", "reason": "on a filter list"}),
             ("private.example.com", "A", False, {"source": "filter", "ede": "15", "reason": "a private address for a public name"}),
             ("broken.example.com", "A", False, {"rcode": "SERVFAIL", "source": "upstream"}),
             ("www.example.com", "AXFR", False, {"source": "none", "rcode": "REFUSED", "ede": "21"})]
    for name, qtype, tcp, _ in asked:
        d.ask(name, qtype, tcp=tcp)
    for line, (name, qtype, tcp, want) in zip(lines(path, len(asked)), asked):
        have = parse(line)
        want = {"name": name, "type": qtype, "class": "IN", "protocol": "tcp" if tcp else "udp", **want}
        equal({k: have.get(k) for k in want}, want, line)
        check(re.fullmatch(r"127\.0\.0\.1:\d+", have["client"]) and float(have["ms"]) >= 0 and int(have["query_bytes"]) > 12
              and int(have["reply_bytes"]) > 12, line)
        equal("upstream" in have, want["source"] == "upstream", f"an upstream: {line}")
    equal(stat(d, "query_logged"), len(asked), "questions counted")
    equal(stat(d, "query_log_dropped"), 0, "events dropped")


@case("a line names a refused upstream as the reason, and marks stale data")
def reasons(t):
    d, server, path = logging(t, more='cache { max-ttl = "1s" }\n')
    d.ask("www.example.com")
    server.stop()
    until(lambda: client.rcode(d.ask("other.example.com")) == "SERVFAIL", 10, "no upstream")

    def stale():
        d.ask("www.example.com")
        with open(path, encoding="utf-8") as f:
            return "source=stale" in f.read()
    until(stale, 10, "a line for stale data")
    with open(path, encoding="utf-8") as f:
        failed = [parse(line) for line in f.read().splitlines() if "name=other" in line]
    check(all(e["reason"].startswith("one 127.0.0.1: ") and e["ede"] in ("22", "23") for e in failed if e["rcode"] == "SERVFAIL"), failed)


@rows([(f"a name with {what}: one line, which shows it", label, shown) for what, label, shown in DISGUISES])
def names(t, label, shown):
    d, _, path = logging(t)
    raw = bytes([len(label)]) + label + b"\x04test\0"
    with d.udp() as u:
        u.ask(wire.header(ar=0) + raw + b"\0\1\0\1")
    equal(parse(lines(path, 1)[0])["name"], shown + ".test", "the name")


@case("with log-format = \"json\" every line is an object with the same keys, whatever the name")
def as_json(t):
    d, _, path = logging(t, log_format="json")
    with d.udp() as u:
        for _, label, _ in DISGUISES:
            u.ask(wire.header() + bytes([len(label)]) + label + b"\x04test\0\0\1\0\1")
    d.ask("www.example.com")
    found = [json.loads(line) for line in lines(path, len(DISGUISES) + 1)]
    for (what, _, shown), entry in zip(DISGUISES, found):
        equal(entry["name"], shown + ".test", what)
        equal(sorted(entry), sorted(["time"] + [k for k in KEYS if k in entry]), "keys")
    equal((found[-1]["upstream"], type(found[-1]["ms"]), type(found[-1]["query_bytes"])), ("one", float, int), "types")


CLIENTS = [("full: the address with its port", "full", r"127\.0\.0\.1:\d+", r"\[::1\]:\d+"),
           ("prefix: 24 bits of IPv4, 48 of IPv6", "prefix", r"127\.0\.0\.0/24", r"::/48"),
           ("none: no client at all", "none", None, None)]


@rows([(f"clients = {name}", clients, v4, v6) for name, clients, v4, v6 in CLIENTS])
def clients(t, clients, v4, v6):
    for number, (address, want) in enumerate((("127.0.0.1", v4), ("::1", v6))):
        d, _, _ = logging(t, to=t.path(f"log{number}"), clients=clients, address=address, name=f"d{number}")
        d.ask("box.test")
        entry = parse(lines(t.path(f"log{number}"), 1)[0])
        check("client" not in entry if want is None else re.fullmatch(want, entry["client"]), f"{entry}")
        d.process.stop()


@case("a reload changes whose addresses are shown, and opens the file anew: logrotate may move it away")
def reopened(t):
    d, server, path = logging(t)
    d.ask("box.test")
    lines(path, 1)
    os.rename(path, path + ".old")
    d.ask("box.test")  # still to the file that was moved
    lines(path + ".old", 2)
    d.write(open(d.config, encoding="utf-8").read().replace(d.head, "").replace('"full"', '"none"'))
    equal(d.ctl("reload").get("ok", True), True, "the reload")
    until(lambda: os.path.exists(path), 10, "a new file")
    d.ask("box.test")
    check("client" not in parse(lines(path, 1)[0]), "a client after the reload")
    equal(len(server.questions), 0, "questions upstream")


@case("a writer that is too busy at a reload opens the file anew later: logrotate may have moved it away", builds=("gcc",))
def reopened_later(t):
    d, _, path = logging(t)
    d.ask("box.test")
    lines(path, 1)
    writer = writer_of(d)
    os.kill(writer, signal.SIGSTOP)
    try:
        with d.udp() as u:
            until(lambda: [u.ask(client.query("box.test").to_wire()) for _ in range(2000)] and stat(d, "query_log_dropped") > 0, 100, "more than fits")
        os.rename(path, path + ".1")
        d.ctl("reload")
        d.process.wait_log("too busy to reopen")
    finally:
        os.kill(writer, signal.SIGCONT)
    until(lambda: d.ask("box.test", "AAAA") and os.path.exists(path) and os.path.getsize(path) > 0, 30, "lines in a new file")


@case("the file has a bounded size: full, it becomes FILE.1, and there are never more than two")
def bounded(t):
    d, _, path = logging(t, size="64KiB")
    with d.udp() as u:
        for _ in range(1500):  # of 150 bytes
            u.ask(client.query("box.test").to_wire())
    until(lambda: stat(d, "query_logged") == 1500, 10, "all are counted")
    d.process.stop()
    sizes = {n: os.path.getsize(t.path(n)) for n in os.listdir(t.dir) if n.startswith("queries.log")}
    equal(sorted(sizes), ["queries.log", "queries.log.1"], "files")
    check(all(0 < s <= 64 * 1024 + 64 * 1024 for s in sizes.values()) and sizes["queries.log.1"] >= 64 * 1024, f"{sizes}")
    for name in sizes:
        with open(t.path(name), encoding="utf-8") as f:
            for line in f.read().splitlines():
                parse(line)


@case("status shows where the query log goes and whose addresses it has, and nothing without one")
def in_status(t):
    d, _, path = logging(t, clients="prefix")
    d.ask("box.test")
    lines(path, 1)
    equal(d.ctl("status")["query_log"], {"to": path, "clients": "prefix", "writes": True}, "the object")
    check(f"query log      {path}, clients: prefix\n" in d.tool("status")[1], d.tool("status")[1])
    os.kill(writer_of(d), signal.SIGKILL)
    d.process.wait_log("its writer has ended")
    check("clients: prefix (cannot be written" in d.tool("status")[1], d.tool("status")[1])
    check("the query log is not written: its process has ended, restart ctstubd" in d.ctl("status")["warnings"], d.ctl("status")["warnings"])
    d, _ = stub(t, name="without")
    equal(d.ctl("status")["query_log"], None, "the object without a log")
    check("query log" not in d.tool("status")[1], d.tool("status")[1])


@case("the file is readable by its user and group alone")
def private(t):
    d, _, path = logging(t)
    d.ask("box.test")
    lines(path, 1)
    equal(os.stat(path).st_mode & 0o137, 0, "rights of others, or to write and execute")


def linked(path):
    with open(path + ".victim", "w", encoding="utf-8"):
        pass
    os.symlink(path + ".victim", path)


def doubled(path):
    with open(path + ".victim", "w", encoding="utf-8"):
        pass
    os.link(path + ".victim", path)


def folder(path):
    os.mkdir(path)


@rows([("a symbolic link at its place is not followed", linked, os.unlink),
       ("a file with a second name is not written to", doubled, os.unlink),
       ("a folder at its place is no log; when it is gone, the log begins", folder, os.rmdir),
       ("a FIFO at its place delays nothing", os.mkfifo, os.unlink)])
def in_the_way(t, make, remove):
    make(t.path("queries.log"))
    d, _, path = logging(t)
    d.process.wait_log("query-log-failed")
    equal(client.rcode(d.ask("box.test")), "NOERROR", "an answer meanwhile")
    until(lambda: stat(d, "query_log_dropped") == 1, 10, "what was lost is counted")
    if os.path.exists(path + ".victim"):
        equal(os.path.getsize(path + ".victim"), 0, "bytes in the other file")
    remove(path)
    until(lambda: d.ask("box.test") and os.path.exists(path) and os.path.getsize(path) > 0, 10, "lines again")
    d.process.wait_log("query-log-open")


# ---- dnstap

class Collector:
    """fstrm_capture: the collector of libfstrm itself."""

    def __init__(self, t):
        self.socket, self.file = t.path("dnstap.sock"), t.path("dnstap.out")
        self.process = t.spawn("fstrm_capture", [t.program("fstrm_capture"), "-t", "protobuf:dnstap.Dnstap", "-u", self.socket, "-w", self.file,
                                                 "-ddddd"])  # a line for each frame
        self.process.expect = None
        until(lambda: os.path.exists(self.socket), 10, "the collector listens")

    def wait(self, d):
        """Until it has what was asked so far: the events of a long name, the only ones of more than 200 bytes, come after it."""
        d.ask(".".join(["x" * 60] * 3) + ".test")
        self.process.wait_log(r"processing data frame \([2-9]\d\d bytes\)")

    def stop(self):
        self.process.stop()
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        return self.file


def brief(t, path):
    """What dnstap-ldns says of a file, a line each, without the time."""
    code, out, err = t.run("dnstap-ldns", "-r", path)
    check(code == 0, err)
    return [line.split(" ", 2)[2] for line in out.splitlines()]


def frames(path, growing=False):
    """The data frames of a file (Frame Streams: a length of 0 announces a control frame). growing: the last one may be a part, as
    its length is written first."""
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at < len(data):
        n = int.from_bytes(data[at:at + 4], "big")
        if n == 0:
            at += 8 + int.from_bytes(data[at + 4:at + 8], "big")
        elif growing and at + 4 + n > len(data):
            return
        else:
            yield data[at + 4:at + 4 + n]
            at += 4 + n


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def protobuf(data):
    """The fields of a message by their number; none is there twice."""
    at, found = 0, {}
    while at < len(data):
        key, at = varint(data, at)
        check(key >> 3 not in found, f"field {key >> 3} twice")
        if key & 7 == 0:
            found[key >> 3], at = varint(data, at)
        else:
            n, at = (4, at) if key & 7 == 5 else varint(data, at)
            found[key >> 3], at = data[at:at + n], at + n
    return found


def dnstap(t, path):
    """What dnstap-ldns says of a file without messages of forwarders: (type, its YAML) each."""
    code, out, err = t.run("dnstap-ldns", "-y", "-r", path)
    check(code == 0, err)
    messages = [m for m in out.split("---\n") if m.strip()]
    return [(re.search(r"^  type: (\w+)$", m, re.M).group(1), m) for m in messages]


# Numbers of the fields, as the public schema of dnstap has them.
VERSION, EXTRA, MESSAGE, KIND = 2, 3, 14, 15
TYPE, FAMILY, PROTOCOL, QUERY_ADDRESS, RESPONSE_ADDRESS, QUERY_PORT, RESPONSE_PORT, QUERY_TIME, QUERY_NSEC, QUERY, RESPONSE_TIME, \
    RESPONSE_NSEC, RESPONSE = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14
HOME = bytes([127, 0, 0, 1])


def check_socket_messages(server, found):
    messages = [protobuf(f[MESSAGE]) for f in found]
    equal([f[KIND] for f in found], [1] * 6, "kinds of dnstap")
    check(all(f[VERSION].startswith(b"ctstub ") for f in found), f"versions: {found}")
    equal([m[TYPE] for m in messages], [5, 7, 8, 6, 5, 6], "types")
    equal([m[PROTOCOL] for m in messages], [1, 3, 3, 1, 2, 2], "protocols: UDP, DoT, TCP")
    equal([m[FAMILY] for m in messages], [1] * 6, "families")
    equal([m.get(QUERY_ADDRESS) for m in messages], [HOME, None, None, HOME, HOME, HOME], "clients")
    equal([m.get(RESPONSE_PORT) for m in messages], [None, server.port, server.port, None, None, None], "ports of upstreams")
    equal([RESPONSE in m for m in messages], [False, False, True, True, False, True], "answers")
    equal([QUERY in m for m in messages], [True, True, False, False, True, False], "questions")
    check(all(m[RESPONSE_TIME] * 10**9 + int.from_bytes(m[RESPONSE_NSEC], "little") >= m[QUERY_TIME] * 10**9 + int.from_bytes(m[QUERY_NSEC], "little")
              for m in messages if RESPONSE_TIME in m), "an answer before its question")
    equal(found[3][EXTRA], b"source=upstream upstream=one", "the extra of a reply")


@case("dnstap to a collector's socket: client and forwarder messages, read by dnstap-ldns", timeout=120)
def to_socket(t):
    collector = Collector(t)
    d, server, _ = logging(t, to=f"dnstap:{collector.socket}")
    d.process.wait_log("query-log-open")  # a handshake that takes longer than 400 ms is tried again, but events until then are lost
    d.ask("www.example.com")
    d.ask("box.test", tcp=True)
    d.process.stop()
    until(lambda: collector.process.log().count("processing data frame") >= 6, 10, "the collector has read all")
    file = collector.stop()
    check_socket_messages(server, [protobuf(f) for f in frames(file)])
    lines_of = brief(t, file)
    want = ["CQ 127.0.0.1 UDP", "FQ 127.0.0.1", "FR 127.0.0.1", "CR 127.0.0.1 UDP", "CQ 127.0.0.1 TCP", "CR 127.0.0.1 TCP"]
    check(len(lines_of) == len(want) and all(have.startswith(w) for have, w in zip(lines_of, want)), f"dnstap-ldns: {lines_of}")
    check(all('"www.example.com." IN A' in line for line in lines_of[:4]) and all('"box.test." IN A' in line for line in lines_of[4:]), f"{lines_of}")


@rows([("prefix: the network, no port, and no option of the client's EDNS", "prefix", 'query_address: "127.0.0.0"'),
       ("none: no address, and no option of the client's EDNS", "none", None)])
def dnstap_clients(t, clients, address):
    path = t.path("tap")
    d, _, _ = logging(t, to=f"dnstap-file:{path}", clients=clients)
    subnet = wire.option(8, b"\0\1\x20\0\xc6\x33\x64\x07")  # 198.51.100.7/32
    with d.udp() as u:
        u.ask(wire.question("box.test", extra=wire.opt(options=subnet + wire.option(10, b"COOKIEID")), ar=1, ident=0x7777))
    d.process.stop()
    found = dnstap(t, path)
    equal([k for k, _ in found], ["CLIENT_QUERY", "CLIENT_RESPONSE"], "messages")
    for kind, text in found:
        check((address in text) if address else "query_address" not in text, f"{kind}: {text}")
        check("query_port" not in text and "198.51.100" not in text, f"{kind}: {text}")
    check(f"id: {0x7777}" not in found[0][1], "the id of the client's question")
    with open(path, "rb") as f:
        data = f.read()
    check(b"COOKIEID" not in data and b"\xc6\x33\x64\x07" not in data, "an option of the client is in the file")


@case("a dnstap file holds one stream: a start and a reload move the one before to FILE.1")
def streams(t):
    path = t.path("tap")
    d, _, _ = logging(t, to=f"dnstap-file:{path}")
    d.ask("box.test")
    until(lambda: os.path.exists(path) and os.path.getsize(path) > 100, 10, "frames")
    d.ctl("reload")
    until(lambda: os.path.exists(path + ".1"), 10, "the older stream")
    d.ask("box.test", "AAAA")
    d.process.stop()
    for name, qtype in ((path + ".1", "A"), (path, "AAAA")):
        found = dnstap(t, name)
        equal([k for k, _ in found], ["CLIENT_QUERY", "CLIENT_RESPONSE"], f"messages of {name}")
        check(f";box.test.\tIN\t{qtype}\n" in found[1][1], found[1][1])


@rows([("a dnstap file that a full disk interrupts goes on, and FILE.1 stays", False), ("a dnstap file that is moved away while the disk is full is started anew", True)])
def full_disk(t, moved):
    path = t.path("tap")
    t.write("tap.1", "older")
    d, _, _ = logging(t, to=f"dnstap-file:{path}", more=NUMBERED)
    d.ask("n1.box.test")
    until(lambda: [names_in([f]) for f in frames_there(path)] == [{"n1"}] * 2, 10, "the question and the reply")
    writer, size = writer_of(d), os.path.getsize(path)
    hard = resource.prlimit(writer, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(writer, resource.RLIMIT_FSIZE, (size + 10, hard))  # a part of a frame fits
    until(lambda: d.ask("n2.box.test") and d.log().count("query-log-failed") > 0, 10, "it fails")
    lost = stat(d, "query_log_dropped")
    until(lambda: d.ask("n3.box.test") and stat(d, "query_log_dropped") > lost + 4, 30, "it fails again after its pause")
    equal(os.path.getsize(path), size, "no half frame stays")
    if moved:
        os.rename(path, path + ".2")
    resource.prlimit(writer, resource.RLIMIT_FSIZE, (hard, hard))
    until(lambda: d.ask("n4.box.test") and "n4" in names_in(frames_there(path)), 30, "a message when there is room again")
    d.process.stop()
    equal("n1" in names_in(frames(path)), not moved, "the message of before is in this file")
    brief(t, path)  # a reader takes it to its end
    with open(path + ".1", encoding="utf-8") as f:
        equal(f.read(), "older", "the older file")


@case("a collector that comes later, goes, and comes back gets what is asked while it is there")
def collector_returns(t):
    d, _, _ = logging(t, to=f"dnstap:{t.path('dnstap.sock')}")
    d.process.wait_log("query-log-failed")
    d.ask("box.test")
    for name in ("first", "second"):
        opened, collector = d.log().count("query-log-open"), Collector(t)
        until(lambda: d.ask("box.test") and d.log().count("query-log-open") > opened, 10, f"the {name} collector is found")
        d.ask(f"{name}.example.com")
        collector.wait(d)
        found = brief(t, collector.stop())
        check(any(f'"{name}.example.com."' in line for line in found), f"{name}: {found}")


@case("a collector that never reads costs no answer: what does not fit is dropped and counted, and the end is not late", timeout=120)
def collector_is_stuck(t):
    stuck = socket.socket(socket.AF_UNIX)
    stuck.bind(t.path("stuck.sock"))
    stuck.listen(8)  # accepts connections, and never reads
    t.defer(stuck.close)
    d, _, _ = logging(t, to=f"dnstap:{t.path('stuck.sock')}")
    with d.udp() as u:
        for _ in range(12000):  # of 150 bytes twice: more than all buffers hold
            u.ask(client.query("box.test").to_wire())
    until(lambda: stat(d, "query_log_dropped") > 0, 10, "events are dropped")
    check("query-log-failed" in d.log() and d.log().count("query-log-") < 20, d.log()[-500:])
    equal(client.rcode(d.ask("localhost")), "NOERROR", "an answer")
    d.process.signal(signal.SIGTERM)
    until(lambda: not d.process.alive(), 5, "the end")


def writer_of(d):
    out = subprocess.run(["ps", "--ppid", str(d.process.pid), "-o", "pid=,comm="], stdout=subprocess.PIPE, check=False).stdout.decode()
    return {name: int(pid) for pid, name in (line.split() for line in out.splitlines())}.get("ctstub-queries")


@case("the writer is killed: questions are answered, the log says what is lost, and so do the counters")
def writer_dies(t):
    d, _, path = logging(t)
    d.ask("box.test")
    lines(path, 1)
    os.kill(writer_of(d), signal.SIGKILL)
    d.process.wait_log("its writer has ended")
    for _ in range(3):
        equal(client.rcode(d.ask("box.test")), "NOERROR", "an answer")
    equal(stat(d, "query_log_dropped"), 3, "events dropped")
    equal(len(lines(path, 1)), 1, "lines")


@case("the writer is killed while it is behind: what waits for it is counted", builds=("gcc",))
def writer_dies_behind(t):
    d, _, _ = logging(t)
    writer = writer_of(d)
    os.kill(writer, signal.SIGSTOP)
    with d.udp() as u:
        for _ in range(3000):  # twice as many bytes as the socket holds
            u.ask(client.query("box.test").to_wire())
    before = stat(d, "query_log_dropped")
    os.kill(writer, signal.SIGKILL)
    until(lambda: stat(d, "query_log_dropped") > before, 10, "more events are dropped")


@case("the daemon is killed: its writer works off what it has, and ends")
def daemon_dies(t):
    d, _, path = logging(t)
    writer = writer_of(d)
    os.kill(writer, signal.SIGSTOP)
    d.ask("box.test")
    until(lambda: stat(d, "query_logged") == 1, 10, "the worker has logged it")
    stat(d, "query_logged")  # asked in a later turn: in the turn of the question it was sent to the writer
    d.process.expect = None
    os.kill(d.process.pid, signal.SIGKILL)
    os.kill(writer, signal.SIGCONT)
    lines(path, 1)
    until(lambda: gone(writer), 10, "the writer ends")


@case("without query-log there is no writer and no counter moves")
def off(t):
    d, _ = stub(t, extra=LOCAL)
    d.ask("box.test")
    equal((writer_of(d), stat(d, "query_logged"), stat(d, "query_log_dropped")), (None, 0, 0), "writer and counters")


@rows([("a relative path", "queries.log"), ("a folder", "/var/log/"), ("dnstap without a path", "dnstap:"),
       ("dnstap with a relative path", "dnstap:sock"), ("a socket's path that is too long", "dnstap:/" + "x" * 120),
       ("an unknown form", "syslog:local0"), ("a file of frames without a path", "dnstap-file:")])
def forms(t, to):
    config = t.write("ctstub.conf", f'query-log {{ to = "{to}" }}\n')
    code, _, err = t.run("ctstubd", "-t", "-c", config)
    equal(code, 2, "exit code")
    check(f"{config}:1: " in err and "dnstap:/run/dnstap.sock" in err, err)


@case("logrotate with the example of the manual moves the file and reloads: no line is lost")
def rotated(t):
    if not shutil.which("logrotate"):
        raise Skip("logrotate is not on this machine")
    d, _, path = logging(t)
    d.ask("box.test")
    lines(path, 1)
    with open(os.path.join(t.src, "contrib/logrotate"), encoding="utf-8") as f:
        text = f.read()
    check("/var/log/ctstub/queries.log" in text and "systemctl reload ctstubd" in text, text)
    own = text.replace("/var/log/ctstub/queries.log", path).replace("systemctl reload ctstubd", f"kill -HUP {d.process.pid}")
    own = own.replace("ctstub ctstub", f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}")
    config = t.write("logrotate.conf", own)
    os.chmod(config, 0o644)
    code, out, err = t.run("logrotate", "-f", "-s", t.path("state"), config)
    check(code == 0, out + err)
    d.process.wait_log("notice reloaded")
    until(lambda: d.ask("box.test", "AAAA") and os.path.getsize(path) > 0, 10, "lines in the new file")
    with open(path + ".1", encoding="utf-8") as f:
        check("type=A " in f.read().splitlines()[0], "the line before is in the file that was moved")


# ---- single failures of the writer (A11)

# call, error, calls in the default run
CALLS = [("allocation", errno.ENOMEM, 4), ("socket", errno.EMFILE, 1), ("connect", errno.ECONNREFUSED, 1), ("send", errno.EPIPE, 2), ("recv", errno.ENOMEM, 1),
         ("write", errno.ENOSPC, 2), ("poll", errno.ENOMEM, 1), ("openat", errno.EMFILE, 1), ("stat", errno.EIO, 1), ("sync", errno.EIO, 1)]


def tap_sweep(d, t, faults, written):
    """Each call fails once while a question is logged; written(name): the message of a question about it has arrived."""
    number = 0

    def another(what):
        nonlocal number
        number += 1
        name = f"n{number}.box.test"
        equal(client.rcode(d.ask(name)), "NOERROR", f"{what}: rcode")
        return name

    def arrives(what):
        """Asked again and again: what a writer without room loses is counted, and not kept."""
        until(lambda: written(another(what)), 30, f"{what}: a message afterwards; {d.log()[-400:]}")
    arrives("before")
    before = {call: faults.count(call) for call, _, _ in CALLS}
    arrives("while calls are counted")
    total = {call: faults.count(call) - before[call] for call, _, _ in CALLS}
    check(total["write"] + total["send"] > 0, f"calls of a message: {total}")
    for call, error, n in CALLS:
        for k in sample(t, total[call], n) if total[call] else ():
            what = f"{call} {k} of {total[call]} {errno.errorcode[error]}"
            faults.arm(call, k, error)
            try:
                d.ask("fault.box.test", timeout=2)
            except OSError:
                pass  # the fault met the question itself
            until(lambda: not faults.armed or d.ask("fault.box.test"), 20, f"{what}: it comes to that call")
            faults.disarm()
            check(d.process.alive(), f"{what}: it ended with {d.process.popen.poll()}")
            arrives(what)


def frames_there(path):
    """The writer may just have moved the file away, and makes another."""
    try:
        return list(frames(path, growing=True))
    except FileNotFoundError:
        return []


def names_in(found):
    """The names of the questions in whole messages."""
    names = set()
    for frame in found:
        check(14 in protobuf(frame), f"a frame without a message: {frame!r}")
        protobuf(protobuf(frame)[14])  # both levels are whole
        names |= {name.decode() for name in re.findall(rb"(n[0-9]+)\x03box\x04test", frame)}
    return names


def comes(found, name):
    """True as soon as the name is there, False when it is not in a while."""
    try:
        until(lambda: name.split(".")[0] in names_in(found()), 1, "")
        return True
    except AssertionError:
        return False


NUMBERED = 'local { data = {"fault.box.test 60 IN A 192.0.2.77", ' + ", ".join(f'"n{i}.box.test 60 IN A 192.0.2.77"' for i in range(1, 400)) + "} }\n"


@case("A11 any call fails while dnstap is written to a file: every frame stays whole, and later ones are written", timeout=3600)
def tap_file_faults(t):
    faults, path = Faults(t), t.path("tap")
    d, _, _ = logging(t, to=f"dnstap-file:{path}", more=NUMBERED, env=faults.env)
    tap_sweep(d, t, faults, lambda name: comes(lambda: frames_there(path), name))
    d.process.stop()
    check(names_in(frames(path)), "no frame at the end")


class Sink:
    """A collector in memory: Frame Streams in both directions (READY, ACCEPT, START, frames, STOP, FINISH)."""

    def __init__(self, t):
        self.path, self.frames = t.path("sink.sock"), []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        t.defer(lambda: net.end(self.listener))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        """A frame that is cut by the end of a connection was not sent whole, and is none."""
        with connection, connection.makefile("rb") as stream:
            while len(head := stream.read(4)) == 4:
                n = int.from_bytes(head, "big")
                if n > 0:
                    frame = stream.read(n)
                    if len(frame) == n:
                        self.frames.append(frame)
                    continue
                control = stream.read(int.from_bytes(stream.read(4), "big"))
                answer = {b"\0\0\0\x04": b"\0\0\0\x01", b"\0\0\0\x03": b"\0\0\0\x05"}.get(control[:4])
                if answer:  # ACCEPT has the content type of READY
                    answer += control[4:]
                    try:
                        connection.sendall(bytes(4) + len(answer).to_bytes(4, "big") + answer)
                    except OSError:
                        return


@case("A11 any call fails while dnstap is sent to a collector: every frame is whole, and later ones are sent", timeout=3600)
def tap_socket_faults(t):
    faults, sink = Faults(t), Sink(t)
    d, _, _ = logging(t, to=f"dnstap:{sink.path}", more=NUMBERED, env=faults.env)
    tap_sweep(d, t, faults, lambda name: comes(lambda: list(sink.frames), name))
    check(len(names_in(sink.frames)) > 5, "frames at the end")

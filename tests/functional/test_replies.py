"""Replies that clients can use, and upstreams' answers read whole: real C libraries, every size, every verdict of an upstream."""
import os
import struct
import subprocess
import time

import dns.message

from functional._common import stub
from harness import client, wire
from harness.case import Skip, case, check, equal, rows
from harness.daemon import Daemon, upstream
from harness.pki import Site
from harness.standstill import TimeIsUp
from harness.upstream import DotServer

ADDRESS = bytes([192, 0, 2, 7])
LATE_S = 0.25  # after this long another upstream may be asked: the first is still connecting (UPSTREAM_RACE_MS)
OWNER = b"\xc0\x0c"

LOOK_UP = r"""
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
int
main(int n, char **name)
{
	for (int i = 1; i < n; i++) {
		struct addrinfo want, *list = NULL, *a;
		int e, count = 0;
		memset(&want, 0, sizeof want);
		want.ai_socktype = SOCK_STREAM;
		want.ai_family = AF_INET;
		e = getaddrinfo(name[i], "80", &want, &list);
		printf("%s %s", name[i], e == 0 ? "ok" : e == EAI_NONAME ? "noname" : e == EAI_AGAIN ? "again" : "nodata");
		for (a = list; a != NULL; a = a->ai_next, count++) {
			char text[64];
			if (count == 0)
				printf(" %s", inet_ntop(AF_INET, &((struct sockaddr_in *)a->ai_addr)->sin_addr, text, sizeof text));
		}
		printf(" %d\n", count);
	}
	return 0;
}
"""


def named(text):
    return wire.name_bytes(text)


def sized(q):
    """Answers by the first label: extras beside an address, many addresses, chains back to front, what does not exist."""
    what = q.labels[0].decode()
    if q.qtype != wire.A:
        return wire.answer(q, records=[])
    if what == "extras":
        answer = [wire.record(OWNER, wire.A, 60, ADDRESS)]
        authority = [wire.record(named("example"), wire.NS, 60, named(f"ns{i}.hosting.example")) for i in range(13)]
        more = [wire.record(named(f"ns{i}.hosting.example"), wire.A, 60, bytes([198, 51, 100, i])) for i in range(13)]
        return (wire.header(q.ident, 0x8180, 1, 1, 13, 13) + q.section + b"".join(answer + authority + more))
    if what == "many":
        return wire.answer(q, records=[wire.record(OWNER, wire.A, 60, bytes([192, 0, 2, i])) for i in range(100)])
    if what == "backwards":
        return wire.answer(q, records=[wire.record(named("edge.example"), wire.A, 60, ADDRESS),
                                       wire.record(named("cdn.example"), wire.CNAME, 60, named("edge.example")),
                                       wire.record(OWNER, wire.CNAME, 60, named("cdn.example"))])
    if what == "missing":
        return wire.answer(q, rcode=3)
    return wire.answer(q, records=[wire.record(OWNER, wire.A, 60, ADDRESS)])


def at_port_53(t, extra, more=""):
    """The daemon on 127.0.0.1:53, in the namespaces of the test, with everything that a C library reads made so."""
    d, server = stub(t, sized, extra=extra, listen=["127.0.0.1:53"])
    for path, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\n" + more), ("/etc/nsswitch.conf", "hosts: files dns\n")):
        done = subprocess.run(["mount", "--bind", t.write(os.path.basename(path), text), os.path.realpath(path)], stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Skip(f"{path} cannot be covered: {done.stderr.decode().strip()}")
    return d, server


def program(t, compiler, *options):
    binary = t.path(f"look-up-{compiler}")
    code, _, err = t.run(compiler, *options, "-o", binary, t.write("look-up.c", LOOK_UP))
    equal(code, 0, f"{compiler}: {err}")
    return binary


EVERYTHING = 'local { hosts-file = "" data = {"ads.example. A 192.0.2.66"} }\nforward "." { upstream = {} }\nupstream "none" { address = {"192.0.2.1"} }\n'
LIBRARIES = [("static musl", "musl-gcc", ["-static"]), ("glibc", "gcc", [])]


@rows([(f"{name}: extras, a large RRset, aliases back to front, blocked and missing names", compiler, options)
       for name, compiler, options in LIBRARIES], netns=True, builds=("gcc",))
def c_libraries(t, compiler, options):
    binary = program(t, compiler, *options)
    listed = t.write("list", "ads.example\n")
    d, _ = at_port_53(t, f'filter {{ list-file = {{"{listed}"}} }}\n')
    _, out, err = t.run(binary, "plain.example", "extras.example", "many.example", "backwards.example", "ads.example", "x.ads.example", "missing.example")
    found = dict(line.split(" ", 1) for line in out.splitlines())
    equal(found["plain.example"], "ok 192.0.2.7 1", f"a name {err}")
    equal(found["extras.example"], "ok 192.0.2.7 1", "an address with extras beside it")
    check(found["many.example"].startswith("ok 192.0.2."), f"a large RRset: {found['many.example']}")
    equal(found["backwards.example"], "ok 192.0.2.7 1", "aliases behind their target")
    for name in ("ads.example", "x.ads.example", "missing.example"):
        equal(found[name], "noname 0", name)
    equal(d.ctl("stats")["counters"]["filtered"] > 0, True, "filtered")


@rows([(f"{name}: a blocked name is final, whatever a second name server answers", compiler, options) for name, compiler, options in LIBRARIES],
      netns=True, builds=("gcc",))
def second_name_server(t, compiler, options):
    binary = program(t, compiler, *options)
    listed = t.write("list", "ads.example\n")
    d, _ = at_port_53(t, f'filter {{ list-file = {{"{listed}"}} }}\n', "nameserver 127.0.0.2\n")
    # one that answers everything; musl asks both at once and takes the first word that counts
    second = Daemon(t, "", anchors=d.site.anchors, name="second", listen=["127.0.0.2:53"], extra=EVERYTHING)
    _, out, _ = t.run(binary, "ads.example")
    if compiler == "gcc":
        equal(out.split(), ["ads.example", "noname", "0"], "the name")
        equal(second.ctl("stats")["counters"]["questions_udp"], 0, "questions to the second")
    check("again" not in out, f"the client was told to ask again: {out}")


SIZES = [(how, name) for how in ("noedns", 512, 600, 1232) for name in ("plain", "extras", "many", "backwards")]


@rows([(f"{name}, {how}: the reply has what fits, and TC only when the answer is cut", how, name) for how, name in SIZES])
def sizes(t, how, name):
    d, _ = stub(t, sized)
    question = dns.message.make_query(f"{name}.example", "A", use_edns=-1 if how == "noedns" else 0, payload=1232 if how == "noedns" else how)
    with d.udp() as c:
        raw = c.ask(question.to_wire())
    room = 512 if how == "noedns" else how
    check(len(raw) <= room, f"{len(raw)} bytes")
    reply = dns.message.from_wire(raw)
    whole = client.exchange(d.address, d.port, question, tcp=True)
    records, all_records = client.values(reply), client.values(whole)
    cut = bool(reply.flags & 0x0200)
    equal(cut, len(records) < len(all_records), "TC")
    equal(cut, name == "many" and room < 1600 and len(all_records) * 16 + 35 > room, "TC where the RRset does not fit")
    check(records, "no record")
    if cut:
        check(len(raw) + 16 > room - 1, f"{len(raw)} bytes, there was room for one more")


@rows([(f"filter-answer {mode}: {qtype}", mode, qtype, rcode, values) for mode, qtype, rcode, values in (
    ("nxdomain", "A", "NXDOMAIN", []), ("nxdomain", "AAAA", "NXDOMAIN", []), ("nxdomain", "HTTPS", "NXDOMAIN", []), ("nxdomain", "ANY", "NXDOMAIN", []),
    ("nxdomain", "DS", "NXDOMAIN", []), ("nodata", "A", "NOERROR", []), ("nodata", "TXT", "NOERROR", []), ("zero", "A", "NOERROR", ["0.0.0.0"]),
    ("zero", "AAAA", "NOERROR", ["::"]), ("zero", "HTTPS", "NOERROR", []), ("refused", "A", "REFUSED", []), ("refused", "MX", "REFUSED", []))])
def filter_answers(t, mode, qtype, rcode, values):
    listed = t.write("list", "ads.example\n")
    d, server = stub(t, extra=f'filter-answer = "{mode}"\nfilter {{ list-file = {{"{listed}"}} }}\n')
    for name in ("ads.example", "X.Ads.Example"):
        for tcp in (False, True):
            reply = d.ask(name, qtype, tcp=tcp)
            equal(client.rcode(reply), rcode, "rcode")
            equal(client.values(reply, qtype) if qtype != "ANY" else [], values, "records")
            equal(client.ede(reply), [(15, "on a filter list")], "extended error")
            if rcode != "REFUSED" and not values:
                equal(len(reply.authority), 1, "an SOA, so that it is kept")
    equal(server.questions, [], "questions upstream")


# ---- an upstream's answer is read whole

def with_ede(q, rcode, *codes, flags=0x8180):
    options = b"".join(wire.option(15, struct.pack(">H", code)) for code in codes)
    return wire.header(q.ident, flags | rcode, 1, 0, 0, 1) + q.section + wire.opt(1232, options)


def referral(q, owner, flags=0x8100):
    return wire.header(q.ident, flags, 1, 0, 1, 0) + q.section + wire.record(owner, wire.NS, 60, named("ns.example"))


REFUSED, SERVFAIL, NXDOMAIN, NOTIMP, FORMERR = 5, 2, 3, 4, 1
DECISIONS = [(f"{text}, EDE {code}", lambda q, rcode=rcode, code=code: with_ede(q, rcode, code), text, code)
             for text, rcode in (("REFUSED", REFUSED), ("SERVFAIL", SERVFAIL)) for code in (4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 18)]
DECISIONS += [("NXDOMAIN, EDE 17", lambda q: with_ede(q, NXDOMAIN, 17), "NXDOMAIN", 17),
              ("NXDOMAIN without RA", lambda q: with_ede(q, NXDOMAIN, flags=0x8100), "NXDOMAIN", None),
              ("SERVFAIL, EDE 22 and 6", lambda q: with_ede(q, SERVFAIL, 22, 6), "SERVFAIL", 6),
              ("NODATA of the zone itself", lambda q: wire.header(q.ident, 0x8500, 1, 0, 1, 0) + q.section
               + wire.record(named("example"), wire.SOA, 60, b"\0\0" + struct.pack(">IIIII", 1, 2, 3, 4, 60)), "NOERROR", None)]


def pair(t, answer):
    site = Site(t)
    first, second = DotServer(t, site, answer=answer), DotServer(t, site)
    d = Daemon(t, [upstream("first", first), upstream("second", second)], anchors=site.anchors, extra='strategy = "ordered"\nhedge = false')
    return d, first, second


@case("an upstream's decision is passed on with its extended error, over UDP, TCP and from the cache", timeout=240)
def decisions(t):
    by_name = {f"d{i}": row for i, row in enumerate(DECISIONS)}
    d, _, second = pair(t, lambda q: by_name[q.labels[0].decode()][1](q))
    for name, (what, _, rcode, code) in by_name.items():
        for tcp in (False, True):
            began = time.monotonic()
            reply = d.ask(f"{name}.example.com", tcp=tcp)
            if second.questions and time.monotonic() - began >= LATE_S:
                raise TimeIsUp(f"{what}: no answer of the first upstream within {LATE_S} s")
            equal(client.rcode(reply), rcode, f"{what}: rcode")
            if code is not None:
                check(code in [c for c, _ in client.ede(reply)], f"{what}: extended errors {client.ede(reply)}")
    equal(second.questions, [], "questions to the other upstream")


FAILURES = [(f"{text}{'' if code is None else f', EDE {code}'}", lambda q, rcode=rcode, code=code: with_ede(q, rcode, *([] if code is None else [code])))
            for text, rcode in (("REFUSED", REFUSED), ("SERVFAIL", SERVFAIL)) for code in (None, 0, 1, 2, 3, 13, 14, 19, 20, 21, 22, 23, 24, 99)]
FAILURES += [("NOTIMP", lambda q: with_ede(q, NOTIMP)), ("FORMERR", lambda q: with_ede(q, FORMERR)),
             ("NOERROR without RA, nothing", lambda q: with_ede(q, 0, flags=0x8100)),
             ("NOERROR without RA, an upward referral", lambda q: referral(q, b"\0")),
             ("NOERROR without RA, a referral", lambda q: referral(q, named("example.com"))),
             ("NOERROR without RA, AA, an upward referral", lambda q: referral(q, b"\0", 0x8500))]


@case("after a failure, or from a server that does not recurse, another upstream is asked", timeout=240)
def failures(t):
    by_name = {f"f{i}": row for i, row in enumerate(FAILURES)}
    d, _, second = pair(t, lambda q: by_name[q.labels[0].decode()][1](q))
    for name, (what, _) in by_name.items():
        reply = d.ask(f"{name}.example.com")
        equal(client.rcode(reply), "NOERROR", f"{what}: rcode")
        equal(len(reply.answer), 1, f"{what}: the other one's answer")
        equal(second.names().count(f"{name}.example.com"), 1, f"{what}: questions to the other upstream")


@case("when no upstream recurses, SERVFAIL says so and RA is the upstream's")
def nobody_recurses(t):
    def answer(q):
        if q.labels[0] == b"authority":
            return wire.answer(q, flags=0x8500, ttl=60)
        return referral(q, b"\0")
    d, _ = stub(t, answer)
    for _ in range(2):
        reply = d.ask("www.example.com")
        equal(client.rcode(reply), "SERVFAIL", "rcode")
        check(any(code == 22 and "does not recurse" in text for code, text in client.ede(reply)), f"extended errors {client.ede(reply)}")
        check(reply.flags & 0x0080, "our own reply has no RA")
    for _ in range(2):
        reply = d.ask("authority.example.com")
        equal((client.rcode(reply), reply.flags & 0x0080), ("NOERROR", 0), "rcode and RA")

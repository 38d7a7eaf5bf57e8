"""Servers and clients that are not ours: unbound, dnsdist, BIND and nghttpx as upstreams; dig, kdig, drill and the C library
as clients."""
import os
import random
import subprocess

import dns.message

from functional._common import stub
from harness import client, servers, wire
from harness.case import case, check, equal, rows
from harness.daemon import Daemon, upstream
from harness.pki import Site
from harness.upstream import DotServer


def answered(t, d, total=40):
    """The zone's names over UDP and TCP, large answers included."""
    for i in range(total):
        reply = d.ask(f"h{i}.zone.example", tcp=i % 4 == 0)
        equal(client.rcode(reply), "NOERROR", f"rcode of h{i}")
        equal(client.values(reply), [f"192.0.2.{i}"], f"address of h{i}")
    equal(client.rcode(d.ask("missing.zone.example")), "NXDOMAIN", "rcode of a missing name")
    equal(len(client.values(d.ask("big.zone.example", "TXT", tcp=True), "TXT")), 40, "records of the large answer")


@rows([("DoT to unbound", servers.Unbound, "dot"), ("DoT to dnsdist", servers.Dnsdist, "dot"), ("DoT to BIND", servers.Bind, "dot"),
       ("DoH to dnsdist", servers.Dnsdist, "doh"), ("DoH to BIND", servers.Bind, "doh"), ("DoH to nghttpx before a back end", servers.Nghttpx, "doh")],
      timeout=120)
def upstreams(t, kind, protocol):
    site = Site(t, with_ct=True)
    server = kind(t, site, protocol)
    d = Daemon(t, upstream("other", server, protocol=protocol, name="dns.test"), anchors=site.anchors, ct=None,
               extra=f'ct {{ log-list = "{site.log_list}" }}')
    answered(t, d)
    code, out, err = d.tool("probe", "--json", "other")
    equal(code, 0, f"ctstub probe: {out[-300:]} {err[-300:]}")


@rows([("DoH GET to dnsdist", servers.Dnsdist), ("DoH GET to BIND", servers.Bind)])
def get(t, kind):
    site = Site(t)
    server = kind(t, site, "doh")
    d = Daemon(t, upstream("other", server, protocol="doh", method="get"), anchors=site.anchors)
    answered(t, d, 8)


CLIENTS = {
    "dig over UDP": ["dig", "@{a}", "-p", "{p}", "+tries=1", "+short", "www.example.com"],
    "dig over TCP": ["dig", "@{a}", "-p", "{p}", "+tcp", "+tries=1", "+short", "www.example.com"],
    "dig without EDNS": ["dig", "@{a}", "-p", "{p}", "+noedns", "+tries=1", "+short", "www.example.com"],
    "dig with a cookie and a subnet": ["dig", "@{a}", "-p", "{p}", "+cookie", "+subnet=192.0.2.0/24", "+tries=1", "+short", "www.example.com"],
    "kdig over UDP": ["kdig", "@{a}", "-p", "{p}", "+retry=0", "+short", "www.example.com"],
    "kdig over TCP with keepalive": ["kdig", "@{a}", "-p", "{p}", "+tcp", "+keepopen", "+retry=0", "+short", "www.example.com"],
    "drill over UDP": ["drill", "-p", "{p}", "@{a}", "www.example.com"],
    "drill over TCP": ["drill", "-t", "-p", "{p}", "@{a}", "www.example.com"],
}


@rows([(f"{name} on {a}", command, a) for name, command in CLIENTS.items() for a in ("127.0.0.1", "::1")])
def clients(t, command, address):
    d, _ = stub(t, address=address)
    code, out, err = t.run(*[w.format(a=address, p=d.port) for w in command])
    want = ".".join(map(str, wire.rdata_for([b"www", b"example", b"com"], wire.A)))
    equal(code, 0, f"exit code; {err}")
    check(want in out, f"{want} is not in {out}")


@case("getaddrinfo of the C library finds addresses of both families through /etc/resolv.conf", netns=True)
def c_library(t):
    site = Site(t)
    server = DotServer(t, site)
    Daemon(t, upstream("one", server), anchors=site.anchors, listen=["127.0.0.1:53", "[::1]:53"])
    for path, content in (("/etc/resolv.conf", "nameserver ::1\nnameserver 127.0.0.1\noptions edns0 trust-ad\n"),
                          ("/etc/nsswitch.conf", "hosts: files dns\n")):
        mine = t.write(os.path.basename(path), content)
        subprocess.run(["mount", "--bind", mine, os.path.realpath(path)], check=True)
    done = subprocess.run(["getent", "ahosts", "www.example.com"], stdout=subprocess.PIPE, timeout=30, check=False)
    out = done.stdout.decode()
    check(".".join(map(str, wire.rdata_for([b"www", b"example", b"com"], wire.A))) in out, f"the IPv4 address is not in {out!r}")
    check("2001:db8:" in out, f"the IPv6 address is not in {out!r}")
    equal(set(server.names()), {"www.example.com"}, "names asked")


@case("A14 ctstubd, unbound and dnsdist give the same answers from the same server", timeout=180)
def same_answers(t):
    site = Site(t)
    back = servers.Bind(t, site, "dot")
    others = [servers.Unbound(t, site, "forward", back), servers.Dnsdist(t, site, "forward", back)]
    d = Daemon(t, upstream("back", back), anchors=site.anchors)
    others.append(d)
    names = [(f"h{i}.zone.example", qtype) for i in range(60) for qtype in ("A", "AAAA", "TXT")] + [
        ("alias.zone.example", "A"), ("alias.zone.example", "CNAME"), ("zone.example", "SOA"), ("zone.example", "NS"), ("zone.example", "MX"),
        ("_sip._tcp.zone.example", "SRV"), ("svc.zone.example", "HTTPS"), ("odd.zone.example", "TYPE65400"), ("*.zone.example", "A"),
        ("x.wild.zone.example", "A"), ("missing.zone.example", "A"), ("caa.zone.example", "CAA"), ("big.zone.example", "TXT")]
    different = []
    for name, qtype in names:
        replies = []
        for o in others:
            try:
                r = client.exchange(o.address, o.port if o is d else o.plain_port, client.query(name, qtype), tcp=True)
                answers = sorted((str(s.name).lower(), s.rdtype, tuple(sorted(x.to_text() for x in s))) for s in r.answer)
                replies.append((client.rcode(r), answers))
            except Exception as error:
                replies.append(repr(error))
        if any(r != replies[-1] for r in replies):
            different.append((name, qtype, replies))
    check(not different, f"{len(different)} of {len(names)}: {different[:3]}")
    t.promised(f"0 of {len(names)} answers differ between ctstubd, unbound and dnsdist")


def everything(rng, total):
    """Mixed questions: what is there, what a wildcard makes, what is missing; common types, rare ones and unknown ones."""
    types = ["A", "AAAA", "TXT", "MX", "NS", "SOA", "SRV", "CNAME", "HTTPS", "CAA", "PTR", "NAPTR", "TLSA", "TYPE65400"]
    known = [f"h{i}" for i in range(64)] + ["alias", "_sip._tcp", "svc", "odd", "caa", "ns", "big", "wild", "_tcp"]
    for _ in range(total):
        label = rng.choice((rng.choice(known), f"n{rng.randrange(1 << 30):x}.wild", f"m{rng.randrange(1 << 30):x}",
                            f"a.b{rng.randrange(1 << 20):x}.wild", rng.choice(known).swapcase()))
        yield f"{label}.zone.example", rng.choice(types)


def exchange_all(address, port, queries):
    """Pipelined over TCP; the replies by id."""
    replies = {}
    with client.Tcp(address, port, 30) as c:
        for start in range(0, len(queries), 100):
            batch = queries[start:start + 100]
            c.send_raw(b"".join(wire.frame(q.to_wire()) for q in batch))
            for _ in batch:
                raw = c.receive()
                replies[int.from_bytes(raw[:2], "big")] = dns.message.from_wire(raw)
    return replies


@case("A14 20,000 mixed names and types: ctstubd gives the same answers as the server itself", timeout=400, builds=("gcc",))
def mixed(t):
    site = Site(t)
    back = servers.Bind(t, site, "dot")
    d = Daemon(t, upstream("back", back), anchors=site.anchors)
    rng = random.Random(14)
    asked = list(everything(rng, 50_000 if t.long else 20_000))
    different = []
    for start in range(0, len(asked), 5000):
        queries = []
        for i, (name, qtype) in enumerate(asked[start:start + 5000]):
            q = client.query(name, qtype)
            q.id = i
            queries.append(q)
        ours, direct = exchange_all(d.address, d.port, queries), exchange_all(back.address, back.plain_port, queries)
        for q in queries:
            a, b = client.normal(ours[q.id]), client.normal(direct[q.id])
            if a != b:
                different.append((str(q.question[0]), a, b))
    check(not different, f"{len(different)} of {len(asked)}: {different[:2]}")
    t.promised(f"0 of {len(asked):,} answers differ from the server's own")

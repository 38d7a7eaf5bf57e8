"""Caches and validators in front of the daemon: an answer about one name must not deny others to them, and must validate."""
import dns.exception
import dns.rdatatype

from harness import client, fronts
from harness.case import case, check, equal, rows
from harness.daemon import Daemon, section, upstream
from harness.pki import Site
from harness.signed import World

HOSTS = "192.0.2.50 nas.example nas\n192.0.2.51 host.inner.example\n192.0.2.52 printer.lan\n192.0.2.54 deep.sub.local\n"
DATA = ["router.home.arpa. A 192.0.2.53", "home.arpa. 60 SOA ns.home.arpa. root.home.arpa. 1 3600 600 86400 60"]
EXTRA = 'forward "secret.example" { upstream = {} }\nforward "y.office.lan" { upstream = {} }\n'

# name, type, RCODE, address: asked in this order, so that each denial stands in the cache when its neighbour is asked for
PUBLIC = [
    ("com", "A", "NOERROR", None), ("www.com", "A", "NOERROR", "192.0.2.7"), ("com", "AAAA", "NOERROR", None),
    ("missing.com", "A", "NXDOMAIN", None), ("shop.com", "A", "NOERROR", "192.0.2.8"), ("example", "A", "NOERROR", None),
    ("nas.example", "TXT", "NOERROR", None), ("nas.example", "MX", "NOERROR", None), ("nas.example", "A", "NOERROR", "192.0.2.50"),
    ("nas.example", "AAAA", "NOERROR", None), ("www.example", "A", "NOERROR", "192.0.2.9"),
    ("inner.example", "A", "NOERROR", None), ("inner.example", "AAAA", "NOERROR", None),
    ("other.inner.example", "A", "NXDOMAIN", None), ("host.inner.example", "A", "NOERROR", "192.0.2.51"),
    ("x.secret.example", "A", "NXDOMAIN", None), ("secret.example", "A", "NOERROR", None), ("www.example", "AAAA", "NOERROR", None),
    ("nothing.home.arpa", "A", "NXDOMAIN", None), ("router.home.arpa", "TXT", "NOERROR", None),
    ("router.home.arpa", "A", "NOERROR", "192.0.2.53"),
]
# Below names that the signed root denies: for caches, which believe us. A validator calls all of it bogus.
PRIVATE = [
    ("fileserver", "A", "NOERROR", None), ("nas", "TXT", "NOERROR", None), ("nas", "A", "NOERROR", "192.0.2.50"),
    ("lan", "A", "NOERROR", None), ("other.lan", "A", "NXDOMAIN", None), ("other.lan", "AAAA", "NXDOMAIN", None),
    ("printer.lan", "A", "NOERROR", "192.0.2.52"), ("office.lan", "A", "NOERROR", None), ("x.office.lan", "A", "NXDOMAIN", None),
    ("foo.test", "A", "NXDOMAIN", None),
]


def stub(t):
    site = Site(t)
    world = World(t, site, "dot")
    d = Daemon(t, upstream("world", world), anchors=site.anchors,
               extra=section("local", hosts_file=t.write("hosts", HOSTS), data=DATA) + EXTRA)
    return d, world


def asked(front, table):
    """Twice: from the source, and from the front's cache."""
    wrong = []
    for turn in ("", "again, "):
        for name, qtype, rcode, address in table:
            try:
                reply = client.exchange(front.address, front.port, client.query(name, qtype), timeout=10)
            except (OSError, dns.exception.DNSException, AssertionError) as error:
                wrong.append(f"{turn}{name} {qtype}: {error!r}")
                continue
            have = client.rcode(reply), client.values(reply)
            if have != (rcode, [address] if address else []):
                wrong.append(f"{turn}{name} {qtype}: {have}, want {rcode} {address or ''}")
    check(not wrong, "; ".join(wrong))


@rows([("unbound", fronts.Unbound), ("dnsmasq", fronts.Dnsmasq), ("pdns_recursor", fronts.PdnsRecursor)], timeout=120, builds=("gcc",))
def cache(t, front):
    d, _ = stub(t)
    asked(front(t, d), PUBLIC + PRIVATE)


@rows([("unbound validates", fronts.Unbound), ("dnsmasq --dnssec validates", fronts.Dnsmasq),
       ("pdns_recursor validates", fronts.PdnsRecursor)], timeout=120, builds=("gcc",))
def validator(t, front):
    d, world = stub(t)
    asked(front(t, d, world), PUBLIC)


# It does not ask for single labels, or for what it serves itself.
RESOLVED = [row for row in PUBLIC + PRIVATE if row[0].count(".") > 0 and not row[0].endswith((".home.arpa", ".test"))]


@case("systemd-resolved resolves through ctstubd", netns=True, timeout=120, builds=("gcc",))
def resolved(t):
    d, _ = stub(t)
    asked(fronts.Resolved(t, d), RESOLVED)


@case("systemd-resolved validates DNSSEC through ctstubd", netns=True, timeout=120, builds=("gcc",))
def resolved_validates(t):
    d, world = stub(t)
    asked(fronts.Resolved(t, d, world), [row for row in RESOLVED if not row[0].endswith("lan")])


DELV = [
    ("com", "A", ("negative response, fully validated",)), ("com", "HTTPS", ("negative response, fully validated",)),
    ("com", "DS", ("fully validated", "DS")), ("com", "DNSKEY", ("fully validated", "DNSKEY")), ("www.com", "A", ("fully validated", "192.0.2.7")),
    ("missing.com", "A", ("negative response, fully validated",)), ("example", "A", ("unsigned answer", "negative response, unsigned")),
    ("nas.example", "A", ("unsigned answer", "192.0.2.50")), ("nas.example", "TXT", ("negative response, unsigned",)),
    ("home.arpa", "DS", ("negative response, fully validated",)), ("router.home.arpa", "A", ("unsigned answer", "192.0.2.53")),
    ("nothing.home.arpa", "A", ("negative response, unsigned",)),
]


@case("delv validates signed names, finds local names unsigned and none bogus", timeout=120, builds=("gcc",))
def delv(t):
    d, world = stub(t)
    words = world.anchor_key.split()
    key = words[words.index("DNSKEY") + 1:]
    anchors = t.write("anchors.conf", f'trust-anchors {{ . static-key {key[0]} {key[1]} {key[2]} "{"".join(key[3:])}"; }};\n')
    wrong = []
    for name, qtype, words in DELV:
        _, out, err = t.run("delv", f"@{d.address}", "-p", str(d.port), "-a", anchors, "+root=.", name, qtype)
        if not any(w in out + err for w in words) or "broken trust chain" in out + err:
            wrong.append(f"{name} {qtype}: {' | '.join((out + err).splitlines())[:200]}")
    check(not wrong, "\n".join(wrong))
    equal(client.rcode(d.ask("com", "DS", do=True)), "NOERROR", "rcode")

"""Cases as facts: each begins as a good one and is changed in one or several dimensions."""
import copy
import random

from oracle.model import CHECKS_MAX

SECOND, HOUR, DAY = 1000, 3600 * 1000, 86400 * 1000
NOW = 1780315200000  # 2026-06-01T12:00:00Z, the clock of every judgement
MIMIC = "9EGV1vAOLbVUNcrdV3iS5T4VrUFwWPh44U/2uRh0FYk="  # a log whose private key its owner has published

WORLD = {"logs": {
    "alpha 1": {"operator": "Alpha", "state": "usable"},
    "alpha 2": {"operator": "Alpha", "state": "usable"},
    "alpha 3": {"operator": "Alpha", "state": "readonly"},
    "beta 1": {"operator": "Beta", "state": "qualified"},
    "beta 2": {"operator": "Beta", "state": "usable"},
    "gamma static": {"operator": "Gamma", "state": "usable", "static": True},
    "delta static": {"operator": "Delta", "state": "usable", "static": True},
    "beta pending": {"operator": "Beta", "state": "pending"},
    "beta stateless": {"operator": "Beta"},
    "gamma rejected": {"operator": "Gamma", "state": "rejected"},
    "gamma retired": {"operator": "Gamma", "state": "retired", "state_ms": NOW - 10 * DAY},
    "delta retired": {"operator": "Delta", "state": "retired", "state_ms": NOW - 40 * DAY},
    "beta interval": {"operator": "Beta", "state": "usable", "interval": (NOW, NOW + 30 * DAY)},
    "gamma wide": {"operator": "Gamma", "state": "usable", "interval": (NOW, NOW + 3000 * DAY)},
    "delta test": {"operator": "Delta", "state": "usable", "log_type": "test"},
    "delta from": {"operator": "Delta", "state": "usable", "interval": (NOW + 60 * DAY, NOW + 90 * DAY)},
    "delta from later": {"operator": "Delta", "state": "usable", "interval": (NOW + 60 * DAY + SECOND, NOW + 90 * DAY)},
    "delta until": {"operator": "Delta", "state": "usable", "interval": (NOW + 30 * DAY, NOW + 60 * DAY)},
    "delta until later": {"operator": "Delta", "state": "usable", "interval": (NOW + 30 * DAY, NOW + 60 * DAY + SECOND)},
    "sold": {"operator": "Alpha", "state": "usable", "previous": [("Omega", NOW - 5 * DAY)]},
    "unknown": {"operator": "Nobody", "unlisted": True},
    "mimic": {"operator": "Mimic", "unlisted": True, "denied_id": MIMIC},
}}
STATIC_LOGS = {name for name, facts in WORLD["logs"].items() if facts.get("static")}


def sct(log, before=20 * DAY, fault=None):
    return {"log": log, "timestamp": NOW - before, "fault": fault}


GOOD_SCTS = [sct("alpha 1"), sct("beta 1"), sct("gamma static")]


def authority(subject, issuer, **more):
    facts = {"subject": subject, "issuer": issuer, "key": "p256", "key_label": subject, "not_before": NOW - 400 * DAY,
             "not_after": NOW + 3000 * DAY, "ca": True, "key_usage": "sign-certificates"}
    facts.update(more)
    return facts


def good(policy="strict"):
    """An upstream as it should be."""
    return {
        "certificates": {
            "root": authority("Root", "root"),
            "int": authority("Intermediate", "root"),
            "leaf": {"subject": "", "issuer": "int", "key": "p256", "key_label": "leaf", "not_before": NOW - 30 * DAY,
                     "not_after": NOW + 60 * DAY, "ca": False, "key_usage": "signature", "extended": ["server"],
                     "names": [("ip", "192.0.2.1"), ("dns", "dns.example")], "scts": copy.deepcopy(GOOD_SCTS)},
        },
        "order": ["root", "int", "leaf"], "presented": ["leaf", "int"], "anchors": ["root"],
        "ip": "192.0.2.1", "name": None, "at": NOW,
        "mode": "require", "policy": policy, "list_age": 10 * DAY, "when_stale": "enforce",
        "disallow": [], "constraints": [], "allow_issuer": [], "pin": [], "changes": [],
        "crls": [], "modes": {}, "report_until": None,
    }


DIMENSIONS = {}


def change(dimension):
    def register(function):
        DIMENSIONS.setdefault(dimension, []).append(function)
        return function
    return register


def names(*pairs, ip="192.0.2.1", name=None, subject=None):
    def apply(c):
        c["certificates"]["leaf"]["names"] = list(pairs)
        c["ip"], c["name"] = ip, name
        if subject:
            c["certificates"]["leaf"]["subject"] = subject
    return apply


def add(dimension, title, function):
    function.__name__ = title
    DIMENSIONS.setdefault(dimension, []).append(function)


def leaf(**facts):
    return lambda c: c["certificates"]["leaf"].update(copy.deepcopy(facts))


def inter(**facts):
    return lambda c: c["certificates"]["int"].update(copy.deepcopy(facts))


# ---- chains

@change("chain")
def no_intermediate_needed(c):
    c["certificates"]["leaf"]["issuer"] = "root"
    c["presented"] = ["leaf"]


@change("chain")
def two_intermediates(c):
    c["certificates"]["int2"] = authority("Intermediate 2", "int")
    c["certificates"]["leaf"]["issuer"] = "int2"
    c["order"] = ["root", "int", "int2", "leaf"]
    c["presented"] = ["leaf", "int2", "int"]


@change("chain")
def unordered(c):
    two_intermediates(c)
    c["presented"] = ["leaf", "int", "int2"]


@change("chain")
def superfluous(c):
    c["certificates"]["other"] = authority("Other Root", "other")
    c["certificates"]["stray"] = authority("Stray", "other")
    c["order"] = ["root", "int", "other", "stray", "leaf"]
    c["presented"] = ["leaf", "stray", "int", "other"]


@change("chain")
def root_sent(c):
    c["presented"] = ["leaf", "int", "root"]


@change("chain")
def anchor_is_the_intermediate(c):
    c["anchors"] = ["int"]


@change("chain")
def missing_intermediate(c):
    c["presented"] = ["leaf"]


@change("chain")
def missing_intermediate_is_an_anchor(c):
    c["presented"] = ["leaf"]
    c["anchors"] = ["root", "int"]


@change("chain")
def unknown_root(c):
    c["certificates"]["other"] = authority("Other Root", "other")
    c["order"] = ["root", "int", "other", "leaf"]
    c["anchors"] = ["other"]


@change("chain")
def self_signed(c):
    c["certificates"]["leaf"].update(issuer="leaf", subject="self")
    c["presented"] = ["leaf"]
    c["order"] = ["root", "leaf"]


@change("chain")
def expired_intermediate(c):
    c["certificates"]["int"].update(not_after=NOW - DAY)


@change("chain")
def expired_twin_first(c):
    c["certificates"]["twin"] = dict(c["certificates"]["int"], not_after=NOW - DAY)
    c["order"] = ["root", "twin", "int", "leaf"]
    c["presented"] = ["leaf", "twin", "int"]


@change("chain")
def twin_of_an_unknown_root_first(c):
    c["certificates"]["other"] = authority("Other Root", "other")
    c["certificates"]["twin"] = dict(c["certificates"]["int"], issuer="other")
    c["order"] = ["root", "other", "twin", "int", "leaf"]
    c["presented"] = ["leaf", "twin", "int"]


@change("chain")
def cross_signed_by_an_expired_root(c):
    c["certificates"]["old"] = authority("Old Root", "old", not_after=NOW - DAY)
    c["certificates"]["cross"] = dict(c["certificates"]["root"], issuer="old")
    c["order"] = ["root", "old", "cross", "int", "leaf"]
    c["presented"] = ["leaf", "int", "cross"]
    c["anchors"] = ["old", "root"]


@change("chain")
def intermediate_is_no_ca(c):
    c["certificates"]["int"].update(ca=False)


@change("chain")
def intermediate_without_basic_constraints(c):
    c["certificates"]["int"].update(ca=None)


@change("chain")
def path_too_long(c):
    two_intermediates(c)
    c["certificates"]["int"].update(path_length=0)


@change("chain")
def path_just_long_enough(c):
    two_intermediates(c)
    c["certificates"]["int"].update(path_length=1)


@change("chain")
def self_issued_intermediate(c):
    """Not counted; and its name is that of the one above, whose key it does not have."""
    path_too_long(c)
    c["certificates"]["int2"].update(subject=c["certificates"]["int"]["subject"])


@change("chain")
def path_too_long_behind_a_self_issued_intermediate(c):
    self_issued_intermediate(c)
    c["certificates"]["int3"] = authority("Intermediate 3", "int2")
    c["certificates"]["leaf"]["issuer"] = "int3"
    c["order"] = ["root", "int", "int2", "int3", "leaf"]
    c["presented"] = ["leaf", "int3", "int2", "int"]


@change("chain")
def hosts_are_constrained_and_there_is_none(c):
    """A common name is no host."""
    c["certificates"]["int"].update(permitted=[("dns", "elsewhere")])
    c["certificates"]["leaf"].update(names=[("ip", "192.0.2.1")], subject="dns.example")


@change("chain")
def leaf_signed_by_somebody_else(c):
    c["certificates"]["leaf"].update(forged=True)


@change("chain")
def intermediate_signed_by_somebody_else(c):
    c["certificates"]["int"].update(forged=True)


@change("chain")
def chain_of_seventeen(c):
    c["certificates"]["other"] = authority("Other Root", "other")
    c["order"] = ["root", "int", "other"]
    for i in range(15):
        c["certificates"][f"stray{i}"] = authority(f"Stray {i}", "other")
        c["order"].append(f"stray{i}")
    c["order"].append("leaf")
    c["presented"] = ["leaf", "int"] + [f"stray{i}" for i in range(15)]


@change("chain")
def chain_of_sixteen(c):
    chain_of_seventeen(c)
    c["presented"].pop()


@change("chain")
def cross_signed(c):
    """Two ways to two anchors; whoever presents the chain chooses which is found first."""
    c["certificates"]["other"] = authority("Other Root", "other")
    c["certificates"]["twin"] = dict(c["certificates"]["int"], issuer="other")
    c["order"] = ["root", "other", "int", "twin", "leaf"]
    c["presented"] = ["leaf", "int", "twin"]
    c["anchors"] = ["root", "other"]


@change("chain")
def cross_signed_and_one_way_is_disallowed(c):
    cross_signed(c)
    c["disallow"].append(("spki-sha256", "other"))


@change("chain")
def cross_signed_and_the_first_anchor_is_limited(c):
    cross_signed(c)
    c["constraints"].append(("not-before-max", NOW - 300 * DAY))


@change("chain")
def cross_signed_and_only_the_second_anchor_is_pinned(c):
    cross_signed(c)
    c["pin"].append("other")


@change("chain")
def superfluous_and_disallowed(c):
    superfluous(c)
    c["disallow"].append(("cert-sha256", "stray"))


@change("chain")
def superfluous_and_its_key_is_disallowed(c):
    superfluous(c)
    c["disallow"].append(("spki-sha256", "stray"))


@change("chain")
def root_and_intermediate_in_printable_strings(c):
    c["certificates"]["root"].update(string_type="PrintableString")
    c["certificates"]["int"].update(string_type="PrintableString")


for title, facts in (("permits our address", {"permitted": [("ip", "192.0.2.0/24"), ("ip", "2001:db8::/32"), ("dns", "example")]}),
                     ("permits another address", {"permitted": [("ip", "198.51.100.0/24"), ("dns", "example")]}),
                     ("excludes our address", {"excluded": [("ip", "192.0.2.0/28"), ("ip", "2001:db8::/32")]}),
                     ("excludes another address", {"excluded": [("ip", "198.51.100.0/24"), ("ip", "fc00::/7")]}),
                     ("excludes a name in other letters", {"excluded": [("dns", "EXAMPLE")]}),
                     ("permits another name", {"permitted": [("dns", "elsewhere"), ("ip", "192.0.2.0/24"), ("ip", "2001:db8::/32")]})):
    add("chain", "intermediate " + title, inter(**facts))
add("chain", "intermediate with an unknown critical extension", inter(unknown_critical=True))
add("chain", "intermediate that may sign lists only", inter(key_usage="sign-lists"))
add("chain", "intermediate for clients only", inter(extended=["client"]))
add("chain", "intermediate for servers", inter(extended=["server"]))
add("chain", "intermediate for everything", inter(extended=["any"]))
add("chain", "intermediate that demands staples", inter(must_staple=True))
add("chain", "root that demands staples", lambda c: c["certificates"]["root"].update(must_staple=True))

# ---- identity

for title, function in {
    "one of many addresses": names(("ip", "198.51.100.1"), ("ip", "192.0.2.1"), ("ip", "2001:db8::1")),
    "IPv6": names(("ip", "2001:db8::1"), ip="2001:db8::1"),
    "IPv6 of another": names(("ip", "2001:db8::2"), ip="2001:db8::1"),
    "the neighbour": names(("ip", "192.0.2.2")),
    "a mapped form": names(("raw-ip", "00000000000000000000ffffc0000201")),
    "a mask": names(("raw-ip", "c0000201ffffffff")),
    "IPv4 bytes for an IPv6 address": names(("raw-ip", "20010db8"), ip="2001:db8::"),
    "an address as dNSName": names(("dns", "192.0.2.1")),
    "a wildcard of digits": names(("dns", "*.0.2.1")),
    "common name only": names(subject="192.0.2.1"),
    "sixteen bytes that begin as our address": names(("raw-ip", "c0000201" + 12 * "00")),
    "our address as sixteen bytes": names(("raw-ip", 12 * "00" + "c0000201")),
    "name and an address of another": names(("ip", "192.0.2.2"), ("dns", "dns.example"), name="dns.example"),
    "a name that ends like ours": names(("ip", "192.0.2.1"), ("dns", "s.example"), name="dns.example"),
    "a name that begins like ours": names(("ip", "192.0.2.1"), ("dns", "dns.example.org"), name="dns.example"),
    "a URI": names(("uri", "https://192.0.2.1/")),
    "no name at all": names(),
    "address and name": names(("ip", "192.0.2.1"), ("dns", "dns.example"), name="dns.example"),
    "address, and the name in capitals": names(("ip", "192.0.2.1"), ("dns", "DNS.Example"), name="dns.example"),
    "address, another name": names(("ip", "192.0.2.1"), ("dns", "other.example"), name="dns.example"),
    "name, no address": names(("dns", "dns.example"), name="dns.example"),
    "neither": names(("ip", "192.0.2.9"), ("dns", "other.example"), name="dns.example"),
    "a wildcard name": names(("ip", "192.0.2.1"), ("dns", "*.dns.example"), name="a.dns.example"),
    "a wildcard over two labels": names(("ip", "192.0.2.1"), ("dns", "*.dns.example"), name="b.a.dns.example"),
    "a wildcard for no label": names(("ip", "192.0.2.1"), ("dns", "*.dns.example"), name="dns.example"),
    "a wildcard over a whole top level": names(("ip", "192.0.2.1"), ("dns", "*.example"), name="dns.example"),
    "a wildcard inside a label": names(("ip", "192.0.2.1"), ("dns", "d*.example"), name="dns.example"),
    "a wildcard of everything": names(("ip", "192.0.2.1"), ("dns", "*"), name="example"),
    "our name as a URI": names(("ip", "192.0.2.1"), ("uri", "dns.example"), name="dns.example"),
    "name in the common name": names(("ip", "192.0.2.1"), name="dns.example", subject="dns.example"),
}.items():
    add("identity", title, function)

# ---- usage and form of the leaf

add("usage", "server and client", leaf(extended=["server", "client"]))
add("usage", "client only", leaf(extended=["client"]))
add("usage", "code signing only", leaf(extended=["code"]))
add("usage", "no purpose", leaf(extended=[]))
add("usage", "every purpose", leaf(extended=["any"]))
for other in ("code", "mail", "time", "ocsp"):
    add("usage", "server and " + other, leaf(extended=["server", other]))
add("usage", "server and every purpose", leaf(extended=["server", "any"]))
add("usage", "key for lists of revoked certificates", leaf(key_usage="sign-lists"))
add("usage", "key for commitments", leaf(key_usage="commitment"))
add("usage", "key for agreement", leaf(key_usage="agreement"))
add("usage", "key for encipherment", leaf(key_usage="encipherment"))
add("usage", "key for signatures and encipherment", leaf(key_usage="signature and encipherment"))
add("usage", "key that signs certificates", leaf(key_usage="signature and certificates"))
add("usage", "no key usage", leaf(key_usage=None))
add("usage", "a CA's certificate", leaf(ca=True))
add("usage", "no basic constraints", leaf(ca=None))
add("usage", "nothing but a list of SCTs", leaf(ca=None, key_usage=None, extended=[], names=[], subject="bare"))
add("usage", "unknown extension that is not critical", leaf(unknown_uncritical=True))
add("usage", "unknown critical extension", leaf(unknown_critical=True))
add("usage", "a precertificate", leaf(poison=True))
add("usage", "must staple", leaf(must_staple=True))

# ---- strength

add("strength", "leaf key RSA 2048", leaf(key="rsa2048"))
add("strength", "leaf key RSA 1024", leaf(key="rsa1024"))
add("strength", "leaf key P-384", leaf(key="p384"))
add("strength", "leaf signed with SHA-1", leaf(hash="sha1"))
add("strength", "leaf signed with SHA-384", leaf(hash="sha384"))
add("strength", "intermediate key RSA 1024", inter(key="rsa1024"))
add("strength", "intermediate signed with SHA-1", inter(hash="sha1"))
add("strength", "root signed with SHA-1", lambda c: c["certificates"]["root"].update(hash="sha1"))

# ---- dates of the leaf

add("dates", "expired", leaf(not_before=NOW - 80 * DAY, not_after=NOW - SECOND))
add("dates", "in its last second", leaf(not_after=NOW))
add("dates", "in its last millisecond", lambda c: (leaf(not_after=NOW)(c), c.update(at=NOW + 999)))
add("dates", "a millisecond after its last", lambda c: (leaf(not_after=NOW)(c), c.update(at=NOW + 1000)))
add("dates", "a millisecond before its first", lambda c: (leaf(not_before=NOW)(c), c.update(at=NOW - 1)))
add("dates", "not yet valid", leaf(not_before=NOW + SECOND))
add("dates", "in its first second", lambda c: (c["certificates"]["leaf"].update(not_before=NOW)))
for days, extra in ((89, 0), (180, -1), (180, 0), (180, 1), (398, 0)):
    add("dates", f"lifetime {days} days and {extra} s",
        leaf(not_before=NOW - 30 * DAY, not_after=NOW - 30 * DAY + days * DAY + extra * SECOND))

# ---- transparency

CT = {
    "none": None,
    "two of two operators": [sct("alpha 1"), sct("beta 1")],
    "two of one operator": [sct("alpha 1"), sct("alpha 2")],
    "three of one operator": [sct("alpha 1"), sct("alpha 2"), sct("alpha 3")],
    "three of two operators": [sct("alpha 1"), sct("alpha 2"), sct("beta 2")],
    "four of two operators": [sct("alpha 1"), sct("alpha 2"), sct("beta 2"), sct("beta 1")],
    "one": [sct("alpha 1")],
    "the same log twice": [sct("alpha 1"), sct("alpha 1", 19 * DAY)],
    "the same log twice and another": [sct("alpha 1"), sct("alpha 1", 19 * DAY), sct("beta 1")],
    "static only": [sct("gamma static"), sct("delta static")],
    "static without leaf index": [sct("gamma static", fault="no-leaf-index"), sct("alpha 1")],
    "static with another extension": [sct("gamma static", fault="other-extension"), sct("alpha 1")],
    "static with an altered extension": [sct("gamma static", fault="altered-extension"), sct("alpha 1")],
    "extension added": [sct("alpha 1", fault="altered-extension"), sct("beta 1")],
    "broken signature": [sct("alpha 1", fault="broken"), sct("beta 1")],
    "of another certificate": [sct("alpha 1", fault="other-certificate"), sct("beta 1")],
    "of another issuer": [sct("alpha 1", fault="wrong-issuer"), sct("beta 1")],
    "version 2": [sct("alpha 1", fault="wrong-version"), sct("beta 1")],
    "version 2, and otherwise made": [sct("alpha 1", fault="wrong-version-cut"), sct("beta 1")],
    "RSA said, ECDSA done": [sct("alpha 1", fault="wrong-algorithm"), sct("beta 1")],
    "an SCT cut short": [sct("alpha 1", fault="cut"), sct("beta 1"), sct("alpha 2")],
    "unknown log": [sct("unknown"), sct("beta 1")],
    "a mimic log": [sct("mimic"), sct("beta 1")],
    "pending log": [sct("beta pending"), sct("alpha 1")],
    "log without state": [sct("beta stateless"), sct("alpha 1")],
    "rejected log": [sct("gamma rejected"), sct("alpha 1")],
    "log retired after": [sct("gamma retired"), sct("alpha 1")],
    "log retired at that millisecond": [sct("gamma retired", 10 * DAY), sct("alpha 1")],
    "log retired a millisecond later": [sct("gamma retired", 10 * DAY + 1), sct("alpha 1")],
    "log retired before": [sct("delta retired"), sct("alpha 1")],
    "log retired before the certificate was made": [sct("gamma retired"), sct("alpha 1", 5 * DAY)],
    "log retired in the millisecond the certificate was made": [sct("gamma retired"), sct("alpha 1", 10 * DAY)],
    "log retired a millisecond after the certificate was made": [sct("gamma retired"), sct("alpha 1", 10 * DAY + 1)],
    "a log for tests": [sct("delta test"), sct("alpha 1")],
    "interval that begins with our end": [sct("delta from"), sct("alpha 1")],
    "interval that begins after our end": [sct("delta from later"), sct("alpha 1")],
    "interval that ends with our end": [sct("delta until"), sct("alpha 1")],
    "interval that ends after our end": [sct("delta until later"), sct("alpha 1")],
    "retired logs only": [sct("gamma retired"), sct("delta retired", 41 * DAY)],
    "this very millisecond": [sct("alpha 1", 0), sct("beta 1", 0)],
    "a millisecond ahead": [sct("alpha 1", -1), sct("beta 1")],
    "a year ahead": [sct("alpha 1", -365 * DAY), sct("beta 1", -365 * DAY)],
    "outside a log's interval": [sct("beta interval"), sct("alpha 1")],
    "inside a log's interval": [sct("gamma wide"), sct("alpha 1")],
    "log sold before": [sct("sold", 20 * DAY), sct("alpha 1")],
    "log sold in that millisecond": [sct("sold", 5 * DAY), sct("alpha 1")],
    "log sold a millisecond later": [sct("sold", 5 * DAY + 1), sct("alpha 1")],
    "odd milliseconds": [sct("alpha 1", 20 * DAY + 123), sct("beta 1", 20 * DAY + 877)],
    "log sold after": [sct("sold", 2 * DAY), sct("alpha 1")],
    "many bad, two good": [sct("unknown"), sct("gamma rejected"), sct("alpha 1", fault="broken"), sct("alpha 2"), sct("beta 2")],
    "five good": [sct("alpha 1"), sct("alpha 2"), sct("beta 1"), sct("gamma static"), sct("delta static")],
}
for title, scts in CT.items():
    add("ct", "SCTs: " + title, leaf(scts=scts))
for place in ("first", "middle"):
    add("ct", f"SCT list: {place} among the extensions", leaf(sct_list_place=place))
for fault in ("length-lies", "trailing", "empty", "empty-item", "not-octets"):
    add("ct", "SCT list: " + fault, leaf(sct_list_fault=fault))

# ---- lists: entries name a certificate of the case; compare fills in the hex

for kind in ("serial", "cert-sha256", "spki-sha256", "issuer"):
    for target in ("leaf", "int", "root", "nobody"):
        add("lists", f"disallow {kind} of {target}", lambda c, kind=kind, target=target: c["disallow"].append((kind, target)))
for entry in (("serial", "leaf", "colons"), ("serial", "leaf", "capitals"), ("serial", "leaf", "der"), ("issuer", "int", "capitals"),
              ("issuer", "root", "der")):
    add("lists", "disallow {} of {} written with {}".format(*entry), lambda c, entry=entry: c["disallow"].append(entry))
for spelling in ("another serial", "another issuer"):
    add("lists", f"disallow {spelling}", lambda c, spelling=spelling: c["disallow"].append(("serial", "leaf", spelling)))
add("lists", "disallow as issuer whoever the leaf's subject is",
    lambda c: (leaf(subject="Server")(c), c["disallow"].append(("issuer", "leaf"))))
add("lists", "disallow a serial whose first bit is set",
    lambda c: (leaf(serial=0xd3167efd77cad759000000005fc7c672)(c), c["disallow"].append(("serial", "leaf"))))
for kind in ("cert-sha256", "spki-sha256", "issuer"):
    for target in ("int", "root", "nobody"):
        add("lists", f"allow-issuer {kind} of {target}", lambda c, kind=kind, target=target: c["allow_issuer"].append((kind, target)))
for target in ("leaf", "int", "root", "nobody"):
    add("lists", f"pin {target}", lambda c, target=target: c["pin"].append(target))
for key, offset in (("sct-not-after", -21 * DAY), ("sct-not-after", -20 * DAY), ("sct-not-after", 0), ("not-before-max", -31 * DAY),
                    ("not-before-max", -30 * DAY), ("distrusted-since", -15 * DAY), ("distrusted-since", 0), ("distrusted-since", DAY)):
    add("lists", f"anchor with {key} {offset // DAY} days", lambda c, key=key, offset=offset: c["constraints"].append((key, NOW + offset)))
for permits in ("permit-ip 192.0.2.0/24", "permit-ip 198.51.100.0/24 permit-name example", "permit-ip 192.0.2.0/24 permit-name example",
                "permit-name example"):
    add("lists", f"anchor with {permits}", lambda c, permits=permits: c["constraints"].append(("permit", permits)))

# ---- the list's age, the mode

for age in (0, 69 * DAY, 70 * DAY, 70 * DAY + 1, 71 * DAY, 400 * DAY):
    for stale in ("enforce", "refuse", "report"):
        add("age", f"list of {age // DAY} days and {age % DAY} ms, when-stale {stale}",
            lambda c, age=age, stale=stale: c.update(list_age=age, when_stale=stale))
add("mode", "ct report", lambda c: c.update(mode="report"))
add("mode", "ct off", lambda c: c.update(mode="off"))

# ---- lists of revoked certificates


def crl(by="int", *entries, since=-DAY, until=DAY, **more):
    return {"by": by, "entries": list(entries), "since": NOW + since, "until": until and NOW + until, **more}


LEAF, OTHER = ("serial", "leaf"), ("serial", "root")
HIGH = 0xd3167efd77cad759000000005fc7c672  # its first bit is set: a zero octet goes before it
CRLS = {
    "a good one": [crl("int", OTHER)],
    "one that names the leaf": [crl("int", OTHER, LEAF)],
    "one that names the leaf with padding": [crl("int", ("padded", "leaf"))],
    "one of each CA": [crl("int", OTHER), crl("root", OTHER)],
    "one that names the intermediate": [crl("int"), crl("root", ("serial", "int"))],
    "one of the root that names the leaf's number": [crl("root", LEAF)],
    "one that has run out": [crl("int", until=-HOUR)],
    "one that has run out and names the leaf": [crl("int", LEAF, until=-HOUR), crl("int")],
    "one that has run out beside a good one": [crl("int", until=-HOUR), crl("int")],
    "one of tomorrow": [crl("int", since=HOUR)],
    "one of tomorrow beside a good one": [crl("int"), crl("int", since=HOUR)],
    "one without an end": [crl("int", until=None)],
    "one without an end beside a good one": [crl("int", until=None), crl("int")],
    "one of another key of that name": [crl("stranger", LEAF, name="int")],
    "one of another key of that name beside a good one": [crl("stranger", LEAF, name="int"), crl("int")],
    "a good one before one of another key": [crl("int"), crl("stranger", name="int")],
    "a good one under the identifier of another key": [crl("int", key_id="other")],
    "one of another key without identifiers": [crl("stranger", name="int", key_id=None), crl("int", key_id=None)],
    "one of another key, and a good one that has run out": [crl("stranger", name="int"), crl("int", until=-HOUR)],
    "one of another key, and one that names the leaf": [crl("stranger", name="int"), crl("int", LEAF)],
    "a broken one": [crl("int", broken=True)],
    "a broken one beside a good one": [crl("int", broken=True), crl("int")],
    "one for servers": [crl("int", OTHER, scope="servers")],
    "one for CAs": [crl("int", OTHER, scope="authorities")],
    "one for CAs beside one for servers": [crl("int", scope="authorities"), crl("int", scope="servers")],
    "one for CAs that names the leaf": [crl("int", LEAF, scope="authorities"), crl("int")],
    "one for some reasons": [crl("int", scope="some reasons")],
    "one for some reasons and one for the others": [crl("int", scope="some reasons"), crl("int", scope="other reasons")],
    "one for the other reasons twice": [crl("int", scope="other reasons"), crl("int", OTHER, scope="other reasons")],
    "a good one, and more than are checked before one that names the leaf":
        [crl("int", OTHER, key_id=None)] + (CHECKS_MAX + 1) * [crl("stranger", LEAF, name="int", key_id=None)] + [crl("int", LEAF, key_id=None)],
    "one that names the leaf before more than are checked":
        [crl("int", LEAF, key_id=None)] + (CHECKS_MAX + 1) * [crl("stranger", LEAF, name="int", key_id=None)],
}
for title, lists in CRLS.items():
    add("revocation", "CRLs: " + title, lambda c, lists=lists: c["crls"].extend(copy.deepcopy(lists)))
    if "another key" in title:
        add("revocation", "CRLs, of a CA with a key identifier: " + title,
            lambda c, lists=lists: (inter(subject_key_id=True)(c), c["crls"].extend(copy.deepcopy(lists))))
for kind in ("serial", "twin", "padded"):
    add("revocation", f"CRLs: a number whose first bit is set, {kind}",
        lambda c, kind=kind: (leaf(serial=HIGH)(c), c["crls"].append(crl("int", OTHER, (kind, "leaf")))))

# ---- rules in report mode

MODES = ("pin-mode", "allow-issuer-mode", "disallow-mode", "limits-mode", "revocation-mode")
BROKEN = {  # each rule alone
    "pin-mode": lambda c: c["pin"].append("nobody"),
    "allow-issuer-mode": lambda c: c["allow_issuer"].append(("spki-sha256", "nobody")),
    "disallow-mode": lambda c: c["disallow"].append(("spki-sha256", "int")),
    "limits-mode": lambda c: c["constraints"].append(("not-before-max", NOW - 300 * DAY)),
    "revocation-mode": lambda c: c["crls"].append(crl("int", LEAF)),
}
TODAY = NOW - NOW % DAY
for mode, breaks in BROKEN.items():
    add("modes", f"{mode} reports", lambda c, mode=mode, breaks=breaks: (breaks(c), c["modes"].update({mode: "report"})))
    add("modes", f"{mode} requires while the others report",
        lambda c, mode=mode, breaks=breaks: (breaks(c), c["modes"].update({m: "report" for m in MODES if m != mode})))
    for days, what in ((0, "until today"), (-1, "until yesterday"), (300, "until next year")):
        add("modes", f"{mode} reports {what}", lambda c, mode=mode, breaks=breaks, days=days: (
            breaks(c), c["modes"].update({mode: "report"}), c.update(report_until=TODAY + days * DAY)))
add("modes", "logged too late, limits report", lambda c: (c["constraints"].append(("sct-not-after", NOW - 21 * DAY)),
                                                          c["modes"].update({"limits-mode": "report"})))
for at, what in ((-1, "in the last millisecond"), (0, "in the first moment after it")):
    add("modes", f"a day of report mode, {what}", lambda c, at=at: (
        BROKEN["pin-mode"](c), c["modes"].update({"pin-mode": "report"}), c.update(report_until=TODAY, at=TODAY + DAY + at)))
    add("modes", f"a day of ct in report, {what}", lambda c, at=at: (
        c.update(mode="report", report_until=TODAY, at=TODAY + DAY + at), leaf(scts=None)(c)))
for mode in ("report", "off"):
    add("modes", f"no SCT, ct {mode}, a limit by SCTs", lambda c, mode=mode: (
        leaf(scts=None)(c), c.update(mode=mode), c["constraints"].append(("sct-not-after", NOW))))
    add("modes", f"no SCT, ct {mode}, a limit by SCTs that reports", lambda c, mode=mode: (
        leaf(scts=None)(c), c.update(mode=mode), c["constraints"].append(("sct-not-after", NOW)), c["modes"].update({"limits-mode": "report"})))
    add("modes", f"SCTs in time, ct {mode}, a limit by SCTs", lambda c, mode=mode: (
        c.update(mode=mode), c["constraints"].append(("sct-not-after", NOW))))
    add("modes", f"SCTs too late, ct {mode}, a limit by SCTs", lambda c, mode=mode: (
        c.update(mode=mode), c["constraints"].append(("sct-not-after", NOW - 21 * DAY))))


@change("modes")
def cross_signed_and_only_the_second_anchor_is_pinned_in_report(c):
    """The second has nothing to report."""
    cross_signed(c)
    c["pin"].append("other")
    c["modes"].update({"pin-mode": "report"})


@change("modes")
def cross_signed_the_first_way_reports_and_is_disallowed(c):
    cross_signed_and_only_the_second_anchor_is_pinned_in_report(c)
    c["disallow"].append(("spki-sha256", "root"))


@change("modes")
def cross_signed_the_way_without_reports_is_limited(c):
    """Of a limit that refuses and a pin that reports the latter is chosen."""
    cross_signed(c)
    c["pin"].append("root")
    c["modes"].update({"pin-mode": "report"})
    c["constraints"].append(("not-before-max", NOW - 300 * DAY))


POLICIES = ("strict", "chrome", "mozilla", "apple")
# Changes whose joint effect the standards do not fix: which of two path faults is named, for instance.
BREAKS_PATH = {"missing_intermediate", "unknown_root", "self_signed", "expired_intermediate", "intermediate_is_no_ca",
               "intermediate_without_basic_constraints", "path_too_long", "leaf_signed_by_somebody_else",
               "path_too_long_behind_a_self_issued_intermediate",
               "intermediate_signed_by_somebody_else", "chain_of_seventeen", "intermediate permits another address",
               "intermediate excludes our address", "intermediate excludes a name in other letters",
               "intermediate permits another name", "intermediate that may sign lists only", "intermediate with an unknown critical extension"}


def fits(chosen):
    """Whether the standards say what these changes mean together."""
    titles = {f.__name__ for _, f in chosen}
    dimensions = {d for d, _ in chosen}
    if dimensions & {"revocation", "modes"} and (
            dimensions & {"chain", "dates", "strength"} or titles & {"unknown critical extension", "a precertificate"}):
        return False  # which path is it that is asked about, and when
    if "modes" in dimensions and dimensions & {"lists", "mode"} or (any("ross" in t for t in titles) and len(titles) > 1 and "modes" in dimensions):
        return False  # both are about the same rules
    chain = next((f.__name__ for d, f in chosen if d == "chain"), None)
    if chain in BREAKS_PATH and dimensions & {"lists"}:
        return False
    if chain in BREAKS_PATH and titles & {"intermediate key RSA 1024", "intermediate signed with SHA-1"}:
        return False
    if (chain or "lists" in dimensions) and titles & {"unknown critical extension", "a precertificate"}:
        return False  # whether such a certificate has a path, and which, is nowhere said
    if titles >= {"intermediate key RSA 1024"} and titles & {"unknown critical extension", "a precertificate"}:
        return False  # nothing is computed with that key, so whether it issued the leaf is not known without a path
    if chain and ("constrain" in chain or "permits" in chain or "excludes" in chain) and (
            "identity" in dimensions or "nothing but a list of SCTs" in titles):
        return False  # whether constraints on names meet a common name
    if chain and chain.startswith("cross_signed_and") and dimensions & {"strength", "dates"}:
        return False  # of two paths with a fault in common, which one names the reasons
    if chain in ("self_signed", "no_intermediate_needed", "missing_intermediate") and any("intermediate " in t for t in titles - {chain}):
        return False
    if chain == "anchor_is_the_intermediate" and any(t.startswith(("disallow", "allow", "pin", "anchor", "intermediate")) for t in titles):
        return False
    if chain in ("expired_twin_first", "twin_of_an_unknown_root_first", "two_intermediates", "unordered", "superfluous",
                 "self_issued_intermediate", "hosts_are_constrained_and_there_is_none",
                 "superfluous_and_disallowed", "superfluous_and_its_key_is_disallowed",
                 "no_intermediate_needed", "missing_intermediate_is_an_anchor", "cross_signed_by_an_expired_root", "root_sent",
                 "cross_signed", "cross_signed_and_one_way_is_disallowed", "cross_signed_and_the_first_anchor_is_limited",
                 "cross_signed_and_only_the_second_anchor_is_pinned",
                 "chain_of_sixteen", "path_just_long_enough") and "lists" in dimensions:
        return False
    return True


def make(chosen, policy):
    c = good(policy)
    for _, function in chosen:
        function(c)
        c["changes"].append(function.__name__)
    c["changes"].append(policy)
    return c


def draw(count, seed=1):
    """Every change alone under every policy that it concerns, then random pairs and triples until there are enough."""
    rng = random.Random(seed)
    cases = [make([], p) for p in POLICIES]
    for dimension, functions in DIMENSIONS.items():
        for function in functions:
            for policy in POLICIES if dimension in ("ct", "dates", "age", "mode") else ("strict",):
                cases.append(make([(dimension, function)], policy))
    ct_and_dates = [("ct", f) for f in DIMENSIONS["ct"]], [("dates", f) for f in DIMENSIONS["dates"] if "lifetime" in f.__name__]
    for first in ct_and_dates[0]:
        for second in ct_and_dates[1]:
            cases.append(make([second, first], rng.choice(POLICIES)))
    names_of = list(DIMENSIONS)
    while len(cases) < count:
        chosen = [(d, rng.choice(DIMENSIONS[d])) for d in sorted(rng.sample(names_of, rng.choice((2, 2, 3, 4))), key=names_of.index)]
        if fits(chosen):
            cases.append(make(chosen, rng.choice(POLICIES)))
    return cases

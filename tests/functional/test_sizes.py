"""What an observer learns about a question from the number of bytes on the wire: only the block that it fills (RFC 8467)."""
import random
import threading

from harness import client, servers
from harness.case import check, equal, rows
from harness.daemon import Daemon, upstream
from harness.pki import Site
from harness.proxy import Proxy
from harness.upstream import DohServer, DotServer

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SMALL = 60  # bytes of TLS records that carry no message: acknowledgements, window updates, pings
APPLICATION_DATA = 23


class Ear(Proxy):
    """A proxy that writes down the length of each TLS record of application data, for each direction."""

    def __init__(self, t, target):
        self.records = {"question": [], "answer": []}
        self.rest = {}
        self.ear = threading.Lock()
        super().__init__(t, target)

    def heard(self, source, sink, data):
        near = any(source is pair[0] for pair in self.pairs)
        with self.ear:
            rest = self.rest.get(source, b"") + data
            while len(rest) >= 5 and len(rest) >= 5 + int.from_bytes(rest[3:5], "big"):
                length = int.from_bytes(rest[3:5], "big")
                if rest[0] == APPLICATION_DATA:
                    self.records["question" if near else "answer"].append(length)
                rest = rest[5 + length:]
            self.rest[source] = rest

    def take(self):
        """Lengths since the last call, without the small ones."""
        with self.ear:
            taken = {what: [n for n in lengths if n > SMALL] for what, lengths in self.records.items()}
            self.records = {"question": [], "answer": []}
        return taken


def names():
    """Three of each length from 5 to 60 letters: narrow ones, wide ones and mixed ones as Huffman's code sees them."""
    rng = random.Random(8467)
    found = []
    for n in range(5, 61):
        found += ["e" * (n - 2) + f"{n:02d}", "z" * (n - 2) + f"{n:02d}", "".join(rng.choice(LETTERS) for _ in range(n))]
    rng.shuffle(found)
    return found


@rows([("DoT to unbound, which pads its answers", servers.Unbound, "dot", {}, True),
       ("DoT to dnsdist", servers.Dnsdist, "dot", {}, False),
       ("DoT to BIND", servers.Bind, "dot", {}, False),
       ("DoT to a server in Python", DotServer, None, {}, False),
       ("DoH POST to dnsdist", servers.Dnsdist, "doh", {"method": "post"}, False),
       ("DoH POST to BIND", servers.Bind, "doh", {"method": "post"}, False),
       ("DoH POST to a server in Python", DohServer, None, {"method": "post"}, False),
       ("DoH GET to dnsdist", servers.Dnsdist, "doh", {"method": "get"}, False),
       ("DoH GET to BIND", servers.Bind, "doh", {"method": "get"}, False),
       ("DoH GET to a server in Python", DohServer, None, {"method": "get"}, False)], timeout=180)
def one_size(t, kind, protocol, options, padded):
    site = Site(t)
    server = kind(t, site, protocol) if protocol else kind(t, site)
    ear = Ear(t, server)
    block = upstream("one", ear, protocol=protocol, **options) if protocol else upstream("one", ear, **options)
    d = Daemon(t, block, anchors=site.anchors)
    for i in range(4):  # the handshake, and what the peer remembers of a connection's first fields
        d.ask(f"warm-up-{i}.zone.example")
    ear.take()
    seen = {"question": {}, "answer": {}}
    asked = names()
    for name in asked:
        reply = d.ask(f"{name}.zone.example")
        check(client.rcode(reply) in ("NOERROR", "NXDOMAIN"), f"{name}: {client.rcode(reply)}")
        for what, lengths in ear.take().items():
            for length in lengths:
                seen[what].setdefault(length, []).append(name)
    equal(ear.accepted, 1, "connections")
    check(sum(map(len, seen["question"].values())) == len(asked), f"records of questions: {seen['question']}")
    check(len(seen["question"]) == 1, f"questions of {sorted(seen['question'])} bytes: {seen['question']}")
    if padded:
        check(len(seen["answer"]) == 1, f"answers of {sorted(seen['answer'])} bytes")

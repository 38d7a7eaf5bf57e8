"""Every fault that a server of the lab can serve, against the real daemon: what a client is told for each, and that the
daemon goes on. One daemon stands before a whole cage of such servers, each behind a zone of its own."""
import concurrent.futures
import hashlib
import os
import re
import time

from harness import client
from harness.case import check, equal, rows
from harness.daemon import Daemon, section

DOT, DOH, BOTH = ("dot",), ("doh",), ("dot", "doh")
ANSWERED = "answered"
PATIENCE = 40  # on a busy machine a handshake can take longer than the daemon waits; it asks again after its back-off

# (fault, over which protocols, what the client is told): the right answer, another rcode, or SERVFAIL with one of these
# reasons in its extended error.
HANDSHAKE = [
    ("refuse", BOTH, "connect-refused"), ("black-hole", BOTH, "connect-timeout"), ("close-accept", BOTH, "closed"),
    ("reset-accept", BOTH, "closed"), ("silent-accept", BOTH, "connect-timeout"), ("plain-text", BOTH, "plain-text"),
    ("garbage", BOTH, "tls-failed"), ("alert", BOTH, "tls-alert"), ("close-hello", BOTH, "closed"), ("reset-hello", BOTH, "closed"),
    ("silent-hello", BOTH, "connect-timeout"), ("dribble-handshake", BOTH, "connect-timeout"), ("tls10", BOTH, "tls-version"),
    ("tls11", BOTH, "tls-version"), ("tls12", BOTH, ANSWERED), ("tls13", BOTH, ANSWERED), ("client-certificate", BOTH, "tls-alert"),
    ("alpn-none", DOT, ANSWERED), ("alpn-none", DOH, "alpn-mismatch"), ("alpn-other", BOTH, "alpn-mismatch"),
    ("no-tickets", BOTH, ANSWERED), ("many-tickets", BOTH, "closed"),
]
CONNECTION = [
    ("close-handshake", BOTH, "closed"), ("reset-handshake", BOTH, "closed"), ("close-question", BOTH, "closed"),
    ("reset-question", BOTH, "closed"), ("silent-answer", BOTH, "closed"), ("silent-later=1", BOTH, ANSWERED),
    ("close-answer", BOTH, ANSWERED), ("close-mid-answer", BOTH, "closed"), ("idle-close=200", BOTH, ANSWERED), ("dribble", BOTH, ANSWERED),
    ("trickle=60", BOTH, "closed"), ("delay=300", BOTH, ANSWERED), ("delay-some=300", BOTH, ANSWERED), ("reverse", BOTH, ANSWERED),
    ("swap", BOTH, (ANSWERED, "answer-mismatch")),  # alone a question gets its own answer
    ("duplicate", BOTH, ANSWERED), ("unasked=7", BOTH, ANSWERED), ("key-updates", BOTH, "tls-failed"),
    ("frame-empty", DOT, "answer-malformed"), ("frame-short", DOT, "answer-malformed"), ("frame-huge", DOT, "closed"),
    ("keepalive=20", BOTH, ANSWERED),
]
MESSAGE = [
    ("wrong-id", DOT, "closed"), ("wrong-id", DOH, "doh-malformed"), ("other-name", BOTH, "answer-mismatch"),
    ("other-case", BOTH, ANSWERED), ("other-type", BOTH, "answer-mismatch"), ("other-class", BOTH, "answer-mismatch"),
    ("question-none", BOTH, "answer-malformed"), ("question-twice", BOTH, "answer-malformed"), ("not-response", BOTH, "answer-malformed"),
    ("opcode", BOTH, "answer-malformed"), ("tc", BOTH, "answer-malformed"), ("rcode=3", BOTH, "NXDOMAIN"), ("ttl=7", BOTH, ANSWERED),
    ("rdlength-long", BOTH, "answer-malformed"), ("rdlength-zero", BOTH, "answer-malformed"), ("rdlength-short", BOTH, "answer-malformed"),
    ("aaaa-long", BOTH, "answer-malformed"), ("soa-short", BOTH, "answer-malformed"), ("cname-overrun", BOTH, "answer-malformed"),
    ("txt-overrun", BOTH, "answer-malformed"), ("counts", BOTH, "answer-malformed"), ("cut-ttl", BOTH, "answer-malformed"),
    ("cut-rdlength", BOTH, "answer-malformed"), ("cut-rdata", BOTH, "answer-malformed"), ("pointer-loop", BOTH, "answer-malformed"),
    ("pointer-forward", BOTH, "answer-malformed"), ("pointer-header", BOTH, "answer-malformed"), ("pointer-chain", BOTH, "answer-malformed"),
    ("cname-flood", BOTH, "NOERROR"), ("cname-loop", BOTH, "NOERROR"),  # aliases without an address behind them
    ("extra-records", BOTH, ANSWERED), ("opt-none", BOTH, ANSWERED), ("opt-twice", BOTH, "answer-malformed"), ("opt-first", BOTH, ANSWERED),
    ("trailing", BOTH, "answer-malformed"), ("ad", BOTH, ANSWERED),
]
HTTP = [
    ("status=404", DOH, "doh-status"), ("retry-after=5", DOH, "doh-status"), ("redirect", DOH, "doh-redirect"),
    ("redirect-http", DOH, "doh-redirect"), ("type=text/html", DOH, "doh-type"), ("age=100", DOH, ANSWERED),
    ("body-empty", DOH, "doh-malformed"), ("body-long", DOH, "doh-malformed"), ("body-endless", DOH, "doh-malformed"),
    ("length-small", DOH, "doh-malformed"), ("length-large", DOH, "doh-malformed"), ("gzip", DOH, "doh-malformed"),
    ("cookies", DOH, ANSWERED), ("status-twice", DOH, "doh-malformed"), ("upper-case", DOH, "doh-malformed"),
    ("trailers", DOH, "doh-malformed"), ("goaway-each", DOH, ANSWERED), ("goaway-zero", DOH, "closed"), ("rst-refused", DOH, ANSWERED),
    ("rst-cancel", DOH, "closed"), ("rst-calm", DOH, "closed"), ("streams=1", DOH, ANSWERED), ("window-zero", DOH, ANSWERED),
    ("hpack-bomb", DOH, "doh-malformed"), ("continuations", DOH, "doh-malformed"),
    ("split-headers", DOH, (ANSWERED, "doh-malformed")),  # a right answer that nghttp2 1.52 takes for a flood
    ("interim-flood", DOH, "doh-malformed"), ("empty-data-flood", DOH, "doh-malformed"), ("ping-flood", DOH, "doh-malformed"),
    ("settings-flood", DOH, "doh-malformed"), ("window-flood", DOH, "doh-malformed"), ("unknown-flood", DOH, "doh-malformed"),
    ("window-overflow", DOH, "doh-malformed"), ("push", DOH, "doh-malformed"), ("http1", DOH, "doh-malformed"),
    ("h2-garbage", DOH, "doh-malformed"),
]


@rows([("every fault of the lab has a row in this test", 0)])
def complete(t, _):
    with open(os.path.join(t.src, "contrib", "lab", "server", "lab_faults.def"), encoding="utf-8") as f:
        known = re.findall(r'^FAULT\(\w+, "([a-z0-9-]+)",', f.read(), re.M)
    equal({fault.partition("=")[0] for fault, _, _ in HANDSHAKE + CONNECTION + MESSAGE + HTTP}, set(known), "faults")


class Cage:
    """A server with one fault, an upstream of the daemon's for the names below its own."""

    def __init__(self, t, folder, fault, protocol, want):
        self.name = f"{re.sub('[^a-z0-9]', '-', fault)}-{protocol}" if fault else "good"
        self.want = (want,) if isinstance(want, str) else want
        process = t.spawn(self.name, [t.program("ctstub-lab"), "serve", "good-v4", "--listen", "127.0.0.1:0", "--pki", folder,
                                      *(["--fault", fault] if fault else []), *(["--doh"] if protocol == "doh" else [])])
        process.wait_log("listening")
        self.upstream = section(f'upstream "{self.name}"', protocol=protocol, address=["127.0.0.1"],
                                port=int(process.log().split("address=127.0.0.1:")[1].split()[0]))
        self.forward = section(f'forward "{self.name}.example"', upstream=[self.name])
        self.asked = 0

    def told(self, daemon):
        """What a client is told when it asks for a fresh name."""
        self.asked += 1
        name = f"n{self.asked}.{self.name}.example"
        reply = daemon.ask(name, timeout=10)
        addresses = [item.address for rrset in reply.answer for item in rrset if item.rdtype == 1]
        if addresses:
            right = "198.18.%d.%d" % tuple(hashlib.sha256(name.encode()).digest()[:2])
            return ANSWERED if addresses == [right] and client.rcode(reply) == "NOERROR" else f"{client.rcode(reply)} {addresses}"
        texts = [text for _, text in client.ede(reply)]
        return texts[0].partition(": ")[2] if client.rcode(reply) == "SERVFAIL" and texts else client.rcode(reply)

    def judge(self, daemon):
        """None, or what was wrong. Only what a busy machine can cause is tried again."""
        end = time.monotonic() + PATIENCE
        while True:
            told = self.told(daemon)
            if told in self.want:
                return None
            if told not in ("connect-timeout", "closed") or time.monotonic() > end:
                return f"{self.name}: {told}, not {' or '.join(self.want)}"
            time.sleep(0.5)


@rows([("every fault before and during the handshake has its outcome", HANDSHAKE), ("every fault between handshake and answer has its outcome", CONNECTION),
       ("every fault in the answer has its outcome", MESSAGE), ("every fault of HTTP/2 has its outcome", HTTP)], timeout=300)
def zoo(t, faults):
    folder = t.path("pki")
    equal(t.run("ctstub-lab", "pki", folder)[0], 0, "pki")
    wanted = [(fault, protocol, want) for fault, protocols, want in faults for protocol in protocols] + [(None, "dot", ANSWERED)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        cages = list(pool.map(lambda row: Cage(t, folder, *row), wanted))
    d = Daemon(t, [c.upstream + c.forward for c in cages], anchors=f"{folder}/anchors.pem", ct="require",
               extra=section("ct", log_list=f"{folder}/ct-logs.json"), log_level="info")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        wrong = [w for w in pool.map(lambda c: c.judge(d), cages[:-1]) if w]
        # two at a time meet one connection
        again = [pool.submit(c.told, d) for c in cages[:-1] if c.want == (ANSWERED,) for _ in range(2)]
        wrong += [f"together: {told}" for told in (a.result() for a in again) if told not in (ANSWERED, "connect-timeout", "closed")]
    check(not wrong, "; ".join(wrong))
    equal(cages[-1].judge(d), None, "a good server afterwards")
    equal(d.process.stop(), 0, "exit code")

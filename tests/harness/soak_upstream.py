"""One upstream of the soak, a process of its own: it can be killed and stopped like a real one, and misbehaves on request.

Its standard input takes one mode a line (MODES); standard output has "ready" once it listens, and each mode as soon as it is in effect.
Answers are a function of their question (wire.rdata_for).
"""
import collections
import json
import random
import ssl
import sys
import threading
import time

from harness import wire
from harness.upstream import DohServer, DotServer, Gone

CERTIFICATES = ("good", "untrusted", "other-address", "expired", "no-sct")
MODES = (*CERTIFICATES, "slow", "cut", "swapped", "wrong")
SLOW_S = (0.1, 0.6)   # before each answer over DoT, before each batch over DoH: at 100 questions a second next to nothing comes
SWAPPED = 0.5         # share of the answers that are swapped with another question's
# Share of the writes that end in the middle, and the connection with them. A domain under whose lone question two connections end is
# suspected for seconds, as in ctstubd(8): that must be rare here, where the upstream is at fault.
CUT = 0.05
WRONG = 0.01          # share of the answers with another name's data, which only the soak can detect


class Forgetful(collections.deque):
    """A list of the harness that must not grow for hours."""

    def __init__(self):
        super().__init__(maxlen=4)


class Misbehaving:
    """The common part of both kinds of server."""

    def prepare(self, orders):
        self.mode, self.last = "good", None
        self.random = random.Random(orders["seed"])
        self.contexts = {name: self.context_of(*files) for name, files in orders["certificates"].items()}
        self.context = self.contexts["good"]
        self.questions, self.failures, self.sni, self.requests = Forgetful(), Forgetful(), Forgetful(), Forgetful()
        self.answer = self.answer_of

    def context_of(self, chain, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        context.set_alpn_protocols(self.alpn)
        return context

    def become(self, mode):
        """Another certificate is seen by new connections: those that are open end."""
        context = self.contexts.get(mode, self.contexts["good"])
        self.mode = mode
        if context is not self.context:
            self.context = context
            self.drop()

    def answer_of(self, q):
        last, self.last = self.last, q
        if self.mode == "swapped" and last is not None and self.random.random() < SWAPPED:
            last.ident = q.ident
            return wire.answer(last)
        if self.mode == "wrong" and self.random.random() < WRONG:
            return wire.answer(q, records=[wire.record(b"\xc0\x0c", q.qtype, 300, wire.rdata_for([b"other", *q.labels], q.qtype))])
        return wire.answer(q)

    def serve(self, connection):
        send = connection.send_raw

        def send_raw(data):
            if self.mode == "slow":
                time.sleep(self.random.uniform(*SLOW_S))
            if self.mode == "cut" and self.random.random() < CUT:
                send(data[:len(data) // 2])
                raise Gone
            send(data)
        connection.send_raw = send_raw
        super().serve(connection)


class Dot(Misbehaving, DotServer):
    pass


class Doh(Misbehaving, DohServer):
    pass


class Here:
    """The part of a test's context that the servers need."""

    @staticmethod
    def defer(_function):
        pass


class Files:
    def __init__(self, chain, key):
        self.chain, self.key_file = chain, key


def main():
    orders = json.loads(sys.stdin.readline())
    kind = Doh if orders["doh"] else Dot
    threading.stack_size(256 * 1024)
    server = kind(Here, Files(*orders["certificates"]["good"]), address=orders["address"], port=orders["port"])
    server.prepare(orders)
    server.become(orders["mode"])
    print("ready", flush=True)
    for line in sys.stdin:
        server.become(line.strip())
        print(line.strip(), flush=True)


if __name__ == "__main__":
    main()

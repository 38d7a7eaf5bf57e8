"""Many questions at a steady rate, each with an answer of its own."""
import collections
import random
import socket
import struct
import threading
import time

import dns.message

from harness import client, wire
from harness.case import equal
from harness.patience import patient
from harness.standstill import Watch

# The most questions that wait for answers at the same time. All are for one domain, and the daemon treats 256 of one domain as a
# flood when the oldest is unanswered for a second (resolver/admission.h): on a busy machine it would refuse some.
WINDOW = 200
QUESTION_S = 4  # QUERY_TIME_MS of resolver/query.h: then a question ends with SERVFAIL
LATE_S = 0.25   # a thread that wakes up this much too late stood still
STILL_S = 1     # seconds of a question's time in which this program stood still: with as many it may have failed for that


class Load:
    """Sends `total` questions (UDP, one in eight over TCP) at `rate` a second, and looks at every answer.

    No more than WINDOW wait for their answers: a busy machine makes the load slower, but no answer late.

    wrong: another question's answer; failed: an RCODE other than NOERROR; lost: no answer within ten seconds. There is no
    retry after five seconds, as the C library would make it: the first question must be answered.
    """

    def __init__(self, daemon, total, rate=500, names=None, prefix="load", tcp_share=8):
        self.daemon, self.total, self.rate = daemon, total, rate
        self.names = names or total       # how many different names: fewer than total means that the cache answers, too
        self.prefix, self.tcp_share = prefix, tcp_share
        self.answered = self.wrong = self.failed = 0
        self.lost = total
        self.slowest = 0.0
        self.times = []
        self.codes = {}
        self.reasons = collections.Counter()  # extended errors of those that failed
        self.failures = []                    # of each of them: when it was sent, the seconds it took, and the texts
        self.stood = []                       # when the machine let this program wait: from, to
        self.examples = []
        self.sent_all = threading.Event()
        self.lock = threading.Condition()
        self.pending = {}
        self.random = random.Random(7)

    def start(self):
        self.watch = Watch(LATE_S)
        self.stood = self.watch.stood
        self.udp = [socket.socket(socket.AF_INET6 if ":" in self.daemon.address else socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
        for s in self.udp:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            s.connect((self.daemon.address, self.daemon.port))
        self.tcp = socket.create_connection((self.daemon.address, self.daemon.port), 10)
        self.tcp.settimeout(None)
        self.threads = [threading.Thread(target=self._receive_udp, args=(i,), daemon=True) for i in range(4)]
        self.threads.append(threading.Thread(target=self._receive_tcp, daemon=True))
        self.sender = threading.Thread(target=self._send, daemon=True)
        for thread in [*self.threads, self.sender]:
            thread.start()

    def _send(self):
        begin = time.monotonic()
        for i in range(self.total):
            ahead = begin + i / self.rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            labels = [f"{self.prefix}{self.random.randrange(self.names) if self.names < self.total else i}".encode(), b"example", b"com"]
            channel = 4 if self.tcp_share and i % self.tcp_share == 0 else i % 4
            with self.lock:
                if not self.lock.wait_for(lambda: len(self.pending) < WINDOW, patient(10)):
                    break  # no more answers come: questions that were not sent count as lost
                ident = i & 0xffff
                self.pending[channel, ident, labels[0]] = time.monotonic()
            message = wire.question(labels, ident=ident, ar=1, extra=wire.opt())
            if channel == 4:
                self.tcp.sendall(wire.frame(message))
            else:
                self.udp[channel].send(message)
        self.sent_all.set()

    def _look(self, channel, raw):
        q = wire.Question(raw)
        with self.lock:
            sent = self.pending.pop((channel, q.ident, q.labels[0]), None)
            if sent is None:
                self.wrong += 1
                self.examples.append(f"channel {channel}: an answer to no question: {raw.hex()}")
                return
            self.lock.notify()
            took = time.monotonic() - sent
            self.times.append(took)
            self.slowest = max(self.slowest, took)
            self.answered += 1
            code = raw[3] & 15
            self.codes[code] = self.codes.get(code, 0) + 1
            if code:
                self.failed += 1
                errors = client.ede(dns.message.from_wire(raw))
                self.reasons.update(errors)
                self.failures.append((sent, took, [text for _, text in errors if text]))
            elif wire.rdata_for(q.labels, q.qtype) not in raw:
                self.wrong += 1
                self.examples.append(f"channel {channel}: not the answer: {raw.hex()}")

    def _receive_udp(self, channel):
        try:
            while True:
                raw = self.udp[channel].recv(4096)
                if not raw:
                    return  # shut down by finish
                self._look(channel, raw)
        except OSError:
            pass

    def _receive_tcp(self):
        try:
            with self.tcp.makefile("rb") as f:
                while True:
                    size = f.read(2)
                    if len(size) < 2:
                        return
                    self._look(4, f.read(struct.unpack(">H", size)[0]))
        except (OSError, ValueError):
            pass

    def running(self):
        return not self.sent_all.is_set()

    def wait(self, seconds):
        self.sent_all.wait(seconds)

    def finish(self):
        """Waits for the last answers, at most ten seconds after the last question."""
        self.sender.join()
        end = time.monotonic() + patient(10)
        while self.answered < self.total and time.monotonic() < end:
            time.sleep(0.01)
        self.watch.end()
        for s in [*self.udp, self.tcp]:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
        self.lost = self.total - self.answered

    def flawless(self):
        """Raises when an answer was wrong, failed or lost."""
        equal((self.wrong, self.failed, self.lost), (0, 0, 0),
              f"wrong, failed and lost answers (RCODEs {self.codes}, {self.reasons.most_common(3)} {self.failures[:3]}; {self.examples[:3]}; waiting {list(self.pending)[:3]})")

    def starved(self, healthy):
        """True when each answer failed because the machine was too slow: it names the healthy upstream as failed, too, or its time ran
        out while the machine stood still. Then the load is run again, slower."""
        def machine(sent, took, texts):
            still = sum(max(0, min(end, sent + took) - max(began, sent)) for began, end in self.stood)
            return any(text.startswith(f"{healthy} ") for text in texts) or took >= QUESTION_S and still >= STILL_S
        return bool(self.failures) and all(machine(*failure) for failure in self.failures) and not self.wrong and not self.lost

    def percentile(self, part):
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def played(play, healthy):
    """The finished load of play(slower), flawless. It is run again, twice and four times slower, when only the machine is to blame."""
    for slower in (1, 2, 4):
        load = play(slower)
        if not load.starved(healthy):
            break
    load.flawless()
    return load

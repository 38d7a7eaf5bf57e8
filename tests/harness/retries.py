"""Clients like those of the C library: a question that is not answered within five seconds is sent once more, and then given up."""
import collections
import socket
import threading
import time

from harness import wire

PATIENCE = 5.0


class Retries:
    """Asks `rate` questions a second over UDP, each with an answer of its own, until finish().

    failed: the names whose second question was not answered either, or that got another answer; repeated: how many were asked
    twice. Made in the thread's network namespace.
    """

    def __init__(self, address, port, rate):
        self.rate, self.asked, self.repeated, self.failed = rate, 0, 0, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.connect((address, port))
        self.socket.settimeout(0.2)
        self.waiting = {}                      # id: [name, asked when, how often]
        self.order = collections.deque()       # ids, the oldest first
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._ask, self._receive)]
        for thread in self.threads:
            thread.start()

    def _send(self, ident, name):
        try:
            self.socket.send(wire.question(f"{name}.example.com", ident=ident))
        except OSError:
            pass  # refused at this moment: like a lost one

    def _ask(self):
        begin = time.monotonic()
        while not self.ended.is_set():
            due = int((time.monotonic() - begin) * self.rate)
            while self.asked < due:
                ident, name = self.asked & 0xffff, f"r{self.asked}"
                with self.lock:
                    self.waiting[ident] = [name, time.monotonic(), 1]
                    self.order.append(ident)
                self._send(ident, name)
                self.asked += 1
            self.again()
            time.sleep(0.002)

    def again(self):
        """Repeats, or gives up, the questions whose time is up."""
        while True:
            with self.lock:
                if not self.order:
                    return
                ident = self.order[0]
                one = self.waiting.get(ident)
                if one is not None and time.monotonic() - one[1] < PATIENCE:
                    return
                self.order.popleft()
                if one is None:
                    continue
                if one[2] == 2:
                    self.failed.append(one[0])
                    del self.waiting[ident]
                    continue
                one[1:] = [time.monotonic(), 2]
                self.order.append(ident)
                self.repeated += 1
            self._send(ident, one[0])

    def _receive(self):
        while not self.ended.is_set() or self.waiting:
            try:
                raw = self.socket.recv(4096)
            except OSError:
                continue
            q = wire.Question(raw)
            with self.lock:
                one = self.waiting.get(q.ident)
                if one is None or one[0].encode() != q.labels[0]:
                    continue  # the answer to the first question, after that to the second
                del self.waiting[q.ident]
            if raw[3] & 15 != 0 or wire.rdata_for(q.labels, q.qtype) not in raw:
                self.failed.append(f"{one[0]}: {raw.hex()[:80]}")

    def finish(self):
        """No more questions; waits for the answers that may still come."""
        self.ended.set()
        end = time.monotonic() + 2 * PATIENCE + 2
        while self.waiting and time.monotonic() < end:
            self.again()
            time.sleep(0.01)
        with self.lock:
            self.failed += [one[0] for one in self.waiting.values()]
            self.waiting.clear()
        for thread in self.threads:
            thread.join(5)
        self.socket.close()

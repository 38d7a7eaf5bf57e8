"""The clients of the soak: one thread that asks at a steady rate over UDP and TCP, and looks at every answer.

It keeps figures, not questions: it runs for days.
"""
import random
import selectors
import socket
import struct
import threading
import time

import dns.message

from harness import client, wire
from harness.load import QUESTION_S, STILL_S
from harness.soak_figures import Histogram

PATIENCE_S = 6.0    # longer than the daemon's four seconds: a later answer counts as lost
TICK_S = 0.02       # questions are sent in groups, so that the loop does not wake up for each
UDP_SOCKETS = 6
SOCKET_LIFE = 500   # questions until a UDP socket gets another port
TCP_SHARE = 0.15
SHORT_SHARE = 0.2   # of those over TCP: on a connection of their own
POOL = 3000         # names that are asked again and again: the cache answers them
FRESH_SHARE = 0.4   # names that were not asked before
DOMAINS = 400       # the daemon suspects a whole domain whose questions end connections, not a single question
TTL_MAX = 300       # the TTL of the upstreams' answers
TYPES = ((wire.A, 60), (wire.AAAA, 25), (wire.TXT, 15))
WAKING_S = 2        # after a sleep of this length the daemon closes idle connections
EXAMPLES = 40       # of trouble that are kept,
TOGETHER = 4        # and of one second


BUSY_S = 0.25       # seconds of an answer's time without a processor: with as many it does not count for the daemon's speed


def due_to_machine(kind, took, texts, healthy, still):
    """True when a question had no answer because of the machine and not of the daemon: there was a healthy upstream all the time, and the
    daemon, that upstream or the client waited for a processor for so many seconds (still) of the time that the question took."""
    if kind == "lost":
        return took >= PATIENCE_S and still >= PATIENCE_S - QUESTION_S + STILL_S
    asked = any(text.startswith(f"{title} ") for title in healthy for text in texts)
    return kind == "failed" and bool(healthy) and still >= STILL_S and (asked or took >= QUESTION_S)


class Channel:
    """One socket with its unanswered questions: {id: (section, labels, type, when, times asked, in a fault, who was healthy)}."""

    def __init__(self, sock, tcp=False, once=False):
        self.socket, self.tcp, self.once = sock, tcp, once
        self.pending, self.asked, self.held = {}, 0, b""
        self.lost = set()  # ids whose answers may still come, and which are not used again


class Counts:
    def __init__(self):
        self.asked = self.answered = self.wrong = self.failed = self.lost = self.starved = self.udp = self.tcp = 0
        self.again_slept = self.again_closed = 0
        self.examples = []


class Clients:
    """world: healthy(), titles of the upstreams that are healthy at this moment; in_fault(), whether anything is wrong; state(), a
    short text of what goes on, for examples; withheld, of harness.standstill."""

    def __init__(self, address, port, rate, seed, world):
        self.address, self.port, self.rate, self.world = address, port, rate, world
        self.random = random.Random(seed)
        self.counts = Counts()
        self.calm, self.fault, self.busy, self.late = Histogram(), Histogram(), Histogram(), Histogram()
        self.selector = selectors.EpollSelector()
        self.udp, self.tcp, self.short = [], [], []
        self.slept_at = 0.0     # the daemon's machine woke up
        self.names = 0
        self.expiring = []      # (when, channel, id) in the order of asking
        self.expired = 0
        self.stopping = threading.Event()
        self.error = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()

    def finish(self):
        """Stops asking, and waits for the answers on their way."""
        self.stopping.set()
        self.thread.join(3 * PATIENCE_S)
        if self.error:
            raise self.error

    def slept(self):
        self.slept_at = time.monotonic()

    # ---- sockets

    def _udp(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.connect((self.address, self.port))
        return self._register(Channel(s))

    def _tcp(self, once=False):
        s = socket.create_connection((self.address, self.port), PATIENCE_S)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._register(Channel(s, True, once))

    def _register(self, channel):
        channel.socket.setblocking(False)
        self.selector.register(channel.socket, selectors.EVENT_READ, channel)
        return channel

    def _close(self, channel):
        if channel.socket is None:
            return
        self.selector.unregister(channel.socket)
        channel.socket.close()
        channel.socket = None
        for row in (self.udp, self.tcp, self.short):
            if channel in row:
                row.remove(channel)

    def _channel(self):
        if self.random.random() >= TCP_SHARE:
            if len(self.udp) < UDP_SOCKETS:
                self.udp.append(self._udp())
            channel = self.random.choice(self.udp)
            if channel.asked >= SOCKET_LIFE:
                self.udp.remove(channel)
                self.short.append(channel)  # until its answers are here
                channel.once = True
                channel = self._udp()
                self.udp.append(channel)
            return channel
        if self.random.random() < SHORT_SHARE:
            channel = self._tcp(True)
            self.short.append(channel)
            return channel
        if len(self.tcp) < 2:
            self.tcp.append(self._tcp())
        return self.random.choice(self.tcp)

    # ---- asking

    def _question(self):
        if self.random.random() < FRESH_SHARE:
            self.names += 1
            number, name = self.random.randrange(DOMAINS), f"fresh{self.names}"
        else:
            number = int(POOL * self.random.random() ** 2)
            name = f"pool{number}"
        labels = [name.encode(), f"soak{number % DOMAINS}".encode(), b"com"]
        if self.random.random() < 0.1:
            labels[0] = labels[0].upper()
        return labels, self.random.choices([t for t, _ in TYPES], [w for _, w in TYPES])[0]

    def _ask(self, labels, qtype, times=1, began=None):
        channel = self._channel()
        ident = self.random.randrange(65536)
        while ident in channel.pending or ident in channel.lost:
            ident = self.random.randrange(65536)
        message = wire.question(labels, qtype, ident, extra=wire.opt() if self.random.random() < 0.5 else b"")
        if len(message) > 12 + len(wire.name_bytes(labels)) + 4:
            message = message[:11] + b"\1" + message[12:]  # ARCOUNT
        section = message[12:12 + len(wire.name_bytes(labels)) + 4]
        now = time.monotonic()
        channel.pending[ident] = (section, labels, qtype, began or now, times, self.world.in_fault(), self.world.healthy())
        channel.asked += 1
        self.expiring.append((now + PATIENCE_S, channel, ident))
        try:
            if channel.tcp:
                channel.socket.send(wire.frame(message))  # short, and the buffer is empty: all or an error
            else:
                channel.socket.send(message)
        except OSError:
            if channel.tcp:
                self._gone(channel)
        if times == 1:
            self.counts.asked += 1
            self.counts.udp, self.counts.tcp = self.counts.udp + (not channel.tcp), self.counts.tcp + channel.tcp

    # ---- answers

    def _trouble(self, kind, one, text, texts=()):
        _, labels, qtype, when, times, _, healthy = one
        now = time.monotonic()
        still = self.world.withheld.seconds(when, now)
        if due_to_machine(kind, now - when, texts, healthy & self.world.healthy(), still):
            kind = "starved"
        setattr(self.counts, kind, getattr(self.counts, kind) + 1)
        examples = self.counts.examples
        same = sum(1 for e in examples if e["what"] == kind and time.time() - e["at"] < 1)
        if same < TOGETHER and len(examples) < (2 if kind == "wrong" else 1) * EXAMPLES:
            examples.append({
                "what": kind, "name": b".".join(labels).decode(), "type": qtype, "after_s": round(now - when, 3),
                "without_processor_s": round(still, 3), "at": time.time(), "asked": times, "text": text, "state": self.world.state()})

    def _look(self, channel, raw):
        one = channel.pending.pop(struct.unpack(">H", raw[:2])[0], None) if len(raw) >= 12 else None
        if one is None:  # it counts as lost already
            return
        section, labels, qtype, when, times, was_fault, _ = one
        end = 12 + len(section)
        want = wire.rdata_for(labels, qtype)
        code = raw[3] & 15
        if raw[12:end] != section or not raw[2] & 0x80:
            self._trouble("wrong", one, f"the answer to another question: {raw.hex()}")
        elif code == 2:
            self._failed(one, dns.message.from_wire(raw))
        elif code or raw[2] & 2 or raw[6:8] != b"\0\1":
            self._trouble("wrong", one, f"RCODE {code}: {raw.hex()}")
        else:
            at = raw.find(want, end)
            if at < 0 or struct.unpack(">I", raw[at - 6:at - 2])[0] > TTL_MAX:
                self._trouble("wrong", one, f"not the answer: {raw.hex()}")
            else:
                self.counts.answered += 1
                if times == 1:
                    now = time.monotonic()
                    in_fault = was_fault or self.world.in_fault()
                    busy = now - when > BUSY_S and self.world.withheld.seconds(when, now) >= BUSY_S
                    (self.busy if busy else self.fault if in_fault else self.calm).add(now - when)

    def _failed(self, one, reply):
        texts = [text for _, text in client.ede(reply) if text]
        if reply.edns < 0:
            self._trouble("failed", one, "SERVFAIL, without an OPT record that could have the reason")
        elif texts:
            self._trouble("failed", one, f"SERVFAIL {texts}", texts)
        else:
            self._trouble("wrong", one, "SERVFAIL without a reason")

    def _read(self, channel):
        try:
            raw = channel.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            raw = b""
            if not channel.tcp:
                return
        if not channel.tcp:
            self._look(channel, raw)
        elif not raw:
            self._gone(channel)
        else:
            channel.held += raw
            while len(channel.held) >= 2 and len(channel.held) >= 2 + struct.unpack(">H", channel.held[:2])[0]:
                n = 2 + struct.unpack(">H", channel.held[:2])[0]
                message, channel.held = channel.held[2:n], channel.held[n:]
                self._look(channel, message)
        if channel.once and not channel.pending:
            self._close(channel)

    def _gone(self, channel):
        """The daemon closed the connection, which it may do when idle or after a sleep. The client asks again."""
        if channel.socket is None:
            return
        self._close(channel)
        left, channel.pending = channel.pending, {}
        slept = time.monotonic() - self.slept_at < WAKING_S
        for one in left.values():
            if slept or one[4] == 1:
                self.counts.again_slept += slept
                self.counts.again_closed += not slept
                self._ask(one[1], one[2], one[4] + 1, one[3])
            else:
                self._trouble("lost", one, "the connection was closed")

    def _expire(self, now):
        while self.expired < len(self.expiring) and self.expiring[self.expired][0] <= now:
            _, channel, ident = self.expiring[self.expired]
            self.expired += 1
            one = channel.pending.get(ident)
            if one and one[3] + PATIENCE_S <= now:
                del channel.pending[ident]
                channel.lost.add(ident)
                self._trouble("lost", one, "no answer")
            if channel.once and not channel.pending:
                self._close(channel)
        if self.expired > 10_000:
            del self.expiring[:self.expired]
            self.expired = 0

    # ---- the loop

    def _pending(self):
        return any(c.pending for c in (*self.udp, *self.tcp, *self.short))

    def _run(self):
        try:
            self._loop()
        except Exception as error:  # which the main thread raises
            self.error = error

    def _loop(self):
        due, stop_at, last = 0.0, None, time.monotonic()
        tick = last
        while True:
            now = time.monotonic()
            for key, _ in self.selector.select(max(0.0, tick - now)):
                if key.data.socket is not None:
                    self._read(key.data)
            now = time.monotonic()
            if now < tick:
                continue
            self.late.add(now - tick)
            self._expire(now)
            if self.stopping.is_set():
                stop_at = stop_at or now + PATIENCE_S
                if not self._pending() or now > stop_at + 1:
                    break
            else:
                due = min(due + (now - last) * self.rate, self.rate / 2)  # after a pause of this program, not all at once
                while due >= 1:
                    due -= 1
                    self._ask(*self._question())
            last, tick = now, max(tick + TICK_S, now)
        for channel in (*self.udp, *self.tcp, *self.short):
            for one in channel.pending.values():
                self._trouble("lost", one, "no answer at the end")
            self._close(channel)

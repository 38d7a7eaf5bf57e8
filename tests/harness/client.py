"""Questions to the daemon over UDP and TCP, well-formed (dnspython) and not (bytes)."""
import socket
import struct

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from harness import wire
from harness.case import check, equal
from harness.patience import for_answer

EDE = 15


class Udp:
    """A connected UDP socket."""

    def __init__(self, address, port, timeout=5):
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(for_answer(timeout))
        self.socket.connect((address, port))

    def send(self, data):
        self.socket.send(data)

    def receive(self):
        return self.socket.recv(65535)

    def ask(self, data):
        self.send(data)
        return self.receive()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Tcp:
    """A TCP connection with two-byte frames."""

    def __init__(self, address, port, timeout=5):
        self.socket = socket.create_connection((address, port), for_answer(timeout))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""

    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, message):
        self.send_raw(struct.pack(">H", len(message)) + message)

    def receive(self):
        """One message; b"" when the peer has closed."""
        while True:
            if len(self._held) >= 2:
                n = struct.unpack(">H", self._held[:2])[0]
                if len(self._held) >= 2 + n:
                    message, self._held = self._held[2:2 + n], self._held[2 + n:]
                    return message
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return b""
            self._held += more

    def ask(self, message):
        self.send(message)
        return self.receive()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def closed(self, seconds=10):
        """Waits until the peer has closed; True when it did."""
        self.socket.settimeout(for_answer(seconds))
        try:
            while self.receive():
                pass
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def query(name, qtype="A", edns=True, do=False, **flags):
    message = dns.message.make_query(name, qtype, use_edns=0 if edns or do else False, want_dnssec=do, payload=1232)
    for flag, on in flags.items():
        bit = dns.flags.Flag[flag.upper()]
        message.flags = message.flags | bit if on else message.flags & ~bit
    return message


def exchange(address, port, message, tcp=False, timeout=6):
    with (Tcp if tcp else Udp)(address, port, timeout) as c:
        raw = c.ask(message.to_wire())
    check(raw, "the connection was closed instead of an answer")
    reply = dns.message.from_wire(raw)
    check(reply.id == message.id, f"id {reply.id} instead of {message.id}")
    return reply


def ede(reply):
    """[(code, text)] of the extended errors of a reply."""
    found = []
    for o in reply.options:
        if o.otype == EDE:
            if hasattr(o, "code"):
                found.append((int(o.code), o.text or ""))
            else:
                found.append((struct.unpack(">H", o.data[:2])[0], o.data[2:].decode()))
    return found


def rcode(reply):
    return dns.rcode.to_text(reply.rcode())


def has_data(raw, labels, qtype=wire.A, what="the answer"):
    """The reply (bytes) succeeds, and has the data of this name."""
    if raw[3] & 15:
        why = "; ".join(text for _, text in ede(dns.message.from_wire(raw)))
        what = f"{what} ({why})".replace(":", " ")  # standstill.py reads this line
    equal(raw[3] & 15, 0, f"rcode of {what}")
    check(wire.rdata_for(labels, qtype) in raw, f"{what} has other data")


def values(reply, qtype="A"):
    """The records of one type in the answer section, as text."""
    kind = dns.rdatatype.from_text(qtype)
    return [r.to_text() for rrset in reply.answer if rrset.rdtype == kind for r in rrset]


def normal(message):
    """All that two replies must have in common; id, TTLs, the OPT, RA and the spelling of owners are left out."""
    return (message.rcode(), [str(q) for q in message.question],
            [sorted((str(s.name).lower(), s.rdclass, s.rdtype, tuple(sorted(r.to_digestable() for r in s))) for s in section)
             for section in (message.answer, message.authority, message.additional)])

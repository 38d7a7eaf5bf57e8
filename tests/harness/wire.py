"""DNS bytes: questions made by hand, so that they may be wrong, and answers that are a function of their question."""
import hashlib
import hmac
import struct

A, NS, CNAME, SOA, PTR, TXT, AAAA, OPT = 1, 2, 5, 6, 12, 16, 28, 41
KEY = b"the answer is a function of the question"


def name_bytes(name):
    """"www.example.com" as labels; a list of bytes labels goes as it is."""
    labels = name if isinstance(name, (list, tuple)) else [p.encode() for p in name.rstrip(".").split(".") if p]
    return b"".join(bytes([len(p)]) + p for p in labels) + b"\0"


def opt(size=1232, options=b"", version=0, do=False, rcode=0, owner=b"\0"):
    flags = (rcode << 24) | (version << 16) | (0x8000 if do else 0)
    return owner + struct.pack(">HHIH", OPT, size, flags, len(options)) + options


def option(code, data=b""):
    return struct.pack(">HH", code, len(data)) + data


def header(ident=0x1234, flags=0x0100, qd=1, an=0, ns=0, ar=0):
    return struct.pack(">HHHHHH", ident, flags, qd, an, ns, ar)


def question(name="www.example.com", qtype=A, ident=0x1234, flags=0x0100, qclass=1, extra=b"", ar=0, tail=b""):
    return header(ident, flags, 1, 0, 0, ar) + name_bytes(name) + struct.pack(">HH", qtype, qclass) + extra + tail


def record(owner, rtype, ttl, rdata, rclass=1):
    return owner + struct.pack(">HHIH", rtype, rclass, ttl, len(rdata)) + rdata


def read_name(message, at):
    """The labels of an uncompressed name and where it ends."""
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]])
        at += 1 + message[at]
    return labels, at + 1


class Question:
    """The fields of a question as a server reads it (well-formed, as our daemon wrote it)."""

    def __init__(self, message):
        self.message = message
        self.ident, self.flags, self.qd, self.an, self.ns, self.ar = struct.unpack(">HHHHHH", message[:12])
        self.labels, end = read_name(message, 12)
        self.qtype, self.qclass = struct.unpack(">HH", message[end:end + 4])
        self.section = message[12:end + 4]
        self.rest = message[end + 4:]

    @property
    def name(self):
        return b".".join(self.labels).decode("latin-1")


def digest(labels, qtype):
    text = b".".join(labels).lower() + struct.pack(">H", qtype)
    return hmac.new(KEY, text, hashlib.sha256).digest()


def rdata_for(labels, qtype):
    """The RDATA that the records for this question must have."""
    d = digest(labels, qtype)
    if qtype == A:
        return bytes([198, 18 + (d[0] & 1), d[1], d[2]])
    if qtype == AAAA:
        return b"\x20\x01\x0d\xb8" + d[:12]
    if qtype == TXT:
        return bytes([64]) + d.hex().encode()[:64]
    return d


def answer(q, ttl=300, rcode=0, records=None, flags=0x8180, with_opt=None):
    """An answer to a Question: by default one record of the asked type that only this question has."""
    if records is None:
        records = [record(b"\xc0\x0c", q.qtype, ttl, rdata_for(q.labels, q.qtype))] if rcode == 0 else []
    with_opt = q.ar > 0 if with_opt is None else with_opt
    extra = opt(1232) if with_opt else b""
    return (header(q.ident, flags | (q.flags & 0x0110) | rcode, 1, len(records), 0, 1 if extra else 0) + q.section +
            b"".join(records) + extra)


def frame(message):
    return struct.pack(">H", len(message)) + message

"""Answers that become replies, read by dnspython: whatever it reads in the answer it reads in the reply, but for our OPT and TTLs.

The messages are the stored inputs of the fuzz target `reply`, and messages that dnspython makes itself: many types, compressed
names, several OPT options, response codes of more than four bits. tests/fuzz/fuzz_reply.c makes the replies; its own check is against ldns.
"""
import importlib.util
import os
import random
import struct

from harness.case import Skip, case, check, equal

TYPES = {
    "A": lambda d: f"192.0.2.{d.randrange(256)}",
    "AAAA": lambda d: f"2001:db8::{d.randrange(65536):x}",
    "CNAME": lambda d: f"{label(d)}.example.com.",
    "DNAME": lambda d: f"{label(d)}.example.net.",
    "NS": lambda d: f"ns{d.randrange(9)}.example.com.",
    "PTR": lambda d: f"{label(d)}.example.org.",
    "MX": lambda d: f"{d.randrange(99)} mail.{label(d)}.example.com.",
    "SOA": lambda d: f"ns.example.com. root.example.com. {d.randrange(2**32)} 7200 3600 1209600 {d.randrange(86400)}",
    "SRV": lambda d: f"{d.randrange(9)} {d.randrange(9)} {d.randrange(65536)} {label(d)}.example.com.",
    "TXT": lambda d: " ".join('"' + label(d) * d.randrange(1, 9) + '"' for _ in range(d.randrange(1, 4))),
    "CAA": lambda d: f'0 issue "{label(d)}.example"',
    "HTTPS": lambda d: f"{d.randrange(1, 9)} {label(d)}.example.com. alpn=h2,h3 port={d.randrange(1, 65536)}",
    "SVCB": lambda d: f"0 {label(d)}.example.com.",
    "DS": lambda d: f"{d.randrange(65536)} 13 2 " + "".join(f"{d.randrange(256):02x}" for _ in range(32)),
    "NAPTR": lambda d: f'{d.randrange(99)} 10 "u" "E2U+sip" "!^.*$!sip:a@{label(d)}.example!" .',
    "RP": lambda d: f"{label(d)}.example.com. {label(d)}.example.com.",
    "TYPE65280": lambda d: "\\# 4 " + "".join(f"{d.randrange(256):02x}" for _ in range(4)),
}
MESSAGES = 400
SERVFAIL = 2


def label(draw):
    return "".join(draw.choice("abcxyzABC019-") for _ in range(draw.randrange(1, 12))).strip("-") or "a"


def message(draw):
    """An answer of an upstream: records of all sections, and in most of them an OPT with options."""
    import dns.edns
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rdatatype
    import dns.rrset
    question = dns.message.make_query(f"{label(draw)}.Example.com.", draw.choice(list(TYPES)), use_edns=False)
    answer = dns.message.make_response(question, recursion_available=True)
    answer.set_rcode(draw.choice((0, 0, 0, 3, 2)))
    for section in (answer.answer, answer.authority, answer.additional):
        for _ in range(draw.randrange(5)):
            kind = draw.choice(list(TYPES))
            name = draw.choice((question.question[0].name.to_text(), f"{label(draw)}.example.com."))
            texts = {TYPES[kind](draw) for _ in range(1 if kind in ("CNAME", "DNAME", "SOA") else draw.randrange(1, 4))}
            section.append(dns.rrset.from_text_list(name, draw.randrange(100000), "IN", kind, sorted(texts)))
    if draw.randrange(4):
        options = [dns.edns.GenericOption(draw.choice((3, 10, 12, 65001)), bytes(draw.randrange(20))) for _ in range(draw.randrange(4))]
        answer.use_edns(0, 0, 1232, options=options)
        answer.set_rcode(draw.choice((0, 0, 0, 3, 2, 16, 23, 720, 4095)))
    return answer.to_wire(max_size=65535)


def read(wire):
    """(question and records of each section without their TTLs, response code, whether it has an OPT); None: dnspython cannot read it."""
    import dns.exception
    import dns.message
    try:
        m = dns.message.from_wire(wire, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError, struct.error):
        return None
    sections = [[(r.name.to_text(), r.rdclass, r.rdtype, r[0].to_wire() if len(r) else b"") for r in s] for s in (m.answer, m.authority, m.additional)]
    return ([(q.name.to_text(), q.rdclass, q.rdtype) for q in m.question], sections), int(m.rcode()), m.edns >= 0


def pairs(path):
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at < len(data):
        both = []
        for _ in range(2):
            (n,) = struct.unpack_from(">I", data, at)
            both.append(data[at + 4:at + 4 + n])
            at += 4 + n
        yield both


def compare(answer, reply):
    """None: dnspython cannot read the answer. Else whether the reply is the same."""
    before, after = read(answer), read(reply)
    if before is None:
        return None
    check(after is not None, f"dnspython reads the answer and not its reply: {answer.hex()} {reply.hex()}")
    equal(after[0], before[0], f"the reply to {answer.hex()}")
    _, rcode, with_opt = after
    # The upper bits are in the OPT (RFC 6891, 6.1.3): a client that takes none would read another code in the lower ones.
    equal(rcode, before[1] if with_opt or before[1] < 16 else SERVFAIL, f"the response code of the reply to {answer.hex()}")
    return True


def needs_dnspython():
    if not importlib.util.find_spec("dns"):
        raise Skip("python3-dnspython is not on this machine")


@case("dnspython reads a reply as it reads the answer that the reply was made from", timeout=300)
def same(t):
    needs_dnspython()
    program = os.path.join(t.build, "tests/fuzz/fuzz_reply")
    check(os.path.exists(program), "the fuzz targets were not built")
    made, out = t.path("messages"), t.path("pairs")
    os.makedirs(made)
    draw = random.Random(8)
    for i in range(MESSAGES):
        with open(os.path.join(made, str(i)), "wb") as f:
            f.write(bytes([draw.randrange(4)]) + message(draw))
    code, _, err = t.run(program, made, os.path.join(t.src, "tests/fuzz/corpus/reply"), env=t.env(FUZZ_PAIRS=out), timeout=240)
    check(code == 0, f"fuzz_reply ended with {code}: {err[-300:]}")
    results = [compare(*both) for both in pairs(out)]
    read_by_both = sum(r is True for r in results)
    check(read_by_both >= MESSAGES // 2, f"only {read_by_both} of {len(results)} answers were read by dnspython")


@case("the comparison sees a record that is lost, changed or moved to another section, and another response code", builds=("gcc",))
def sees(_t):
    needs_dnspython()
    one = bytes.fromhex("0001818000010001000000000161076578616d706c650000010001c00c000100010000003c0004c0000201")
    badcookie = one[:3] + b"\x87" + one[4:10] + b"\0\1" + one[12:] + bytes.fromhex("00002904d0010000000000")  # 23: 1 in the OPT, 7 below
    for what, before, other in (("a record that is lost", one, one[:6] + b"\0\0" + one[8:27]),
                                ("a record that is changed", one, one[:-1] + b"\2"),
                                ("a record that is moved to another section", one, one[:6] + b"\0\0\0\1" + one[10:]),
                                ("another response code", one, one[:3] + b"\x82" + one[4:]),
                                ("other upper bits of a response code", badcookie, badcookie[:-6] + b"\2" + badcookie[-5:]),
                                ("the lower bits of a response code alone", badcookie, one[:3] + b"\x87" + one[4:])):
        try:
            compare(before, other)
        except AssertionError:
            continue
        check(False, f"{what} was not seen")
    check(compare(one, one[:33] + b"\0\0\0\1" + one[37:]) is True, "the same message differs")
    check(compare(badcookie, one[:3] + b"\x82" + one[4:]) is True, "SERVFAIL to a client that takes no OPT")

"""The wrong-answer detector, and answers byte by byte: every type, every option, odd names."""
import random
import struct

from functional._common import stub, stub_doh
from harness import client, wire
from harness.case import case, check, equal, rows
from harness.load import Load, played

SOME = 50_000


@rows([("50,000 questions over DoT: none wrong, none lost", stub), ("50,000 questions over DoH: none wrong, none lost", stub_doh)], timeout=400, builds=("gcc",))
def detector(t, make):
    d, server = make(t, log_level="info")

    def play(slower):
        load = Load(d, 1_000_000 if t.long else SOME, rate=4000 // slower, names=20_000, prefix=f"load{slower}x")
        load.start()
        load.finish()
        return load
    played(play, "one")


@case("4,000 questions with random reloads, flushes and clients that leave: every answer arrives and is right", timeout=200)
def disturbed(t):
    d, _ = stub(t, log_level="info")
    rng = random.Random(5)

    def play(slower):
        load = Load(d, 20_000 if t.long else 4_000, rate=600 // slower, names=1500, prefix=f"load{slower}x")
        load.start()
        while load.running():
            what = rng.randrange(3)
            if what == 0:
                d.ctl("reload")
            elif what == 1:
                d.ctl("flush")
            else:
                with d.tcp() as c:
                    c.send(wire.question(f"leaves{rng.randrange(100)}.example.com"))
            load.wait(0.05)
        load.finish()
        return load
    played(play, "one")


# Types that are questions only and not for a stub: NXNAME, MAILB, MAILA, ANY (the others of RFC 6895, 3.1 are among FORMED).
NOT_FORWARDED = {128, 253, 254, 255}
# Types whose records have a form that is checked: arbitrary bytes are refused there, and rightly.
FORMED = set(range(1, 64)) | {64, 65, 99, 104, 105, 106, 107, 108, 109, 249, 250, 251, 252, 256, 257, 258, 259, 260, 32768, 32769}


@case("of all 65,536 types, data types come back unchanged and meta types are answered locally", builds=("gcc",), timeout=300)
def all_types(t):
    payload = bytes(range(250, 256)) + b"\xc0\x0c"
    d, server = stub(t, lambda q: wire.answer(q, ttl=0, records=[wire.record(b"\xc0\x0c", q.qtype, 0, payload)], with_opt=False), log_level="info")
    with d.tcp(30) as c:
        step = 1
        types = [n for n in range(0, 65536, step) if n not in FORMED]
        for start in range(0, len(types), 500):
            batch = types[start:start + 500]
            c.send_raw(b"".join(wire.frame(wire.question("type.example.com", n, ident=n)) for n in batch))
            seen = {}
            for _ in batch:
                raw = c.receive()
                seen[struct.unpack(">H", raw[:2])[0]] = raw
            for n in batch:
                check(n in seen, f"type {n} is not answered")
                if n in NOT_FORWARDED:
                    check(payload not in seen[n], f"meta type {n} was forwarded")
                else:
                    check(payload in seen[n], f"type {n}: rcode {seen[n][3] & 15}, or other bytes")


@case("queries with any EDNS option code are answered, and no client option is forwarded", builds=("gcc",), timeout=200)
def all_options(t):
    d, server = stub(t, log_level="info")
    with d.tcp(30) as c:
        codes = list(range(0, 65536, 1 if t.long else 13)) + list(range(64))
        for start in range(0, len(codes), 50):
            options = b"".join(wire.option(code, b"secret") for code in codes[start:start + 50] if code not in (11, 12, 8, 10, 15, 13, 3, 9))
            raw = c.ask(wire.question(f"o{start}.example.com", ar=1, extra=wire.opt(4096, options)))
            equal(raw[3] & 15, 0, f"rcode with options from {codes[start]}")
    check(not any(b"secret" in q.message for q in server.questions), "an option went out")


@case("names of every length and with odd bytes are forwarded and returned unchanged")
def odd_names(t):
    d, server = stub(t, log_level="info")
    rng = random.Random(3)
    with d.tcp(20) as c:
        for i in range(300):
            labels, left = [b"two"], 250  # a single label stays here
            while left > 1 and len(labels) < 2 + i % 20:
                n = rng.randrange(1, min(63, left - 1) + 1)
                labels.append(bytes(rng.randrange(256) for _ in range(n)))
                left -= n + 1
            raw = c.ask(wire.question(labels))
            equal(wire.Question(raw).labels, labels, "name of the answer")
            client.has_data(raw, labels)


@rows([("serve-stale: when the upstream is gone an old answer is given with TTL 30 at most, and says so (EDE 3)", False),
       ("serve-stale: when the upstream is refused by verdict no old answer is given", True)])
def stale(t, refused):
    d, server = stub(t, lambda q: wire.answer(q, ttl=1), extra="hedge = false\n")
    first = d.ask("old.example.com")
    equal(client.rcode(first), "NOERROR", "rcode")
    if refused:
        import hashlib
        from cryptography.hazmat.primitives.serialization import Encoding
        from harness.daemon import upstream
        fingerprint = hashlib.sha256(d.site.cert.public_bytes(Encoding.DER)).hexdigest()
        d.write(upstream("one", server, disallow=[f"cert-sha256 {fingerprint}"]), extra="hedge = false\n")
        check(d.ctl("reload")["ok"], "reload")
    else:
        server.stop(reset=True)
    from harness.case import until

    def expired():
        reply = d.ask("old.example.com")
        return reply if client.rcode(reply) != "NOERROR" or any(code in (3, 19) for code, _ in client.ede(reply)) else None
    reply = until(expired, 15, "the answer's time is over")
    if refused:
        equal(client.rcode(reply), "SERVFAIL", "rcode")
    else:
        equal(client.rcode(reply), "NOERROR", "rcode")
        check(reply.answer[0].ttl <= 30, f"TTL {reply.answer[0].ttl}")

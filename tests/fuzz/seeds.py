"""Inputs made by rule for the targets whose input is a script: what each operation needs, in plausible order."""
import json
import random


def u8(*values):
    return bytes(v & 255 for v in values)


def vec8(data):
    return u8(len(data)) + data


# ---- resolver: see the table of operations in fuzz_resolver.c

ASK, ANSWER, ANSWER_RAW, FAIL, LINE, CLOSE, LEAVE, REPEAT, ADVANCE, WORLD, PORTAL = 0, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15


def resolver_scene(draw, weights):
    script = u8(draw.randrange(4))
    operations = [op for op, weight in weights.items() for _ in range(weight)]
    for _ in range(draw.randrange(20, 120)):
        op = draw.choice(operations)
        script += u8(op)
        if op == ASK:
            script += u8(draw.randrange(256), draw.choice((8, 8, 24, 40, 0xc8, 0x4c)) | draw.randrange(4))
        elif op == ANSWER:
            script += u8(draw.randrange(256), draw.choice((0, 0, 0, 1, 4, 8, 16, 64, 160)), draw.randrange(256))
        elif op == ANSWER_RAW:
            script += u8(draw.randrange(256)) + vec8(u8(0, 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 9, 9, 9, 9))
        elif op in (FAIL, LINE, CLOSE):
            script += u8(draw.randrange(256), draw.randrange(256))
        else:
            script += u8(draw.randrange(256))
    return script


def resolver():
    usual = {ASK: 8, ANSWER: 8, ADVANCE: 3}
    scenes = {
        "usual": usual,
        "failing": {**usual, FAIL: 4, LINE: 3, CLOSE: 3},
        "leaving": {**usual, LEAVE: 3, REPEAT: 3},
        "moving": {**usual, WORLD: 5, LINE: 1},
        "portal": {**usual, PORTAL: 4, WORLD: 1},
        "garbage": {**usual, ANSWER_RAW: 5},
        "all": {**usual, FAIL: 2, LINE: 2, CLOSE: 2, LEAVE: 1, REPEAT: 1, WORLD: 3, PORTAL: 2, ANSWER_RAW: 2},
    }
    draw = random.Random(14)
    return {f"{name}-{i}": resolver_scene(draw, weights) for name, weights in scenes.items() for i in range(3)}


# ---- h2: fuzz_h2.c; with NOW an operation's frames are delivered at once

NOW = 128


def h2():
    ask, answer = u8(0), u8(3 | NOW)
    anything = u8(12 | NOW)
    return {
        "one-answer": u8(0) + ask + answer + u8(0, 0),
        "answers-swapped": u8(1) + ask * 3 + answer + u8(2, 0) + answer + u8(0, 6) + answer + u8(1, 1),
        "byte-by-byte": u8(0) + u8(15) + ask * 2 + answer + u8(1, 7) + answer + u8(0, 3),
        "cancelled": u8(0) + ask * 2 + u8(2 | NOW, 0) + answer + u8(1, 0),
        "status-503": u8(0) + ask + u8(5 | NOW, 0, 5, 2, 0, 6, 20),
        "many-fields": u8(0) + ask + u8(5 | NOW, 0, 4, 79, 0) + u8(*range(12)),
        "informational": u8(0) + ask + u8(5, 0, 4, 1, 0, 1) + u8(14 | NOW, 20),
        "large-body": u8(0) + ask + u8(5, 0, 4, 2, 0, 0, 8) + u8(6, 0, 0, 255) + u8(14 | NOW, 2),
        "empty-data-flood": u8(0) + ask + u8(6, 0, 0, 0) + u8(14 | NOW, 37),
        "ping-flood": u8(0) + ask + u8(9, 2) + u8(14 | NOW, 37),
        "settings-flood": u8(0) + ask + u8(8, 0) + u8(14 | NOW, 37),
        "settings": u8(0) + u8(8 | NOW, 6, 0, 0, 0, 100, 255, 0) + ask + answer + u8(0, 0),
        "no-streams": u8(0) + u8(8 | NOW, 4, 0, 0, 0, 0) + ask * 2,
        "goaway": u8(0) + ask * 3 + u8(10 | NOW, 0, 1) + answer + u8(0, 0),
        "reset": u8(0) + ask * 2 + u8(7 | NOW, 0, 7) + u8(7 | NOW, 1, 8),
        "push": u8(0) + ask + anything + u8(5, 4, 0) + vec8(u8(0, 0, 0, 2, 0x88)),
        "continuation": u8(0) + ask + u8(5, 0, 0, 1, 0, 0) + anything + u8(9, 4, 0) + vec8(u8(0x88)),
        "altsvc": u8(0) + anything + u8(10, 0, 0) + vec8(b"\0\0h2=\":1\""),
        "not-http2": u8(0) + ask + u8(13 | NOW) + vec8(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "window": u8(0) + ask + u8(11 | NOW, 0, 255, 0x7f, 255, 255, 255),
    }


# ---- tls: fuzz_tls.c

def tls():
    good, resumes = 1, 5
    idle = u8(0)
    done = idle * 4
    made = {"refused": u8(0, 0) + done, "goes-well": u8(0, good) + done + u8(1, 0) + u8(1, 64) + u8(1, 2) + idle * 2}
    for what, name in enumerate(("tls13", "tls12", "both", "second-hello")):
        made[f"{name}-data"] = u8(what, good) + done + u8(1, 64) + idle + u8(1, 0) + idle
        made[f"{name}-in-bytes"] = u8(what, good) + u8(0x14) + done + u8(1, 0) + idle
        for change in range(8):
            made[f"{name}-changed-{change}"] = u8(what, good) + idle + u8(2 | change << 4, 0, 70) + vec8(b"\x15\x03\x03\x00\x02\x02\x28") + done
        made[f"{name}-resumed"] = u8(what, resumes) + done + u8(1, 0) + idle
        made[f"{name}-many"] = u8(what | 32 | 16, good) + done + u8(1, 0) + idle
    for what, name in enumerate(("data", "data", "tickets", "key-updates", "empty-records", "alerts", "rehandshake", "bye")):
        made[f"flood-of-{name}"] = u8(0, good) + done + u8(1, what | 192) + idle * 3
        made[f"after-handshake-{name}"] = u8(1, good) + done + u8(1, what | 64) + idle * 2
    made["other-alpn"] = u8(64 | 12, good) + done
    made["no-alpn"] = u8(64 | 8, good) + done
    made["bytes-plain"] = u8(128, good) + b"HTTP/1.1 400 Bad Request\r\n\r\n"
    made["bytes-old-alert"] = u8(128, good) + b"\x15\x03\x01\x00\x02\x02\x46"
    made["bytes-hello"] = u8(128, good) + b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + b"\x11" * 32 + b"\x00\x13\x01\x00"
    made["ends-early"] = u8(0, good) + idle + u8(0xff)
    return made


# ---- config: files apart by bytes of 0, see fuzz_config.c

def config():
    main = 'upstream "a" { address = {"192.0.2.1"} ct = "off" }\n'
    lists = ('local { hosts-file = "@/hosts" } filter { list-file = {"@/filter"} }\n'
             'trust { disallow-file = {"@/disallow"} constraints-file = {"@/limits"} }\n')
    made = {
        "plain": [main],
        "conf-d": [main, "hedge = false\n", 'upstream "a" { port = 8853 }\nupstream "b" { address = {"192.0.2.2"} protocol = "doh" path = "/q" }\n'],
        "adds": ['listen = {"127.0.0.1:53"}\n' + main, 'listen += {"[::1]:53"}\n', 'forward "corp.example" { upstream = {"a"} }\n'],
        "lists": [main + lists, "", "", "192.0.2.7 printer printer.home\n", "ads.example.org\n||bad.example^\n0.0.0.0 x.example\n*.wild.example\n",
                  "cert-sha256 " + "ab" * 32 + "\nissuer CN=Nobody,O=X\nserial 0a issuer CN=Nobody\n", "spki-sha256 " + "cd" * 32 + " not-before-max 2026-01-01T00:00:00Z\n"],
        "missing-files": [main + 'filter { list-file = {"@/nothing"} } trust { anchors = "@" disallow-file = {"@/none"} }\n'],
        "a-folder-as-a-list": [main + 'trust { disallow-file = {"@"} }\n'],
        "many-errors": ['listen = {"x"} workers = 0 nothing = 1 ct { mode = "soft" } upstream "a" { port = 99999 address = {} }\n'],
        "control-characters": ['upstream "\x1b[31m" { x = } # \x07\n'],
        "local-data": [main + 'local { data = {"a.home.example A 192.0.2.9", "home.example SOA ns.home.example root.home.example 1 2 3 4 5"} '
                       'single-labels = "forward" } forward "home.example" { upstream = {} } time-names = {"0.pool.example.net"}\n'],
        "modes": [main + 'upstream "a" { pin = {"spki-sha256 ' + "ef" * 32 + '"} pin-mode = "report" report-until = "2027-01-01" update-window = "30d" }\n'],
    }
    return {name: "\0".join(files).encode() for name, files in made.items()}


# ---- tool: the verb, and the daemon's answer, see fuzz_tool.c

ANSWERS = (
    {"version": "0.1", "pid": 1, "started": "2026-11-28T10:00:00Z", "uptime_s": 9, "generation": 1, "workers": 1, "log_level": "info",
     "files": ["/etc/c"], "reload_error": None, "captive": {"active": False, "left_s": 0}, "portal": {"enabled": False},
     "log_list": {"from": "compiled in", "date": "2026-11-13T00:00:00Z", "age_days": 15, "stale": False},
     "upstreams": {"total": 2, "good": 1, "failing": 0, "refused": 1, "unknown": 0}, "warnings": ["w\x1b[31m"],
     "addresses": [{"upstream": "a", "address": "192.0.2.1:853", "health": "refused", "reason": "expired"}]},
    {"upstreams": [{"upstream": "a\x1b", "address": "192.0.2.1:853", "protocol": "dot", "worker": 0, "state": "ready", "health": "refused",
                    "reason": "expired", "retry_in_ms": 50, "handshake_ms": 3, "srtt_us": 1200, "would_be_refused": ["pin-mismatch", "\x9b"]}]},
    {"counters": {"questions": 3, "\x1b]0;x": 1}, "reasons": {"expired": 1}, "cache": {"entries": 1}},
    {"text": "# HELP x y\nx 1\n\x1b"},
    {"generation": 2, "changes": [{"where": "a", "option": "hedge", "before": "true", "after": "false", "text": "hedge: \x07"}], "more_changes": 0},
    {"flushed": 3},
    {"minutes": 5, "portal": False},
    {"level": "debug"},
)


def tool():
    made = {"not-json": u8(0) + b"hello\n", "no-answer": u8(0), "two-answers": u8(5) + b'{"ok":true,"flushed":1}{"ok":false}\n'}
    for verb, answer in enumerate(ANSWERS):
        text = json.dumps({"ok": True, **answer}).encode() + b"\n"
        made[f"verb-{verb}"] = u8(verb) + text
        made[f"verb-{verb}-as-json"] = u8(verb + 8) + text
        made[f"verb-{verb}-refused"] = u8(verb) + json.dumps({"ok": False, "error": "no\x1b", "errors": ["f:1: bad \x1b[2J", 5]}).encode() + b"\n"
    return made


# ---- policy: facts chosen by bytes, see fuzz_policy.c

def policy():
    draw = random.Random(5)
    made = {"zeros": bytes(60)}
    for i in range(24):
        # the policy, the list, the time, the dates, the usages, the flaw, the names, the SCTs (3 to 5 of usable logs), the CA, the rest
        made[f"facts-{i}"] = (u8(draw.randrange(256), draw.randrange(8), draw.randrange(3), draw.randrange(6), draw.randrange(8), 0, draw.randrange(4), 0,
                                 draw.randrange(64)) + u8(3 + i % 3) + b"".join(u8(draw.randrange(20), draw.choice((0, 0, 0, 4, 12)), draw.randrange(8)) for _ in range(3 + i % 3)) +
                              u8(0, draw.choice((0, 0, draw.randrange(12)))) + bytes(draw.randrange(256) for _ in range(6)))
    return made


TARGETS = {"config": config, "h2": h2, "policy": policy, "resolver": resolver, "tls": tls, "tool": tool}

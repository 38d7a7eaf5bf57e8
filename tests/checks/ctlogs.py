"""The list of CT logs that is compiled in, and the script that rebuilds it."""
import base64
import datetime
import hashlib
import json
import os
import struct

from harness.case import case, check, equal, rows


def known(t):
    """The list compiled in: its date, and for each operator its logs as words."""
    date, operators = None, {}
    with open(os.path.join(t.src, "verify", "data", "ctlogs.txt"), encoding="utf-8") as f:
        for line in f:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "date":
                date = rest
            elif word == "operator":
                operators[rest] = []
            elif word == "log":
                operators[list(operators)[-1]].append(rest.split(" ", 7))
    return date, operators


def body(path):
    with open(path, encoding="utf-8") as f:
        return [line for line in f if not line.startswith("#")]


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def v3(date, operators):
    def log(kind, state, since, start, end, mmd, key, name):
        log_id = base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode()
        entry = {"description": name, "log_id": log_id, "key": key, "mmd": int(mmd), "state": {state: {"timestamp": since}}}
        if start != "-":
            entry["temporal_interval"] = {"start_inclusive": start, "end_exclusive": end}
        return entry
    return json.dumps({"log_list_timestamp": date, "operators": [
        {"name": name, "logs": [log(*words) for words in logs if words[0] == "rfc6962"],
         "tiled_logs": [log(*words) for words in logs if words[0] == "tiled"]} for name, logs in operators.items()]})


def c_string(data):
    return '"' + "".join(f"\\x{b:02x}" for b in data) + '"'


def header(date, operators):
    """The browser's header, in the form it had in November 2026."""
    lines = ["#ifndef CTKnownLogs_h", "#define CTKnownLogs_h", '#include "CTLog.h"',
             f"static const PRTime kCTExpirationTime = INT64_C({seconds(date) + 70 * 86400}000000);",
             "namespace mozilla::ct {", "struct CTLogInfo {", "  const char* name;  // a comment", "};",
             "const CTLogInfo kCTLogList[] = {"]
    for number, (name, logs) in enumerate(operators.items()):
        for kind, state, since, _, _, _, key, description in logs:
            der = base64.b64decode(key)
            pieces = "\n     ".join(c_string(der[i:i + 18]) for i in range(0, len(der), 18))
            lines.append(f'    {{"{description}", CTLogState::{"Retired" if state == "retired" else "Admissible"}, '
                         f'CTLogFormat::{"Tiled" if kind == "tiled" else "RFC6962"},\n     {seconds(since)}000,  // a date\n'
                         f"     {number},  // operated by {name}\n     {pieces},\n     {len(der)}}},")
    lines += ["#ifdef DEBUG", '    {"For tests", CTLogState::Admissible, CTLogFormat::Tiled, 5, 99, "\\x30", 1},',
              "#endif  // DEBUG", "};", "", "const CTLogOperatorInfo kCTLogOperatorList[] = {"]
    lines += [f'    {{"{name}", {number}}},' for number, name in enumerate(operators)]
    lines += ["#ifdef DEBUG", f'    {{"Test Org", {len(operators)}}},', "#endif  // DEBUG", "};", "}", "#endif", ""]
    return "\n".join(lines)


def script(t, text, *options):
    path, out = os.path.join(t.dir, "list"), os.path.join(t.dir, "ctlogs.txt")
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    code, stdout, stderr = t.run(os.path.join(t.src, "contrib", "update-ct-logs"), "--source", "a test", "--out", out,
                                 *options, path)
    return code, stdout + stderr, out


@case("the compiled-in list comes out of its v3 form and of the header's form as it went in", builds=("gcc",))
def round_trip(t):
    date, operators = known(t)
    check(sum(map(len, operators.values())) >= 85, "the list was not read")
    for text in (v3(date, operators), header(date, operators)):
        code, said, out = script(t, text)
        equal(code, 0, said)
        equal(body(out), body(os.path.join(t.src, "verify", "data", "ctlogs.txt")), "the list")


@case("a list that is older, smaller or of new operators wants --force", builds=("gcc",))
def force(t):
    date, operators = known(t)
    first = next(iter(operators))
    renamed = {("Somebody" if name == first else name): logs for name, logs in operators.items()}
    half = dict(list(operators.items())[:2])
    for text, says in ((v3("2020-01-01T00:00:00Z", operators), "older"), (v3(date, renamed), "new operator: Somebody"),
                       (v3(date, half), "are gone")):
        code, said, _ = script(t, text)
        check(code == 1 and says in said, said)
        code, said, _ = script(t, text, "--force")
        equal(code, 0, said)


@case("a list with a fault is refused whole", builds=("gcc",))
def faults(t):
    date, operators = known(t)
    good = header(date, operators)
    for text, what in ((good.replace("CTLogFormat::Tiled", "CTLogFormat::Paper", 1), "an unknown format"),
                       (good.replace(",\n     91}", ",\n     90}", 1), "a length that is not the key's"),
                       (good[:len(good) // 2], "half a header"), ("{}", "an empty object")):
        code, said, _ = script(t, text)
        check(code == 1 and "update-ct-logs: " in said, f"{what}: {said}")


@case("the compiled-in list has every log of the browser's table", builds=("gcc",))
def source(t):
    path = os.path.join(t.src, "tests", "data", "ct", "mozilla-esr153.json")
    with open(path, encoding="utf-8") as f:
        table = {log["key"] for o in json.load(f)["operators"] for kind in ("logs", "tiled_logs") for log in o[kind]}
    check(len(table) == 85, "the table was not read")
    equal(table - {words[6] for logs in known(t)[1].values() for words in logs}, set(), "logs that are missing")


@case("the compiled-in list is at most 30 days older than the newest commit", builds=("gcc",))
def fresh(t):
    code, when, _ = t.run("git", "-C", t.src, "log", "-1", "--format=%cI")
    at = ("--at", when.strip()) if code == 0 else ()
    code, said, stderr = t.run(os.path.join(t.src, "contrib", "update-ct-logs"), "--check", *at)
    equal(code, 0, said + stderr)


@rows([
    ("a list of 30 days is released", 30, 0),
    ("a list of 31 days is not released", 31, 1),
], builds=("gcc",))
def release_age(t, days, want):
    at = datetime.datetime.fromisoformat(known(t)[0].replace("Z", "+00:00")) + datetime.timedelta(days=days)
    code, said, stderr = t.run(os.path.join(t.src, "contrib", "update-ct-logs"), "--check", "--at", at.isoformat())
    equal(code, want, said + stderr)


LIBRARY_AT = 0x10000  # where the library is loaded


def library(logs, operators):
    """An ELF library in which nothing is but the browser's table as the compiler lays it out."""
    blob, at = bytearray(64 + 56), {}

    def put(data):
        if data not in at:
            at[data] = len(blob) + LIBRARY_AT
            blob.extend(data)
        return at[data]

    names = list(operators)
    rows_ = [struct.pack("<QIIQQQQ", put(words[7].encode() + b"\0"), words[1] == "retired", words[0] == "tiled",
                         seconds(words[2]) * 1000, names.index(operator), put(base64.b64decode(words[6])),
                         len(base64.b64decode(words[6]))) for operator, words in logs]
    table = [struct.pack("<QQ", put(name.encode() + b"\0"), number) for number, name in enumerate(names)]
    blob += bytes(48) + b"".join(rows_) + b"".join(table) + bytes(64)
    blob[:64] = struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    blob[64:120] = struct.pack("<IIQQQQQQ", 1, 4, 0, LIBRARY_AT, 0, len(blob), len(blob), 4096)
    return bytes(blob)


@case("the table is read out of the browser's library too", builds=("gcc",))
def from_library(t):
    _, operators = known(t)
    logs = [(operator, words) for operator, entries in operators.items() for words in entries]
    code, said, out = script(t, library(logs, operators), "--force")
    equal(code, 0, said)
    newest = max(words[2] for _, words in logs)
    wanted = [line if not line.startswith("date ") else f"date {newest}\n"
              for line in body(os.path.join(t.src, "verify", "data", "ctlogs.txt"))]
    equal(body(out), wanted, "the list")
    code, said, _ = script(t, library([], operators), "--force")
    check(code == 1 and "no table of logs" in said, said)


@case("URLs come from a list of all logs, for the same log only", builds=("gcc",))
def urls(t):
    date, operators = known(t)
    more = json.loads(v3(date, operators))
    with open(os.path.join(t.src, "verify", "data", "ctlogs.txt"), encoding="utf-8") as f:
        before = f.read()
    tiled = next(log for o in more["operators"] for log in o["tiled_logs"] if f"{log['description']}\nurl" not in before)
    plain = [log for o in more["operators"] for log in o["logs"]]
    tiled.update(monitoring_url="https://read.test/", submission_url="https://write.test/")
    plain[0]["url"] = "https://plain.test/"
    path = os.path.join(t.dir, "all")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(more, f)
    code, said, out = script(t, v3(date, operators), "--urls", path)
    equal(code, 0, said)
    text = "".join(body(out))
    check(f"{tiled['description']}\nurl https://read.test/ https://write.test/\n" in text, "the URLs of a log that had none")
    check("plain.test" not in text, "a URL that was known already was replaced")


def listed(states):
    """A v3 JSON of two logs of today's, under keys of their own, with these states and this interval."""
    logs = []
    for number, (state, when, end) in enumerate(states):
        key = base64.b64encode(b"key %d" % number).decode()
        log_id = base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode()
        entry = {"description": f"Log {number}", "log_id": log_id, "key": key, "mmd": 60, "state": {state: {"timestamp": when}}}
        if end:
            entry["temporal_interval"] = {"start_inclusive": "2020-01-01T00:00:00Z", "end_exclusive": end}
        logs.append(entry)
    return json.dumps({"operators": [{"name": "Google", "logs": logs}, {"name": "Nobody", "logs": []}]})


@rows([
    ("a rejected log ended when it was rejected", ("rejected", "2025-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), "2025-01-02T00:00:00Z"),
    ("a log whose interval is over ended with it", ("usable", "2019-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z"),
    ("a log whose interval goes on has not ended", ("usable", "2019-01-02T00:00:00Z", "2099-01-01T00:00:00Z"), None),
    ("a log without interval has not ended", ("readonly", "2019-01-02T00:00:00Z", None), None),
    ("a log that was never accepted has not ended", ("pending", "2019-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), None),
    ("an old log without interval is left out", ("retired", "2022-05-02T00:00:00Z", None), None),
    ("a later log without interval is kept", ("retired", "2025-05-02T00:00:00Z", None), "2025-05-02T00:00:00Z"),
], builds=("gcc",))
def ended(t, state, want):
    code, said, out = script(t, listed([state]), "--retired")
    equal(code, 0, said)
    lines = [line.split(" ", 8) for line in body(out) if line.endswith(" Log 0\n")]
    equal([(words[2], words[3]) for words in lines], [("retired", want)] if want else [], "the log")


@case("no retired log is among the current ones, and what was known stays", builds=("gcc",))
def apart(t):
    code, said, out = script(t, listed([]), "--retired")
    equal(code, 0, said)
    file = os.path.join(t.src, "verify", "data", "ctlogs_retired.txt")
    equal(body(out), body(file), "the logs")
    keys = {line.split(" ")[7] for line in body(file) if line.startswith("log ")}
    check(len(keys) > 90, "the file was not read")
    check(not keys & {words[6] for logs in known(t)[1].values() for words in logs}, "a log is in both")

"""Configuration files: every mistake with its line, all in one run; nothing falls back (G01 to G06)."""
import os
import re
import signal

from functional._common import again, stub
from harness import client
from harness.case import case, check, equal, rows, until
from harness.daemon import upstream
from harness.upstream import DotServer

UP = 'upstream "u" { address = {"192.0.2.1"} }\n'


def test_file(t, content, name="ctstub.conf"):
    path = t.write(name, content)
    code, out, err = t.run("ctstubd", "-t", "-c", path)
    return code, out + err, path


GOOD = {
    "an empty file": "",
    "ten comment lines and an option": "# x\n" * 10 + "workers = 2\n",
    "a comment inside a list": 'listen = {"127.0.0.1:5301", # one\n # two\n"127.0.0.1:5302",}\n',
    "several options on a line": 'cache { size = "8MiB"  min-ttl = "1s"  prefetch = false }\n',
    "a list of one without braces' trailing comma": 'listen = {"127.0.0.1:5301",}\n',
    "escapes in a string": 'upstream "a \\"b\\" \\\\c" { address = {"192.0.2.1"} }\n',
    "an upstream on loopback": 'upstream "l" { address = {"127.0.0.1"} port = 8853 }\n',
    "a forward to nowhere": 'forward "corp.example" { upstream = {} }\n',
    "CRLF line ends": "workers = 2\r\nlog-level = \"info\"\r\n",
}


@rows([(f"G01 {what} is accepted", content) for what, content in GOOD.items()])
def accepted(t, content):
    code, said, _ = test_file(t, content)
    equal(code, 0, f"exit code; it said: {said}")


BAD = {
    "G01 an unknown option after ten comment lines": ("# c\n" * 10 + "no-such = 1\n", [11]),
    "G01 three unknown options in one file": ("aaa = 1\nworkers = 2\nbbb = 2\n\nccc = 3\n", [1, 3, 5]),
    "G01 a wrong type inside a section": ('cache {\n  size = "16MiB"\n  prefetch = 7\n}\n', [3]),
    "G01 a wrong value": ('log-level = "loud"\n', [1]),
    "G01 a missing value": ("workers =\nlog-level = \"info\"\n", [1]),
    "G01 an unknown section": ("nonsense { a = 1 }\n", [1]),
    "G01 ${HOME} is not expanded, and is not an address": (UP + 'listen = {"${HOME}:53"}\n', [2]),
    "G01 a string without an end": (UP + 'user = "ctstub\n', [2]),
    "G01 a NUL byte": ("workers = 1\n\0\n", [2]),
    "G01 an unknown escape": ('user = "a\\n"\n', [1]),
    "G02 port 0": ('listen = {"127.0.0.1:0"}\n', [1]),
    "G02 port 65536": ('listen = {"127.0.0.1:65536"}\n', [1]),
    "G02 a port with a letter": ('listen = {"127.0.0.1:53x"}\n', [1]),
    "G02 an upstream by name": ('upstream "u" { address = {"dns.example"} }\n', [1]),
    "G02 an IPv4-mapped address": ('upstream "u" { address = {"::ffff:192.0.2.1"} }\n', [1]),
    "G02 an IPv6 zone": ('upstream "u" { address = {"fe80::1%eth0"} }\n', [1]),
    "T02 an upstream without an address": ('workers = 1\nupstream "u" { name = "dns.example" }\n', [2]),
    "G06 an upstream that is our own listener": ('listen = {"127.0.0.1:5301"}\nupstream "u" { address = {"127.0.0.1"} port = 5301 }\n', None),
    "G06 an upstream that is our own listener on every address": ('allow = {"0.0.0.0/0"}\nlisten = {"0.0.0.0:5301"}\nupstream "u" { address = {"127.0.0.1"} port = 5301 }\n', None),
    "a forward to an upstream that does not exist": (UP + 'forward "x.example" { upstream = {"other"} }\n', [2]),
    "a bad disallow entry": ('upstream "u" {\n address = {"192.0.2.1"}\n disallow = {"serial xyz issuer CN=A"}\n}\n', None),
    "T25 a pin that is not a hash": ('upstream "u" {\n address = {"192.0.2.1"}\n pin = {"spki-sha256 00"}\n}\n', None),
    "a disallow file that does not exist": ('trust { disallow-file = {"/nonexistent/list"} }\n', None),
    "T29 anchors that do not exist": ('trust { anchors = "/nonexistent/ca.pem" }\n', None),
    "a log list that does not exist": ('ct { log-list = "/nonexistent/logs.json" }\n', None),
}


@rows([(f"{what}: exit code 2, each with its line", content, lines) for what, (content, lines) in BAD.items()])
def refused(t, content, lines):
    code, said, path = test_file(t, content.encode() if isinstance(content, str) else content)
    equal(code, 2, f"exit code; it said: {said}")
    check(path in said or "/nonexistent" in said, f"the file is not named: {said}")
    for line in lines or ():
        check(f"{path}:{line}:" in said, f"{path}:{line}: is not in {said}")


BASE64 = "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="


@rows([(f"{option} with a hash in base64, as others write pins: the error has it in hex ({value.replace(BASE64, '...')})", option, value)
       for option in ("pin", "allow-issuer", "disallow", "--pin", "--allow-issuer")
       for value in ("sha256/" + BASE64, "pin-sha256=" + BASE64, "spki-sha256 " + BASE64)])
def base64_pin(t, option, value):
    if option.startswith("--"):
        code, _, said = t.run("ctstub", "verify", "--name", "a.test", option, value, t.write("chain.pem", ""))
    else:
        code, said, _ = test_file(t, f'upstream "u" {{ address = {{"192.0.2.1"}} {option} = {{"{value}"}} }}\n'.encode())
    check(code == 2 and f"; in hex it is {'ab' * 32}\n" in said, f"{code}: {said}")


ALL_KINDS = """no-such = 1
trust {
  disallow = {"nonsense 1",
    "serial xyz issuer CN=A"}
  disallow-file = {"/nonexistent/list"}
}
upstream "u" {
  address = {"192.0.2.1", "dns.example",
    "::ffff:192.0.2.1"}
  client-cert = "/nonexistent/cert.pem"
}
filter { list-file = {"/nonexistent/names"} }
local { data = {"printer.lan. IN 192.0.2.9"} }
rebinding { allow = {"a..b"} }
forward "x.example" { upstream = {"nobody"} }
upstream "v" { address = {"192.0.2.2"} trust-anchors = "/nonexistent/ca.pem" }
upstream "v" { crl-file = {"/nonexistent/crl.pem"} }
"""


@case("G01 one run shows mistakes of every kind: names, values, entries, combinations, named files")
def all_kinds(t):
    code, said, path = test_file(t, ALL_KINDS)
    equal(code, 2, f"exit code; it said: {said}")
    lines = [int(line.split(":")[2]) for line in said.splitlines() if path in line]
    equal(sorted(set(lines)), [1, 3, 4, 5, 8, 9, 10, 12, 13, 14, 15, 16, 17], f"the lines that are named in {said}")
    equal(len(lines), len(set(lines)), f"each once: {said}")


@case("G01 a line of 1 MB, an empty name, a binary file and a file of 100 MB are refused at once")
def monsters(t):
    for name, content in (("long", b"x" * (1 << 20)), ("rubbish", os.urandom(5000)), ("large", b"# " + b"y" * (100 << 20))):
        code, said, _ = test_file(t, content, name)
        equal(code, 2, f"exit code for {name}; it said: {said[:300]}")


@case("G04 more upstreams than the limit are refused with a message")
def too_many(t):
    code, said, _ = test_file(t, "".join(f'upstream "u{i}" {{ address = {{"192.0.2.1"}} }}\n' for i in range(10_000)))
    equal(code, 2, "exit code")
    check(said.strip(), "no message")


@case("conf.d is read in lexical order: options change, = replaces a list, += adds, upstreams replace the compiled-in ones")
def conf_d(t):
    t.write("ctstub.conf", 'listen = {"127.0.0.1:5301"}\nupstream "corp" { address = {"192.0.2.1"} port = 1001 }\n')
    t.write("conf.d/10-a.conf", 'listen += {"127.0.0.1:5302"}\nupstream "corp" { port = 1002 }\n')
    t.write("conf.d/20-b.conf", 'upstream "corp" { address += {"192.0.2.2"} }\nworkers = 3\n')
    t.write("conf.d/30-c.txt", "no-such = 1\n")
    code, out, err = t.run("ctstubd", "-p", "-c", t.path("ctstub.conf"))
    equal(code, 0, f"exit code: {err}")
    for want in ('"127.0.0.1:5301"', '"127.0.0.1:5302"', "port = 1002", '"192.0.2.2"', "workers = 3"):
        check(want in out, f"{want} is not in {out}")
    check("cloudflare" not in out, "a compiled-in upstream is still there")
    t.write("conf.d/40-bad.conf", "# one\nno-such = 1\n")
    code, said, _ = test_file(t, open(t.path("ctstub.conf")).read())
    check(code == 2 and "40-bad.conf:2:" in said, f"the mistake in conf.d: {said}")


@case("-p prints a configuration that another -p prints unchanged")
def printed(t):
    path = t.write("a.conf", GOOD["escapes in a string"] + 'cache { size = "8MiB" }\nforward "x.example" { upstream = {} }\nct { policy = "apple" }\n')
    _, once, _ = t.run("ctstubd", "-p", "-c", path)
    code, twice, err = t.run("ctstubd", "-p", "-c", t.write("b.conf", once))
    equal(code, 0, f"exit code: {err}")
    equal(twice, once, "the second print")
    code, _, err = t.run("ctstubd", "-t", "-c", t.path("b.conf"))
    equal(code, 0, f"-t of what -p printed: {err}")


@case("with a mistake in the configuration the daemon exits with code 2 before it binds")
def starts_nothing(t):
    config = t.write("bad.conf", 'listen = {"127.0.0.1:5399"}\nno-such = 1\n')
    code, _, err = t.run("ctstubd", "-c", config)
    equal(code, 2, "exit code")
    check("bad.conf:2:" in err, err)


PLAIN = ["a.local.test. 60 IN A 192.0.2.77", "b.local.test. AAAA 2001:db8::77", "c.local.test. CNAME a.local.test.", "local.test. MX 10 a.local.test.",
         "_x._tcp.local.test. SRV 0 5 80 a.local.test.", 'local.test. TXT "v=spf1; -all"',
         'local.test. CAA 0 issue "ca.example"', "local.test. HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.77", "_853._tcp.local.test. TLSA 3 1 1 aabbccdd", 'quoted.local.test. TXT "a\\"b"']
RARE = "rare.local.test. LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"


def mapped(d, library):
    with open(f"/proc/{d.process.pid}/maps", encoding="utf-8") as f:
        return library in f.read()


def local_data(d, *records):
    data = ", ".join('"' + r.replace("\\", "\\\\").replace('"', '\\"') + '"' for r in records)
    return f"local {{ data = {{{data}}} }}\n"


@case("local data of the usual types take effect at a reload, without ldns; no libcrypto is in the daemon", builds=("gcc",))
def plain_local_data(t):
    d, server = stub(t, user="")
    check(not mapped(d, "libcrypto") and not mapped(d, "libldns"), "libraries that only rare records need")
    d.write(upstream("one", server), local_data(d, *PLAIN))
    check(d.ctl("reload")["ok"], "the reload")
    for name, kind in (("a", "A"), ("b", "AAAA"), ("c", "A"), ("_x._tcp", "SRV")):
        reply = d.ask(f"{name}.local.test", kind)
        check(client.rcode(reply) == "NOERROR" and reply.answer, f"{name}: {reply}")
    for name, kind, text in (("local", "TXT", "v=spf1; -all"), ("local", "CAA", "ca.example"), ("local", "HTTPS", "192.0.2.77"),
                             ("_853._tcp.local", "TLSA", "aabbccdd"), ("quoted.local", "TXT", 'a\\"b')):
        check(text in d.ask(f"{name}.test", kind).answer[0][0].to_text(), f"{name} {kind}")
    check(not mapped(d, "libldns"), "ldns was loaded")


@case("a record of another type is served after a start; a reload that adds the first one is refused with advice, and changes nothing",
      builds=("gcc",))
def rare_local_data(t):
    d, server = stub(t, user="")
    d.write(upstream("one", server), local_data(d, PLAIN[0], RARE))
    reply = d.ctl("reload")
    check(not reply["ok"] and "check it with ctstubd -t, and restart ctstubd" in str(reply) and "LOC 52 22" in str(reply), f"{reply}")
    check(not d.ask("a.local.test", "A").answer or "192.0.2.77" not in str(d.ask("a.local.test", "A")), "half of it was taken")
    code, out, err = t.run("ctstubd", "-t", "-c", d.config)
    equal(code, 0, f"ctstubd -t: {out}{err}")
    again(d, env=t.env(CTSTUB_SECCOMP="kill"))
    check("52 22 23" in d.ask("rare.local.test", "LOC").answer[0][0].to_text(), "the record")
    d.write(upstream("one", server), local_data(d, RARE, 'rarer.local.test. TYPE65280 \\# 2 abcd'))
    check(d.ctl("reload")["ok"], "a reload with ldns there")
    check(d.ask("rarer.local.test", "TYPE65280").answer, "the second record")


@case("a reload that brings the first rare record, a malformed one, names the place that ctstubd -t explains", builds=("gcc",))
def malformed_rare_record(t):
    d, server = stub(t, user="")
    d.write(upstream("one", server), "\n" + local_data(d, 'rare.local.test. LOC somewhere'))
    reply = d.ctl("reload")
    place = re.search(re.escape(d.config) + r":\d+: ", str(reply))
    check(not reply["ok"] and place and "check it with ctstubd -t" in str(reply), f"{reply}")
    code, out, err = t.run("ctstubd", "-t", "-c", d.config)
    lines = [line for line in err.splitlines() if place.group() in line]
    equal((code, len(lines)), (2, 1), f"ctstubd -t: {out}{err}")
    check("LOC somewhere" in lines[0] and "rdata" in lines[0] and "ldns" not in lines[0], f"it does not say what is wrong: {lines[0]}")


@case("P07 clients are answered while a large list of names is reloaded", timeout=240, builds=("gcc",))
def slow_reload(t):
    names = t.write("names", "".join(f"n{i}.d{i % 1000}.example\n" for i in range(600_000)))
    d, _ = stub(t, extra=f'filter {{ list-file = {{"{names}"}} }}\n', log_level="info")
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    answered = 0
    for reloads in range(1, 4):
        d.process.signal(signal.SIGHUP)
        while d.log().count("notice reloaded ") < reloads:
            equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode of a kept answer")
            equal(client.rcode(d.ask("x.n7.d7.example")), "NXDOMAIN", "rcode of a listed name")
            answered += 1
    check(answered > 10, f"only {answered} times two answers came while the configuration was read three times")


@case("after SIGHUP the newly configured upstream serves the next question")
def reload(t):
    d, first = stub(t)
    equal(client.rcode(d.ask("before.example.com")), "NOERROR", "rcode")
    second = DotServer(t, d.site)
    d.write(upstream("two", second))
    d.process.signal(signal.SIGHUP)
    number = iter(range(1000))
    until(lambda: d.ask(f"after{next(number)}.example.com") and second.questions, 10, "the new upstream is asked")

"""The examples of every manual page do what the page says: a command runs, a configuration is taken by ctstubd -t.

An example is a paragraph of `.Dl $ command` lines, or a `.Bd -literal` block. One that no row here covers fails, and so does
a row without an example. Commands run word for word in a folder of their own; a wrapper before ctstub and ctstub-lab adds
what ties them to the test's servers (anchors, ports, sockets), as the configuration of a machine would.
"""
import glob
import json
import os
import re
import shutil
import subprocess

from functional._common import Https, examples, is_taken, one_lab, stub
from harness import net
from harness.case import Skip, case, check, equal, rows
from harness.daemon import upstream
from harness.pki import DAY, Site, log_list, utc_now
from harness.upstream import DohServer, DotServer

ROOMS = ("base", "cli", "config", "contrib", "resolver", "transport", "verify")


def pages(t):
    found = []
    for room in ROOMS:
        for folder, _, files in os.walk(os.path.join(t.src, room)):
            found += [os.path.relpath(os.path.join(folder, f), t.src) for f in files if re.fullmatch(r"[a-z.-]+\.[1-8]", f)]
    return sorted(found)


# Blocks that show a form and are no example: what they are, and who tests it instead.
FORMS = [
    ("ctstub.1", r'\{ "outcome": "refused"', "the verdict object: test_verify and test_probe"),
    ("ctstub.1", r'\{ "upstream", "address", "protocol"', "the keys of probe: test_probe"),
    ("ctstub.conf.5", r"option = value\n", "the grammar: test_config"),
    ("ctstub-log.5", r"warn refused upstream=", "a line of the log: test_journald"),
    ("ctstub-log.5", r"2026-11-28T10:22:05", "a line of the query log: test_query_log"),
]

# page, what the example begins with, the function that runs it
RUNS = []


def runs(page, beginning):
    def register(function):
        RUNS.append((page, beginning, function))
        return function
    return register


def wrapper(t, **extra):
    """A folder for PATH where `ctstub verify` is the built program with more words, by `verify=[...]` (_ is - and space)."""
    folder = t.path("bin")
    os.makedirs(folder, exist_ok=True)
    for program in ("ctstub", "ctstub-lab", "ctstubd", "ctstub-watch", "ctstub-portal"):
        text = "#!/bin/sh\n"
        for verb, words in extra.items():
            first, _, second = verb.replace("__", " ").replace("_", "-").partition(" ")
            condition = f'[ "${{1:-}}" = {first} ]' + (f' && [ "${{2:-}}" = {second} ]' if second else "")
            shift, kept = (2, f"{first} {second}") if second else (1, first)
            quoted = " ".join(f"'{w}'" for w in words)
            text += f'if {condition}; then shift {shift}; exec {t.program(program)} {kept} {quoted} "$@"; fi\n'
        path = os.path.join(folder, program)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text + f'exec {t.program(program)} "$@"\n')
        os.chmod(path, 0o755)
    return folder


def shell(t, session, folder, want=0, timeout=120):
    """Runs the lines; the last one's output. Every line but the last must succeed."""
    env = t.env(PATH=folder + os.pathsep + os.environ["PATH"], CTSTUBD=t.program("ctstubd"))
    out = ""
    lines = session.split("\n")
    for i, line in enumerate(lines):
        done = subprocess.run(["sh", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=t.dir, env=env, timeout=timeout, check=False)
        out, err = done.stdout.decode(), done.stderr.decode()
        equal(done.returncode, want if i == len(lines) - 1 else 0, f"{line}: {out[-600:]} {err[-600:]}")
    return out


@runs("ctstub.1", r"ctstub history cloudflare")
def shown(t, session):
    record = {"time": "2026-11-28T10:00:00Z", "event": "first-acceptance", "upstream": "cloudflare", "address": "1.1.1.1:853"}
    t.write("state/journal.jsonl", json.dumps(record) + "\n")
    out = shell(t, session, wrapper(t, history=["--state-dir", t.path("state")]))
    check(re.search(r"^cloudflare\n.*1\.1\.1\.1:853 +first accepted", out), out)


@runs("ctstub.1", r"ctstub verify --name dns\.example --at ")
def verify_at(t, session):
    site = Site(t, names=("dns.example",), with_ct=True)
    shutil.copy(site.chain, t.path("chain.pem"))
    session = re.sub(r"--at \S+", f"--at {site.cert.not_valid_before:%Y-%m-%dT23:59:59Z}", session)  # the day that this chain began
    out = shell(t, session, wrapper(t, verify=["--ca", site.anchors, "--ct-logs", site.log_list]))
    check(re.search(r"^outcome +accepted", out, re.M), out)


@runs("ctstub.1", r"ctstub verify -c ctstub\.conf --upstream corp ")
def verify_as(t, session):
    site = Site(t)
    shutil.copy(site.chain, t.path("new.pem"))
    t.write("ctstub.conf", f'upstream "other" {{ address = {{"192.0.2.9"}} }}\n'
            f'upstream "corp" {{ address = {{"127.0.0.1"}} ct = "off" trust-anchors = "{site.anchors}" }}\n')
    check(re.search(r"^outcome +accepted", shell(t, session, wrapper(t)), re.M), "the upstream does not take it")


@runs("ctstub.1", r"ctstub verify --ip 192\.0\.2\.1 --batch ")
def verify_batch(t, session):
    good, other = Site(t, ips=("192.0.2.1",), with_ct=True), Site(t, with_ct=True, prefix="other")
    os.makedirs(t.path("chains"))
    shutil.copy(good.chain, t.path("chains/good.pem"))
    shutil.copy(other.chain, t.path("chains/other.pem"))
    out = shell(t, session, wrapper(t, verify=["--ca", good.anchors, "--ct-logs", good.log_list]), want=1)
    equal([(v["file"], v["outcome"]) for v in map(json.loads, out.splitlines())], [("good.pem", "accepted"), ("other.pem", "refused")], "which")


def lo(*addresses):
    for address in addresses:
        done = subprocess.run(["ip", "addr", "add", address, "dev", "lo", *(["nodad"] if ":" in address else [])], stderr=subprocess.PIPE, check=False)
        check(done.returncode == 0, f"ip addr add {address}: {done.stderr.decode()}")


@runs("ctstub.1", r"ctstub probe dot://192\.0\.2\.1")
def probe(t, session):
    net.need_ipv6()
    lo("192.0.2.1/32", "2001:db8::1/128")
    site = Site(t, ips=("192.0.2.1", "2001:db8::1"), names=("dns.example",), with_ct=True)
    dot = DotServer(t, site, address="192.0.2.1", port=853)
    doh = DohServer(t, site, address="2001:db8::1", port=8443)
    out = shell(t, session, wrapper(t, probe=["--ca", site.anchors, "--ct-logs", site.log_list]))
    check(re.search(r"^outcome +accepted", out, re.M), out)
    equal((len(dot.questions), len(doh.questions)), (1, 1), "questions of the servers")


@runs("ctstub.1", r"ctstub ct-logs update && ctstub reload")
def update(t, session):
    site = Site(t, with_ct=True, prefix="lists")
    d, _ = stub(t)
    first = t.write("first.json", log_list(site.logs, utc_now()))
    conf = t.write("update.conf", f'state-dir = "{d.dir}"\ntrust {{ anchors = "{site.anchors}" }}\n')
    equal(t.run("ctstub", "ct-logs", "import", "--force", "-c", conf, first)[0], 0, "the first list")
    server = Https(t, site, log_list(site.logs, utc_now() + DAY).encode())
    out = shell(t, session, wrapper(t, ct_logs__update=["-c", conf, "--url", server.url], reload=["--socket", d.control]))
    equal((server.server.asked, d.ctl("status")["generation"]), (1, 2), f"requests and generation: {out}")


@runs("ctstub-lab.1", r"ctstub-lab run --client unbound ")
def lab_run(t, session):
    server = t.program("unbound")
    t.write("bin/unbound", f'#!/bin/sh\nLD_LIBRARY_PATH={t.servers.env().get("LD_LIBRARY_PATH", "")} exec {server} "$@"\n')
    os.chmod(t.path("bin/unbound"), 0o755)
    adapters = os.path.join(t.src, "contrib", "lab", "adapters")
    extra = ["--adapters", adapters, "--scenario", "good-v4", "--scenario", "self-signed"]
    try:
        shell(t, session, wrapper(t, run=extra), timeout=300)
    except AssertionError as failure:
        if "no namespaces" in str(failure):
            raise Skip("no namespaces for this user") from failure
        raise
    with open(t.path("unbound.html"), encoding="utf-8") as f:
        check("unbound" in f.read(), "the report does not name the client")


@runs("ctstub-lab.1", r"ctstub-lab up --detach\n")
def lab_up(t, session):
    one_lab(t)
    ports = ["--dot-port", str(net.free_port()), "--doh-port", str(net.free_port())]
    t.defer(lambda: t.run("ctstub-lab", "down"))
    check("fina-no-ct" in shell(t, session, wrapper(t, up=ports)), "the scenario is not shown")


@runs("ctstub-lab.1", r"ctstub-lab pki --at ")
def lab_pki(t, session):
    shell(t, session, wrapper(t))
    check(glob.glob(t.path("vectors/*")), "no vectors")


@runs("ctstub-watch.8", r"ctstub-watch known add ")
def watch_known(t, session):
    site = Site(t)
    server = DotServer(t, site)
    conf = t.write("ctstub.conf", f'state-dir = "{t.path("state")}"\ntrust {{ anchors = "{site.anchors}" }}\nct {{ mode = "off" }}\n'
                   f'watch {{ known-file = {{"{t.write("known.txt", "")}"}} }}\n' + upstream("cloudflare", server))
    shell(t, session, wrapper(t, known__add=["-c", conf]))
    with open(t.path("known.txt"), encoding="utf-8") as f:
        equal(len(re.findall(r"(?m)^(?:cert|spki)-sha256 ", f.read())), 3, "entries: certificate, key, issuer's key")


@runs("ctstub-watch.8", r"ctstub-watch sign ")
def watch_sign(t, session):
    t.write("disallow.txt", "serial 01 issuer CN=x\n")
    shell(t, session, wrapper(t))
    check(os.path.exists(t.path("feed.txt.minisig")), "no signature")


@runs("ctstub-watch.8", r"ctstub-watch pull ")
def watch_pull(t, session):
    """The host is not asked: that a feed is taken is test_findings' to see."""
    conf = t.write("ctstub.conf", f'state-dir = "{t.path("state")}"\n')
    os.makedirs(t.path("state"), exist_ok=True)
    shell(t, session.replace("pki.example.com", "127.0.0.1:1"), wrapper(t, pull=["-c", conf]), want=3)


@runs("ctstub-watch.8", r"watch \{")
def watch_configuration(t, block):
    site = Site(t)
    known = t.write("known.txt", "# empty")
    block = block.replace("/etc/ctstub/watched.txt", t.write("watched.txt", "192.0.2.0/24\n")).replace("/etc/ctstub/known.txt", known)
    config = t.write("ctstub.conf", f'state-dir = "{t.dir}"\ntrust {{ anchors = "{site.anchors}" }}\n{block}\n')
    code, _, err = t.run("ctstub-watch", "-t", "-c", config)
    equal(code, 0, err)


@runs("ctstub-portal.8", r"ctstub-portal -t ")
def portal_resolver(t, session):
    config = t.write("ctstub.conf", 'portal { resolver = {"192.0.2.1"} }\n')
    out = shell(t, session.replace("/etc/ctstub/ctstub.conf", config), wrapper(t))
    equal(out, "no query is sent in clear text: portal.enable is false\nresolver 192.0.2.1\n", "whom it asks")


@runs("ctstub-portal.8", r"portal \{")
def portal_switched_on(t, block):
    is_taken(t, block)


@runs("ctstub-disallow.5", r"# a certificate for 1")
def entries(t, block):
    code, out, err = t.run("ctstub", "disallow", "check", t.write("disallow.txt", block + "\n"))
    equal(code, 0, f"ctstub disallow check: {out} {err}")
    check("3 " in out, f"three entries: {out}")


@runs("ctstub-disallow.5", r"ctstub disallow import ")
def onecrl(t, session):
    issuer = "MA0xCzAJBgNVBAYTAkRF"  # C=DE
    t.write("onecrl.json", json.dumps({"data": [{"issuerName": issuer, "serialNumber": "AQ=="}]}))
    shell(t, session, wrapper(t))


@runs("ctstub.conf.5", r"(?s).*\b(upstream|listen|forward)\b")
def configuration(t, block):
    """As it stands, but for files of other machines."""
    is_taken(t, block)


def covered(t):
    """(page, example, function or None for a form); None of what no row covers."""
    found, used, bare = [], set(), []
    for page in pages(t):
        with open(os.path.join(t.src, page), encoding="utf-8") as f:
            text = f.read()
        for example in examples(text):
            name = os.path.basename(page)
            table = [(i, r[0], r[1], r[2]) for i, r in enumerate(FORMS)] + [(i + len(FORMS), *r) for i, r in enumerate(RUNS)]
            row = next(((i, what) for i, p, beginning, what in table if p == name and re.match(beginning, example)), None)
            if row is None:
                bare.append(f"{page}: {example.splitlines()[0] if example else '(empty)'}")
                continue
            used.add(row[0])
            found.append((page, example, row[1] if callable(row[1]) else None))
    stale = [f"{r[0]}: {r[1]}" for i, r in enumerate([*FORMS, *RUNS]) if i not in used]
    return found, bare, stale


@case("every example of every manual page has a row in this test, and every row an example", builds=("gcc",))
def complete(t):
    found, bare, stale = covered(t)
    check(len(found) >= 10 and not bare and not stale, f"no row: {bare}; no example: {stale}")


@case("the reader of manual pages finds sessions and blocks, and reports examples without a row", builds=("gcc",))
def reads_pages(t):
    text = ".Dl $ a \\(dqb\\(dq\n.Dl $ c\n.Pp\n.Dl no command\n.Bd -literal -offset indent\nx = \\(dqy\\e\n.Ed\n.Dl $ d"
    equal(examples(text + "\n"), ['a "b"\nc', 'x = "y\\', "d"], "examples")
    t.src = t.path("tree")
    t.write("tree/cli/new.1", text + "\n")
    _, bare, stale = covered(t)
    equal((len(bare), len(stale)), (3, len(FORMS) + len(RUNS)), "bare and stale")


@rows([(f"{page}: {function.__name__.replace('_', ' ')}", page, beginning, function, False) for page, beginning, function in RUNS
       if function is not probe])
def example_runs(t, page, beginning, function, _):
    every(t, page, beginning, function)


@rows([("ctstub.1: probe of two resolvers", "ctstub.1", r"ctstub probe ", probe)], netns=True)
def example_probes(t, page, beginning, function):
    every(t, page, beginning, function)


def every(t, page, beginning, function):
    mine = [e for p, e, f in covered(t)[0] if f is function and os.path.basename(p) == page]
    check(mine, f"{page} has no example that begins with {beginning}")
    for example in mine:
        function(t, example)

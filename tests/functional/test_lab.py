"""ctstub-lab: what it forges is checked by another implementation and judged by ctstub verify; the options and limits of the lab itself.

The scenarios over the wire are in test_lab_run.py."""
import base64
import concurrent.futures
import errno
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from functional._common import one_lab, small_disk
from harness import net, wire
from harness.case import Skip, case, check, equal, rows, until
from harness.faults import EINTR, SHORT, Faults, sample
from harness.patience import patient

SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def pki(t, *options):
    """(folder, index): everything of all scenarios."""
    folder = t.path("pki")
    code, _, err = t.run("ctstub-lab", "pki", *options, folder)
    equal(code, 0, f"exit code; {err}")
    with open(os.path.join(folder, "index.json"), encoding="utf-8") as f:
        return folder, json.load(f)


def chain_of(folder, entry):
    """The certificates as DER."""
    with open(os.path.join(folder, entry["chain"]), encoding="ascii") as f:
        blocks = f.read().split("-----BEGIN CERTIFICATE-----")[1:]
    return [base64.b64decode(b.split("-----END")[0]) for b in blocks]


def logs_of(folder):
    """log id -> (key, log)"""
    with open(os.path.join(folder, "ct-logs.json"), encoding="utf-8") as f:
        listed = json.load(f)
    found = {}
    for operator in listed["operators"]:
        for log in operator["logs"] + operator["tiled_logs"]:
            key = base64.b64decode(log["key"])
            equal(base64.b64encode(hashlib.sha256(key).digest()).decode(), log["log_id"], f"id of {log['description']}")
            found[hashlib.sha256(key).digest()] = serialization.load_der_public_key(key)
    return found


def raw_scts(leaf):
    """The SCTs of a certificate, read by the letter of RFC 6962, 3.3: [(log id, timestamp, extensions, signature)]."""
    value = leaf.extensions.get_extension_for_oid(SCT_LIST).value.public_bytes()
    check(value[0] == 0x04, "the list is not in an OCTET STRING")
    head = 2 if value[1] < 0x80 else 2 + (value[1] & 0x7F)
    data = value[head:]
    equal(struct.unpack(">H", data[:2])[0], len(data) - 2, "length of the list")
    data, found = data[2:], []
    while data:
        n = struct.unpack(">H", data[:2])[0]
        sct, data = data[2:2 + n], data[2 + n:]
        extensions = struct.unpack(">H", sct[41:43])[0]
        signature = sct[43 + extensions + 4:]
        equal(struct.unpack(">H", sct[43 + extensions + 2:43 + extensions + 4])[0], len(signature), "length of the signature")
        found.append((sct[1:33], struct.unpack(">Q", sct[33:41])[0], sct[43:43 + extensions], signature))
    return found


def signed(key, signature, data):
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        else:
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        return True
    except InvalidSignature:
        return False


def scts_good(folder, logs, chain):
    """For each SCT of the leaf whether its log signed this very certificate."""
    leaf, issuer = x509.load_der_x509_certificate(chain[0]), x509.load_der_x509_certificate(chain[1])
    spki = issuer.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    tbs = leaf.tbs_precertificate_bytes
    good = []
    for log_id, timestamp, extensions, signature in raw_scts(leaf):
        data = (b"\0\0" + struct.pack(">QH", timestamp, 1) + hashlib.sha256(spki).digest() + struct.pack(">I", len(tbs))[1:] + tbs +
                struct.pack(">H", len(extensions)) + extensions)
        good.append(log_id in logs and signed(logs[log_id], signature, data))
    return good


@case("another implementation reads, rebuilds and verifies what the lab forges")
def forger(t):
    folder, index = pki(t)
    logs, seen = logs_of(folder), 0
    for entry in index["scenarios"]:
        if entry["strict"] != "accept" or not entry["chain"]:
            continue
        chain = chain_of(folder, entry)
        if len(chain) < 2 or entry["name"] in ("good-private-ca", "good-spare-scts"):
            continue
        if entry["name"] in ("good-unordered", "good-superfluous", "good-expired-twin", "good-untrusted-twin"):
            chain = [chain[0], chain[-1]] if entry["name"] == "good-unordered" else [chain[0], chain_of(folder, index["scenarios"][0])[1]]
        good = scts_good(folder, logs, chain)
        check(len(good) >= 2 and all(good), f"{entry['name']}: SCTs {good}")
        leaf, issuer = (x509.load_der_x509_certificate(c) for c in chain[:2])
        check(signed(issuer.public_key(), leaf.signature, leaf.tbs_certificate_bytes), f"{entry['name']}: signature")
        seen += 1
    check(seen > 40, f"only {seen} scenarios were looked at")


@rows([
    ("the forger breaks the signature of exactly the SCT that it names", "sct-bad-signature", [True, False]),
    ("SCTs of another certificate do not verify", "sct-other-cert", [False, False]),
    ("SCTs over another issuer's key do not verify", "sct-other-issuer", [False, False]),
    ("SCTs with another time do not verify", "sct-other-time", [False, False]),
    ("SCTs signed as for a final certificate do not verify", "sct-x509-entry", [False, False]),
    ("an SCT with an altered leaf_index does not verify", "static-ct-altered", [True, False]),
    ("an SCT of an unlisted log cannot be verified", "unknown-log", [True, False]),
    ("the mis-issued certificate with full transparency is as good as any", "fina-full-ct", [True, True]),
])
def forger_faults(t, name, want):
    folder, index = pki(t)
    entry = next(e for e in index["scenarios"] if e["name"] == name)
    equal(scts_good(folder, logs_of(folder), chain_of(folder, entry)), want, "SCTs that verify")


@case("the same folder and time give the same bytes; another time is refused in that folder")
def reproducible(t):
    folder, _ = pki(t, "--at", "2027-01-01T00:00:00Z", "--ip", "192.0.2.1")
    before = {}
    for base, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(base, name), "rb") as f:
                before[os.path.join(base, name)] = f.read()
    pki(t, "--at", "2027-01-01T00:00:00Z", "--ip", "192.0.2.1")
    for path, content in before.items():
        with open(path, "rb") as f:
            check(f.read() == content, f"{path} has changed")
    code, _, err = t.run("ctstub-lab", "pki", "--at", "2028-01-01T00:00:00Z", folder)
    equal(code, 3, f"exit code; {err}")
    check(b"TEST ONLY" in before[os.path.join(folder, "keys", "ca-root.pem")], "keys are not marked")


def judged(t, folder, index, entry):
    """ctstub verify's verdict of one scenario: (outcome, first reason)."""
    if entry["needs_config"]:
        options = ["-c", entry["config"], "--at", index["at"]]
    else:
        options = entry["verify"]
    code, out, err = t.run("ctstub", "verify", *options, "--json", entry["chain"], cwd=folder)
    check(out, f"{entry['name']}: no verdict, {code}: {err}")
    verdict = json.loads(out)
    equal(code, 0 if verdict["outcome"] == "accepted" else 1, f"{entry['name']}: exit code")
    return verdict["outcome"], (verdict["reasons"] or [None])[0]


@rows([
    ("ctstub verify judges every scenario as it should", []),
    ("ctstub verify judges every scenario as it should at another time and address", ["--at", "2031-05-05T05:05:05Z", "--ip", "203.0.113.9",
                                                                                       "--ip", "2001:db8:9::9"]),
], timeout=300)
def offline(t, options):
    folder, index = pki(t, *options)
    wrong, seen = [], 0
    for entry in index["scenarios"]:
        if "offline" in entry["reach"]:
            seen += 1
            have, want = judged(t, folder, index, entry), (entry["outcome"], entry["reason"])
            if have != want:
                wrong.append(f"{entry['name']}: {have}, not {want}")
    check(not wrong, "; ".join(wrong))
    check(seen >= 150, f"only {seen} scenarios")


def serve(t, scenario, *options):
    """A server; (process, port, counts)."""
    counts = t.path(f"counts-{len(t.processes)}.json")  # its own: an earlier server may still write
    process = t.spawn("serve", [t.program("ctstub-lab"), "serve", scenario, "--listen", "127.0.0.1:0", "--pki", t.path("pki"),
                                "--count", counts, *options])
    process.wait_log("listening")
    port = int(process.log().split("address=127.0.0.1:")[1].split()[0])

    def read():
        with open(counts, encoding="utf-8") as f:
            return json.load(f)
    return process, port, read


@case("serve logs and counts events", needs=("kdig",))
def serve_counts(t):
    process, port, counts = serve(t, "good-v4")
    code, out, _ = t.run("kdig", "@127.0.0.1", "-p", port, f"+tls-ca={t.path('pki')}/anchors.pem", "+short", "www.example.com", "A")
    equal((code, out.strip()), (0, "198.18.%d.%d" % tuple(hashlib.sha256(b"www.example.com").digest()[:2])), "answer")
    until(lambda: counts()["questions"] == 1, 5, "the question is counted")
    equal({k: counts()[k] for k in ("connections", "handshakes", "answers")}, {"connections": 1, "handshakes": 1, "answers": 1}, "counts")
    check("name=www.example.com. type=A" in process.log(), process.log())
    process, port, counts = serve(t, "self-signed")
    t.run("kdig", "@127.0.0.1", "-p", port, f"+tls-ca={t.path('pki')}/anchors.pem", "+retry=0", "www.example.com", "A")
    until(lambda: counts()["refused"] == 1, 5, "the refusal is counted")
    equal((counts()["questions"], counts()["bytes"]), (0, 0), "questions and bytes")


@case("a DoH client without ALPN is served over HTTP/1.1, one request after another")
def old_http(t):
    process, port, counts = serve(t, "good-v4", "--doh")
    context = ssl.create_default_context(cafile=f"{t.path('pki')}/anchors.pem")
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
    for name in ("www.example.com", "other.example.com"):
        connection.request("POST", "/dns-query", wire.question(name, ident=0), {"Content-Type": "application/dns-message"})
        response = connection.getresponse()
        equal((response.status, response.getheader("content-type")), (200, "application/dns-message"), "response")
        body = response.read()
        check(body.endswith(bytes([198, 18]) + hashlib.sha256(name.encode()).digest()[:2]), f"another answer: {body!r}")
    connection.request("GET", "/elsewhere")
    equal(connection.getresponse().status, 404, "another path")
    until(lambda: counts()["questions"] == 2, 5, "two questions are counted")
    equal(counts()["connections"], 1, "connections")
    check('alpn=""' in process.log(), process.log())


@rows([("refuse: connections are refused, and nobody else gets the port", "refuse", ConnectionRefusedError),
       ("black-hole: connections are not made, and nobody else gets the port", "black-hole", TimeoutError)])
def kept_port(t, fault, error):
    process, port, _ = serve(t, "good-v4", "--fault", fault)
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        check(False, "a connection was made")
    except OSError as e:
        equal(type(e), error, "connection")
    with socket.socket() as other:
        try:
            other.bind(("127.0.0.1", port))
            check(False, "another socket got the port")
        except OSError as e:
            equal(e.errno, errno.EADDRINUSE, "bind")
    equal(process.stop(), 0, "exit code")


# ---- single failures of a server (A11)

# call, error, calls in the default run
CALLS = [("allocation", errno.ENOMEM, 5), ("accept4", errno.EMFILE, 1), ("send", errno.EPIPE, 2), ("sendmsg", errno.ENOBUFS, 1),
         ("recv", errno.ECONNRESET, 2), ("read", errno.EIO, 1), ("write", errno.ENOSPC, 2), ("rename", errno.EIO, 1), ("openat", errno.EMFILE, 1),
         ("epoll_wait", errno.EINTR, 2), ("epoll_ctl", errno.ENOMEM, 1), ("poll", errno.ENOMEM, 1), ("getrandom", errno.ENOSYS, 1)]
SERVED = bytes([198, 18]) + hashlib.sha256(b"www.example.com").digest()[:2]


def served(port, context, seconds=3):
    """A question over a new connection has its answer. False: there is none; a wrong one fails the test."""
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port), seconds)) as tls, tls.makefile("rb") as stream:
            tls.sendall(wire.frame(wire.question("www.example.com")))
            reply = stream.read(int.from_bytes(stream.read(2), "big"))
    except OSError:
        return False
    if not reply:
        return False
    check(reply.endswith(SERVED), f"another answer: {reply!r}")
    return True


def faulty_server(t):
    faults = Faults(t)
    process = t.spawn("serve", [t.program("ctstub-lab"), "serve", "good-v4", "--listen", "127.0.0.1:0", "--pki", t.path("pki"),
                                "--count", t.path("counts.json")], env=t.env(**faults.env))
    process.wait_log("listening", 30)
    port = int(process.log().split("address=127.0.0.1:")[1].split()[0])
    context = ssl.create_default_context(cafile=f"{t.path('pki')}/anchors.pem")
    context.check_hostname = False
    check(served(port, context, patient(20)), "a question before")
    return faults, process, lambda seconds=3: served(port, context, seconds)


@case("A11 any call of a server of the lab fails during a question: no wrong answer, and the next question is answered", timeout=3600)
def serve_faults(t):
    faults, process, ask = faulty_server(t)
    before = {call: faults.count(call) for call, _, _ in CALLS}
    check(ask(patient(20)), "a question while calls are counted")
    total = {call: faults.count(call) - before[call] for call, _, _ in CALLS}
    check(total["allocation"] > 0, f"calls of a question: {total}")
    for call, error, n in CALLS:
        for k in sample(t, total[call], n) if total[call] else ():
            what = f"{call} {k} of {total[call]} {errno.errorcode[error]}"
            faults.arm(call, k, error)
            ask()
            faults.disarm()
            check(process.alive(), f"{what}: it ended with {process.popen.poll()}; {process.log()[-300:]}")
            until(ask, 15, f"{what}: a question afterwards is answered; {process.log()[-300:]}")
    equal(process.stop(), 0, "exit code")


@rows([(f"A11 a server of the lab: {how}, and questions are answered", mode) for how, mode in (("every read and write is short", SHORT),
                                                                                         ("every second call is interrupted", EINTR))])
def serve_spoiled(t, mode):
    faults, _, ask = faulty_server(t)
    faults.mode(mode)
    for i in range(3):
        check(ask(patient(20)), f"question {i} is not answered")
    check(faults.hits > 0, "nothing was spoiled")


VALUES = {"status": "404", "type": "text/html"}


def one_fault(t, name, takes_value, options):
    """A server with this fault, asked once: it must live through it. What it said, when it did not."""
    fault = f"{name}={VALUES.get(name, '7')}" if takes_value else name
    server = subprocess.Popen([t.program("ctstub-lab"), "serve", "good-v4", "--listen", "127.0.0.1:0", "--pki", t.path("pki"), "--fault", fault,
                               *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=t.env())
    port = server.stdout.readline().split("address=127.0.0.1:")[-1].split()[0]
    subprocess.run([t.program("kdig"), "@127.0.0.1", "-p", port, "+https" if options else "+tls", "+short", "+retry=0", "+timeout=1",
                    "www.example.com", "A"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)
    server.terminate()
    _, err = server.communicate(timeout=60)
    return f"{fault}: {server.returncode} {err[:300]}" if server.returncode != 0 or err else None


@rows([("the lab survives every fault that it can serve over DoT", []),
       ("the lab survives every fault that it can serve over DoH", ["--doh"])], needs=("kdig",), timeout=300)
def every_fault(t, options):
    pki(t)  # so that the servers need not make its keys at once
    with open(os.path.join(t.src, "contrib", "lab", "server", "lab_faults.def"), encoding="utf-8") as f:
        faults = re.findall(r'^FAULT\(\w+, "([a-z0-9-]+)", (NULL|"[A-Z]+"),', f.read(), re.M)
    check(len(faults) > 100, f"{len(faults)} faults")
    equal([line.split()[0] for line in t.run("ctstub-lab", "faults")[1].splitlines()], [name if form == "NULL" else f'{name}={form.strip(chr(34))}' for name, form in faults], "the list of faults")
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        bad = [b for b in pool.map(lambda fault: one_fault(t, fault[0], fault[1] != "NULL", options), faults) if b]
    check(not bad, "; ".join(bad))


@rows([(f"on a full disk {words[0]} says so, with {room} KiB left", words, room) for words in (["pki"], ["logs", "--listen", "127.0.0.1:0", "--pki"])
       for room in (4, 16, 48, 56)], netns=True, builds=("gcc",))
def full_disk(t, words, room):
    folder = small_disk(t, "size=64k")
    with open(os.path.join(folder, "fill"), "wb") as f:
        f.write(bytes(1024 * (64 - room)))
    code, out, err = t.run("ctstub-lab", *words, f"{folder}/p")
    check((code, out) == (3, "") and err.startswith("ctstub-lab: ") and err.endswith(": No space left on device\n"), f"{code} {out} {err}")


@rows([
    ("a verb that does not exist", ["nonsense"]),
    ("no verb", []),
    ("an unknown scenario", ["serve", "nonsense", "--listen", "127.0.0.1:0"]),
    ("nowhere to listen", ["serve", "good-v4"]),
    ("a resolver that others could find", ["serve", "good-v4", "--listen", "0.0.0.0:0"]),
    ("a resolver that others could find, over IPv6", ["serve", "good-v6", "--listen", "[::]:0"]),
    ("logs that others could find", ["logs", "--pki", "x", "--listen", "0.0.0.0:0"]),
    ("a fault that serve does not know", ["serve", "good-v4", "--listen", "127.0.0.1:0", "--fault", "nonsense"]),
    ("a fault without its value", ["serve", "good-v4", "--listen", "127.0.0.1:0", "--fault", "status"]),
    ("a bad time", ["pki", "--at", "yesterday", "x"]),
    ("a bad address", ["pki", "--ip", "1.1.1.300", "x"]),
    ("a run without a client", ["run"]),
    ("an unknown adapter", ["run", "--client", "nonsense"]),
    ("an invalid number of jobs", ["run", "--client", "nonsense", "--jobs", "0"]),
    ("a report without results", ["report", "--html", "x.html"]),
    ("too many scenarios", ["up", "good-v4", "no-sct"]),
])
def usage(t, words):
    code, out, err = t.run("ctstub-lab", *words)
    equal(code, 2, "exit code")
    check(err and not out, f"the complaint belongs on standard error: {out!r} {err!r}")


@rows([("serve and logs listen on an address of the loopback interface", "192.0.2.1", ()),
       ("serve and logs listen on all addresses in a network namespace that is not that of process 1", "0.0.0.0", ("unshare", "--net"))],
      netns=True, builds=("gcc",))
def listens(t, address, within):
    subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)
    for verb in (["serve", "good-v4"], ["logs"]):
        process = t.spawn(verb[0], [*within, t.program("ctstub-lab"), *verb, "--listen", f"{address}:0", "--pki", t.path("pki")])
        process.wait_log(f"address={address}:")


@rows([("where it was built in the source", "", "contrib/lab/adapters"),
       ("where it was built in a folder of the source", "build/", "build/../contrib/lab/adapters"),
       ("far from any source", "far/bin/", None)], builds=("gcc",))
def finds_adapters(t, folder, want):
    """The lab takes its adapters from the source or the installation."""
    os.makedirs(t.path("contrib/lab/adapters"))
    os.makedirs(t.path(folder), exist_ok=True)
    program = shutil.copy(t.program("ctstub-lab"), t.path(folder + "ctstub-lab"))
    code, _, err = t.run(program, "run", "--client", "nonsense")
    where = err.rpartition("no such adapter in ")[2].strip()
    check(code == 2 and where == t.path(want) if want else where.endswith("/share/ctstub/lab/adapters"), f"{code}: {err}")


@case("a report has every client and scenario, as Markdown, JSON and a self-contained page")
def report(t):
    def results(client, outcome, mark):
        return json.dumps({"client": client, "version": "1 <2>", "identity": "a & b", "protocol": "dot", "date": "2026-11-21T00:00:00Z",
                           "lab": "0", "config": "<script>", "results": [
                               {"scenario": "no-sct", "group": "transparency", "impostor": "x", "strict": "refuse", "reason": "ct-no-scts",
                                "outcome": outcome, "mark": mark, "ms": 12, "rcode": 2, "ede": "", "resumed": False, "detail": "",
                                "server": {}}]})
    one, two = t.write("one.json", results("good one", "refused", "pass")), t.write("two.json", results("bad|one", "accepted", "fail"))
    code, _, err = t.run("ctstub-lab", "report", "--markdown", t.path("r.md"), "--html", t.path("r.html"), "--json", t.path("r.json"), one, two)
    equal(code, 0, f"exit code; {err}")
    with open(t.path("r.md"), encoding="utf-8") as f:
        text = f.read()
    check("| no-sct |" in text and "**accepted**" in text and "bad\\|one" in text, text[:500])
    check("\n| bad\\|one, dot | | | 1 of 1 |" in text, f"the summary has no row for each client: {text}")
    with open(t.path("r.html"), encoding="utf-8") as f:
        page = f.read()
    check("<script>" not in page and "&lt;script&gt;" in page and "a &amp; b" in page, "text is not escaped")
    check("http://" not in page and "src=" not in page and "@import" not in page, "the page wants something from outside")
    check('lang="en"' in page and "<caption" in page and 'scope="row"' in page and "prefers-color-scheme" in page and "@media print" in page,
          "the page lacks what readers need")
    with open(t.path("r.json"), encoding="utf-8") as f:
        equal(len(json.load(f)), 2, "clients in the JSON")
    many = [t.write(f"{i}.json", results(f"client-{i}", "refused", "pass")) for i in range(12)]
    equal(t.run("ctstub-lab", "report", "--html", t.path("many.html"), *many)[0], 0, "exit code of twelve")
    with open(t.path("many.html"), encoding="utf-8") as f:
        page = f.read()
    for i in range(12):  # a column of one group, on a screen and on paper; a row of the summary; its cell's label twice
        equal(page.count(f'scope="col">client-{i}, dot</th>'), 2, f"client {i} in heads of tables")
        equal(page.count(f'scope="row">client-{i}, dot</th>'), 1, f"client {i} in the summary")
        equal(page.count(f'data-label="client-{i}, dot"'), 2, f"labels of client {i}")
    equal((page.count('class="scroll screen"'), page.count('class="scroll paper"'), page.count('class="scroll"')), (1, 2, 1), "tables")
    equal(len(set(re.findall(r'<caption id="([^"]*)"', page))), 4, "captions")
    equal(page.count("Not tried."), 7, "groups without a scenario")
    code, _, err = t.run("ctstub-lab", "report", "--html", t.path("x.html"), t.write("bad.json", "[1"))
    equal((code, "bad.json" in err), (2, True), "a file that is not a report")


@rows([(f"ctstub-lab {' '.join(words)} with {n} descriptors names the lack", n, words)
       for n, words in ((4, ["up"]), (5, ["up"]), (8, ["up"]), (9, ["up"]), (5, ["serve", "good-v4", "--listen", "127.0.0.1:0"]), (6, ["serve", "good-v4", "--listen", "127.0.0.1:0"]),
                        (4, ["run", "--client", "./adapter"]))], builds=("gcc",))
def few_descriptors(t, n, words):
    """libevent ends the program in its own words when it gets none."""
    t.write("adapter", "#!/bin/sh\n")
    os.chmod(t.path("adapter"), 0o755)
    one_lab(t)
    code, out, err = t.run("/usr/bin/prlimit", f"--nofile={n}:{n}", t.program("ctstub-lab"), *words)
    check(code == 3 and err.startswith("ctstub-lab: ") and err.endswith(": Too many open files\n") and err.count("\n") == 1 and not out, f"{code}: {out}{err}")


@rows([(f"ctstub-lab up {' '.join(words)}: the ports are {dot} and {doh}", words, dot, doh) for words, dot, doh in (
    (["--cell"], 853, 443), (["--cell", "--dot-port", "9853"], 9853, 443), (["--dot-port", "9853", "--cell"], 9853, 443), (["--doh-port", "9443", "--cell"], 853, 9443))],
      builds=("gcc",))
def cell_ports(t, words, dot, doh):
    """Whatever the order of the options."""
    one_lab(t)
    code, out, err = t.run("ctstub-lab", "up", *words, env=t.env(SHELL="/bin/true"))
    if "cannot set up the namespaces" in err:
        raise Skip("no namespaces for this user")
    check(code == 0 and f"@1.1.1.1 -p {dot} +tls" in out and f"@1.1.1.1 -p {doh} +https" in out, f"{code}: {out[:600]}{err}")


@rows([(f"ctstub-lab {words[0]} names a folder that cannot be made once, with the reason", words) for words in (
    ["pki", "/proc/x"], ["serve", "good-v4", "--listen", "127.0.0.1:0", "--pki", "/proc/x"], ["logs", "--listen", "127.0.0.1:0", "--pki", "/proc/x"])], builds=("gcc",))
def folder_trouble(t, words):
    equal(t.run("ctstub-lab", *words), (3, "", "ctstub-lab: /proc/x: No such file or directory\n"), "exit code and complaint")


@case("a port that is taken: ctstub-lab up names it and the reason", builds=("gcc",))
def port_taken(t):
    one_lab(t)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, _, err = t.run("ctstub-lab", "up", "--dot-port", str(port), "--doh-port", str(net.free_port()))
    equal((code, err), (3, f"ctstub-lab: up: cannot listen on 127.0.0.1:{port}: Address already in use\n"), "exit code and complaint")


def pasted(t, said):
    """The lines for ctstubd and for unbound do what they are for."""
    line = next(words for words in said.splitlines() if words.startswith("  (echo "))
    unbound = said.split("for unbound.conf:\n")[1].split("\n\n")[0]
    for name, port in (("ctstubd", net.free_port()), ("unbound", net.free_port())):
        if name == "unbound":
            conf = t.write("unbound.conf", f"{unbound}\nserver: interface: 127.0.0.1@{port} username: '' chroot: '' directory: '{t.dir}' "
                           "pidfile: '' use-syslog: no\nremote-control: control-enable: no\n")
            t.spawn(name, [t.program("unbound"), "-d", "-c", conf], env=t.servers.env()).expect = None
        else:
            shell = line.replace("127.0.0.1:5300", f"127.0.0.1:{port}").replace("ctstubd -c", f"exec {t.program('ctstubd')} -c")
            t.spawn(name, ["sh", "-c", shell])
        until(lambda: t.run("dig", "@127.0.0.1", "-p", port, "+short", "+tries=1", "www.example.com")[1].startswith("198.18."), 20,
              f"{name} answers, pointed at the lab as it says")


@case("a lab comes up, shows another scenario, and goes down", needs=("dig",))
def up_and_down(t):
    one_lab(t)
    ports = ["--dot-port", str(net.free_port()), "--doh-port", str(net.free_port())]
    process = t.spawn("up", [t.program("ctstub-lab"), "up", *ports])
    process.wait_log("forward-addr")
    line = next(words for words in process.log().splitlines() if words.startswith("  dig ")).split()
    equal(t.run(*line, "+short", "+tries=1")[1].startswith("198.18."), True, "answered")
    pasted(t, process.log())
    code, out, _ = t.run("ctstub-lab", "switch", "self-signed")
    equal((code, out.startswith("ok self-signed")), (0, True), "switched")
    equal("198.18." in t.run(*line, "+short", "+tries=1")[1], False, "answered by the impostor")
    equal(t.run("ctstub-lab", "switch", "nonsense")[0], 2, "an unknown scenario")
    for words in ([], ["--detach"]):
        code, out, err = t.run("ctstub-lab", "up", *words)
        equal((code, out, "a lab is up already" in err), (3, "", True), f"a second lab {words}")
    equal(t.run("ctstub-lab", "switch", "good-v4")[0], 0, "switched back")
    check(t.run(*line, "+short", "+tries=1")[1].startswith("198.18."), "the second one has spoilt the first one's files")
    equal(t.run("ctstub-lab", "down")[0], 0, "down")
    check(not os.path.exists(f"/tmp/ctstub-lab-{os.geteuid()}/world"), "its files are left")
    equal(t.run("ctstub-lab", "up", "--detach", *ports)[0], 0, "up at once, detached")
    check(t.run(*line, "+short", "+tries=1")[1].startswith("198.18."), "the detached one does not answer")
    equal(t.run("ctstub-lab", "down")[0], 0, "down again")
    place = f"/tmp/ctstub-lab-{os.geteuid()}"
    early = t.spawn("early", [t.program("ctstub-lab"), "up", *ports])
    until(lambda: os.path.exists(f"{place}/control"), 10, "it has begun to come up")
    equal(early.stop(), 0, "exit code of one that was ended at once")
    check(not os.path.exists(f"{place}/control") and not os.path.exists(f"{place}/world"), "it has left files")
    equal(process.popen.wait(patient(10)), 0, "exit code")
    equal(t.run("ctstub-lab", "down")[0], 3, "down twice")
    check("by=client" in process.log() and "handshake" in process.log(), "who connected was not shown")


NOBODY = 65534


@rows([("a lab in a cell: 1.1.1.1 is the resolver, all other servers lie, and the lab is switched from inside", None),
       *([("the same for an ordinary user", NOBODY)] if os.geteuid() == 0 else [])], needs=("dig",))
def cell(t, user):
    one_lab(t)
    command, owner = [t.program("ctstub-lab"), "up", "--cell"], user or os.geteuid()
    if user:
        t.defer(lambda: shutil.rmtree(f"/tmp/ctstub-lab-{user}", ignore_errors=True))
        program = f"/tmp/ctstub-lab-test-{os.getpid()}"  # where everybody may come
        t.defer(lambda: os.unlink(program))
        shutil.copy(command[0], program)
        command = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups", program, *command[1:]]
    script = f"""dig @1.1.1.1 +tls +tls-ca=/tmp/ctstub-lab-{owner}/world-cell/anchors.pem +short +tries=1 www.example.com
dig @2606:4700:4700::1111 +tls +short +tries=1 www.example.com
dig @192.0.2.9 +short +tries=1 www.example.com
{command[-3]} switch self-signed
exit 7
"""
    code, out, err = t.run(*command, stdin=script.encode(), env=t.env(SHELL="/bin/sh"), cwd="/")
    if "no namespaces for this user" in err:
        raise Skip("no namespaces for this user")
    equal(code, 0, f"exit code; {err}")
    equal(re.findall(r"^(?:198\.18\..*|6\.6\.6\.6)$", out, re.M), ["198.18.128.252", "198.18.128.252", "6.6.6.6"], "answers")
    check("ok self-signed" in out, out)
    check(not os.path.exists(f"/tmp/ctstub-lab-{owner}/world-cell"), "its files are left")
    check(not os.path.exists(f"/tmp/ctstub-lab-{owner}/control"), "its socket is left")


@case("the report in the tree describes groups and scenarios as the lab does", builds=("gcc",))
def report_words(t):
    with open(os.path.join(t.src, "contrib", "lab", "REPORT.md"), encoding="utf-8") as f:
        report = f.read()
    shown = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.*?) \| (?:accepted|refused|either)[^|]* \|", report, re.M))
    shown.update(re.findall(r"^## ([a-z]+)\n\n(.*)$", report, re.M))
    known = {row["name"]: row["impostor"] for row in json.loads(t.run("ctstub-lab", "list", "--json")[1])}
    known.update(re.findall(r"^([a-z]+): (.*)$", t.run("ctstub-lab", "list")[1], re.M))
    both = set(shown) & set(known)  # the next run of the lab adds a new scenario
    check(len(both) > 200, f"{len(both)} descriptions in both")
    equal({name: shown[name] for name in both}, {name: known[name] for name in both}, "descriptions")


def objects(out):
    """Standard output: one JSON value, or one object per line."""
    try:
        return [json.loads(out)]
    except ValueError:
        return [json.loads(line) for line in out.splitlines()]


@rows([("faults --json is a list of names, with the form of their values", ["faults", "--json"], lambda v: "close-mid-answer" in [f["name"] for f in v] and all(f["about"] for f in v) and {f["name"]: f["value"] for f in v}["delay"] == "N"),
       ("pki --json names the index", ["pki", "--json", "world"], lambda v: len(json.load(open(v["index"], encoding="utf-8"))["scenarios"]) == v["scenarios"]),
       ("list --json is a list of scenarios", ["list", "--json"], lambda v: "good-v4" in [s["name"] for s in v])])
def json_report(t, arguments, ok):
    code, out, err = t.run("ctstub-lab", *arguments, cwd=t.dir)
    equal((code, err), (0, ""), "exit code and complaints")
    value, = objects(out)
    check(ok(value), out[:400])


@rows([("with --json: no argument", ["pki"], 2, "the command line is wrong (ctstub-lab help pki)"),
       ("with --json: an unknown option", ["faults", "--nonsense"], 2, "--nonsense: unknown option"),
       ("with --json: a second address of one family", ["pki", "--ip", "192.0.2.1", "--ip", "192.0.2.2", "world"], 2,
        "--ip 192.0.2.2: one address of each family was expected"),
       ("with --json: an invalid time", ["pki", "--at", "today", "world"], 2, "--at today: expected a time"),
       ("with --json: a folder that cannot be made", ["pki", "/proc/world"], 3, "/proc/world: "),
       ("with --json: an unknown scenario of serve", ["serve", "nobody", "--listen", "127.0.0.1:0"], 2, "nobody: no such scenario"),
       ("with --json: a fault that serve does not know", ["serve", "good-v4", "--listen", "127.0.0.1:0", "--fault", "nothing"], 2, "--fault nothing: a fault was expected"),
       ("with --json: an address that is not on loopback", ["serve", "good-v4", "--listen", "192.0.2.1:853"], 2, "--listen 192.0.2.1:853: "),
       ("with --json: no folder for logs", ["logs"], 2, "the command line is wrong (ctstub-lab help logs)"),
       ("with --json: an unknown scenario of up", ["up", "nobody"], 2, "nobody: no such scenario"),
       ("with --json: a port out of range", ["up", "--dot-port", "0"], 2, "--dot-port 0: a number from 1 to 65535 was expected"),
       ("with --json: an argument of down", ["down", "now"], 2, "the command line is wrong (ctstub-lab help down)"),
       ("with --json: no scenario to switch to", ["switch"], 2, "the command line is wrong (ctstub-lab help switch)"),
       ("with --json: a verb that does not exist", ["nonsense"], 2, "unknown verb: nonsense")])
def json_error(t, arguments, want, error):
    code, out, err = t.run("ctstub-lab", *arguments, "--json", cwd=t.dir)
    equal(code, want, err)
    value, = objects(out)
    equal((list(value), value["error"]), (["error", "errors"], value["errors"][0]), "members")
    check(value["error"].startswith(error), f"error: {value}")
    code, out, plain = t.run("ctstub-lab", *arguments, cwd=t.dir)
    equal((code, out, plain), (want, "", err), "without --json")


def knock(port):
    """A connection with TLS and a request: the lab reports one or the other."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as plain, context.wrap_socket(plain) as s:
            s.sendall(b"GET /lab/logs HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
            s.recv(1)
    except OSError:
        pass


@rows([("serve ends with code 3, and its folder is removed, when the reader of its events has gone", "serve", None),
       ("logs ends with code 3 when the reader of its events has gone", "logs", None),
       ("up ends with code 3 when the reader of its events has gone", "up", None),
       ("serve removes its folder when the terminal is closed", "serve", signal.SIGHUP)])
def reader_gone(t, verb, number):
    port = net.free_port()
    arguments = {"serve": ["good-v4", "--listen", f"127.0.0.1:{port}"], "logs": ["--pki", t.path("world"), "--listen", f"127.0.0.1:{port}"],
                 "up": ["--dot-port", str(port), "--doh-port", str(net.free_port())]}[verb]
    if verb == "up":
        one_lab(t)
    process = subprocess.Popen([t.program("ctstub-lab"), verb, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=t.env(), text=True)
    t.defer(process.kill)
    said = process.stdout.readline()
    folder = re.search(r"folder=(\S+)", said)
    until(lambda: net.answers_tcp("127.0.0.1", port), 20, "it listens")
    if number is not None:
        process.send_signal(number)
    else:
        process.stdout.close()
        until(lambda: knock(port) or process.poll() is not None, 20, "it ends")
    equal(process.wait(patient(20)), 0 if number is not None else 3, "exit code")
    equal("cannot write to standard output" in process.stderr.read(), number is None, "complained")
    if verb == "serve":
        check(not os.path.exists(folder[1]), f"{folder[1]} is left")


@case("a report whose reader has gone ends with code 3")
def report_reader_gone(t):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run([t.program("ctstub-lab"), "list"], stdout=pipe, stderr=subprocess.PIPE, env=t.env(), check=False, timeout=patient(20))
    equal((done.returncode, done.stderr), (3, b"ctstub-lab: cannot write to standard output\n"), "exit code and complaint")


@case("up, switch and down print only JSON with --json")
def json_up(t):
    one_lab(t)
    ports = ["--dot-port", str(net.free_port()), "--doh-port", str(net.free_port())]
    code, out, _ = t.run("ctstub-lab", "down", "--json")
    equal((code, list(objects(out)[0])), (3, ["error", "errors"]), "down without a lab")
    code, out, _ = t.run("ctstub-lab", "up", "--json", "--detach", *ports)
    equal(code, 0, out)
    value, = objects(out)
    t.defer(lambda: t.run("ctstub-lab", "down"))
    code, out, _ = t.run("ctstub-lab", "switch", "nobody", "--json")
    equal((code, objects(out)[0]["error"]), (2, "nobody: no such scenario"), "switch to nothing")
    code, out, _ = t.run("ctstub-lab", "switch", "--json", "self-signed")
    equal((code, objects(out)), (0, [{"ok": True, "scenario": "self-signed"}]), "switch")
    with open(value["events"], encoding="utf-8") as f:
        events = objects(f.read())
    shown = [e for e in events if e["event"] == "scenario"]
    equal([e["name"] for e in shown], ["good-v4", "self-signed"], "scenarios shown")
    check(os.path.exists(shown[1]["conf"]) and os.path.exists(shown[1]["chain"]), f"files: {shown[1]}")
    code, out, _ = t.run("ctstub-lab", "down", "--json")
    equal((code, objects(out)), (0, [{"ok": True}]), "down")


@rows([("list of a pattern that no scenario matches is a usage error that names it", ["nothing-*"], (2, "")),
       ("list --json of a pattern that no scenario matches prints an empty list as well", ["--json", "nothing-*"], (2, "[]")),
       ("list of a pattern prints the scenarios that match", ["good-v4"], (0, None))])
def list_some(t, options, want):
    code, out, err = t.run("ctstub-lab", "list", *options)
    equal((code, out.strip() if want[1] is not None else None), want, f"exit code and output; {out}{err}")
    equal("nothing-*: no such scenario" in err, code == 2, f"standard error: {err}")
    equal("good-v4 " in out, code == 0, f"output: {out}")

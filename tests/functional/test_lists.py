"""ctstub ct-logs and disallow: lists are shown, checked, installed and refused."""
import gzip
import io
import json
import os
import zipfile

from functional._common import Https
from harness.case import case, check, equal, rows
from harness.daemon import Daemon
from harness.minisign import Minisign
from harness.pki import DAY, Log, Site, log_list, utc_now
from harness.web import HttpProxy

LOGS = [Log(f"Log {i}", f"Operator {i % 2}") for i in range(6)]


def config(t, site=None):
    os.makedirs(t.path("state"), exist_ok=True)
    anchors = f'trust {{ anchors = "{site.anchors}" }}' if site else ""
    return t.write("c.conf", f'state-dir = "{t.path("state")}"\n{anchors}\n')


def import_list(t, logs, when, *options):
    file = t.write("new.json", log_list(logs, when))
    return t.run("ctstub", "ct-logs", "import", "--json", "-c", config(t), *options, file)


def begin(t):
    """A list of ours in state-dir, newer than the one compiled in."""
    code, out, err = import_list(t, LOGS, utc_now(), "--force")
    equal(code, 0, f"exit code of the first import ({out} {err})")


def in_effect(t):
    code, out, _ = t.run("ctstub", "ct-logs", "show", "--json", "-c", config(t))
    equal(code, 0, "exit code of show")
    return json.loads(out)


@case("show prints the compiled-in list, with its date and its logs")
def show(t):
    shown = in_effect(t)
    equal(shown["from"], "compiled in", "from")
    equal(shown["count"], len(shown["logs"]), "count")
    check(shown["count"] > 50, "the list compiled in is small")
    code, out, _ = t.run("ctstub", "ct-logs", "show", "-c", config(t))
    check(code == 0 and "days old" in out, f"text: {out[-200:]}")
    gone = [log["description"] for log in shown["logs"] if f" {log['description']} ({log['operator']})" not in out]
    check(not gone, f"logs without name and operator in the text: {gone}")


@case("import installs a newer list, which takes effect")
def newer(t):
    begin(t)
    shown = in_effect(t)
    equal((shown["from"], shown["count"]), (t.path("state/ct-logs.json"), 6), "list in effect")


@case("import says which list is in effect afterwards", builds=("gcc",))
def effect_of_import(t):
    def written(conf, when):
        code, out, err = t.run("ctstub", "ct-logs", "import", "--force", "-c", conf, t.write("new.json", log_list(LOGS, when)))
        equal(code, 0, err)
        return out.splitlines()[-1]
    file, units, named = t.path("state/ct-logs.json"), t.path("state/ct-logs/ct-logs.json"), t.write("named.json", log_list(LOGS, utc_now()))
    conf = config(t)
    equal(written(conf, utc_now() - 4000 * DAY), f"written to {file}; another list stays in effect: compiled in", "older than the list compiled in")
    equal(written(conf, utc_now()), f"written to {file}; a running daemon uses it after its next reload", "newer")
    os.makedirs(os.path.dirname(units))
    t.write("state/ct-logs/ct-logs.json", log_list(LOGS, utc_now() + DAY / 4))
    equal(written(conf, utc_now()), f"written to {file}; another list stays in effect: {units}", "older than the unit's list")
    with open(conf, "a", encoding="utf-8") as f:
        f.write(f'ct {{ log-list = "{named}" }}\n')
    equal(written(conf, utc_now() + DAY / 2), f"written to {file}; another list stays in effect: {named}", "with log-list")


@rows([("the unit's folder has the newer list", 1, 2, "state/ct-logs/ct-logs.json"), ("state-dir has the newer list", 2, 1, "state/ct-logs.json"),
       ("the unit's folder alone has a list", None, 1, "state/ct-logs/ct-logs.json"), ("both are older than the compiled-in list", -4000, -4000, None)])
def two_folders(t, own, units, used):
    """ctstub-ct-logs.service writes to a folder of its own in state-dir."""
    os.makedirs(t.path("state/ct-logs"))
    for days, folder in ((own, "state"), (units, "state/ct-logs")):
        if days is not None:
            code, out, err = import_list(t, LOGS, utc_now() + days * DAY, "--force", "--state-dir", t.path(folder))
            equal(code, 0, f"import into {folder} ({out} {err})")
    equal(in_effect(t)["from"], t.path(used) if used else "compiled in", "list in effect")


def cut(path):
    os.truncate(path, 100)


@rows([(f"a reload is refused when the stored list of logs {what}", damage) for what, damage in (
    ("is cut short", cut), ("is made writable for others", lambda path: os.chmod(path, 0o666)),
    ("becomes a folder", lambda path: (os.unlink(path), os.mkdir(path))))])
def kept(t, damage):
    """A reload goes back to the older list that is compiled in only if somebody took the stored one away."""
    begin(t)
    path = t.path("state/ct-logs.json")
    with open(path, "rb") as f:
        good = f.read()
    d = Daemon(t, 'upstream "nobody" { address = {"127.0.0.1"} port = 1 }', ct=None, state_dir=t.path("state"))
    damage(path)
    code, out, err = t.run("ctstub", "reload", "--socket", d.control)
    check(code != 0 and "ct-logs.json" in err and "newer" in err, f"{code} {out}{err}")
    code, out, err = t.run("ctstub", "status", "--json", "--socket", d.control)
    equal(json.loads(out)["log_list"]["from"], path, "the list in effect after the refused reload")
    if os.path.isdir(path):
        os.rmdir(path)
    for left in (good, None):
        if left is None:
            os.unlink(path)
        else:
            with open(path, "wb") as f:
                f.write(left)
            os.chmod(path, 0o644)
        equal(t.run("ctstub", "reload", "--socket", d.control)[0], 0, "a reload once it is whole, or gone")
    code, out, err = t.run("ctstub", "status", "--json", "--socket", d.control)
    equal(json.loads(out)["log_list"]["from"], "compiled in", "the list in effect when nothing is stored")


@rows([
    ("a list that is older", lambda: (LOGS, utc_now() - DAY), "older"),
    ("a list that loses more than a third", lambda: (LOGS[:3], utc_now() + DAY), "third"),
    ("a list that is dated two days in the future", lambda: (LOGS, utc_now() + 2 * DAY), "in the future"),
    ("a list with a new operator", lambda: (LOGS + [Log("New", "Newcomer")], utc_now() + DAY), "operator"),
])
def forced(t, make, word):
    begin(t)
    with open(t.path("state/ct-logs.json"), "rb") as f:
        before = f.read()
    code, out, _ = import_list(t, *make())
    report = json.loads(out)
    equal((code, report["taken"]), (1, False), "exit code and taken")
    check(word in report["objection"], f"objection: {report['objection']}")
    with open(t.path("state/ct-logs.json"), "rb") as f:
        equal(f.read(), before, "the stored list")
    code, out, _ = import_list(t, *make(), "--force")
    equal((code, json.loads(out)["taken"]), (0, True), "exit code and taken with --force")


@case("import needs no --force for a list of the same operators, and shows the difference")
def difference(t):
    begin(t)
    code, out, _ = import_list(t, LOGS[:5] + [Log("Log 7", "Operator 1")], utc_now() + DAY)
    report = json.loads(out)
    equal(code, 0, "exit code")
    equal((report["added"], report["removed"], report["new_operators"]), (1, 1, 0), "added, removed, new operators")
    check("Log 7" in report["difference"], f"difference: {report['difference']}")


@rows([
    ("a broken list", "{", 2),
    ("no log whose id is that of its key", log_list(LOGS[:1]).replace(json.loads(log_list(LOGS[:1]))["operators"][0]["logs"][0]["log_id"],
                                                                       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), 2),
    ("G07 nesting of 10,000", "[" * 10000, 2),
])
def broken(t, text, code):
    file = t.write("bad.json", text)
    begin(t)
    for verb in ("check", "import"):
        have, out, err = t.run("ctstub", "ct-logs", verb, file)
        equal(have, code, f"exit code of {verb}")
        check(err and not out, "the complaint belongs on standard error")
    equal(in_effect(t)["count"], 6, "the last good list stays")


@case("G07 a list of 100 MB is refused for its size")
def huge(t):
    with open(t.path("huge.json"), "wb") as f:
        f.truncate(100 * 1024 * 1024)
    code, _, err = t.run("ctstub", "ct-logs", "check", t.path("huge.json"))
    check(code == 3 and "larger" in err, f"{code}: {err}")


def update(t, site, server, *options, env=None):
    """With the site's own logs as the list in effect, the server's SCTs can count."""
    first = t.write("first.json", log_list(site.logs, utc_now()))
    equal(t.run("ctstub", "ct-logs", "import", "--force", "-c", config(t, site), first)[0], 0, "exit code of the first import")
    return t.run("ctstub", "ct-logs", "update", "--json", "-c", config(t, site), "--url", server.url, *options, env=env)


@case("update fetches a list from a server with a good certificate")
def fetched(t):
    site = Site(t, with_ct=True)
    server = Https(t, site, log_list(site.logs, utc_now() + DAY).encode())
    code, out, err = update(t, site, server)
    equal(code, 0, f"exit code ({out} {err})")
    equal(json.loads(out)["taken"], True, "taken")


@case("ct-logs check shows names in other languages as they are")
def names_in_other_languages(t):
    with open(Site(t, with_ct=True).log_list, encoding="utf-8") as f:
        logs = json.load(f)
    logs["operators"][0]["name"] = "B\u00fcro"
    code, out, err = t.run("ctstub", "ct-logs", "check", t.write("named.json", json.dumps(logs)))
    check(code == 0 and "(B\u00fcro)" in out, f"{code} {out}{err}")


@case("update refuses a server whose certificate was never logged")
def not_logged(t):
    site = Site(t)
    server = Https(t, site, log_list(site.logs, utc_now() + DAY).encode())
    code, out, err = update(t, site, server)
    equal((code, json.loads(out)["reasons"]), (1, ["ct-no-scts"]), f"exit code and reasons ({err})")


@rows([("update goes through the proxy that https_proxy names", "127.0.0.1", 0),
       ("through a proxy a server with the certificate of another address is refused as well", "192.0.2.1", 1)])
def through_a_proxy(t, address, code):
    site = Site(t, ips=(address,), with_ct=True)
    server = Https(t, site, log_list(site.logs, utc_now() + DAY).encode())
    proxy = HttpProxy(t)
    have, out, err = update(t, site, server, env=t.env(https_proxy=proxy.url))
    equal((have, len(proxy.asked)), (code, 1), f"exit code, and connections through the proxy ({out} {err})")
    check(code == 0 or json.loads(out)["reasons"] == ["ip-mismatch"], f"reasons: {out}")


@case("update refuses a server with the certificate of another address")
def other_address(t):
    site = Site(t, ips=("192.0.2.1",), with_ct=True)
    server = Https(t, site, log_list(site.logs, utc_now() + DAY).encode())
    code, out, err = update(t, site, server)
    equal((code, json.loads(out)["reasons"]), (1, ["ip-mismatch"]), f"exit code and reasons ({err})")


@rows([("a redirect is not followed", 302, b"", 3), ("an error page is no list", 404, b"{}", 3),
       ("an answer that is no list changes nothing", 200, b"<html>", 3)])
def bad_answers(t, status, content, code):
    site = Site(t, with_ct=True)
    server = Https(t, site, content, status)
    have, out, err = update(t, site, server)
    equal(have, code, f"exit code ({out} {err})")
    equal(server.server.asked, 1, "requests")
    equal(in_effect(t)["count"], 3, "the list that was there")


@rows([("http", "http://127.0.0.1:9/"), ("a file", "file:///etc/passwd"), ("a user in the URL", "https://a:b@127.0.0.1:9/")])
def urls(t, url):
    code, _, err = t.run("ctstub", "ct-logs", "update", "-c", config(t), "--url", url)
    check(code == 2 and "https" in err, f"{code}: {err}")


@case("disallow check prints the number of entries, or the wrong line")
def disallow_check(t):
    good = t.write("good", "# x\nissuer CN=a\n\ncert-sha256 " + "00" * 32 + "\n")
    code, out, _ = t.run("ctstub", "disallow", "check", "--json", good)
    report = json.loads(out)
    equal((code, report["ok"], report["entries"]), (0, True, 2), "exit code, ok and entries")
    bad = t.write("bad", "# x\nissuer CN=a\nserial 1\n")
    code, out, err = t.run("ctstub", "disallow", "check", bad)
    check(code == 2 and not out and err.startswith(f"ctstub disallow: {bad}:3: "), f"{code}: {err}")
    code, _, _ = t.run("ctstub", "disallow", "check", "/nowhere")
    equal(code, 3, "exit code of a missing file")


def compressed(content):
    """A list in the forms in which lists are offered, and what a reader says of each."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("list", content)
    return [("a ZIP archive", archive.getvalue(), "a ZIP archive; unpack it first"),
            ("gzip", gzip.compress(content), "compressed with gzip; decompress it first"),
            ("UTF-16", content.decode().encode("utf-16"), "text in UTF-16; convert it to UTF-8 first")]


ENTRY = "cert-sha256 " + "ab" * 32
READERS = {  # of each list: what it holds, and the configuration that names it or the command
    "a disallow file": (ENTRY, 'trust {{ disallow-file = {{"{}"}} }}'),
    "a disallow file, to check": (ENTRY, ("disallow", "check")),
    "a constraints file": (ENTRY + " distrusted-since 2025-01-01T00:00:00Z", 'trust {{ constraints-file = {{"{}"}} }}'),
    "a filter list": ("bad.example.com", 'filter {{ list-file = {{"{}"}} }}'),
    "a file of anchors": ("-----BEGIN CERTIFICATE-----", 'trust {{ anchors = "{}" }}'),
    "a CRL": ("-----BEGIN X509 CRL-----", 'upstream "one" {{ address = {{"192.0.2.1"}} crl-file = {{"{}"}} }}'),
    "a list of logs": ("{}", 'ct {{ log-list = "{}" }}'),
    "a list of logs, to check": ("{}", ("ct-logs", "check")),
    "OneCRL": ("{}", ("disallow", "import", "--onecrl")),
}


@rows([(f"{what} in the form of {form} is an error that says so", what, content, says) for what in READERS
       for form, content, says in compressed((READERS[what][0] + "\n").encode())], builds=("gcc",))
def not_text(t, what, content, says):
    file, how = t.write("list", content), READERS[what][1]
    if isinstance(how, tuple):
        code, out, err = t.run("ctstub", *how, file)
    else:
        code, out, err = t.run("ctstubd", "-t", "-c", t.write("c.conf", 'state-dir = ""\n' + how.format(file)))
    check(code == 2 and not out and f"{file}: {says}\n" in err, f"{code}: {out}{err}")


ODD_LINES = [
    ("lines that end in CR LF", "{}\r\n", 1), ("a byte order mark", "\ufeff{}\n", None), ("a byte order mark before a comment", "\ufeff# a\n{}\n", None),
    ("tabs for spaces", "\t{}\t\n", 1), ("a comment after a space", "{} # a\n", 1), ("a comment after a tab", "{}\t#a\n", 1),
    ("an indented comment", "  # a\n{}\n", 1), ("no end of the last line", "{}", 1), ("a long comment", "#" + "x" * 100000 + "\n{}\n", 1),
    ("Latin-1 in a comment", "# caf\udce9\n{}\n", 1), ("nothing", "", 0), ("a byte order mark alone", "\ufeff", None),
    ("a comment without a space before it", "{}#a\n", None), ("a NUL", "{}\0\n", None), ("lines that end in CR", "{}\r{}\r", None),
    ("a long line", "{}" + " " * 100000 + "\n", None), ("the DOS end of a file", "{}\n\x1a", None),
    ("a byte order mark in the second line", "\n\ufeff{}\n", None),
]


@rows([(f"{what} in a disallow file: check and the daemon agree", text, entries) for what, text, entries in ODD_LINES], builds=("gcc",))
def odd_lines(t, text, entries):
    file = t.write("list", text.replace("{}", ENTRY).encode("utf-8", "surrogateescape"))
    code, out, err = t.run("ctstub", "disallow", "check", "--json", file)
    conf = t.write("c.conf", f'state-dir = ""\ntrust {{ disallow-file = {{"{file}"}} }}\n')
    equal((code, json.loads(out)["entries"], t.run("ctstubd", "-t", "-c", conf)[0]), (2, 0, 2) if entries is None else (0, entries, 0),
          f"check, entries and -t: {err}")


@case("OneCRL imports as a valid disallow file")
def onecrl(t):
    records = {"data": [
        {"issuerName": "MAsxCTAHBgNVBAMMAA==", "serialNumber": "AQ==", "enabled": True},
        {"subject": "MA0xCzAJBgNVBAMMAkNB", "pubKeyHash": "A" * 43 + "=", "enabled": True}]}
    source = t.write("onecrl.json", json.dumps(records))
    code, out, err = t.run("ctstub", "disallow", "import", "--onecrl", source)
    equal(code, 0, f"exit code ({err})")
    file = t.write("list", out)
    equal(t.run("ctstub", "disallow", "check", file)[0], 0, "exit code of check")
    code, out, _ = t.run("ctstub", "disallow", "import", "--onecrl", source, "-o", t.path("list2"), "--json")
    equal(code, 0, "exit code with -o")
    with open(t.path("list2"), encoding="utf-8") as a, open(file, encoding="utf-8") as b:
        equal(a.read(), b.read(), "the file")


@case("malformed OneCRL is refused")
def bad_onecrl(t):
    source = t.write("onecrl.json", '{"data": 1}')
    code, out, err = t.run("ctstub", "disallow", "import", "--onecrl", source)
    check(code == 2 and err and not out, f"{code}: {err}")


def from_mirror(t, logs, when, signer="own", change=None, options=()):
    """An update with a mirror and no other source that can be reached."""
    site, own = Site(t, with_ct=True), Minisign()
    data = log_list(logs or site.logs, when).encode()
    signature = {"own": own, "other": Minisign()}[signer].sign(data)
    if change:
        data = change(data)
    server = Https(t, site, {"/list.json": data, "/list.json.minisig": signature})
    first = t.write("first.json", log_list(site.logs, utc_now()))
    path = config(t, site)
    equal(t.run("ctstub", "ct-logs", "import", "--force", "-c", path, first)[0], 0, "exit code of the first import")
    with open(path, "a", encoding="utf-8") as f:
        f.write(f'ct {{ list-url = "{server.url}.json" list-key = "{t.write("key.pub", own.public())}" }}\n')
    code, out, err = t.run("ctstub", "ct-logs", "update", "-c", path, *options)
    with open(t.path("state/ct-logs.json"), "rb") as f:
        return code, out, err, f.read()


@case("the signed list of a mirror is installed while the public sources are away")
def mirror(t):
    code, out, err, _ = from_mirror(t, None, utc_now() + DAY)
    check(code == 0 and "from mirror" in out, f"{code} {out} {err}")
    check("mozilla-git: " in err and "mozilla-hg: " in err, f"what became of the others: {err}")


@rows([
    ("the list of a mirror signed by another key is not installed", {"signer": "other"}, "mirror: "),
    ("the list of a mirror that was changed after it was signed is not installed", {"change": lambda data: data.replace(b"Alpha 1", b"Omega 1")}, "mirror: "),
    ("the list of a mirror that is older than the list in effect is not installed", {"when": -DAY}, "older"),
    ("the list of a mirror that has other logs is not installed", {"logs": LOGS}, "third"),
])
def mirror_refused(t, how, says):
    when = utc_now() + how.pop("when", DAY)
    code, _, err, stored = from_mirror(t, how.pop("logs", None), when, **how)
    check(code == 1 and says in err, f"{code} {err}")
    check(b"Omega" not in stored and b"Operator 0" not in stored, "the stored list changed")


@case("an update that a guard refuses is a failure in JSON as well, although its exit code is 1, with what became of each source")
def refused_in_json(t):
    code, out, _, _ = from_mirror(t, LOGS, utc_now() + DAY, options=("--json",))
    says = "no source gave a list that may be installed (--force installs one that was refused only for its date, its missing logs or a new operator)"
    report = json.loads(out)
    equal((code, report["error"], report["errors"][0]), (1, says, says), "exit code and report")
    equal([line.split(": ")[0] for line in report["errors"][1:]], ["mirror", "mozilla-git", "mozilla-hg"], f"a line for each source: {report}")


@case("a file is a source too, and the newest of several wins")
def newest(t):
    begin(t)
    path = config(t)
    file = t.write("mirror.json", log_list(LOGS, utc_now() + DAY))
    with open(path, "a", encoding="utf-8") as f:
        f.write(f'ct {{ list-url = "{file}" }}\n')
    code, out, err = t.run("ctstub", "ct-logs", "update", "-c", path)
    check(code == 0 and "from mirror" in out, f"{code} {out} {err}")


@rows([
    ("a mirror on the network without a key", 'list-url = "https://lists.test/l.json"', "list-key"),
    ("a mirror in clear text", 'list-url = "http://lists.test/l.json"', "an https URL"),
], builds=("gcc",))
def mirror_config(t, option, says):
    code, _, err = t.run("ctstubd", "-t", "-c", t.write("m.conf", f"ct {{ {option} }}\n"))
    check(code == 2 and says in err, f"{code} {err}")


@case("a list so old that every certificate is refused is renewed all the same")
def old_is_renewed(t):
    site = Site(t, with_ct=True)
    server = Https(t, site, log_list(site.logs, utc_now()).encode())
    path = config(t, site)
    first = t.write("old.json", log_list(site.logs, utc_now() - 1095 * DAY))
    equal(t.run("ctstub", "ct-logs", "import", "--force", "-c", path, first)[0], 0, "exit code of the first import")
    with open(path, "a", encoding="utf-8") as f:
        f.write(f'ct {{ when-stale = "refuse" log-list = "{t.path("state/ct-logs.json")}" }}\n')
    code, out, _ = t.run("ctstub", "verify", "--json", "-c", path, "--ip", "127.0.0.1", site.chain)
    equal((code, json.loads(out)["reasons"]), (1, ["ct-list-stale"]), "what the old list does")
    code, out, err = t.run("ctstub", "ct-logs", "update", "--force", "--json", "-c", path, "--url", server.url)
    equal((code, json.loads(out)["taken"]), (0, True), f"update {err}")
    equal(t.run("ctstub", "verify", "-c", path, "--ip", "127.0.0.1", site.chain)[0], 0, "verdict with the new list")


# ---- an adversary in the place of a source: what it gives, and what becomes of it

def newest_of(site, **change):
    return log_list(change.get("logs", site.logs), utc_now() + change.get("age", DAY)).encode()


def signed_before(site, key):
    """A list that the organisation did sign once: an old one."""
    data = newest_of(site, age=-20 * DAY)
    return {"/list.json": data, "/list.json.minisig": key.sign(data)}


def signature_of_another_list(site, key):
    return {"/list.json": newest_of(site), "/list.json.minisig": key.sign(newest_of(site, age=-DAY))}


def no_signature(site, key):
    return {"/list.json": newest_of(site)}


def huge_list(site, key):
    return {"/list.json": b" " * (9 * 1024 * 1024), "/list.json.minisig": key.sign(b"")}


def huge_signature(site, key):
    return {"/list.json": newest_of(site), "/list.json.minisig": b"x" * 100000}


def frozen(site, key):
    """The very list that is in effect, for ever."""
    with open(site.in_effect, "rb") as f:
        data = f.read()
    return {"/list.json": data, "/list.json.minisig": key.sign(data)}


def of(**change):
    def make(site, key):
        data = newest_of(site, **{k: v(site) if callable(v) else v for k, v in change.items()})
        return {"/list.json": data, "/list.json.minisig": key.sign(data)}
    return make


@rows([
    ("a list that was signed long ago is older than the one in effect", signed_before, {}, 1, "older"),
    ("a signature of another list does not verify", signature_of_another_list, {}, 1, "signature"),
    ("a list without its signature is not taken", no_signature, {}, 3, "minisig"),
    ("an endless list is given up at 8 MiB", huge_list, {}, 3, "too large"),
    ("an endless signature is given up", huge_signature, {}, 3, "too large"),
    ("a list dated in the coming year is refused", of(age=365 * DAY), {}, 1, "in the future"),
    ("half the logs are too few", of(logs=lambda site: site.logs[:1]), {}, 1, "third"),
    ("a new operator needs a person", of(logs=lambda site: site.logs + [Log("Omega", "Omega")]), {}, 1, "operator"),
    ("a server with the certificate of another address is refused", of(), {"ips": ["192.0.2.1"]}, 1, "ip-mismatch"),
    ("a server whose certificate has expired is refused", of(), {"not_before": utc_now() - 20 * DAY, "not_after": utc_now() - DAY}, 1, "expired"),
    ("a server whose certificate was never logged is refused", of(), {"with_ct": False}, 1, "ct-no-scts"),
    ("the same list for ever changes nothing, and its age is warned of elsewhere", frozen, {}, 0, "0 added, 0 removed"),
    ("a good list is taken", of(), {}, 0, "from mirror"),
], builds=("gcc",))
def adversary(t, give, site, code, says):
    site = Site(t, **{"with_ct": True, **site})
    key = Minisign()
    path = config(t, site)
    first = t.write("first.json", log_list(site.logs, utc_now()))
    equal(t.run("ctstub", "ct-logs", "import", "--force", "-c", path, first)[0], 0, "exit code of the first import")
    site.in_effect = t.path("state/ct-logs.json")
    with open(site.in_effect, "rb") as f:
        before = f.read()
    server = Https(t, site, give(site, key))
    with open(path, "a", encoding="utf-8") as f:
        f.write(f'ct {{ list-url = "{server.url}.json" list-key = "{t.write("key.pub", key.public())}" }}\n')
    have, out, err = t.run("ctstub", "ct-logs", "update", "-c", path)
    check(have == code and says in out + err, f"{have} {out} {err}")
    with open(site.in_effect, "rb") as f:
        equal(f.read() == before, code != 0 or give is frozen, "the list in effect is the one before")


@rows([
    ("a list of today is younger than a day", ["--older-than", "1d"], 0, "young enough"),
    ("a list of today is younger than a day, in JSON", ["--older-than", "1d", "--json"], 0, '"taken":false'),
    ("--older-than with a text that is not an age", ["--older-than", "soon"], 2, "an age like 7d"),
], builds=("gcc",))
def older_than(t, options, code, says):
    begin(t)
    have, out, err = t.run("ctstub", "ct-logs", "update", "-c", config(t), *options)
    check(have == code and says in out + err, f"{have} {out} {err}")

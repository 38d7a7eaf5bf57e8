"""The Debian packages: built, looked at, and lived with in a booted Debian."""
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import urllib.request

from harness.case import Skip, check, equal, until
from harness.container import Container, debian_root, own_suite
from harness.machines import differences, files_of
from harness.outside import network_of
from harness.roots import Sources, debootstrap, extended

TOP = os.environ.get("CTSTUB_TOP") or os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDERS = ("/etc", "/usr/lib/systemd/system", "/lib/systemd/system", "/usr/lib/sysusers.d", "/usr/bin", "/usr/sbin", "/usr/libexec", "/var/lib")
# What dpkg, apt and systemd keep for themselves.
OURS_NOT = ("/var/lib/dpkg", "/var/lib/apt", "/var/lib/systemd/deb-systemd", "/var/lib/systemd/catalog", "/var/lib/systemd/random-seed", "/etc/resolv.conf", "/etc/mtab", "/etc/hostname")
BUILD_TOOLS = ("build-essential", "debhelper", "ca-certificates", "lintian")
LAB_PORT, LOGS_PORT = 8853, 9443


# ---- building

def build(out, temporary):
    """The packages, built from a copy of the tree: {file name: SHA-256 of a .deb}."""
    os.makedirs(temporary, exist_ok=True)
    done = subprocess.run([os.path.join(TOP, "contrib", "debian", "build"), "--out", out], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=dict(os.environ, TMPDIR=temporary), check=False)
    check(done.returncode == 0, done.stdout.decode(errors="replace")[-1500:])
    return sums(out)


def sums(out):
    found = {}
    for name in sorted(os.listdir(out)):
        if name.endswith(".deb"):
            with open(os.path.join(out, name), "rb") as f:
                found[name] = hashlib.sha256(f.read()).hexdigest()
    return found


def twice(t, out):
    """Built in two folders whose paths have other lengths."""
    first, second = build(out, t.path("xxx")), build(t.path("second"), t.path("x" * 17))
    check(first == second, f"not the same bytes: {[f for f in first if first[f] != second.get(f)]}")


def needed_to_build():
    with open(os.path.join(TOP, "contrib", "debian", "control"), encoding="utf-8") as f:
        field = re.search(r"^Build-Depends:((?:.*\n(?= ))*.*)\n", f.read(), re.M).group(1)
    return [name for name in re.findall(r"[a-z0-9][a-z0-9.+-]+(?= *(?:,|\(|<|$))", field, re.M) if name != "debhelper-compat"]


def build_root(t, suite):
    t.program("debootstrap")
    base = os.path.join(os.path.dirname(t.build), "roots")
    needed = (*BUILD_TOOLS, *needed_to_build())
    return extended(debootstrap(suite, base, ["ca-certificates"], "small-" + suite), base, "build-" + suite, needed)


def in_root(t, root, out, script):
    """Runs a script in that root, with the folder of the packages as /srv/out."""
    command = [t.program("systemd-nspawn"), "-q", "-D", root, "--register=no", "--keep-unit", "--private-network", f"--machine=ctstub-build-{os.getpid()}",
               "--bind=" + out + ":/srv/out", "--setenv=LANG=C.UTF-8", "/bin/sh", "-c", script]
    os.makedirs(out, exist_ok=True)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, done.stdout.decode(errors="replace")[-1500:])


def build_in(t, suite, out):
    """Built in a root of another release."""
    root = build_root(t, suite)
    Sources(TOP, root).copy_files()
    in_root(t, root, out, "cd /srv/ctstub && rm -f /srv/out/* && contrib/debian/build --out /srv/out")


def lint_in(t, suite, out):
    """Looked at by the lintian of that release."""
    in_root(t, build_root(t, suite), out, "cd /srv/out && lintian --color never --allow-root --fail-on error,warning *.changes")


def lint(out):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", *(os.path.join(out, f) for f in os.listdir(out)
                           if f.endswith(".changes"))], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, done.stdout.decode()[:2000])


# ---- living

class Machine:
    """A booted Debian with the packages in /root."""

    def __init__(self, t, suite, out, only=("ctstub", "ctstub-lab", "ctstub-watch"), more=()):
        self.root = debian_root(t, suite, more)
        t.defer(lambda: shutil.rmtree(self.root, ignore_errors=True))
        self.packages = []
        for name in sorted(os.listdir(out)):
            if name.endswith(".deb") and name.partition("_")[0] in only:
                shutil.copy(os.path.join(out, name), f"{self.root}/root/{name}")
                self.packages.append("/root/" + name)
        check(len(self.packages) == len(only), f"packages: {self.packages}")
        self.box = Container(t, self.root)

    def files(self):
        return {p: v for p, v in files_of(self.box, FOLDERS).items() if not p.startswith(OURS_NOT)}

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w", encoding="utf-8") as f:
            f.write(text)

    def dpkg(self, option, *names):
        return self.box.must("dpkg", option, *names, seconds=180)


def answers(box):
    for words in (("@127.0.0.1",), ("@127.0.0.1", "+tcp"), ("@::1",)):
        until(lambda words=words: "status: NOERROR" in box.run("dig", "+tries=1", "+time=3", "localhost", *words)[1], 20,
              f"localhost is answered on {' '.join(words)}; {box.journal('ctstubd')[-800:]}")


def units_are_well(box, *units):
    for unit in units:
        until(lambda unit=unit: box.state(unit) == "active", 20, f"{unit} is active: {box.journal(unit)[-800:]}")
    failed = box.must("systemctl", "--failed", "--plain", "--no-legend")
    check("ctstub" not in failed, f"failed units: {failed}")


def autopkgtest(machine):
    """contrib/debian/tests as autopkgtest runs it: in a folder of its own, as root, on a machine with the packages."""
    with open(os.path.join(TOP, "contrib", "debian", "tests", "answers"), encoding="utf-8") as f:
        machine.write("/root/answers", f.read())
    code, said = machine.box.run("/bin/sh", "-c", "mkdir /tmp/adt && AUTOPKGTEST_TMP=/tmp/adt sh /root/answers; code=$?; rm -rf /tmp/adt; exit $code", seconds=120)
    check(code == 0, f"contrib/debian/tests/answers ended with {code}: {said[-1200:]}")
    machine.box.must("systemctl", "restart", "ctstubd")


LAB_UNIT = "[Service]\nExecStart=/usr/bin/ctstub-lab {words} --pki /srv/lab\n"
WATCH_CONFIG = """ct {{ log-list = "/srv/lab/ct-logs-served.json" }}
trust {{ anchors = "/srv/lab/anchors.pem" }}
watch {{ block = "enforce" poll = "5s" known-file = {{"/srv/lab/known"}} }}
upstream "lab" {{ address = {{"127.0.0.1"}} port = {port} }}
"""


def watch(machine):
    """ctstub-watch's own unit follows toy logs, finds a rogue certificate, and the daemon refuses it: by the units alone."""
    box = machine.box
    machine.write("/srv/lab/known", "spki-sha256 " + "00" * 32 + "\n")
    for name, words in (("lab-logs", f"logs --listen 127.0.0.1:{LOGS_PORT}"), ("lab-impostor", f"serve fina-full-ct --listen 127.0.0.1:{LAB_PORT}")):
        machine.write(f"/etc/systemd/system/{name}.service", LAB_UNIT.format(words=words))
    box.must("systemctl", "daemon-reload")
    box.must("systemctl", "start", "lab-logs")
    until(lambda: os.path.exists(f"{machine.root}/srv/lab/ct-logs-served.json"), 20, f"the toy logs serve: {box.journal('lab-logs')[-500:]}")
    box.must("systemctl", "start", "lab-impostor")
    until(lambda: "listening" in box.journal("lab-impostor"), 20, "the impostor serves")
    box.must("chmod", "-R", "a+rX", "/srv/lab")
    machine.write("/etc/ctstub/conf.d/lab.conf", WATCH_CONFIG.format(port=LAB_PORT))
    box.must("systemctl", "restart", "ctstubd", "ctstub-watch")
    units_are_well(box, "ctstubd.service", "ctstub-watch.service", "ctstub-watch-reload.path")
    check("status: NOERROR" in box.must("dig", "+tries=1", "+time=6", "@127.0.0.1", "one.example.com"), "before the log shows it")
    until(lambda: "watching" in box.journal("ctstub-watch"), 20, "the watcher watches")
    with open(f"{machine.root}/srv/lab/chains/fina-full-ct.pem", "rb") as f:
        request = urllib.request.Request(f"https://127.0.0.1:{LOGS_PORT}/lab/chain", data=f.read())
    with network_of(box.leader):
        urllib.request.urlopen(request, context=ssl.create_default_context(cafile=f"{machine.root}/srv/lab/anchors.pem"), timeout=20).close()
    until(lambda: "reason=disallowed" in box.journal("ctstubd"), 90,
          f"the daemon refuses it; {box.journal('ctstub-watch')[-1500:]}{box.journal('ctstub-watch-reload')[-500:]}")
    check("status: SERVFAIL" in box.must("dig", "+tries=1", "+time=6", "@127.0.0.1", "two.example.com"), "afterwards nobody is asked")
    for name in ("lab-logs", "lab-impostor"):
        box.must("systemctl", "stop", name)
        os.unlink(f"{machine.root}/etc/systemd/system/{name}.service")
    os.unlink(f"{machine.root}/etc/ctstub/conf.d/lab.conf")
    shutil.rmtree(machine.root + "/srv/lab")
    box.must("systemctl", "daemon-reload")
    box.must("systemctl", "restart", "ctstubd", "ctstub-watch")


# Where a purge leaves the package's name: what dpkg, apt, logrotate and the journal remember of the past, and this test's own files.
PAST = ("/var/lib/dpkg", "/var/lib/apt", "/var/log", "/var/cache/apt", "/root", "/srv", "/proc", "/sys", "/dev", "/tmp", "/run/log")


def units_left(box):
    """Units of ours that run or failed. systemd remembers names of the past for a while: not found, inactive, dead."""
    listed = box.must("systemctl", "list-units", "--all", "--plain", "--no-legend", "ctstub*").splitlines()
    return [line for line in listed if line.split()[1:4] != ["not-found", "inactive", "dead"] and line.split()[1] != "masked"]


def no_traces(box, kept=""):
    """No file of that name (but what was there before), no unit that is loaded, failed or still runs, no user."""
    pruned = " -o ".join(f"-path {folder}" for folder in PAST)
    found = box.must("sh", "-c", f"find / \\( {pruned} \\) -prune -o -name '*ctstub*' -print")
    equal(found.strip(), kept, "files of that name")
    equal(units_left(box), [], "units")
    equal(box.run("getent", "passwd", "ctstub", "ctstub-portal", "ctstub-ct-logs", "ctstub-watch")[1], "", "users")
    running = [name for name in box.must("sh", "-c", "cat /proc/[0-9]*/comm 2>/dev/null || :").split() if name.startswith("ctstub")]
    equal(running, [], "processes")


RETRY = "/etc/systemd/system/ctstub-ct-logs-retry.timer.d"


def in_use(box):
    """Units that an administrator starts, and one that fails: a removal stops and forgets them."""
    code, _ = box.run("systemctl", "start", "ctstub-ct-logs", seconds=120)
    check(code != 0 and box.state("ctstub-ct-logs") == "failed", f"ctstub-ct-logs without a network: {code} {box.state('ctstub-ct-logs')}")
    until(lambda: box.state("ctstub-ct-logs-retry.timer") == "active", 10, "the next attempt is due")
    box.must("sh", "-c", f"mkdir {RETRY} && printf '[Timer]\\nOnActiveSec=\\nOnActiveSec=3s\\nRandomizedDelaySec=0\\n' >{RETRY}/soon.conf && systemctl daemon-reload")
    box.must("systemctl", "restart", "ctstub-ct-logs-retry.timer")
    try:  # an attempt asks four sources, each of which may wait for a resolver that is not there
        until(lambda: box.journal("ctstub-ct-logs").count("Failed to start") >= 3, 120, "two more attempts")
    except AssertionError as error:
        raise AssertionError(f"{error}: {box.run('journalctl', '-o', 'short-precise', '-u', 'ctstub-ct-logs*')[1][-3000:]}") from error
    box.must("sh", "-c", f"rm -r {RETRY} && systemctl daemon-reload && systemctl restart ctstub-ct-logs-retry.timer")
    box.must("systemctl", "enable", "--now", "ctstub-metrics.service", "ctstub-watch-pull.timer")
    for unit in ("ctstub-metrics.service", "ctstub-watch-pull.timer"):
        equal(box.state(unit), "active", unit)


def life(t, suite, out):
    """Install, use, upgrade, remove, install again, purge; then nothing is left."""
    machine = Machine(t, suite, out)
    box = machine.box
    box.boot()
    before = machine.files()
    said = machine.dpkg("-i", *machine.packages)
    check("answers on 127.0.0.1:53" in said, f"the installation does not say that it answers: {said}")
    check("Failed to" not in said, f"the installation complains: {said}")
    answers(box)
    units_are_well(box, "ctstubd.service", "ctstubd.socket", "ctstub-watch.service", "ctstub-ct-logs.timer", "ctstub-audit.timer")
    box.must("ctstubd", "-t")
    box.must("ctstub", "status")
    autopkgtest(machine)
    watch(machine)
    machine.write("/etc/ctstub/conf.d/mine.conf", 'local { data = {"mine.test. 60 IN A 192.0.2.1"} }\n')
    machine.dpkg("-i", *machine.packages)
    answers(box)
    until(lambda: "192.0.2.1" in box.run("dig", "+short", "@127.0.0.1", "mine.test")[1], 10, "what was configured holds after an upgrade")
    in_use(box)
    machine.dpkg("-r", "ctstub-watch", "ctstub", "ctstub-lab")
    equal(units_left(box), [], "units after the removal")
    check(os.path.exists(f"{machine.root}/etc/ctstub/conf.d/mine.conf"), "removing took a configuration that somebody wrote")
    for unit in ("ctstubd.socket", "ctstubd.service", "ctstub-watch.service"):
        check(box.state(unit) != "active", f"{unit} is still active after the removal")
    machine.dpkg("-i", *machine.packages)
    answers(box)
    os.unlink(f"{machine.root}/etc/ctstub/conf.d/mine.conf")
    machine.dpkg("-P", "ctstub-watch", "ctstub", "ctstub-lab")
    after = machine.files()
    check(not differences(before, after), f"after the purge: {[(p, before.get(p), after.get(p)) for p in differences(before, after)][:8]}")
    no_traces(box)
    box.power_off()


def in_the_way(t, suite, out):
    """Another program on port 53: the installation succeeds and names it, and its advice works however long that was."""
    machine = Machine(t, suite, out, ("ctstub",))
    box = machine.box
    machine.write("/etc/systemd/system/dnsmasq.service", "[Service]\nExecStart=/usr/bin/python3 -c 'import socket,time; "
                  "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind((\"127.0.0.1\",53)); time.sleep(3600)'\n")
    box.boot()
    box.must("systemctl", "start", "dnsmasq")
    until(lambda: box.run("ss", "-Hlnu", "sport", "=", "53")[1].strip(), 10, "the port is held")
    said = machine.dpkg("-i", *machine.packages)
    check("cannot listen" in said and "dnsmasq" in said, f"the installation does not say what is in the way: {said}")
    until(lambda: box.journal("ctstubd").count("Failed to start") >= 7, 60, "more attempts than systemd's limit of starts")
    box.must("systemctl", "stop", "dnsmasq")
    advice = re.search(r"^ctstub: (systemctl .*)$", said, re.M)
    check(advice, f"the installation gives no command: {said}")
    box.must("sh", "-c", advice.group(1))
    answers(box)
    box.power_off()


def other_suite():
    """The release that this machine does not have."""
    found = {"bookworm": "trixie", "trixie": "bookworm"}.get(own_suite())
    if found is None:
        raise Skip("no container is known to run programs of this release")
    return found

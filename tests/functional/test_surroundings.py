"""Machines that give the daemon less than it may expect: no network yet, no /proc, full disks, no memory, small packets, errors of
the kernel and of routers. P11, P14, P15, P17 to P19 and R11 of docs/reliability.md."""
import errno
import json
import os
import signal
import socket
import struct
import subprocess
import threading

from functional._common import again, servfail, stub
from harness import client, wire
from harness.case import Skip, case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.patience import patient
from harness.pki import Site
from harness.upstream import DotServer
from harness.world import DOH4, GATE4, HOME4, UP4, UP6, World, ip, mounted, site_of


# ---- P11: before the network

@case("P11 started before the network, with resolv.conf pointing at itself: SERVFAIL at once, no loop, and answers once it is up", netns=True)
def before_the_network(t):
    mounted(t, "/etc/resolv.conf", "nameserver 127.0.0.1\n")
    mounted(t, "/etc/nsswitch.conf", "hosts: dns\n")
    site = site_of(t)
    d = Daemon(t, f'upstream "one" {{ address = {{"{UP4}"}} }}\n', anchors=site.anchors, listen=["127.0.0.1:53"])
    for i in range(20):
        servfail(d.ask(f"n{i}.example.com"), "unreachable")
    counters = d.ctl("stats")["counters"]
    equal(counters["questions_udp"], 20, "questions: its own among them would make a loop")
    world = World(t)
    world.serve(t, site)
    number = iter(range(1000))
    until(lambda: client.rcode(d.ask(f"up{next(number)}.example.com")) == "NOERROR", 10, "answers, once the network is up")


@rows([("P11 an upstream that is given only by a name is an error", 'upstream "one" { address = {"dns.example.com"} }', "dns.example.com"),
       ("P11 so is one without an address", 'upstream "one" { name = "dns.example.com" }', "address")])
def only_a_name(t, text, word):
    code, _, err = t.run("ctstubd", "-t", "-c", t.write("c.conf", text + "\n"))
    equal((code, word in err), (2, True), err)


# ---- P14: nothing but system calls

BARE = """set -e
mount --bind {dir} {dir}
mount -o remount,bind,ro /
mount -t tmpfs none /dev
mount -t tmpfs none /proc
test ! -e /dev/urandom
test ! -e /proc/self
! touch /cannot-be-written
exec {program} -c {config}
"""


@rows([("P14 with a read-only root, without /proc and without /dev/urandom it starts, answers and reloads", {}),
       ("P14 without /proc it still removes what could steer its libraries", {"SSLKEYLOGFILE": "keys.log", "GNUTLS_DEBUG_LEVEL": "9"})],
      netns=True, builds=("gcc",))
def bare(t, variables):
    keys = t.path("keys.log")
    d, server = stub(t)
    script = BARE.format(dir=t.dir, program=t.program("ctstubd"), config=d.config)
    again(d, "/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, "sh", env=t.env(**{k: v.replace("keys.log", keys) for k, v in variables.items()}))
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    d.write(upstream("one", server), 'local { data = {"reloaded.test. 60 IN A 192.0.2.77"} }')
    d.process.signal(signal.SIGHUP)  # its control socket needs /proc
    until(lambda: client.rcode(d.ask("reloaded.test")) == "NOERROR", 10, "the reload")
    equal(client.rcode(d.ask("after.example.com")), "NOERROR", "rcode after a reload")
    check("no-control-socket" in d.log(), "it does not tell that nobody can talk to it")
    check(not os.path.exists(keys) and "gnutls[" not in d.log().partition("started")[2], "GnuTLS obeyed its environment")
    for name in variables:
        check(f"environment-scrubbed variable={name}" in d.log(), f"{name} is not reported")


# ---- R11: a full disk

@case("R11 with the disk of its state folder full it starts, answers, reloads, and an update of the CT log list fails with the reason",
      netns=True, builds=("gcc",))
def full_disk(t):
    d, _ = stub(t, state_dir=t.path("state"), wait=False)
    d.process.kill()
    os.makedirs(t.path("state"))
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=755", "none", t.path("state")], stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Skip(f"no tmpfs here: {done.stderr.decode().strip()}")
    with open(t.path("state/filler"), "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError as error:
            equal(error.errno, errno.ENOSPC, "the disk is full")
    d.process = t.spawn("ctstubd", [t.program("ctstubd"), "-c", d.config])
    d.wait()
    for i in range(5):
        equal(client.rcode(d.ask(f"n{i}.example.com")), "NOERROR", "rcode")
    check(d.ctl("reload")["ok"], "reload")
    code, out, err = t.run("ctstub", "ct-logs", "import", "-c", d.config, "--force", Site(t, prefix="lists").log_list)
    check(code == 3 and os.strerror(errno.ENOSPC) in out + err, f"import: {code} {out} {err}")
    equal(sorted(set(os.listdir(t.path("state"))) - {"filler", "journal.jsonl", "journal.lock", "evidence"}), [], "files that are half-written")
    code, out, err = d.tool("history")
    equal(code, 0, f"history: {out} {err}")
    equal(client.rcode(d.ask("after.example.com")), "NOERROR", "rcode afterwards")


def no_file(t, program, *arguments):
    """The program, when no file may grow; its output goes to a file, too."""
    return t.spawn(program, ["prlimit", "--fsize=0:0", t.program(program), *arguments])


@case("R11 when no file may grow, neither its log nor what is in its state folder, it answers, reloads and ends as asked", builds=("gcc",))
def no_growth(t):
    d, _ = stub(t, wait=False)
    d.process.kill()
    d.process = no_file(t, "ctstubd", "-c", d.config)
    d.wait()
    for i in range(5):
        equal(client.rcode(d.ask(f"n{i}.example.com")), "NOERROR", "rcode")
    check(d.ctl("reload")["ok"], "reload")
    equal(d.process.stop(), 0, "exit code")


@case("R11 when no file may grow, an update of the CT log list fails with the reason, and the old one stays", builds=("gcc",))
def no_growth_of_lists(t):
    d, _ = stub(t)
    lists = Site(t, prefix="lists").log_list

    def files():  # the daemon may make the lock of its journal meanwhile
        return sorted(set(os.listdir(d.dir)) - {"journal.lock"})
    before = files()
    code, out, err = t.run("/usr/bin/prlimit", "--fsize=0:0", t.program("ctstub"), "ct-logs", "import", "-c", d.config, "--force", lists)
    check(code == 3 and os.strerror(errno.EFBIG) in out + err, f"import: {code} {out} {err}")
    equal(files(), before, "files that are half-written")


@rows([(f"R11 when its output may not grow, {program} -t ends by itself", program) for program in ("ctstub-watch", "ctstub-portal")], builds=("gcc",))
def no_output(t, program):
    site = Site(t, with_ct=True)
    config = t.write("c.conf", f'user = ""\nct {{ log-list = "{site.log_list}" }}\ntrust {{ anchors = "{site.anchors}" }}\n'
                     'portal { user = "" }\nupstream "one" { address = {"192.0.2.1"} }\n')
    p = no_file(t, program, "-t", "-c", config)
    check(p.popen.wait(patient(20)) >= 0, f"it ended with {p.popen.returncode}")
    p.expect = None


@case("R11 when its log goes to a full disk it answers")
def full_log(t):
    d, _ = stub(t, wait=False)
    d.process.kill()
    with open("/dev/full", "wb") as full:
        p = subprocess.Popen([t.program("ctstubd"), "-c", d.config], stdout=full, stderr=full, env=t.env(), start_new_session=True)
    t.defer(lambda: (p.kill(), p.wait()))

    def answers():
        try:
            return client.rcode(d.ask("www.example.com", timeout=1)) == "NOERROR"
        except OSError:
            return False
    until(answers, 20, "an answer")
    equal(p.poll(), None, "its exit code")
    p.terminate()
    equal(p.wait(patient(10)), 0, "its exit code")


# ---- P17: flaps

class Asker(threading.Thread):
    """Asks one question after the other, each of a new name, until told to stop; `error` says what was wrong."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.d, self.n, self.error, self.stop = d, 0, None, False

    def ask(self, name):
        with self.d.udp(8) as c:
            raw = c.ask(wire.question(name))
        client.has_data(raw, name.encode().split(b"."), what=f"the answer for {name}")

    def run(self):
        try:
            while not self.stop:
                self.ask(f"f{self.n}.example.com")
                self.n += 1
        except Exception as error:  # for the test's own thread
            self.error = error

    def more(self, n):
        """Waits for so many answers, while the asking goes on."""
        want = self.n + n
        until(lambda: self.error or self.n >= want, 60, f"{n} more answers")
        if self.error:
            raise self.error


@case("P17 one of two upstreams flaps fifty times among questions: none fails, and no answer is wrong", timeout=3600)
def flaps(t):
    site = Site(t)
    first, second = DotServer(t, site), DotServer(t, site)
    d = Daemon(t, [upstream("flapping", first), upstream("steady", second)], anchors=site.anchors, log_level="info")
    asker = Asker(d)
    asker.start()
    for flap in range(2000 if t.long else 50):  # hours of it: tests/soak --flaps 50
        asker.more(4)
        first.stop(reset=flap % 2 == 0)
        asker.more(4)
        first.start()
    asker.stop = True
    asker.join(patient(20))
    if asker.error:
        raise asker.error
    equal(d.ctl("stats")["counters"]["servfail"], 0, "SERVFAIL")
    check(first.questions and second.questions, "one of the two was never asked")


# ---- P18: paths that carry little

@rows([("P18 a path of 576 bytes", 576, None, False), ("P18 a path of 1280 bytes", 1280, None, False),
       ("P18 a path of 576 bytes without ICMP messages: another upstream answers", 576, 1460, True)], netns=True, builds=("gcc",))
def small_path(t, mtu, advertised, fails_over):
    world, site = World(t), site_of(t)
    world.serve(t, site)
    ip("link", "set", "wire0", "mtu", str(mtu))
    if not advertised:
        with world:
            ip("link", "set", "wire1", "mtu", str(mtu))
    else:  # the home promises more than the path carries; packets of the far end that are larger get lost without a word
        with world:
            ip("link", "set", "wire1", "gso_max_segs", "1")  # or the sender's card would cut for them
        ip("route", "add", UP4 + "/32", "via", GATE4, "advmss", str(advertised))
        world.serve(t, site, address=DOH4)
    d = Daemon(t, f'upstream "one" {{ address = {{"{UP4}"}} }}\nupstream "two" {{ address = {{"{DOH4}"}} }}\n' if fails_over else
               f'upstream "one" {{ address = {{"{UP4}"}} }}\n', anchors=site.anchors, extra='strategy = "ordered"\n')
    for i in range(3):
        equal(client.rcode(d.ask(f"n{i}.example.com")), "NOERROR", f"rcode; {d.log()[-600:]}")
    large = d.ask("txt.example.com", "TXT", tcp=True)
    equal(client.rcode(large), "NOERROR", "rcode over TCP")
    health = {a["upstream"]: a["health"] for a in d.ctl("status")["addresses"]}
    equal(health["one"] == "good", not fails_over, f"the small path is lost without a word: {health}")


# ---- P19: refusals of the kernel and of routers

def nft(rule):
    program = "/usr/sbin/nft"
    if not os.path.exists(program):
        raise Skip("nft is not on this machine")
    text = f"table inet t {{\n chain o {{\n type filter hook output priority 0\n {rule}\n }}\n}}\n"
    done = subprocess.run([program, "-f", "-"], input=text.encode(), stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Skip(f"no nftables here: {done.stderr.decode().strip()[:200]}")


def route(kind, to=UP4 + "/32"):
    return lambda world: ip("route", "add", kind, to)


def filtered(verdict):
    return lambda world: nft(f"ip daddr {UP4} tcp dport 853 {verdict}")


def icmp(code):
    return lambda world: Unreachable(world, 3, code)


class Unreachable:
    """Somebody out there who answers each SYN to the first upstream with an ICMP message."""

    def __init__(self, world, kind, code):
        with world:
            self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
            self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            ip("addr", "del", UP4 + "/32", "dev", "wire1")  # or the kernel out there would reset
        self.kind, self.code = kind, code
        self.wire.bind(("wire1", 0x0800))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            packet = self.wire.recv(65535)
            size = (packet[0] & 15) * 4
            if packet[9] != 6 or packet[16:20] != socket.inet_aton(UP4) or packet[size + 13] & 0x02 == 0:
                continue
            body = struct.pack("!BBHHH", self.kind, self.code, 0, 0, 576 if (self.kind, self.code) == (3, 4) else 0) + packet[:size + 8]
            total = sum(struct.unpack(f"!{len(body) // 2}H", body))
            total = (total & 0xffff) + (total >> 16)
            self.raw.sendto(body[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + body[4:], (HOME4, 0))


POLICIES = [
    ("a route that is prohibited", route("prohibit"), "unreachable"),
    ("a route that is unreachable", route("unreachable"), "unreachable"),
    ("a route that is a black hole", route("blackhole"), "unreachable|connect-timeout"),
    ("a packet filter that drops: EPERM", filtered("drop"), "unreachable|connect-timeout"),
    ("a packet filter that resets", filtered("reject with tcp reset"), "connect-refused"),
    ("a packet filter that rejects", filtered("reject"), "connect-refused|unreachable"),
] + [(f"ICMP destination unreachable, code {code}", icmp(code), "unreachable|connect-refused|connect-timeout") for code in range(16)] + [
    ("ICMP time exceeded", lambda world: Unreachable(world, 11, 0), "unreachable|connect-timeout"),
    ("ICMP parameter problem", lambda world: Unreachable(world, 12, 0), "unreachable|connect-timeout|connect-refused"),
]


POLICIES6 = [(f"an IPv6 route that is {what}", route(kind, UP6 + "/128"), "unreachable") for what, kind in
             (("prohibited", "prohibit"), ("unreachable", "unreachable"), ("a black hole", "blackhole"), ("thrown out of its table", "throw"))]


@rows([(f"P19 {what}: another upstream answers, and the reason is named", UP4, policy, reason) for what, policy, reason in POLICIES] +
      [(f"P19 {what}: another upstream answers, and the reason is named", UP6, policy, reason) for what, policy, reason in POLICIES6],
      netns=True, builds=("gcc",))
def refused_by_policy(t, address, policy, reason):
    world, site = World(t), site_of(t)
    world.serve(t, site, address=DOH4)
    policy(world)
    d = Daemon(t, f'upstream "one" {{ address = {{"{address}"}} }}\nupstream "two" {{ address = {{"{DOH4}"}} port = 853 }}\n', anchors=site.anchors,
               extra='strategy = "ordered"\n')
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", f"rcode; {d.log()[-500:]}")
    until(lambda: d.ctl("status")["addresses"][0]["reason"], 10, "the failure is known")
    got = d.ctl("status")["addresses"][0]["reason"]
    check(got in reason.split("|"), f"the reason is {got}: {json.dumps(d.ctl('status')['addresses'][0])[:400]}")


@case("on a machine without trust anchors -t and the start name the package that has them", netns=True, builds=("gcc",))
def no_anchors(t):
    for folder in ("/etc/ssl", "/etc/pki"):
        if os.path.isdir(folder):
            subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
    conf = t.write("conf", 'upstream "u" { address = {"127.0.0.9"} }\n')
    for options in (["-t"], []):
        code, _, err = t.run("ctstubd", *options, "-c", conf)
        equal((code, "no file of trust anchors (Debian: apt install ca-certificates)" in err), (2, True), f"ctstubd {options}: {err}")

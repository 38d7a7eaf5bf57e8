"""What every part of the bench uses: a folder, the programs, certificates, an upstream, load, and what a process cost."""
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

from harness import net
from harness.packages import Unpacked
from harness.pki import Site

TICK = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20
SOCKETS = 8
# Outstanding questions at full speed: fewer datagrams than a socket with the kernel's usual buffer holds, so that nobody loses any.
WINDOW = 200


class Missing(Exception):
    """A program that is not here, or does not run here."""


def say(text):
    print(text, flush=True)


def make_programs(build):
    """Whether the programs of the bench could be built."""
    done = subprocess.run(["make", "-s", "bench-programs"], cwd=build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode == 0 or say(f"not ok bench/build: {done.stdout.strip()[-500:]}")


class Bench:
    """A folder and what was started; everything ends with it."""

    def __init__(self, options):
        self.options, self.build = options, options.build
        self.servers = Unpacked(options.servers)
        self.dir = tempfile.mkdtemp(prefix="ctstub-bench-")
        os.chmod(self.dir, 0o755)  # some peers become another user
        self.deferred, self.started = [], []
        self.site = Site(self, names=("dns.bench",), with_ct=True, common_name="dns.bench")  # smartdns compares the common name
        self.port = net.free_port()
        self.dot_port, self.doh_port = net.free_port(), net.free_port()
        # The candidate has a processor of its own, whatever asks and answers it the other one.
        cores = sorted(os.sched_getaffinity(0))
        self.core, self.others = ({cores[0]}, set(cores[1:])) if len(cores) > 1 else (set(cores), set(cores))

    # what harness.pki, harness.proxy and harness.upstream ask of a test

    def write(self, name, content):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb" if isinstance(content, bytes) else "w") as f:
            f.write(content)
        return path

    def defer(self, function):
        self.deferred.append(function)

    def ours(self, name):
        path = os.path.join(self.build, name)
        if not os.path.exists(path):
            raise Missing(f"{path} was not built")
        return path

    def other(self, name):
        path = self.servers.find(name)
        if not path:
            raise Missing(f"{name} is not on this machine")
        return path

    def start(self, command, name, cores=None, env=None):
        """The first of a session: what it starts itself is found by that, see processes()."""
        env = dict(os.environ if command[0].startswith(self.build + "/") else self.servers.env(), **(env or {}))
        with open(os.path.join(self.dir, f"{name}.log"), "wb") as log:
            process = subprocess.Popen(command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=env,
                                       preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None)
        self.started.append(process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.started.remove(process)

    def close(self):
        for function in reversed(self.deferred):
            function()
        for process in list(self.started):
            self.end(process)
        shutil.rmtree(self.dir, ignore_errors=True)

    def upstream(self):
        """The same for all: a dnsdist that gives every question one answer, over DoT and DoH."""
        path = self.write("upstream.conf", f"""
setLocal("127.0.0.1:{net.free_port()}")
addTLSLocal("127.0.0.1:{self.dot_port}", "{self.site.chain}", "{self.site.key_file}", {{maxInFlight=1000}})
addDOHLocal("127.0.0.1:{self.doh_port}", "{self.site.chain}", "{self.site.key_file}", {{"/dns-query"}})
setMaxTCPClientThreads(2)
addAction(AllRule(), SpoofAction({{"192.0.2.1"}}, {{ttl=3600}}))
""")
        process = self.start([self.other("dnsdist"), "--supervised", "--disable-syslog", "-C", path], "upstream", self.others)
        self.wait_for(lambda: net.answers_tcp("127.0.0.1", self.dot_port) and net.answers_tcp("127.0.0.1", self.doh_port),
                      process, "upstream")

    def wait_for(self, condition, process, name, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            if process.poll() is not None or time.monotonic() > end:
                with open(os.path.join(self.dir, f"{name}.log"), encoding="utf-8", errors="replace") as f:
                    raise Missing(f"{name} does not answer: {' '.join(f.read()[-300:].split())}")
            time.sleep(0.001)

    def load(self, *options, seconds=None, sockets=None):
        """What load.c prints."""
        command = [self.ours("tests/bench/load"), "--port", str(self.port), "--sockets", str(sockets or SOCKETS), "--seconds",
                   str(seconds or self.options.seconds), *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                              preexec_fn=lambda: os.sched_setaffinity(0, self.others))
        if done.returncode != 0:
            raise Missing(f"the load ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def dnsperf(self, names):
        """The same from a load that everybody has: answers a second to the names that `load --names` asks. None without dnsperf."""
        program = shutil.which("dnsperf")
        if not program:
            return None
        path = self.write("names", "".join(f"x{0:08x}-{i:08x}.example A\n" for i in range(names)))
        done = subprocess.run([program, "-s", "127.0.0.1", "-p", str(self.port), "-d", path, "-S", "0", "-c", str(SOCKETS), "-q", "400", "-l",
                               f"{max(self.options.seconds, 1):.0f}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              preexec_fn=lambda: os.sched_setaffinity(0, self.others))
        found = {key: re.search(rf"{words}\s+([\d.]+)", done.stdout) for key, words in
                 (("sent", "Queries sent:"), ("answered", "Queries completed:"), ("rate", "Queries per second:"))}
        if None in found.values():
            raise Missing(f"dnsperf: {done.stdout[-200:]}")
        return {key: float(m.group(1)) for key, m in found.items()}

    def answered(self, timeout=0.05):
        """Whether a name that is in no cache is answered without an error."""
        ident, label = random.randrange(65536), f"start{random.randrange(1 << 30)}".encode()
        question = struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + bytes([len(label)]) + label + b"\x07example\0\0\x01\0\x01"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(timeout)
            try:
                s.connect(("127.0.0.1", self.port))
                s.send(question)
                reply = s.recv(4096)
            except OSError:
                return False
        return reply[:2] == question[:2] and reply[3] & 15 == 0


def fresh():
    """Options of the load: names that nobody asked before."""
    return "--fresh", str(random.randrange(1, 1 << 32))


def full():
    return "--window", str(WINDOW)


# ---- what a process and its children cost

def processes(leader):
    """A process and everything of its session."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            found.append(int(path.split("/")[2]))
    return found


def thread_seconds(path):
    with open(path, encoding="ascii") as f:
        return int(f.read().split()[0]) / 1e9


def stat_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_seconds(leader):
    """User and system time of a session. The scheduler's own count has nanoseconds; without it the ticks of stat."""
    total = 0.0
    for pid in processes(leader):
        try:
            threads = glob.glob(f"/proc/{pid}/task/*/schedstat")
            total += sum(thread_seconds(t) for t in threads) if threads else stat_seconds(pid)
        except OSError:
            continue
    return total


def memory(pid):
    """Resident KiB of one process by kind, as the kernel counts them."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return {m.group(1): int(m.group(2)) for m in re.finditer(r"^(\w+):\s+(\d+) kB", f.read(), re.M)}


def resident(leader):
    """(own, files) in MiB. Own is what no file backs, in the largest process, and the private pages of its helpers, which share the
    rest with it; files are the pages of programs and libraries, which other processes may share."""
    parts = sorted((memory(pid) for pid in processes(leader)), key=lambda m: m["Rss"], reverse=True)
    own = parts[0]["Anonymous"] + sum(m["Private_Clean"] + m["Private_Dirty"] for m in parts[1:])
    return own / 1024, (parts[0]["Rss"] - parts[0]["Anonymous"]) / 1024


def quantile(ordered, part):
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else float("nan")

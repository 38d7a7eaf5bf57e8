"""The soak (A1): hours of questions while upstreams flap, clocks jump, addresses change and the configuration is reloaded.

Three upstreams, two over TLS and one over HTTPS, each a process of its own (soak_upstream.py) behind a link; at any moment
at least one is healthy. Each answer is a function of its question, so that an answer to another question is detected. tests/soak --help.
"""
import argparse
import json
import os
import platform
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness import case
from harness.case import check
from harness.daemon import Daemon, section
from harness.jumps import Jumps
from harness.pki import DAY, Site, key_pem, pem, utc_now
from harness.soak_figures import slope
from harness.soak_load import Clients
from harness.standstill import Withheld
from harness.world import World, ip

FLAP_S = (1, 20)            # how long an upstream stays as it is: 17 changes a minute of all three
EVENT_S = (15, 45)          # between two events of one kind
SETTLED_S = 2.5             # a refused upstream is tried every two seconds: one that became good is healthy after that
CALM_S = 5                  # after an event of any kind answers count as those of a fault for so long
SLEEP_S = (5, 3600)         # of the machine, by the shim
SLEPT_MAX_S = 40 * 86400    # in all: certificates are valid for sixty days
SET_S = 3600                # the wall clock is set forward or back by at most this
WALL_AHEAD_S = 86400        # and starts this far ahead, so that it never is before the day of the build
WARM_UP_S = 600             # of an hour or more; a third of a short run
SAMPLE_S = 5
RSS_SLOPE = 1024            # KiB an hour
RSS_NOISE = 4096            # KiB: the least growth that means anything in a run of minutes
FDS_APART = 5
P99_S = 1.5
LATE_S = 0.05               # when the p99 of a client's own wake-ups is later than this, the machine is busy, and P99_S grows with it
STARVED_SHARE = 0.01        # of questions that failed as the machine was too busy: with more of them a run proves nothing
CLOSED_SHARE = 0.001        # questions that a closing TCP connection left unanswered, at most
EVENTS_KEPT = 50_000
HOMES = (("192.0.2.2/24", "192.0.2.1", "2001:db8::2/64", "2001:db8::1"),
         ("198.51.100.2/24", "198.51.100.1", "2001:db8:1::2/64", "2001:db8:1::1"))
PLACES = (("one", "1.1.1.1", 853, False), ("two", "2606:4700:4700::1111", 853, False), ("three", "9.9.9.9", 443, True))
BAD = ("dead", "stopped", "slow", "cut", "swapped", "untrusted", "other-address", "expired", "no-sct")
CONTROLS = ("wrong", "leak", "descriptors", "silence")
CONTROL_LONGER = 4          # a control lasts up to so many times as long: what it breaks shows with the number of connections, not with time


def flap_seconds(a_minute):
    """The same range, for so many changes a minute of all upstreams together (P17 wants 50)."""
    scale = len(PLACES) * 60 / a_minute / (sum(FLAP_S) / 2)
    return tuple(scale * s for s in FLAP_S)


class Upstream:
    """One of the three; `mode` is its present behaviour."""

    def __init__(self, soak, title, address, port, doh):
        self.soak, self.title, self.address, self.port, self.doh = soak, title, address, port, doh
        self.mode, self.popen = "dead", None
        self.until = self.good_since = 0.0
        soak.t.defer(self.kill)

    def spawn(self, mode):
        env = dict(os.environ, PYTHONPATH=os.path.join(self.soak.t.src, "tests"))
        with self.soak.world, open(self.soak.t.path(f"{self.title}.err"), "ab") as err:
            self.popen = subprocess.Popen([sys.executable, "-B", "-m", "harness.soak_upstream"], stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, stderr=err, env=env, start_new_session=True)
        orders = {"address": self.address, "port": self.port, "doh": self.doh, "mode": mode, "seed": self.soak.random.random(),
                  "certificates": self.soak.certificates}
        self.tell(json.dumps(orders), "ready")

    def tell(self, line, answer):
        """Returns when the upstream has confirmed it."""
        self.popen.stdin.write(line.encode() + b"\n")
        self.popen.stdin.flush()
        got = b""
        while not got.endswith(b"\n"):
            check(select.select([self.popen.stdout], [], [], 60)[0], f"upstream {self.title} does not answer")
            got = self.popen.stdout.readline()
            check(got, f"upstream {self.title} ended")
        check(got.strip() == answer.encode(), f"upstream {self.title} answered {got!r} instead of {answer}")

    def kill(self):
        if self.popen:
            self.popen.kill()
            self.popen.wait()
            self.popen.stdin.close()
            self.popen.stdout.close()
        self.popen, self.mode = None, "dead"

    def become(self, mode):
        before, self.mode = self.mode, mode if self.mode == "good" else "changing"  # never healthy before it is
        if mode == "dead":
            self.kill()
        elif mode == "stopped":
            if before == "dead":
                self.spawn("good")
            self.popen.send_signal(signal.SIGSTOP)
        elif before == "dead":
            self.spawn(self.soak.real_mode(self, mode))
        else:
            if before == "stopped":
                self.popen.send_signal(signal.SIGCONT)
            real = self.soak.real_mode(self, mode)
            self.tell(real, real)
        self.mode, self.good_since = mode, time.monotonic()


class Soak:
    """One phase: a daemon, its upstreams, clients and events for `seconds`."""

    def __init__(self, t, seconds, workers=2, seed=0, rate=200, control=None, log_level="notice", flaps=None):
        self.t, self.seconds, self.workers, self.seed, self.rate, self.control = t, seconds, workers, seed, rate, control
        self.flap_s = FLAP_S if flaps is None else flap_seconds(flaps)
        self.log_level = log_level
        self.random = random.Random(f"{seed} {workers}")
        self.events, self.happened, self.samples = [], {}, []
        self.last_event = 0.0
        self.home = 0
        self.world = World(t)
        t.defer(lambda: ip("link", "del", "wire0"))  # the next phase has a wire of its own
        with self.world:
            for _, gate4, _, gate6 in HOMES[1:]:
                ip("addr", "add", gate4 + "/24", "dev", "wire1")
                ip("-6", "addr", "add", gate6 + "/64", "dev", "wire1", "nodad")
        self.certificates = self.make_certificates()
        self.upstreams = [Upstream(self, *place) for place in PLACES]
        self.jumps = Jumps(t)
        self.jumps.put("set_s", WALL_AHEAD_S)
        self.started = time.monotonic()
        self.daemon = None
        self.withheld = Withheld(self.pids)

    # ---- the world

    def make_certificates(self):
        ips = [address for _, address, _, _ in PLACES]
        good = Site(self.t, ips=ips, with_ct=True, not_after=utc_now() + 60 * DAY)
        foreign = Site(self.t, ips=ips, with_ct=True, prefix="foreign")
        self.site = good
        sites = {"good": (good.chain, good.key_file), "untrusted": (foreign.chain, foreign.key_file)}
        for name, how in (("other-address", {"ips": ["192.0.2.77"], "logs": good.logs}),
                          ("expired", {"ips": ips, "logs": good.logs, "not_before": utc_now() - 30 * DAY, "not_after": utc_now() - 3 * DAY}),
                          ("no-sct", {"ips": ips})):
            sites[name] = self.chain_of(good, name, how)
        return sites

    def chain_of(self, site, name, how):
        key, leaf = site.intermediate.issue(common_name="Test Server", **how)
        return (self.t.write(f"{name}/chain.pem", pem(leaf) + pem(site.intermediate.cert)), self.t.write(f"{name}/key.pem", key_pem(key)))

    def real_mode(self, upstream, mode):
        return "wrong" if self.control == "wrong" and mode == "good" and upstream is self.upstreams[0] else mode

    def configuration(self):
        strategy = self.random.choice(("fastest", "ordered", "spread"))
        cache = "2MiB" if self.seconds > 2 * WARM_UP_S else "256KiB"  # full when the warm-up is over
        blocks = [section(f'upstream "{u.title}"', protocol="doh" if u.doh else "dot", address=[u.address], port=u.port) for u in self.upstreams]
        return blocks, f'strategy = "{strategy}"\ncache {{ size = "{cache}" }}\nct {{ log-list = "{self.site.log_list}" }}\n'

    # ---- events

    def event(self, kind, text):
        self.last_event = time.monotonic()
        self.happened[kind] = self.happened.get(kind, 0) + 1
        if len(self.events) < EVENTS_KEPT:
            self.events.append([round(self.last_event - self.started, 2), kind, text])

    def healthy(self):
        now = time.monotonic()
        return frozenset(u.title for u in self.upstreams if u.mode == "good" and now - u.good_since >= SETTLED_S)

    def pids(self):
        upstreams = [u.popen for u in self.upstreams if u.mode == "good"]
        return [self.daemon.process.pid, os.getpid(), *(p.pid for p in upstreams if p)]

    def in_fault(self):
        return len(self.healthy()) < len(self.upstreams) or time.monotonic() - self.last_event < CALM_S

    def state(self):
        return {"upstreams": {u.title: u.mode for u in self.upstreams}, "events": self.events[-4:],
                "now": round(time.monotonic() - self.started, 2)}

    def flap(self, now):
        for u in self.upstreams:
            if now < u.until:
                continue
            if u.mode == "good" and not self.healthy() - {u.title}:
                u.until = now + 0.5  # the last healthy one stays until another is
                continue
            mode = "good" if u.mode != "good" and self.random.random() < 0.6 else self.random.choice(BAD)
            self.event(mode, u.title)
            u.become(mode)
            self.event(mode, u.title)
            self.happened[mode] -= 1
            u.until = time.monotonic() + self.random.uniform(*self.flap_s)

    def reload(self):
        refused = self.random.random() < 0.25
        blocks, extra = self.configuration()
        if refused:
            extra += "no-such-option = 1\n"
        self.daemon.write(blocks, extra)
        if not refused and self.random.random() < 0.5:
            self.daemon.process.signal(signal.SIGHUP)
            self.event("reload-by-signal", extra.splitlines()[0])
            return
        self.event("reload-refused" if refused else "reload", extra.splitlines()[0])
        check(self.daemon.ctl("reload")["ok"] is not refused, "reload accepts invalid configurations or refuses valid ones")

    def flush(self):
        self.event("flush", "")
        check(self.daemon.ctl("flush")["ok"], "flush")

    def sleep(self):
        seconds = int(SLEEP_S[0] * (SLEEP_S[1] / SLEEP_S[0]) ** self.random.random())
        if self.jumps.get("slept_s") + seconds > SLEPT_MAX_S:
            return
        self.event("sleep", f"{seconds} s")
        self.clients.slept()
        self.jumps.sleep(seconds)
        self.clients.slept()

    def set_clock(self):
        by = self.random.randint(60, SET_S) * (-1 if self.jumps.get("set_s") > WALL_AHEAD_S else 1)
        self.event("clock-set", f"{by} s")
        self.jumps.set_wall(by)

    def move(self):
        """To another network: the old addresses are gone, and connections from them are lost."""
        old4, _, old6, _ = HOMES[self.home]
        self.home = 1 - self.home
        new4, gate4, new6, gate6 = HOMES[self.home]
        self.event("move", new4)
        ip("addr", "add", new4, "dev", "wire0")
        ip("-6", "addr", "add", new6, "dev", "wire0", "nodad")
        ip("route", "replace", "default", "via", gate4)
        ip("-6", "route", "replace", "default", "via", gate6)
        ip("addr", "del", old4, "dev", "wire0")
        ip("-6", "addr", "del", old6, "dev", "wire0")

    def silence(self):
        """The control in which all upstreams fail: none is healthy, which the soak must detect."""
        for u in self.upstreams:
            u.become("dead")
            u.until = time.monotonic() + 10
        self.event("silence", "")

    # ---- the run

    def sample(self):
        pid = self.daemon.process.pid
        check(self.daemon.process.alive(), f"the daemon ended with {self.daemon.process.popen.returncode}: {self.daemon.log()[-800:]}")
        self.samples.append((time.monotonic() - self.started, self.daemon.process.rss_kib(), self.daemon.process.fds(), children_rss_kib(pid)))

    def begin(self):
        for u in self.upstreams:
            u.become("good")
            u.until = time.monotonic() + self.random.uniform(*self.flap_s)
        blocks, extra = self.configuration()
        self.daemon = Daemon(self.t, blocks, anchors=self.site.anchors, ct=None, extra=extra, env=self.jumps.env,
                             workers=self.workers, log_level=self.log_level)
        if self.control == "leak":
            self.jumps.put("leak", 1 << 20)
        if self.control == "descriptors":
            self.jumps.put("leak_fds", 4)
        self.clients = Clients(self.daemon.address, self.daemon.port, self.rate, self.seed, self)
        self.started = time.monotonic()
        self.withheld.start()
        self.t.defer(self.withheld.end)
        self.clients.start()

    def run(self, progress=lambda soak: None):
        self.begin()
        gap = (min(EVENT_S[0], self.seconds / 10), min(EVENT_S[1], self.seconds / 4))
        plan = {f: self.started + self.random.uniform(0, gap[1]) for f in (self.reload, self.sleep, self.set_clock, self.move, self.flush)}
        if self.control == "silence":
            plan[self.silence] = self.started + self.seconds / 3
        sample_at, progress_at = self.started, self.started + 60
        sample_every = min(SAMPLE_S, self.seconds / 60)
        while not self.is_over(now := time.monotonic()) and not self.clients.error:
            if now >= sample_at:
                self.sample()
                sample_at = now + sample_every
            if now >= progress_at:
                progress(self)
                progress_at = now + 60
            self.flap(now)
            for act in [f for f, at in plan.items() if at <= now]:
                act()
                plan[act] = time.monotonic() + (self.seconds if act == self.silence else self.random.uniform(*gap))
            time.sleep(0.05)
        self.clients.finish()
        self.withheld.end()
        self.sample()
        return self.result()

    def is_over(self, now):
        """True after its time; for a control, after its fault was detected, which takes longer on a busy machine."""
        past = now - self.started
        return past >= self.seconds and (self.has_shown() or past >= CONTROL_LONGER * self.seconds)

    def has_shown(self):
        if self.control == "leak":
            growth, allowed = self.growth()
            return growth > 1.5 * allowed
        if self.control == "descriptors":
            first, second = self.descriptors()
            return abs(first - second) > 2 * FDS_APART
        return self.control != "wrong" or self.clients.counts.wrong > 0

    # ---- figures

    def late_factor(self):
        return max(1.0, self.clients.late.percentile(0.99) / LATE_S)

    def warm(self):
        """The samples after the warm-up."""
        begin = min(WARM_UP_S, self.samples[-1][0] / 3)
        return [s for s in self.samples if s[0] >= begin]

    def growth(self):
        """(KiB an hour, KiB allowed in an hour): in a run of minutes more is allowed, for noise."""
        warm = self.warm()
        hours = max(warm[-1][0] - warm[0][0], 1) / 3600
        return slope([(at / 3600, rss) for at, rss, _, _ in warm]), RSS_SLOPE if hours >= 0.9 else RSS_SLOPE + RSS_NOISE / hours

    def descriptors(self):
        """(fewest in the first half after the warm-up, in the second): connections come and go, leaks stay"""
        fds = [n for _, _, n, _ in self.warm()]
        half = len(fds) // 2
        return min(fds[:half], default=0), min(fds[half:], default=0)

    def checks(self, counters):
        """{sentence: did it hold}; None: measured only."""
        c, plain = self.clients.counts, self.t.label == "gcc" or bool(self.control)  # a control only has to fail
        growth, allowed = self.growth()
        first, second = self.descriptors()
        p99, limit = self.clients.fault.percentile(0.99), P99_S * self.late_factor()
        h = self.happened
        seen = {"resumes": h.get("sleep", 0), "clock_sets": h.get("clock-set", 0), "network_changes": h.get("move", 0),
                "reloads": h.get("reload", 0), "reloads_failed": h.get("reload-refused", 0)}
        return {
            "no answer was wrong": c.wrong == 0,
            "no question failed": c.failed == 0,
            "no question was lost": c.lost == 0,
            "every question was answered, unless the machine left no time": c.answered + c.starved == c.asked,
            f"the machine left time for all but {STARVED_SHARE:.0%} of the questions: {c.starved}": c.starved <= STARVED_SHARE * c.asked,
            f"p99 in faults is below {limit:.2f} s: {p99:.3f} s": p99 < limit if plain else None,
            f"resident memory grows by less than {allowed:.0f} KiB an hour: {growth:.0f}": growth < allowed if plain else None,
            f"descriptors are flat: {first}, then {second}": abs(first - second) <= FDS_APART,
            f"no more than {CLOSED_SHARE:.1%} of the questions were asked again after a closed connection: {c.again_closed}":
                c.again_closed <= max(3, CLOSED_SHARE * c.asked),
            f"the daemon noticed what happened: {seen} of {({k: counters[k] for k in seen})}": all(counters[k] >= (n > 0) for k, n in seen.items()),
        }

    def result(self):
        c = self.clients.counts
        counters = self.daemon.ctl("stats")["counters"]
        checks = self.checks(counters)
        return {"workers": self.workers, "seconds": round(time.monotonic() - self.started), "rate": self.rate,
                "asked": c.asked, "udp": c.udp, "tcp": c.tcp, "answered": c.answered, "wrong": c.wrong, "failed": c.failed, "lost": c.lost, "starved": c.starved,
                "again_slept": c.again_slept, "again_closed": c.again_closed, "calm": self.clients.calm.summary(),
                "faults": self.clients.fault.summary(), "busy": self.clients.busy.summary(), "client_late": self.clients.late.summary(),
                "rss_kib_per_hour": round(self.growth()[0], 1), "rss_kib": [self.samples[0][1], self.samples[-1][1]],
                "descriptors": self.descriptors(), "happened": dict(sorted(self.happened.items())),
                "daemon_cpu_s": round(self.daemon.process.cpu_seconds(), 1),
                "counters": {k: v for k, v in counters.items() if v}, "examples": c.examples,
                "checks": checks, "samples": self.samples[::max(1, len(self.samples) // 500)], "events": self.events}


def children_rss_kib(pid):
    total = 0
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            for child in f.read().split():
                with open(f"/proc/{child}/statm", encoding="ascii") as m:
                    total += int(m.read().split()[1]) * 4
    except OSError:
        pass
    return total


def failed_checks(result):
    return [text for text, ok in result["checks"].items() if ok is False]


def table(result):
    """For people."""
    r = result
    lines = [f"workers {r['workers']}, {r['seconds']} s, {r['asked']} questions ({r['udp']} UDP, {r['tcp']} TCP), answered {r['answered']}",
             f"  wrong {r['wrong']}, failed {r['failed']}, lost {r['lost']}, without a processor {r['starved']}; asked again after a sleep {r['again_slept']}, "
             f"after a closed connection {r['again_closed']}"]
    for name in ("calm", "faults", "busy", "client_late"):
        f = r[name]
        lines.append(f"  {name:12} n {f['n']:8}  p50 {f['p50_ms']:9.2f} ms  p99 {f['p99_ms']:9.2f} ms  p99.9 {f['p999_ms']:9.2f} ms  max {f['max_ms']:9.2f} ms")
    lines.append(f"  memory {r['rss_kib'][0]} to {r['rss_kib'][1]} KiB, {r['rss_kib_per_hour']} KiB an hour; descriptors {r['descriptors']}; "
                 f"processor time of the daemon {r['daemon_cpu_s']} s")
    lines.append("  events: " + ", ".join(f"{k} {v}" for k, v in r["happened"].items()))
    lines += [f"  {'ok    ' if ok else 'shown ' if ok is None else 'FAILED'} {text}" for text, ok in r["checks"].items()]
    lines += [f"  example: {json.dumps(e)[:600]}" for e in r["examples"][:5]]
    return "\n".join(lines)


# ---- tests/soak

def label_of(build):
    with open(os.path.join(build, "ctstubd"), "rb") as f:
        text = f.read()
    return "tsan" if b"__tsan_init" in text else "san" if b"__asan_init" in text else "gcc"


def parse(argv):
    top = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
    arguments = argparse.ArgumentParser(prog="tests/soak", description="Runs the daemon for hours among failures, and counts what clients see.")
    arguments.add_argument("--hours", type=float, default=0)
    arguments.add_argument("--minutes", type=float, default=0, help="in addition to --hours (default: 2 minutes in all)")
    arguments.add_argument("--workers", choices=("1", "2", "both"), default="both", help="both: half of the time for each (default)")
    arguments.add_argument("--build", default=os.path.join(top, "build"), help="the folder with ctstubd (default: build)")
    arguments.add_argument("--rate", type=int, default=200, help="questions per second (default: 200)")
    arguments.add_argument("--flaps", type=float, metavar="N", help="changes per minute of all upstreams together; the last healthy one is left alone (default: 17)")
    arguments.add_argument("--seed", type=int, help="seed of everything that is random (default: the time)")
    arguments.add_argument("--json", metavar="FILE", help="write figures, seed and events to FILE")
    arguments.add_argument("--control", choices=CONTROLS, help="break something, which the soak must detect with exit code 1")
    arguments.add_argument("--log-level", default="notice", help="log level of the daemon (default: notice)")
    arguments.add_argument("--logs", metavar="DIR", help="keep the logs in DIR when something failed")
    arguments.add_argument("--in-netns", action="store_true", help=argparse.SUPPRESS)
    o = arguments.parse_args(argv)
    o.top = o.src = top
    o.build = os.path.realpath(o.build)
    o.seed = int(time.time()) if o.seed is None else o.seed
    o.seconds = 3600 * o.hours + 60 * o.minutes or 120
    return o


def write_json(o, phases, trouble=None, complete=True):
    if not o.json:
        return
    report = {"seed": o.seed, "minutes": o.seconds / 60, "build": o.label, "control": o.control, "machine": platform.machine(),
              "processors": os.cpu_count(), "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "complete": complete,
              "trouble": trouble, "phases": phases}
    with open(o.json + ".new", "w", encoding="utf-8") as f:
        json.dump(report, f, indent=1)
    os.rename(o.json + ".new", o.json)


def phases_of(o):
    workers = (1, 2) if o.workers == "both" else (int(o.workers),)
    return [(n, o.seconds / len(workers)) for n in workers]


def soak(o, folder):
    """0 when all checks passed."""
    done, bad, trouble = [], [], None
    for workers, seconds in phases_of(o):
        t = case.Context(o, os.path.join(folder, f"workers-{workers}"))
        os.makedirs(t.dir)

        def progress(s):
            c = s.clients.counts
            print(f"# {time.monotonic() - s.started:.0f} s, workers {workers}: asked {c.asked}, wrong {c.wrong}, failed {c.failed}, lost {c.lost}, "
                  f"p99 in faults {1000 * s.clients.fault.percentile(0.99):.0f} ms, {s.samples[-1][1]} KiB, {s.samples[-1][2]} descriptors", flush=True)
            write_json(o, [*done, s.result()], complete=False)
        one, result = None, None
        try:
            one = Soak(t, seconds, workers, o.seed, o.rate, o.control, o.log_level, o.flaps)
            result = one.run(progress)
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
        trouble = "; ".join(filter(None, (trouble, t.finish()))) or None
        if result:
            done.append(result)
            print(table(result), flush=True)
            bad += failed_checks(result)
        if o.logs and (bad or trouble):
            os.makedirs(o.logs, exist_ok=True)
            with open(os.path.join(o.logs, f"{o.label}-soak-{workers}.log"), "w", encoding="utf-8") as f:
                f.write(t.logs())
        write_json(o, done, trouble, complete=not trouble)
        if trouble:
            print(f"FAILED {trouble}")
            break
    print(f"soak: {o.label}, seed {o.seed}: {'FAILED: ' + '; '.join(bad + [trouble or '']) if bad or trouble else 'everything held'}", flush=True)
    return 1 if bad or trouble else 0


def main(argv):
    o = parse(argv)
    if not o.in_netns:
        command = [*case.namespaces(), sys.executable, "-B", "-m", "harness.soak", *argv, "--in-netns", "--seed", str(o.seed)]
        return subprocess.run(command, check=False).returncode
    o.label, o.long, o.module = label_of(o.build), False, "soak"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folder = tempfile.mkdtemp(prefix="ctstub-soak-")
    os.chmod(folder, 0o755)
    try:
        return soak(o, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

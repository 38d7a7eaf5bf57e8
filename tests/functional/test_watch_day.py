"""The day a rogue certificate appears: issued, used, logged, found, blocked, and refused on a connection that is open."""
import glob
import os
import re
import signal
import subprocess
import time

from harness import net
from harness.case import case, check, equal, until
from harness.patience import patient
from harness.stillclock import StillClock

POLL_S = 5    # of the README's configuration
LIMIT_S = 10  # from the tree head that holds the entry to the refusal
QUIET_S = 0.3
BUSY_S = 4    # at most, for programs that run or wait for a processor


def commands(readme):
    """[(step, command, the lines shown after it)] of the walk, in order; a here-document belongs to its command."""
    walk = readme.split("## A walk through the day")[1].split("\n## ")[0]
    found, step, ending, attached = [], 0, None, False
    for line in walk.splitlines():
        number = re.match(r"\*\*(\d)\.", line)
        step = int(number[1]) if number else step
        text = line[4:] if line.startswith("    ") else None
        if text is None:
            attached = attached and not line
            continue
        if ending is not None:
            found[-1][1] += "\n" + text
            ending = None if text == ending else ending
        elif text.startswith("$ "):
            found.append([step, text[2:], []])
            attached = True
            here = re.search(r"<<(\w+)$", text)
            ending = here[1] if here else None
        elif attached:
            found[-1][2].append(text)
    return found


class Walk:
    """The README's commands as written, in an empty folder; only the ports are the test's own."""

    def __init__(self, t):
        self.t, self.folder = t, t.path("walk")
        os.makedirs(self.folder)
        self.clock = StillClock(t)
        t.defer(self.clock.run)
        self.ports = {n: net.free_port("127.0.0.1") for n in (8445, 8853, 5300)}
        with open(os.path.join(t.src, "contrib/lab/README.md"), encoding="utf-8") as f:
            self.commands = commands(f.read())
        self.running = {}

    def text(self, command):
        command = command.replace("ctstub-lab logs ", "ctstub-lab logs --listen 127.0.0.1:8445 ")
        for number, port in self.ports.items():
            command = re.sub(rf"\b{number}\b", str(port), command)
        return command

    def env(self, program):
        env = self.clock.env(self.t) if program in ("ctstubd", "ctstub-watch") else self.t.env()
        return {**env, "PATH": f"{self.t.build}:{env['PATH']}"}

    def start(self, command, says):
        """A program that stays."""
        words = self.text(command).removesuffix("&").split()
        name = "-".join(w for w in words[:2] if not w.startswith("-") and w != "-c")
        self.running[name] = self.t.spawn(name, ["/usr/bin/env", *words], env=self.env(words[0]), cwd=self.folder)
        if says:
            self.running[name].wait_log(says, 40)
        return self.running[name]

    def run(self, command, shown=()):
        done = subprocess.run(["/bin/sh", "-c", self.text(command)], cwd=self.folder, env=self.env("sh"), timeout=60,
                              check=False, capture_output=True, text=True)
        out = done.stdout + done.stderr
        for line in shown:
            wanted = re.sub(r"^;+ ", "", self.text(line))
            check(wanted in out, f"{command}: {wanted!r} is not in {out}")
        return out

    def busy(self):
        """Logs, impostor or watcher run, or wait for a processor or disk: they may have more to say."""
        for name, process in self.running.items():
            if name == "ctstubd":  # a timer of the kernel's clock wakes it all the time while its own clock stands still
                continue
            for path in glob.glob(f"/proc/{process.pid}/task/*/stat"):
                try:
                    with open(path, encoding="ascii", errors="replace") as f:
                        if f.read().rsplit(")", 1)[1].split()[0] in "RD":
                            return True
                except OSError:
                    pass  # that thread has ended
        return False

    def quiet(self):
        """Until nobody writes anything any more, or is about to."""
        def size():
            return [os.path.getsize(p.log_path) for p in self.running.values()]
        before, since = size(), time.monotonic()
        most = since + patient(BUSY_S)
        while time.monotonic() - since < QUIET_S:
            time.sleep(0.02)
            now = size()
            if now != before or (time.monotonic() < most and self.busy()):
                before, since = now, time.monotonic()

    def wait_scripted(self, condition, seconds, what):
        """Moves the clock of daemon and watcher, a second at a time; how many it took."""
        for passed in range(seconds + 1):
            self.quiet()
            if condition():
                return passed
            self.clock.advance(1)
            if "ctstub-watch" in self.running:  # its wait is measured by the kernel's clock
                os.kill(self.running["ctstub-watch"].pid, signal.SIGCONT)
        raise AssertionError(f"not within {seconds} scripted seconds: {what}: {self.t.logs()[-1500:]}")


@case("the commands of the lab's README, \"A walk through the day\": the impostor is refused within ten scripted seconds", timeout=180)
def day(t):
    walk = Walk(t)
    says = {"ctstub-lab": "listening", "ctstubd": "listening", "ctstub-watch": "watching"}
    passed = {}
    for step, command, shown in walk.commands:
        program = command.split()[0]
        if program in says:
            walk.start(command, None if program == "ctstubd" else says[program])
        elif program == "dig" and step == 3:
            until(lambda: net.answers_tcp("127.0.0.1", walk.ports[5300]), 20, "the daemon listens")
            walk.run(command, shown)
        elif program == "dig":
            passed[step] = walk.wait_scripted(
                lambda: re.search(r"\brefused\b.*reason=disallowed", walk.running["ctstubd"].log()), 3 * LIMIT_S, "the refusal")
            walk.run(command, shown)
        else:
            if step == 5:  # the watcher has read everything before
                walk.wait_scripted(lambda: heads_read(walk), POLL_S, "all logs are read")
            walk.run(command, shown)
    check(passed[6] < LIMIT_S, f"{passed[6]} scripted seconds from the tree head to the refusal")
    found = walk.running["ctstub-watch"].log()
    check("rogue" in found and "blocked" in found, found[-900:])
    walk.wait_scripted(lambda: "problem=head-forked log=alpha-1" in walk.running["ctstub-watch"].log(), 4 * POLL_S, "the fork")
    equal({n for n, _, _ in walk.commands}, {1, 2, 3, 4, 5, 6, 7}, "steps that have commands")


def heads_read(walk):
    log = walk.running["ctstub-lab-logs"].log()
    return log.count("/ct/v1/get-sth ") + log.count("/checkpoint ") >= 13


@case("without the watcher nothing refuses the impostor", timeout=120)
def control(t):
    walk = Walk(t)
    for step, command, shown in walk.commands:
        program = command.split()[0]
        if program == "ctstub-watch" or step > 5:
            continue
        if program in ("ctstub-lab", "ctstubd"):
            walk.start(command, "listening" if program == "ctstub-lab" else None)
        else:
            if program == "dig":
                until(lambda: net.answers_tcp("127.0.0.1", walk.ports[5300]), 20, "the daemon listens")
            walk.run(command, shown)
    for _ in range(LIMIT_S):
        walk.clock.advance(1)
        walk.quiet()
    check("reason=disallowed" not in walk.running["ctstubd"].log(), "refused all the same")
    equal("NOERROR" in walk.run("dig @127.0.0.1 -p 5300 third.example.com"), True, "an answer")

"""Programs that a run starts: they end with it, and what they used of the processors is noted for the task that started them.

A child's time includes that of its own children which it waited for. Processes that a killed program leaves behind, and those
that systemd starts in a container, are not counted.
"""
import contextlib
import os
import resource
import signal
import subprocess
import threading
import time

from harness.patience import patient

GRACE_S = 15  # on a quiet machine: a module of tests ends what its test started, which is in process groups of its own


class Times:
    """Each task of a run: seconds of a processor, and from when to when."""

    def __init__(self):
        self.begun = time.monotonic()
        self.lock = threading.Lock()
        self.mine = threading.local()
        self.rows = {}  # task: [seconds of a processor, begin, end], the latter two since the run began

    def since(self):
        return time.monotonic() - self.begun

    @contextlib.contextmanager
    def of(self, task):
        """From here on the task is charged for what this thread starts."""
        self.mine.task = task
        with self.lock:
            self.rows.setdefault(task, [0.0, self.since(), 0.0])
        try:
            yield
        finally:
            self.mine.task = None
            with self.lock:
                self.rows[task][2] = self.since()

    def used(self, usage):
        """A child of this thread has ended."""
        task = getattr(self.mine, "task", None) or "others"
        with self.lock:
            row = self.rows.setdefault(task, [0.0, self.since(), 0.0])
            row[0] += usage.ru_utime + usage.ru_stime
            row[2] = self.since()

    def table(self):
        """Lines, the most expensive task first: seconds of a processor, seconds, when it began, task."""
        own = resource.getrusage(resource.RUSAGE_SELF)
        rows = [(cpu, end - begin, begin, task) for task, (cpu, begin, end) in self.rows.items()]
        rows.append((own.ru_utime + own.ru_stime, self.since(), 0.0, "the run itself"))
        return [f"{cpu:8.1f} {wall:8.1f} {begin:8.1f}  {task}" for cpu, wall, begin, task in sorted(rows, reverse=True)]

    def summary(self, processors):
        total, wall = sum(row[0] for row in self.rows.values()), self.since()
        return f"{total:.0f} s of a processor, {100 * total / processors / wall:.0f} % of {processors} processors"


class Children:
    def __init__(self):
        self.times = Times()
        self.running = set()
        self.ending = False

    def start(self, command, **options):
        """In a process group of its own, without input. Never returns once all are being ended."""
        while self.ending:
            time.sleep(1)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
        self.running.add(process)
        return process

    def wait(self, process):
        """Returns its exit code; the rest of its group is killed."""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.running.discard(process)
        self.kill(process)
        self.times.used(usage)
        return process.returncode

    def run(self, command, out, timeout, **options):
        """Its output goes to the file `out`; its exit code, or None when its time was up."""
        process = self.start(command, stdout=out, stderr=subprocess.STDOUT, **options)
        ended = threading.Event()

        def too_late():
            if not ended.is_set():
                late.append(True)
                self.end(process)
        late, timer = [], threading.Timer(timeout, too_late)
        timer.start()
        try:
            code = self.wait(process)
        finally:
            ended.set()
            timer.cancel()
        return None if late else code

    @staticmethod
    def kill(process):
        """Kills the whole group, without waiting for it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    def end(self, process):
        """SIGTERM; the group is killed when that has not helped in time."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + patient(GRACE_S)
        while process in self.running and time.monotonic() < deadline:
            time.sleep(0.05)
        if process in self.running:
            self.kill(process)

    def end_all(self):
        """Another thread waits for each of them."""
        self.ending = True
        threads = [threading.Thread(target=self.end, args=[process]) for process in list(self.running)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

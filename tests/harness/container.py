"""A Debian of its own with systemd as PID 1: debootstrap makes the root folder once, systemd-nspawn boots it.

The container has a network namespace of its own with nothing but loopback in it. Programs are run in it through the
namespaces of its PID 1, so that neither D-Bus nor a machine manager is needed on the host.
"""
import contextlib
import os
import re
import subprocess
import time

from harness.case import Skip, check, until
from harness.patience import patient
from harness.roots import debootstrap, digest, extended

# What a small Debian has, what ctstub links against, and two programs that ask questions.
PACKAGES = """systemd systemd-sysv dbus ca-certificates bind9-dnsutils iproute2 python3-minimal
libcap-ng0 libfstrm0 libjansson4 libnghttp2-14 libprotobuf-c1 libseccomp2 libtasn1-6""".split()
RENAMED = {  # Debian 13 renamed the libraries whose interface has times in it
    "bookworm": "libcurl3-gnutls libevent-core-2.1-7 libgnutls30 libldns3 libpsl5".split(),
    "trixie": "libcurl3t64-gnutls libevent-core-2.1-7t64 libgnutls30t64 libldns3t64 libpsl5t64".split(),
}
BOOT_SECONDS = 60


def own_suite():
    """The release of this machine, whose libraries the build was linked with."""
    with open("/etc/os-release", encoding="utf-8") as f:
        found = dict(line.strip().split("=", 1) for line in f if "=" in line)
    return found.get("VERSION_CODENAME", "").strip('"')


def debian_root(t, suite=None, more=()):
    """The folder of a root of that suite (this machine's), made once under build-tests/roots, with more packages if a test
    wants them; each caller takes a copy of its own."""
    suite = suite or own_suite()
    if os.geteuid() != 0:
        raise Skip("a container needs root")
    if suite not in RENAMED:
        raise Skip(f"no container is known to run programs of this release ({suite or 'without a name'})")
    t.program("debootstrap")
    base = os.path.join(os.path.dirname(t.build), "roots")
    try:
        packages = PACKAGES + RENAMED[suite]
        root = debootstrap(suite, base, packages, f"machine-{suite}-{digest(packages)}")
        if more:
            root = extended(root, base, "more-" + suite, sorted(more))
    except RuntimeError as error:
        raise AssertionError(str(error)) from error
    return own_copy(t, root)


def own_copy(t, root):
    """What a test writes there is in its own folder: an overlay on the root, or a copy of it where the machine has no overlays."""
    copy, above, work = (t.path(name) for name in ("machine", "machine-above", "machine-work"))
    for folder in (copy, above, work):
        os.mkdir(folder)
    mount = ["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={root},upperdir={above},workdir={work}", copy]
    if re.search("[,:]", root + above) or subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        subprocess.run(["cp", "-a", "--reflink=auto", root + "/.", copy], check=True)
    else:
        t.defer(lambda: subprocess.run(["umount", "-l", copy], check=True))
    return copy


class Group:
    """A control group of its own, below that of this process, in each hierarchy in which systemd may keep its units: its
    own of version 1, and that of version 2. Containers that boot side by side in the same group would end each other's
    services."""

    def __init__(self, name):
        with open("/proc/self/cgroup", encoding="ascii") as f:
            here = {line.split(":", 2)[1]: line.strip().split(":", 2)[2] for line in f}
        self.folders = []
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            for mount, _, what in (line.partition(" - ") for line in f):
                kind = {"cgroup": "name=systemd", "cgroup2": ""}.get(what.split()[0])
                if kind in here and kind in what:
                    root, folder = mount.split()[3:5]
                    self.folders.append(os.path.join(folder, os.path.relpath(here[kind], root), name))

    def enter(self):
        """In the process that becomes systemd-nspawn."""
        for folder in self.folders:
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, "cgroup.procs"), "w", encoding="ascii") as f:
                f.write("0")

    def remove(self):
        for top in self.folders:
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):  # a process that ends just now
                    os.rmdir(folder)


class Container:
    """One boot of a root folder. `run` gives exit code and output of a program inside."""

    def __init__(self, t, root):
        self.t, self.root, self.boots = t, root, 0
        self.nspawn = self.leader = None

    def boot(self):
        self.boots += 1
        command = [self.t.program("systemd-nspawn"), "-q", "-D", self.root, f"--machine=ctstub-{os.getpid()}-{self.boots}", "--register=no",
                   "--keep-unit", "--private-network", "--console=read-only", "--link-journal=no", "-b"]
        group = Group(f"ctstub-{os.getpid()}-{self.boots}")
        self.t.defer(group.remove)
        self.nspawn = self.t.spawn("nspawn", command, preexec=group.enter)
        self.nspawn.expect = None
        self.t.defer(self.kill)
        self.leader = until(self.find_leader, BOOT_SECONDS, "systemd-nspawn starts PID 1")
        until(self.is_up, BOOT_SECONDS, "systemd in the container reaches multi-user.target")

    def find_leader(self):
        check(self.nspawn.alive(), f"systemd-nspawn ended: {self.nspawn.log()[-600:]}")
        with open(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children", encoding="ascii") as f:
            children = f.read().split()
        for child in children:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # helpers that nspawn starts come and go
                with open(f"/proc/{child}/status", encoding="ascii") as f:
                    inner = [line.split()[1:] for line in f if line.startswith("NSpid:")][0]
                if inner[-1] == "1":
                    return int(child)
        return None

    def is_up(self):
        check(self.nspawn.alive(), f"systemd-nspawn ended: {self.nspawn.log()[-600:]}")
        return self.run("systemctl", "is-active", "multi-user.target")[1].strip() == "active"

    def run(self, *command, seconds=60, stdin=None):
        """(exit code, output of both kinds)."""
        inside = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "--", "/usr/bin/env", "-i",
                  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", *command]
        done = subprocess.run(inside, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=patient(seconds))
        return done.returncode, done.stdout.decode(errors="replace")

    def must(self, *command, **options):
        code, out = self.run(*command, **options)
        check(code == 0, f"{' '.join(command)} ended with {code}: {out[-800:]}")
        return out

    def journal(self, unit):
        self.run("journalctl", "--sync")  # journald may not have read yet what a program has sent
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)[1]

    def state(self, unit, what="ActiveState"):
        return self.run("systemctl", "show", "-P", what, unit)[1].strip()

    def power_off(self):
        """An orderly end: PID 1 gets the signal to halt (SIGRTMIN+4), and nspawn ends after it."""
        os.kill(self.leader, 34 + 4)
        self.ended()

    def kill(self):
        """In any state of the container: with PID 1 everything in it ends."""
        if self.leader is not None and self.nspawn.alive():
            os.kill(self.leader, 9)
            self.ended()

    def ended(self):
        end = time.monotonic() + 60
        while self.nspawn.alive() and time.monotonic() < end:
            time.sleep(0.05)
        check(not self.nspawn.alive(), "the container did not end within 60 s")
        self.leader = None

"""Root folders: of another Debian release for `tests/run --root SUITE`, and one that is a mount point for namespaces.

A root is made once by debootstrap under build-tests/roots/SUITE. Each run copies the sources into it, gives itself a mount
namespace, makes that folder its root and goes on as the copy's own tests/run. Packages and builds stay in the root, so that
the next run is quick. The network is the machine's own: the packages come from there.
"""
import ctypes
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

from harness.build import Builds

MIRROR = "http://deb.debian.org/debian"
SUITES = ("bookworm", "trixie")
SOURCES = "srv/ctstub"  # where the sources are in a root: every user may enter, unlike /root
DEBOOTSTRAP_SECONDS = 1200

# <sched.h>, <sys/mount.h>
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH, SYS_PIVOT_ROOT = 0x20000, 0x1000, 0x4000, 0x40000, 2, \
    {"x86_64": 155, "aarch64": 41}.get(os.uname().machine)
libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    """A system call that must succeed."""
    if function(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{getattr(function, '__name__', 'call')}: {os.strerror(error)}")


def mount(source, target, flags, kind=None):
    call(libc.mount, source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags), None)


def root_is_mounted():
    """False in a plain chroot: its root is a folder of another mount."""
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        return any(line.split()[4] == "/" for line in f)


def make_root(folder):
    """The folder becomes the root of this process, whose mount namespace must be its own."""
    os.chdir(folder)
    call(libc.syscall, ctypes.c_long(SYS_PIVOT_ROOT), b".", b".")  # pivot_root(2): the old root lies on top of the new one
    call(libc.umount2, b".", MNT_DETACH)
    os.chdir("/")


def own_mounts():
    """A mount namespace of our own in which nothing is shared with the machine, and whose root is a mount point.

    In a plain chroot the kernel refuses both to make the mounts private ("cannot change root filesystem propagation") and to
    make user namespaces. Entering our own mount namespace once more leads to its real root; from there the folder can be
    bound to itself and become the root. The files are the same as before.
    """
    here, chrooted = os.getcwd(), not root_is_mounted()
    root, mounts = None, None
    if chrooted:
        mounts = os.open("/proc/self/ns/mnt", os.O_RDONLY) if libc.unshare(CLONE_NEWNS) == 0 else None
        if mounts is None:
            raise OSError(ctypes.get_errno(), "unshare: " + os.strerror(ctypes.get_errno()))
        root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        call(libc.setns, mounts, CLONE_NEWNS)
        mount("none", "/", MS_REC | MS_PRIVATE)
        os.fchdir(root)
        folder = os.getcwd()
        mount(folder, folder, MS_BIND | MS_REC)
        make_root(folder)
        os.close(root)
        os.close(mounts)
    else:
        call(libc.unshare, CLONE_NEWNS)
        mount("none", "/", MS_REC | MS_PRIVATE)
    os.chdir(here)


def once(base, name, make):
    """The folder base/NAME, which make(folder) fills, once: tests that run side by side wait for each other."""
    root, making = os.path.join(base, name), os.path.join(base, name + ".part")
    os.makedirs(base, exist_ok=True)
    with open(os.path.join(base, name + ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(root):
            shutil.rmtree(making, ignore_errors=True)
            make(making)
            os.rename(making, root)
    return root


def must(command):
    """Raises RuntimeError with the end of what the program printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=DEBOOTSTRAP_SECONDS,
                          env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", DEBIAN_FRONTEND="noninteractive"))
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)[:60]}: {done.stdout.decode(errors='replace')[-600:]}")


def digest(packages):
    """A hash of a list of packages, for the name of a root: another list gets another root."""
    return hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]


def debootstrap(suite, base, include, name=None):
    """The folder base/NAME with that release, made once. Raises RuntimeError with the end of debootstrap's output."""
    program = shutil.which("debootstrap", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not program:
        raise RuntimeError("debootstrap is not on this machine")
    return once(base, name or suite, lambda folder: must([program, "--variant=minbase", "--include=" + ",".join(include), suite, folder, MIRROR]))


def extended(root, base, name, packages):
    """The folder base/NAME: a copy of that root with more packages, made once."""
    def make(folder):
        must(["cp", "-a", "--reflink=auto", root, folder])
        must(["chroot", folder, "apt-get", "update", "-q"])
        must(["chroot", folder, "apt-get", "install", "-qy", "--no-install-recommends", *packages])
    return once(base, f"{name}-{digest((root, *packages))}", make)


class Sources(Builds):
    """The copy of the sources in a root: the same rules as for build-tests/src."""

    def __init__(self, top, root):
        super().__init__(top, 1)
        self.src = os.path.join(root, SOURCES)
        self.base = os.path.dirname(self.src)  # the manifest is next to the copy


def enter(root):
    """Goes into the root with /proc, /sys and /dev of the machine."""
    own_mounts()
    mount(root, root, MS_BIND | MS_REC)
    for name in ("proc", "sys", "dev"):
        mount("/" + name, os.path.join(root, name), MS_BIND | MS_REC)
    make_root(root)


def run_in(top, suite, arguments):
    """Becomes tests/run --quick in a root of that suite; returns only by an exception."""
    if suite not in SUITES:
        raise RuntimeError(f"{suite} is none of {' '.join(SUITES)}")
    if os.geteuid() != 0:
        raise RuntimeError("only root can enter a root")
    root = debootstrap(suite, os.path.join(top, "build-tests", "roots"), ["ca-certificates"])
    Sources(top, root).copy_files()
    shutil.copyfile("/etc/resolv.conf", os.path.join(root, "etc/resolv.conf"))
    enter(root)
    kept = {name: os.environ[name] for name in ("CI", "TERM") if name in os.environ}
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", **kept}
    program = f"/{SOURCES}/tests/run"
    os.chdir(f"/{SOURCES}")
    sys.stdout.flush()
    os.execve(program, [program, "--quick", *arguments], env)


def main(suite, *arguments):
    top = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
    try:
        run_in(top, suite, arguments)
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"not ok root/{suite}: {error}\n0 passed, 1 failed")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

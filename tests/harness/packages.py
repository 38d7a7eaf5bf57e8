"""Servers from Debian, unpacked into the build tree and never installed: no script or service of a package is ever run."""
import glob
import hashlib
import os
import shutil
import subprocess

PATHS = ("usr/sbin", "usr/bin", "sbin", "bin", "usr/libexec", "lib/systemd", "usr/lib/systemd")


class Unpacked:
    """A folder with the files of some packages and of everything they need that is not installed here."""

    def __init__(self, folder):
        self.folder = folder
        self.root = os.path.join(folder, "root")

    def fetch(self, packages):
        """Downloads and unpacks what is missing. Raises OSError or CalledProcessError with the reason."""
        want = hashlib.sha256(" ".join(sorted(packages)).encode()).hexdigest()
        stamp = os.path.join(self.folder, "stamp-" + want[:16])
        if os.path.exists(stamp):
            return
        os.makedirs(os.path.join(self.folder, "debs"), exist_ok=True)
        names = self._needed(packages)
        if names:
            subprocess.run(["apt-get", "-q", "download", *names], cwd=os.path.join(self.folder, "debs"), check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for deb in glob.glob(os.path.join(self.folder, "debs", "*.deb")):
            subprocess.run(["dpkg-deb", "-x", deb, self.root], check=True)
            os.unlink(deb)
        with open(stamp, "w", encoding="utf-8") as f:
            f.write(" ".join(names) + "\n")

    @staticmethod
    def _needed(packages):
        """What apt would install for them, and they themselves, when a simulation says so (no root needed)."""
        out = subprocess.run(["apt-get", "-s", "-q", "install", "--no-install-recommends", *packages], check=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.decode()
        return [line.split()[1] for line in out.splitlines() if line.startswith("Inst ")]

    def find(self, program):
        """The path of a program: unpacked here, or installed on this machine. None when there is neither."""
        for folder in PATHS:
            path = os.path.join(self.root, folder, program)
            if os.path.exists(path):
                return path
        return shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")

    def env(self):
        """The environment in which unpacked programs find their libraries."""
        env = dict(os.environ)
        folders = []
        for pattern in ("usr/lib/*-linux-gnu", "usr/lib/*-linux-gnu/*", "usr/lib", "lib/*-linux-gnu"):
            folders += [f for f in glob.glob(os.path.join(self.root, pattern)) if glob.glob(os.path.join(f, "*.so*"))]
        if folders:
            env["LD_LIBRARY_PATH"] = ":".join(folders)
        return env


def wanted(top, group):
    """The packages of one group in tests/servers."""
    with open(os.path.join(top, "tests", "servers"), encoding="utf-8") as f:
        rows = [line.split("#")[0].split() for line in f]
    return [row[1] for row in rows if row and row[0] == group]

"""Servers in a container's network besides its hostile DHCP server: resolvers over TLS, and a web server with a small Debian
archive. They run in threads of the test, with sockets in the network's namespace."""
import contextlib
import ctypes
import functools
import hashlib
import http.server
import os
import socket
import subprocess
import threading

from harness import wire
from harness.case import check
from harness.dhcp import SERVER
from harness.pki import Site
from harness.upstream import DotServer

CLONE_NEWNET = 0x40000000
MIRROR = "mirror.example.net"
LAB_FOLDER = "/srv/lab"  # in the container: anchors and logs of the toy world
CONFIG_FILE = "/etc/ctstub/conf.d/lab.conf"
PACKAGE = """Package: hello-lab
Version: {version}
Architecture: all
Maintainer: ctstub authors <ctstub@example.org>
Description: nothing at all
"""


@contextlib.contextmanager
def network_of(pid):
    """While it lasts, sockets that this thread makes are in that process's network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as home, open(f"/proc/{pid}/ns/net", "rb") as there:
        check(libc.setns(there.fileno(), CLONE_NEWNET) == 0, f"setns: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            check(libc.setns(home.fileno(), CLONE_NEWNET) == 0, f"setns: {os.strerror(ctypes.get_errno())}")


def answer(q):
    """The mirror has the address of the network's server; all other names have addresses that lead nowhere."""
    if q.name.lower().rstrip(".") != MIRROR:
        return wire.answer(q)
    records = [wire.record(b"\xc0\x0c", wire.A, 300, socket.inet_aton(SERVER))] if q.qtype == wire.A else []
    return wire.answer(q, records=records)


class Resolver:
    """A good resolver over TLS on port 853 of an address in that network; asked() are the names that came."""

    def __init__(self, t, network, address=SERVER, prefix="outside", answers=answer):
        self.site = Site(t, ips=(address,), with_ct=True, prefix=prefix)
        network.has(address)
        with network_of(network.server.pid):
            self.server = DotServer(t, self.site, address=address, port=853, answer=answers)

    def asked(self):
        return {q.name.lower().rstrip(".") for q in self.server.questions}

    def put_files(self, root, folder=LAB_FOLDER):
        """Anchors and logs, where the container's daemon can read them."""
        os.makedirs(root + folder, mode=0o755, exist_ok=True)
        for name, source in (("anchors.pem", self.site.anchors), ("logs.json", self.site.log_list)):
            with open(source, "rb") as f, open(f"{root}{folder}/{name}", "wb") as to:
                to.write(f.read())

    def configuration(self, folder=LAB_FOLDER, title="lab"):
        return (f'upstream "{title}" {{\n  address = {{"{self.server.address}"}}\n  trust-anchors = "{folder}/anchors.pem"\n'
                f'  ct-logs = "{folder}/logs.json"\n}}\n')


class Mirror:
    """http://mirror.example.net/: an archive of one package, for apt and curl."""

    def __init__(self, t, network):
        self.folder = t.path("mirror")
        self.asked = []
        self.make(t)
        mirror = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                mirror.asked.append(self.path)

        network.has(SERVER)
        with network_of(network.server.pid):
            server = http.server.ThreadingHTTPServer((SERVER, 80), functools.partial(Handler, directory=self.folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        t.defer(server.server_close)
        t.defer(server.shutdown)

    def make(self, t):
        control = PACKAGE.format(version="1")
        tree = t.path("hello")
        os.makedirs(f"{tree}/DEBIAN")
        os.makedirs(self.folder)
        with open(f"{tree}/DEBIAN/control", "w", encoding="ascii") as f:
            f.write(control)
        deb = f"{self.folder}/hello-lab_1_all.deb"
        subprocess.run(["dpkg-deb", "-b", "--root-owner-group", tree, deb], check=True, stdout=subprocess.DEVNULL)
        with open(deb, "rb") as f:
            data = f.read()
        with open(f"{self.folder}/Packages", "w", encoding="ascii") as f:
            f.write(f"{control}Filename: ./hello-lab_1_all.deb\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n")

    @staticmethod
    def use(root):
        """The archive becomes the only one of that root."""
        for name in os.listdir(f"{root}/etc/apt/sources.list.d"):
            os.unlink(f"{root}/etc/apt/sources.list.d/{name}")
        with open(f"{root}/etc/apt/sources.list", "w", encoding="ascii") as f:
            f.write(f"deb [trusted=yes] http://{MIRROR}/ ./\n")

"""A home and the rest of the world: two network namespaces with a captured link between them.

For tests with netns=True: they run in the home. The world has upstreams at the addresses that real ones have.
"""
import ctypes
import os
import socket
import struct
import subprocess
import threading
import uuid

from harness import wire
from harness.case import Skip, check
from harness.pki import Site
from harness.upstream import DohServer, DotServer

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 263, 6, 23
UP4, UP6, DOH4 = "1.1.1.1", "2606:4700:4700::1111", "9.9.9.9"
HOME4, HOME6, GATE4, GATE6 = "192.0.2.2", "2001:db8::2", "192.0.2.1", "2001:db8::1"
CLEAR_PORTS = (53, 5353, 5355)


def ip(*words):
    done = subprocess.run(["ip", *words], stderr=subprocess.PIPE, check=False)
    check(done.returncode == 0, f"ip {' '.join(words)}: {done.stderr.decode().strip()}")


class World:
    """`with world:` the thread, its sockets and its children are out there."""

    def __init__(self, t):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if self.libc.unshare(CLONE_NEWNET) != 0:
            raise Skip(f"no second network namespace: {os.strerror(ctypes.get_errno())}")
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.go(self.home)
        self.capture = None
        t.defer(self.close)
        ip("link", "add", "wire0", "type", "veth", "peer", "name", "wire1")
        ip("link", "set", "wire1", "netns", f"/proc/{os.getpid()}/fd/{self.fd}")
        with self:
            ip("link", "set", "lo", "up")
            ip("link", "set", "wire1", "up")
            for address in (GATE4 + "/24", "192.0.2.254/24", UP4 + "/32", DOH4 + "/32"):
                ip("addr", "add", address, "dev", "wire1")
            for address in (GATE6 + "/64", UP6 + "/128"):
                ip("-6", "addr", "add", address, "dev", "wire1", "nodad")
        ip("link", "set", "wire0", "up")
        ip("addr", "add", HOME4 + "/24", "dev", "wire0")
        ip("-6", "addr", "add", HOME6 + "/64", "dev", "wire0", "nodad")
        self.routes()

    @staticmethod
    def routes():
        ip("route", "replace", "default", "via", GATE4)
        ip("-6", "route", "replace", "default", "via", GATE6)

    def go(self, namespace):
        check(self.libc.setns(namespace, CLONE_NEWNET) == 0, "setns")

    def __enter__(self):
        self.go(self.fd)
        return self

    def __exit__(self, *_):
        self.go(self.home)

    def close(self):
        if self.capture:
            self.capture.end()
        os.close(self.fd)
        os.close(self.home)

    def serve(self, t, site, kind=DotServer, address=UP4, **options):
        with self:
            return kind(t, site, address=address, port=443 if kind is DohServer else 853, **options)


class Capture:
    """Every frame that comes out of the home, until the end."""

    def __init__(self, world):
        with world:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        except PermissionError as error:
            raise Skip("only the machine's root may have a buffer that loses no frame") from error
        self.socket.bind(("wire1", 0))
        self.socket.settimeout(0.1)
        self.frames = []
        self.ended = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        world.capture = self

    def _read(self):
        while True:
            try:
                self.frames.append(self.socket.recv(65536))
            except TimeoutError:
                if self.ended:
                    return

    def end(self):
        """What was captured; nothing is missing."""
        if not self.ended:
            self.ended = True
            self.thread.join(10)
            _, dropped = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
            self.socket.close()
            check(dropped == 0, f"{dropped} frames were not seen")
        return self.frames


def ports(frame):
    """(source, destination) of UDP and TCP; None for anything else."""
    kind = frame[12:14]
    if kind == b"\x08\x00":
        protocol, at = frame[23], 14 + 4 * (frame[14] & 15)
    elif kind == b"\x86\xdd":
        protocol, at = frame[20], 54
    else:
        return None
    return struct.unpack(">HH", frame[at:at + 4]) if protocol in (6, 17) else None


def leaks(frames, tokens):
    """Descriptions of what must not be in these frames."""
    found = []
    for frame in frames:
        p = ports(frame)
        if p and (p[0] in CLEAR_PORTS or p[1] in CLEAR_PORTS):
            found.append(f"a packet between ports {p}")
        low = frame.lower()
        found += [f"the token {t} in clear text, ports {p}" for t in tokens if t.encode() in low]
    return found


class Tokens:
    """Names that no other program asks for."""

    def __init__(self):
        self.all = []

    def name(self):
        self.all.append(uuid.uuid4().hex)
        return self.all[-1] + ".example.com"


def resolver_in_clear(t, world):
    """A server in the world that answers everything on UDP port 53, as a bait."""
    with world:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND: a test may take the address away
    s.bind((UP4, 53))
    s.settimeout(0.2)
    ended = []

    def serve():
        while not ended:
            try:
                data, peer = s.recvfrom(4096)
                s.sendto(wire.answer(wire.Question(data)), peer)
            except (OSError, IndexError, struct.error):
                continue
    threading.Thread(target=serve, daemon=True).start()
    t.defer(lambda: (ended.append(1), s.close()))


def site_of(t, **options):
    return Site(t, ips=(UP4, UP6, DOH4), **options)


def mounted(t, path, text):
    source = t.write(path.strip("/").replace("/", "-"), text)
    done = subprocess.run(["mount", "--bind", source, path], stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Skip(f"{path} cannot be covered: {done.stderr.decode().strip()}")

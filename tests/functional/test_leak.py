"""A6: never a packet in clear text. The daemon is alone in a network of its own; everything that leaves it is captured."""
import os
import random
import socket
import struct
import subprocess
import sys
import threading

from harness import client, wire
from harness.case import Skip, case, check, equal, until
from harness.daemon import Daemon, upstream
from harness.pki import Site

# The far end of the cable, in a network namespace of its own: captures every frame and answers on TCP 853 as told.
OUTSIDE = r'''
import json, os, socket, sys, threading
sys.path.insert(0, sys.argv[1])
capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
capture.bind(("far", 0))
log = open(sys.argv[2], "ab", buffering=0)
def take():
    while True:
        frame = capture.recv(65535)
        log.write(len(frame).to_bytes(4, "big") + frame)
threading.Thread(target=take, daemon=True).start()
if sys.argv[3] != "nobody":
    from harness.upstream import DotServer
    class T:
        def defer(self, f): pass
    class Site:
        chain, key_file = sys.argv[3], sys.argv[4]
    server = DotServer(T(), Site, address="192.0.2.1", port=853)
print("ready", flush=True)
sys.stdin.read()
'''


class Cable:
    """A veth pair: `near` is ours with 192.0.2.2, `far` is in another namespace with 192.0.2.1 and a default route."""

    def __init__(self, t, chain="nobody", key="nobody"):
        self.frames_path = t.path("frames")
        open(self.frames_path, "wb").close()
        self.holder = subprocess.Popen(["unshare", "--net", sys.executable, "-B", "-c", "print('up', flush=True)\nimport sys\nsys.stdin.readline()\n"
                                        "import os\nos.execv(sys.executable, [sys.executable, '-B', '-c', sys.argv[1], *sys.argv[2:]])",
                                        OUTSIDE, os.path.join(t.top, "tests"), self.frames_path, chain, key],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        t.defer(self.close)
        check(self.holder.stdout.readline() == b"up\n", "the far namespace")
        try:
            run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(self.holder.pid))
        except subprocess.CalledProcessError as error:
            raise Skip(f"no veth pair here: {error.stderr.decode().strip()}") from error
        run("ip", "addr", "add", "192.0.2.2/24", "dev", "near")
        run("ip", "link", "set", "near", "up")
        run("ip", "route", "add", "default", "via", "192.0.2.1")
        far = ["nsenter", "-t", str(self.holder.pid), "-n"]
        run(*far, "ip", "addr", "add", "192.0.2.1/24", "dev", "far")
        run(*far, "ip", "link", "set", "far", "up")
        run(*far, "ip", "link", "set", "lo", "up")
        self.holder.stdin.write(b"\n")
        self.holder.stdin.flush()
        check(self.holder.stdout.readline() == b"ready\n", "the far end is ready")

    def close(self):
        self.holder.stdin.close()
        self.holder.kill()
        self.holder.wait()

    def frames(self):
        with open(self.frames_path, "rb") as f:
            data = f.read()
        at = 0
        while at + 4 <= len(data):
            n = int.from_bytes(data[at:at + 4], "big")
            if at + 4 + n <= len(data):
                yield data[at + 4:at + 4 + n]
            at += 4 + n

    def leaks(self, tokens):
        """What must not have been seen: a token in any frame, or a packet to a port of clear DNS."""
        found = []
        for frame in self.frames():
            low = frame.lower()
            found += [f"token {token}" for token in tokens if token.encode() in low]
            if frame[12:14] == b"\x08\x00" and frame[23] in (6, 17):
                at = 14 + (frame[14] & 15) * 4
                source, port = struct.unpack(">HH", frame[at:at + 4])
                if port in (53, 5353, 5355):
                    found.append(f"a packet to port {port}")
        return found


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ask_all(d, tokens, seconds=6):
    """Every token as a name, over UDP and TCP; whatever the answers are."""
    def one(i, token):
        try:
            d.ask(f"{token}.example.com", tcp=i % 2 == 1, timeout=seconds)
        except (OSError, AssertionError):
            pass
    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(tokens)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def new_tokens(n):
    return [f"{random.getrandbits(64):016x}{random.getrandbits(64):016x}" for _ in range(n)]


@case("A6 no token and no packet to port 53 leaves, whatever the upstream does; the capture detects a leak", netns=True, timeout=120)
def captured(t):
    site = Site(t, ips=("192.0.2.1",))
    other = Site(t, ips=("192.0.2.1",), prefix="other")
    cable = Cable(t, site.chain, site.key_file)
    server = type("Far", (), {"address": "192.0.2.1", "port": 853, "alpn": ["dot"]})
    tokens = []
    for name, anchors, address in (("good", site.anchors, "192.0.2.1"), ("refused", other.anchors, "192.0.2.1"), ("gone", site.anchors, "192.0.2.77"),
                                   ("far", site.anchors, "198.51.100.1")):
        d = Daemon(t, upstream("one", server, address=[address]), anchors=anchors, name=name)
        mine = new_tokens(8)
        tokens += mine
        ask_all(d, mine)
        if name == "good":
            equal(client.rcode(d.ask("plain.example.com")), "NOERROR", "rcode while all is well")
        for special in ("localhost", "local", "onion", "home.arpa", "10.in-addr.arpa", "resolver.arpa", "service.arpa"):
            token = new_tokens(1)[0]
            tokens.append(token)
            d.ask(f"{token}.{special}")
        d.process.stop()
    check(any(struct.pack(">H", 853) in frame for frame in cable.frames()), "the capture saw no TLS at all")
    leaks = cable.leaks(tokens)
    check(not leaks, f"{len(leaks)} leaks: {sorted(set(leaks))[:5]}")
    # The negative control: one question in clear text, which the capture must see both ways.
    token = new_tokens(1)[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(wire.question(f"{token}.example.com"), ("192.0.2.1", 53))
    until(lambda: set(cable.leaks([token])) >= {f"token {token}", "a packet to port 53"}, 5, "the deliberate leak is seen")

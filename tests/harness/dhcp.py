"""A network of our own with a hostile DHCP server: it gives itself as the resolver, and search domains, and it records every
packet in which a name can be read. Run as a program it is that server."""
import json
import os
import socket
import struct
import subprocess
import sys
import time

from harness.case import until

SERVER = "192.0.2.1"
CLIENT = "192.0.2.50"
DOMAINS = ("search.example", "corp.example")
LEASE = "lease"
CLEAR_PORTS = {53: "DNS", 5353: "mDNS", 5355: "LLMNR", 137: "NetBIOS"}
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6, UDP, TCP = 3, 0x0800, 0x86DD, 17, 6
SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>


# ---- the server's side

def option(code, value):
    return bytes([code, len(value)]) + value


def name_bytes(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def reply_to(request):
    """A BOOTREPLY (RFC 2131) for DISCOVER and REQUEST; None for anything else."""
    if len(request) < 244 or request[0] != 1 or request[236:240] != b"\x63\x82\x53\x63":
        return None
    kind, rest = None, request[240:]
    while rest and rest[0] != 255:
        if rest[0] == 0:
            rest = rest[1:]
            continue
        if rest[0] == 53:
            kind = rest[2]
        rest = rest[2 + rest[1]:]
    if kind not in (1, 3):
        return None
    head = bytearray(request[:236])
    head[0] = 2
    head[16:20], head[20:24] = socket.inet_aton(CLIENT), socket.inet_aton(SERVER)
    server = socket.inet_aton(SERVER)
    return bytes(head) + b"\x63\x82\x53\x63" + option(53, bytes([2 if kind == 1 else 5])) + option(54, server) + \
        option(51, struct.pack("!I", 3600)) + option(1, socket.inet_aton("255.255.255.0")) + option(3, server) + option(6, server) + \
        option(15, DOMAINS[0].encode()) + option(119, b"".join(map(name_bytes, DOMAINS))) + b"\xff"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def datagram(source, destination, port_from, port_to, payload):
    """IPv4 with a UDP datagram; its checksum of 0 means that there is none. Clients read raw frames."""
    udp = struct.pack("!HHHH", port_from, port_to, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, UDP, 0, socket.inet_aton(source), socket.inet_aton(destination))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp


def answer_to(query):
    """An address of the attacker for A, an empty answer for the rest."""
    end = query.index(b"\0", 12) + 1
    kind = struct.unpack("!H", query[end:end + 2])[0]
    records = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton("192.0.2.66") if kind == 1 else b""
    return query[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, 1 if records else 0, 0, 0) + query[12:end + 4] + records


def transport_of(frame):
    """(protocol, source, source port, destination port, payload) of an IP packet, or None."""
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == ETH_P_IP:
        packet = frame[14:]
        size, protocol, source = (packet[0] & 15) * 4, packet[9], socket.inet_ntoa(packet[12:16])
    elif kind == ETH_P_IPV6:
        packet, size = frame[14:], 40
        protocol, source = packet[6], socket.inet_ntop(socket.AF_INET6, packet[8:24])
    else:
        return None
    if protocol not in (UDP, TCP) or len(packet) < size + 8:
        return None
    port_from, port_to = struct.unpack("!HH", packet[size:size + 4])
    return protocol, source, port_from, port_to, packet[size + 8:]


def receive(wire):
    """(frame, when the kernel saw it): on a busy machine it is read later, perhaps in the next part of a test."""
    frame, more, _, _ = wire.recvmsg(65535, 64)
    for level, kind, data in more:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("@ll", data[:16])
            return frame, seconds + nanoseconds / 1e9
    return frame, time.time()


def serve(interface, log):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    wire.bind((interface, ETH_P_ALL))
    own = wire.getsockname()[4]

    def note(when, *row):
        log.write(json.dumps([when, *row]) + "\n")
        log.flush()
    while True:
        try:
            frame, when = receive(wire)
        except OSError:  # the link is not up yet
            time.sleep(0.05)
            continue
        if frame[6:12] == own or len(frame) < 14:
            continue
        found = transport_of(frame)
        if found is None:
            continue
        protocol, source, port_from, port_to, payload = found
        if port_to in CLEAR_PORTS:
            note(when, CLEAR_PORTS[port_to], "TCP" if protocol == TCP else "UDP", payload.decode("latin-1"))
        if protocol == UDP and port_to == 53 and len(payload) > 16:
            wire.send(frame[6:12] + own + b"\x08\x00" + datagram(SERVER, source, 53, port_from, answer_to(payload)))
        if protocol == UDP and port_to == 67:
            reply = reply_to(payload)
            if reply:
                note(when, LEASE)
                wire.send(b"\xff" * 6 + own + b"\x08\x00" + datagram(SERVER, "255.255.255.255", 67, 68, reply))


# ---- the test's side

class HostileNetwork:
    """One segment with the server and, after plug_in, a container's `host0`."""

    def __init__(self, t):
        self.t, self.file, self.since = t, t.path("clear-text"), 0.0
        open(self.file, "w", encoding="utf-8").close()
        tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self.server = t.spawn("dhcp", ["unshare", "-n", "env", f"PYTHONPATH={tests}", "/usr/bin/python3", "-B", "-m", "harness.dhcp", self.file])
        self.server.expect = None
        until(lambda: os.readlink(f"/proc/{self.server.pid}/ns/net") != os.readlink("/proc/self/ns/net"), 10, "a namespace of the server's own")

    def inside(self, *command):
        subprocess.run(["nsenter", "-t", str(self.server.pid), "-n", *command], check=True)

    def has(self, address):
        """From now on our servers may listen on this address of the network."""
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "addr", "replace", address + "/32", "dev", "lo")

    def plug_in(self, leader):
        self.inside("ip", "link", "add", "net0", "type", "veth", "peer", "name", "host0", "netns", str(leader))
        self.inside("ip", "addr", "add", SERVER + "/24", "dev", "net0")
        self.inside("ip", "link", "set", "net0", "up")
        subprocess.run(["nsenter", "-t", str(leader), "-n", "ip", "link", "set", "host0", "up"], check=True)

    def clear_text(self):
        """[kind, protocol, payload, seconds since forget()] of each packet: DNS over any transport, mDNS, LLMNR, NetBIOS."""
        return [[*row[1:], round(row[0] - self.since, 3)] for row in self.rows() if row[1] != LEASE]

    def leases(self):
        return sum(row[1] == LEASE for row in self.rows())

    def rows(self):
        """What the network saw since forget(), whenever the server read it."""
        with open(self.file, encoding="utf-8") as f:
            return [row for row in map(json.loads, f) if row[0] >= self.since]

    def forget(self):
        self.since = time.time()

    def log(self):
        return self.server.log()[-400:]


def main():
    end = time.monotonic() + 1200  # the first test of all makes the roots meanwhile
    while time.monotonic() < end and "net0" not in [name for _, name in socket.if_nameindex()]:
        time.sleep(0.05)
    with open(sys.argv[1], "a", encoding="utf-8") as log:
        serve("net0", log)


if __name__ == "__main__":
    main()

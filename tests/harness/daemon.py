"""ctstubd with a configuration in the test's folder."""
import json
import os
import socket

from harness import client, net
from harness.case import check, until
from harness.patience import patient


def value(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return str(v)
    if isinstance(v, (list, tuple)):
        return "{" + ", ".join(value(x) for x in v) + "}"
    return '"' + str(v).replace("\\", "\\\\").replace('"', '\\"') + '"'


def section(head, **options):
    """A brace block; in names of options _ stands for -."""
    body = "".join(f"  {k.replace('_', '-')} = {value(v)}\n" for k, v in options.items())
    return f"{head} {{\n{body}}}\n"


def upstream(title, server, **options):
    """The block of one of our Python servers (or of anything with address and port): certificates from a Site, no CT."""
    options.setdefault("protocol", "doh" if getattr(server, "alpn", [""])[0] == "h2" else "dot")
    options.setdefault("address", [server.address])
    options.setdefault("port", server.port)
    return section(f'upstream "{title}"', **options)


def endpoint(text):
    """(address, port) of "192.0.2.1:53" or "[2001:db8::1]:53"."""
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)


class Daemon:
    def __init__(self, t, upstreams, anchors=None, ct="off", extra="", address="127.0.0.1", options=(), env=None,
                 wait=True, name="ctstubd", wrap=(), **top):
        self.t = t
        self.address, self.port = endpoint(top["listen"][0]) if "listen" in top else (address, net.free_port(address))
        self.dir = os.path.join(t.dir, f"{name}-{self.port}")
        os.makedirs(self.dir)
        self.control = top.get("control_socket", os.path.join(self.dir, "control"))
        self.config = os.path.join(self.dir, "ctstub.conf")
        listen = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        top = {"listen": [listen], "user": "", "log_level": "debug", "control_socket": self.control, "state_dir": self.dir, **top}
        if t.label == "tsan":  # that build is for races between threads
            top.setdefault("workers", 2)
        self.head = "".join(f"{k.replace('_', '-')} = {value(v)}\n" for k, v in top.items())
        if anchors:
            self.head += section("trust", anchors=anchors)
        if ct:
            self.head += section("ct", mode=ct)
        self.write(upstreams, extra)
        self.process = t.spawn(name, [*wrap, t.program("ctstubd"), "-c", self.config, *options], env=t.env(**(env or {})))
        if wait:
            self.wait()
        t.defer(self.last_words)

    def last_words(self):
        """Keeps the metrics at the end of the test, for the comparison of what all tests saw."""
        if self.t.seen.path is None or not self.process.alive():
            return
        try:
            self.t.seen.read(self.ctl("stats", format="prometheus", patience=1).get("text", ""))
        except (OSError, ValueError):
            pass  # the test is about a daemon that does not answer

    def write(self, upstreams, extra=""):
        """The configuration; takes effect at the next reload."""
        blocks = upstreams if isinstance(upstreams, str) else "".join(upstreams)
        with open(self.config + ".new", "w", encoding="utf-8") as f:
            f.write(self.head + extra + "\n" + blocks)
        os.rename(self.config + ".new", self.config)

    def wait(self):
        def up():
            check(self.process.alive(), f"ctstubd ended with {self.process.popen.returncode}: {self.process.log()[-800:]}")
            return net.answers_tcp(self.address, self.port) and self.control_accepts()
        until(up, 20, f"ctstubd listens; {self.process.log()[-500:]}")
        self.started()

    def started(self):
        """The start is over: sockets accept earlier than that, the control verbs are answered after it."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.control)
            s.settimeout(patient(20))
            s.sendall(b'{"verb":"stats"}\n')
            while s.recv(65536):
                pass

    def control_accepts(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.control) == 0

    def log(self):
        return self.process.log()

    def ask(self, name, qtype="A", tcp=False, timeout=6, **flags):
        return client.exchange(self.address, self.port, client.query(name, qtype, **flags), tcp, timeout)

    def udp(self, timeout=5):
        return client.Udp(self.address, self.port, timeout)

    def tcp(self, timeout=5):
        return client.Tcp(self.address, self.port, timeout)

    def ctl(self, *words, patience=10, **more):
        """One verb over the control socket; the response."""
        request = dict(more, verb=words[0])
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.control)  # waits for room; with a time limit it would fail at once while others wait to be accepted
            s.settimeout(patient(patience))
            s.sendall(json.dumps(request).encode() + b"\n")
            data = b""
            while True:
                more_data = s.recv(65536)
                if not more_data:
                    break
                data += more_data
        self.t.seen.read(data.decode(errors="replace"))
        return json.loads(data)

    def tool(self, *arguments, **options):
        """ctstub with this daemon's configuration."""
        verb, *rest = arguments
        return self.t.run("ctstub", verb, "-c", self.config, *rest, **options)

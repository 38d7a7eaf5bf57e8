"""What many modules begin with: a daemon in front of one Python server."""
import fcntl
import http.server
import os
import re
import resource
import select
import socket
import subprocess
import sys

from harness import client
from harness.case import Skip, check, equal, until
from harness.daemon import Daemon, upstream
from harness.net import answers_at
from harness.patience import for_answer
from harness.pki import Site, crl
from harness.upstream import DohServer, DotServer
from harness.web import serve_https


def small_disk(t, options):
    """A folder that is a file system of its own; in a namespace of the test's."""
    folder = t.path("disk")
    os.makedirs(folder)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Skip(f"no tmpfs here: {done.stderr.decode().strip()}")
    return folder


def stub(t, answer=None, handler=None, kind=DotServer, extra="", options=None, **daemon):
    """(daemon, server): one upstream that answers by `answer`, or does what `handler` does with a connection."""
    site = Site(t)
    server_options = dict(options or {})
    if answer:
        server_options["answer"] = answer
    if handler:
        server_options["handler"] = handler
    server = kind(t, site, **server_options)
    d = Daemon(t, upstream("one", server), anchors=site.anchors, extra=extra, **daemon)
    d.site = site
    return d, server


def stub_doh(t, respond=None, **more):
    options = more.pop("options", {})
    if respond:
        options["respond"] = respond
    return stub(t, kind=DohServer, options=options, **more)


def link_state(d):
    """Of the shared connection to the only upstream, as the daemon sees it."""
    one, = d.ctl("upstreams")["upstreams"]
    return one["state"]


def servfail(reply, *words):
    """SERVFAIL with an extended error whose text holds the words (RFC 8914)."""
    equal(client.rcode(reply), "SERVFAIL", "rcode")
    texts = client.ede(reply)
    check(texts, "no extended error")
    for word in words:
        check(any(word in text for _, text in texts), f"no {word!r} in {texts}")


def two(t, bad, **options):
    """A daemon with a bad upstream first and a good one behind it."""
    site = Site(t)
    first = DotServer(t, site, **bad)
    second = DotServer(t, site)
    d = Daemon(t, [upstream("bad", first), upstream("good", second)], anchors=site.anchors, extra='strategy = "ordered"', **options)
    return d, first, second


def descriptors(n):
    """This process may hold n descriptors; a Skip where the machine gives less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < n:
        if hard != resource.RLIM_INFINITY and hard < n:
            raise Skip(f"{n} descriptors are needed, and {hard} is the limit here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))


def again(d, *prefix, **options):
    """The same daemon, started anew through the programs of the prefix."""
    d.process.stop()
    d.process = d.t.spawn("ctstubd", [*prefix, d.t.program("ctstubd"), "-c", d.config], **options)
    d.process.wait_log(" started ")


def udp_from(d, source, timeout=6):
    c = client.Udp(d.address, d.port, timeout)
    c.socket.close()
    c.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    c.socket.settimeout(for_answer(timeout))
    c.socket.bind((source, 0))
    c.socket.connect((d.address, d.port))
    return c


def code_of(raw):
    check(len(raw) >= 12, f"{len(raw)} bytes instead of an answer")
    return raw[3] & 15


def stat(d, name):
    return d.ctl("stats")["counters"][name]


HAND_OVER = """
import os, sys
given = [int(n) for n in sys.argv[1].split(",")]
high = [os.dup2(n, 100 + i) for i, n in enumerate(given)]
for i, n in enumerate(high):
    os.dup2(n, 3 + i, inheritable=True)
os.environ.update(LISTEN_FDS=str(len(given)), LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def bound(address, port):
    """The UDP and the TCP socket of a port; None while somebody holds it."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        udp.bind((address, port))
        return udp, socket.create_server((address, port), backlog=128)
    except OSError:
        udp.close()
        return None


class Handed:
    """Both sockets of an address, handed to programs as systemd does."""

    def __init__(self, t, address, port):
        self.t = t
        self.udp, self.tcp = until(lambda: bound(address, port), 10, f"whoever had {address} port {port} has ended")
        self.fds = (self.udp.fileno(), self.tcp.fileno())
        for s in (self.udp, self.tcp):
            s.set_inheritable(True)
            t.defer(s.close)

    def spawn(self, program, *arguments, env=None):
        command = [sys.executable, "-c", HAND_OVER, ",".join(map(str, self.fds)), self.t.program(program), *arguments]
        return self.t.spawn(program, command, pass_fds=self.fds, **({"env": self.t.env(**env)} if env else {}))

    def waiting(self):
        """Are there a datagram and a connection that nobody has taken from the sockets?"""
        readable, _, _ = select.select([self.udp, self.tcp], [], [], 0)
        return self.udp in readable, self.tcp in readable


class Https:
    """A web server with one file, or with those of a dictionary of paths."""

    def __init__(self, t, site, content, status=200):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.server.asked += 1
                body = content.get(self.path) if isinstance(content, dict) else content
                self.send_response(404 if body is None else status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        self.server = serve_https(t, site, Handler)
        self.server.asked = 0
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}/list"


def one_lab(t):
    """There is one lab for each user: the same test in another build has to wait."""
    place = os.open("/tmp", os.O_RDONLY)
    t.defer(lambda: os.close(place))
    fcntl.flock(place, fcntl.LOCK_EX)
    if answers_at(f"/tmp/ctstub-lab-{os.geteuid()}/control"):
        raise Skip("somebody's lab is up")


def is_taken(t, text):
    """ctstubd -t takes the configuration; the files of other machines that it names are made here."""
    site = Site(t, with_ct=True)
    contents = {".pem": site.anchors, ".json": site.log_list, ".crl": t.write("files/ca.crl", crl(site.root))}

    def here(match):
        path = match.group(1)
        return f'"{contents.get(os.path.splitext(path)[1]) or t.write("files/" + os.path.basename(path), "# empty")}"'
    config = t.write("ctstub.conf", re.sub(r'"(/(?:etc|usr|var/lib|tmp/lab)/[^"]*\.[a-z]+)"', here, text) + "\n")
    t.write("conf.d/anchors.conf", f'trust {{ anchors = "{site.anchors}" }}\n')
    code, _, err = t.run("ctstubd", "-t", "-c", config)
    equal(code, 0, f"ctstubd -t: {err}\n{text}")
    return config


def plain(line):
    """mdoc's escapes as the characters that a reader sees."""
    for escape, character in (("\\(dq", '"'), ("\\&", ""), ("\\-", "-"), ("\\e", "\\"), ("\\(aq", "'")):
        line = line.replace(escape, character)
    return line


def examples(text):
    """The examples of one manual page, in their order."""
    lines, found, block, session = text.split("\n"), [], None, None
    for line in lines:
        if session is not None and not line.startswith(".Dl $ "):
            found.append("\n".join(session))
            session = None
        if block is not None:
            if line == ".Ed":
                found.append("\n".join(block))
                block = None
            else:
                block.append(plain(line))
        elif line.startswith(".Bd -literal"):
            block = []
        elif line.startswith(".Dl $ "):
            session = (session or []) + [plain(line[6:])]
    return found

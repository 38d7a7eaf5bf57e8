"""What many modules begin with: a daemon in front of one Python server."""
import resource
import socket

from harness import client
from harness.case import Skip, check, equal
from harness.daemon import Daemon, upstream
from harness.pki import Site
from harness.upstream import DohServer, DotServer


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
    c.socket.settimeout(timeout)
    c.socket.bind((source, 0))
    c.socket.connect((d.address, d.port))
    return c


def code_of(raw):
    check(len(raw) >= 12, f"{len(raw)} bytes instead of an answer")
    return raw[3] & 15


def stat(d, name):
    return d.ctl("stats")["counters"][name]

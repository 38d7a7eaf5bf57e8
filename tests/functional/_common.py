"""What many modules begin with: a daemon in front of one Python server."""
from harness import client
from harness.case import check, equal
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

"""Negative controls of the promises (tests/PROMISES.md): the same measurement where the promise is broken on purpose, which must
be noticed. A measurement that cannot fail proves nothing."""
import socket
import subprocess

import dns.message

from functional._common import stub
from harness import client, net, wire
from harness.case import Skip, case, check, equal, until
from harness.daemon import Daemon, upstream
from harness.faults import Faults
from harness.load import Load
from harness.pki import Site
from harness.proxy import Proxy
from harness.retries import Retries
from harness.upstream import DotServer


@case("A1 P17 answers that are another question's are counted as wrong by the load", builds=("gcc",))
def wrong_answers(t):
    def other(q):
        return wire.answer(q, records=[wire.record(b"\xc0\x0c", q.qtype, 300, b"\xc0\x00\x02\x01")])
    d, _ = stub(t, answer=other, log_level="info")
    load = Load(d, 100, rate=200)
    load.start()
    load.finish()
    equal((load.wrong, load.failed), (100, 0), "wrong and failed")
    t.promised("100 wrong of 100 answers")


@case("A2 when the last upstream dies as well, the load reports failures", builds=("gcc",))
def nobody_left(t):
    site = Site(t)
    between = Proxy(t, DotServer(t, site))
    d = Daemon(t, upstream("only", between), anchors=site.anchors, log_level="info")
    d.ask("warm.example.com")
    load = Load(d, 400, rate=80)  # most of it is to come after the end of the upstream, even if this program stops for seconds
    load.start()
    until(lambda: load.answered > 50, 30, "some questions are answered")
    between.refuse = True
    between.cut(reset=True)
    load.finish()
    check(load.failed + load.lost > 0, "no question failed although nobody was left")
    t.promised(f"{load.failed + load.lost} failures of 400 questions")


@case("A3 while nothing changes the connection stays the same", builds=("gcc",))
def nothing_changes(t):
    d, server = stub(t)
    for i in range(20):
        equal(client.rcode(d.ask(f"same{i}.example.com")), "NOERROR", "rcode")
    equal(server.handshakes, 1, "handshakes")
    t.promised("1 handshake for 20 questions")


@case("A7 a server that is accepted receives application data, so the counter counts", builds=("gcc",))
def accepted(t):
    d, server = stub(t)
    equal(client.rcode(d.ask("counted.example.com")), "NOERROR", "rcode")
    check(server.application_bytes > 0, "no byte was counted")
    t.promised(f"{server.application_bytes} bytes counted")


CARELESS = """
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
int
main(void)
{
	for (volatile int i = 0; i < 100; i++) {
		char *p = malloc(4000);

		memset(p, i, 4000);
		printf("%d\\n", p[i]);
		free(p);
	}
	return 0;
}
"""


@case("A11 a program that does not look at what malloc returns dies under the shim", builds=("gcc",))
def careless(t):
    faults = Faults(t)
    program = t.path("careless")
    build = ["cc", "-O0", "-o", program, t.write("careless.c", CARELESS)]
    if subprocess.run(build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).returncode != 0:
        raise Skip("no compiler")
    env = t.env(**faults.env)
    equal(subprocess.run([program], env=env, stdout=subprocess.PIPE, check=False).returncode, 0, "without a fault")
    faults.arm("allocation", 10, 12)
    equal(subprocess.run([program], env=env, stdout=subprocess.PIPE, check=False).returncode, -11, "with the tenth allocation failing")
    t.promised("it died of SIGSEGV")


@case("A13 where nobody listens the load reports failures", builds=("gcc",))
def nobody_listens(t):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", net.free_port("127.0.0.1")))
        load = Retries("127.0.0.1", mute.getsockname()[1], 50)
        until(lambda: load.repeated > 0, 30, "the first questions are asked twice")
        load.finish()
    check(load.failed, "no question failed although nobody listens")
    t.promised(f"{len(load.failed)} failures of {load.asked} questions")


@case("A14 one record that differs among many replies is noticed", builds=("gcc",))
def one_differs(t):
    q = wire.question("same.example.com")
    one = dns.message.from_wire(wire.answer(wire.Question(q)))
    other = dns.message.from_wire(wire.answer(wire.Question(q)))
    equal(client.normal(one), client.normal(other), "the same reply twice")
    raw = bytearray(one.to_wire())
    raw[-1] ^= 1
    check(client.normal(one) != client.normal(dns.message.from_wire(bytes(raw))), "another address was not noticed")
    t.promised("one bit of an address")


@case("A17 two daemons make two handshakes, and the server counts them", builds=("gcc",))
def two_daemons(t):
    site = Site(t)
    server = DotServer(t, site)
    for name in ("one", "two"):
        d = Daemon(t, upstream("up", server), anchors=site.anchors, name=name)
        equal(client.rcode(d.ask(f"{name}.example.com")), "NOERROR", "rcode")
    equal(server.handshakes, 2, "handshakes")
    t.promised("2 handshakes")

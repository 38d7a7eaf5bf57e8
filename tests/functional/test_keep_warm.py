"""Connections are kept open between questions (keep-warm), for a while and not longer."""
import os

from functional._common import link_state, stub
from harness import wire
from harness.case import case, check, equal, rows, until
from harness.jumps import Jumps

IDLE_S = 5  # the server closes a connection that was idle for so long


def closes_idle(connection):
    connection.tls.settimeout(IDLE_S)
    while True:
        connection.send(wire.answer(connection.read_question()))


def asked(server):
    """Names of questions; the daemon's own is for the root."""
    return [name for name in server.names() if name in (".", "")]


@rows([("a connection is made again after an idle close, and then held by a question for the root", "", True),
       ('with keep-warm = "0s" it stays closed', 'keep-warm = "0s"\n', False)], timeout=120)
def kept(t, extra, is_kept):
    d, server = stub(t, handler=closes_idle, extra=extra)
    d.ask("one.example.com")  # and no other for a while: no pause is known, and connections are kept for a minute
    connections = server.connections
    if not is_kept:
        until(lambda: not server.live, 30, "the server closes it")
        until(lambda: link_state(d) == "idle", 10, "the daemon sees that")
        d.ctl("status")  # a turn of its loop later
        equal((server.connections, asked(server)), (connections, []), "connections and questions for the root")
        return
    until(lambda: server.connections == connections + 1, 30, "a fresh one is made")
    until(lambda: asked(server), 30, "a question holds it")
    d.ask("two.example.com")
    equal(server.connections, connections + 1, "connections after the next question")
    check(server.resumed >= 1, "the fresh one was a full handshake")


@case("after a sleep that the kernel reports the daemon connects before the first question", timeout=120)
def woken(t):
    jumps = Jumps(t)
    d, server = stub(t, env=jumps.env)
    d.ask("one.example.com")
    before = server.connections
    jumps.sleep(3600)
    os.write(jumps.fifo, b"!")
    until(lambda: server.connections == before + 1, 30, "it connects")
    d.ask("two.example.com")
    equal(server.connections, before + 1, "connections")
    equal(asked(server), [], "questions for the root")

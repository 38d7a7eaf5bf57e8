"""Free ports, and small helpers around sockets."""
import os
import random
import socket

PORTS = (10240, 32000)  # below the range of ephemeral ports
BLOCK = 64
_random = random.Random(os.getpid() * 7919 + int.from_bytes(os.urandom(4), "big"))
_claims = []    # sockets that keep this process's blocks
_ports = set()  # of these blocks, those not given yet


def _claim():
    """A block of ports for this process alone: no other test gets one of them, even while nothing listens on it. The claim is the
    name of an abstract socket, which is unique in each network namespace, like the ports."""
    s = socket.socket(socket.AF_UNIX)
    first = _random.randrange(PORTS[0], PORTS[1] - BLOCK + 1, BLOCK)
    try:
        s.bind(f"\0ctstub-test-ports-{first}")
    except OSError:
        s.close()
        return
    _claims.append(s)
    _ports.update(range(first, first + BLOCK))


def need_ipv6():
    """Skips a test that needs ::1 where IPv6 is switched off."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
            s.bind(("::1", 0))
    except OSError as error:
        from harness.case import Skip
        raise Skip(f"no IPv6 on this machine: ::1: {error.strerror}") from error


def free_port(address="127.0.0.1"):
    """A port that is not bound, over UDP and TCP, and that no other test gets while this process runs."""
    if ":" in address:
        need_ipv6()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(1000):
        if not _ports:
            _claim()
            continue
        port = _ports.pop()
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(family, kind) as s:
                    s.bind((address, port))
        except OSError:
            continue
        return port
    raise AssertionError(f"no free port on {address}")


def end(s):
    """Closes a socket on which a thread waits, and wakes that thread. A thread that still waited would go on with the same descriptor
    when this program was stopped and continued, which by then may be another socket, of the next test."""
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # a datagram socket wakes up all the same
    s.close()


def replace(s):
    """Closes the connection of another thread's socket; its descriptor stays in use until that thread closes it. From then on it is the
    end of a closed connection: from a socket that was never connected OpenSSL would read again and again, on ENOTCONN."""
    ended, other = socket.socketpair()
    other.close()
    with ended:
        try:
            os.dup2(ended.fileno(), s.fileno(), inheritable=False)
        except OSError:
            pass  # that thread has closed it


def answers_tcp(address, port):
    """True when a server accepts connections there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(1)
        try:
            s.connect((address, port))
            return True
        except OSError:
            return False


def answers_at(path):
    """True when a program accepts connections at this path; the socket of a killed one stays, but accepts none."""
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
            return True
        except OSError:
            return False

"""Free ports, and small helpers around sockets."""
import os
import random
import socket

_random = random.Random(os.getpid() * 7919 + int.from_bytes(os.urandom(4), "big"))
_given = set()


def need_ipv6():
    """A test that wants ::1 is skipped where it is switched off."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
            s.bind(("::1", 0))
    except OSError as error:
        from harness.case import Skip
        raise Skip(f"no IPv6 on this machine: ::1: {error.strerror}") from error


def free_port(address="127.0.0.1"):
    """A port that nobody has bound, over UDP and TCP, below the range the kernel gives away by itself."""
    if ":" in address:
        need_ipv6()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(1000):
        port = _random.randrange(10240, 32000)
        if port in _given:
            continue
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(family, kind) as s:
                    s.bind((address, port))
        except OSError:
            continue
        _given.add(port)
        return port
    raise AssertionError(f"no free port on {address}")


def answers_tcp(address, port):
    """Somebody accepts connections there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(1)
        try:
            s.connect((address, port))
            return True
        except OSError:
            return False

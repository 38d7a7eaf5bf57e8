"""A TCP proxy with faults: it delays bytes, cuts connections, turns into a black hole, dribbles."""
import socket
import struct
import threading
import time

from harness.net import end, free_port


class Proxy:
    """Listens on a port of its own and passes on to `target` (a server with address and port).

    Set at any time: delay (seconds each way), black (swallow everything), dribble (bytes at once, a millisecond apart),
    refuse (close at accept). cut(reset) ends everything that is open.
    """

    def __init__(self, t, target, address="127.0.0.1"):
        self.target = (target.address, target.port)
        self.address, self.port, self.alpn = address, free_port(address), getattr(target, "alpn", ["dot"])
        self.delay, self.black, self.dribble, self.refuse = 0.0, False, 0, False
        self.accepted = 0
        self.pairs = []
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, self.port))
        self.listener.listen(256)
        threading.Thread(target=self._accept, daemon=True).start()
        t.defer(self.close)

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self.refuse:
                near.close()
                continue
            try:
                far = socket.create_connection(self.target, 5)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            for s in (near, far):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        try:
            while True:
                data = source.recv(65536)
                if self.black:
                    if not data:
                        return  # a black hole: not even the end is passed on
                    continue
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                self.heard(source, sink, data)
                if self.delay:
                    time.sleep(self.delay)
                if self.dribble:
                    for at in range(0, len(data), self.dribble):
                        sink.sendall(data[at:at + self.dribble])
                        time.sleep(0.001)
                else:
                    sink.sendall(data)
        except OSError:
            for s in (source, sink):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def heard(self, source, sink, data):
        """For subclasses; called before the bytes are passed on."""

    def cut(self, reset=False):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for s in pair:
                try:
                    if reset:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()

    def close(self):
        end(self.listener)
        self.cut()

"""A proxy that counts round trips: nothing is timed, so a busy machine has no effect. tests/bench/rounds.h has the rules."""
import threading

from harness.proxy import Proxy

APPLICATION_DATA = 23  # RFC 8446, 5.1


class Flight:
    """What is known of one connection."""

    def __init__(self, epoch):
        self.epoch, self.sent, self.arrived = epoch, 1, 0  # SYN, SYN and ACK
        self.speaks, self.held = False, b""

    def read(self, data):
        """The client's TLS records, until the first of application data."""
        self.held += data
        while not self.speaks and len(self.held) >= 5:
            self.speaks = self.held[0] == APPLICATION_DATA
            size = 5 + int.from_bytes(self.held[3:5], "big")
            if len(self.held) < size:
                break
            self.held = self.held[size:]


class Rounds(Proxy):
    """take() is the number of round trips that the slowest answer since the last call took."""

    def __init__(self, t, target, address="127.0.0.1"):
        self.flights, self.most, self.epoch, self.count = {}, 0, 0, threading.Lock()
        super().__init__(t, target, address)

    def heard(self, source, sink, data):
        with self.count:
            near, far = (source, sink) if source.getsockname()[1] == self.port else (sink, source)
            flight = self.flights.setdefault(near, Flight(self.epoch))
            if source is near:
                self.from_client(flight, data)
            else:
                self.from_server(flight)

    def from_client(self, flight, data):
        if flight.epoch != self.epoch:  # a connection from before
            flight.epoch, flight.sent = self.epoch, 0
        flight.read(data)
        flight.arrived = flight.sent

    def from_server(self, flight):
        if flight.epoch != self.epoch:
            return
        if flight.speaks:
            self.most = max(self.most, flight.arrived + 1)
        else:
            flight.sent = flight.arrived + 1

    def take(self):
        with self.count:
            most, self.most = self.most, 0
            self.epoch += 1
            return most

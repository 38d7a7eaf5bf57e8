"""DoT and DoH servers whose behaviour a test sets. They run in threads of the test, and keep what they received."""
import base64
import ctypes
import socket
import ssl
import struct
import threading
import urllib.parse

from harness import wire
from harness.net import end, free_port, replace


def drop_arriving(sock):
    """The kernel drops every packet that arrives for this socket, as a network that has forgotten the connection does."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET | BPF_K: keep 0 bytes
    sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("@HP", 1, ctypes.addressof(program)))  # SO_ATTACH_FILTER


class Gone(Exception):
    """The peer closed."""


class Connection:
    """One accepted connection after its TLS handshake."""

    def __init__(self, server, tls):
        self.server, self.tls = server, tls
        self.questions = 0
        self.thread = threading.get_ident()  # the thread that reads, and closes
        self._held = b""
        self._lock = threading.Lock()
        self._end = threading.Lock()

    def read(self, n):
        while len(self._held) < n:
            try:
                more = self.tls.recv(65536)
            except OSError as error:
                raise Gone from error
            if not more:
                raise Gone
            self.server.application_bytes += len(more)
            self._held += more
        data, self._held = self._held[:n], self._held[n:]
        return data

    def read_question(self):
        message = self.read(struct.unpack(">H", self.read(2))[0])
        self.questions += 1
        q = wire.Question(message)
        with self.server.lock:
            self.server.questions.append(q)
        return q

    def send_raw(self, data):
        try:
            with self._lock:
                self.tls.sendall(data)
        except OSError as error:
            raise Gone from error

    def send(self, message):
        self.send_raw(wire.frame(message))

    def shut(self, how=socket.SHUT_RDWR):
        """Wakes the thread that reads; it sees the end. The TCP connection alone: the TLS session is that thread's, which would read
        ciphertext without it."""
        try:
            socket.socket.shutdown(self.tls, how)
        except OSError:
            pass

    def close(self):
        """FIN without close_notify."""
        self.shut()
        self.leave()

    def reset(self):
        """RST."""
        try:
            self.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.shut(socket.SHUT_RD)  # which sends nothing to the peer
        self.leave()

    def leave(self):
        """Only the thread that reads may free the descriptor, as it would go on with another socket that gets its number. Another thread
        replaces the socket by one without a peer, which closes the connection."""
        with self._end:
            if threading.get_ident() == self.thread:
                self.tls.close()
            else:
                replace(self.tls)


class DotServer:
    """A TLS server. handler(connection) serves one connection; it returns when the connection shall be closed."""

    alpn = ["dot"]

    def __init__(self, t, site, handler=None, answer=wire.answer, address="127.0.0.1", port=None, alpn=None,
                 on_accept=None, chain=None, key=None, tune=None):
        self.t, self.address, self.port = t, address, port or free_port(address)
        self.handler, self.answer, self.on_accept = handler or self.serve, answer, on_accept
        self.questions, self.connections, self.live = [], 0, set()
        self.handshakes = self.resumed = self.application_bytes = 0
        self.failures = []
        self.sni = []
        self.lock = threading.Lock()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain or site.chain, key or site.key_file)
        self.context.set_alpn_protocols(self.alpn if alpn is None else alpn)
        self.context.sni_callback = lambda _s, name, _c: self.sni.append(name)
        if tune:
            tune(self.context)
        self.listener = None
        self.start()
        t.defer(self.stop)

    def start(self):
        self.listener = socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.address, self.port))
        self.listener.listen(256)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self, reset=False):
        """Stops listening and closes what is open, as a killed server does."""
        if self.listener:
            end(self.listener)
            self.listener = None
        for connection in self.connected():
            connection.reset() if reset else connection.close()

    def connected(self):
        with self.lock:
            return list(self.live)

    def drop(self):
        """Ends what is open, as an idle close does; each connection is gone when its thread has noticed."""
        for connection in self.connected():
            connection.shut()

    def _accept(self, listener):
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self._connection, args=(plain,), daemon=True).start()

    def _connection(self, plain):
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.on_accept and self.on_accept(plain) is False:
                plain.close()
                return
            plain.settimeout(20)
            tls = self.context.wrap_socket(plain, server_side=True)
            tls.settimeout(None)
        except (OSError, ValueError) as error:
            with self.lock:
                self.failures.append(str(error))
            plain.close()
            return
        connection = Connection(self, tls)
        with self.lock:
            self.handshakes += 1
            self.resumed += tls.session_reused
            self.live.add(connection)
        try:
            self.handler(connection)
        except (Gone, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.live.discard(connection)
            connection.close()

    def serve(self, connection):
        while True:
            q = connection.read_question()
            reply = self.answer(q)  # read late, as a test may have changed it meanwhile
            if reply is not None:
                connection.send(reply)

    def names(self):
        """The names asked so far, in lower case."""
        with self.lock:
            return [q.name.lower() for q in self.questions]


class DohServer(DotServer):
    """The same over HTTP/2. respond(request) gives (status, headers, body); None: no response at all."""

    alpn = ["h2"]

    class Request:
        def __init__(self, stream, headers):
            self.stream, self.headers, self.body = stream, headers, b""
            self.h = {k.decode(): v.decode() for k, v in headers}
            self.question = None

    def __init__(self, t, site, respond=None, **options):
        self.respond = respond or self.default_response
        self.requests = []
        super().__init__(t, site, **options)

    def default_response(self, request):
        body = self.answer(request.question)
        return 200, [("content-type", "application/dns-message"), ("content-length", str(len(body)))], body

    def serve(self, connection):
        import h2.config
        import h2.connection
        import h2.events
        http = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False))
        http.initiate_connection()
        connection.send_raw(http.data_to_send())
        open_requests, unsent = {}, {}
        while True:
            data = connection.tls.recv(65536)
            if not data:
                raise Gone
            self.application_bytes += len(data)
            events = http.receive_data(data)
            # the client has given up, and resets the stream of a request that arrives only now
            taken_back = {event.stream_id for event in events if isinstance(event, h2.events.StreamReset)}
            for event in events:
                if isinstance(event, h2.events.RequestReceived):
                    open_requests[event.stream_id] = self.Request(event.stream_id, event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    open_requests[event.stream_id].body += event.data
                    http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self._request(http, open_requests.pop(event.stream_id), unsent, event.stream_id in taken_back)
                elif isinstance(event, h2.events.StreamReset):
                    unsent.pop(event.stream_id, None)
                elif isinstance(event, h2.events.ConnectionTerminated):
                    raise Gone
            self._flush(http, unsent)
            connection.send_raw(http.data_to_send())

    @staticmethod
    def _flush(http, unsent):
        """Sends as much of the bodies as the flow control allows."""
        for stream in list(unsent):
            while stream in unsent:
                n = min(http.local_flow_control_window(stream), http.max_outbound_frame_size, len(unsent[stream]))
                if n == 0:
                    break
                piece, unsent[stream] = unsent[stream][:n], unsent[stream][n:]
                http.send_data(stream, piece, end_stream=not unsent[stream])
                if not unsent[stream]:
                    del unsent[stream]

    def _request(self, http, request, unsent, taken_back):
        message = request.body
        if request.h[":method"] == "GET":
            text = urllib.parse.parse_qs(urllib.parse.urlsplit(request.h[":path"]).query)["dns"][0]
            message = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        request.question = wire.Question(message)
        with self.lock:
            self.questions.append(request.question)
            self.requests.append(request)
        response = self.respond(request)
        if response is None or taken_back:
            return
        status, headers, body = response
        http.send_headers(request.stream, [(":status", str(status)), *headers], end_stream=not body)
        if body:
            unsent[request.stream] = body

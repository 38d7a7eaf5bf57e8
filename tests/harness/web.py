"""A web server with files, over TLS, and a proxy for CONNECT."""
import contextlib
import functools
import http.server
import os
import select
import socket
import ssl
import threading

from harness.outside import network_of


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def copyfile(self, source, outputfile):
        try:
            super().copyfile(source, outputfile)
        except OSError:
            pass  # a client that has what it wants closes the connection


def serve_https(t, site, handler, pid=None):
    """A web server until the test ends, with the certificate of that site. pid: in that process's network namespace."""
    with network_of(pid) if pid else contextlib.nullcontext():
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(site.chain, site.key_file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    t.defer(server.server_close)
    t.defer(server.shutdown)
    return server


class Web:
    """A web server with a folder of files, with the certificate of that site. pid: in that process's network namespace."""

    def __init__(self, t, site, pid=None):
        self.folder = t.path("web")
        os.makedirs(self.folder)
        handler = functools.partial(Files, directory=self.folder)
        self.server = serve_https(t, site, handler, pid)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}/feed.txt"

    def path(self, name):
        return os.path.join(self.folder, name)


class Connect(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        self.server.asked.append(self.path)
        host, port = self.path.rsplit(":", 1)
        with contextlib.suppress(OSError), socket.create_connection((host, int(port))) as there:
            self.send_response(200, "Connection established")
            self.end_headers()
            self.wfile.flush()
            ends = {self.connection: there, there: self.connection}
            while True:
                for one in select.select(list(ends), [], [])[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    ends[one].sendall(data)


class HttpProxy:
    """A proxy that passes on what goes through CONNECT, as HTTPS does; asked: to where."""

    def __init__(self, t):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Connect)
        server.daemon_threads = True
        self.asked = server.asked = []
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        t.defer(server.server_close)
        t.defer(server.shutdown)

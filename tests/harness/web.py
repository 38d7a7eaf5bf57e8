"""A web server with files, over TLS."""
import contextlib
import functools
import http.server
import os
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
            pass  # who has enough hangs up


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

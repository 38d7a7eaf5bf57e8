"""unbound, BIND, dnsdist and nghttpx with a Site's certificate, each serving the same zone; started by us on free ports."""
import os
import struct
import threading

from harness import net, wire
from harness.case import check, until


def zone():
    """zone.example: addresses, an alias, service records, an unknown type, a wildcard, an answer that needs TCP."""
    lines = ["$TTL 300", "@ IN SOA ns.zone.example. host.zone.example. 1 3600 600 86400 300", "@ IN NS ns.zone.example.", "ns IN A 192.0.2.53",
             "@ IN MX 10 h1.zone.example.", "alias IN CNAME h1.zone.example.", "_sip._tcp IN SRV 1 2 5060 h2.zone.example.",
             "svc IN HTTPS 1 . alpn=h2", "odd IN TYPE65400 \\# 4 01020304", "*.wild IN A 192.0.2.77", 'caa IN CAA 0 issue "ca.test"']
    lines += [f"h{i} IN A 192.0.2.{i}" for i in range(64)]
    lines += [f"h{i} IN AAAA 2001:db8::{i:x}" for i in range(64)]
    lines += [f'big IN TXT "{i:02d}{"x" * 200}"' for i in range(40)]
    return "\n".join(lines) + "\n"


class Server:
    """address, port (TLS or HTTPS) and alpn are for harness.daemon.upstream."""

    program = ""

    def __init__(self, t, site, protocol, back=None):
        self.t, self.site, self.protocol, self.back = t, site, protocol, back
        self.address, self.port, self.plain_port = "127.0.0.1", net.free_port(), net.free_port()
        self.alpn = ["h2"] if protocol == "doh" else ["dot"]
        self.dir = os.path.join(t.dir, f"{self.program}-{self.port}")
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o777)
        for path in (site.chain, site.key_file, site.anchors):
            os.chmod(path, 0o644)
            os.chmod(os.path.dirname(path), 0o755)
        self.process = self.start()
        self.process.expect = None
        port = self.plain_port if protocol == "forward" else self.port

        def up():
            check(self.process.alive(), f"{self.program} ended: {self.process.log()[-600:]}")
            return net.answers_tcp(self.address, port)
        until(up, 30, f"{self.program} listens; {self.process.log()[-300:]}")

    def spawn(self, *arguments):
        env = self.t.servers.env()
        return self.t.spawn(self.program, [self.t.program(self.program), *arguments], env=env, cwd=self.dir)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)
        return path


class Unbound(Server):
    program = "unbound"

    def start(self):
        common = f"""server:
 do-daemonize: no
 username: ""
 chroot: ""
 directory: "{self.dir}"
 pidfile: ""
 use-syslog: no
 verbosity: 1
 num-threads: 1
 do-not-query-localhost: no
 module-config: "iterator"
 access-control: 127.0.0.0/8 allow
"""
        if self.protocol == "forward":
            text = common + f""" interface: 127.0.0.1@{self.plain_port}
 tls-cert-bundle: "{self.site.anchors}"
 local-zone: "test." nodefault
forward-zone:
 name: "."
 forward-tls-upstream: yes
 forward-addr: 127.0.0.1@{self.back.port}#dns.test
"""
        else:
            records = "".join(f' local-data: "h{i}.zone.example. 300 IN A 192.0.2.{i}"\n' for i in range(64))
            records += "".join(f' local-data: \'big.zone.example. 300 IN TXT "{i:02d}{"x" * 200}"\'\n' for i in range(40))
            text = common + f""" interface: 127.0.0.1@{self.port}
 tls-port: {self.port}
 tls-service-pem: "{self.site.chain}"
 tls-service-key: "{self.site.key_file}"
 local-zone: "zone.example." static
 local-zone: "." static
 local-data: ". 300 IN NS ns.zone.example."
{records}"""
        return self.spawn("-d", "-c", self.write("unbound.conf", text + "remote-control:\n control-enable: no\n"))


class Bind(Server):
    program = "named"

    def start(self):
        self.write("zone", zone())
        tls = f'tls ours {{ cert-file "{self.site.chain}"; key-file "{self.site.key_file}"; }};\n'
        http = 'http doh { endpoints { "/dns-query"; }; };\n' if self.protocol == "doh" else ""
        listen = f"listen-on port {self.port} tls ours {'http doh ' if self.protocol == 'doh' else ''}{{ 127.0.0.1; }};"
        text = tls + http + f"""options {{
 directory "{self.dir}";
 pid-file none; session-keyfile none; managed-keys-directory "{self.dir}";
 {listen}
 listen-on port {self.plain_port} {{ 127.0.0.1; }};
 listen-on-v6 {{ none; }};
 recursion no; dnssec-validation no; allow-query {{ any; }}; notify no;
}};
controls {{ }};
zone "zone.example" {{ type primary; file "{self.dir}/zone"; }};
"""
        return self.spawn("-g", "-n", "1", "-c", self.write("named.conf", text))


class Dnsdist(Server):
    program = "dnsdist"

    def start(self):
        text = 'setACL("127.0.0.0/8")\nsetSecurityPollSuffix("")\n'
        if self.protocol == "forward":
            text += f'setLocal("127.0.0.1:{self.plain_port}")\n'
            text += (f'newServer({{address="127.0.0.1:{self.back.port}", tls="openssl", subjectName="dns.test", caStore="{self.site.anchors}", '
                     'validateCertificates=true, healthCheckMode="up"})\n')
            return self.spawn("--supervised", "--disable-syslog", "-C", self.write("dnsdist.conf", text))
        self.zone = Plain(self.t)
        text += f'setLocal("127.0.0.1:{self.plain_port}")\nnewServer({{address="127.0.0.1:{self.zone.port}", healthCheckMode="up"}})\n'
        if self.protocol == "doh":
            text += f'addDOHLocal("127.0.0.1:{self.port}", "{self.site.chain}", "{self.site.key_file}", {{"/dns-query"}})\n'
        else:
            text += f'addTLSLocal("127.0.0.1:{self.port}", "{self.site.chain}", "{self.site.key_file}", {{maxInFlight=1000}})\n'
        return self.spawn("--supervised", "--disable-syslog", "-C", self.write("dnsdist.conf", text))


class Nghttpx(Server):
    program = "nghttpx"

    def start(self):
        self.back = HttpBack(self.t)
        return self.spawn("--frontend=127.0.0.1," + str(self.port), f"--backend=127.0.0.1,{self.back.port}", "--workers=1", "--conf=/dev/null",
                          "--errorlog-file=/dev/stderr", "--accesslog-file=/dev/null", self.site.key_file, self.site.chain)


def zone_answer(message):
    """An answer of zone.example's addresses and its large TXT, made here."""
    q = wire.Question(message)
    host = q.labels[0].decode("latin-1").lower()
    if host.startswith("h") and host[1:].isdigit() and int(host[1:]) < 64:
        if q.qtype == wire.A:
            return wire.answer(q, records=[wire.record(b"\xc0\x0c", wire.A, 300, bytes([192, 0, 2, int(host[1:])]))])
        return wire.answer(q, records=[])
    if host == "big" and q.qtype == wire.TXT:
        return wire.answer(q, records=[wire.record(b"\xc0\x0c", wire.TXT, 300, bytes([202]) + f"{i:02d}".encode() + b"x" * 200) for i in range(40)])
    return wire.answer(q, rcode=3)


class Plain:
    """A back end in clear text for dnsdist: UDP (with TC) and TCP."""

    def __init__(self, t):
        import socket
        self.port = net.free_port()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve_udp, daemon=True).start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()
        t.defer(self.close)

    def serve_udp(self):
        try:
            while True:
                message, peer = self.udp.recvfrom(4096)
                if not message:
                    return
                reply = zone_answer(message)
                if len(reply) > 1232:
                    reply = wire.answer(wire.Question(message), records=[], flags=0x8380)
                self.udp.sendto(reply, peer)
        except OSError:
            pass

    def serve_tcp(self):
        try:
            while True:
                connection, _ = self.tcp.accept()
                threading.Thread(target=self.serve_connection, args=(connection,), daemon=True).start()
        except OSError:
            pass

    @staticmethod
    def serve_connection(connection):
        with connection, connection.makefile("rb") as f:
            while True:
                size = f.read(2)
                if len(size) < 2:
                    return
                message = f.read(struct.unpack(">H", size)[0])
                connection.sendall(wire.frame(zone_answer(message)))

    def close(self):
        net.end(self.udp)
        net.end(self.tcp)


class HttpBack:
    """An HTTP/1.1 back end for nghttpx that answers DNS messages."""

    def __init__(self, t):
        import http.server

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = zone_answer(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/dns-message")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        t.defer(self.server.shutdown)

"""The candidates of the bench: for each the files it needs and the command that makes it listen on bench.port.

Each is set up as its manual says for a forwarder to one upstream with a checked certificate and a cache, with one thread where it
has a setting for that. ctstubd runs with transparency required and a log list; none of the others has such a check.
"""
import os
import re
import subprocess


class Candidate:
    """title: in tables. protocol: dot, doh or "" (a program that only passes bytes on). threads: at most 1 gets a processor of its own."""

    def __init__(self, title, protocol, program, command, package=None, threads=1, env=None):
        self.title, self.protocol, self.program, self.command = title, protocol, program, command
        self.package, self.threads, self.env = package, threads, env or (lambda _: {})

    @property
    def ours(self):
        return self.program == "ctstubd"


def ctstub_text(bench, upstreams, cache="64MiB", site=True, workers=1):
    site = f"""trust {{ anchors = "{bench.site.anchors}" }}
ct {{ log-list = "{bench.site.log_list}" }}
""" if site else ""
    return f"""listen = {{"127.0.0.1:{bench.port}"}}
user = ""
control-socket = "{bench.dir}/control"
state-dir = "{bench.dir}"
log-level = "warn"
workers = {workers}
cache {{ size = "{cache}" }}
{site}{upstreams}"""


def ctstubd(bench, upstreams, **more):
    return [bench.ours("ctstubd"), "-c", bench.write("ctstub.conf", ctstub_text(bench, upstreams, **more))]


def ctstub_dot(bench, **more):
    return ctstubd(bench, f'upstream "bench" {{ address = {{"127.0.0.1"}} port = {bench.dot_port} }}\n', **more)


def ctstub_doh(bench, **more):
    return ctstubd(bench, f'upstream "bench" {{ protocol = "doh" address = {{"127.0.0.1"}} port = {bench.doh_port} }}\n', **more)


def echo(bench):
    return [bench.ours("tests/bench/udpecho"), str(bench.port)]


def relay(bench):
    return [bench.ours("tests/bench/tlsrelay"), str(bench.port), str(bench.dot_port)]


def unbound(bench):
    text = f"""server:
  interface: 127.0.0.1
  port: {bench.port}
  do-daemonize: no
  username: ""
  chroot: ""
  pidfile: ""
  directory: "{bench.dir}"
  use-syslog: no
  num-threads: 1
  module-config: "iterator"
  tls-cert-bundle: "{bench.site.anchors}"
  do-not-query-localhost: no
  outgoing-range: 4096
  num-queries-per-thread: 4096
forward-zone:
  name: "."
  forward-tls-upstream: yes
  forward-addr: 127.0.0.1@{bench.dot_port}#dns.bench
remote-control:
  control-enable: no
"""
    return [bench.other("unbound"), "-d", "-c", bench.write("unbound.conf", text)]


def dnsdist(bench, how):
    text = f"""setLocal("127.0.0.1:{bench.port}")
newServer({{{how}, tls="openssl", subjectName="dns.bench", caStore="{bench.site.anchors}", validateCertificates=true}})
getPool(""):setCache(newPacketCache(2000000))
"""
    return [bench.other("dnsdist"), "--supervised", "--disable-syslog", "-C", bench.write("dnsdist.conf", text)]


def dnsdist_dot(bench):
    return dnsdist(bench, f'address="127.0.0.1:{bench.dot_port}", maxInFlight=1000')


def dnsdist_doh(bench):
    return dnsdist(bench, f'address="127.0.0.1:{bench.doh_port}", dohPath="/dns-query"')


def stubby(bench):
    text = f"""resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list: [GETDNS_TRANSPORT_TLS]
tls_authentication: GETDNS_AUTHENTICATION_REQUIRED
tls_ca_file: "{bench.site.anchors}"
tls_query_padding_blocksize: 128
idle_timeout: 10000
limit_outstanding_queries: 0
appdata_dir: "{bench.dir}"
listen_addresses: [127.0.0.1@{bench.port}]
upstream_recursive_servers:
  - address_data: 127.0.0.1
    tls_port: {bench.dot_port}
    tls_auth_name: "dns.bench"
"""
    return [bench.other("stubby"), "-C", bench.write("stubby.yml", text)]


def kresd(bench):
    text = f"""net.listen('127.0.0.1', {bench.port}, {{ kind = 'dns' }})
for _, name in ipairs({{ 'ta_update', 'ta_signal_query', 'priming', 'ta_sentinel' }}) do pcall(modules.unload, name) end
trust_anchors.remove('.')
cache.open(100 * MB, 'lmdb://{bench.dir}/kresd')
policy.add(policy.all(policy.TLS_FORWARD({{{{ '127.0.0.1@{bench.dot_port}', hostname = 'dns.bench', ca_file = '{bench.site.anchors}' }}}})))
"""
    os.makedirs(os.path.join(bench.dir, "kresd"), exist_ok=True)
    return [bench.other("kresd"), "-n", "-c", bench.write("kresd.conf", text), bench.dir]


def smartdns(bench, server):
    text = f"""bind 127.0.0.1:{bench.port}
user root
ca-file {bench.site.anchors}
cache-size 100000
cache-persist no
speed-check-mode none
prefetch-domain no
dualstack-ip-selection no
response-mode fastest-response
log-level fatal
log-file {bench.dir}/smartdns.out
{server} -host-name dns.bench -tls-host-verify dns.bench
"""
    return [bench.other("smartdns"), "-f", "-x", "-c", bench.write("smartdns.conf", text), "-p", "-"]


def smartdns_dot(bench):
    return smartdns(bench, f"server-tls 127.0.0.1:{bench.dot_port}")


def smartdns_doh(bench):
    return smartdns(bench, f"server-https https://127.0.0.1:{bench.doh_port}/dns-query")


def dnss(bench):
    return [bench.other("dnss"), "-enable_dns_to_https", f"-dns_listen_addr=127.0.0.1:{bench.port}", f"-https_client_cafile={bench.site.anchors}",
            f"-https_upstream=https://127.0.0.1:{bench.doh_port}/dns-query"]


def resolved(bench):
    """It takes a user, /run and a network for granted: only in namespaces of our own, see tests/peers/inside."""
    if not os.environ.get("PEERS_INSIDE") or os.geteuid() != 0:
        from bench.world import Missing
        raise Missing("systemd-resolved runs only as root in namespaces of its own")
    with open("/etc/passwd", encoding="utf-8") as f:
        known = "systemd-resolve:" in f.read()
    if not known:
        for path, line in (("/etc/passwd", "systemd-resolve:x:65534:65534::/:/usr/sbin/nologin"), ("/etc/group", "systemd-resolve:x:65534:")):
            with open(path, encoding="utf-8") as f:
                mine = bench.write(os.path.basename(path), f.read() + line + "\n")
            subprocess.run(["mount", "--bind", mine, path], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.makedirs("/run/systemd/resolved.conf.d", exist_ok=True)
    with open("/run/systemd/resolved.conf.d/bench.conf", "w", encoding="utf-8") as f:
        f.write(f"[Resolve]\nDNS=127.0.0.1:{bench.dot_port}#dns.bench\nFallbackDNS=\nDomains=~.\nDNSOverTLS=yes\nLLMNR=no\nDNSSEC=no\n"
                f"MulticastDNS=no\nCache=yes\nCacheFromLocalhost=yes\nDNSStubListener=no\nReadEtcHosts=no\n"
                f"DNSStubListenerExtra=127.0.0.1:{bench.port}\n")
    return [bench.other("systemd-resolved")]


def resolved_env(bench):
    return {"SSL_CERT_FILE": bench.site.anchors, "SSL_CERT_DIR": "/nonexistent"}


CANDIDATES = {
    "echo": Candidate("UDP echo", "", "udpecho", echo),
    "relay": Candidate("TLS relay", "", "tlsrelay", relay),
    "ctstub-dot": Candidate("ctstub, DoT", "dot", "ctstubd", ctstub_dot),
    "ctstub-doh": Candidate("ctstub, DoH", "doh", "ctstubd", ctstub_doh),
    "ctstub-dot-2": Candidate("ctstub, DoT, 2 workers", "dot", "ctstubd", lambda b: ctstub_dot(b, workers=2), threads=2),
    "unbound-dot": Candidate("unbound, DoT", "dot", "unbound", unbound, "unbound"),
    "dnsdist-dot": Candidate("dnsdist, DoT", "dot", "dnsdist", dnsdist_dot, "dnsdist"),
    "dnsdist-doh": Candidate("dnsdist, DoH", "doh", "dnsdist", dnsdist_doh, "dnsdist"),
    "stubby-dot": Candidate("stubby, DoT", "dot", "stubby", stubby, "stubby"),
    "kresd-dot": Candidate("Knot Resolver, DoT", "dot", "kresd", kresd, "knot-resolver"),
    "smartdns-dot": Candidate("smartdns, DoT", "dot", "smartdns", smartdns_dot, "smartdns"),
    "smartdns-doh": Candidate("smartdns, DoH", "doh", "smartdns", smartdns_doh, "smartdns"),
    "resolved-dot": Candidate("systemd-resolved, DoT", "dot", "systemd-resolved", resolved, "systemd-resolved", env=resolved_env),
    "dnss-doh": Candidate("dnss, DoH", "doh", "dnss", dnss, "dnss"),
}


def version(candidate):
    """Debian's, of the package as it is installed, or as it was unpacked."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", candidate.package], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    if done.returncode == 0 and done.stdout:
        return done.stdout
    done = subprocess.run(["apt-cache", "policy", candidate.package], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    found = re.search(r"Candidate: (\S+)", done.stdout)
    return found.group(1) if found else "unknown"

"""Resolvers in front of ctstubd, as people run them: each forwards everything to it, caches, and validates if configured to."""
import os
import subprocess

from harness import net
from harness.case import Skip, check, until


class Front:
    """address and port answer questions; behind is the daemon; world (harness.signed) has the trust anchor."""

    program = ""

    def __init__(self, t, behind, world=None):
        self.t, self.behind, self.world = t, behind, world
        self.address, self.port = "127.0.0.1", net.free_port()
        self.dir = os.path.join(t.dir, f"front-{self.program}-{self.port}")
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o777)
        self.process = self.start()
        self.process.expect = None

        def up():
            check(self.process.alive(), f"{self.program} ended: {self.process.log()[-600:]}")
            return net.answers_tcp(self.address, self.port)
        until(up, 30, f"{self.program} listens; {self.process.log()[-300:]}")

    def spawn(self, *arguments):
        return self.t.spawn(self.program, [self.t.program(self.program), *arguments], env=self.t.servers.env(), cwd=self.dir)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)
        return path

    def ds(self):
        """Key tag, algorithm, digest type and digest of the anchor."""
        words = self.world.anchor_ds.split()
        return words[words.index("DS") + 1:]


class Unbound(Front):
    program = "unbound"

    def start(self):
        validate = self.world is not None
        anchor = f' trust-anchor: "{self.world.anchor_key}"\n' if validate else ""
        return self.spawn("-d", "-c", self.write("unbound.conf", f"""server:
 do-daemonize: no
 username: ""
 chroot: ""
 directory: "{self.dir}"
 pidfile: ""
 use-syslog: no
 verbosity: 2
 interface: 127.0.0.1@{self.port}
 do-not-query-localhost: no
 access-control: 127.0.0.0/8 allow
 module-config: "{'validator iterator' if validate else 'iterator'}"
 local-zone: "home.arpa." nodefault
 local-zone: "test." nodefault
{anchor}remote-control:
 control-enable: no
forward-zone:
 name: "."
 forward-addr: 127.0.0.1@{self.behind.port}
"""))


class Dnsmasq(Front):
    program = "dnsmasq"

    def start(self):
        validate = ["--dnssec", "--trust-anchor=.," + ",".join([*self.ds()[:3], "".join(self.ds()[3:])])] if self.world else []
        return self.spawn("-k", "-C", "/dev/null", f"--port={self.port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv",
                          "--no-hosts", f"--server=127.0.0.1#{self.behind.port}", "--user=root", "--log-facility=-", "--log-queries",
                          "--pid-file=", *validate)


class PdnsRecursor(Front):
    program = "pdns_recursor"

    def start(self):
        lua = "clearTA()\nclearNTA()\n"
        if self.world:
            lua += f"addTA('.', '{' '.join([*self.ds()[:3], ''.join(self.ds()[3:])])}')\n"
        return self.spawn(f"--config-dir={self.dir}", f"--socket-dir={self.dir}", "--local-address=127.0.0.1", f"--local-port={self.port}",
                          f"--forward-zones-recurse=.=127.0.0.1:{self.behind.port}", f"--dnssec={'validate' if self.world else 'off'}",
                          "--daemon=no", "--write-pid=no", "--disable-syslog", "--hint-file=no", "--serve-rfc1918=no",
                          "--security-poll-suffix=", f"--lua-config-file={self.write('anchors.lua', lua)}", "--threads=1",
                          "--loglevel=6")


class Resolved(Front):
    """systemd-resolved, in the namespaces of a test (netns=True): it needs a user, /run and a network."""

    program = "systemd-resolved"

    def start(self):
        for path, line in (("/etc/passwd", "systemd-resolve:x:65534:65534::/:/usr/sbin/nologin"), ("/etc/group", "systemd-resolve:x:65534:")):
            with open(path, encoding="utf-8") as f:
                mine = self.write(os.path.basename(path), f.read() + line + "\n")
            self.mount("--bind", mine, path)
        self.mount("-t", "tmpfs", "tmpfs", "/run")
        os.makedirs("/run/systemd/resolved.conf.d")
        with open("/run/systemd/resolved.conf.d/front.conf", "w", encoding="utf-8") as f:
            f.write(f"[Resolve]\nDNS={self.behind.address}:{self.behind.port}\nFallbackDNS=\nDomains=~.\nDNSOverTLS=no\nLLMNR=no\n"
                    f"DNSSEC={'yes' if self.world else 'no'}\nMulticastDNS=no\nCache=yes\nDNSStubListener=no\nReadEtcHosts=no\n"
                    f"CacheFromLocalhost=yes\nResolveUnicastSingleLabel=yes\nDNSStubListenerExtra=127.0.0.1:{self.port}\n")
        if self.world:
            os.makedirs("/run/dnssec-trust-anchors.d")
            with open("/run/dnssec-trust-anchors.d/root.positive", "w", encoding="utf-8") as f:
                f.write(". IN DS " + " ".join([*self.ds()[:3], "".join(self.ds()[3:])]) + "\n")
        # with nothing but loopback it assumes that there is no network
        for command in (["link", "add", "front0", "type", "veth", "peer", "name", "front1"],
                        ["addr", "add", "192.0.2.2/32", "dev", "front0"], ["link", "set", "front0", "up"], ["link", "set", "front1", "up"]):
            done = subprocess.run(["ip", *command], stderr=subprocess.PIPE, check=False)
            if done.returncode != 0:
                raise Skip(f"ip {' '.join(command)}: {done.stderr.decode().strip()}")
        return self.spawn()

    @staticmethod
    def mount(*arguments):
        done = subprocess.run(["mount", *arguments], stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Skip(f"mount {arguments[-1]}: {done.stderr.decode().strip()}")

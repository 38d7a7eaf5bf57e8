"""The hook of `ctstub setup --with-links`: what NetworkManager tells of a VPN becomes forward rows, and nothing else does (G11); in a
booted Debian the names of a VPN go to its own resolver, which is judged, until the link goes down or a day has passed."""
import os
import re

from harness.case import case, check, equal, rows, until
from harness.dhcp import HostileNetwork
from harness.installed import CONFIG, install
from harness.machines import KINDS, has_address, machine_of
from harness.outside import Resolver

HOOK = "contrib/laptop/links-hook"  # of the build: it names the folders of the configuration and the programs
VPN = {"VPN_IP_IFACE": "tun0", "VPN_IP4_DOMAINS": "corp.example.net", "VPN_IP4_NAMESERVERS": "192.0.2.7"}
FORWARD = 'forward "corp.example.net" { upstream = {"link-tun0"} }'


def hook(t, link, action, variables):
    """The file that the hook leaves, or None; a daemon that takes it and a tool that notes each reload."""
    etc = t.path("etc")
    os.makedirs(f"{etc}/conf.d", exist_ok=True)
    t.write("etc/ctstub.conf", f'trust {{ builtin-disallow = true }}\nstate-dir = "{t.dir}"\n')
    tool = t.write("ctstub", f'#!/bin/sh\necho "$@" >>{t.path("reloads")}\n')
    os.chmod(tool, 0o755)
    env = t.env(CTSTUB_ETC=etc, CTSTUB=tool, CTSTUBD=t.program("ctstubd"), **variables)
    t.write("evil.example.net", "a file that a pattern would find")
    code, _, err = t.run("/bin/sh", os.path.join(t.build, HOOK), link, action, env=env)
    equal(code, 0, err)
    left = os.listdir(f"{etc}/conf.d")
    if not left:
        return None
    equal(left, [f"90-link-{link}.conf"], "files in conf.d")
    with open(f"{etc}/conf.d/{left[0]}", encoding="utf-8") as f:
        return f.read()


def lines_of(text):
    """The rows that are no comments, of any number of lines."""
    return [line for line in (text or "").splitlines() if line and not line.startswith("#")]


def forwards(text):
    return re.findall(r'^forward "(.*?)" ', text or "", re.M)


@rows([
    ("a domain and a resolver become an upstream and a forward", {}, ["corp.example.net"]),
    ("a routing domain of systemd's form", {"VPN_IP4_DOMAINS": "~corp.example.net"}, ["corp.example.net"]),
    ("two domains", {"VPN_IP4_DOMAINS": "corp.example.net lab.example.net"}, ["corp.example.net", "lab.example.net"]),
    ("IPv6's domains and resolvers too", {"VPN_IP4_DOMAINS": "", "VPN_IP6_DOMAINS": "six.example.net", "VPN_IP6_NAMESERVERS": "2001:db8::7"},
     ["six.example.net"]),
    ("all names (~.) are not given away", {"VPN_IP4_DOMAINS": "~."}, []),
    ("a top-level domain is not given away", {"VPN_IP4_DOMAINS": "com"}, []),
    ("without a resolver nothing", {"VPN_IP4_NAMESERVERS": ""}, []),
    ("G11 a domain with a command in it", {"VPN_IP4_DOMAINS": "$(touch${IFS}{dir}/ran).example.net"}, []),
    ("G11 a domain with a command in quotes", {"VPN_IP4_DOMAINS": "`touch {dir}/ran`.example.net"}, []),
    ("G11 a domain that ends the string and brings an option", {"VPN_IP4_DOMAINS": 'a.example.net"{}ct{mode="off"}#'}, []),
    ("G11 a domain with a line of its own", {"VPN_IP4_DOMAINS": 'a.example.net\nct{mode="off"}'}, ["a.example.net"]),
    ("G11 a domain of 64 KiB", {"VPN_IP4_DOMAINS": "a." * 32768 + "net"}, []),
    ("G11 a thousand domains are cut to a number that fits", {"VPN_IP4_DOMAINS": " ".join(f"d{i:03}.example.net" for i in range(1000))},
     [f"d{i:03}.example.net" for i in range(32)]),
    ("G11 a domain that a shell expands", {"VPN_IP4_DOMAINS": "*.* evil.*"}, []),
    ("G11 a resolver that is a name", {"VPN_IP4_NAMESERVERS": "evil.example.net"}, []),
    ("G11 a resolver with a command in it", {"VPN_IP4_NAMESERVERS": ";touch {dir}/ran"}, []),
    ("G11 a resolver that brings an option", {"VPN_IP4_NAMESERVERS": '1.1.1.1"}ct="off'}, []),
    ("an Ethernet's domains come from whoever runs its DHCP server", {"VPN_IP_IFACE": "", "VPN_IP4_DOMAINS": "", "IP4_DOMAINS": "evil.example.net",
                                                                      "IP4_NAMESERVERS": "192.0.2.9"}, []),
], builds=("gcc",))
def row(t, change, want):
    variables = {k: v.replace("{dir}", t.dir) for k, v in {**VPN, **change}.items()}
    text = hook(t, "tun0", "vpn-up", variables)
    equal(forwards(text), want, text)
    for line in lines_of(text):
        check(re.fullmatch(r'upstream "link-tun0" \{|  address = \{("[0-9a-f.:]+",?)+\}|\}|forward "[a-z0-9.-]+" \{ upstream = \{"link-tun0"\} \}', line),
              f"not a line of ours: {line}")
    check(not os.path.exists(t.path("ran")), "a command in a name was run")
    equal(os.path.exists(t.path("reloads")), bool(want), "the daemon was asked to reload")


@rows([("G11 a link with a path in its name", "../../evil"), ("G11 a link with a command in its name", "a;touch ran"),
       ("G11 a link without a name", ""), ("G11 a hidden name", ".tun")], builds=("gcc",))
def bad_link(t, link):
    equal(hook(t, link, "vpn-up", VPN), None, "files")


@rows([("the link goes down", "vpn-down"), ("a day has passed", "expired"), ("NetworkManager takes it down", "down"), ("setup is undone", "forget")], builds=("gcc",))
def ends(t, action):
    check(FORWARD in hook(t, "tun0", "vpn-up", VPN), "up")
    equal(hook(t, "tun0", action, {}), None, "afterwards")


@rows([("of a link that is gone goes at the next event of any link", "tun0", 0, False), ("of a link that exists stays for 23 hours", "lo", 23, True),
       ("of a link that exists goes after 25 hours", "lo", 25, False)], builds=("gcc",))
def stale(t, link, hours, stays):
    check(f'upstream = {{"link-{link}"}}' in hook(t, link, "vpn-up", VPN), "up")
    path = t.path(f"etc/conf.d/90-link-{link}.conf")
    os.utime(path, (os.stat(path).st_atime, os.stat(path).st_mtime - hours * 3600))
    t.run("/bin/sh", os.path.join(t.build, HOOK), "eth9", "up", env=t.env(CTSTUB_ETC=t.path("etc"), CTSTUB="/bin/true", CTSTUBD="/bin/true"))
    equal(os.path.exists(path), stays, "the file is there")


# ---- in a booted Debian

SETUP = ("/usr/local/bin/ctstub", "setup", "-c", CONFIG)
GATE, DEAF = "192.0.2.7", "192.0.2.8"
INSTALLED_HOOK = "/etc/NetworkManager/dispatcher.d/60-ctstub-links"


class Machine:
    """A NetworkManager machine that resolves through ctstub --with-links, in a hostile network with a good resolver, a VPN's own
    resolver, and one whose certificate nobody vouches for."""

    def __init__(self, t):
        self.network = HostileNetwork(t)
        self.public = Resolver(t, self.network)
        self.own = Resolver(t, self.network, GATE, "vpn")
        self.impostor = Resolver(t, self.network, DEAF, "impostor")

        def prepare(root):
            install(t, root)
            self.public.put_files(root)
            self.own.put_files(root, "/srv/vpn")
            with open(root + CONFIG, "w", encoding="utf-8") as f:
                f.write(self.public.configuration() + self.own.configuration("/srv/vpn", "corp") + 'forward "." { upstream = {"lab"} }\n')
        services, files = KINDS["NetworkManager alone"]
        self.box = machine_of(t, services, files, prepare)
        self.box.boot()
        self.network.plug_in(self.box.leader)
        self.box.run("systemctl", "restart", *services)
        until(lambda: has_address(self.box), 40, "an address by DHCP")
        self.box.must("systemctl", "enable", "--now", "ctstubd.socket", "ctstubd.service")
        self.said = self.box.must(*SETUP, "--yes", "--with-links", seconds=120)
        self.box.must("ip", "link", "add", "tun0", "type", "veth", "peer", "name", "tun0-far")
        self.network.forget()

    def event(self, action, **variables):
        """As NetworkManager-dispatcher(8) calls it."""
        self.box.must("/usr/bin/env", *(f"{k}={v}" for k, v in variables.items()), INSTALLED_HOOK, "tun0", action)

    def resolves(self, name):
        return self.box.run("getent", "ahosts", name, seconds=40)[0] == 0


@case("a VPN's names go to its own resolver, which is judged, until the link goes down or a day has passed; nothing leaks",
      builds=("gcc",), timeout=600)
def vpn(t):
    m = Machine(t)
    check("60-ctstub-links" in m.said, m.said)
    check(m.resolves("before.corp.example.net") and "before.corp.example.net" in m.public.asked(), "without the VPN")
    m.event("vpn-up", **{**VPN, "VPN_IP4_NAMESERVERS": GATE})
    check(m.resolves("one.corp.example.net"), f"with the VPN: {m.box.journal('ctstubd')[-800:]}")
    check(m.resolves("www.example.org"), "another name with the VPN")
    equal(("one.corp.example.net" in m.own.asked(), "one.corp.example.net" in m.public.asked()), (True, False), "who was asked for a name of the VPN")
    equal(("www.example.org" in m.own.asked(), "www.example.org" in m.public.asked()), (False, True), "who was asked for another name")
    check("ctstub-link-tun0.timer" in m.box.must("systemctl", "list-timers", "--all"), "no timer ends it")
    m.event("vpn-down", VPN_IP_IFACE="tun0")
    check("ctstub-link-tun0.timer" not in m.box.must("systemctl", "list-timers", "--all"), "the timer is still there")
    check(m.resolves("two.corp.example.net") and "two.corp.example.net" in m.public.asked(), "after the VPN")
    # a resolver of a VPN that cannot prove who it is: not asked, and nobody else either
    m.event("vpn-up", **{**VPN, "VPN_IP4_NAMESERVERS": DEAF})
    equal(m.resolves("three.corp.example.net"), False, "through an impostor")
    equal((m.impostor.server.application_bytes, "three.corp.example.net" in m.public.asked() | m.own.asked()), (0, False), "who was asked")
    check("untrusted" in m.box.journal("ctstubd"), "the journal does not tell why")
    # the day is over: the timer's command, as systemd runs it
    m.event("expired")
    check(m.resolves("four.corp.example.net") and "four.corp.example.net" in m.public.asked(), "after a day")
    equal(m.network.clear_text(), [], "in clear text")
    m.event("vpn-up", **{**VPN, "VPN_IP4_NAMESERVERS": GATE})
    m.box.must(*SETUP, "--undo")
    equal(m.box.must("sh", "-c", "ls /usr/local/etc/ctstub/conf.d; systemctl list-timers --all --no-legend 'ctstub-link-*'"), "", "left after undo")
    equal(m.box.run("test", "-e", INSTALLED_HOOK)[0], 1, "the hook is gone after undo")
    m.box.power_off()

"""The hook of `ctstub setup --with-links`: the VPN's names and resolvers from NetworkManager or systemd-networkd become forward rows, and
nothing else does (G11); in a booted Debian the names of a VPN go to its own resolver, which is judged, until the link goes
down or a day has passed."""
import os
import re
import shutil

from harness.case import case, check, equal, rows, until
from harness.dhcp import HostileNetwork
from harness.installed import CONFIG, install
from harness.machines import KINDS, differences, files_of, has_address, machine_of
from harness.outside import Resolver
from harness.tunnel import Tunnel

HOOK = "contrib/laptop/links-hook"  # of the build: it names the folders of the configuration and the programs
VPN = {"VPN_IP_IFACE": "tun0", "VPN_IP4_DOMAINS": "corp.example.net", "VPN_IP4_NAMESERVERS": "192.0.2.7"}
FORWARD = 'forward "corp.example.net" { upstream = {"link-tun0"} }'


def hook(t, link, action, variables, configuration="", beside=(), blocks="unlimited"):
    """The file that the hook leaves, or None; a daemon that takes it and a tool that notes each reload. Files beside it stay. blocks:
    of 512 bytes, which a file may have."""
    etc = t.path("etc")
    os.makedirs(f"{etc}/conf.d", exist_ok=True)
    t.write("etc/ctstub.conf", f'trust {{ builtin-disallow = true }}\nstate-dir = "{t.dir}"\n{configuration}')
    tool = t.write("ctstub", f'#!/bin/sh\necho "$@" >>{t.path("reloads")}\n')
    os.chmod(tool, 0o755)
    env = t.env(CTSTUB_ETC=etc, CTSTUB=tool, CTSTUBD=t.program("ctstubd"), **variables)
    t.write("evil.example.net", "a file that a pattern would find")
    code, _, err = t.run("/bin/sh", "-c", f'trap "" XFSZ; ulimit -f {blocks}; exec /bin/sh "$@"', "sh", os.path.join(t.build, HOOK), link, action, env=env)
    equal(code, 0, err)
    left = sorted(set(os.listdir(f"{etc}/conf.d")) - set(beside))
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
    ("an address among the domains is left out", {"VPN_IP4_DOMAINS": "10.0.0.1 corp.example.net 9.9"}, ["corp.example.net"]),
    ("a VPN without a resolver changes nothing", {"VPN_IP4_NAMESERVERS": ""}, []),
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
        check(re.fullmatch(r'upstream "link-tun0" \{|  address = \{("[0-9a-f.:]+",?)+\}|  forward-only = true|\}|'
                           r'forward "[a-z0-9.-]+" \{ upstream = \{"link-tun0"\} \}', line), f"not a line of ours: {line}")
    check(not os.path.exists(t.path("ran")), "a command in a name was run")
    equal(os.path.exists(t.path("reloads")), bool(want), "the daemon was asked to reload")


QUAD9 = 'upstream "quad9" { address = {"9.9.9.9"} }\n'
CORP_ROWS = 'upstream "corp" { address = {"192.0.2.7"} ct = "off" }\nforward "corp.example.net" { upstream = {"corp"} }\n'
OTHER = "other.example.net"


def general_upstreams(t):
    """Who serves names that match no forward, by what `ctstubd -p` prints."""
    code, text, err = t.run(t.program("ctstubd"), "-p", "-c", t.path("etc/ctstub.conf"))
    equal(code, 0, err)
    sections = dict(re.findall(r'^(\w+ ".*?") \{\n(.*?)^\}', text, re.M | re.S))
    forwards_of = [body for title, body in sections.items() if title.startswith("forward")]
    claimed = {u for body in forwards_of if "shared = false" in body for u in re.findall(r'"(.*?)"', body)}
    return [title[10:-1] for title, body in sections.items()
            if title.startswith("upstream") and "forward-only = false" in body and title[10:-1] not in claimed]


@rows([
    ("the compiled-in upstreams serve all other names", "", {}, ["corp.example.net"], ["cloudflare", "quad9", "google"]),
    ("an upstream of the file serves all other names", QUAD9, {}, ["corp.example.net"], ["quad9"]),
    ("a VPN that gives the resolver of all names does not take it away", QUAD9, {"VPN_IP4_NAMESERVERS": "9.9.9.9"}, ["corp.example.net"], ["quad9"]),
    ("a VPN that gives a compiled-in resolver does not take it away", "", {"VPN_IP4_NAMESERVERS": "1.1.1.1"}, ["corp.example.net"],
     ["cloudflare", "quad9", "google"]),
    ("an upstream whose title has spaces and signs", 'upstream "my & own / 1" { address = {"192.0.2.7"} }\n', {}, ["corp.example.net"], ["my & own / 1"]),
    ("G11 a VPN that claims a name of the configuration", QUAD9 + CORP_ROWS, {"VPN_IP4_DOMAINS": f"corp.example.net {OTHER}"}, [OTHER], ["quad9"]),
    ("G11 a VPN that claims a name below one of the configuration", QUAD9 + CORP_ROWS, {"VPN_IP4_DOMAINS": f"secret.corp.example.net {OTHER}"}, [OTHER], ["quad9"]),
    ("a name above one of the configuration goes to the VPN, the one below does not", QUAD9 + CORP_ROWS, {"VPN_IP4_DOMAINS": "example.net"}, ["example.net"],
     ["quad9"]),
    ("G11 a VPN that claims a name that must not leave this machine", QUAD9 + 'forward "Home.Arpa." {upstream={}}\n', {"VPN_IP4_DOMAINS": "home.arpa a.home.arpa"}, [],
     ["quad9"]),
    ("reverse zones that an address prefix of the configuration covers", QUAD9 + 'forward "10.0.0.0/8" {upstream={}}\n',
     {"VPN_IP4_DOMAINS": f"1.10.in-addr.arpa 8.b.d.0.1.0.0.2.ip6.arpa {OTHER}"}, ["8.b.d.0.1.0.0.2.ip6.arpa", OTHER], ["quad9"]),
    ("a forward of all names is no claim to each of them", QUAD9 + 'forward "." { upstream = {"quad9"} }\n', {}, ["corp.example.net"], []),
    ("G11 a VPN that claims another link's name and one of conf.d", QUAD9, {"VPN_IP4_DOMAINS": f"first.example.net mine.example.net {OTHER}"}, [OTHER], ["quad9"]),
], builds=("gcc",))
def others(t, configuration, change, want, general):
    """The names of nobody's link go where they went before, whatever a VPN says."""
    t.write("etc/conf.d/90-link-lo.conf", 'upstream "link-lo" { address = {"192.0.2.77"} forward-only = true }\n'
            'forward "first.example.net" { upstream = {"link-lo"} }\n')
    t.write("etc/conf.d/95-mine.conf", 'forward "mine.example.net" {upstream={}}\n')
    text = hook(t, "tun0", "vpn-up", {**VPN, **change}, configuration, beside=("90-link-lo.conf", "95-mine.conf"))
    equal(forwards(text), sorted(want), text)
    equal(general_upstreams(t), general, "upstreams of all other names")
    code, _, err = t.run(t.program("ctstubd"), "-t", "-c", t.path("etc/ctstub.conf"))
    equal((code, "serves forwards only" in err), (0, False), err)


@case("the same event again changes nothing and asks for no reload, and another resolver does", builds=("gcc",))
def again(t):
    """For a link that exists, unlike the others here: of one that is gone the file goes first."""
    first = lines_of(hook(t, "lo", "vpn-up", VPN))
    equal(lines_of(hook(t, "lo", "vpn-up", VPN)), first, "after the same event")
    equal(open(t.path("reloads"), encoding="utf-8").read().count("reload"), 1, "reloads")
    changed = hook(t, "lo", "vpn-up", {**VPN, "VPN_IP4_NAMESERVERS": "192.0.2.8"})
    check('"192.0.2.8"' in changed and "192.0.2.7" not in changed, changed)
    equal(hook(t, "lo", "reapply", {**VPN, "VPN_IP4_DOMAINS": ""}), None, "a VPN that no longer has domains")
    equal(open(t.path("reloads"), encoding="utf-8").read().count("reload"), 3, "reloads")


SOME = {"VPN_IP4_DOMAINS": " ".join(f"d{i:02}.example.net" for i in range(20))}


@rows([(f"a link keeps its forwards where there is no room {name}", *rest) for name, *rest in [
    ("for the new rows", "1", {}), ("for a copy of the configuration", "0", {}), ("for a folder of it", "unlimited", {"TMPDIR": "/nonexistent"})]], builds=("gcc",))
def no_room(t, blocks, variables):
    """The forwards of the link stay as they are, rather than that its names go to other resolvers."""
    before = hook(t, "lo", "vpn-up", VPN)
    equal(hook(t, "lo", "dhcp4-change", {**VPN, **SOME, **variables}, blocks=blocks), before, "the file")
    equal(open(t.path("reloads"), encoding="utf-8").read().count("reload"), 1, "reloads")
    equal(len(forwards(hook(t, "lo", "dhcp4-change", {**VPN, **SOME}))), 20, "forwards when there is room again")


@rows([(f"G11 a VPN that claims a name of the configuration where there is no room {name}", *rest) for name, *rest in [
    ("for a copy of it", "0", {}), ("for a folder of it", "unlimited", {"TMPDIR": "/nonexistent"})]], builds=("gcc",))
def claims_without_room(t, blocks, variables):
    equal(hook(t, "tun0", "vpn-up", {**VPN, **variables}, QUAD9 + CORP_ROWS, blocks=blocks), None, "the file")


# ---- systemd-networkd: a root folder with the state of links as it writes it

CORP = ["corp.example.net"]
STATE = {"OPER_STATE": "routable", "NETWORK_FILE": "/etc/systemd/network/x.network", "DNS": "192.0.2.7", "ROUTE_DOMAINS": CORP[0]}
TUN = {"tun_flags": "0x1001\n", "uevent": "INTERFACE=x\n"}
WIREGUARD = {"uevent": "DEVTYPE=wireguard\nINTERFACE=x\n"}
ETHERNET = {"uevent": "INTERFACE=x\n"}
OF_ROOT = "[Network]\nDHCP=yes\nDNS=192.0.2.7\nDomains=~corp.example.net\n"


def networkd(t, links, files=(), seconds="0"):
    """{link: names forwarded}, after systemd-networkd wrote these links: (name, device's files, state)."""
    root = t.path("root")
    shutil.rmtree(root, ignore_errors=True)
    for path, text in files:
        t.write("root" + path, text)
    for index, (name, device, state) in enumerate(links, 2):
        for file, text in {**device, "ifindex": f"{index}\n"}.items():
            t.write(f"root/sys/class/net/{name}/{file}", text)
        t.write(f"root/run/systemd/netif/links/{index}", "# This is private data. Do not parse.\nADMIN_STATE=configured\n"
                + "".join(f"{k}={v}\n" for k, v in state.items()))
    os.makedirs(t.path("etc/conf.d"), exist_ok=True)
    t.write("etc/ctstub.conf", f'state-dir = "{t.dir}"\n')
    tool = t.write("ctstub", f'#!/bin/sh\necho "$@" >>{t.path("reloads")}\n')
    os.chmod(tool, 0o755)
    env = t.env(CTSTUB_ETC=t.path("etc"), CTSTUB=tool, CTSTUBD=t.program("ctstubd"), CTSTUB_ROOT=root, CTSTUB_SETTLE=seconds)
    code, _, err = t.run("/bin/sh", os.path.join(t.build, HOOK), "-", "networkd", env=env)
    equal((code, err), (0, ""), "the hook's end")
    found = {}
    for name in os.listdir(t.path("etc/conf.d")):
        with open(t.path("etc/conf.d/" + name), encoding="utf-8") as f:
            found[re.fullmatch(r"90-link-(.*)\.conf", name).group(1)] = forwards(f.read())
    return found


@rows([("systemd-networkd: " + name, *rest) for name, *rest in [
    ("a tun device's routing domain", TUN, {}, "", CORP),
    ("WireGuard's", WIREGUARD, {}, "", CORP),
    ("a search domain", TUN, {"ROUTE_DOMAINS": "", "DOMAINS": CORP[0]}, "", CORP),
    ("both kinds of domains, in any case", TUN, {"ROUTE_DOMAINS": "Lab.Example.NET. .", "DOMAINS": CORP[0]}, "", CORP + ["lab.example.net"]),
    ("all names (~.) are not given away", TUN, {"ROUTE_DOMAINS": "."}, "", None),
    ("a top-level domain is not given away", TUN, {"ROUTE_DOMAINS": "com"}, "", None),
    ("a resolver with the name of its certificate", TUN, {"DNS": "192.0.2.7#dns.example.net"}, "", CORP),
    ("a resolver with the port of DNS over TLS", TUN, {"DNS": "[2001:db8::7]:853#dns.example.net"}, "", CORP),
    ("a resolver with another port", TUN, {"DNS": "192.0.2.7:53"}, "", None),
    ("a resolver that a link's scope belongs to", TUN, {"DNS": "fe80::7%x"}, "", None),
    ("no resolver", TUN, {"DNS": ""}, "", None),
    ("a link that is down", TUN, {"OPER_STATE": "no-carrier"}, "", None),
    ("an Ethernet's domains come from whoever runs its DHCP server", ETHERNET, {}, "[Network]\nDHCP=yes\n[DHCPv4]\nUseDomains=route\n", None),
    ("an Ethernet's domain and resolver that root wrote", ETHERNET, {"DOMAINS": "evil.example.net", "DNS": "192.0.2.9 192.0.2.7"}, OF_ROOT, CORP),
    ("an Ethernet's resolver of the DHCP server for a domain that root wrote", ETHERNET, {"DNS": "192.0.2.9"}, OF_ROOT, None),
    ("an Ethernet's domain of the DHCP server for a resolver that root wrote", ETHERNET, {"ROUTE_DOMAINS": "evil.example.net"}, OF_ROOT, None),
    ("a file of root's in another folder", ETHERNET, {"NETWORK_FILE": "/tmp/x.network"}, OF_ROOT, None),
    ("a file of root's with a path that leads out", ETHERNET, {"NETWORK_FILE": "/etc/systemd/network/../../../tmp/x.network"}, OF_ROOT, None),
    ("G11 a domain with a command in it", TUN, {"ROUTE_DOMAINS": "$(touch${IFS}{dir}/ran).example.net `touch {dir}/ran`.example.net"}, "", None),
    ("G11 a domain that ends the string and brings an option", TUN, {"ROUTE_DOMAINS": 'a.example.net"{}ct{mode="off"}#'}, "", None),
    ("G11 a domain that a shell expands", TUN, {"ROUTE_DOMAINS": "*.* evil.*"}, "", None),
    ("G11 a thousand domains are cut to a number that fits", TUN, {"ROUTE_DOMAINS": " ".join(f"d{i:03}.example.net" for i in range(1000))}, "",
     [f"d{i:03}.example.net" for i in range(32)]),
    ("G11 a state of a mebibyte", TUN, {"ROUTE_DOMAINS": "a." * (1 << 19) + "net"}, "", None),
    ("G11 a resolver that brings an option", TUN, {"DNS": '1.1.1.1"}ct="off'}, "", None),
]], builds=("gcc",))
def networkd_row(t, device, change, of_root, want):
    state = {k: v.replace("{dir}", t.dir) for k, v in {**STATE, **change}.items()}
    files = [("/etc/systemd/network/x.network", of_root), ("/tmp/x.network", of_root)]
    equal(networkd(t, [("x", device, state)], files), {"x": want} if want else {}, "rows")
    check(not os.path.exists(t.path("ran")), "a command in a name was run")
    equal(os.path.exists(t.path("reloads")), bool(want), "the daemon was asked to reload")


@case("systemd-networkd: root's words in a drop-in count, a second look changes nothing, and each link's rows go with it", builds=("gcc",))
def networkd_life(t):
    drop_in = [("/etc/systemd/network/x.network", "[Network]\nDHCP=yes\n"), ("/run/systemd/network/x.network.d/corp.conf", OF_ROOT)]
    links = [("eth0", ETHERNET, STATE), ("tun0", TUN, {**STATE, "ROUTE_DOMAINS": "vpn.example.net"})]
    equal(networkd(t, links, drop_in), {"eth0": CORP, "tun0": ["vpn.example.net"]}, "both links")
    equal(networkd(t, links, drop_in), {"eth0": CORP, "tun0": ["vpn.example.net"]}, "both links again")
    equal(open(t.path("reloads"), encoding="utf-8").read().count("reload"), 1, "reloads")
    t.write("etc/conf.d/90-link-lo.conf", 'forward "of.nm.example.net" {}\n')  # NetworkManager's hook looks after its own
    os.makedirs(t.path("root/sys/class/net/lo"))
    links[1] = ("tun0", TUN, {**STATE, "OPER_STATE": "off"})
    equal(networkd(t, [*links, ("lo", ETHERNET, {})], drop_in), {"eth0": CORP, "lo": ["of.nm.example.net"]}, "the tunnel is down")
    equal(networkd(t, [("lo", ETHERNET, {})]), {"lo": ["of.nm.example.net"]}, "the other is gone as well")
    equal(open(t.path("reloads"), encoding="utf-8").read().count("reload"), 3, "reloads")


@case("G11 systemd-networkd: of a hundred links with domains sixteen count", builds=("gcc",))
def networkd_many(t):
    links = [(f"tun{i}", TUN, {**STATE, "ROUTE_DOMAINS": f"d{i}.example.net"}) for i in range(100)]
    equal(len(networkd(t, links)), 16, "links with rows")


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
    """A machine that resolves through ctstub --with-links, in a hostile network with a good resolver, a VPN's own resolver, and one
    whose certificate nobody vouches for."""

    def __init__(self, t, kind):
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
        services, files = KINDS[kind]
        self.box = machine_of(t, services, files, prepare)
        self.box.boot()
        self.network.plug_in(self.box.leader)
        self.box.run("systemctl", "restart", *services)
        until(lambda: has_address(self.box), 40, "an address by DHCP")
        self.box.must("systemctl", "enable", "--now", "ctstubd.socket", "ctstubd.service")
        self.before = files_of(self.box)
        self.said = self.box.must(*SETUP, "--yes", "--with-links", seconds=120)
        self.network.forget()

    def event(self, action, **variables):
        """As NetworkManager-dispatcher(8) calls it."""
        self.box.must("/usr/bin/env", *(f"{k}={v}" for k, v in variables.items()), INSTALLED_HOOK, "tun0", action)

    def resolves(self, name):
        return self.box.run("getent", "ahosts", name, seconds=40)[0] == 0


@case("a VPN's names go to its own resolver, which is judged, until the link goes down or a day has passed; nothing leaks",
      builds=("gcc",), timeout=600)
def vpn(t):
    m = Machine(t, "NetworkManager alone")
    m.box.must("ip", "link", "add", "tun0", "type", "veth", "peer", "name", "tun0-far")
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


def rows_in(m):
    return m.box.must("sh", "-c", "cat /usr/local/etc/ctstub/conf.d/90-link-*.conf 2>/dev/null || :")


@case("a VPN of systemd-networkd: its names go to its own resolver, which is judged, while the link is up; nothing leaks, undo leaves no difference",
      builds=("gcc",), timeout=600)
def networkd_vpn(t):
    m = Machine(t, "systemd-networkd and systemd-resolved")
    check("enable ctstub-links.path" in m.said, m.said)
    m.box.must(*SETUP, "--check")
    until(lambda: m.box.state("ctstub-links.timer") == "active", 30, "the first look is over")
    states = m.box.must("sh", "-c", "grep -hE '^(DNS|DOMAINS|ROUTE_DOMAINS|OPER_STATE)=' /run/systemd/netif/links/* | tr '\\n' ' '")
    check("search.example" in states, f"the hostile lease gave no domains (negative control): {states}")
    equal(rows_in(m), "", "rows for the domains of a hostile lease")
    tunnel = Tunnel(t, m.box)
    tunnel.up(GATE, "~corp.example.net")
    until(lambda: 'forward "corp.example.net" { upstream = {"corp"} shared = true }' in rows_in(m), 30, f"rows: {m.box.journal('ctstub-links@*')[-800:]}")
    until(lambda: m.resolves("first.corp.example.net") and "first.corp.example.net" in m.own.asked(), 30, f"with the VPN: {m.box.journal('ctstubd')[-800:]}")
    check(m.resolves("one.corp.example.net") and m.resolves("www.example.org"), "names with the VPN")
    equal("one.corp.example.net" in m.public.asked(), False, "the public resolver was asked for a name of the VPN")
    equal(("www.example.org" in m.own.asked(), "www.example.org" in m.public.asked()), (False, True), "who was asked for another name")
    until(lambda: "Finished" in m.box.journal("ctstub-links@look"), 60, "nobody looks for what the path unit missed")
    # a resolver that cannot prove who it is: not asked, and nobody else either
    tunnel.up(DEAF, "~corp.example.net")
    until(lambda: f'"{DEAF}"' in rows_in(m), 30, f"rows: {rows_in(m)}")
    until(lambda: not m.resolves("two.corp.example.net") and "untrusted" in m.box.journal("ctstubd"), 30, "refused")
    equal(m.resolves("three.corp.example.net"), False, "through an impostor")
    equal((m.impostor.server.application_bytes, "three.corp.example.net" in m.public.asked() | m.own.asked()), (0, False), "who was asked")
    tunnel.down()
    until(lambda: rows_in(m) == "", 30, "the rows go with the link")
    until(lambda: m.resolves("four.corp.example.net") and "four.corp.example.net" in m.public.asked(), 30, "after the VPN")
    # what an earlier boot left is gone after the next one
    m.box.must("sh", "-c", "echo '# Written by the ctstub hook of systemd-networkd for lo;' >/usr/local/etc/ctstub/conf.d/90-link-lo.conf")
    m.box.must("systemctl", "restart", "ctstub-links.path")
    until(lambda: rows_in(m) == "", 30, "a file of an earlier boot goes")
    equal(m.network.clear_text(), [], "in clear text")
    tunnel.up(GATE, "~corp.example.net")
    until(lambda: rows_in(m) != "", 30, "rows again")
    m.box.must(*SETUP, "--undo")
    for unit in ("ctstub-links.path", "ctstub-links.timer", "ctstub-links@event.service", "ctstub-links@look.service"):
        until(lambda unit=unit: m.box.state(unit) == "inactive", 20, f"{unit} after undo is {m.box.state(unit)}: {m.box.journal(unit)[-800:]}")
    equal(rows_in(m), "", "rows after undo")
    tunnel.away()
    until(lambda: not differences(m.before, files_of(m.box)), 40, f"no difference after undo: {differences(m.before, files_of(m.box))}")
    m.box.power_off()

"""Machines that resolve names in different ways, as root folders to boot; and the files that must be the same before and after."""
import contextlib
import os
import subprocess

from harness.container import Container, debian_root

# Every program that may write /etc/resolv.conf.
WRITERS = ("network-manager", "systemd-resolved", "ifupdown", "isc-dhcp-client", "dhcpcd-base")
GATHERED = ("ifupdown", "isc-dhcp-client", "dhcpcd-base")  # beside a gatherer of their lists
TOOLS = ("curl",)
SERVICES = ("NetworkManager", "systemd-resolved", "systemd-networkd", "networking", "dhcpcd")
DHCPCD_UNIT = "[Unit]\nDescription=dhcpcd\n[Service]\nExecStart=/sbin/dhcpcd -B -q --nodev\n"
# Takes precedence over 80-container-host0.network of systemd.
NETWORKD = {"/etc/systemd/network/10-host0.network": "[Match]\nName=host0\n[Network]\nDHCP=yes\n[DHCPv4]\nUseDomains=yes\n"}
NETWORK_MANAGER = {
    "/etc/NetworkManager/conf.d/managed.conf": "[device-lab]\nmatch-device=interface-name:host0\nmanaged=1\n",
    "/etc/NetworkManager/system-connections/host0.nmconnection":
        "[connection]\nid=host0\ntype=ethernet\ninterface-name=host0\n[ipv4]\nmethod=auto\n[ipv6]\nmethod=disabled\n"}
# name: (services that run, files)
KINDS = {
    "systemd-networkd and systemd-resolved": (("systemd-networkd", "systemd-resolved"), NETWORKD),
    "NetworkManager alone": (("NetworkManager",), NETWORK_MANAGER),
    "NetworkManager and systemd-resolved": (("NetworkManager", "systemd-resolved"), NETWORK_MANAGER),
    "ifupdown with dhclient": (("networking",), {
        "/etc/network/interfaces": "auto lo\niface lo inet loopback\nauto host0\niface host0 inet dhcp\n"}),
    "dhcpcd": (("dhcpcd",), {"/etc/systemd/system/dhcpcd.service": DHCPCD_UNIT}),
}
# The same with a program that collects resolvers from others; each replaces systemd-resolved's own `resolvconf`.
GATHERERS = {
    "ifupdown with dhclient and resolvconf": ("ifupdown with dhclient", "resolvconf"),
    "dhcpcd and openresolv": ("dhcpcd", "openresolv"),
}
PLAIN_FILE = ((), {"/etc/resolv.conf": "nameserver 192.0.2.1\n"})

WATCHED = ("/etc", "/run/systemd/resolve")
# Files that a boot, a lease or the clock writes on every kind of machine.
OF_NO_MATTER = ("/etc/machine-id", "/etc/.pwd.lock", "/etc/NetworkManager/system-connections", "/run/systemd/resolve/netif",
                "/etc/ld.so.cache", "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-")


def machine_of(t, services, files, install=lambda root: None, suite=None, gatherer=None):
    """A container of a root in which these services run. install(root) installs ctstub there, or other programs."""
    root = debian_root(t, suite, more=(*WRITERS, *TOOLS) if gatherer is None else (*GATHERED, gatherer))
    install(root)
    if "systemd-resolved" not in services and gatherer is None:  # its package contains a `resolvconf` that others call
        subprocess.run(["chroot", root, "dpkg", "-r", "systemd-resolved"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if os.path.lexists(root + "/etc/resolv.conf"):
        os.unlink(root + "/etc/resolv.conf")
    if "systemd-resolved" in services:
        os.symlink("../run/systemd/resolve/stub-resolv.conf", root + "/etc/resolv.conf")
    elif gatherer == "resolvconf":
        os.symlink("../run/resolvconf/resolv.conf", root + "/etc/resolv.conf")
    else:
        open(root + "/etc/resolv.conf", "w", encoding="utf-8").close()
    for path, content in files.items():
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        with open(root + path, "w", encoding="utf-8") as f:
            f.write(content)
        # NetworkManager requires that others cannot read its secrets; systemd-networkd, with a user of its own, has to read its files.
        os.chmod(root + path, 0o600 if path.endswith(".nmconnection") else 0o644)
    for service in SERVICES:
        word = "enable" if service in services else "mask"
        subprocess.run(["systemctl", f"--root={root}", "-q", word, service], check=False, stderr=subprocess.DEVNULL)
    return Container(t, root)


def has_address(machine):
    return "192.0.2." in machine.run("ip", "-4", "-o", "addr", "show", "dev", "host0")[1]


def files_of(machine, folders=WATCHED):
    """{path: (kind and mode, owner, group, content)} through PID 1's root, so that /run is the container's own."""
    found, root = {}, f"/proc/{machine.leader}/root"
    for folder in folders:
        for path, below, names in os.walk(root + folder):
            for name in names + below:
                full = os.path.join(path, name)
                inside = full[len(root):]
                if not inside.startswith(OF_NO_MATTER):
                    with contextlib.suppress(FileNotFoundError):  # a service's temporary file, renamed meanwhile
                        found[inside] = content_of(full)
    return found


def content_of(full):
    st = os.lstat(full)
    content = b""
    if os.path.islink(full):
        content = os.readlink(full).encode()
    elif os.path.isfile(full):
        with open(full, "rb") as f:
            content = f.read()
    return st.st_mode, st.st_uid, st.st_gid, content


def differences(before, after):
    return sorted(p for p in set(before) | set(after) if before.get(p) != after.get(p))

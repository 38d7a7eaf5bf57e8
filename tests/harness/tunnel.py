"""A VPN's link in a container whose systemd-networkd manages it: a tun device that this process holds open, so that it has a carrier."""
import contextlib
import fcntl
import os
import struct

from harness.case import until
from harness.outside import network_of

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
NETWORK = "[Match]\nName={name}\n[Network]\nAddress=198.51.100.2/24\nDNS={server}\nDomains={domains}\n"


class Tunnel:
    """Goes up with a resolver and domains, as an administrator's .network file gives them, and down."""

    def __init__(self, t, machine, name="tun0"):
        self.machine, self.name, self.fd = machine, name, None
        self.file = f"{machine.root}/etc/systemd/network/{name}.network"
        t.defer(self.down)

    def up(self, server, domains):
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(NETWORK.format(name=self.name, server=server, domains=domains))
        os.chmod(self.file, 0o644)
        self.machine.must("networkctl", "reload")
        if self.fd is None:
            with network_of(self.machine.leader):
                self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
                fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", self.name.encode(), IFF_TUN | IFF_NO_PI))
            self.machine.must("ip", "link", "set", self.name, "up")
        else:
            self.machine.must("networkctl", "reconfigure", self.name)
        until(lambda: "routable" in self.machine.run("networkctl", "--no-legend", "--no-pager", "list", self.name)[1], 30,
              f"{self.name} is routable: {self.machine.run('networkctl', '--no-pager', 'status', self.name)[1][-800:]}")

    def down(self):
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def away(self):
        self.down()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.file)
        self.machine.must("networkctl", "reload")

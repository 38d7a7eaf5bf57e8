"""Signed zones: the root, com and arpa with a chain of trust, `example` and `home.arpa` delegated without one."""
import glob
import os
import time

from harness.case import check
from harness.servers import Bind

SOA = "@ 300 IN SOA ns.example. host.example. 1 3600 600 86400 300"
ZONES = {
    ".": ["@ 300 IN NS ns.example.", "ns.example. 300 IN A 192.0.2.53", "com. 300 IN NS ns.example.", "arpa. 300 IN NS ns.example.",
          "example. 300 IN NS ns.example."],
    "com": ["@ 300 IN NS ns.example.", "www 300 IN A 192.0.2.7", "shop 300 IN A 192.0.2.8"],
    "arpa": ["@ 300 IN NS ns.example.", "home 300 IN NS ns.example."],
    "example": ["@ 300 IN NS ns.example.", "ns 300 IN A 192.0.2.53", "www 300 IN A 192.0.2.9"],
}
SIGNED = ("com", "arpa", ".")  # children first: their DS go into the root


class World(Bind):
    """BIND serves it; anchor_key, anchor_ds: the root's as text of a zone file."""

    def start(self):
        ds = []
        for zone in SIGNED:
            ds.append(self.sign(zone, ds if zone == "." else []))
        self.anchor_ds = ds[-1]
        self.write("example.zone", "\n".join(["$ORIGIN example.", SOA, *ZONES["example"]]) + "\n")
        text = f'''tls ours {{ cert-file "{self.site.chain}"; key-file "{self.site.key_file}"; }};
options {{
 directory "{self.dir}";
 pid-file none; session-keyfile none; managed-keys-directory "{self.dir}";
 listen-on port {self.port} tls ours {{ 127.0.0.1; }};
 listen-on port {self.plain_port} {{ 127.0.0.1; }};
 listen-on-v6 {{ none; }};
 recursion no; dnssec-validation no; allow-query {{ any; }}; notify no;
}};
controls {{ }};
'''
        for zone in ZONES:
            text += f'zone "{zone}" {{ type primary; file "{self.dir}/{self.label(zone)}.zone"; }};\n'
        return self.spawn("-g", "-n", "1", "-c", self.write("named.conf", text))

    @staticmethod
    def label(zone):
        return "root" if zone == "." else zone

    def sign(self, zone, ds):
        """The zone's file, signed; gives its DS."""
        origin = "." if zone == "." else zone + "."
        path = self.write(f"{self.label(zone)}.plain", "\n".join([f"$ORIGIN {origin}", SOA, *ZONES[zone], *ds]) + "\n")
        code, out, err = self.t.run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", origin, cwd=self.dir)
        check(code == 0, f"ldns-keygen: {err}")
        key = os.path.join(self.dir, out.strip())
        then = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + 864000))
        code, _, err = self.t.run("ldns-signzone", "-e", then, "-o", origin, "-f", os.path.join(self.dir, f"{self.label(zone)}.zone"),
                                  path, key, cwd=self.dir)
        check(code == 0, f"ldns-signzone: {err}")
        check(glob.glob(key + ".ds"), "ldns-keygen wrote no DS")
        if zone == ".":
            with open(key + ".key", encoding="ascii") as f:
                self.anchor_key = f.read().split(";")[0].strip()
        with open(key + ".ds", encoding="ascii") as f:
            return f.read().split(";")[0].strip()

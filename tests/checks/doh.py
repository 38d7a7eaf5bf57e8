"""The table of public DoH services behind `ctstub egress`: its form, its origin and its age."""
import datetime
import ipaddress
import os
import re
import subprocess

from harness.case import case, check, equal

AGE_MAX = datetime.timedelta(days=365)  # operators add addresses rarely, and seldom give one up
ROW = re.compile(r'DOH\((\d), "([^"]+)"\)')
MUST = ("1.1.1.1", "2606:4700:4700::1111", "8.8.8.8", "2001:4860:4860::8888", "9.9.9.9", "2620:fe::fe", "94.140.14.14", "2a10:50c0::ad1:ff",
        "208.67.222.222", "2620:119:35::35", "185.228.168.9", "2a0d:2a00:1::2", "45.90.28.0", "2a07:a8c0::", "76.76.2.0", "2606:1a40::",
        "194.242.2.2", "2a07:e340::2", "86.54.11.1", "2a13:1001::86:54:11:1", "223.5.5.5", "2400:3200::1", "77.88.8.8", "2a02:6b8::feed:ff")


def source(t, *names):
    with open(os.path.join(t.src, *names), encoding="utf-8") as f:
        return f.read()


def networks(text):
    return [(int(family), ipaddress.ip_network(address)) for family, address in ROW.findall(text)]


def faults(rows):
    """Rows of the wrong family, and rows that overlap, at which nft would refuse the set."""
    found = [f"{net} is not of family {family}" for family, net in rows if net.version != family]
    return found + [f"{a} overlaps {b}" for i, (_, a) in enumerate(rows) for _, b in rows[:i] if a.version == b.version and a.overlaps(b)]


@case("every row is an address or prefix of its family, and none overlaps another")
def form(t):
    rows = networks(source(t, "cli", "egress_doh.def"))
    check(len(rows) > 80, f"{len(rows)} rows were read")
    equal(faults(rows), [], "faults")


@case("the large services are in it, over both families")
def known(t):
    rows = [net for _, net in networks(source(t, "cli", "egress_doh.def"))]
    equal([a for a in MUST if not any(ipaddress.ip_address(a) in net for net in rows)], [], "missing")


@case("every group of rows names where its operator publishes them")
def origins(t):
    groups = re.findall(r"^/\* (.*?) \*/$", source(t, "cli", "egress_doh.def"), re.M)
    check(len(groups) >= 8, f"groups: {groups}")
    for service in (part for group in groups for part in re.split(r"; (?!anycast)", group)):
        check(re.search(r": [\w.-]+\.(?:\w+)", service), f"no origin: {service}")


@case("the table was reviewed at most a year before the newest commit")
def age(t):
    date = datetime.date.fromisoformat(re.search(r'EGRESS_DOH_DATE "([^"]+)"', source(t, "cli", "egress.h")).group(1))
    done = subprocess.run(["git", "-C", t.src, "log", "-1", "--format=%cs"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    newest = datetime.date.fromisoformat(done.stdout.decode().strip()) if done.returncode == 0 else datetime.date.today()
    check(newest - date <= AGE_MAX, f"the table is of {date}, review it again")


@case("the check of the table sees a wrong family and an overlap")
def control(_t):
    equal(len(faults(networks('DOH(6, "192.0.2.1") DOH(4, "192.0.2.0/24")'))), 2, "faults")

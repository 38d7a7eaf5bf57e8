"""contrib/fleet's Ansible role, applied to a booted Debian by Ansible itself: it does what it says, and a second run changes nothing."""
import json
import os
import re
import shutil

from harness.case import check, equal, until
from package.packages import Machine, TOP, answers

ANSIBLE = ("ansible-core", "nftables", "python3-apt")
LAB_UNIT = "[Service]\nExecStart=/usr/bin/ctstub-lab serve good-v4 --listen 127.0.0.1:8853 --pki /srv/lab\n[Install]\nWantedBy=multi-user.target\n"
CONFIG = """upstream "lab" {
  address = {"127.0.0.1"}
  port = 8853
  trust-anchors = "/srv/lab/anchors.pem"
  ct-logs = "/srv/lab/ct-logs.json"
}
"""
FEED = "https://127.0.0.1:1/feed.txt"
ENTRY = "cert-sha256 " + "ab" * 32


def play(box, *options):
    """(changed, failed) of one run of the play on this machine."""
    code, said = box.run("env", "HOME=/root", "LC_ALL=C.UTF-8", "ansible-playbook", "-c", "local", "-i", "localhost,", "-e", "ansible_become=false", "-e", "@/root/vars.json",
                         *options, "/root/ansible/site.yml", seconds=400)
    recap = re.search(r"localhost +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=(\d+)", said)
    check(code == 0 and recap, f"ansible-playbook ended with {code}: {said[-1500:]}".replace(chr(10), ' | '))
    return int(recap.group(1)), said


def role(t, suite, out):
    machine = Machine(t, suite, out, ("ctstub", "ctstub-lab", "ctstub-watch"), ANSIBLE)
    box = machine.box
    shutil.copytree(os.path.join(TOP, "contrib", "fleet", "ansible"), machine.root + "/root/ansible")
    deb, watch = (next(p for p in machine.packages if name in p) for name in ("ctstub_", "ctstub-watch_"))
    key = t.path("org")
    check(t.run("ctstub-watch", "sign", "--new-key", key)[0] == 0, "a key of the feed")
    with open(key + ".pub", encoding="utf-8") as f:
        key = f.read()
    variables = {"ctstub_package": deb, "ctstub_config": CONFIG, "ctstub_disallow": [ENTRY], "ctstub_egress": True, "ctstub_control_group": "adm",
                 "ctstub_metrics": "127.0.0.1:9153", "ctstub_feed_url": FEED, "ctstub_feed_key": key, "ctstub_watch_package": watch}
    machine.write("/root/vars.json", json.dumps(variables))
    machine.write("/etc/systemd/system/lab.service", LAB_UNIT)
    box.boot()
    machine.dpkg("-i", *[p for p in machine.packages if p not in (deb, watch)])
    box.must("ctstub-lab", "pki", "/srv/lab")
    box.must("chmod", "-R", "a+rX", "/srv/lab")
    box.must("systemctl", "start", "lab.service")
    changed, _ = play(box)
    check(changed >= 6, f"the first run changed {changed} things")
    answers(box)
    done(machine, box)
    changed, said = play(box)
    equal(changed, 0, f"what the second run changed: {[line for line in said.splitlines() if 'changed:' in line or line.startswith('TASK')]}")
    equal(play(box, "--check")[0], 0, "what --check would change")
    machine.write("/root/vars.json", json.dumps({**variables, "ctstub_disallow": []}))
    check(play(box)[0] > 0, "a list that is shorter changes nothing")
    check(ENTRY not in box.must("cat", "/etc/ctstub/disallow.txt"), "the entry is still there")
    box.power_off()


def done(machine, box):
    """Each thing that the role promises."""
    check(ENTRY in box.must("cat", "/etc/ctstub/disallow.txt"), "the disallow list")
    box.must("ctstub", "setup", "--check")
    box.must("getent", "hosts", "www.example.com")
    code, said = box.run("ctstub", "egress", "--check", "--json")
    check(json.loads(said)["loaded"] and not json.loads(said)["out_of_date"], f"the firewall: {code} {said}")
    check("/etc/ctstub/egress.nft" in box.must("cat", "/etc/nftables.conf"), "the rules come back at the next boot")
    equal(box.must("stat", "-c", "%G", "/run/ctstub/control").strip(), "adm", "the control socket's group")
    equal(box.run("setpriv", "--reuid=games", "--regid=games", "--groups=adm", "ctstub", "reload")[0], 0, "a reload by a member")
    request = r'exec 3<>/dev/tcp/127.0.0.1/9153; printf "GET /metrics HTTP/1.1\r\n\r\n" >&3; cat <&3'
    until(lambda: "ctstub_questions_udp_total" in box.run("bash", "-c", request)[1], 20, "the exporter serves")
    for unit in ("ctstubd.socket", "ctstubd.service", "ctstub-ct-logs.timer", "ctstub-audit.timer", "ctstub-metrics.service", "nftables.service",
                 "ctstub-watch-pull.timer", "ctstub-watch-reload.path"):
        equal(box.run("systemctl", "is-enabled", unit)[1].strip(), "enabled", unit)
    equal((box.run("systemctl", "is-enabled", "ctstub-watch")[1].strip(), box.state("ctstub-watch")), ("disabled", "inactive"), "the watcher on a machine that only pulls")
    box.run("systemctl", "start", "ctstub-watch-pull", seconds=60)
    until(lambda: "ctstub-watch pull: " in box.journal("ctstub-watch-pull"), 20, f"the pull looks at {FEED}: {box.journal('ctstub-watch-pull')}")
    check("key" not in box.journal("ctstub-watch-pull") and "127.0.0.1" in box.journal("ctstub-watch-pull"), f"the pull: {box.journal('ctstub-watch-pull')}")

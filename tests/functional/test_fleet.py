"""contrib/fleet: the checkers of Ansible, YAML and Prometheus find nothing, and a real Prometheus that scrapes `ctstub metrics`
has data for every panel of the dashboard."""
import json
import math
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from functional._common import is_taken, stub
from harness import client, net
from harness.case import Skip, case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.pki import Site
from harness.upstream import DotServer


def fleet(t, *names):
    return os.path.join(t.src, "contrib", "fleet", *names)


def text(t, *names):
    with open(fleet(t, *names), encoding="utf-8") as f:
        return f.read()


def tool(name, *arguments, cwd=None, env=None):
    if not shutil.which(name):
        raise Skip(f"{name} is not on this machine")
    done = subprocess.run([name, *arguments], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, done.stdout.decode()[-1500:])


@case("yamllint finds nothing", builds=("gcc",))
def yaml_checked(t):
    tool("yamllint", "--strict", "-d", "{extends: default, rules: {line-length: disable, comments: {require-starting-space: false}, "
         "document-start: {ignore: cloud-init.yaml}, truthy: {check-keys: false}}}", fleet(t))


@case("ansible-lint finds nothing", builds=("gcc",))
def role_checked(t):
    copy = t.path("ansible")
    shutil.copytree(fleet(t, "ansible"), copy)
    tool("ansible-lint", "--offline", "-q", cwd=copy, env=t.env(HOME=t.dir, ANSIBLE_HOME=t.path("home")))


@rows([(f"the role loads the rules of egress: {name}", *row) for name, *row in (
    ("a new file, for nftables has no such table", True, False, False, True),
    ("a new file, whose upstreams are those of the loaded rules (another user, portal.enable)", True, True, False, True),
    ("the same file, loaded rules of other upstreams", False, True, True, True),
    ("the same file, after a reboot without nftables", False, False, False, True),
    ("the same file, and it is loaded", False, True, False, False))], builds=("gcc",))
def role_loads_rules(t, changed, loaded, out_of_date, want):
    try:
        import jinja2  # noqa: PLC0415 - they come with Ansible
        import yaml
    except ImportError as error:
        raise Skip(str(error)) from error
    tasks = {task["name"]: task for task in yaml.safe_load(text(t, "ansible", "roles", "ctstub", "tasks", "egress.yml"))}
    handlers = {task["name"]: task for task in yaml.safe_load(text(t, "ansible", "roles", "ctstub", "handlers", "main.yml"))}
    look, environment = tasks["Are the rules loaded and current"], jinja2.Environment()
    environment.filters["from_json"] = json.loads
    state = {look["register"]: {"stdout": json.dumps({"loaded": loaded, "out_of_date": out_of_date})}}
    told = [look.get("notify")] if environment.compile_expression(look["changed_when"])(**state) else []
    told += [tasks["Write the rules"].get("notify")] if changed else []
    equal("nft -f /etc/ctstub/egress.nft" in [handlers[name]["ansible.builtin.command"] for name in told if name], want, "are they loaded")


@rows([("promtool accepts the alert rules", "check", "rules", "alerts.yml"),
       ("each alert is raised when it should be, and not otherwise", "test", "rules", "alerts_test.yml")], builds=("gcc",))
def rules_checked(t, verb, what, name):
    done = subprocess.run([t.program("promtool"), verb, what, name], cwd=fleet(t), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, done.stdout.decode()[-1500:])


@case("the tests of the alert rules expect every alert to be raised, and to be silent", builds=("gcc",))
def every_alert_tested(t):
    alerts = re.findall(r"alert: (\w+)", text(t, "alerts.yml"))
    tests = text(t, "alerts_test.yml")
    check(len(alerts) >= 8, f"alerts: {alerts}")
    equal(sorted(re.findall(r"alertname: (\w+), exp_alerts: \[\]", tests)), sorted(alerts), "silent on a healthy machine")
    equal(sorted(re.findall(r'\{alertname="(\w+)"\}', tests)), sorted(alerts), "raised when all is wrong")


def gauges(page, *names):
    return tuple(re.findall(rf"(?m)^ctstub_upstream_{name}{{.*}} (.*)$", page) for name in names)


@case("every metric of the alert rules and the dashboard exists", builds=("gcc",))
def metrics_exist(t):
    d, _ = stub(t)
    code, out, _ = t.run("ctstub", "stats", "--prometheus", "--socket", d.control)
    equal(code, 0, "ctstub stats")
    equal(gauges(out, "up", "unused"), (["0"], ["1"]), "gauges of an upstream that nobody has asked yet")
    d.ask("www.example.com")
    equal(gauges(t.run("ctstub", "stats", "--prometheus", "--socket", d.control)[1], "up", "unused"), (["1"], ["0"]), "gauges of one that answers")
    served = set(re.findall(r"^# TYPE (ctstub_\w+)", out, re.M))
    with open(os.path.join(t.src, "contrib", "watch", "status.c"), encoding="utf-8") as source:
        served |= set(re.findall(r'"(ctstub_watch_\w+)"', source.read()))
    dashboard = json.loads(text(t, "dashboard.json"))
    queries = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    for name, source in (("alerts.yml", " ".join(re.findall(r"expr: .*(?:\n {12}.*)?", text(t, "alerts.yml")))), ("dashboard.json", queries)):
        named = set(re.findall(r"\bctstub_\w+", source))
        check(len(named) >= 6 and named <= served, f"{name} names {sorted(named - served)}")


@rows([("cloud-init accepts the example", lambda content: content, True),
       ("cloud-init's check sees an invalid command", lambda content: content + "bootcmd: 7\n", False),
       ("cloud-init's check sees invalid permissions", lambda content: content.replace('"0644"', "[1]"), False)], builds=("gcc",))
def cloud_init_schema(t, spoil, good):
    modules = os.path.join(t.servers.root, "usr", "lib", "python3", "dist-packages")
    if not os.path.isdir(os.path.join(modules, "cloudinit")):
        raise Skip("cloud-init is not unpacked here")
    config = t.write("cloud-init.yaml", spoil(text(t, "cloud-init.yaml")))
    done = subprocess.run(["/usr/bin/python3", "-B", "-m", "cloudinit.cmd.main", "schema", "--config-file", config], env=dict(os.environ, PYTHONPATH=modules),
                          cwd=t.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = done.stdout.decode()
    equal(re.search(r"^Valid (cloud-config|schema)\b", said, re.M) is not None, good, said[-600:])  # the words of 22.4 and of 25.1


@case("the configuration that cloud-init writes is valid, and its commands are verbs", builds=("gcc",))
def cloud_init(t):
    content = text(t, "cloud-init.yaml")
    check(content.startswith("#cloud-config\n"), "the first line")
    block = re.search(r"50-fleet\.conf\n(?:    .*\n)*?    content: \|\n((?: {6}.*\n)+)", content)
    is_taken(t, re.sub(r"^ {6}", "", block.group(1), flags=re.M))
    for options in ("egress --nftables --updates", "egress --check --json", "setup --check"):
        role = text(t, "ansible", "roles", "ctstub", "tasks", "main.yml") + text(t, "ansible", "roles", "ctstub", "tasks", "egress.yml")
        check(options in role + content, options)
        shown = t.run("ctstub", "help", options.split()[0])[1]
        check(all(word in shown for word in options.split()), f"{options}: {shown}")


WATCHED = """# HELP ctstub_watch_findings_total Findings by kind.
# TYPE ctstub_watch_findings_total counter
ctstub_watch_findings_total{kind="rogue"} 1
ctstub_watch_timestamp_seconds 1
"""


class Prometheus:
    def __init__(self, t, target):
        self.t, self.port = t, net.free_port()
        config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [fleet(t, "alerts.yml")],
                  "scrape_configs": [{"job_name": "ctstub", "static_configs": [{"targets": [target]}]}]}
        self.process = t.spawn("prometheus", [t.program("prometheus"), f"--config.file={t.write('prometheus.yml', json.dumps(config))}",
                                              f"--storage.tsdb.path={t.path('tsdb')}", f"--web.listen-address=127.0.0.1:{self.port}",
                                              f"--web.local-assets={t.servers.root}/usr/share/prometheus/web/"],
                               env=t.servers.env())
        self.process.expect = None
        until(self.is_ready, 60, "Prometheus is ready")

    def is_ready(self):
        check(self.process.alive(), f"Prometheus ended: {self.process.log()[-600:]}")
        try:
            return net.answers_tcp("127.0.0.1", self.port) and self.get("targets")["activeTargets"]
        except urllib.error.HTTPError:  # 503 while it starts
            return False

    def get(self, what, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            reply = json.load(answer)
        equal(reply["status"], "success", what)
        return reply["data"]

    def has_data(self, query):
        values = [float(series["value"][1]) for series in self.get("query", query=query)["result"]]
        return bool(values) and not all(math.isnan(v) for v in values)


def lab(t):
    """A daemon with an upstream that it refuses, and one that a rule in report mode finds fault with; its exporter."""
    site, other = Site(t), Site(t, prefix="other")
    pin = {"pin": ["spki-sha256 " + "00" * 32], "pin_mode": "report"}
    good = DotServer(t, site)
    d = Daemon(t, [upstream("bad", DotServer(t, other)), upstream("good", good, **pin)], anchors=site.anchors, extra='strategy = "ordered"\nworkers = 2')
    os.mkdir(os.path.join(d.dir, "watch"), 0o755)
    with open(os.path.join(d.dir, "watch", "metrics.prom"), "w", encoding="utf-8") as f:
        f.write(WATCHED)
    port = net.free_port()
    t.spawn("metrics", [t.program("ctstub"), "metrics", "-c", d.config, "--listen", f"127.0.0.1:{port}"])
    return d, good, f"127.0.0.1:{port}"


def same_names(prometheus):
    """{panel: its legend}, where two lines of a panel could not be told apart."""
    found = {}
    for panel in json.loads(text(prometheus.t, "dashboard.json"))["panels"]:
        for query in panel["targets"]:
            series = prometheus.get("query", query=query["expr"].replace("$instance", ".*"))["result"]
            names = [re.sub(r"{{(\w+)}}", lambda label, s=s: s["metric"].get(label[1], ""), query.get("legendFormat", "")) for s in series]
            if len(set(names)) < len(names):
                found[panel["title"]] = names
    return found


@case("every panel of the dashboard shows data of a running daemon, and every alert rule is evaluated", builds=("gcc",), timeout=300)
def panels(t):
    d, good, target = lab(t)
    prometheus = Prometheus(t, target)
    queries = {panel["title"]: query["expr"] for panel in json.loads(text(t, "dashboard.json"))["panels"] for query in panel["targets"]}
    check(len(queries) >= 16, f"panels: {list(queries)}")
    asked = [0]

    def missing():
        """What happens on a machine, and the panels that show nothing of it."""
        for _ in range(3):
            asked[0] += 1
            equal(client.rcode(d.ask(f"n{asked[0]}.example.com")), "NOERROR", "rcode")
            d.ask("again.example.com")
        d.ctl("reload")  # the upstream that is refused is tried again
        good.drop()  # the next question makes a handshake, and a verdict
        return [title for title, query in queries.items() if not prometheus.has_data(query.replace("$instance", ".*"))]
    left = ["all"]

    def complete():
        left[:] = missing()
        return not left
    try:
        until(complete, 90, "every panel has data")
    except AssertionError as error:
        raise AssertionError(f"{error}: without data are {left}") from error

    equal(same_names(prometheus), {}, "series of one panel that have the same name in its legend")

    def rules():
        return {rule["name"]: rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]}
    until(lambda: all(rule["health"] == "ok" for rule in rules().values()), 30, "every rule is evaluated")
    d.ask("last.example.com")  # the reload forgot that an upstream is refused
    until(lambda: rules()["CtstubUpstreamRefused"]["state"] in ("pending", "firing"), 30, "the refused upstream raises its alert")
    until(lambda: rules()["CtstubReportFindings"]["state"] == "firing", 30, "the finding in report mode raises its alert")
    # a scrape that takes a second has failed, until the next one
    until(lambda: rules()["CtstubDown"]["state"] == "inactive", 30, "no alert for a daemon that is up")
    equal([name for name in ("CtstubNoUpstream", "CtstubReloadRefused", "CtstubListOld") if rules()[name]["state"] != "inactive"], [], "other alerts")

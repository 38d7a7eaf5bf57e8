"""contrib/fleet: the checkers of Ansible, YAML and Prometheus find nothing, and the metrics that it names exist."""
import json
import os
import re
import shutil
import subprocess

from functional._common import is_taken, stub
from harness.case import Skip, case, check, equal, rows


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


@rows([("promtool takes the alert rules", "check", "rules", "alerts.yml"),
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


@case("every metric of the alert rules and the dashboard exists", builds=("gcc",))
def metrics_exist(t):
    d, _ = stub(t)
    code, out, _ = t.run("ctstub", "stats", "--prometheus", "--socket", d.control)
    equal(code, 0, "ctstub stats")
    served = set(re.findall(r"^# TYPE (ctstub_\w+)", out, re.M))
    dashboard = json.loads(text(t, "dashboard.json"))
    queries = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    for name, source in (("alerts.yml", " ".join(re.findall(r"expr: .*(?:\n {12}.*)?", text(t, "alerts.yml")))), ("dashboard.json", queries)):
        named = set(re.findall(r"\bctstub_\w+", source))
        check(len(named) >= 6 and named <= served, f"{name} names {sorted(named - served)}")


@case("the configuration that cloud-init writes is one, and its commands are verbs", builds=("gcc",))
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

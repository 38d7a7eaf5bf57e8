"""K04 and K07: clocks that step in the middle of something, and dates past the ends of 32-bit time."""
import datetime
import socket
import time

from harness import client
from harness.case import check, equal, rows
from harness.daemon import Daemon, upstream
from harness.faults import YEAR, Faults
from harness.pki import Authority, Site, key_pem, pem
from harness.upstream import DotServer

END_2038, END_2106 = 1 << 31, 1 << 32  # seconds since 1970


def stepping_server(t, site, step):
    """A server that calls step() after the client's first bytes came and before its own certificate is sent."""
    def on_accept(plain):
        plain.recv(1, socket.MSG_PEEK)
        step()
        return True
    return DotServer(t, site, on_accept=on_accept)


@rows([
    ("K04 the clock steps ten years ahead in the handshake: one verdict, expired", 0, 10 * YEAR, "expired"),
    ("K04 the clock steps ten years back in the handshake: one verdict, dated back", 0, -10 * YEAR, "not-yet-valid|clock-not-set"),
    ("K04 the clock is set right in the handshake: accepted", 10 * YEAR, 0, None),
], builds=("gcc",))
def step_in_handshake(t, before, after, reason):
    faults, site = Faults(t), Site(t, with_ct=True)
    faults.clocks(wall=before)
    server = stepping_server(t, site, lambda: faults.clocks(wall=after))
    d = Daemon(t, upstream("one", server), anchors=site.anchors, ct=None, env=faults.env,
               extra=f'ct {{ log-list = "{site.log_list}" policy = "chrome" }}')
    reply = d.ask("www.example.com")
    verdict = d.ctl("upstreams")["upstreams"][0]["verdict"]
    at = datetime.datetime.fromisoformat(verdict["at"]).timestamp()
    check(abs(at - time.time() - after) < 300, f"judged at {verdict['at']}")
    if reason is None:
        equal((client.rcode(reply), verdict["outcome"]), ("NOERROR", "accepted"), f"{verdict['reasons']}")
        return
    equal((client.rcode(reply), verdict["outcome"]), ("SERVFAIL", "refused"), "outcome")
    check(set(verdict["reasons"]) & set(reason.split("|")), f"{verdict['reasons']}")
    equal(len(server.questions), 0, "questions that were sent all the same")
    # SCTs are judged with the certificate's time, not with another
    want = {"valid"} if after > 0 else {"future"}
    equal({s["status"] for s in verdict["scts"]}, want, "SCTs")


@rows([(f"K04 the uptime does not depend on a clock that steps: {what}", step)
       for what, step in (("ten years ahead, as where a battery is empty", 10 * YEAR), ("a year back", -YEAR))], builds=("gcc",))
def step_while_it_runs(t, step):
    faults = Faults(t)
    d = Daemon(t, 'upstream "none" { address = {"127.0.0.1"} }\n', env=faults.env)
    faults.clocks(wall=step)
    uptime = d.ctl("status")["uptime_s"]
    check(0 <= uptime < 86400, f"uptime: {uptime} s")
    text = d.ctl("stats", format="prometheus")["text"]
    check(int(text.split("\nctstub_uptime_seconds ")[1].split()[0]) < 86400, "the metric")
    d.process.stop()
    ran = int(d.log().split("notice ended ran_s=")[1].split()[0])
    check(0 <= ran < 86400, f"it ran {ran} s")


# ---- K07

def seconds(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def site_for(t, year):
    """(anchors, chain, key): certificates that are still good a year after."""
    end = datetime.datetime(year + 1, 6, 1, tzinfo=datetime.timezone.utc)
    root = Authority("Root of a long life", not_after=end)
    between = Authority("Intermediate of a long life", root, not_after=end)
    key, leaf = between.issue(ips=["127.0.0.1"], not_after=end)
    return (t.write("anchors.pem", pem(root.cert)), t.write("chain.pem", pem(leaf) + pem(between.cert)), t.write("key.pem", key_pem(key)))


@rows([("K07 the wall clock passes the end of signed 32-bit seconds in 2038", END_2038, 2038, 0),
       ("K07 the wall clock passes the end of unsigned 32-bit seconds in 2106", END_2106, 2106, 0),
       ("K07 the machine has been up for 2^31 seconds", END_2038, 2038, END_2038),
       ("K07 the machine has been up for 2^32 seconds", END_2106, 2106, END_2106)], builds=("gcc",))
def borders(t, border, year, up):
    faults, (anchors, chain, key) = Faults(t), site_for(t, year)
    wall = border - int(time.time())
    boot = up - int(time.clock_gettime(time.CLOCK_BOOTTIME)) if up else 0
    faults.clocks(wall=wall - 100, boot=boot - 100 if up else 0)
    server = DotServer(t, Site(t), chain=chain, key=key)
    d = Daemon(t, upstream("one", server), anchors=anchors, env=faults.env)
    equal(client.rcode(d.ask("before.example.com")), "NOERROR", "before the border")
    faults.clocks(wall=wall + 100, boot=boot + 100 if up else 0)
    equal(client.rcode(d.ask("after.example.com")), "NOERROR", "after it")
    kept = d.ask("before.example.com")
    equal((client.rcode(kept), len(server.questions)), ("NOERROR", 2), "from the cache")
    check(90 <= kept.answer[0].ttl <= (101 if up else 300), f"a TTL of {kept.answer[0].ttl}")
    status = d.ctl("status")
    check(border - 200 < seconds(status["addresses"][0]["since"]) < border + 300, f"since {status['addresses'][0]['since']}")
    verdict = d.ctl("upstreams")["upstreams"][0]["verdict"]
    check(border - 200 < seconds(verdict["at"]) < border + 300, f"judged at {verdict['at']}")
    d.ask("kept.example.com")
    if up:  # a day later nothing of that is left
        faults.clocks(wall=wall + 100, boot=boot + 86400 + 400)
        d.ask("before.example.com")
        equal(server.names()[-1].rstrip("."), "before.example.com", "asked again after its life")


@rows([("K07 verify judges at the first moment after 2038's border", END_2038), ("K07 verify judges at the first moment after 2106's", END_2106)])
def verify_at(t, border):
    moment = datetime.datetime.fromtimestamp(border, datetime.timezone.utc)
    anchors, chain, _ = site_for(t, moment.year)
    for at, code in ((moment, 0), (moment + datetime.timedelta(days=730), 1)):
        done = t.run("ctstub", "verify", "--ip", "127.0.0.1", "--ca", anchors, "--ct", "off", "--at", at.strftime("%Y-%m-%dT%H:%M:%SZ"), chain)
        equal(done[0], code, f"at {at}: {done}")

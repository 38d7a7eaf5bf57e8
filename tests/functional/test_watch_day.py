"""The day a rogue certificate appears: issued, used, logged, found, blocked, and refused on a connection that is open."""
import re

from harness.case import case, check, equal, until
from harness.daemon import Daemon
from harness.toylogs import ToyLogs


@case("a rogue certificate is refused on an open connection soon after its log shows it", timeout=180)
def day(t):
    logs = ToyLogs(t)
    served = t.spawn("impostor", [t.program("ctstub-lab"), "serve", "fina-full-ct", "--listen", "127.0.0.1:0", "--pki", logs.folder])
    served.wait_log("listening")
    port = int(served.log().split("address=127.0.0.1:")[1].split()[0])
    known = t.write("known", "spki-sha256 " + "00" * 32 + "\n")
    upstream = f'upstream "lab" {{ address = {{"127.0.0.1"}} port = {port} }}\n'
    d = Daemon(t, upstream, anchors=logs.anchors, ct=None,
               extra=f'ct {{ log-list = "{logs.list}" }} watch {{ block = "enforce" poll = "5s" known-file = {{"{known}"}} }}')
    equal(d.ask("www.example.com").rcode(), 0, "the impostor is believed: nothing in the certificate tells")
    watch = t.spawn("watch", [t.program("ctstub-watch"), "-c", d.config])
    watch.wait_log("watching", 20)
    until(lambda: logs.process.log().count("/ct/v1/get-sth ") + logs.process.log().count("/checkpoint ") >= 2, 30, "logs are read")
    equal(d.ask("other.example.com").rcode(), 0, "before the log shows it")
    logs.enter(f"{logs.folder}/chains/fina-full-ct.pem")
    until(lambda: re.search(r"\brefused\b.*reason=disallowed", d.log()), 60, f"refusal {watch.log()[-900:]}")
    answer = d.ask("third.example.com")
    equal(answer.rcode(), 2, "afterwards nobody is asked")
    check("rogue" in watch.log() and "blocked" in watch.log(), watch.log()[-900:])
    code, out, _ = t.run("ctstub", "upstreams", "--json", "--socket", d.control)
    equal((code, "disallowed" in out), (0, True), "upstreams")

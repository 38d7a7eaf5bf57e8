"""The other parts of the bench. Each returns numbers for the raw JSON; bench/report.py writes and judges them."""
import json
import os
import random
import re
import socket
import struct
import subprocess
import threading
import time

from bench.world import MIB, Missing, fresh, quantile, resident
from bench.candidates import ctstub_dot, ctstubd
from harness.pki import utc_now
from harness.proxy import Proxy
from harness.upstream import DotServer


def numbers(bench, *command):
    """The lines "NAME NUMBER" of a program."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          preexec_fn=lambda: os.sched_setaffinity(0, bench.core))
    if done.returncode != 0:
        raise Missing(done.stdout.strip())
    return {m.group(1): float(m.group(2)) for m in re.finditer(r"^(\S+) ([\d.]+)$", done.stdout, re.M)}


def verdict(bench):
    """Microseconds of a verdict, of GnuTLS's part of it, and of what a peer can make a verdict cost."""
    out = numbers(bench, bench.ours("tests/bench/verdict"), bench.site.chain, bench.site.anchors, bench.site.log_list, "127.0.0.1",
                  utc_now().isoformat() + "Z")
    return out | {f"cost-{name}": value for name, value in numbers(bench, bench.ours("tests/bench/cost")).items()}


def control(bench, verb):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(f"{bench.dir}/control")
        s.sendall(json.dumps({"verb": verb}).encode() + b"\n")
        said = b""
        while True:
            more = s.recv(65536)
            if not more:
                return json.loads(said)
            said += more


def million(bench):
    """A million different names through one cache."""
    bench.upstream()
    size, names = 64, 1_000_000 if not bench.options.short else 50_000
    process = bench.start(ctstub_dot(bench, cache=f"{size}MiB"), "ctstubd", bench.core)
    try:
        bench.wait_for(bench.answered, process, "ctstubd")
        before = resident(process.pid)[0]
        done = bench.load("--window", "400", *fresh(), "--count", str(names), seconds=600)
        cache = control(bench, "stats")["cache"]
        return {"names": done["answered"], "size_mib": size, "entries": cache["entries"], "cache_mib": cache["bytes"] / MIB,
                "added_mib": resident(process.pid)[0] - before}
    finally:
        bench.end(process)


def lab_latency(bench, protocol):
    """With a server whose DoT and DoH are one thread of one program, unlike dnsdist's."""
    folder = os.path.join(bench.dir, "lab")
    command = [bench.ours("ctstub-lab"), "serve", "good-v4", "--ip", "127.0.0.1", "--listen", "127.0.0.1:0", "--pki", folder]
    server = bench.start(command + (["--doh"] if protocol == "doh" else []), "lab", bench.others)
    log = os.path.join(bench.dir, "lab.log")

    def port():
        with open(log, encoding="utf-8") as f:
            found = re.search(r"listening address=127\.0\.0\.1:(\d+)", f.read())
        return found and found.group(1)
    bench.wait_for(port, server, "lab")
    process = bench.start(ctstubd(bench, f"""trust {{ anchors = "{folder}/anchors.pem" }}
ct {{ log-list = "{folder}/ct-logs.json" }}
upstream "bench" {{ protocol = "{protocol}" address = {{"127.0.0.1"}} port = {port()} }}
""", site=False), "ctstubd", bench.core)
    try:
        bench.wait_for(bench.answered, process, "ctstubd")
        return bench.load("--rate", "1000", *fresh())
    finally:
        bench.end(process)
        bench.end(server)


def latency(bench):
    return {"rounds": [{protocol: lab_latency(bench, protocol) for protocol in ("dot", "doh")} for _ in range(bench.options.rounds)]}


def stream(bench, seconds, rate, event):
    """Questions at a steady rate; at the middle something happens. The latencies after that, in ms; a lost one counts 10 s."""
    sent, times, lock = {}, {}, threading.Lock()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", bench.port))
        s.settimeout(0.2)
        stop = threading.Event()

        def listen():
            while not stop.is_set():
                try:
                    reply = s.recv(4096)
                except OSError:
                    continue
                with lock:
                    ident = struct.unpack(">H", reply[:2])[0]
                    if ident in sent and reply[3] & 15 == 0:
                        times.setdefault(ident, time.monotonic() - sent[ident])
        thread = threading.Thread(target=listen)
        thread.start()
        began, happened = time.monotonic(), None
        head = f"f{random.randrange(1 << 30)}"
        for i in range(seconds * rate):
            time.sleep(max(0.0, began + i / rate - time.monotonic()))
            if happened is None and i >= seconds * rate // 2:
                event()
                happened = i
            label = f"{head}-{i}".encode()
            with lock:
                sent[i] = time.monotonic()
            s.send(struct.pack(">HHHHHH", i, 0x0100, 1, 0, 0, 0) + bytes([len(label)]) + label + b"\x07example\0\0\x01\0\x01")
        time.sleep(5)
        stop.set()
        thread.join()
    after = sorted(times.get(i, 10) * 1000 for i in range(happened, seconds * rate))
    return after, sum(1 for i in range(seconds * rate) if i not in times)


def failover(bench):
    """Two upstreams in order; half-way the first one resets its connections, or becomes a black hole."""
    out = {}
    for what in ("reset", "black hole"):
        runs, lost = [], 0
        for _ in range(min(bench.options.rounds, 3)):
            servers = [DotServer(bench, bench.site) for _ in range(2)]
            proxy = Proxy(bench, servers[0])
            blocks = "".join(f'upstream "u{i}" {{ address = {{"127.0.0.1"}} port = {port} }}\n'
                             for i, port in enumerate((proxy.port, servers[1].port)))
            process = bench.start(ctstubd(bench, 'strategy = "ordered"\n' + blocks), "ctstubd", bench.core)
            try:
                bench.wait_for(bench.answered, process, "ctstubd")

                def reset(proxy=proxy):
                    proxy.refuse = True
                    proxy.cut(reset=True)

                def black(proxy=proxy):
                    proxy.black = True
                after, gone = stream(bench, 6, 500, reset if what == "reset" else black)
                runs.append(quantile(after, 0.99))
                lost += gone
            finally:
                bench.end(process)
                proxy.close()
                for server in servers:
                    server.stop()
        out[what] = {"p99_ms": runs, "lost": lost, "questions": len(runs) * 3000}
    return out

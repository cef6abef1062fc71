"""`make bench`: measures the budgets of docs/benchmarks.md, side by side on this machine.

    bench.py [PART...] [--bills N] [--runs K] [--only reconcile,check,ledger,pacing,issuing,serve,cluster] [--seconds S] [--release DIR]

Without parts or --only: all of them. `bench.py serve` measures the server alone. `bench.py flat --bills 10000000` is no part of all: what
a ledger so large costs those who ask it little (12 GB of disk, about half an hour). `bench.py dead --bills 1000000`: what that many
operations leave in PostgreSQL's tables. `cluster` and `dead` need PostgreSQL 15 or newer, of which they start a server of their own.

Needs the release binaries (`cargo build --release --features bench --bin tagih --example bench-tool`) and a Python that can import duckdb (given by
--duckdb-python). Writes bench-data/ (kept between runs) and bench-data/results.json.
"""

import argparse
import asyncio
import base64
import concurrent.futures
import csv
import glob
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RELEASE = ROOT / "target" / "release"
TOOL = RELEASE / "examples" / "bench-tool"
DATA = ROOT / "bench-data"
HERE = Path(__file__).resolve().parent
CLIENT_ID, SECRET = "MCH-0001-10791114622547", "SK-bench-0123456789abcdef"
PERIOD = ["--from", "2026-10-01", "--to", "2026-10-31", "--as-of", "2026-11-01T17:00:00Z"]
IN_FLIGHT = 64


class Run:
    """A finished child: seconds, peak memory in MB, exit code, what it printed."""

    def __init__(self, command, env=None):
        command = [str(part) for part in command]
        began = time.monotonic()
        child = subprocess.Popen(command, env={**os.environ, **(env or {})}, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        self.seconds = time.monotonic() - began
        self.code = child.returncode = os.waitstatus_to_exitcode(status)
        self.peak_mb = usage.ru_maxrss / 1024
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self.command = command

    def expect(self, *codes):
        if self.code not in codes:
            sys.exit(f"`{' '.join(self.command)}` ended with {self.code}\n{self.out}")
        return self


class Table:
    """Printed rows, and the same as data."""

    def __init__(self):
        self.rows = []

    def add(self, what, figure, unit, budget=None, holds=None):
        self.rows.append({"what": what, "figure": figure, "unit": unit, "budget": budget, "holds": holds})
        shown = f"{figure:,.3f}" if isinstance(figure, float) and figure < 100 else f"{figure:,.0f}" if not isinstance(figure, bool) else str(figure)
        verdict = "" if holds is None else "ok" if holds else "MISSED"
        print(f"{what:<74} {shown:>12} {unit:<8} {budget or '':<14} {verdict}", flush=True)

    def at_most(self, what, figure, unit, limit):
        self.add(what, figure, unit, f"<= {limit}", figure <= limit)

    def at_least(self, what, figure, unit, limit):
        self.add(what, figure, unit, f">= {limit}", figure >= limit)

    def must(self, what, holds):
        self.add(what, bool(holds), "", "true", bool(holds))


def generate(bills):
    """The data for so many bills, made once. The data of another generator is made anew."""
    folder = DATA / f"bills-{bills}"
    truth = folder / "truth.json"
    written_at = max((HERE / name).stat().st_mtime for name in ("generate.rs", "plant.rs"))
    if not truth.exists() or truth.stat().st_mtime < written_at:
        shutil.rmtree(folder, ignore_errors=True)
        made = Run([TOOL, "generate", bills, folder]).expect(0)
        print(f"generated in {made.seconds:.1f} s: {made.out.strip()}")
    # Both sides read from the page cache; the first reader must not pay for the disk.
    for path in [folder / "ledger.csv", *glob.glob(f"{folder}/logs/*")]:
        with open(path, "rb") as file:
            while file.read(1 << 22):
                pass
    return folder


def differences(found, truth):
    """Where the classes of a summary are not the planted ones, as short texts."""
    wrong = []
    for part in ("lines", "payments", "bills"):
        for name in sorted({*found[part], *truth[part]}):
            zero = {"count": 0, "amount": 0}
            have, want = found[part].get(name, zero), truth[part].get(name, zero)
            if isinstance(have, int):
                have, want = have, want["count"]
            else:
                have, want = (have["count"], have["amount"]), (want["count"], want["amount"])
            if have != want:
                wrong.append(f"{part} {name}: found {have}, planted {want}")
    return wrong


def reconcile(table, bills, runs, duckdb_python):
    folder = generate(bills)
    truth = json.loads((folder / "truth.json").read_text())
    lines = sum(total["count"] for total in truth["lines"].values())
    table.add("reconcile: bills", bills, "")
    table.add("reconcile: lines", lines, "")
    out = {name: folder / f"out-{name}" for name in ("tagih", "hmac", "plain")}
    env = {"TAGIH_DOKU_CLIENT_ID": CLIENT_ID, "TAGIH_DOKU_SECRET": SECRET}
    command = [RELEASE / "tagih", "--quiet", "reconcile", *PERIOD, "--external-ledger", folder / "ledger.csv", "--notifications",
               f"{folder}/logs/*.jsonl", "--out", out["tagih"]]
    script = HERE / "duckdb_reconcile.py"
    measured = {"tagih": [], "hmac": [], "plain": []}
    for _ in range(runs):
        for name in measured:
            shutil.rmtree(out[name], ignore_errors=True)
            if name == "tagih":
                measured[name].append(Run(command, env).expect(0, 1))
            else:
                measured[name].append(Run([duckdb_python, script, folder, out[name], name]).expect(0))
    seconds = {name: statistics.median(run.seconds for run in done) for name, done in measured.items()}
    peak = {name: max(run.peak_mb for run in done) for name, done in measured.items()}
    cpu = {name: statistics.median(run.cpu_seconds for run in done) for name, done in measured.items()}
    for name, label in (("tagih", "tagih"), ("hmac", "DuckDB, signatures checked in SQL"), ("plain", "DuckDB, no signature check")):
        table.add(f"reconcile: {label}", seconds[name], "s")
        table.add(f"reconcile: {label}, CPU (less moved by a busy machine)", cpu[name], "s")
        table.add(f"reconcile: {label}, peak memory", peak[name], "MB")
    table.at_most("reconcile: ratio to DuckDB with signatures", seconds["tagih"] / seconds["hmac"], "", 0.55)
    table.at_most("reconcile: ratio to DuckDB without", seconds["tagih"] / seconds["plain"], "", 1.25)
    table.at_most("reconcile: peak memory", peak["tagih"], "MB", max(350, 2_000 * lines // 10_000_000))
    summary = json.loads((out["tagih"] / "summary.json").read_text())
    table.must("reconcile: identities hold", all(identity["holds"] for identity in summary["identities"]))
    wrong = differences(summary, truth)
    for flag, count in truth["flags"].items():
        found = summary["flags"].get(flag, {"count": 0})["count"]
        if found != count:
            wrong.append(f"flag {flag}: found {found}, planted {count}")
    table.must("reconcile: classes are the planted ones", not wrong)
    for name in ("hmac", "plain"):
        found = json.loads((out[name] / "classes.json").read_text())
        found["lines"] = {key: count for key, count in found["lines"].items()}
        off = differences(found, truth)
        if name == "plain":
            # Forged lines are believed there, so what they touch differs.
            off = [text for text in off if not text.startswith(("lines", "payments P06", "bills L12", "bills L00"))]
        table.must(f"reconcile: DuckDB ({name}) finds the planted classes too", not off)
        wrong += [f"DuckDB ({name}) {text}" for text in off]
    for text in wrong:
        print("   ", text)


class Sandbox:
    """The release sandbox without faults, on a free port."""

    def __enter__(self):
        env = {**os.environ, "TAGIH_DOKU_CLIENT_ID": CLIENT_ID, "TAGIH_DOKU_SECRET": SECRET}
        command = [RELEASE / "tagih", "sandbox", "--listen", "127.0.0.1:0"]
        self.child = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.url = self.child.stdout.readline().split()[-1]
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()

    def times(self, prefix):
        """When the calls for invoices that begin with `prefix` arrived, in seconds."""
        with urllib.request.urlopen(f"{self.url}/_sandbox/calls") as answer:
            calls = json.load(answer)
        return sorted(seconds(call["at"]) for call in calls if (call["invoice_number"] or "").startswith(prefix))


def seconds(instant):
    whole, _, fraction = instant.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp() + float(f"0.{fraction or 0}")


def policies(path, prefix, count):
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["invoice_number", "customer_name", "email", "amount", "channel", "expiry_minutes", "info", "receipt_description",
                      "receipt_footer"])
        for n in range(count):
            channel = "indomaret" if n % 5 < 2 else "alfa"
            out.writerow([f"{prefix}{n:07}", f"Nasabah {n:07}", f"nasabah{n}@example.com", 50_000 + n % 2_000 * 500, channel, 10_080,
                          "Premi Kendaraan Bermotor", "Premi Kendaraan Bermotor", "Layanan nasabah 021 555 0100"])


def issue(url, folder, prefix, count, pacing):
    """`tagih issue` of `count` new codes against an empty ledger."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    policies(folder / "in.csv", prefix, count)
    env = {"TAGIH_DOKU_CLIENT_ID": CLIENT_ID, "TAGIH_DOKU_SECRET": SECRET, "TAGIH_DOKU_BASE_URL": url,
           "TAGIH_LEDGER_PATH": str(folder / "ledger"), **{f"TAGIH_PACING_{key}": str(value) for key, value in pacing.items()}}
    run = Run([RELEASE / "tagih", "--quiet", "issue", folder / "in.csv", "--out", folder / "out", "--new-ledger"], env).expect(0)
    accepted = sum(1 for _ in open(folder / "out" / "accepted.csv")) - 1
    if accepted != count:
        sys.exit(f"{accepted} of {count} codes were issued")
    return run


class Slow:
    """A way to `url` on which every answer takes `delay_ms` longer."""

    def __init__(self, url, delay_ms):
        self.host, self.port = url.removeprefix("http://").split(":")
        self.delay = delay_ms / 1_000

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        server = self.loop.run_until_complete(asyncio.start_server(self.carry, "127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def carry(self, reader, writer):
        there = await asyncio.open_connection(self.host, self.port)

        async def pump(source, sink, delay):
            while data := await source.read(65_536):
                await asyncio.sleep(delay)
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, there[1], 0), pump(there[0], writer, self.delay), return_exceptions=True)


def pacing(table):
    """Starts empty, so n calls take (n - 1) / rate from the first to the last, however long DOKU takes to answer."""
    for delay_ms in (0, 300):
        for rate, count in ((5, 60), (50, 500), (500, 5_000)):
            prefix = f"PACE-{delay_ms}-{rate}-"
            with Sandbox() as sandbox, Slow(sandbox.url, delay_ms) as slow:
                url = slow.url if delay_ms else sandbox.url
                run = issue(url, DATA / "pacing", prefix, count, {"RATE_PER_SECOND": rate, "BURST": 5})
                times = sandbox.times(prefix)
            used = (len(times) - 1) / rate / (times[-1] - times[0])
            table.at_least(f"pacing: share of {rate}/s used at {delay_ms} ms", used * 100, "%", 99)
            if delay_ms:
                planned = count / rate + 0.3
                table.at_most(f"pacing: time of {rate}/s beyond the plan at {delay_ms} ms", abs(run.seconds / planned - 1) * 100, "%", 10)


def issuing(table, runs, count=20_000):
    """The same client, signing and sending the same bodies, with and without ledger and pacing."""
    pace = {"RATE_PER_SECOND": 100_000, "BURST": 100_000, "IN_FLIGHT_MAX": IN_FLIGHT}
    rates = {"bare": [], "bare whole": [], "tagih": [], "tagih whole": []}
    env = {"TAGIH_DOKU_CLIENT_ID": CLIENT_ID, "TAGIH_DOKU_SECRET": SECRET}
    with Sandbox() as sandbox:
        for nth in range(runs):
            bare_csv = DATA / "bare.csv"
            policies(bare_csv, f"BARE-{nth}-", count)
            bare = Run([TOOL, "bare-loop", bare_csv, sandbox.url, IN_FLIGHT], env).expect(0)
            if json.loads(bare.out)["codes"] != count:
                sys.exit(f"the bare loop was not given every code: {bare.out}")
            whole = issue(sandbox.url, DATA / "issuing", f"ISSUE-{nth}-", count, pace)
            rates["bare whole"].append(count / bare.seconds)
            rates["tagih whole"].append(count / whole.seconds)
            for name, prefix in (("bare", f"BARE-{nth}-"), ("tagih", f"ISSUE-{nth}-")):
                times = sandbox.times(prefix)
                rates[name].append((count - 1) / (times[-1] - times[0]))
    rate = {name: statistics.median(values) for name, values in rates.items()}
    table.add("issuing: bare loop, first to last call", rate["bare"], "codes/s")
    table.add("issuing: tagih issue, first to last call", rate["tagih"], "codes/s")
    table.at_least("issuing: ratio to the bare loop", rate["tagih"] / rate["bare"], "", 0.75)
    table.add("issuing: bare loop, whole process", rate["bare whole"], "codes/s")
    table.add("issuing: tagih issue, whole command", rate["tagih whole"], "codes/s")
    table.add("issuing: ratio of the whole", rate["tagih whole"] / rate["bare whole"], "")


def check(table, bills, runs):
    """The strict reading and judging of a file of bills, beside a reader that only splits it."""
    path = DATA / f"check-{bills}.csv"
    if not path.exists():
        policies(path, "CHECK-", bills)
    command = [RELEASE / "tagih", "--quiet", "check", path]
    checked = [Run(command).expect(0) for _ in range(runs)]
    read = [Run([TOOL, "read-csv", path]).expect(0) for _ in range(runs)]
    seconds = {name: statistics.median(run.seconds for run in done) for name, done in (("checked", checked), ("read", read))}
    table.add(f"check: {bills} bills", seconds["checked"], "s")
    table.add("check: CPU (less moved by a busy machine)", statistics.median(run.cpu_seconds for run in checked), "s")
    table.add("check: the csv crate reading every field", seconds["read"], "s")
    table.at_most("check: ratio to the csv crate", seconds["checked"] / seconds["read"], "", 4)
    table.at_most("check: peak memory", max(run.peak_mb for run in checked), "MB", 150)

def registered(path, count):
    """Rows of codes that DOKU asks about: issuing them makes no call."""
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["invoice_number", "payment_code", "policy_number", "policy_holder", "email", "premium", "channel", "method",
                      "expiry_minutes", "info", "receipt_footer"])
        for n in range(count):
            out.writerow([f"INQ-2026-10-{n:08}", f"8896500{n:09}", f"91{n:08}", f"Nasabah {n:08}", f"nasabah{n}@example.com",
                          50_000 + n % 2_000 * 500, "alfa", "inquiry", 43_200, "Premi Kesehatan Keluarga", "Layanan nasabah 021 555 0100"])


def notification(number, code, amount):
    """One line of `serve`'s log: a signed notification."""
    body = json.dumps({
        "service": {"id": "ONLINE_TO_OFFLINE"}, "acquirer": {"id": "ALFA"}, "channel": {"id": "ONLINE_TO_OFFLINE_ALFA"},
        "transaction": {"status": "SUCCESS", "date": "2026-10-05T12:00:00Z", "original_request_id": number},
        "order": {"invoice_number": number, "amount": amount},
        "online_to_offline_info": {"payment_code": code},
        "online_to_offline_payment": {"identifier": [{"name": "AGENT_TRX_ID", "value": number}]},
    }, separators=(",", ":"))
    target, stamp = "/payments/notifications", "2026-10-05T12:00:01Z"
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    parts = f"Client-Id:{CLIENT_ID}\nRequest-Id:{number}\nRequest-Timestamp:{stamp}\nRequest-Target:{target}\nDigest:{digest}"
    signature = base64.b64encode(hmac.new(SECRET.encode(), parts.encode(), hashlib.sha256).digest()).decode()
    headers = {"Client-Id": CLIENT_ID, "Request-Id": number, "Request-Timestamp": stamp, "Signature": f"HMACSHA256={signature}"}
    return json.dumps({"received_at": stamp, "target": target, "headers": headers, "body": body}) + "\n"


def ledger(table, bills, runs, duckdb_python):
    """What a large ledger costs those who ask it little, and those who bring a whole file."""
    folder = DATA / f"ledger-{bills}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    registered(folder / "bills.csv", bills)
    env = {"TAGIH_DOKU_CLIENT_ID": CLIENT_ID, "TAGIH_DOKU_SECRET": SECRET, "TAGIH_LEDGER_PATH": str(folder / "ledger"),
           "TAGIH_DOKU_BASE_URL": "http://127.0.0.1:9", "TAGIH_JOURNAL_PATH": str(folder / "journal")}
    tagih = lambda *arguments: Run([RELEASE / "tagih", "--quiet", *arguments], env)
    first = tagih("issue", folder / "bills.csv", "--out", folder / "out", "--new-ledger").expect(0)
    table.add(f"ledger: {bills} bills registered", first.seconds, "s")
    table.add("ledger: CPU of that (less moved by a busy machine)", first.cpu_seconds, "s")
    bare = float(Run([sys.executable, HERE / "bare_inserts.py", folder / "ledger", folder / "bare"]).expect(0).out)
    table.add("ledger: the same rows inserted by a bare loop", bare, "s")
    table.at_most("ledger: ratio to the bare loop", first.seconds / bare, "", 1.5)
    table.at_most("ledger: memory of registering them", first.peak_mb, "MB", 300)
    kept = sum(path.stat().st_size for path in folder.glob("ledger*"))
    table.at_most("ledger: on disk, a bill", kept / bills, "bytes", 1_126)
    again = tagih("issue", folder / "bills.csv", "--out", folder / "out").expect(0)
    table.add("ledger: the same file, unchanged", again.seconds, "s")
    table.add("ledger: CPU of that", again.cpu_seconds, "s")
    joined = float(Run([duckdb_python, HERE / "duckdb_unchanged.py", folder / "bills.csv", folder / "out" / "accepted.csv",
                        folder / "joined.csv"]).expect(0).out)
    table.add("ledger: DuckDB joining the same file and bills, and writing the same rows", joined, "s")
    table.at_most("ledger: ratio to DuckDB", again.seconds / joined, "", 2)
    table.at_most("ledger: memory of that", again.peak_mb, "MB", 300)
    registered(folder / "one.csv", 1)
    little(table, f"ledger of {bills}", folder, env, runs, ("INQ-2026-10-00000007", "8896500000000007", 53_500))
    whole = tagih("ledger", "verify").expect(0)
    table.add("ledger: verify", whole.seconds, "s")
    table.at_most("ledger: memory of verify", whole.peak_mb, "MB", 512)
    report = tagih("reconcile", "--from", "2026-10-01", "--to", "2026-10-31", "--notifications", folder / "one.jsonl", "--out",
                   folder / "report").expect(0, 1)
    table.add("ledger: reconcile of its bills and one line", report.seconds, "s")
    table.at_most("ledger: memory of that reconcile", report.peak_mb, "MB", 350)
    for path in folder.glob("ledger*"):
        shutil.copy(path, folder / path.name.replace("ledger", "spoilt", 1))
    with open(folder / "all.jsonl", "w") as log:
        for n in range(bills):
            log.write(notification(f"INQ-2026-10-{n:08}", f"8896500{n:09}", 50_000 + n % 2_000 * 500))
    told = tagih("ingest", folder / "all.jsonl").expect(0)
    table.add(f"ledger: {bills} payments ingested", told.seconds, "s")
    bare = float(Run([sys.executable, HERE / "bare_ingest.py", folder / "all.jsonl", folder / "spoilt"], env).expect(0).out)
    table.add("ledger: the same lines parsed, verified and inserted by a bare loop", bare, "s")
    table.at_most("ledger: ratio to that loop", told.seconds / bare, "", 2)
    table.at_most("ledger: memory of ingesting them", told.peak_mb, "MB", 200)


def little(table, name, folder, env, runs, bill):
    """What those cost who ask a ledger little: one answer, one line, one row."""
    number, code, amount = bill
    (folder / "one.jsonl").write_text(notification(number, code, amount))
    asked = {
        "status": ["status"],
        "why": ["why", number],
        "ingest of one line": ["ingest", folder / "one.jsonl"],
        "issue of one row": ["issue", folder / "one.csv", "--out", folder / "one"],
    }
    for what, arguments in asked.items():
        done = [Run([RELEASE / "tagih", "--quiet", *arguments], env).expect(0) for _ in range(max(runs, 3))]
        table.at_most(f"{name}: {what}", statistics.median(run.seconds for run in done) * 1_000, "ms", 50)
        table.at_most(f"{name}: memory of {what}", max(run.peak_mb for run in done), "MB", 60)


def flat(table, bills, runs):
    """The same of a ledger that a loader filled, through the store itself."""
    folder = DATA / f"flat-{bills}"
    if not (folder / "ledger").exists():
        folder.mkdir(parents=True, exist_ok=True)
        Run([TOOL, "serve-ledger", bills, folder / "ledger"], {"TAGIH_DOKU_CLIENT_ID": CLIENT_ID}).expect(0)
    registered(folder / "one.csv", 1)
    env = {"TAGIH_DOKU_CLIENT_ID": CLIENT_ID, "TAGIH_DOKU_SECRET": SECRET, "TAGIH_LEDGER_PATH": str(folder / "ledger"),
           "TAGIH_DOKU_BASE_URL": "http://127.0.0.1:9", "TAGIH_JOURNAL_PATH": str(folder / "journal")}
    table.add("flat: on disk, a bill", sum(path.stat().st_size for path in folder.glob("ledger*")) / bills, "bytes")
    little(table, f"ledger of {bills}", folder, env, runs, ("SERVE-000000007", "8800000000000007", 53_500))


class Server:
    """`tagih serve` on one processor; whoever asks it uses the others."""

    def __init__(self, folder, env):
        self.env = {**os.environ, **env, "TAGIH_LEDGER_PATH": str(folder / "ledger"), "TAGIH_SERVE_LOG_DIR": str(folder / "logs")}
        self.processors = sorted(os.sched_getaffinity(0))

    def __enter__(self):
        began = time.monotonic()
        command = [RELEASE / "tagih", "serve", "--listen", "127.0.0.1:0"]
        alone = {"preexec_fn": lambda: os.sched_setaffinity(0, self.processors[:1])} if len(self.processors) > 1 else {}
        self.child = subprocess.Popen(command, env=self.env, cwd=ROOT, stdout=subprocess.PIPE, text=True, **alone)
        self.address = self.child.stdout.readline().split("//")[-1].strip()
        while self.get("/healthz", 503) != "ready\n":
            time.sleep(0.01)
        self.ready_seconds = time.monotonic() - began
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.code = self.child.wait()

    def get(self, path, also=200):
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}") as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            if error.code != also:
                raise
            return error.read().decode()

    def metric(self, name):
        return next((float(line.split()[-1]) for line in self.get("/metrics").splitlines() if line.startswith(name + " ")), 0)

    def peak_mb(self):
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def load(self, kind, rate, seconds, bills):
        others = self.processors[1:] or self.processors
        os.sched_setaffinity(0, others)
        try:
            return json.loads(Run([TOOL, "serve-load", kind, self.address, rate, seconds, bills], self.env).expect(0).out)
        finally:
            os.sched_setaffinity(0, self.processors)


def serve(table, bills, seconds):
    """Open loop: latency counts from the instant a request was due."""
    folder = DATA / "serve"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    env = {"TAGIH_DOKU_CLIENT_ID": CLIENT_ID, "TAGIH_DOKU_SECRET": SECRET}
    Run([TOOL, "serve-ledger", bills, folder / "ledger"], env).expect(0)
    server, notified = Server(folder, env), 0
    with server:
        table.add("serve: bills in the ledger", bills, "")
        table.at_most("serve: from start to ready", server.ready_seconds, "s", 1)
        for kind, rate, beside in (("inquiries", 2_000, 0), ("inquiries beside 200/s notifications", 2_000, 200), ("notifications", 1_000, 0)):
            sent_beside = {"sent": 0}
            with concurrent.futures.ThreadPoolExecutor() as pool:
                other = pool.submit(server.load, "notifications", beside, seconds, bills) if beside else None
                found = server.load(kind.split()[0], rate, seconds, bills)
                sent_beside = other.result() if other else sent_beside
            notified += sent_beside["sent"] + (found["sent"] if kind == "notifications" else 0)
            table.add(f"serve: {kind} sent", found["sent"], "")
            table.at_least(f"serve: {kind}, achieved rate", found["rate"], "/s", rate * 99 // 100)
            # Of what is asked about and paid at once, some is paid first.
            table.at_most(f"serve: {kind}, not answered 200", found["errors"], "", 64 if beside else 0)
            table.add(f"serve: {kind}, p50", found["p50_us"] / 1_000, "ms")
            table.at_most(f"serve: {kind}, p99", found["p99_us"] / 1_000, "ms", 50 if kind == "notifications" else 5)
            table.add(f"serve: {kind}, max", found["max_us"] / 1_000, "ms")
        began = time.monotonic()
        while server.metric("tagih_ledger_waiting_payments"):
            time.sleep(0.05)
        table.add("serve: until the ledger had the last payment", time.monotonic() - began, "s")
        table.add("serve: fsyncs a thousand notifications", server.metric("tagih_log_syncs_total") * 1_000 / notified, "")
        table.at_most("serve: peak memory", server.peak_mb(), "MB", 150)
    kept = sum(1 for path in glob.glob(f"{folder}/logs/notifications-*.jsonl") for _ in open(path))
    table.must("serve: every notification is in the log, and the server ended with 0", kept == notified and server.code == 0)


class Cluster:
    """A PostgreSQL server of its own, durable as it comes, gone in the end."""

    def __init__(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
        self.programs = found[-1] if found else os.path.dirname(shutil.which("postgres") or sys.exit("no PostgreSQL is installed"))
        self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tagih-bench-"))
        if self.user:
            shutil.chown(self.folder, "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        subprocess.run([*self.user, f"{self.programs}/initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D",
                        self.folder / "data"], check=True, stdout=subprocess.DEVNULL, cwd="/")
        self.child = subprocess.Popen([*self.user, f"{self.programs}/postgres", "-D", self.folder / "data", "-p", str(self.port), "-k",
                                       self.folder, "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"], stderr=subprocess.DEVNULL, cwd="/")
        while subprocess.run([f"{self.programs}/pg_isready", "-q", "-h", self.folder, "-p", str(self.port)]).returncode:
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGINT)
        self.child.wait()
        shutil.rmtree(self.folder)

    def sql(self, text, database="postgres"):
        command = [f"{self.programs}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h", self.folder, "-p", str(self.port), "-d",
                   database, "-c", text]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def database(self, name):
        self.sql(f"CREATE DATABASE {name} TEMPLATE template0")
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"


def cluster(table):
    """How work on one PostgreSQL grows with its hosts, and what its store costs beside a bare loop."""
    rates = {}
    with Cluster() as server, Sandbox() as sandbox, Slow(sandbox.url, 200) as slow:
        for workers in (1, 2, 4, 8):
            rates[workers] = together(server.database(f"linear_{workers}"), sandbox, slow.url, workers)
            table.add(f"cluster: {workers} senders, 4 in flight each, answers after 200 ms", rates[workers], "codes/s")
        table.at_least("cluster: 8 senders to one, of eight times", rates[8] / rates[1] / 8, "", 0.9)
        for events, operations in ((1, 1_000), (64, 20_032), (256, 51_200)):
            url = server.database(f"store_{events}")
            store = float(Run([TOOL, "cluster-ledger", url, operations, events]).expect(0).out)
            bare = float(Run([TOOL, "cluster-bare", url, events]).expect(0).out)
            table.add(f"cluster: the store, {events} events a commit", operations * 3 / store, "events/s")
            table.add(f"cluster: a bare loop of the same rows, {events} events a commit", operations * 3 / bare, "events/s")
            table.add(f"cluster: the store to the bare loop, time, {events} events a commit", store / bare, "")


def together(url, sandbox, way, workers, each=500):
    """So many `tagih issue` with files of their own; their codes a second while all of them are at it."""
    prefix, running = f"LIN-{workers}-", []
    for worker in range(workers):
        folder = DATA / "cluster" / f"{workers}-{worker}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        policies(folder / "in.csv", f"{prefix}{worker}-", each)
        env = {"TAGIH_DOKU_CLIENT_ID": CLIENT_ID, "TAGIH_DOKU_SECRET": SECRET, "TAGIH_DOKU_BASE_URL": way, "TAGIH_LEDGER_URL": url,
               "TAGIH_PACING_RATE_PER_SECOND": "1000", "TAGIH_PACING_BURST": "16", "TAGIH_PACING_IN_FLIGHT_MAX": "4"}
        command = [RELEASE / "tagih", "--quiet", "issue", folder / "in.csv", "--out", folder / "out", "--new-ledger"]
        running.append(subprocess.Popen(command, env={**os.environ, **env}, cwd=ROOT))
        if not worker:
            # It makes the tables.
            time.sleep(1)
    if any([child.wait() for child in running]):
        sys.exit("a sender did not issue all its codes")
    times = [sandbox.times(f"{prefix}{worker}-") for worker in range(workers)]
    begun, ended = max(of[0] for of in times), min(of[-1] for of in times)
    return sum(1 for of in times for at in of if begun <= at < ended) / (ended - begun)


def dead(table, operations):
    """What is left in the tables by work that rewrites rows all the time."""
    with Cluster() as server:
        url = server.database("dead")
        taken = float(Run([TOOL, "cluster-ledger", url, operations, 256]).expect(0).out)
        table.add(f"dead: {operations} operations", operations / taken, "/s")
        time.sleep(2)
        shown = server.sql("SELECT relname, pg_table_size(relid), pg_indexes_size(relid), n_live_tup, n_dead_tup, n_tup_upd, n_tup_hot_upd, "
                           "autovacuum_count FROM pg_stat_user_tables WHERE schemaname = 'tagih' ORDER BY 2 DESC", "dead")
        for name, size, indexes, live, ghosts, updates, hot, vacuums in (line.split("|") for line in shown.splitlines()):
            print(f"    {name:<12} {int(size) / 1e6:9,.1f} MB, indexes {int(indexes) / 1e6:9,.1f} MB, {int(live):>9,} rows, {int(ghosts):>8,} dead, "
                  f"{int(updates):>9,} updates, {100 * int(hot) / max(1, int(updates)):5.1f} % of them in place, {vacuums} vacuums")


def main():
    global RELEASE, TOOL
    arguments = argparse.ArgumentParser()
    arguments.add_argument("parts", nargs="*", metavar="PART")
    arguments.add_argument("--seconds", type=int, default=30)
    arguments.add_argument("--release", type=Path, default=RELEASE)
    arguments.add_argument("--bills", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--only", default="reconcile,check,ledger,pacing,issuing,serve,cluster")
    arguments.add_argument("--duckdb-python", default=ROOT / "target" / "bench-venv" / "bin" / "python")
    given = arguments.parse_args()
    parts = given.parts or given.only.split(",")
    RELEASE, TOOL = given.release, given.release / "examples" / "bench-tool"
    DATA.mkdir(exist_ok=True)
    table = Table()
    version = Run([RELEASE / "tagih", "--version"])
    table.at_most("start: --version", min(Run(version.command).seconds for _ in range(10)) * 1_000, "ms", 10)
    if "reconcile" in parts:
        reconcile(table, given.bills, given.runs, given.duckdb_python)
    if "check" in parts:
        check(table, given.bills, given.runs)
    if "ledger" in parts:
        for bills in sorted({given.bills // 10, given.bills}):
            ledger(table, bills, given.runs, given.duckdb_python)
    if "flat" in parts:
        flat(table, given.bills, given.runs)
    if "pacing" in parts:
        pacing(table)
    if "issuing" in parts:
        issuing(table, given.runs)
    if "serve" in parts:
        serve(table, given.bills, given.seconds)
    if "cluster" in parts:
        cluster(table)
    if "dead" in parts:
        dead(table, given.bills)
    # A missed budget is a figure to read, not a failure: the machine may be busy.
    (DATA / "results.json").write_text(json.dumps(table.rows, indent=1))


if __name__ == "__main__":
    main()

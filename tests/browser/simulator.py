"""Drives the payment simulator in headless Chromium: codes are issued, paid on the pages, seen paid, refused, inquired about;
once against a small merchant that is rude on purpose, once against `tagih serve` with bills of `tagih issue`.

Asserts besides: nothing on any console, no request beyond loopback, no script in any page. `make browser` runs it.
Pictures of every page, wide and narrow, light and dark, go to the folder given as the last argument.
"""

import base64
import hashlib
import contextlib
import hmac
import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone

from playwright.sync_api import sync_playwright

PROGRAM, CHROMIUM, SHOTS = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2], pathlib.Path(sys.argv[3])
CLIENT, SECRET = "MCH-0001-BROWSER", "SK-browser-test-0123"
ENVIRONMENT = {"TAGIH_DOKU_CLIENT_ID": CLIENT, "TAGIH_DOKU_SECRET": SECRET}
INQUIRY, NOTIFICATIONS = "/doku/inquiry", "/payments/notifications"
NAME = "<script>alert('Ani')</script> & Co"


def signature(stamp_name, stamp, request_id, target, body):
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    lines = [f"Client-Id:{CLIENT}", f"Request-Id:{request_id}", f"{stamp_name}:{stamp}", f"Request-Target:{target}", f"Digest:{digest}"]
    return "HMACSHA256=" + base64.b64encode(hmac.new(SECRET.encode(), "\n".join(lines).encode(), hashlib.sha256).digest()).decode()


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Merchant(http.server.BaseHTTPRequestHandler):
    """Answers inquiries by the code's last digit, and refuses the first notification it ever gets."""

    notifications = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == NOTIFICATIONS:
            Merchant.notifications.append(json.loads(body))
            self.send_response(500 if len(Merchant.notifications) == 1 else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        code = json.loads(body)["online_to_offline_info"]["payment_code"]
        status, http_status = {"1": ("success", 200), "2": ("billing_not_found", 404)}.get(code[-1], ("billing_already_paid", 200))
        answer = {"online_to_offline_info": {"payment_code": code, "info": "Thank you"}, "online_to_offline_inquiry": {"status": status}}
        if status == "success":
            insurance = {"policy_type": "Dana Pendidikan", "policy_number": "9090901234", "bill_due_date": "21 May 2027"}
            answer |= {"order": {"invoice_number": "POL-" + code, "amount": 1_500_000}, "customer": {"name": NAME}}
            answer |= {"additional_info": {"insurance_info": insurance}}
        answer, stamp, request_id = json.dumps(answer).encode(), now(), self.headers["Request-Id"]
        self.send_response(http_status)
        headers = {"Client-Id": CLIENT, "Request-Id": request_id, "Response-Timestamp": stamp, "Content-Length": str(len(answer))}
        headers["Signature"] = signature("Response-Timestamp", stamp, request_id, INQUIRY, answer)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def issue(base, chain, number, name):
    target, request_id, stamp = f"/{chain}-online-to-offline/v2/payment-code", str(uuid.uuid4()), now()
    body = {
        "order": {"invoice_number": f"INV-{chain}-{number:03}", "amount": 150_000 + 12_500 * number},
        "online_to_offline_info": {"expired_time": 1440, "reusable_status": False, "info": "Premi Oktober"},
        "customer": {"name": name},
    }
    if chain == "indomaret":
        body["indomaret_info"] = {"receipt": {"description": "Premi polis 9090901234"}}
    body = json.dumps(body).encode()
    headers = {"Client-Id": CLIENT, "Request-Id": request_id, "Request-Timestamp": stamp, "Content-Type": "application/json"}
    headers["Signature"] = signature("Request-Timestamp", stamp, request_id, target, body)
    answer = urllib.request.urlopen(urllib.request.Request(base + target, body, headers))
    return json.load(answer)["online_to_offline_info"]["payment_code"]


class Drive:
    def __init__(self, browser, base):
        self.base, self.problems, self.browser = base, [], browser
        self.context = browser.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB")
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.problems.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        self.page.on("request", self.request)
        self.page.on("requestfailed", self.failed)

    def request(self, request):
        if urllib.parse.urlsplit(request.url).hostname not in ("127.0.0.1", "localhost"):
            self.problems.append(f"request beyond loopback: {request.url}")

    def failed(self, request):
        # The icon of a page that is left before it has come.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"failed: {request.url}: {request.failure}")

    def shoot(self, name):
        for theme in ("light", "dark"):
            for width in (1200, 380):
                self.page.emulate_media(color_scheme=theme)
                self.page.set_viewport_size({"width": width, "height": 900})
                self.page.screenshot(path=SHOTS / f"{name}-{'wide' if width > 500 else 'narrow'}-{theme}.png", full_page=True)
                overflow = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert overflow <= 0, f"{name} is {overflow} pixels too wide at {width}"
        self.page.set_viewport_size({"width": 1200, "height": 900})
        assert self.page.evaluate("document.scripts.length") == 0, f"a script in {name}"

    def sees(self, text):
        assert text in self.page.inner_text("body"), f"`{text}` is not on {self.page.url}:\n{self.page.inner_text('body')}"

    def enter(self, code):
        self.page.goto(self.base + "/")
        self.page.fill("#payment_code", code)
        self.page.get_by_role("button", name="Show the bill").click()


def orders(base):
    return {order["payment_code"]: order for order in json.load(urllib.request.urlopen(base + "/_sandbox/orders"))}


def registered(drive, code):
    drive.page.goto(drive.base + "/")
    drive.shoot("orders")
    drive.enter(" ".join(code[at : at + 4] for at in range(0, len(code), 4)))
    drive.sees("waiting for payment")
    drive.sees(NAME)
    drive.shoot("till")
    drive.page.get_by_role("button", name="Pay Rp162.500").click()
    drive.sees("The counter has taken the payment")
    assert orders(drive.base)[code]["payments"][0]["status"] == "SUCCESS"
    drive.page.reload()
    assert len(orders(drive.base)[code]["payments"]) == 1, "a reload paid again"
    for _ in range(200):
        if "confirmed" in drive.page.inner_text("#deliveries"):
            break
        drive.page.wait_for_timeout(50)
        drive.page.goto(f"{drive.base}/simulator/code/{code}")
    drive.sees("HTTP 500")
    drive.sees("confirmed")
    drive.page.get_by_role("button", name="Send again").click()
    drive.sees("sent again by hand")
    drive.shoot("paid")
    drive.page.get_by_text("Take the money all the same").click()
    drive.page.get_by_role("button", name="Pay anyway").click()
    assert len(orders(drive.base)[code]["payments"]) == 2


def inquired(drive):
    drive.enter("8896512345678121")
    drive.sees("Direct inquiry")
    drive.sees("Dana Pendidikan")
    drive.sees(NAME)
    drive.shoot("inquiry-payable")
    drive.page.get_by_role("button", name="Pay Rp1.500.000").click()
    drive.sees("paid")
    assert orders(drive.base)["8896512345678121"]["invoice_number"] == "POL-8896512345678121"
    drive.enter("8896512345678122")
    drive.sees("The merchant knows no bill with this code")
    drive.shoot("inquiry-declined")
    drive.enter("8896512345678123")
    drive.sees("belongs to HTTP 400")
    drive.shoot("inquiry-flawed")


def how_to_pay(drive, code):
    drive.page.goto(f"{drive.base}/how-to-pay/v2/indomaret-online-to-offline/{code}")
    drive.sees("How to pay at Indomaret")
    drive.shoot("how-to-pay-en")
    drive.page.get_by_role("link", name="Bahasa Indonesia").click()
    drive.sees("Cara bayar di Indomaret")
    drive.sees("Rp162.500")
    drive.shoot("how-to-pay-id")


BILLS = f"""invoice_number,payment_code,policy_number,policy_type,policy_holder,premium,due_date,channel,method,receipt_footer
PRM-1,8896500000000017,9126616417,Dana Pendidikan,"{NAME.replace('"', '""')}",1500000,2027-05-21,alfa,inquiry,Call Center 021 555-0525
PRM-2,8896500000000025,9126616418,Kesehatan Keluarga,Budi Santoso,288000,2027-05-22,alfa,inquiry,Call Center 021 555-0525
"""


@contextlib.contextmanager
def running(command, folder, greeting):
    """A process of ours for as long as the block lasts, and what follows `greeting` in its first line."""
    process = subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        line = process.stdout.readline().strip()
        assert line.startswith(greeting), f"{command}: {line}"
        yield line.removeprefix(greeting)
    finally:
        process.terminate()
        process.wait()


def tagih(folder, *arguments):
    return subprocess.run([PROGRAM, *arguments], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout


def served(browser):
    """A bill of a CSV file, by hand: entered, shown, paid, notified, reconciled; then not payable again."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        pathlib.Path(folder, "bills.csv").write_text(BILLS)
        tagih(folder, "issue", "bills.csv")
        there = stack.enter_context(running([PROGRAM, "serve", "--listen", "127.0.0.1:0"], folder, "listening on "))
        arguments = ["--listen", "127.0.0.1:0", "--notify", there + NOTIFICATIONS, "--inquire", there + INQUIRY]
        base = stack.enter_context(running([PROGRAM, "sandbox", *arguments], folder, "sandbox listening on "))
        drive = Drive(browser, base)
        drive.enter("8896 5000 0000 0017")
        for text in ("Direct inquiry", NAME, "Dana Pendidikan", "21 May 2027", "Call Center 021 555-0525", "PRM-1"):
            drive.sees(text)
        drive.shoot("served-payable")
        drive.page.get_by_role("button", name="Pay Rp1.500.000").click()
        for _ in range(200):
            if "confirmed" in drive.page.inner_text("#deliveries"):
                break
            drive.page.wait_for_timeout(50)
            drive.page.goto(f"{base}/simulator/code/8896500000000017")
        drive.sees("confirmed")
        drive.shoot("served-paid")
        drive.page.get_by_role("button", name="Ask the merchant again").click()
        drive.sees("The bill is paid already")
        drive.shoot("served-paid-already")
        drive.enter("8896500000000099")
        drive.sees("The merchant knows no bill with this code")
        for _ in range(200):
            payments = json.loads(tagih(folder, "status", "--json"))["payments"]
            if payments["count"]:
                break
            drive.page.wait_for_timeout(50)
        assert payments == {"count": 1, "amount": 1_500_000}, payments
        assert "paid Rp1.500.000 with code 8896500000000017" in tagih(folder, "why", "PRM-1")
        today = datetime.now(timezone(timedelta(hours=7))).date()
        period = ["--from", str(today - timedelta(days=1)), "--to", str(today + timedelta(days=1))]
        tagih(folder, "reconcile", *period, "--notifications", "tagih-logs/notifications-*", "--out", "report")
        report = json.loads(pathlib.Path(folder, "report/summary.json").read_text())
        assert report["payments"]["P00"] == {"count": 1, "amount": 1_500_000}, report["payments"]
        assert report["discrepancies"]["count"] == 0 and all(identity["holds"] for identity in report["identities"])
        tagih(folder, "ledger", "verify")
        assert not drive.problems, "\n".join(drive.problems)
        drive.context.close()


def main():
    SHOTS.mkdir(parents=True, exist_ok=True)
    merchant = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Merchant)
    threading.Thread(target=merchant.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{merchant.server_port}"
    arguments = ["--listen", "127.0.0.1:0", "--notify", there + NOTIFICATIONS, "--inquire", there + INQUIRY, "--bin", "88965"]
    with tempfile.TemporaryDirectory() as folder:
        command = [PROGRAM, "sandbox", *arguments, "--time-scale", "3600"]
        with running(command, folder, "sandbox listening on ") as base:
            codes = [issue(base, "alfa", number, NAME) for number in range(1, 6)]
            indomaret = issue(base, "indomaret", 1, "Budi Santoso")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM,
                    args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
                )
                drive = Drive(browser, base)
                registered(drive, codes[0])
                inquired(drive)
                how_to_pay(drive, indomaret)
                served(browser)
                browser.close()
            assert not drive.problems, "\n".join(drive.problems)
            assert Merchant.notifications, "the merchant was never notified"
    print(f"the simulator was driven through {len(list(SHOTS.glob('*.png')))} pictures in {SHOTS}")


if __name__ == "__main__":
    main()

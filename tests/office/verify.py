"""Opens workbook.xlsx in LibreOffice and report.html in Chromium and holds both against summary.json and discrepancies.jsonl.

Not part of `cargo test`: run it by `make office`. Screenshots and the printed page are left in target/office.
With arguments, it does the same for report folders that exist already.
"""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import jsonschema
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "office"
PROGRAM = ROOT / "target" / "debug" / "tagih"
CLIENT, SECRET, TARGET = "MCH-0001-DEMO", "SK-demo-not-a-secret", "/payments/notifications"
PAGE_BYTES_MAX, PAGE_SECONDS_MAX, WORKBOOK_SECONDS_MAX = 5_000_000, 2.0, 5.0
MANY = 100_000
WORDS = {
    "en": {"sheets": ["Cover", "Discrepancies", "Classes", "Control totals"], "columns": ["Class", "Number", "Invoice", "Payment code", "Expected", "Paid", "Difference", "Paid at (WIB)"], "total": "Total", "month": ["Roll-forward", "Ageing", "Settlement"], "roll": ["Opening balance", "Carried: opening and movements", "Closing balance, counted by itself", "Difference"]},
    "id": {"sheets": ["Sampul", "Selisih", "Kelas", "Total kontrol"], "columns": ["Kelas", "Nomor", "Faktur", "Kode bayar", "Seharusnya", "Dibayar", "Selisih", "Dibayar pada (WIB)"], "total": "Jumlah", "month": ["Mutasi saldo", "Umur piutang", "Setelmen"], "roll": ["Saldo awal", "Saldo bawaan: saldo awal dan mutasi", "Saldo akhir, dihitung tersendiri", "Selisih"]},
}
SPACE = {name: "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}" % name for name in ["office", "table", "text"]}
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print("  FAILED:", what)


def run(*arguments):
    environment = dict(os.environ, TAGIH_DOKU_SECRET=SECRET, TAGIH_DOKU_CLIENT_ID=CLIENT)
    done = subprocess.run([str(PROGRAM), *map(str, arguments)], env=environment, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"tagih {arguments[0]} ended with {done.returncode}:\n{done.stderr}")


def reconcile(folder, ledger, log, language):
    out = folder / language
    run("reconcile", "--period", "2026-10", "--external-ledger", ledger, "--notifications", log, "--as-of", "2026-11-02T00:00:00Z", "--lang", language, "--out", out)
    return out


def convert(workbook, kind, out):
    """Has LibreOffice open the workbook and save it as `kind`; gives the seconds that took."""
    began = time.monotonic()
    subprocess.run(["soffice", "--headless", "--norestore", f"-env:UserInstallation=file://{WORK}/profile", "--convert-to", kind, "--outdir", str(out), str(workbook)], check=True, capture_output=True, timeout=600)
    return time.monotonic() - began


def sheets(fods):
    """Sheet name → rows of (type, value) as LibreOffice understood them."""
    found = {}
    for sheet in ElementTree.parse(fods).getroot().iter(SPACE["table"] + "table"):
        rows = []
        for row in sheet.iter(SPACE["table"] + "table-row"):
            cells = []
            for cell in row:
                kind = cell.get(SPACE["office"] + "value-type")
                text = "\n".join("".join(line.itertext()) for line in cell.iter(SPACE["text"] + "p"))
                value = {"float": cell.get(SPACE["office"] + "value"), "currency": cell.get(SPACE["office"] + "value"), "date": cell.get(SPACE["office"] + "date-value")}.get(kind, text)
                check(cell.get(SPACE["table"] + "formula") is None, "the workbook has a formula")
                repeated = int(cell.get(SPACE["table"] + "number-columns-repeated", 1))
                cells += [(kind, value)] * (repeated if kind else min(repeated, 40))
            rows.append(cells + [(None, "")] * 40)
        found[sheet.get(SPACE["table"] + "name")] = rows
    return found


def number(cell):
    return int(float(cell[1])) if cell[0] in ("float", "currency") else None


def verify_workbook(folder, language):
    summary = json.loads((folder / "summary.json").read_text())
    discrepancies = [json.loads(line) for line in (folder / "discrepancies.jsonl").read_text().splitlines()]
    words = WORDS[language]
    convert(folder / "workbook.xlsx", "fods", folder)
    found = sheets(folder / "workbook.fods")
    (folder / "workbook.fods").unlink()
    for name in words["sheets"]:
        check(name in found, f"{language}: there is no sheet {name}")
    rows = found[words["sheets"][1]]
    head = next(at for at, row in enumerate(rows) if row[0][1] == words["columns"][0])
    place = {title: [cell[1] for cell in rows[head]].index(title) for title in words["columns"]}
    class_, id_, invoice, code, expected, paid, difference, paid_at = (place[title] for title in words["columns"])
    body = rows[head + 1 : head + 1 + len(discrepancies)]
    for row, discrepancy in zip(body, discrepancies):
        for at, key in [(class_, "class"), (id_, "discrepancy_id"), (invoice, "invoice_number"), (code, "payment_code")]:
            text = discrepancy[key]
            text = "'" + text if text[:1] in tuple("=+-@\t\r") and text else text
            check(row[at] == (("string", text) if text else (None, "")), f"{discrepancy['discrepancy_id']} {key}: {row[at]} {text!r}")
        for at, key in [(expected, "amount_expected"), (paid, "amount_paid"), (difference, "amount_difference")]:
            check(number(row[at]) == discrepancy[key], f"{discrepancy['discrepancy_id']} {key}: {row[at]} {discrepancy[key]}")
        at = discrepancy["paid_at"]
        check(row[paid_at] == (("date", at[:19]) if at else (None, "")), f"{discrepancy['discrepancy_id']} paid_at: {row[paid_at]} {at}")
    check(rows[head + 1 + len(discrepancies)][0][1] == words["total"], "the totals do not follow the last discrepancy")
    shown = [(row[0][1], number(row[3]), number(row[4])) for row in found[words["sheets"][2]]]
    for side in ["lines", "payments", "bills"]:
        for name, tally in summary[side].items():
            check((name, tally["count"], tally["amount"]) in shown, f"class {name}: {tally} is not in the workbook")
        total = (words["total"], sum(t["count"] for t in summary[side].values()), sum(t["amount"] for t in summary[side].values()))
        check(total in shown, f"total of {side}: {total}")
    control = [(number(row[1]), number(row[2]), number(row[3])) for row in found[words["sheets"][3]]]
    for identity in summary["identities"]:
        check((identity["left"], identity["right"], identity["left"] - identity["right"]) in control, f"identity {identity['name']}")
    verify_month(summary, words, *[[[(c[0] and (number(c) if number(c) is not None else c[1])) for c in row] for row in found.get(name, [])] for name in words["month"]], "workbook")
    print(f"  workbook: {len(found)} sheets, {len(discrepancies)} discrepancies, all cells agree")


def figures(balance):
    return [balance["count"], balance["amount"]]


def verify_month(summary, words, roll, ageing, settlement, where):
    """Roll-forwards, ageing and settlement: rows of cells, whole numbers where there are some."""
    names = ["outstanding_codes", "suspense", "open_discrepancies"]
    rolls = [summary["month"]["roll_forwards"][name] for name in names if name in summary["month"]["roll_forwards"]]
    for label, of in zip(words["roll"], [lambda r: figures(r["opening"]), lambda r: figures(r["carried"]), lambda r: figures(r["closing"]), lambda r: [0, 0]]):
        found = [row[1:3] for row in roll if row[0] == label and isinstance(row[1], int)]
        check(found == [of(one) for one in rolls], f"{where}: {label} {found}")
    moved = [row[1:3] for row in roll if isinstance(row[1], int)]
    for one in rolls:
        for movement in one["movements"]:
            check(figures(movement) in moved, f"{where}: {movement}")
    texts = [cell for row in roll for cell in row if isinstance(cell, str)]
    month = summary["month"]
    for digest in [month["closing_hash"], *([month["opening_from"]["hash"]] if month["opening_from"] else [])]:
        check(digest in texts, f"{where}: the hash {digest} is not shown")
    for table in month["ageing"].values():
        for balance in [*table["buckets"].values(), table["total"]]:
            check(figures(balance) in [row[2:4] for row in ageing], f"{where}: ageing {balance}")
        check(figures(table["past_60_days"]) in [row[1:3] for row in ageing], f"{where}: past 60 days")
    check(bool(settlement) == ("settlement" in summary), f"{where}: settlement is shown only where there is some")
    for name, tally in summary.get("settlement", {}).items():
        check([name, *figures(tally)] in [[row[0], *row[3:5]] for row in settlement], f"{where}: {name} {tally}")
    for name, of in summary.get("settlement_totals", {}).items():
        shown = [[row[1], row[2], row[3], row[5], row[6], row[7]] for row in settlement if row[0] == name.capitalize() and isinstance(row[1], int)]
        check(shown == [[of[key] for key in ["rows", "gross", "fee", "discount", "refund", "net"]]], f"{where}: {name} {shown}")
    for batch in summary.get("settlement_batches", []):
        shown = [row[7:9] for row in settlement if row[0] == batch["batch_id"] and isinstance(row[7], int)]
        check(shown == [[batch["net"], batch["net_stated"]]], f"{where}: batch {batch['batch_id']} {shown}")


def amount(text):
    return int(re.sub(r"[^\d]", "", text)) * (-1 if "−" in text else 1)


def page_rows(page, section):
    rows = page.evaluate("id => [...document.querySelectorAll(`#${id} tr`)].map(row => [...row.cells].map(cell => [cell.className, cell.textContent]))", section)
    is_number = lambda kind, text: text and any(name in kind.split() for name in ["count", "rupiah", "difference"]) and re.search(r"\d", text)
    return [([amount(text) if is_number(kind, text) else text for kind, text in row] + [None] * 12)[:12] for row in rows]


def verify_page(browser, folder, name, language):
    summary = json.loads((folder / "summary.json").read_text())
    path = folder / "report.html"
    size = path.stat().st_size
    check(size <= PAGE_BYTES_MAX, f"the page has {size} bytes")
    for view, width, scheme in [("wide-light", 1360, "light"), ("wide-dark", 1360, "dark"), ("narrow-light", 390, "light"), ("narrow-dark", 390, "dark")]:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        noise, requests = [], []
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        began = time.monotonic()
        page.goto(path.as_uri())
        page.evaluate("document.body.offsetHeight")
        seconds = time.monotonic() - began
        check(seconds <= PAGE_SECONDS_MAX, f"{view}: the page took {seconds:.2f} s")
        check(not noise, f"{view}: the console says {noise}")
        check(requests == [path.as_uri()], f"{view}: requests {requests}")
        check(page.evaluate("document.documentElement.scrollWidth") <= width, f"{view}: the page is wider than its window")
        items = summary["books"]["items"]
        open_items = [sum(of["count"] for account, of in items[todo].items() if account != "alarm") for todo in ["to_do", "not_yet_due", "decided"]]
        for at, count in enumerate([*open_items, items["to_do"].get("alarm", {"count": 0})["count"]]):
            figure = amount(page.locator(".highlight").nth(at).locator(".figure").inner_text())
            check(figure == count, f"{view}: highlight {at} says {figure}, the books {count}")
        steps = page.evaluate("[...document.querySelectorAll('.flow tr')].map(row => [row.className, row.cells[1].textContent])")
        after = None
        for kind, text in steps:
            if kind == "total":
                check(after is None or amount(text) == after, f"{view}: {text} is not what the steps before it come to, {after}")
                after = amount(text)
            else:
                after += amount(text)
        if view == "wide-light":
            verify_classes(page, summary)
            verify_month(summary, WORDS[language], *[page_rows(page, section) for section in ["roll-forward", "ageing", "settlement"]], "page")
            verify_filter(page, summary)
            page.pdf(path=str(WORK / f"{name}.pdf"), prefer_css_page_size=True, print_background=True)
            print(f"  page: {size} bytes, open in {seconds:.2f} s")
        page.screenshot(path=str(WORK / f"{name}-{view}.png"))
        context.close()


def verify_classes(page, summary):
    rows = page.evaluate("[...document.querySelectorAll('#classes tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))")
    shown = [(row[0], amount(row[3]), amount(row[4])) for row in rows if len(row) == 5]
    for side in ["lines", "payments", "bills"]:
        for name, tally in summary[side].items():
            check((name, tally["count"], tally["amount"]) in shown, f"class {name}: {tally} is not on the page")


def verify_filter(page, summary):
    if summary["discrepancies"]["count"] == 0:
        return
    rows = page.locator("#discrepancies tbody.row")
    everything = rows.evaluate_all("rows => rows.filter(row => row.getClientRects().length).length")
    choices = page.locator("#discrepancies fieldset").first.locator("label")
    if choices.count() == 0:
        return
    choices.nth(1).click()
    shown = rows.evaluate_all("rows => rows.filter(row => row.getClientRects().length).length")
    wanted = amount(choices.nth(1).locator("span").inner_text())
    check(shown == wanted < everything, f"the filter shows {shown} of {everything} rows, not {wanted}")
    choices.nth(0).click()


def line(at, invoice=None, paid=None, date=None, agent="Nobody"):
    """A payment; of nobody's bill, unless one is named."""
    channel = "indomaret" if at % 3 == 0 else "alfa"
    if date and len(date) == 10:
        date = f"{date}T{at % 16:02}:{at % 60:02}:00Z"
    date = date or f"2026-10-{1 + at % 30:02}T{at % 17:02}:{at % 60:02}:{at // 60 % 60:02}Z"
    named = lambda name, value: {"name": name, "value": value}
    body = json.dumps({
        "service": {"id": "ONLINE_TO_OFFLINE"}, "acquirer": {"id": channel.upper()}, "channel": {"id": f"ONLINE_TO_OFFLINE_{channel.upper()}"},
        "transaction": {"status": "SUCCESS", "date": date}, "order": {"invoice_number": invoice or f"ORPHAN-{at:07}", "amount": paid or 10_000 + at},
        "online_to_offline_info": {"payment_code": f"{at:016}"},
        "online_to_offline_payment": {"identifier": [named("AGENT_ID", channel), named("AGENT_STORE_ID", f"S{at % 5}"), named("AGENT_TRX_ID", f"{agent}{at}")]},
    })
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    signed = f"Client-Id:{CLIENT}\nRequest-Id:r{at}\nRequest-Timestamp:{date}\nRequest-Target:{TARGET}\nDigest:{digest}"
    signature = "HMACSHA256=" + base64.b64encode(hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()).decode()
    headers = {"Client-Id": CLIENT, "Request-Id": f"r{at}", "Request-Timestamp": date, "Signature": signature}
    return json.dumps({"received_at": date, "target": TARGET, "headers": headers, "body": body})


def orphans(name, count, language):
    """A report in which nothing but `count` payments of nobody's bill."""
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    ledger, log = folder / "ledger.csv", folder / "log.jsonl"
    ledger.write_text("invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at\nA,0001,alfa,10000,ACTIVE,no,2026-10-01,2026-11-30,\n")
    log.write_text("".join(line(at) + "\n" for at in range(count)))
    return reconcile(folder, ledger, log, language)


SETTLED = "NO,MERCHANT NAME,PAYMENT CHANNEL NAME,TRANSACTION DATE,INVOICE NUMBER,CUSTOMER NAME,REPORT CODE,AMOUNT,RECON CODE,FEE,DISCOUNT,PAY TO MERCHANT,PAY OUT DATE,TRANSACTION TYPE,PROMO CODE,SUB ACCOUNT"


def settlement(batch, bills, wrong):
    """A batch of purchases; the totals of a wrong one are a rupiah too high and one of its amounts is not as notified."""
    rows = []
    for place, at in enumerate(bills):
        name, amount_paid = ("Indomaret" if at % 3 == 0 else "Alfa Group"), 100_000 + 1_000 * at - (500 if wrong and place == 3 else 0)
        rows.append((name, at, amount_paid, 5_550))
    head = [f"Total Amount Purchase_,{sum(r[2] for r in rows)}", f"Total Fee_,{sum(r[3] for r in rows)}", f"Total Settlement Amount_,{sum(r[2] - r[3] for r in rows) + wrong}", f"Batch ID_,{batch}"]
    body = [f"{n},PT,{name},{1 + at % 28:02}-10-2026,INV-{at:05},Name,{at:016},{paid},{at:016},{fee},0,{paid - fee},{'30-10-2026' if at % 28 < 20 else '05-11-2026'},Purchase,,\n" for n, (name, at, paid, fee) in enumerate(rows, 1)]
    return "\n".join(head) + f"\n\n{SETTLED}\n" + "".join(body)


def whole(language):
    """A month as it is closed: carried on from a signed one, with settlement, a gap in the evidence and a decision."""
    folder = WORK / f"whole-{language}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = folder / "tagih.toml"
    config.write_text(f'[doku]\nclient_id = "{CLIENT}"\n[ledger]\npath = "{folder}/tagih.ledger"\n[journal]\npath = "{folder}/tagih.journal"\n[report]\nentity = "PT Asuransi Contoh"\n[settlement.channels]\n"alfa group" = "alfa"\n"indomaret" = "indomaret"\n[settlement.alfa]\nfee_rupiah = 5000\n[settlement.indomaret]\nfee_rupiah = 5000\n')
    head = "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at,policy_type,due_date\n"
    bill = lambda at: f"INV-{at:05},{at:016},{'indomaret' if at % 3 == 0 else 'alfa'},{100_000 + 1_000 * at},ACTIVE,no,2026-{7 + at % 4:02}-01,2026-12-31,,{['Motor', 'Health', 'Travel'][at % 3]},2026-{7 + at % 5:02}-{1 + at % 28:02}\n"
    (folder / "ledger.csv").write_text(head + "".join(bill(at) for at in range(1, 241)))
    paid = lambda at, day, agent: line(at, f"INV-{at:05}", 100_000 + 1_000 * at, day, agent)
    (folder / "september.jsonl").write_text("".join(paid(at, "2026-09-%02d" % (1 + at % 28), "September") + "\n" for at in range(1, 60) if at % 4 < 3) + line(9_001) + "\n")
    october = [paid(at, "2026-10-%02d" % (1 + at % 28), "October") for at in range(60, 200) if at % 28 not in (10, 11)]
    october += [paid(61, "2026-10-17", "Twice"), line(9_002, date="2026-10-21T05:00:00Z"), paid(8, "2026-09-29", "Late")]
    (folder / "october.jsonl").write_text("".join(one + "\n" for one in october))
    batches = [("B-2026-10-01", [at for at in range(60, 120) if at % 28 not in (10, 11)], 0), ("B-2026-10-02", [at for at in range(120, 180) if at % 28 not in (10, 11)], 1)]
    for batch, bills, wrong in batches:
        (folder / f"{batch}.csv").write_text(settlement(batch, bills, wrong))
    common = ["--config", config, "reconcile", "--external-ledger", folder / "ledger.csv", "--lang", language]
    run(*common, "--period", "2026-09", "--as-of", "2026-10-01T00:00:00Z", "--notifications", folder / "september.jsonl", "--out", folder / "2026-09")
    run("--config", config, "period", "close", "2026-09", "--report", folder / "2026-09", "--by", "Sari", "--reason", "month end")
    for _ in range(2):
        run(*common, "--period", "2026-10", "--as-of", "2026-11-02T00:00:00Z", "--notifications", folder / "october.jsonl", "--settlement", *[folder / f"{batch}.csv" for batch, _, _ in batches], "--opening", folder / "2026-09", "--out", folder / "2026-10")
        if not (folder / "taken").exists():
            run("--config", config, "discrepancies", "take", folder / "2026-10", "--by", "Sari")
            first = json.loads((folder / "2026-10" / "discrepancies.jsonl").read_text().splitlines()[0])
            run("--config", config, "discrepancies", "accept", first["discrepancy_id"], "--reason", "known", "--by", "Siti")
            (folder / "taken").touch()
    return folder / "2026-10"


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    folders = [(pathlib.Path(argument).resolve(), "en") for argument in sys.argv[1:]]
    if not folders:
        shutil.rmtree(WORK / "demo", ignore_errors=True)
        run("demo", "--out", WORK / "demo")
        folders = [(WORK / "demo" / "5-reconcile", "en"), (orphans("few", 300, "id"), "id"), *[(whole(language), language) for language in ["en", "id"]]]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for folder, language in folders:
            print(folder)
            jsonschema.validate(json.loads((folder / "summary.json").read_text()), json.loads((folder / "summary.schema.json").read_text()), cls=jsonschema.Draft202012Validator)
            verify_workbook(folder, language)
            verify_page(browser, folder, f"{folder.parent.name}-{language}", language)
        if not sys.argv[1:]:
            many = orphans("many", MANY, "en")
            print(many)
            verify_page(browser, many, "many-en", "en")
            # The program's own start is no part of opening; the first sheet is all that a CSV holds.
            start = min(convert(folders[1][0] / "workbook.xlsx", "csv", WORK) for _ in range(2))
            seconds = convert(many / "workbook.xlsx", "csv", WORK) - start
            print(f"  workbook: {(many / 'workbook.xlsx').stat().st_size} bytes, open in {seconds:.1f} s beyond LibreOffice's start of {start:.1f} s")
            check(seconds <= WORKBOOK_SECONDS_MAX, f"LibreOffice took {seconds:.1f} s")
        browser.close()
    print("all agree" if not failures else f"{len(failures)} failures")
    sys.exit(bool(failures))


main()

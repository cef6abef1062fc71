//! Decisions by way of a workbook: `discrepancies export --out items.xlsx`, filled in by hand, and back.

use calamine::{Data, Range, Reader as _, Xlsx, open_workbook};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::Value;
use tagih::domain::digest;

use crate::month_end::signed::rewrite_summary;
use crate::register::discrepancies::{discrepancies, id_of, reconciled, statuses, world};
use crate::support::world::World;

fn sheet(world: &World, file: &str, name: &str) -> Range<Data> {
    let mut workbook: Xlsx<_> = open_workbook(world.path(file)).unwrap();
    workbook.worksheet_range(name).unwrap()
}

/// The file as a person gives it back: each class filled in, every cell as a spreadsheet keeps it.
fn filled(world: &World, from: &str, name: &str, to: &str, decided: &[(&str, &[(&str, &str)])]) {
    let range = sheet(world, from, name);
    let texts: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect();
    let at = |heading: &str| texts[0].iter().position(|one| one == heading).unwrap_or_else(|| panic!("no {heading} in {:?}", texts[0]));
    let class_at = texts[0].iter().position(|one| ["Class", "Kelas"].contains(&one.as_str())).unwrap();
    let mut workbook = Workbook::new();
    let out = workbook.add_worksheet().set_name(name).unwrap();
    for (row, cells) in (0_u32..).zip(&texts) {
        for (column, cell) in (0_u16..).zip(cells) {
            out.write_string(row, column, cell).unwrap();
        }
        for (_, filled) in decided.iter().filter(|(class, _)| row > 0 && *class == cells[class_at]) {
            for (heading, value) in *filled {
                let column = u16::try_from(at(heading)).unwrap();
                if let Ok(number) = value.parse::<f64>() {
                    out.write_number(row, column, number).unwrap();
                } else if let Ok(day) = ExcelDateTime::parse_from_str(value) {
                    out.write_datetime_with_format(row, column, &day, &Format::new().set_num_format("yyyy-mm-dd")).unwrap();
                } else {
                    out.write_string(row, column, *value).unwrap();
                }
            }
        }
    }
    workbook.save(world.path(to)).unwrap();
}

#[test]
fn a_workbook_offers_what_each_item_can_take_and_comes_back_in_either_language() {
    for (language, name, choices, refund, write_off) in [
        (
            "id",
            "Keputusan",
            "Pilihan",
            [("Tindakan", "kembalikan"), ("Alasan", "dikembalikan ke pembayar"), ("Nilai", "5000"), ("Berlaku sejak", "2026-10-31")],
            [("Tindakan", "hapusbukukan"), ("Alasan", "di bawah batas"), ("Catatan", "disetujui rapat"), ("Penanggung jawab", "Budi")],
        ),
        (
            "en",
            "Decisions",
            "Choices",
            [("Action", "Refund"), ("Reason", "returned to the payer"), ("Amount", "5000"), ("Effective on", "2026-10-31")],
            [("Action", "write off"), ("Reason", "below the limit"), ("Note", "agreed"), ("Owner", "Budi")],
        ),
    ] {
        let world = world("");
        reconciled(&world, "2026-10", "oct").expect(1);
        let export = ["export", "--report", "oct", "--out", "items.xlsx", "--lang", language, "--by", "Siti"];
        assert_eq!(discrepancies(&world, &export).expect(0).stdout, "4 discrepancies in items.xlsx\n");
        let rows = sheet(&world, "items.xlsx", name);
        assert_eq!(rows.height(), 5, "{rows:?}");
        let lists = sheet(&world, "items.xlsx", choices);
        let of_money = lists.rows().flatten().filter(|cell| cell.to_string() == refund[0].1.to_lowercase()).count();
        assert_eq!(of_money, 1, "only money that is held can be refunded: {lists:?}");
        filled(&world, "items.xlsx", name, "back.xlsx", &[("P01", &refund), ("L11", &write_off)]);
        let ran = discrepancies(&world, &["import", "back.xlsx", "--by", "Siti"]).expect(0);
        assert!(ran.stdout.starts_with("2 decisions recorded, 0 known, 2 rows without an action"), "{}", ran.stdout);
        assert_eq!(statuses(&world), ["L04: open", "L11: accepted", "P01: accepted", "P06: open"]);
        let shown = discrepancies(&world, &["show", &id_of(&world, "oct", "P01"), "--json"]).expect(0).stdout;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["resolution"]["action"], "refund");
        assert_eq!(shown["resolution"]["details"]["amount"], 5_000, "{shown}");
        assert_eq!(shown["resolution"]["details"]["effective_on"], "2026-10-31", "{shown}");
    }
}

#[test]
fn an_action_that_an_item_cannot_take_is_refused_with_its_cell() {
    let world = world("");
    reconciled(&world, "2026-10", "oct").expect(1);
    discrepancies(&world, &["export", "--report", "oct", "--out", "items.xlsx", "--lang", "id", "--by", "Siti"]).expect(0);
    let unfit = [("Tindakan", "kembalikan"), ("Alasan", "x")];
    let unknown = [("Tindakan", "bakar"), ("Alasan", "x")];
    filled(&world, "items.xlsx", "Keputusan", "back.xlsx", &[("L04", &unfit), ("P06", &unknown)]);
    let ran = discrepancies(&world, &["import", "back.xlsx", "--by", "Siti"]).expect(7);
    ran.says(&["E0807", "`bakar` is no action", "2 of 4 rows", ":action: "]);
}

#[test]
fn a_reason_is_told_in_the_readers_language_and_that_of_an_older_report_as_it_stands_there() {
    for (is_older, told) in [(false, "faktur "), (true, "neither invoice ")] {
        let world = world("");
        reconciled(&world, "2026-10", "oct").expect(1);
        if is_older {
            let path = world.path("oct/discrepancies.jsonl");
            let rows = std::fs::read_to_string(&path).unwrap();
            let older = rows.lines().map(|line| {
                let mut row: Value = serde_json::from_str(line).unwrap();
                row.as_object_mut().unwrap().remove("cause").unwrap();
                format!("{row}\n")
            });
            std::fs::write(&path, older.collect::<String>()).unwrap();
            // And its run has recorded that.
            let digest = || digest::hex(&digest::of_bytes(&std::fs::read(world.path("oct/summary.json")).unwrap()));
            let before = digest();
            rewrite_summary(&world.path("oct"), |_| ());
            let records = std::fs::read_dir(world.path("tagih.ledger.runs")).unwrap().map(|entry| entry.unwrap().path());
            for record in records {
                let text = std::fs::read_to_string(&record).unwrap();
                std::fs::write(&record, text.replace(&before, &digest())).unwrap();
            }
        }
        discrepancies(&world, &["export", "--report", "oct", "--out", "items.xlsx", "--lang", "id", "--by", "Siti"]).expect(0);
        let rows = sheet(&world, "items.xlsx", "Keputusan");
        let reasons: Vec<String> = rows.rows().flatten().map(ToString::to_string).filter(|cell| cell.starts_with(told)).collect();
        assert_eq!(reasons.len(), 1, "P01 alone: {rows:?}");
    }
}

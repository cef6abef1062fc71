//! The user's own columns go through to every file about their rows, as they stand in the input.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::world::{Doku, Ran, World};

const HEAD: &str = "NO_REF;invoice_number;PREMI;customer_name;channel;CABANG;note";
const LAYOUT: &str = "[layouts.l]\namount_format = \"dot_thousands\"\n[layouts.l.columns]\namount = \"PREMI\"\n";

fn file(rows: &[&str]) -> String {
    format!("{HEAD}\n{}\n", rows.join("\n"))
}

/// The header of a result file, and its rows by their line.
fn lines(world: &World, name: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(world.path(name)).unwrap();
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// What stands behind our own columns of a result file.
fn theirs(world: &World, name: &str, count: usize) -> Vec<String> {
    lines(world, name).iter().map(|row| row[row.len() - count..].join("|")).collect()
}

#[test]
fn every_result_file_carries_what_is_asked_for_and_a_repeated_run_does_too() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), &format!("[results]\ncarry_columns = \"NO_REF, CABANG, note\"\n{LAYOUT}"));
    world.file(
        "b.csv",
        file(&[
            "R-1;A;10.000;Budi;alfa;Jakarta \"Pusat\";=1+1",
            "R-2;B;gratis;Siti;alfa;Bogor;",
            "R-1;A;10.000;Budi;alfa;Jakarta \"Pusat\";=1+1",
            "R-3;C;20.000;Tini;alfa; 007 ;@x",
        ]),
    );
    let expected = ["NO_REF|CABANG|input_note", "R-1|Jakarta \"Pusat\"|'=1+1", "R-3| 007 |'@x"];
    for action in ["issued", "unchanged"] {
        world.issue("b.csv", &[]).expect(1);
        assert_eq!(world.column("out/accepted.csv", "action"), [action; 2]);
        assert_eq!(theirs(&world, "out/accepted.csv", 3), expected);
        assert_eq!(theirs(&world, "out/rejected.csv", 3)[1], "R-2|Bogor|");
        assert_eq!(theirs(&world, "out/left_alone.csv", 3)[1], "R-1|Jakarta \"Pusat\"|'=1+1", "the duplicate");
    }
    let exact = std::fs::read_to_string(world.path("out/accepted.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(exact.lines().next().unwrap()).unwrap();
    assert_eq!((&first["NO_REF"], &first["CABANG"], &first["input_note"]), (&"R-1".into(), &"Jakarta \"Pusat\"".into(), &"=1+1".into()));
    // Nothing of ours moved, and the times DOKU gave stand in both zones.
    let header = lines(&world, "out/accepted.csv").remove(0);
    assert_eq!(header[..9].join(","), "invoice_number,payment_code,channel,amount,expires_at,how_to_pay_page,action,file,row");
    assert!(header.iter().any(|name| name == "expires_at_wib") && header.iter().any(|name| name == "created_at_wib"));
    // The plan has them too, and is carried out all the same.
    world.file("c.csv", file(&["R-9;D;30.000;Rini;alfa;Depok;"]));
    world.run(&["issue", "c.csv", "--dry-run", "--out", "plan"]).expect(0);
    assert_eq!(theirs(&world, "plan/plan.csv", 3), ["NO_REF|CABANG|input_note", "R-9|Depok|"]);
    world.run(&["issue", "--plan", "plan/plan.csv", "--out", "out"]).expect(0);
    assert_eq!(theirs(&world, "out/accepted.csv", 3)[1], "R-9|Depok|");
}

#[test]
fn what_could_not_be_sent_carries_its_columns_and_the_run_that_sends_it_too() {
    let world = World::at("http://127.0.0.1:1", "[results]\ncarry_columns = \"all\"\n");
    world.file("b.csv", "invoice_number,amount,customer_name,channel,CABANG,CABANG,,due_dat\nA,1000,Budi,alfa,Bogor,Barat,x,2026-10-10\n");
    let ran = world.issue("b.csv", &[]).expect(3);
    assert_eq!(theirs(&world, "out/deferred.csv", 3), ["CABANG|CABANG_2|due_dat", "Bogor|Barat|2026-10-10"]);
    // What is carried is no typo, unless it looks like one.
    assert!(ran.stderr.contains("`due_dat` is only carried through; did you mean `due_date`?"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("`CABANG`"), "{}", ran.stderr);
}

#[test]
fn files_of_several_layouts_share_the_columns_and_a_flag_goes_before_layout_and_setting() {
    let world = World::at(
        "http://127.0.0.1:1",
        &format!(
            "[results]\ncarry_columns = [\"NO_REF\"]\n{}",
            LAYOUT.replace("amount_format", "carry_columns = [\"CABANG\"]\namount_format")
        ),
    );
    world.file("a.csv", file(&["R-1;A;10.000;Budi;alfa;Jakarta;"]));
    world.file("b.csv", "invoice_number,amount,customer_name,channel,no_ref\nB,1000,Budi,alfa,R-2\n");
    let valid = |arguments: &[&str]| {
        let ran = world.run(&[&["check", "a.csv", "b.csv", "--out", "checked"], arguments].concat()).expect(0);
        let rows = lines(&world, "checked/valid.csv").iter().map(|row| row[4..].join("|")).collect::<Vec<_>>();
        (rows, ran.stderr)
    };
    assert_eq!(valid(&[]).0, ["CABANG|no_ref", "Jakarta|", "|R-2"]);
    assert_eq!(valid(&["--carry", "no-ref,customer_name"]).0, ["NO_REF|customer_name", "R-1|Budi", "R-2|Budi"]);
    let (rows, stderr) = valid(&["--carry", "CABAN"]);
    assert_eq!(rows, ["CABAN", "", ""]);
    assert!(stderr.contains("a.csv: has no column `CABAN` to carry through; did you mean `CABANG`?"), "{stderr}");
    world.file("c.csv", "invoice_number,amount,customer_name,channel,x,X\nB,1000,Budi,alfa,R-2,R-3\n");
    world.run(&["check", "c.csv", "--carry", "x"]).expect(7).says(&["`x` twice: columns 5 and 6"]);
}

#[test]
fn bad_rows_of_standard_input_come_back_whole_and_it_can_be_planned() {
    let world = World::at("http://127.0.0.1:1", "");
    let given = |arguments: &[&str], text: &str| {
        let mut child = world.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Ran::of(child)
    };
    let text = "invoice_number,amount,customer_name,channel,CABANG\nA,1000,Budi,alfa,+62\nB,x,'Aisyah,alfa,\"=A1\"\n";
    given(&["check", "-", "--out", "checked"], text).expect(1);
    assert_eq!(lines(&world, "checked/bad-rows-stdin.csv")[1][..5].join("|"), "B|x|'Aisyah|alfa|'=A1");
    // Mended, they are what they were: the escape is ours and is undone.
    let mended = std::fs::read_to_string(world.path("checked/bad-rows-stdin.csv")).unwrap().replace(",x,", ",5,");
    world.file("mended.csv", mended);
    world.run(&["check", "mended.csv", "--out", "again", "--carry", "CABANG"]).expect(0);
    assert_eq!(theirs(&world, "again/valid.csv", 1), ["CABANG", "'=A1"]);
    let good = text.lines().take(2).collect::<Vec<_>>().join("\n");
    given(&["issue", "-", "--dry-run", "--out", "plan"], &good).expect(0);
    given(&["issue", "--plan", "plan/plan.csv", "--out", "out"], &good).expect(3);
    given(&["issue", "--plan", "plan/plan.csv", "--out", "out"], text).expect(2);
    given(&["cancel", "-", "--out", "out"], "invoice_number\nA\n").expect(0);
}

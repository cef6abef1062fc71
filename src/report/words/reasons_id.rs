//! Reasons in Bahasa Indonesia: the engine's sentences, with their values kept as they are.

/// English sentence and translation; `{}` stands for a value, in the same order in both.
const REASONS: [(&str, &str); 91] = [
    ("open since {} on {}: {}", "terbuka sejak {} pada akun {}: {}"),
    ("the amount notified is no whole number of rupiah", "jumlah yang diberitahukan bukan bilangan bulat rupiah"),
    ("candidates: {}", "calon: {}"),
    ("notified {}; known {}", "diberitahukan {}; diketahui {}"),
    ("neither invoice {} nor code {} is known", "faktur {} maupun kode {} tidak dikenal"),
    ("paid {} although an earlier payment covers the {} due", "dibayar {} padahal pembayaran sebelumnya sudah melunasi tagihan {}"),
    ("paid {} although another bill of the same group is paid", "dibayar {} padahal tagihan lain dalam kelompok yang sama sudah dibayar"),
    ("paid {}, cancelled {}", "dibayar {}, dibatalkan {}"),
    ("paid {}, expired {}, grace {} minutes", "dibayar {}, kedaluwarsa {}, tenggang {} menit"),
    ("paid {}, an earlier amount of the bill; due now {}", "dibayar {}, jumlah tagihan sebelum diubah; kini terutang {}"),
    ("a code of {} paid at {}", "kode {} dibayar di {}"),
    ("paid {}, issued {}", "dibayar {}, diterbitkan {}"),
    ("paid {}, due {}", "dibayar {}, terutang {}"),
    ("its Request-Id was used for another body", "Request-Id-nya sudah dipakai untuk isi lain"),
    ("the signature does not match the bytes received", "tanda tangan tidak cocok dengan bita yang diterima"),
    (
        "the amount, date or invoice differs from the first message of this payment",
        "jumlah, tanggal, atau faktur berbeda dari pesan pertama pembayaran ini",
    ),
    ("`{}` is missing or unusable", "`{}` tidak ada atau tidak dapat dipakai"),
    ("its issue is in doubt and no payment is attached", "penerbitannya diragukan dan tidak ada pembayaran yang terkait"),
    ("{} payments add up to {}, due {}", "{} pembayaran berjumlah {}, terutang {}"),
    ("marked paid, but no valid notification is in the evidence", "ditandai lunas, tetapi tidak ada notifikasi sah dalam bukti"),
    ("it has no payment code", "tidak memiliki kode bayar"),
    ("expired {} and unpaid", "kedaluwarsa {} dan belum dibayar"),
    ("another invoice holds the same live code", "faktur lain memegang kode aktif yang sama"),
    ("the line is longer than 1 MiB", "baris lebih panjang dari 1 MiB"),
    ("the line is not UTF-8", "baris bukan UTF-8"),
    ("the line is not a JSON object", "baris bukan objek JSON"),
    ("there is no body", "tidak ada isi"),
    ("`Client-Id` is not ours", "`Client-Id` bukan milik kita"),
    ("`{}` is missing", "`{}` tidak ada"),
    ("the target is missing", "tujuan tidak ada"),
    ("no key is configured", "tidak ada kunci yang diatur"),
    (
        "the body is an object, not the text that was signed: log the bytes as they were received",
        "isi berupa objek, bukan teks yang ditandatangani: catat bita persis seperti yang diterima",
    ),
    ("the body stands without headers", "isi tanpa kepala pesan"),
    (
        "the signature does not match the bytes received; they may have been written anew by a database that keeps JSON as JSON (jsonb)",
        "tanda tangan tidak cocok dengan bita yang diterima; mungkin ditulis ulang oleh basis data yang menyimpan JSON sebagai JSON (jsonb)",
    ),
    (
        "a double quote of the row is open or stands inside a cell: double every quote in a quoted cell",
        "tanda kutip ganda pada baris ini terbuka atau berdiri di tengah sel: gandakan setiap tanda kutip dalam sel berkutip",
    ),
    (
        "the row escapes its quotes with backslashes: export it with every quote doubled, as in \"{\"\"service\"\": …\"",
        "baris ini menandai tanda kutip dengan garis miring terbalik: ekspor dengan tanda kutip yang digandakan, seperti \"{\"\"service\"\": …\"",
    ),
    (
        "the body holds the delimiter and is not quoted: quote every cell on export",
        "isi memuat pemisah dan tidak diapit tanda kutip: apit setiap sel dengan tanda kutip saat mengekspor",
    ),
    ("the row has another number of cells than the header", "jumlah sel baris ini berbeda dari kepala tabel"),
    ("the row stands above the header of its table", "baris ini berdiri di atas kepala tabelnya"),
    ("`headers` is neither a JSON object nor lines of `Name: value`", "`headers` bukan objek JSON dan bukan baris `Nama: nilai`"),
    (
        "the body was cut off at 32,767 characters, as a spreadsheet does: export it without one",
        "isi terpotong pada 32.767 karakter, seperti dilakukan lembar kerja: ekspor tanpa lembar kerja",
    ),
    (
        "an id is stored as a number, which a spreadsheet rounds: keep it as text",
        "sebuah pengenal tersimpan sebagai angka, yang dibulatkan lembar kerja: simpan sebagai teks",
    ),
    (
        "`received_at` is a time without an offset: set `notifications.received_at_offset`, such as \"+07:00\" for WIB",
        "`received_at` adalah waktu tanpa selisih zona: atur `notifications.received_at_offset`, misalnya \"+07:00\" untuk WIB",
    ),
    (
        "`received_at` is no time as 2026-10-31T17:00:00+07:00: set `notifications.date_format`",
        "`received_at` bukan waktu seperti 2026-10-31T17:00:00+07:00: atur `notifications.date_format`",
    ),
    (
        "`received_at` is no time that can be read, such as 2026-10-31T17:00:00+07:00",
        "`received_at` bukan waktu yang terbaca, seperti 2026-10-31T17:00:00+07:00",
    ),
    ("{}: it has {} cells, the header has {}", "{}: memiliki {} sel, judulnya {}"),
    ("{}: it is not UTF-8: byte {}, probably {}", "{}: bukan UTF-8: bita {}, mungkin {}"),
    ("{}: a double quote opens a cell and is never closed", "{}: tanda kutip ganda membuka sel dan tidak pernah ditutup"),
    (
        "{}: a double quote closes inside a cell: after it comes neither a delimiter nor a line end",
        "{}: tanda kutip ganda menutup di tengah sel: sesudahnya tidak ada pemisah maupun akhir baris",
    ),
    (
        "{}: a stray double quote would swallow the rows below it",
        "{}: tanda kutip ganda yang tersesat akan menelan baris-baris di bawahnya",
    ),
    ("{}: it has more than {} bytes", "{}: lebih dari {} bita"),
    (
        "{}: no header claims it: it stands above the header or after the table's end",
        "{}: tidak ada kepala tabel untuknya: berdiri di atas kepala tabel atau sesudah akhir tabel",
    ),
    (
        "{}: it begins with an apostrophe, which a spreadsheet puts before a number",
        "{}: diawali apostrof, yang ditaruh lembar kerja di depan angka",
    ),
    (
        "{}: it is stored as a number, so zeros in front and digits after the 15th are lost: store it as text",
        "{}: tersimpan sebagai angka, sehingga nol di depan dan angka sesudah yang ke-15 hilang: simpan sebagai teks",
    ),
    ("{}: after `{}` only `00` is allowed: rupiah have no decimals", "{}: sesudah `{}` hanya boleh `00`: rupiah tidak punya desimal"),
    (
        "{}: `{}` must stand before every group of three digits and nowhere else",
        "{}: `{}` harus berdiri di depan setiap kelompok tiga angka dan tidak di tempat lain",
    ),
    ("{}: `{}` is no channel: alfa or indomaret", "{}: `{}` bukan kanal: alfa atau indomaret"),
    ("{}: `{}` is none of ACTIVE, PAID, CANCELLED, EXPIRED", "{}: `{}` bukan salah satu dari ACTIVE, PAID, CANCELLED, EXPIRED"),
    ("{}: `{}` is neither true nor false", "{}: `{}` bukan true maupun false"),
    ("{}: it is empty, but the status is {}", "{}: kosong, padahal statusnya {}"),
    ("{}: the amount is empty", "{}: jumlahnya kosong"),
    (
        "{}: the amount must be digits only: no separators, decimals, signs or currency",
        "{}: jumlah harus berupa angka saja: tanpa pemisah, desimal, tanda, atau mata uang",
    ),
    ("{}: the amount must be more than zero", "{}: jumlah harus lebih dari nol"),
    ("{}: the amount has more than 12 digits", "{}: jumlah lebih dari 12 angka"),
    ("row {} of batch `{}` stands elsewhere too", "baris {} dari batch `{}` juga ada di tempat lain"),
    ("{} of {} is settled by another row already", "{} tanggal {} sudah masuk setelmen lewat baris lain"),
    ("a {} of {}", "{} sebesar {}"),
    ("settled {} for {}, and no notification of it is known", "setelmen {} untuk {}, tetapi notifikasinya tidak diketahui"),
    ("settled {}, notified no usable amount", "setelmen {}, jumlah yang diberitahukan tidak dapat dipakai"),
    ("settled {}, notified {}", "setelmen {}, diberitahukan {}"),
    (
        "paid out {}, but amount {}, fee {} and discount {} leave {}",
        "dibayarkan {}, padahal jumlah {}, biaya {}, dan diskon {} menyisakan {}",
    ),
    ("fee {}, by contract {}", "biaya {}, menurut kontrak {}"),
    ("of {} paid out: {}", "dari {} yang dibayarkan: {}"),
    ("`settlement.channels` does not know `{}`, the channel of {} rows", "`settlement.channels` tidak mengenal `{}`, kanal dari {} baris"),
    ("no settlement row; it was due on {}", "tidak ada baris setelmen; jatuh temponya {}"),
    ("its files state different totals", "berkas-berkasnya menulis total yang berbeda"),
    ("{} rows could not be read", "{} baris tidak dapat dibaca"),
    ("{}: it holds a character that is not allowed: {}", "{}: memuat karakter yang tidak diizinkan: {}"),
    ("{}: it has {} characters, at most 64 are allowed", "{}: memiliki {} karakter, paling banyak 64"),
    (
        "{}: `{}` is no plain integer: no separators, decimals or currency, at most 15 digits",
        "{}: `{}` bukan bilangan bulat polos: tanpa pemisah, desimal, atau mata uang, paling banyak 15 angka",
    ),
    ("{}: `{}` is no date: write 05-03-2026", "{}: `{}` bukan tanggal: tulis 05-03-2026"),
    ("{}: `{}` is no whole number", "{}: `{}` bukan bilangan bulat"),
    ("{}: `{}` is not between 1 and {}", "{}: `{}` tidak di antara 1 dan {}"),
    (
        "marked paid, but neither a valid notification nor a settlement row is in the evidence",
        "ditandai lunas, tetapi tidak ada notifikasi sah maupun baris setelmen dalam bukti",
    ),
    (
        "{}: it is stored as a number of more than {} digits, and spreadsheets replace the digits after those by zeros: store it as text",
        "{}: disimpan sebagai bilangan lebih dari {} angka, dan lembar kerja mengganti angka sesudahnya dengan nol: simpan sebagai teks",
    ),
    ("paid {} while the policy was lapsed or cancelled", "dibayar {} saat polis lapse atau batal"),
    ("our request history has this code, the external ledger has not", "riwayat permintaan kita memuat kode ini, data tagihan luar tidak"),
    (
        "paid {} although the last answer before was that it may not be",
        "dibayar {} padahal jawaban terakhir sebelumnya: tidak boleh dibayar",
    ),
    ("paid {}, answered {}", "dibayar {}, dijawab {}"),
    ("paid {}, and no inquiry before is in the logs", "dibayar {}, tetapi tidak ada inkuiri sebelumnya di dalam log"),
    ("body", "isi"),
];

/// The translation of `reason`; itself where there is none.
pub(super) fn of(reason: &str) -> String {
    // A batch's reasons stand in a row; names of totals are those of the file.
    if let Some((batch, reasons)) = reason.strip_prefix("batch ").and_then(|rest| rest.split_once("`: ")) {
        let reasons = reasons.split("; ").map(|one| of(one).replace(", rows ", ", jumlah baris "));
        return format!("batch {batch}`: {}", reasons.collect::<Vec<_>>().join("; "));
    }
    if let Some((main, (kind, cure))) =
        reason.split_once("; if all ").and_then(|(main, rest)| Some((main, rest.split_once(" are written so, set ")?)))
    {
        let kind = if kind == "amounts" { "jumlah uang" } else { "tanggal" };
        return format!("{}; bila semua {kind} ditulis begitu, atur {}", of(main), cure.replace(" in a layout", " di tata letak"));
    }
    let translated = REASONS.iter().find_map(|(english, indonesian)| Some(filled(indonesian, &values(english, reason)?)));
    translated.unwrap_or_else(|| reason.to_owned())
}

/// What stands in `text` where `pattern` has `{}`; `None` where they do not agree.
fn values<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut values = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = if pieces.peek().is_none() { rest.len().checked_sub(piece.len())? } else { rest.find(piece)? };
        values.push(rest.get(..at)?);
        rest = rest.get(at..)?.strip_prefix(piece)?;
    }
    rest.is_empty().then_some(values)
}

fn filled(pattern: &str, values: &[&str]) -> String {
    let mut text = String::new();
    for (place, piece) in pattern.split("{}").enumerate() {
        if let Some(value) = place.checked_sub(1).and_then(|before| values.get(before)) {
            text.push_str(value);
        }
        text.push_str(piece);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_a_line_has_words_of_its_own() {
        // A single word is the name of a field.
        for reason in crate::domain::line::Detail::TEXTS.into_iter().filter(|reason| reason.contains(' ')) {
            assert_ne!(of(reason), reason);
        }
    }

    #[test]
    fn values_are_kept_as_they_are_and_an_unknown_reason_stays() {
        let paid = "paid 2026-10-11T14:00:00+07:00, expired 2026-10-10T00:00:00+07:00, grace 5 minutes";
        assert_eq!(of(paid), "dibayar 2026-10-11T14:00:00+07:00, kedaluwarsa 2026-10-10T00:00:00+07:00, tenggang 5 menit");
        assert_eq!(of("neither invoice A, due {} nor code 007 is known"), "faktur A, due {} maupun kode 007 tidak dikenal");
        assert_eq!(of("`order.amount` is missing or unusable"), "`order.amount` tidak ada atau tidak dapat dipakai");
        assert_eq!(of("something new"), "something new");
        let batch = "batch `B: 1`: its files state different totals; Total Fee 0, rows 11100; 2 rows could not be read";
        let told = "batch `B: 1`: berkas-berkasnya menulis total yang berbeda; Total Fee 0, jumlah baris 11100; 2 baris tidak dapat dibaca";
        assert_eq!(of(batch), told);
    }
}

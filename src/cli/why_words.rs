//! Every phrase of `tagih why`, in each language. A phrase without a translation does not compile.
//!
//! `{0}`, `{1}` … stand for values, see [`fill`].

use crate::domain::language::Language;
use crate::domain::lifecycle::{DoubtVerdict, OperationKind, Status};
use crate::register;

macro_rules! phrases {
    ($($name:ident)*) => {
        /// The phrases of one language, named after what they say in English.
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)*
        }
    };
}

phrases! {
    times not_in_ledger code payable_until story time_unknown evidence seen_from no_evidence nothing_found kind_line kind_payment
    kind_bill kind_settlement flags sides paid_on not_paid_out because at_place row_of stands decided next next_nothing next_open next_refused
    next_expired next_held next_accepted next_since next_settled next_record next_wait next_not_due in_no_books no_books planned adopted intended not_sent accepted replayed remarked refused doubted repeated reopened_doubt settled retired held released aliased
    is_paid is_paid_before is_expired is_held made_at how_to_pay how_to_pay_api arrived_unpaid said_of not_paid noted checked checked_paid registered changed cancelled paid inquiry inquiry_cause arrived arrived_unread settled_row step status_planned
    status_requested status_active status_amending status_cancelling status_rejected status_cancelled status_retired status_doubt_issue
    status_doubt_amend status_doubt_cancel open proposed standing_accepted cleared reopened verdict_done verdict_not_done verdict_dead
    issue amend cancel
}

impl Words {
    /// The phrases of `language`.
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Indonesian => &INDONESIAN,
        }
    }

    pub(super) const fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Planned => self.status_planned,
            Status::Requested => self.status_requested,
            Status::Active => self.status_active,
            Status::Amending => self.status_amending,
            Status::Cancelling => self.status_cancelling,
            Status::Rejected => self.status_rejected,
            Status::Cancelled => self.status_cancelled,
            Status::Retired => self.status_retired,
            Status::InDoubt(OperationKind::Issue) => self.status_doubt_issue,
            Status::InDoubt(OperationKind::Amend) => self.status_doubt_amend,
            Status::InDoubt(OperationKind::Cancel) => self.status_doubt_cancel,
        }
    }

    pub(super) const fn operation(&self, operation: OperationKind) -> &'static str {
        match operation {
            OperationKind::Issue => self.issue,
            OperationKind::Amend => self.amend,
            OperationKind::Cancel => self.cancel,
        }
    }

    pub(super) const fn verdict(&self, verdict: DoubtVerdict) -> &'static str {
        match verdict {
            DoubtVerdict::Done => self.verdict_done,
            DoubtVerdict::NotDone => self.verdict_not_done,
            DoubtVerdict::Dead => self.verdict_dead,
        }
    }

    pub(super) const fn standing(&self, status: register::ItemStatus) -> &'static str {
        match status {
            register::ItemStatus::Open => self.open,
            register::ItemStatus::Proposed => self.proposed,
            register::ItemStatus::Accepted => self.standing_accepted,
            register::ItemStatus::Cleared => self.cleared,
            register::ItemStatus::Reopened => self.reopened,
        }
    }
}

/// `phrase` with its values, which may hold braces themselves.
pub(super) fn fill(phrase: &str, values: &[&str]) -> String {
    let mut text = String::with_capacity(phrase.len());
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((place, behind)) = after.split_once('}') else { break };
        text.push_str(place.parse::<usize>().ok().and_then(|place| values.get(place)).copied().unwrap_or_default());
        rest = behind;
    }
    text.push_str(rest);
    text
}

const ENGLISH: Words = Words {
    times: "All times are WIB (UTC+7).",
    not_in_ledger: "not in the ledger",
    code: "code",
    payable_until: "payable until {0}",
    story: "What happened",
    time_unknown: "time not known",
    evidence: "The evidence under the rules",
    seen_from: "{0} to {1}, seen from {2}",
    no_evidence: "No notification logs were given, so no rule was applied. Name them with `--notifications`.",
    nothing_found: "Neither a line, nor a payment, nor the bill itself falls in these days.",
    kind_line: "line",
    kind_payment: "payment",
    kind_bill: "bill",
    kind_settlement: "settlement",
    flags: "also {0}",
    sides: "paid {0}, billed {1}",
    paid_on: "paid on {0}",
    not_paid_out: "not yet",
    because: "because: {0}",
    at_place: "in {0}",
    row_of: "{0} less fee {1}, paid out {2} on {3}",
    stands: "decision: {0}",
    decided: "The rule that decided",
    next: "What to do next",
    next_nothing: "nothing; the next `tagih issue` compares the row with these terms",
    next_open: "run `tagih sync`, or the same `tagih issue` again, to settle it; `tagih resolve` if DOKU has told you more",
    next_refused: "correct the row as DOKU's words say and run `tagih issue` again",
    next_expired: "if it is still owed: `tagih issue --reissue-expired` with its row makes a new code",
    next_accepted: "nothing about {0}: it has been decided and accepted",
    next_since: "nothing about {0} but `tagih reconcile` once more: it was decided since this report, whose books do not have that yet",
    next_not_due: "nothing yet about {0}: it may still clear by itself",
    next_settled: "nothing: nothing is open on it",
    in_no_books: "In the books",
    no_books: "What was decided about it is known from the journal alone: no report that was taken in or signed is at hand, so what that moved is not told. Name one with `--report`.",
    next_record: "record what was decided: `tagih discrepancies accept {0} --reason …`",
    next_wait: "nothing yet about {0}: {1}",
    planned: "planned: {0}",
    adopted: "adopted with code {0}",
    intended: "{0} intended as {1}, request {2}",
    not_sent: "not sent: {0}",
    accepted: "DOKU accepted: code {0}",
    replayed: "DOKU replayed its acceptance: code {0}",
    refused: "DOKU refused ({0}): {1}",
    doubted: "in doubt: {0}",
    settled: "doubt ended as {0} by {1}: {2}",
    retired: "the code is dead: {0}",
    repeated: "sent again under its own id",
    reopened_doubt: "the refusal of the {0} did not stand, it is in doubt again: {1}",
    remarked: "note: {0}",
    held: "held until a person has looked: {0}",
    released: "no longer held ({0}): {1}",
    aliased: "an inquiry was answered with number {0}",
    noted: "ledger-only columns changed",
    checked: "Check Status says {0} of order {1}",
    checked_paid: "paid {0} on {1}",
    registered: "registered here: code {0}, {1}",
    changed: "changed here: code {0}, {1}",
    cancelled: "cancelled here: code {0}",
    paid: "paid {0} with code {1}, on {2}; the ledger took it in",
    inquiry: "DOKU asked about the code; answered {0}",
    inquiry_cause: "DOKU asked about the code; answered {0} ({1})",
    arrived: "a notification arrived: {0}, {1} paid on {2}",
    arrived_unpaid: "a notification arrived: {0}, nothing was paid; {1} asked, of {2}",
    said_of: "said of {0}",
    not_paid: "nothing was paid; {0} asked, billed {1}",
    is_paid: "paid",
    is_paid_before: "paid with an earlier code",
    is_expired: "expired",
    is_held: "held",
    next_held: "It is held since {0} ({1}): look at DOKU's Back Office, then `tagih resolve {2} --as released --reason ...`.",
    made_at: "made at {0}",
    how_to_pay: "how to pay: {0}",
    how_to_pay_api: "the same for programs: {0}",
    arrived_unread: "a message arrived that names it: {0}",
    settled_row: "settlement: {0}",
    step: "discrepancy {0}: {1}: {2} → {3}",
    status_planned: "planned",
    status_requested: "requested",
    status_active: "active",
    status_amending: "amending",
    status_cancelling: "cancelling",
    status_rejected: "rejected",
    status_cancelled: "cancelled",
    status_retired: "retired",
    status_doubt_issue: "in_doubt_issue",
    status_doubt_amend: "in_doubt_amend",
    status_doubt_cancel: "in_doubt_cancel",
    open: "open",
    proposed: "proposed",
    standing_accepted: "accepted",
    cleared: "cleared",
    reopened: "reopened",
    verdict_done: "Done",
    verdict_not_done: "NotDone",
    verdict_dead: "Dead",
    issue: "issue",
    amend: "amend",
    cancel: "cancel",
};

const INDONESIAN: Words = Words {
    times: "Semua waktu dalam WIB (UTC+7).",
    not_in_ledger: "tidak ada di data tagihan",
    code: "kode",
    payable_until: "dapat dibayar sampai {0}",
    story: "Apa yang terjadi",
    time_unknown: "waktu tidak diketahui",
    evidence: "Bukti menurut aturan",
    seen_from: "{0} sampai {1}, dilihat dari {2}",
    no_evidence: "Log notifikasi tidak diberikan, jadi tidak ada aturan yang diterapkan. Sebutkan dengan `--notifications`.",
    nothing_found: "Tidak ada baris, pembayaran, maupun tagihan ini dalam hari-hari tersebut.",
    kind_line: "baris",
    kind_payment: "pembayaran",
    kind_bill: "tagihan",
    kind_settlement: "setelmen",
    flags: "juga {0}",
    sides: "dibayar {0}, ditagih {1}",
    paid_on: "dibayar pada {0}",
    not_paid_out: "belum",
    because: "sebab: {0}",
    at_place: "di {0}",
    row_of: "{0} dikurangi biaya {1}, dibayarkan {2} pada {3}",
    stands: "keputusan: {0}",
    decided: "Aturan yang menentukan",
    next: "Langkah berikutnya",
    next_nothing: "tidak ada; `tagih issue` berikutnya membandingkan baris dengan ketentuan ini",
    next_open: "jalankan `tagih sync`, atau `tagih issue` yang sama sekali lagi, untuk memastikannya; `tagih resolve` bila DOKU memberi tahu lebih banyak",
    next_refused: "perbaiki baris sesuai kata-kata DOKU lalu jalankan `tagih issue` lagi",
    next_expired: "bila masih terutang: `tagih issue --reissue-expired` dengan barisnya membuat kode baru",
    next_accepted: "tidak ada untuk {0}: sudah diputuskan",
    next_since: "tidak ada untuk {0} selain `tagih reconcile` sekali lagi: keputusannya dibuat setelah laporan ini dan belum ada di pembukuannya",
    next_not_due: "belum ada untuk {0}: masih dapat selesai dengan sendirinya",
    next_settled: "tidak ada: tidak ada yang terbuka",
    in_no_books: "Menurut pembukuan",
    no_books: "Keputusan tentangnya hanya diketahui dari jurnal: tidak ada laporan yang dicatat atau ditutup yang masih ada, jadi apa yang dipindahkannya tidak disebutkan. Sebutkan dengan `--report`.",
    next_record: "catat keputusannya: `tagih discrepancies accept {0} --reason …`",
    next_wait: "belum ada untuk {0}: {1}",
    planned: "direncanakan: {0}",
    adopted: "diambil alih dengan kode {0}",
    intended: "{0} diniatkan sebagai {1}, permintaan {2}",
    not_sent: "tidak dikirim: {0}",
    accepted: "DOKU menerima: kode {0}",
    replayed: "DOKU mengulang penerimaannya: kode {0}",
    refused: "DOKU menolak ({0}): {1}",
    doubted: "diragukan: {0}",
    settled: "keraguan berakhir sebagai {0} oleh {1}: {2}",
    retired: "kode sudah mati: {0}",
    repeated: "dikirim ulang dengan id yang sama",
    reopened_doubt: "penolakan atas {0} ternyata tidak berlaku, statusnya kembali belum pasti: {1}",
    remarked: "catatan: {0}",
    held: "ditahan sampai ada yang memeriksa: {0}",
    released: "tidak ditahan lagi ({0}): {1}",
    aliased: "pertanyaan dijawab dengan nomor {0}",
    noted: "kolom khusus data tagihan berubah",
    checked: "Check Status menyatakan {0} untuk pesanan {1}",
    checked_paid: "dibayar {0} pada {1}",
    registered: "didaftarkan di sini: kode {0}, {1}",
    changed: "diubah di sini: kode {0}, {1}",
    cancelled: "dibatalkan di sini: kode {0}",
    paid: "dibayar {0} dengan kode {1}, pada {2}; dicatat data tagihan",
    inquiry: "DOKU menanyakan kode; dijawab {0}",
    inquiry_cause: "DOKU menanyakan kode; dijawab {0} ({1})",
    arrived: "notifikasi tiba: {0}, {1} dibayar pada {2}",
    arrived_unpaid: "notifikasi tiba: {0}, tidak ada yang dibayar; diminta {1}, tertanggal {2}",
    said_of: "tertanggal {0}",
    not_paid: "tidak ada yang dibayar; diminta {0}, ditagih {1}",
    is_paid: "sudah dibayar",
    is_paid_before: "sudah dibayar dengan kode sebelumnya",
    is_expired: "kedaluwarsa",
    is_held: "ditahan",
    next_held: "Ditahan sejak {0} ({1}): periksa Back Office DOKU, lalu `tagih resolve {2} --as released --reason ...`.",
    made_at: "dibuat {0}",
    how_to_pay: "cara bayar: {0}",
    how_to_pay_api: "untuk program: {0}",
    arrived_unread: "pesan yang menyebutnya tiba: {0}",
    settled_row: "setelmen: {0}",
    step: "selisih {0}: {1}: {2} → {3}",
    status_planned: "direncanakan",
    status_requested: "diminta",
    status_active: "aktif",
    status_amending: "sedang diubah",
    status_cancelling: "sedang dibatalkan",
    status_rejected: "ditolak",
    status_cancelled: "dibatalkan",
    status_retired: "mati",
    status_doubt_issue: "penerbitan diragukan",
    status_doubt_amend: "perubahan diragukan",
    status_doubt_cancel: "pembatalan diragukan",
    open: "terbuka",
    proposed: "diusulkan",
    standing_accepted: "sudah diputuskan",
    cleared: "selesai",
    reopened: "dibuka lagi",
    verdict_done: "dilakukan",
    verdict_not_done: "tidak dilakukan",
    verdict_dead: "mati",
    issue: "penerbitan",
    amend: "perubahan",
    cancel: "pembatalan",
};

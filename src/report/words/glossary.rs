//! The terms of the books as a finance department says them: English and Bahasa Indonesia side by side, in one list, for every section.
//!
//! A term has one translation. Setelmen is what DOKU does, dana cair what the bank receives; banyaknya counts, nilai is rupiah.

use super::Words;
use crate::books::account::{Account, Owner};
use crate::books::decision::{Action, PostingRefusal};
use crate::books::ledger_tie::TieLine;
use crate::books::movement::Movement;
use crate::domain::language::Language;
use crate::reconcile::open_items::Todo;
use crate::register;
use crate::report::item_choice::Choice;

impl Words {
    const fn said(&self, [english, indonesian]: [&'static str; 2]) -> &'static str {
        match self.language {
            Language::English => english,
            Language::Indonesian => indonesian,
        }
    }
}

macro_rules! terms {
    ($($name:ident $english:literal $indonesian:literal;)*) => {
        impl Words {
            $(pub(in crate::report) const fn $name(&self) -> &'static str {
                self.said([$english, $indonesian])
            })*
        }

        #[cfg(test)]
        pub(super) const TERMS: &[(&str, &str, &str)] = &[$((stringify!($name), $english, $indonesian)),*];
    };
}

terms! {
    flow "From the bill to the bank" "Dari tagihan sampai bank";
    flow_note "Each figure is the one before it with the lines between them. What is missing at each step is listed item by item on the sheet of its account."
        "Setiap angka adalah angka sebelumnya ditambah dan dikurangi baris di antaranya. Yang belum sampai pada setiap langkah dirinci pada lembar akunnya.";
    step_billed "To be paid: open before, billed and amended" "Harus dibayar: saldo lalu, tagihan baru dan perubahan";
    step_owed "still owed by customers" "belum dibayar nasabah";
    step_unproven "called paid, nothing proves it" "ditandai lunas tanpa bukti";
    step_paid "Paid on bills" "Dibayar atas tagihan";
    step_held "not for a bill, or held; less what was applied" "bukan untuk tagihan atau ditahan, dikurangi yang diterapkan";
    step_collected "Collected at the counter" "Diterima di gerai";
    step_direct "of chains that pay out themselves" "dari kanal yang mencairkan langsung";
    step_was_at_doku "collected before, not yet paid out then" "diterima sebelumnya, saat itu belum cair";
    step_at_doku "not yet paid out by DOKU" "belum dicairkan DOKU";
    step_deducted "fees, VAT, discounts and shares" "biaya, PPN, diskon dan bagi hasil";
    step_rows "other rows of the settlement files" "baris lain pada berkas setelmen";
    step_paid_out "Paid out by DOKU" "Dicairkan DOKU";
    step_was_on_the_way "paid out before, not yet in the bank then" "dicairkan sebelumnya, saat itu belum masuk bank";
    step_on_the_way "not yet in the bank" "belum masuk bank";
    step_direct_received "received from chains that pay out themselves" "diterima langsung dari kanal";
    step_other_bank "refunds and other lines of the bank" "pengembalian dan mutasi bank lainnya";
    step_banked "In the bank" "Masuk bank";
    tasks "What to do" "Yang harus dikerjakan";
    tasks_none "Nothing is to be done." "Tidak ada yang harus dikerjakan.";
    desk "Who" "Bagian";
    task_title "What" "Tindakan";
    books_hold "The books tie: all {0} of their identities hold, and every closing figure is the sum of its items."
        "Pembukuan cocok: seluruh {0} identitasnya terpenuhi, dan setiap saldo akhir sama dengan jumlah rinciannya.";
    books_break "The books do not tie: {0} of their identities do not hold. Do not rely on any figure of this report."
        "Pembukuan tidak cocok: {0} identitasnya tidak terpenuhi. Jangan mengandalkan angka apa pun dalam laporan ini.";
    verdict_to_do "{0} items are to be done." "{0} hal harus dikerjakan.";
    verdict_nothing "Nothing is to be done." "Tidak ada yang harus dikerjakan.";
    verdict_caveats "Nothing is to be done in this month; of the months before, {0} things must be known before it is signed."
        "Tidak ada yang harus dikerjakan pada bulan ini; {0} hal tentang bulan-bulan sebelumnya harus diketahui sebelum ditandatangani.";
    caveat "Before this month is signed: {0}." "Sebelum bulan ini ditandatangani: {0}.";
    caveat_accepted "{0}. Accepted with the close of the month from {1}." "{0}. Diterima dengan penutupan bulan mulai {1}.";
    keys "Keys whose signatures were believed" "Kunci yang tanda tangannya dipercaya";
    key "Key" "Kunci";
    believed_until "Believed until (WIB)" "Dipercaya sampai (WIB)";
    said_of_key "What was said of it" "Yang dikatakan tentangnya";
    key_revoked "{0}, {1}: not believed about what arrived after {2} ({3})" "{0}, {1}: tidak dipercaya untuk yang diterima setelah {2} ({3})";
    key_reinstated "{0}, {1}: taken back ({2})" "{0}, {1}: dicabut kembali ({2})";
    compared "Compared with the month before" "Dibandingkan bulan sebelumnya";
    before_amount "Before: rupiah" "Sebelumnya: nilai (Rp)";
    now_amount "Now: rupiah" "Kini: nilai (Rp)";
    change "Change" "Perubahan";
    accounts "Accounts" "Akun";
    accounts_note "Every account from its opening to its closing, on its normal side. The closing is counted from the open items, not from the movements."
        "Setiap akun dari saldo awal sampai saldo akhir, pada sisi normalnya. Saldo akhir dihitung dari rincian terbuka, bukan dari mutasi.";
    balances "Balances" "Saldo";
    account_title "Account" "Akun";
    opening_count "Opening: items" "Saldo awal: banyaknya";
    opening_amount "Opening" "Saldo awal (Rp)";
    increase "Increase" "Bertambah";
    decrease "Decrease" "Berkurang";
    closing_count "Closing: items" "Saldo akhir: banyaknya";
    closing_amount "Closing" "Saldo akhir (Rp)";
    of_it_to_do "Of it to be done" "Di antaranya harus dikerjakan";
    of_it_not_yet "Of it not yet due" "Di antaranya belum jatuh tempo";
    of_it_decided "Of it decided" "Di antaranya sudah diputuskan";
    movements "Movements" "Mutasi";
    movement_title "Movement" "Mutasi";
    belongs_to "Belongs to" "Milik periode";
    this_period "this period" "periode ini";
    earlier_period "an earlier period" "periode terdahulu";
    books_ageing "Age of what is open, in days" "Umur saldo terbuka, dalam hari";
    items_count "Items" "Banyaknya";
    items_amount "Rupiah" "Nilai (Rp)";
    to_be_done "State" "Keadaan";
    since "Since" "Sejak";
    moved_on "Last movement on" "Mutasi terakhir pada";
    moved_by "Last movement" "Mutasi terakhir";
    dimensions "Branch, agent, product" "Cabang, agen, produk";
    settlement_title "Settlement" "Setelmen";
    settlement_unknown "no settlement file was ever given, so whether DOKU has paid out {0} is not known, and nobody is told to ask"
        "belum pernah ada berkas setelmen, sehingga tidak diketahui apakah DOKU sudah mencairkan {0}, dan tidak ada yang diminta menanyakannya";
    ledger_tie "From the ledger's bills to the receivable" "Dari data tagihan sampai piutang";
    tie_total "Owed by the books" "Piutang menurut pembukuan";
    tie_asked "Asked for by bills that are not cancelled" "Ditagih oleh tagihan yang tidak dibatalkan";
    tie_received "Paid on them by the books" "Pembayarannya menurut pembukuan";
    tie_differing "Reopened by a decision, or booked otherwise" "Dibuka kembali oleh keputusan, atau dibukukan lain";
    tie_unlisted "Owed on bills that the ledger does not list" "Piutang atas tagihan yang tidak ada dalam data tagihan";
    receivables_by "Premium receivables by {0}" "Piutang premi per {0}";
    without_value "(none)" "(tidak ada)";
    billed "Billed and amended" "Tagihan dan perubahannya";
    received "Received" "Diterima";
    other_changes "Other changes" "Perubahan lain";
    regrouped "Moved from or to another" "Pindah dari atau ke yang lain";
    bank_unread "Rows of bank statements that cannot be read" "Baris rekening koran yang tidak terbaca";
    bank_unread_count "{0}: a transfer may be missing (E0710)" "{0}: mungkin ada transfer yang terlewat (E0710)";
    bank_copied "Bank lines taken for ones given before" "Baris rekening koran yang dianggap sudah pernah diberikan";
    bank_text "Text" "Keterangan";
    row_number "Row" "Baris";
    column "Column" "Kolom";
    decision "Decision" "Keputusan";
    item "Item" "Rincian";
    alarms "Alarms" "Peringatan";
    alarms_note "What has no balance and still needs somebody; the amount is what is at stake." "Yang tidak bersaldo tetapi tetap memerlukan tindakan; nilainya adalah nilai yang dipertaruhkan.";
    items_note "Every open item of the account, carried ones beside new ones. The total is the closing balance." "Seluruh rincian terbuka akun ini, bawaan dan baru. Jumlahnya adalah saldo akhir.";
    decisions_title "Decisions" "Keputusan";
    choices_title "Choices" "Pilihan";
    comment_so_far "Comment so far" "Catatan sebelumnya";
    finding_told "Finding" "Temuan";
    recommended "Recommended" "Saran";
    earlier_decision "Decided so far" "Keputusan sebelumnya";
    decide_action "Action" "Tindakan";
    decide_reason "Reason" "Alasan";
    decide_amount "Amount" "Nilai";
    decide_target "Target" "Sasaran";
    decide_account "Account" "Akun";
    decide_reference "Reference" "Referensi";
    decide_effective_on "Effective on" "Berlaku sejak";
    decide_note "Note" "Catatan";
    decide_actor "Actor" "Pemutus";
    decide_reviewer "Reviewer" "Pemeriksa";
    decide_owner "Owner" "Penanggung jawab";
    first_items_note "Here are {0} of them, the worst first; open_items.csv has all." "Di sini {0} di antaranya, yang terburuk lebih dulu; open_items.csv memuat semuanya.";
    register "Decisions" "Register keputusan";
    register_note "Every decision the books know, in the order of their days, with what it moved." "Setiap keputusan yang diketahui pembukuan, menurut harinya, beserta nilai yang dipindahkannya.";
    decided_on "Day" "Hari";
    action_title "Decision" "Keputusan";
    effect "Effect" "Akibat";
    stands "stands" "berlaku";
    taken_back "taken back" "dicabut";
    applied_by_that "stands; {0} that was held went to the bill by that" "berlaku; {0} yang ditahan dibukukan ke tagihannya";
    moved_nothing "moved nothing: {0}" "tidak memindahkan apa pun: {0}";
    open_since "open since {0}, {1}: {2}" "terbuka sejak {0}, {1}: {2}";
    decided_by "Decided by" "Diputuskan oleh";
    reviewed_by "Reviewed by" "Diperiksa oleh";
    decided_at "Decided at (WIB)" "Waktu keputusan (WIB)";
    decision_reason "Why" "Alasan";
    screen_only "Not on paper, but on the page and in the workbook: {0}." "Tidak dicetak, tetapi ada di halaman dan buku kerja: {0}.";
    on_paper "On paper: the first {0} of {1} rows; the page, the workbook and the files have all." "Di kertas: {0} baris pertama dari {1}; halaman, buku kerja, dan berkas memuat semuanya.";
    reversed_note "An amount below zero stands on the other side of its account and is not netted." "Nilai di bawah nol berada di sisi lain akunnya dan tidak dikompensasikan.";
}

impl Words {
    /// The name of an account.
    pub(in crate::report) const fn account_name(&self, account: Account) -> &'static str {
        self.said(match account {
            Account::Receivable => ["Premiums owed", "Piutang premi"],
            Account::Unproven => ["Called paid, not proved", "Ditandai lunas tanpa bukti"],
            Account::Doku => ["At DOKU, not paid out", "Di DOKU, belum cair"],
            Account::Direct => ["Direct channels, not received", "Kanal langsung, belum diterima"],
            Account::Clearing => ["Settlement differences", "Selisih setelmen"],
            Account::Payouts => ["On the way to the bank", "Dana cair dalam perjalanan"],
            Account::Bank => ["Bank account", "Rekening bank"],
            Account::Suspense => ["Unidentified and held money", "Pembayaran tidak teridentifikasi"],
            Account::Deposits => ["Customers' credits", "Titipan nasabah"],
            Account::RefundsDue => ["Refunds to transfer", "Pengembalian belum ditransfer"],
            Account::Premium => ["Premium billed", "Premi ditagihkan"],
            Account::Income => ["Money kept", "Pendapatan lain"],
            Account::OtherProducts => ["Other products of DOKU", "Produk DOKU lainnya"],
            Account::Opening => ["Taken on", "Saldo pembukaan"],
            Account::Fees => ["DOKU's fees", "Biaya DOKU"],
            Account::Vat => ["VAT on fees", "PPN atas biaya"],
            Account::Discounts => ["Discounts", "Diskon"],
            Account::Shares => ["Shares of third parties", "Bagian pihak ketiga"],
            Account::WriteOff => ["Written off", "Dihapusbukukan"],
            Account::Rounding => ["Rounding", "Pembulatan"],
            Account::Elsewhere => ["Paid another way", "Dibayar lewat jalur lain"],
        })
    }

    /// What its owner has to do about open items of an account, or about those on its other side; of none, about alarms.
    pub(in crate::report) const fn task(&self, account: Option<Account>, is_reversed: bool) -> &'static str {
        self.said(match account {
            Some(Account::Doku) if is_reversed => ["Ask DOKU what it paid too much for", "Tanyakan kelebihan pencairan ke DOKU"],
            Some(Account::Suspense) if is_reversed => ["Find out why DOKU took money back", "Cari tahu mengapa DOKU menarik dana kembali"],
            None => ["Look into alarms", "Telusuri peringatan"],
            Some(Account::Receivable) => ["Collect what is owed and overdue", "Tagih yang belum dibayar dan lewat waktu"],
            Some(Account::Unproven) => ["Find out who paid what the ledger calls paid", "Cari bukti atas tagihan yang ditandai lunas"],
            Some(Account::Doku) => ["Ask DOKU to pay out", "Minta DOKU mencairkan"],
            Some(Account::Direct) => ["Look for direct receipts at the bank", "Cari penerimaan langsung di bank"],
            Some(Account::Clearing) => ["Explain what settlement batches leave open", "Jelaskan selisih batch setelmen"],
            Some(Account::Payouts) => ["Look for pay-outs in the bank", "Cari dana cair di bank"],
            Some(Account::Suspense) => ["Decide: apply, credit or refund", "Putuskan: terapkan, titipkan, atau kembalikan"],
            Some(Account::Deposits) => ["Use or refund customers' credits", "Gunakan atau kembalikan titipan nasabah"],
            Some(Account::RefundsDue) => ["Transfer refunds", "Transfer pengembalian"],
            Some(_) => ["Look at what is open", "Periksa yang terbuka"],
        })
    }

    /// Who acts.
    pub(in crate::report) const fn desk_name(&self, owner: Owner) -> &'static str {
        self.said(match owner {
            Owner::Collections => ["Collections", "Penagihan"],
            Owner::Finance => ["Finance", "Keuangan"],
            Owner::Settlement => ["Settlement desk", "Setelmen"],
            Owner::Treasury => ["Treasury", "Bendahara"],
            Owner::Security => ["Security", "Keamanan"],
            Owner::Issuing => ["Issuing of codes", "Penerbitan kode"],
            Owner::Nobody => ["Nobody", "Tidak ada"],
        })
    }

    /// What was decided.
    pub(in crate::report) const fn decided(&self, action: Action) -> &'static str {
        self.said(match action {
            Action::Apply => ["apply to a bill", "terapkan ke tagihan"],
            Action::Credit => ["credit to the customer", "titipkan untuk nasabah"],
            Action::Keep => ["keep", "ambil sebagai pendapatan"],
            Action::Refund => ["refund", "kembalikan"],
            Action::Transferred => ["refund transferred", "pengembalian ditransfer"],
            Action::Received => ["received", "sudah diterima"],
            Action::Waive => ["waive", "bebaskan"],
            Action::Lapse => ["lapse", "gugurkan"],
            Action::PaidElsewhere => ["paid another way", "dibayar lewat jalur lain"],
            Action::WriteOff => ["write off", "hapusbukukan"],
            Action::Explain => ["explain", "jelaskan"],
            Action::Unapply => ["take back from a bill", "batalkan penerapan"],
            Action::Correct => ["correct the amount", "koreksi nilai"],
            Action::Accept => ["accept as it is", "terima apa adanya"],
            Action::Reopen => ["take a decision back", "cabut keputusan"],
        })
    }

    /// What a row of the list for decisions may say.
    pub(in crate::report) const fn choice(&self, choice: Choice) -> &'static str {
        match choice {
            Choice::Action(register::DecidedAction::Books(action)) => self.decided(action),
            Choice::Action(register::DecidedAction::Investigate(_)) => self.said(["look into it", "periksa dulu"]),
            Choice::Reopen => self.decided(Action::Reopen),
            Choice::Approve => self.said(["approve", "setujui"]),
        }
    }

    /// Why a decision moved nothing.
    pub(in crate::report) const fn refused(&self, refusal: PostingRefusal) -> &'static str {
        self.said(match refusal {
            PostingRefusal::Unfit => ["not for this kind of item", "tidak berlaku untuk jenis rincian ini"],
            PostingRefusal::Target => ["it needs a target", "perlu sasaran"],
            PostingRefusal::Unknown => ["what it names is not known", "yang disebutnya tidak dikenal"],
            PostingRefusal::NothingOpen => ["nothing is open", "tidak ada yang terbuka"],
            PostingRefusal::TooMuch => ["less is open than it says", "yang terbuka lebih kecil"],
            PostingRefusal::TargetEmpty => ["nothing is open on its target", "tidak ada yang terbuka pada sasarannya"],
            PostingRefusal::TargetLess => ["less is open on its target than it says", "yang terbuka pada sasarannya lebih kecil"],
            PostingRefusal::MovedOn => ["the money has been moved on", "dananya sudah berpindah"],
            PostingRefusal::TakenBack => ["it was taken back already", "sudah dicabut"],
            PostingRefusal::Changed => ["another amount is open than was accepted", "saldo terbukanya sudah berbeda dari yang diterima"],
            PostingRefusal::Reference => ["it needs a reference", "perlu referensi"],
        })
    }

    /// What is to be done about an item.
    pub(in crate::report) const fn todo_name(&self, todo: Todo) -> &'static str {
        self.said(match todo {
            Todo::Now => ["to be done", "harus dikerjakan"],
            Todo::NotYet => ["not yet due", "belum jatuh tempo"],
            Todo::Decided => ["decided", "sudah diputuskan"],
        })
    }

    /// A line from what the ledger asks for to what is owed.
    pub(in crate::report) const fn tie_line(&self, line: TieLine) -> &'static str {
        match line {
            TieLine::Asked => self.tie_asked(),
            TieLine::Received => self.tie_received(),
            TieLine::TakenOff(off) => self.moved(off.movement()),
            TieLine::Differing => self.tie_differing(),
            TieLine::Unlisted => self.tie_unlisted(),
        }
    }

    /// Why rupiah moved.
    pub(in crate::report) const fn moved(&self, movement: Movement) -> &'static str {
        self.said(match movement {
            Movement::TakenOn => ["Taken on when the books began", "Diambil alih saat pembukuan dimulai"],
            Movement::Billed => ["Billed", "Ditagihkan"],
            Movement::AmendedUp => ["Amended to more", "Tagihan dinaikkan"],
            Movement::AmendedDown => ["Amended to less", "Tagihan diturunkan"],
            Movement::Restored => ["Paid after it was taken off", "Dibayar setelah dikeluarkan"],
            Movement::Reopened => ["Owed again", "Ditagih kembali"],
            Movement::Received => ["Paid", "Dibayar"],
            Movement::Applied => ["Applied to a bill", "Diterapkan ke tagihan"],
            Movement::Matched => ["Found its bill", "Ditemukan tagihannya"],
            Movement::MarkedPaid => ["Marked paid in the billing data", "Ditandai lunas pada data tagihan"],
            Movement::PaidElsewhere => ["Paid another way", "Dibayar lewat jalur lain"],
            Movement::Cancelled => ["Cancelled", "Dibatalkan"],
            Movement::Lapsed => ["Lapsed", "Gugur"],
            Movement::Waived => ["Waived", "Dibebaskan"],
            Movement::WrittenOff => ["Written off", "Dihapusbukukan"],
            Movement::Rounded => ["Rounded", "Dibulatkan"],
            Movement::Unapplied => ["Applied money to go back", "Penerapan dibatalkan"],
            Movement::Returned => ["Given up by its bill", "Dilepas dari tagihannya"],
            Movement::Notified => ["Payments notified", "Pembayaran diberitahukan"],
            Movement::Corrected => ["Amount put right", "Nilai dikoreksi"],
            Movement::Settled => ["Settled", "Setelmen"],
            Movement::Unsettled => ["Settled, never notified", "Setelmen tanpa notifikasi"],
            Movement::Held => ["Held for a decision", "Ditahan menunggu keputusan"],
            Movement::Excess => ["More than was owed", "Kelebihan bayar"],
            Movement::Credited => ["Credited to the customer", "Dititipkan untuk nasabah"],
            Movement::RefundDecided => ["Refund decided", "Pengembalian diputuskan"],
            Movement::Kept => ["Kept", "Diambil sebagai pendapatan"],
            Movement::Transferred => ["Refund transferred", "Pengembalian ditransfer"],
            Movement::TakenBack => ["Taken back by DOKU", "Ditarik kembali DOKU"],
            Movement::OtherProduct => ["Other products", "Produk lain"],
            Movement::PaidOut => ["Paid out by DOKU", "Dicairkan DOKU"],
            Movement::Shared => ["Paid to third parties", "Dibayar ke pihak ketiga"],
            Movement::Explained => ["Explained", "Dijelaskan"],
            Movement::Banked => ["Arrived at the bank", "Masuk bank"],
            Movement::Reversed => ["Decision taken back", "Keputusan dicabut"],
        })
    }
}

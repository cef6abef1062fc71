//! What can be said of a line that got no further: an enum of one byte, because evidence holds millions of lines.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::language::{Language, Say, say};

macro_rules! details {
    ($($name:ident $english:literal, $indonesian:literal;)*) => {
        /// Why a line got no further, or what was left out of it. Of several that are equally common the later one here is told.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Detail {
            $(#[doc = $english] $name,)*
            /// A field is missing or unusable.
            Field(Field),
        }

        #[cfg(test)]
        impl Detail {
            /// Every one, with one of the fields.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)* Self::Field(Field::Amount)];
        }

        impl Say for Detail {
            fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name => to.write_str(match language {
                        Language::English => $english,
                        Language::Indonesian => $indonesian,
                    }),)*
                    Self::Field(field) => {
                        say!(to, language, "`{field}` is missing or unusable", "`{field}` tidak ada atau tidak dapat dipakai")
                    }
                }
            }
        }
    };
}

// Name; in English, in Bahasa Indonesia.
details! {
    TooLong "the line is longer than 1 MiB", "baris lebih panjang dari 1 MiB";
    NotUtf8 "the line is not UTF-8", "baris bukan UTF-8";
    NotAnObject "the line is not a JSON object", "baris bukan objek JSON";
    NoBody "there is no body", "tidak ada isi";
    ForeignClient "`Client-Id` is not ours", "`Client-Id` bukan milik kita";
    ClientIdMissing "`Client-Id` is missing", "`Client-Id` tidak ada";
    RequestIdMissing "`Request-Id` is missing", "`Request-Id` tidak ada";
    RequestTimestampMissing "`Request-Timestamp` is missing", "`Request-Timestamp` tidak ada";
    SignatureMissing "`Signature` is missing", "`Signature` tidak ada";
    TargetMissing "the target is missing", "tujuan tidak ada";
    NoKey "no key is configured", "tidak ada kunci yang diatur";
    Bare "the body stands without headers", "isi tanpa kepala pesan";
    BodyAsJson
        "the body is an object, not the text that was signed: log the bytes as they were received",
        "isi berupa objek, bukan teks yang ditandatangani: catat bita persis seperti yang diterima";
    Forged "the signature does not match the bytes received", "tanda tangan tidak cocok dengan bita yang diterima";
    Rewritten
        "the signature does not match the bytes received; they may have been written anew by a database that keeps JSON as JSON (jsonb)",
        "tanda tangan tidak cocok dengan bita yang diterima; mungkin ditulis ulang oleh basis data yang menyimpan JSON sebagai JSON (jsonb)";
    Withdrawn
        "the key that signed it was not believed any more when it arrived, or at a time that it tells of",
        "kunci yang menandatanganinya sudah tidak dipercaya saat pesan tiba, atau pada waktu yang disebutnya";
    StrayQuote
        "a double quote of the row is open or stands inside a cell: double every quote in a quoted cell",
        "tanda kutip ganda pada baris ini terbuka atau berdiri di tengah sel: gandakan setiap tanda kutip dalam sel berkutip";
    Backslashes
        "the row escapes its quotes with backslashes: export it with every quote doubled, as in \"{\"\"service\"\": …\"",
        "baris ini menandai tanda kutip dengan garis miring terbalik: ekspor dengan tanda kutip yang digandakan, seperti \"{\"\"service\"\": …\"";
    Unquoted
        "the body holds the delimiter and is not quoted: quote every cell on export",
        "isi memuat pemisah dan tidak diapit tanda kutip: apit setiap sel dengan tanda kutip saat mengekspor";
    Width "the row has another number of cells than the header", "jumlah sel baris ini berbeda dari kepala tabel";
    Unclaimed "the row stands above the header of its table", "baris ini berdiri di atas kepala tabelnya";
    HeadersUnreadable
        "`headers` is neither a JSON object nor lines of `Name: value`",
        "`headers` bukan objek JSON dan bukan baris `Nama: nilai`";
    BodyCut
        "the body was cut off at 32,767 characters, as a spreadsheet does: export it without one",
        "isi terpotong pada 32.767 karakter, seperti dilakukan lembar kerja: ekspor tanpa lembar kerja";
    IdAsNumber
        "an id is stored as a number, which a spreadsheet rounds: keep it as text",
        "sebuah pengenal tersimpan sebagai angka, yang dibulatkan lembar kerja: simpan sebagai teks";
    ArrivalWithoutOffset
        "`received_at` is a time without an offset: set `notifications.received_at_offset`, such as \"+07:00\" for WIB",
        "`received_at` adalah waktu tanpa selisih zona: atur `notifications.received_at_offset`, misalnya \"+07:00\" untuk WIB";
    ArrivalInOtherFormat
        "`received_at` is no time as 2026-10-31T17:00:00+07:00: set `notifications.date_format`",
        "`received_at` bukan waktu seperti 2026-10-31T17:00:00+07:00: atur `notifications.date_format`";
    ArrivalUnreadable
        "`received_at` is no time that can be read, such as 2026-10-31T17:00:00+07:00",
        "`received_at` bukan waktu yang terbaca, seperti 2026-10-31T17:00:00+07:00";
}

// Evidence holds one of them a line.
const _: () = assert!(size_of::<Option<Detail>>() == 1, "a detail takes one byte");

/// A field of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Field {
    /// The whole body.
    #[serde(rename = "body")]
    Body,
    /// `service.id`.
    #[serde(rename = "service.id")]
    ServiceId,
    /// `acquirer.id`.
    #[serde(rename = "acquirer.id")]
    AcquirerId,
    /// `channel.id`.
    #[serde(rename = "channel.id")]
    ChannelId,
    /// `transaction.status`.
    #[serde(rename = "transaction.status")]
    TransactionStatus,
    /// `transaction.date`.
    #[serde(rename = "transaction.date")]
    TransactionDate,
    /// `order.invoice_number`.
    #[serde(rename = "order.invoice_number")]
    InvoiceNumber,
    /// `order.amount`.
    #[serde(rename = "order.amount")]
    Amount,
    /// `order.currency`.
    #[serde(rename = "order.currency")]
    Currency,
    /// `online_to_offline_info.payment_code`.
    #[serde(rename = "online_to_offline_info.payment_code")]
    PaymentCode,
    /// `online_to_offline_payment.identifier`.
    #[serde(rename = "online_to_offline_payment.identifier")]
    Identifier,
}

impl Field {
    /// Where it stands in a body.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::ServiceId => "service.id",
            Self::AcquirerId => "acquirer.id",
            Self::ChannelId => "channel.id",
            Self::TransactionStatus => "transaction.status",
            Self::TransactionDate => "transaction.date",
            Self::InvoiceNumber => "order.invoice_number",
            Self::Amount => "order.amount",
            Self::Currency => "order.currency",
            Self::PaymentCode => "online_to_offline_info.payment_code",
            Self::Identifier => "online_to_offline_payment.identifier",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// In English.
impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say(Language::English, f)
    }
}

//! Why a row of an external ledger (L10) or of a settlement report (S10) cannot be used.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::record::Wrong;
use crate::domain::amount::{Amount, AmountError};
use crate::domain::formats::{AmountFormat, DateFormat, Separators};
use crate::domain::ids::{IdError, quoted};
use crate::domain::language::{Language, Say, say};

/// Where in a row, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    /// The column at fault; `row` where it is the whole row.
    pub column: Cow<'static, str>,
    /// What is wrong with it.
    pub fault: CellFault,
}

impl Say for RowFault {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}", self.column, self.fault.told(language))
    }
}

/// What is wrong with a cell, or with the whole row. Texts are as [`shown`](crate::domain::personal::shown) lets them be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellFault {
    /// The row is none.
    Row(Wrong),
    /// It is not UTF-8.
    NotUtf8(ForeignByte),
    /// It is empty.
    Empty,
    /// It is no id.
    Id(IdError),
    /// It is no amount.
    Amount(AmountFault),
    /// It is no date or time.
    Date(DateFault),
    /// It is none of the words that its column may hold.
    Word(WordFault),
    /// What a spreadsheet did to it.
    Spoilt(Spoilt),
    /// Neither an invoice number nor a code names what the row is about.
    Nameless,
}

/// In English.
impl fmt::Display for CellFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say(Language::English, f)
    }
}

impl Say for CellFault {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(wrong) => wrong.say(language, to),
            Self::NotUtf8(byte) => byte.say(language, to),
            Self::Empty => IdError::Empty.say(language, to),
            Self::Id(error) => error.say(language, to),
            Self::Amount(fault) => fault.say(language, to),
            Self::Date(fault) => fault.say(language, to),
            Self::Word(fault) => fault.say(language, to),
            Self::Spoilt(spoilt) => spoilt.say(language, to),
            Self::Nameless => say!(to, language, "it is empty, and so are the codes", "kosong, begitu pula kodenya"),
        }
    }
}

/// The first byte of a text that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ForeignByte(u8);

impl ForeignByte {
    /// Of `bytes` that are not UTF-8.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let at = str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
        Self(bytes.get(at).copied().unwrap_or_default())
    }
}

impl Say for ForeignByte {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (byte, encoding) = (self.0, Encoding::of(self.0));
        let encoding = encoding.told(language);
        say!(to, language, "it is not UTF-8: byte {byte:#04x}, probably {encoding}", "bukan UTF-8: bita {byte:#04x}, mungkin {encoding}")
    }
}

/// In English.
impl fmt::Display for ForeignByte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say(Language::English, f)
    }
}

/// What a byte that is not UTF-8 is probably from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Only this one has something there: quotes and dashes.
    Windows1252,
    /// Either of the two.
    Windows1252OrLatin1,
    /// None.
    Damaged,
}

impl Encoding {
    /// That of `byte`.
    #[must_use]
    pub const fn of(byte: u8) -> Self {
        match byte {
            0x80..=0x9f => Self::Windows1252,
            0xa0.. => Self::Windows1252OrLatin1,
            _ => Self::Damaged,
        }
    }
}

impl Say for Encoding {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Windows1252 => {
                say!(to, language, "Windows-1252 (an older Windows spreadsheet)", "Windows-1252 (lembar kerja Windows lama)")
            }
            Self::Windows1252OrLatin1 => say!(
                to,
                language,
                "Windows-1252 or Latin-1 (an older Windows spreadsheet)",
                "Windows-1252 atau Latin-1 (lembar kerja Windows lama)"
            ),
            Self::Damaged => say!(to, language, "a damaged file", "berkas yang rusak"),
        }
    }
}

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountFault {
    /// Its separators are none of its format.
    Separators(Separators),
    /// It is none that a bill may ask for.
    NotDue {
        /// What is wrong.
        error: AmountError,
        /// The format it may be written in.
        fits: Option<AmountFormat>,
    },
    /// It is no integer.
    NoInteger {
        /// What stands there.
        text: String,
        /// The format it may be written in.
        fits: Option<AmountFormat>,
    },
    /// It is a number of a workbook with a fraction.
    Fraction(String),
    /// Nobody can have paid so much or so little.
    OutOfBounds(i64),
}

impl Say for AmountFault {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Separators(separators) => separators.say(language, to),
            Self::NotDue { error, fits } => {
                error.say(language, to)?;
                cure(fits.as_ref(), language, to)
            }
            Self::NoInteger { text, fits } => {
                say!(
                    to,
                    language,
                    "`{text}` is no plain integer: no separators, decimals or currency, at most 15 digits",
                    "`{text}` bukan bilangan bulat polos: tanpa pemisah, desimal, atau mata uang, paling banyak 15 angka"
                )?;
                cure(fits.as_ref(), language, to)
            }
            Self::Fraction(number) => say!(to, language, "`{number}` is no whole number", "`{number}` bukan bilangan bulat"),
            Self::OutOfBounds(amount) => {
                let max = Amount::MAX;
                say!(to, language, "`{amount}` is not between 1 and {max}", "`{amount}` tidak di antara 1 dan {max}")
            }
        }
    }
}

/// The setting that would read what is written so, as the end of a sentence.
fn cure(fits: Option<&impl Say>, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
    fits.map_or(Ok(()), |format| format.say(language, to))
}

impl Say for AmountError {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => say!(to, language, "{self}", "jumlahnya kosong"),
            Self::NotDigits => {
                say!(to, language, "{self}", "jumlah harus berupa angka saja: tanpa pemisah, desimal, tanda, atau mata uang")
            }
            Self::Zero => say!(to, language, "{self}", "jumlah harus lebih dari nol"),
            Self::TooLarge => say!(to, language, "{self}", "jumlah lebih dari 12 angka"),
        }
    }
}

impl Say for IdError {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => say!(to, language, "{self}", "kosong"),
            Self::TooLong { length, length_max } => {
                say!(to, language, "{self}", "memiliki {length} karakter, paling banyak {length_max}")
            }
            Self::Character(wrong) => {
                let wrong = quoted(*wrong);
                say!(to, language, "{self}", "memuat karakter yang tidak diizinkan: {wrong}")
            }
        }
    }
}

/// Why a text is no date or time, or one is lacking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFault {
    /// It is no date as `2026-10-05`.
    NoDate {
        /// What stands there.
        text: String,
        /// The format it may be written in.
        fits: Option<DateFormat>,
    },
    /// It is no date as DOKU writes one: `05-03-2026`.
    NoDateOfDoku(String),
    /// It is no time.
    NoTime {
        /// What stands there.
        text: String,
        /// The format its date may be written in.
        fits: Option<DateFormat>,
    },
    /// A bill was cancelled, and nothing says when.
    Cancelled,
    /// A bill has expired, and nothing says when.
    Expired,
}

impl Say for DateFault {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDate { text, fits } => {
                say!(to, language, "`{text}` is no date: write 2026-10-05", "`{text}` bukan tanggal: tulis 2026-10-05")?;
                cure(fits.as_ref(), language, to)
            }
            Self::NoDateOfDoku(text) => {
                say!(to, language, "`{text}` is no date: write 05-03-2026", "`{text}` bukan tanggal: tulis 05-03-2026")
            }
            Self::NoTime { text, fits } => {
                say!(
                    to,
                    language,
                    "`{text}` is no time: write 2026-10-05T12:00:00+07:00",
                    "`{text}` bukan waktu: tulis 2026-10-05T12:00:00+07:00"
                )?;
                cure(fits.as_ref(), language, to)
            }
            Self::Cancelled => {
                say!(to, language, "it is empty, but the status is CANCELLED", "kosong, padahal statusnya CANCELLED")
            }
            Self::Expired => say!(to, language, "it is empty, but the status is EXPIRED", "kosong, padahal statusnya EXPIRED"),
        }
    }
}

/// Which words a column may hold; what stands there is none of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordFault {
    /// A channel.
    Channel(String),
    /// A status.
    Status(String),
    /// Yes or no.
    YesOrNo(String),
}

impl Say for WordFault {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(text) => {
                say!(to, language, "`{text}` is no channel: alfa or indomaret", "`{text}` bukan kanal: alfa atau indomaret")
            }
            Self::Status(text) => say!(
                to,
                language,
                "`{text}` is none of ACTIVE, PAID, CANCELLED, EXPIRED",
                "`{text}` bukan salah satu dari ACTIVE, PAID, CANCELLED, EXPIRED"
            ),
            Self::YesOrNo(text) => say!(to, language, "`{text}` is neither true nor false", "`{text}` bukan true maupun false"),
        }
    }
}

/// What a spreadsheet did to a number that identifies something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoilt {
    /// It put an apostrophe before it.
    Apostrophe,
    /// It keeps it as a number, without zeros in front.
    Number,
    /// It keeps it as a number of more digits than numbers have there.
    LongNumber,
}

impl Say for Spoilt {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apostrophe => say!(
                to,
                language,
                "it begins with an apostrophe, which a spreadsheet puts before a number",
                "diawali apostrof, yang ditaruh lembar kerja di depan angka"
            ),
            Self::Number => say!(
                to,
                language,
                "it is stored as a number, so zeros in front and digits after the 15th are lost: store it as text",
                "tersimpan sebagai angka, sehingga nol di depan dan angka sesudah yang ke-15 hilang: simpan sebagai teks"
            ),
            Self::LongNumber => say!(
                to,
                language,
                "it is stored as a number of more than 15 digits, and spreadsheets replace the digits after those by zeros: store it as text",
                "disimpan sebagai bilangan lebih dari 15 angka, dan lembar kerja mengganti angka sesudahnya dengan nol: simpan sebagai teks"
            ),
        }
    }
}

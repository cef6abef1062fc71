//! How cells look, by what they hold.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

use super::super::document::{CellKind, Mood};

/// Ink of headings.
const INK: u32 = 0x1F_2A_37;
/// Notes and labels.
const GREY: u32 = 0x5B_64_72;
/// Lines of tables.
const RULE: u32 = 0xC9_CE_D6;
/// Behind column headings.
const HEAD: u32 = 0xEE_F1_F5;

/// Whole rupiah, as Indonesia writes them.
pub(super) const RUPIAH: &str = "[$Rp-421]#,##0;-[$Rp-421]#,##0";

/// The number formats of each kind, in the body and in totals.
pub(super) struct Styles {
    pub(super) title: Format,
    pub(super) note: Format,
    pub(super) caption: Format,
    pub(super) label: Format,
    pub(super) value: Format,
    pub(super) line: Format,
    head_left: Format,
    head_right: Format,
    body: [Format; 8],
    wrapped: Format,
    totals: [Format; 8],
}

const KINDS: [CellKind; 8] = [
    CellKind::Text,
    CellKind::Code,
    CellKind::Count,
    CellKind::Rupiah,
    CellKind::Difference,
    CellKind::Date,
    CellKind::Instant,
    CellKind::Percent,
];

impl Styles {
    pub(super) fn new() -> Self {
        let plain = || Format::new().set_font_name("Calibri").set_font_size(10).set_align(FormatAlign::Top);
        let head = || {
            plain()
                .set_bold()
                .set_font_color(INK)
                .set_background_color(HEAD)
                .set_border_bottom(FormatBorder::Thin)
                .set_border_bottom_color(GREY)
                .set_text_wrap()
                .set_align(FormatAlign::VerticalCenter)
        };
        let body = KINDS.map(|kind| numbered(plain(), kind));
        let totals =
            KINDS.map(|kind| numbered(plain(), kind).set_bold().set_border_top(FormatBorder::Thin).set_border_bottom(FormatBorder::Double));
        Self {
            title: plain().set_bold().set_font_size(16).set_font_color(INK),
            note: plain().set_font_color(GREY).set_text_wrap().set_align(FormatAlign::Top),
            caption: plain().set_bold().set_font_size(12).set_font_color(INK),
            label: plain().set_font_color(GREY).set_indent(1).set_align(FormatAlign::Top),
            value: plain().set_text_wrap().set_align(FormatAlign::Left).set_align(FormatAlign::Top),
            line: plain().set_border_bottom(FormatBorder::Thin).set_border_bottom_color(RULE),
            head_left: head().set_align(FormatAlign::Left).set_indent(1),
            head_right: head().set_align(FormatAlign::Right),
            wrapped: plain().set_indent(1).set_text_wrap().set_align(FormatAlign::Top),
            body,
            totals,
        }
    }

    pub(super) const fn head(&self, kind: CellKind) -> &Format {
        if kind.is_number() { &self.head_right } else { &self.head_left }
    }

    pub(super) fn body(&self, kind: CellKind) -> &Format {
        of(&self.body, kind)
    }

    /// Words that may take several lines: not where there are many rows, each of which would have to be measured on opening.
    pub(super) const fn wrapped(&self) -> &Format {
        &self.wrapped
    }

    pub(super) fn totals(&self, kind: CellKind) -> &Format {
        of(&self.totals, kind)
    }

    /// A sentence or figure that is good or bad news.
    pub(super) fn mood(&self, mood: Mood) -> Format {
        let (ink, ground) = match mood {
            Mood::Good => (0x1B_5E_3F, 0xE7_F3_EC),
            Mood::Waiting => (0x7A_54_06, 0xFB_F2_DF),
            Mood::Bad => (0x8E_1B_1B, 0xFB_E9_E7),
        };
        self.value.clone().set_bold().set_font_size(11).set_font_color(Color::RGB(ink)).set_background_color(Color::RGB(ground))
    }
}

fn of(formats: &[Format; 8], kind: CellKind) -> &Format {
    let [text, code, count, rupiah, difference, date, instant, percent] = formats;
    match kind {
        CellKind::Text => text,
        CellKind::Code => code,
        CellKind::Count => count,
        CellKind::Rupiah => rupiah,
        CellKind::Difference => difference,
        CellKind::Date => date,
        CellKind::Instant => instant,
        CellKind::Percent => percent,
    }
}

fn numbered(format: Format, kind: CellKind) -> Format {
    match kind {
        CellKind::Text => format.set_indent(1),
        // The text format keeps leading zeros also after a cell was edited.
        CellKind::Code => format.set_num_format("@").set_indent(1),
        CellKind::Count => format.set_num_format("#,##0"),
        CellKind::Rupiah => format.set_num_format(RUPIAH),
        CellKind::Difference => format.set_num_format("+[$Rp-421]#,##0;[Red]-[$Rp-421]#,##0;[$Rp-421]0"),
        CellKind::Date => format.set_num_format("dd mmm yyyy").set_align(FormatAlign::Left).set_indent(1),
        CellKind::Instant => format.set_num_format("dd mmm yyyy hh:mm:ss").set_align(FormatAlign::Left).set_indent(1),
        CellKind::Percent => format.set_num_format("0.00%"),
    }
}

/// The widest a column of this kind may be, in characters.
pub(super) const fn width_max(kind: CellKind) -> u16 {
    match kind {
        CellKind::Text => 60,
        CellKind::Code => 42,
        CellKind::Count | CellKind::Percent => 16,
        CellKind::Rupiah | CellKind::Difference => 24,
        CellKind::Date => 14,
        CellKind::Instant => 21,
    }
}

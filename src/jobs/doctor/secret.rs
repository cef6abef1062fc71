//! The secret: who may read it, and whether it is what was meant. The secret itself is never here, only what is odd about it.

use jiff::Timestamp;

use super::finding::{Check, DoctorFinding};

/// What is odd about the bytes of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretOddity {
    /// There are none but a line end.
    Empty,
    /// They begin with a byte order mark, which an editor has put there.
    ByteOrderMark,
    /// They end with CR LF, as Windows writes lines; the reader drops both.
    WindowsLineEnd,
    /// A line end is in them beside the one at the end, which is dropped.
    LineEnd,
    /// Blanks or tabs are around them.
    Blanks,
    /// Quotation marks are around them.
    Quotes,
    /// They are no text in UTF-8, or hold control characters.
    NoText,
}

impl SecretOddity {
    /// Whether signatures may be right all the same.
    const fn is_harmless(self) -> bool {
        matches!(self, Self::WindowsLineEnd)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::ByteOrderMark => "begins with a byte order mark (BOM), which counts as part of the key",
            Self::WindowsLineEnd => "ends with CR LF, as Windows writes lines; both are dropped",
            Self::LineEnd => "holds a line end (LF or CR) beside the one that is dropped",
            Self::Blanks => "has blanks around it, which count as part of the key",
            Self::Quotes => "stands in quotation marks, which count as part of the key",
            Self::NoText => "is no plain text",
        }
    }
}

/// What is odd about a secret as it lies in its file.
#[must_use]
pub fn oddities(bytes: &[u8]) -> Vec<SecretOddity> {
    let (marked, bytes) = bytes.strip_prefix(b"\xef\xbb\xbf").map_or((false, bytes), |rest| (true, rest));
    let line = bytes.strip_suffix(b"\n").map_or(bytes, |line| line.strip_suffix(b"\r").unwrap_or(line));
    let is_line_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_quote = |byte: Option<&u8>| matches!(byte, Some(b'"' | b'\''));
    let is_odd = |byte: &u8| byte.is_ascii_control() && !is_line_end(byte) && *byte != b'\t';
    let found = [
        (marked, SecretOddity::ByteOrderMark),
        (line.is_empty(), SecretOddity::Empty),
        (bytes.ends_with(b"\r\n"), SecretOddity::WindowsLineEnd),
        (line.iter().any(is_line_end), SecretOddity::LineEnd),
        (is_blank(line.first()) || is_blank(line.last()), SecretOddity::Blanks),
        (line.len() > 1 && is_quote(line.first()) && line.first() == line.last(), SecretOddity::Quotes),
        (std::str::from_utf8(line).is_err() || line.iter().any(is_odd), SecretOddity::NoText),
    ];
    found.into_iter().filter(|(holds, _)| *holds).map(|(_, oddity)| oddity).collect()
}

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nowhere: no source has one.
    Nowhere,
    /// In an environment variable.
    Variable(&'static str),
    /// In a file, with its mode and its owner's number.
    File {
        /// Which.
        path: String,
        /// Its permission bits.
        mode: u32,
        /// Whose it is.
        owner_id: u32,
    },
    /// Where a command finds it that prints it.
    Command(String),
    /// In a credential that systemd handed over and guards.
    Credential(String),
}

/// A secret as it was found.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The setting that speaks of it.
    pub setting: &'static str,
    /// Where it is kept.
    pub kept: Kept,
    /// What is odd about it, or why it cannot be read.
    pub shape: Result<Vec<SecretOddity>, String>,
    /// From when on its key is not believed, if a person has said so.
    pub revoked_after: Option<Timestamp>,
}

pub(super) fn examine(secret: &Secret, user_id: u32) -> Vec<DoctorFinding> {
    let setting = secret.setting;
    let place = match &secret.kept {
        Kept::Nowhere => {
            let remedy = "set `doku.secret_file`, `doku.secret_command`, TAGIH_DOKU_SECRET, or a systemd credential named `doku_secret`";
            return vec![DoctorFinding::error(Check::Secret, "there is none", remedy)];
        }
        Kept::Variable(name) => format!("the environment variable {name}"),
        Kept::File { path, .. } => format!("`{path}` (`{setting}`)"),
        Kept::Command(program) => format!("what `{program}` prints (`{setting}`)"),
        Kept::Credential(path) => format!("the credential `{path}`"),
    };
    let mut findings = permissions(secret, &place, user_id);
    // Of the previous key it is what was wanted.
    if let Some(after) = secret.revoked_after.filter(|_| setting != "doku.secret_file_previous") {
        let found = format!(
            "the key of {place} is revoked: what arrived after {after} and is signed by it is not believed, and nothing is sent with it"
        );
        findings.push(DoctorFinding::error(
            Check::Secret,
            found,
            "put the new key in its place (docs/operating.md, \"Changing the secret\"); `tagih keys list` says who revoked it",
        ));
    }
    match &secret.shape {
        Err(reason) => findings.push(DoctorFinding::error(
            Check::Secret,
            format!("{place} cannot be read: {reason}"),
            "check the path, and that the user of the service may read it",
        )),
        Ok(oddities) => findings.extend(oddities.iter().map(|oddity| {
            let found = format!("{place} {}", oddity.words());
            let remedy = "write the key anew, and nothing else: `printf %s KEY > FILE`";
            if oddity.is_harmless() {
                DoctorFinding::warning(Check::Secret, found, remedy)
            } else {
                DoctorFinding::error(Check::Secret, found, remedy)
            }
        })),
    }
    if findings.is_empty() { vec![DoctorFinding::ok(Check::Secret, format!("{place} is well-formed"))] } else { findings }
}

fn permissions(secret: &Secret, place: &str, user_id: u32) -> Vec<DoctorFinding> {
    let Kept::File { path, mode, owner_id } = &secret.kept else { return Vec::new() };
    let mut findings = Vec::new();
    if mode & 0o077 != 0 {
        let found = format!("{place} has mode {mode:03o}, so others can read it, and it is refused");
        findings.push(DoctorFinding::error(
            Check::Secret,
            found,
            format!("run `chmod 600 {path}`; if others may have read it, have it replaced"),
        ));
    }
    if *owner_id != user_id && user_id != 0 {
        let found = format!("{place} belongs to user {owner_id}, and this is user {user_id}");
        findings.push(DoctorFinding::warning(Check::Secret, found, "give it to the user of the service, who else may change it"));
    }
    findings
}

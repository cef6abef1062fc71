//! `tagih init`: a commented configuration file to start from.

use std::io::Write as _;
use std::path::Path;

use super::failure::{Failure, NAME};
use super::output;
use super::sandbox;
use crate::config;
use crate::exit::Exit;
use crate::private;

/// The client of a configuration for the sandbox; it takes any.
const SANDBOX_CLIENT: &str = "MCH-0001-SANDBOX";
/// The file with the secret key it is signed with, beside the configuration.
const SANDBOX_SECRET_FILE: &str = "sandbox-secret";

/// Writes `file`; for the sandbox with everything it needs.
pub(super) fn init(file: &Path, for_sandbox: bool) -> Result<Exit, Failure> {
    let mut text = config::DEFAULT.to_owned();
    if for_sandbox {
        let base_url = format!("http://{}", sandbox::LISTEN);
        for (key, value) in [("base_url", base_url.as_str()), ("client_id", SANDBOX_CLIENT), ("secret_file", SANDBOX_SECRET_FILE)] {
            text = set(&text, key, value)?;
        }
        let secret = file.with_file_name(SANDBOX_SECRET_FILE);
        let mut created = private::create_new(&secret, 0o600).map_err(|error| refused(&secret, &error))?;
        created.write_all(b"SK-sandbox-not-a-secret\n")?;
    }
    let mut created = private::create_new(file, 0o666).map_err(|error| refused(file, &error))?;
    created.write_all(text.as_bytes())?;
    let shown = file.display();
    // Only this name is found without being named, and only in the working folder.
    let named = if file == Path::new(NAME) { String::new() } else { format!("; name it with `--config {shown}` or TAGIH_CONFIG") };
    output::done(if for_sandbox {
        format!("wrote {shown}, ready for `tagih sandbox` with its default address{named}")
    } else {
        format!(
            "wrote {shown}; set `doku.client_id` and `doku.environment` with its `doku.base_url` in it, and where the secret key is: \
             `doku.secret_file`, TAGIH_DOKU_SECRET or a systemd credential{named}"
        )
    });
    Ok(Exit::Done)
}

fn refused(file: &Path, error: &std::io::Error) -> Failure {
    let hint = if error.kind() == std::io::ErrorKind::AlreadyExists {
        "an existing file is never overwritten; name another"
    } else {
        "check that the folder exists and may be written"
    };
    Failure::usage(format!("`{}` cannot be created: {error}\nhint: {hint}", file.display()))
}

/// `text` with the first setting called `key`.
fn set(text: &str, key: &str, value: &str) -> Result<String, Failure> {
    let start = format!("\n{key} = ");
    let at = text.find(&start).ok_or_else(|| Failure::usage(format!("the built-in configuration has no `{key}`")))?;
    let (before, rest) = text.split_at(at.saturating_add(start.len()));
    let after = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
    Ok(format!("{before}\"{value}\"{after}"))
}

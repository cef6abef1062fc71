//! Where the secrets are kept and what is odd about them. What they are is forgotten here.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::cli::keys::command;
use crate::cli::setup::Setup;
use crate::jobs::doctor::{Kept, Secret, oddities};
use crate::private;

/// In the order they are looked for; see [`crate::secret::load`].
pub(super) fn of(setup: &Setup) -> Vec<Secret> {
    let doku = &setup.config.doku;
    let variable = std::env::var_os("TAGIH_DOKU_SECRET").filter(|value| !value.is_empty());
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join("doku_secret"));
    let present = if let Some(value) = variable {
        let kept = Kept::Variable("TAGIH_DOKU_SECRET");
        Secret { setting: "doku.secret_file", kept, shape: Ok(oddities(value.as_encoded_bytes())), revoked_after: None }
    } else if !doku.secret_file.is_empty() {
        file("doku.secret_file", Path::new(&doku.secret_file))
    } else if let Some(command) = command(doku) {
        let shape = command.run().map(|printed| oddities(&printed));
        Secret { setting: "doku.secret_command", kept: Kept::Command(command.program().to_owned()), shape, revoked_after: None }
    } else if let Some(path) = credential.filter(|path| path.exists()) {
        Secret { setting: "doku.secret_file", kept: Kept::Credential(path.display().to_string()), shape: shape(&path), revoked_after: None }
    } else {
        Secret { setting: "doku.secret_file", kept: Kept::Nowhere, shape: Ok(Vec::new()), revoked_after: None }
    };
    let previous = Some(&doku.secret_file_previous).filter(|path| !path.is_empty());
    std::iter::once(present).chain(previous.map(|path| file("doku.secret_file_previous", Path::new(path)))).collect()
}

fn file(setting: &'static str, path: &Path) -> Secret {
    // A file that is not there has no mode to complain of.
    let (mode, owner_id) = fs::metadata(path).map_or((0o600, crate::private::account()), |of| (of.permissions().mode() & 0o777, of.uid()));
    Secret { setting, kept: Kept::File { path: path.display().to_string(), mode, owner_id }, shape: shape(path), revoked_after: None }
}

fn shape(path: &Path) -> Result<Vec<crate::jobs::doctor::SecretOddity>, String> {
    private::whole(path).map(|bytes| oddities(&bytes)).map_err(|error| error.to_string())
}

/// What a ledger that can be asked says of the keys, in their order.
pub(super) fn said(setup: &Setup, secrets: Vec<Secret>) -> Vec<Secret> {
    let Ok(keys) = setup.verification_keys() else { return secrets };
    let revoked = |place: usize| keys.get(place).and_then(|key| keys.revoked().after(&key.fingerprint()));
    secrets.into_iter().enumerate().map(|(place, secret)| Secret { revoked_after: revoked(place), ..secret }).collect()
}

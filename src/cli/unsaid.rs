//! What is told to [`crate::secret::unsaid`]: whatever somebody has configured, from wherever it is.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{self, SECRET_VARIABLES};
use crate::domain::keylike;
use crate::secret::unsaid;

/// No key is repeated that stands in a variable of ours, or is DOKU's and stands among the arguments.
pub(super) fn begin() {
    let is_ours = |name: &str| name.starts_with("TAGIH_") && !SECRET_VARIABLES.contains(&name);
    let variables = std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_ours));
    let variables = variables.map(|(_, value)| value.to_string_lossy().into_owned());
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    configured(variables.chain(arguments.filter(|argument| keylike::has_dokus(argument))));
}

/// No key is repeated that stands in a configuration file, if there is one, with this text.
pub(super) fn file(text: Option<&str>) {
    configured(text.into_iter().flat_map(config::texts));
}

fn configured(texts: impl IntoIterator<Item = String>) {
    unsaid::configured(texts.into_iter().map(|text| beyond_what_is_there(&text)));
    for secret in SECRET_VARIABLES.into_iter().filter_map(|name| std::env::var(name).ok()).map(SecretString::from) {
        unsaid::known(secret.expose_secret());
    }
}

/// Of a path what does not exist: no key has a file or a folder of its name, and folders of some systems look like keys.
fn beyond_what_is_there(text: &str) -> String {
    let there = Path::new(text).ancestors().find(|above| !above.as_os_str().is_empty() && above.exists());
    let beyond = there.and_then(|there| Path::new(text).strip_prefix(there).ok());
    beyond.map_or_else(|| text.to_owned(), |beyond| beyond.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_there_is_no_key_and_what_it_does_not_have_may_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("8fdff8f41d3d4436e1a8ac128c2d9edb");
        std::fs::create_dir(&there).unwrap();
        let beyond = |path: &Path| beyond_what_is_there(&path.display().to_string());
        assert_eq!(beyond(&there.join("ledger")), "ledger");
        assert_eq!(beyond(&there.join("a/b")), "a/b");
        assert_eq!(beyond(&folder.path().join("c2d9edb8fdff8f41d3d4436e1a8ac128")), "c2d9edb8fdff8f41d3d4436e1a8ac128");
        for text in ["Ab3dEfGh1jKlMn0pQrStUv", "https://hc.example/Ab3dEfGh1jKlMn0pQrStUv", ""] {
            assert_eq!(beyond_what_is_there(text), text);
        }
    }
}

//! What is told to [`crate::secret::unsaid`]: whatever somebody has configured, from wherever it is.

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

/// No key is repeated that stands in a configuration file with this text.
pub(super) fn file(text: &str) {
    configured(config::texts(text));
}

fn configured(texts: impl IntoIterator<Item = String>) {
    unsaid::configured(texts);
    let secrets = SECRET_VARIABLES.into_iter().filter_map(|name| std::env::var(name).ok()).map(SecretString::from);
    secrets.for_each(|secret| unsaid::known(secret.expose_secret()));
}

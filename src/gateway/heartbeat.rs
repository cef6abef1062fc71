//! Heartbeats: that a job has begun, and what it ended with, told to whoever watches over jobs (healthchecks.io and its likes).
//!
//! Beside this a heartbeat says where the ledger ended, and nothing else; nobody waits long for it.

use super::client::{Endpoint, builder, plain};

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    /// The job has begun.
    Start,
    /// It has ended with this exit code; 0 is a success.
    End {
        /// The exit code.
        code: u8,
        /// Where the ledger ended, if the job knows: kept where whoever can write the ledger cannot, an older copy is found by it.
        ledger_head: Option<String>,
    },
}

/// How often one is told before it is given up.
const ATTEMPTS: u8 = 2;

/// Tells `beat` to `url`: `URL/start`, `URL/0`, `URL/7`, the last two with `{"ledger_head":"…"}` where it is known. Time limits and proxy are those of `endpoint`.
///
/// # Errors
/// In one line, without the path of `url`, which may be a key.
pub async fn tell(url: &str, beat: &Beat, endpoint: &Endpoint) -> Result<(), String> {
    let client = builder(endpoint).and_then(reqwest::ClientBuilder::build).map_err(|error| error.to_string())?;
    let url = url.trim_end_matches('/');
    let (url, ledger_head) = match beat {
        Beat::Start => (format!("{url}/start"), None),
        Beat::End { code, ledger_head } => (format!("{url}/{code}"), ledger_head.as_ref()),
    };
    let mut failed = String::new();
    for _ in 0..ATTEMPTS {
        let request = match ledger_head {
            Some(head) => client.post(&url).json(&serde_json::json!({"ledger_head": head})),
            None => client.get(&url),
        };
        match request.send().await {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => failed = format!("{} answers HTTP {}", origin(&url), response.status().as_u16()),
            Err(error) => failed = plain(origin(&url), &error),
        }
    }
    Err(failed)
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let rest = url.find("://").map_or(0, |at| at.saturating_add(3));
    let end = url.get(rest..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| rest.saturating_add(at));
    url.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_said_of_a_url_leaves_its_key_out() {
        for (url, origin) in [("https://hc.example/KEY/slug", "https://hc.example"), ("http://a:1", "http://a:1"), ("x", "x")] {
            assert_eq!(super::origin(url), origin);
        }
    }
}

//! Requests and answers as plain values, so that the model needs no network. Nothing here knows what they mean.

use std::fmt;

use bytes::Bytes;

/// A request as it arrived.
#[derive(Clone)]
pub struct Request {
    /// `POST`, `PATCH` or `GET`.
    pub method: String,
    /// The path as sent, with its query if there is one.
    pub path: String,
    /// Names in any case, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: Bytes,
}

impl Request {
    /// The first header called `name`, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The path without its query: what is signed and routed.
    #[must_use]
    pub fn target(&self) -> &str {
        self.path.split_once('?').map_or(self.path.as_str(), |(path, _)| path)
    }
}

impl fmt::Debug for Request {
    /// Bodies hold names and e-mail addresses, so only their length is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.path, self.body.len())
    }
}

/// A complete answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// In the order they are sent.
    pub headers: Vec<(String, String)>,
    /// The exact bytes that were signed.
    pub body: Bytes,
}

impl HttpAnswer {
    /// The first header called `name`, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What becomes of an answer on its way to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Deliver,
    /// The request is done; the answer arrives after so many milliseconds.
    DelayThenDeliver(u64),
    /// Nothing is done yet: after so many milliseconds the caller hands the request to `Model::handle_late`, whether or not the
    /// client still waits. The answer beside this fate is empty.
    DelayThenProcess(u64),
    /// The connection closes; nothing was done.
    CutBeforeProcessing,
    /// The connection closes; the request was done.
    CutAfterProcessing,
    /// The request was done; the status, the headers and this many bytes of the body arrive, then the connection closes.
    Truncated(usize),
}

/// The model's reaction to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What becomes of the answer.
    pub fate: Fate,
    /// The whole answer, also when `fate` keeps it from the client.
    pub answer: HttpAnswer,
}

//! DOKU's non-SNAP signature: HMAC-SHA256 over named lines, for requests, responses, notifications and inquiries.
//!
//! The lines and their order are those of DOKU's pages "Signature Component from Request Header", "Signature from API Get
//! Method" and "Signature Component from Response Header". A body is signed by its digest over the exact bytes on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::domain::digest::{self, Digest};

/// What every signature header begins with.
pub const PREFIX: &str = "HMACSHA256=";

/// The name of the third line, and its value: UTC in whole seconds, `2020-08-11T08:45:42Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp<'a> {
    /// `Request-Timestamp`: requests either way, notifications, inquiries.
    Request(&'a str),
    /// `Response-Timestamp`: answers either way.
    Response(&'a str),
}

/// The header values and the target that go into a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Components<'a> {
    /// `Client-Id`.
    pub client_id: &'a str,
    /// `Request-Id`; of an answer, the id of its request.
    pub request_id: &'a str,
    /// The timestamp line.
    pub stamp: Stamp<'a>,
    /// `Request-Target`: the path alone, without host and query.
    pub target: &'a str,
    /// The body whose digest is the fifth line; `None` leaves the line out (GET).
    pub body: Option<&'a [u8]>,
}

/// Why nothing can be signed or verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A line break or another control character would let one line pass for two.
    #[error("`{0}` holds a control character, so it cannot be part of a signature")]
    ControlCharacter(&'static str),
    /// The header does not begin with `HMACSHA256=`.
    #[error("the signature does not begin with `HMACSHA256=`")]
    Prefix,
    /// What follows the prefix is not the Base64 of 32 bytes.
    #[error("the signature is not the Base64 of 32 bytes")]
    Encoding,
    /// It is another message's signature, or another key's.
    #[error("the signature does not match the message")]
    Mismatch,
}

/// A shared secret, ready to sign and verify. Cloning keeps the prepared key, which is the dear part.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

impl SigningKey {
    /// The key whose bytes are the UTF-8 of `secret`, kept raw: no HTML decoding, no trimming.
    #[must_use]
    pub fn new(secret: &SecretString) -> Self {
        match Hmac::new_from_slice(secret.expose_secret().as_bytes()) {
            Ok(mac) => Self(mac),
            Err(_) => unreachable!("HMAC takes a key of any length"),
        }
    }

    /// The `Signature` header for `components`.
    ///
    /// # Errors
    /// [`SignatureError::ControlCharacter`].
    pub fn sign(&self, components: &Components<'_>) -> Result<String, SignatureError> {
        let mac = self.mac_over(components, components.body.map(digest::of_bytes))?.finalize().into_bytes();
        let mut header = String::with_capacity(PREFIX.len().saturating_add(44));
        header.push_str(PREFIX);
        BASE64.encode_string(mac, &mut header);
        Ok(header)
    }

    /// Checks a `Signature` header against `components`, in constant time.
    ///
    /// # Errors
    /// Every [`SignatureError`].
    pub fn verify(&self, components: &Components<'_>, header: &str) -> Result<(), SignatureError> {
        self.verify_digested(components, components.body.map(digest::of_bytes), header)
    }

    /// [`SigningKey::verify`] for a body whose digest the caller has already; `components.body` is not looked at.
    ///
    /// # Errors
    /// Every [`SignatureError`].
    pub fn verify_digested(&self, components: &Components<'_>, body_digest: Option<Digest>, header: &str) -> Result<(), SignatureError> {
        let encoded = header.strip_prefix(PREFIX).ok_or(SignatureError::Prefix)?;
        let mut claimed = [0_u8; 33];
        match BASE64.decode_slice(encoded, &mut claimed) {
            Ok(32) => {}
            _ => return Err(SignatureError::Encoding),
        }
        let claimed = claimed.first_chunk::<32>().ok_or(SignatureError::Encoding)?;
        self.mac_over(components, body_digest)?.verify_slice(claimed).map_err(|_| SignatureError::Mismatch)
    }

    fn mac_over(&self, components: &Components<'_>, body_digest: Option<Digest>) -> Result<Hmac<Sha256>, SignatureError> {
        let (stamp_name, stamp) = match components.stamp {
            Stamp::Request(value) => ("Request-Timestamp", value),
            Stamp::Response(value) => ("Response-Timestamp", value),
        };
        let lines = [
            ("Client-Id", components.client_id),
            ("Request-Id", components.request_id),
            (stamp_name, stamp),
            ("Request-Target", components.target),
        ];
        let mut mac = self.0.clone();
        for (index, (name, value)) in lines.into_iter().enumerate() {
            if value.bytes().any(|byte| byte.is_ascii_control()) {
                return Err(SignatureError::ControlCharacter(name));
            }
            if index > 0 {
                mac.update(b"\n");
            }
            mac.update(name.as_bytes());
            mac.update(b":");
            mac.update(value.as_bytes());
        }
        if let Some(body_digest) = body_digest {
            let mut encoded = [0_u8; 44];
            let length = BASE64.encode_slice(body_digest, &mut encoded).unwrap_or(0);
            mac.update(b"\nDigest:");
            mac.update(encoded.get(..length).unwrap_or_default());
        }
        Ok(mac)
    }
}

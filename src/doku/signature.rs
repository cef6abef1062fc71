//! DOKU's non-SNAP signature: HMAC-SHA256 over named lines, for requests, responses, notifications and inquiries.
//!
//! The lines and their order are those of DOKU's pages "Signature Component from Request Header", "Signature from API Get
//! Method" and "Signature Component from Response Header". A body is signed by its digest over the exact bytes on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::domain::digest::{self, Digest};
use crate::domain::revocation::as_kept;

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
pub struct SigningKey {
    mac: Hmac<Sha256>,
    /// Until when it is believed; none: for good.
    until: Option<Timestamp>,
}

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
            Ok(mac) => Self { mac, until: None },
            Err(_) => unreachable!("HMAC takes a key of any length"),
        }
    }

    /// A key for something else than signatures that only who has this one can make.
    #[must_use]
    pub fn derived(&self, purpose: &[u8]) -> Digest {
        let mut mac = self.mac.clone();
        mac.update(purpose);
        mac.finalize().into_bytes().into()
    }

    /// The same, not believed about anything that arrives after `until`.
    #[must_use]
    pub fn until(self, until: Timestamp) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Whether it is believed about what arrived at `at`; what does not say when may have arrived too late.
    #[must_use]
    pub fn is_believed(&self, at: Option<Timestamp>) -> bool {
        self.until.is_none_or(|until| at.is_some_and(|at| as_kept(at) <= until))
    }

    /// Until when it is believed, if that has an end.
    #[must_use]
    pub const fn ends(&self) -> Option<Timestamp> {
        self.until
    }

    /// What tells it from other keys and says nothing of it: a digest made with it, 16 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut mac = self.mac.clone();
        mac.update(b"tagih: fingerprint of a key");
        digest::hex(mac.finalize().into_bytes().get(..8).unwrap_or_default())
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
        let mut mac = self.mac.clone();
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

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "MCH-0001-10791114622547";
    const SECRET: &str = "SK-test-0123456789abcdef";
    const ISSUE_ID: &str = "5b8e438f-fac1-4103-9e0e-ebfdc38b5acb";
    const PAYMENT_CODE: &str = "/alfa-online-to-offline/v2/payment-code";
    const REQUEST: Stamp<'static> = Stamp::Request("2020-08-11T08:45:42Z");
    const RESPONSE: Stamp<'static> = Stamp::Response("2020-08-11T08:45:43Z");
    const B2: &str = r#"{"order":{"invoice_number":"INV-20210124-0001","amount":150000},"online_to_offline_info":{"expired_time":60,"reusable_status":false,"info":"Merchant Demo Store"},"customer":{"name":"Anton Budiman","email":"anton@example.com"}}"#;
    const B4: &str = r#"{"order":{"invoice_number":"INV-20210124-0001"},"online_to_offline_info":{"payment_code":"6059000000000205","how_to_pay_page":"https://sandbox.doku.com/how-to-pay/v2/alfa-online-to-offline/6059000000000205","how_to_pay_api":"https://api-sandbox.doku.com/alfa-online-to-offline/v2/how-to-pay-api/6059000000000205","created_date":"20210331115005","expired_date":"20210331125005","created_date_utc":"2021-03-31T04:50:05Z","expired_date_utc":"2021-03-31T05:50:05Z"}}"#;
    const B5: &str = r#"{"order":{"invoice_number":"INV-20210124-0001","amount":150000},"online_to_offline_info":{"payment_code":"6059000000000205","status":"DELETE","reusable_status":false},"customer":{"name":"Anton Budiman"}}"#;
    const B6: &str = r#"{"service":{"id":"ONLINE_TO_OFFLINE"},"acquirer":{"id":"ALFA"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"},"transaction":{"status":"SUCCESS","date":"2021-08-12T07:06:28Z","original_request_id":"5b8e438f-fac1-4103-9e0e-ebfdc38b5acb"},"order":{"invoice_number":"INV-20210125-0001","amount":150000},"online_to_offline_info":{"payment_code":"73"},"online_to_offline_payment":{"identifier":[{"name":"AGENT_ID","value":"ALFAMART"},{"name":"AGENT_STORE_ID","value":"store"},{"name":"AGENT_TRX_ID","value":"1246"}]}}"#;
    const B7: &str = r#"{"service":{"id":"ONLINE_TO_OFFLINE"},"acquirer":{"id":"ALFA"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"},"online_to_offline_info":{"payment_code":"8896512345678123"},"online_to_offline_inquiry":{"date":"2020-08-11T08:45:42Z","identifier":[]}}"#;
    const B8: &str = r#"{"order":{"invoice_number":"INV-20210125-0001","amount":150000},"online_to_offline_info":{"payment_code":"8896512345678123","info":"Thank for shopping in our store"},"online_to_offline_inquiry":{"status":"success"},"customer":{"name":"Anton Budiman","email":"anton@example.com"}}"#;
    const CAFE: &str = r#"{"customer":{"name":"Café Müller 日本"}}"#;

    fn key(secret: &str) -> SigningKey {
        SigningKey::new(&SecretString::from(secret))
    }

    fn components<'a>(request_id: &'a str, stamp: Stamp<'a>, target: &'a str, body: Option<&'a str>) -> Components<'a> {
        Components { client_id: CLIENT, request_id, stamp, target, body: body.map(str::as_bytes) }
    }

    #[test]
    fn every_reference_vector_is_signed_and_verified_to_the_byte() {
        let status = "/orders/v1/status/INV-123123-12313";
        let status_id = "d895fb53-479c-4f77-a76a-ab81b40d77cb";
        let cancel_id = "2dc5985e-adaa-4f82-b126-b09e9006da14";
        let notification_id = "479b663f-5c9d-400d-8e80-3e548a8f7639";
        let vectors = [
            ("V2", components(ISSUE_ID, REQUEST, PAYMENT_CODE, Some(B2)), "Lv2BFTLD1QzLU3H0WlGmDrowm+hd9SY8xQkjMhJE0eg="),
            ("V3", components(status_id, REQUEST, status, None), "uKufaiHbde+wRfBASZODSNX8tCkP4y6qJ7HlnAlqsA8="),
            ("V4", components(ISSUE_ID, RESPONSE, PAYMENT_CODE, Some(B4)), "1IePH/ZS/rV9mvgc1FFmD/3fFAybBRSb0OBHtW8q2as="),
            ("V5", components(cancel_id, REQUEST, PAYMENT_CODE, Some(B5)), "6lQ8XWR7I9Aw9wir9ptwoUHoOEXXUA3csLnpCp50Xc0="),
            ("V5b", components(cancel_id, REQUEST, PAYMENT_CODE, None), "RHRuUr5Zg9IEsefbhMCvGZ1wja2Iv4v7X7ijDrDzJ64="),
            (
                "V6",
                components(notification_id, REQUEST, "/payments/notifications", Some(B6)),
                "hyMBerex0esOpY4i1iuUCFSVvBzlwT/2I2T2+Vj2uJs=",
            ),
            ("V7", components(ISSUE_ID, REQUEST, "/doku/inquiry", Some(B7)), "xpaDGxPRBkkcetkibxkHStkmdFaUZ4mT0PlvsYgbjro="),
            ("V8", components(ISSUE_ID, RESPONSE, "/doku/inquiry", Some(B8)), "+N8WjUbpQe9rr2ftxOB02qBzLH2NQsjiKcgl8Zlx6nc="),
            ("V9", components(ISSUE_ID, REQUEST, PAYMENT_CODE, Some(CAFE)), "gBYq3I0fJ9h2RIh82BPxKrYwfLyvrl9pduAlt73Ofq8="),
        ];
        for (name, components, expected) in vectors {
            let header = key(SECRET).sign(&components).unwrap();
            assert_eq!(header, format!("{PREFIX}{expected}"), "{name}");
            assert_eq!(key(SECRET).verify(&components, &header), Ok(()), "{name}");
        }
        let published = Components {
            client_id: "MCH-BAYARLAB-LOCAL",
            request_id: "22222222-2222-4222-8222-222222222222",
            stamp: Stamp::Request("2026-09-28T00:00:00Z"),
            target: "/webhook/doku",
            body: Some(br#"{"hello":"world"}"#),
        };
        assert_eq!(
            key("bayarlab-local-doku-secret").sign(&published).unwrap(),
            "HMACSHA256=ePFtVvYNtbjASxjhQKr+r1czGs9WUTE2m+geqe6iZPE=",
            "V1"
        );
    }

    #[test]
    fn a_get_signed_with_the_empty_bodys_digest_is_refused() {
        let get = components("d895fb53-479c-4f77-a76a-ab81b40d77cb", REQUEST, "/orders/v1/status/INV-123123-12313", None);
        let wrong = "HMACSHA256=bEqb6tJWLYBxMngEtVDoMSe0hMgW6uqPXdb0KKapJF8=";
        assert_eq!(key(SECRET).verify(&get, wrong), Err(SignatureError::Mismatch));
        assert_eq!(key(SECRET).sign(&Components { body: Some(b""), ..get }).unwrap(), wrong);
    }

    #[test]
    fn control_characters_in_any_component_are_refused() {
        let good = components(ISSUE_ID, REQUEST, PAYMENT_CODE, Some(B2));
        for bad in [
            Components { client_id: "a\nRequest-Id:b", ..good },
            Components { request_id: "a\r", ..good },
            Components { stamp: Stamp::Request("\0"), ..good },
            Components { target: "/a\x7f", ..good },
        ] {
            assert!(matches!(key(SECRET).sign(&bad), Err(SignatureError::ControlCharacter(_))), "{bad:?}");
        }
    }

    #[test]
    fn only_the_exact_header_of_the_exact_message_verifies() {
        let good = components(ISSUE_ID, REQUEST, PAYMENT_CODE, Some(B2));
        let header = key(SECRET).sign(&good).unwrap();
        let bare = header.trim_start_matches(PREFIX);
        assert_eq!(key(SECRET).verify(&good, bare), Err(SignatureError::Prefix));
        assert_eq!(key(SECRET).verify(&good, &format!("hmacsha256={bare}")), Err(SignatureError::Prefix));
        assert_eq!(key(SECRET).verify(&good, "HMACSHA256=AAAA"), Err(SignatureError::Encoding));
        assert_eq!(key(SECRET).verify(&good, &format!("{header}AAAA")), Err(SignatureError::Encoding));
        assert_eq!(key("other").verify(&good, &header), Err(SignatureError::Mismatch));
        assert_eq!(key(SECRET).verify(&Components { stamp: RESPONSE, ..good }, &header), Err(SignatureError::Mismatch));
        assert_eq!(key(SECRET).verify(&Components { body: Some(b"{}"), ..good }, &header), Err(SignatureError::Mismatch));
    }
    #[test]
    fn a_key_that_ends_is_believed_about_what_arrived_before() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let key = SigningKey::new(&SecretString::from(SECRET));
        assert!(key.is_believed(at("2026-12-31T00:00:00Z")) && key.is_believed(None));
        let ending = key.clone().until("2026-12-01T00:00:00Z".parse().unwrap());
        assert!(ending.is_believed(at("2026-12-01T00:00:00Z")));
        assert!(!ending.is_believed(at("2026-12-01T00:00:01Z")) && !ending.is_believed(None));
        assert_eq!(ending.fingerprint(), key.fingerprint());
        let other = SigningKey::new(&SecretString::from("SK-another-0123456789"));
        assert!(key.fingerprint() != other.fingerprint() && key.fingerprint().len() == 16 && !key.fingerprint().contains("test"));
    }
}

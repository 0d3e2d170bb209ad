//! The signature of Standard Webhooks: HMAC-SHA256 over the message's id, the time and the body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The prefix of a secret's base64.
const PREFIX: &str = "whsec_";
/// The scheme takes 24 to 64.
const SECRET_BYTES: usize = 32;

/// A secret of a webhook, for its receiver to check signatures by.
#[must_use]
pub fn new_secret() -> String {
    format!("{PREFIX}{}", STANDARD.encode(rand::random::<[u8; SECRET_BYTES]>()))
}

/// The value of `webhook-signature`: a signature for each secret, the newest first. None: one of them is no secret.
pub(crate) fn signatures<'a>(
    secrets: impl IntoIterator<Item = &'a str>,
    id: &str,
    timestamp_s: u64,
    body: &str,
) -> Option<String> {
    let signatures = secrets.into_iter().map(|secret| signature(secret, id, timestamp_s, body));
    Some(signatures.collect::<Option<Vec<_>>>()?.join(" "))
}

fn signature(secret: &str, id: &str, timestamp_s: u64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let tag = hmac::sign(&key, format!("{id}.{timestamp_s}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn a_signature_is_that_of_the_published_example() {
        let got = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(got.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn while_a_secret_is_changed_each_signs() {
        let secrets = [new_secret(), new_secret()];
        let [new, old] = [0, 1].map(|at| signature(&secrets[at], "msg_1", 1, "{}").unwrap());
        let both = signatures(secrets.iter().map(String::as_str), "msg_1", 1, "{}");
        assert_eq!(both, Some(format!("{new} {old}")));
        assert_eq!(signatures([secrets[0].as_str(), "none"], "msg_1", 1, "{}"), None);
    }

    #[test]
    fn what_is_no_secret_signs_nothing() {
        for secret in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_&"] {
            assert_eq!(signature(secret, "msg_1", 1, "").is_some(), secret == "whsec_", "{secret}");
        }
        let secrets = [new_secret(), new_secret()];
        assert!(secrets[0] != secrets[1] && secrets.iter().all(|secret| signature(secret, "m", 1, "").is_some()));
    }
}

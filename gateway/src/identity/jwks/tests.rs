//! Which tokens are good, and what is wrong with the others.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::*;

/// An RSA key of 2,048 bits, and a token that it signed for `ada` with an end in 2100. Its private half is gone.
const RSA: &str = include_str!("rsa.json");

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn jwt() -> Jwt {
    let keys = super::super::JwtKeys::Secrets(Vec::new());
    Jwt { issuer: "https://id.shop".to_owned(), audience: "flash".to_owned(), keys }
}

fn now_s() -> u64 {
    jsonwebtoken::get_current_timestamp()
}

fn claims() -> Value {
    let now = now_s();
    json!({"sub": "ada", "iss": "https://id.shop", "aud": ["other", "flash"], "nbf": now - 5, "exp": now + 600})
}

/// A token with that signature.
fn token(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
    let signature = sign(message.as_bytes());
    format!("{message}.{}", base64(signature))
}

fn hs256(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    move |message| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

/// Keys of every kind, as an issuer has them, and their set.
struct Issuer {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    rsa: Value,
}

impl Issuer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self {
            ed: Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap(),
            ec: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref(), &random).unwrap(),
            rsa: serde_json::from_str(RSA).unwrap(),
        }
    }

    fn jwks(&self) -> Value {
        let point = self.ec.public_key().as_ref();
        json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig", "x": base64(self.ed.public_key())},
            {"kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256", "x": base64(&point[1..33]), "y": base64(&point[33..])},
            self.rsa["key"],
            {"kty": "RSA", "kid": "for something else", "use": "enc", "n": "AQAB", "e": "AQAB"},
        ]})
    }

    fn keys(&self) -> TokenKeys {
        TokenKeys::of_jwks(&jwt(), self.jwks().to_string().as_bytes(), 0).unwrap()
    }

    fn by_ed(&self, header: &Value, claims: &Value) -> String {
        token(header, claims, |message| self.ed.sign(message).as_ref().to_vec())
    }

    fn by_ec(&self, header: &Value, claims: &Value) -> String {
        let sign = |message: &[u8]| self.ec.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
        token(header, claims, sign)
    }
}

fn check(keys: &TokenKeys, token: &str, want: Result<&str, &str>) {
    let got = keys.verify(token).map(|claims| claims.buyer);
    assert_eq!(got.as_deref().map_err(|wrong| *wrong), want, "{token}");
}

#[test]
fn every_kind_of_signature_is_believed_by_its_own_key() {
    let issuer = Issuer::new();
    let keys = issuer.keys();
    check(&keys, &issuer.by_ed(&json!({"alg": "EdDSA", "kid": "ed"}), &claims()), Ok("ada"));
    check(&keys, &issuer.by_ec(&json!({"alg": "ES256", "kid": "ec"}), &claims()), Ok("ada"));
    check(&keys, issuer.rsa["token"].as_str().unwrap(), Ok("ada"));
    let one_audience = json!({"sub": "bob", "iss": "https://id.shop", "aud": "flash", "nbf": 0, "exp": now_s() + 9});
    check(&keys, &issuer.by_ed(&json!({"alg": "EdDSA", "kid": "ed", "typ": "at+jwt"}), &one_audience), Ok("bob"));
}

#[test]
fn a_key_s_algorithm_is_its_own_and_not_the_token_s_to_choose() {
    const ALG: Result<&str, &str> = Err("the token's alg is not its key's");
    const SIGNATURE: Result<&str, &str> = Err("the token's signature is wrong");
    const UNREADABLE: Result<&str, &str> = Err("the token cannot be read");
    let issuer = Issuer::new();
    let keys = issuer.keys();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        check(&keys, &token(&json!({"alg": none, "kid": "ed"}), &claims(), |_| Vec::new()), UNREADABLE);
    }
    // What everyone knows of a key, taken for a secret.
    let modulus = URL_SAFE_NO_PAD.decode(issuer.rsa["key"]["n"].as_str().unwrap()).unwrap();
    for (kid, public) in
        [("rsa", modulus.as_slice()), ("ed", issuer.ed.public_key().as_ref()), ("ec", issuer.ec.public_key().as_ref())]
    {
        check(&keys, &token(&json!({"alg": "HS256", "kid": kid}), &claims(), hs256(public)), ALG);
    }
    let json = RSA.as_bytes();
    check(&keys, &token(&json!({"alg": "HS256", "kid": "rsa"}), &claims(), hs256(json)), ALG);
    // Another key's name, and another algorithm of the same kind.
    check(&keys, &issuer.by_ed(&json!({"alg": "EdDSA", "kid": "ec"}), &claims()), ALG);
    check(&keys, &issuer.by_ed(&json!({"alg": "ES256", "kid": "ec"}), &claims()), SIGNATURE);
    check(&keys, &issuer.by_ed(&json!({"alg": "RS512", "kid": "rsa"}), &claims()), ALG);
    check(&keys, &token(&json!({"alg": "EdDSA", "kid": "ed"}), &claims(), |_| Vec::new()), SIGNATURE);
    check(&keys, &Issuer::new().by_ed(&json!({"alg": "EdDSA", "kid": "ed"}), &claims()), SIGNATURE);
}

#[test]
fn a_token_does_not_bring_its_own_key() {
    let (issuer, thief) = (Issuer::new(), Issuer::new());
    let keys = issuer.keys();
    let own = thief.jwks()["keys"][0].clone();
    for (name, value) in [("jwk", own), ("jku", json!("https://thief/jwks")), ("x5u", json!("https://thief/x"))] {
        let header = json!({"alg": "EdDSA", "kid": "ed", name: value});
        check(&keys, &thief.by_ed(&header, &claims()), Err("the token's signature is wrong"));
        check(&keys, &issuer.by_ed(&header, &claims()), Ok("ada"));
    }
    for header in [json!({"alg": "EdDSA", "kid": "new"}), json!({"alg": "EdDSA"}), json!({"alg": "EdDSA", "kid": ""})] {
        check(&keys, &issuer.by_ed(&header, &claims()), Err("the token's signing key is unknown"));
    }
    let header = json!({"alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": false});
    check(&keys, &issuer.by_ed(&header, &claims()), Err("the token has an unknown critical header parameter"));
}

#[test]
fn a_token_says_who_when_whose_and_for_whom() {
    let issuer = Issuer::new();
    let keys = issuer.keys();
    let check = |name: &str, value: Value, want| {
        let mut claims = claims();
        claims[name] = value;
        check(&keys, &issuer.by_ed(&json!({"alg": "EdDSA", "kid": "ed"}), &claims), want);
    };
    const LACKS: Result<&str, &str> = Err("the token must have exp, iss, aud and sub");
    const UNREADABLE: Result<&str, &str> = Err("the token cannot be read");
    let (now, far) = (now_s(), 1_000_000);
    check("exp", json!(now - TOKEN_LEEWAY_S - 5), Err("the token has expired"));
    check("exp", json!(0), Err("the token has expired"));
    check("exp", json!(now - TOKEN_LEEWAY_S / 2), Ok("ada"));
    check("nbf", json!(now + far), Err("the token is not valid yet"));
    check("nbf", json!(now + TOKEN_LEEWAY_S / 2), Ok("ada"));
    check("iss", json!("https://id.shop.evil"), Err("the token is another issuer's"));
    check("aud", json!("flash2"), Err("the token is for another audience"));
    check("aud", json!([]), Err("the token is for another audience"));
    check("aud", Value::Null, LACKS);
    // Without these there is nothing to read in the first place.
    for name in ["exp", "sub", "iss", "nbf"] {
        check(name, Value::Null, UNREADABLE);
    }
    check("exp", json!(now as f64 + 0.5), Ok("ada"));
    check("exp", json!((now - TOKEN_LEEWAY_S) as f64 - 5.5), Err("the token has expired"));
    check("nbf", json!(now as f64 - 0.5), Ok("ada"));
    check("nbf", json!((now + far) as f64 + 0.5), Err("the token is not valid yet"));
    check("exp", json!(1e300), LACKS);
    check("exp", json!(-1), LACKS);
    for (name, value) in [("exp", json!(true)), ("nbf", json!([now])), ("nbf", json!({}))] {
        check(name, value, UNREADABLE);
    }
    for (name, value) in [("exp", json!("later")), ("sub", json!(7)), ("sub", json!(["ada"]))] {
        check(name, value, UNREADABLE);
    }
    for (name, value) in [("nbf", json!("now")), ("iss", json!(7)), ("iss", json!(["https://id.shop"]))] {
        check(name, value, UNREADABLE);
    }
    check("aud", json!(7), LACKS);
    for sub in ["".to_owned(), "a\0b".to_owned(), "a".repeat(BUYER_BYTES_MAX + 1)] {
        check("sub", json!(sub), Err("the token's sub cannot be a buyer"));
    }
    check("sub", json!("Zo\u{eb}"), Ok("Zo\u{eb}"));
}

#[test]
fn a_token_need_not_say_from_when_it_is_good() {
    let issuer = Issuer::new();
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("nbf");
    check(&issuer.keys(), &issuer.by_ed(&json!({"alg": "EdDSA", "kid": "ed"}), &claims), Ok("ada"));
}

#[test]
fn garbage_is_no_token() {
    let issuer = Issuer::new();
    let keys = issuer.keys();
    let good = issuer.by_ed(&json!({"alg": "EdDSA", "kid": "ed"}), &claims());
    let parts: Vec<_> = good.split('.').collect();
    for garbage in ["", ".", "..", "...", "a.b.c", "\u{eb}.\u{eb}.\u{eb}", "eyJ9..", "null.null.null"] {
        check(&keys, garbage, Err("the token cannot be read"));
    }
    check(&keys, &format!("{}.{}", parts[0], parts[1]), Err("the token cannot be read"));
    check(&keys, &format!("{good}.{}", parts[2]), Err("the token cannot be read"));
    check(&keys, &format!("{}.{}.{}", parts[0], base64("{}"), parts[2]), Err("the token's signature is wrong"));
    for at in (0..good.len()).step_by(7) {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let wounded = String::from_utf8(bytes).unwrap();
        // The last digit has bits that mean nothing.
        assert!(keys.verify(&wounded).is_err() || at == good.len() - 1, "{wounded}");
    }
}

#[test]
fn a_secret_signs_too_and_no_other_does() {
    let secret = "s".repeat(TOKEN_SECRET_BYTES_MIN);
    let keys = TokenKeys::of_secrets(&jwt(), std::slice::from_ref(&secret)).unwrap();
    let header = json!({"alg": "HS256"});
    check(&keys, &token(&header, &claims(), hs256(secret.as_bytes())), Ok("ada"));
    check(&keys, &token(&json!({"alg": "HS256", "kid": "any"}), &claims(), hs256(secret.as_bytes())), Ok("ada"));
    check(&keys, &token(&header, &claims(), hs256(b"another")), Err("the token's signature is wrong"));
    check(
        &keys,
        &token(&json!({"alg": "HS512"}), &claims(), hs256(secret.as_bytes())),
        Err("the token's alg is not its key's"),
    );
    let short = TokenKeys::of_secrets(&jwt(), &[secret.clone(), secret[1..].to_owned()]);
    assert!(matches!(short, Err(KeysError::ShortSecret)));
}

#[test]
fn while_a_secret_is_changed_tokens_of_both_are_good() {
    let [old, new] = ["o", "n"].map(|letter| letter.repeat(TOKEN_SECRET_BYTES_MIN));
    let header = json!({"alg": "HS256"});
    let mut ended = claims();
    ended["exp"] = json!(1);
    for secrets in [[old.clone(), new.clone()], [new.clone(), old.clone()]] {
        let keys = TokenKeys::of_secrets(&jwt(), &secrets).unwrap();
        for secret in &secrets {
            check(&keys, &token(&header, &claims(), hs256(secret.as_bytes())), Ok("ada"));
            check(&keys, &token(&header, &ended, hs256(secret.as_bytes())), Err("the token has expired"));
        }
        check(&keys, &token(&header, &claims(), hs256(b"another")), Err("the token's signature is wrong"));
    }
    let only_new = TokenKeys::of_secrets(&jwt(), std::slice::from_ref(&new)).unwrap();
    check(&only_new, &token(&header, &claims(), hs256(old.as_bytes())), Err("the token's signature is wrong"));
}

#[test]
fn a_file_that_is_no_set_of_public_keys_is_refused_by_what_is_wrong() {
    let check = |json: &str, want: &str| {
        let error = TokenKeys::of_jwks(&jwt(), json.as_bytes(), 0).err().map(|error| error.to_string());
        assert!(error.as_ref().is_some_and(|error| error.contains(want)), "{json}: {error:?} lacks {want}");
    };
    let key = |rest: &str| format!("{{\"keys\":[{{\"kid\":\"k\",{rest}}}]}}");
    check("", "is not a valid JWKS");
    check("{}", "is not a valid JWKS");
    check("{\"keys\":[]}", "must have 1 to 32 signing keys, not 0");
    check(&key("\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"alg\":\"HS256\""), "key \"k\" is a secret");
    check(&key("\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\""), "key \"k\" has an unsupported type");
    check(
        &key(&format!("\"kty\":\"RSA\",\"n\":\"{}\",\"e\":\"AQAB\",\"alg\":\"HS256\"", base64(vec![0xff; 256]))),
        "key \"k\" does not match its alg",
    );
    check(
        &key("\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"alg\":\"RSA-OAEP\""),
        "key \"k\" has an alg that is not known",
    );
    check(&key("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"*\""), "key \"k\" cannot be read");
    for bytes in [128, 255, 1_025] {
        let rsa = key(&format!("\"kty\":\"RSA\",\"n\":\"{}\",\"e\":\"AQAB\"", base64(vec![0xff; bytes])));
        check(&rsa, "key \"k\" is an RSA key of fewer than 2048 bits, or of more than 8192");
    }
    // Zeros at the front do not count.
    let long = base64([vec![0; 200], vec![0xff; 128]].concat());
    check(&key(&format!("\"kty\":\"RSA\",\"n\":\"{long}\",\"e\":\"AQAB\"")), "fewer than 2048 bits");
    let ed = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\",\"x\":\"AA\"}";
    check(&format!("{{\"keys\":[{ed},{ed}]}}"), "key \"k\" is listed twice");
    check(&format!("{{\"keys\":[{ed},{ed}]}}").replace("\"kid\":\"k\",", ""), "key \"\" is listed twice");
    let many = format!(
        "{{\"keys\":[{}]}}",
        vec!["{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"; JWKS_KEYS_MAX + 1].join(",")
    );
    check(&many, "must have 1 to 32 signing keys, not 33");
}

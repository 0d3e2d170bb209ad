//! What buyers ask for, and as whom.

use serde::Serialize;

/// One unit of a sale, for each buyer.
pub(crate) struct Wish {
    pub(super) path: String,
    sku: Option<String>,
    who: Who,
    /// Each wish has an `Idempotency-Key`.
    pub(super) is_keyed: bool,
}

/// How buyers say who they are.
pub(crate) enum Who {
    /// By a name, all of which end so.
    Named(String),
    /// By a token or a key: each has one of these.
    Tokens(Vec<String>),
}

impl Wish {
    /// Of a sale with a limit of one, in which a repeat is known by its buyer.
    pub(crate) fn new(sale: &str, sku: Option<String>, who: Who) -> Self {
        Self { path: format!("/v1/sales/{sale}/reservations"), sku, who, is_keyed: false }
    }

    /// Of a sale with this limit. Where a buyer may have several units, only a key tells a repeat from another wish.
    pub(crate) fn with_limit(self, limit: u64) -> Self {
        Self { is_keyed: limit > 1, ..self }
    }

    /// What the buyer of this number shows.
    pub(super) fn token(&self, buyer: u64) -> Option<&str> {
        match &self.who {
            Who::Named(_) => None,
            Who::Tokens(tokens) => tokens.get(usize::try_from(buyer).ok()?).map(String::as_str),
        }
    }

    /// What the buyer of this number asks for.
    pub(super) fn body(&self, buyer: u64) -> serde_json::Result<Vec<u8>> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            buyer: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            items: Option<[Item<'a>; 1]>,
        }
        #[derive(Serialize)]
        struct Item<'a> {
            sku: &'a str,
        }
        let buyer = match &self.who {
            Who::Named(end) => Some(format!("buyer-{buyer:011}{end}")),
            // An authenticated buyer must not name a buyer, too.
            Who::Tokens(_) => None,
        };
        serde_json::to_vec(&Body { buyer, items: self.sku.as_deref().map(|sku| [Item { sku }]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sku: Option<&str>, who: Who, want: (Option<&str>, &str)) {
        let wish = Wish::new("drop", sku.map(str::to_owned), who);
        let body = String::from_utf8(wish.body(1).unwrap()).unwrap();
        assert_eq!((wish.token(1), body.as_str()), want);
    }

    #[test]
    fn a_buyer_is_named_once() {
        check(None, Who::Named("-7".to_owned()), (None, "{\"buyer\":\"buyer-00000000001-7\"}"));
        let tokens = || Who::Tokens(vec!["a".to_owned(), "b".to_owned()]);
        check(None, tokens(), (Some("b"), "{}"));
        check(Some("red"), tokens(), (Some("b"), "{\"items\":[{\"sku\":\"red\"}]}"));
    }
}

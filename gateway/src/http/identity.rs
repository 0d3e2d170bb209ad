//! Who calls, and as which buyer: decided here, before any handler.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use flash_vault::Role;
use flash_wire::limits::BUYER_BYTES_MAX;
use hyper::header::{AUTHORIZATION, HeaderMap};

use super::access::Access;
use super::fields::Field;
use super::problem::{Kind, Problem};
use super::target::Target;
use crate::identity::{ApiKeys, Tokens};

/// The name of a caller who does not have to say one.
const ANYONE: &str = "anyone";

/// What a listener asks its callers for.
#[derive(Debug)]
pub(crate) enum Gate {
    /// Nothing. For development only.
    Open,
    /// Buyers' tokens.
    Tokens(Tokens),
    /// Buyers' API keys.
    Keys(ApiKeys),
    /// Operators' API keys.
    Operators(ApiKeys),
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Somebody who did not have to say.
    Anyone,
    /// This buyer.
    Buyer(Arc<str>),
    /// An operator.
    Operator(Operator),
}

/// An operator, as the audit log names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The key's id.
    pub(crate) key: String,
}

impl Caller {
    /// The buyer that the caller proved to be.
    pub(crate) fn buyer(&self) -> Option<&str> {
        match self {
            Self::Buyer(buyer) => Some(buyer),
            Self::Anyone | Self::Operator(_) => None,
        }
    }

    /// Whom the audit log names.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Anyone => ANYONE,
            Self::Buyer(buyer) => buyer,
            Self::Operator(operator) => &operator.name,
        }
    }
}

impl Gate {
    /// Prepares what it needs, so that the first caller does not wait for it.
    pub(crate) async fn connect(&self) {
        if let Self::Keys(keys) | Self::Operators(keys) = self {
            keys.connect().await;
        }
    }

    /// Whether nothing is asked of a caller.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether it is the operators' own.
    pub(crate) const fn is_operators(&self) -> bool {
        matches!(self, Self::Operators(_))
    }

    /// Lets a request through to where it wants to go, and says who sent it.
    ///
    /// # Errors
    /// When the proof is missing or invalid, or cannot be checked now.
    pub(crate) async fn caller(&self, target: &Target, headers: &HeaderMap, from: IpAddr) -> Result<Caller, Problem> {
        if !target.access.asks() || matches!(self, Self::Open) {
            return Ok(Caller::Anyone);
        }
        let shown = bearer(headers)?;
        match (self, target.access) {
            (Self::Tokens(tokens), Access::Buyer(_)) => Ok(Caller::Buyer(tokens.buyer(shown)?)),
            // What asks PostgreSQL is on the heap: it does not make every request's future larger.
            (Self::Keys(keys), Access::Buyer(_)) => Box::pin(buyer_of_key(keys, shown, from)).await,
            (Self::Operators(keys), Access::Buyer(needed) | Access::Operator(needed) | Access::Developer(needed)) => {
                Box::pin(operator(keys, (shown, from), needed)).await
            }
            // The table of routes has no such thing for buyers; if it had, it would not be theirs.
            (Self::Tokens(_) | Self::Keys(_) | Self::Operators(_) | Self::Open, _) => Err(Kind::Forbidden.into()),
        }
    }
}

/// What the caller shows: `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(unproven("Authorization must be given once: the scheme Bearer, then a token or a key"));
    };
    let shown = value.to_str().ok().and_then(|value| value.split_once(' '));
    match shown {
        Some((scheme, shown)) if scheme.eq_ignore_ascii_case("bearer") => Ok(shown.trim()),
        _ => Err(unproven("Authorization must be the scheme Bearer, then a token or a key")),
    }
}

async fn buyer_of_key(keys: &ApiKeys, shown: &str, from: IpAddr) -> Result<Caller, Problem> {
    let key = keys.find(shown, from).await?;
    match key.role {
        Role::Buyer => Ok(Caller::Buyer(key.holder.as_str().into())),
        _ => Err(Problem::new(Kind::Forbidden, "the key belongs to an operator; this route is for buyers")),
    }
}

async fn operator(keys: &ApiKeys, (shown, from): (&str, IpAddr), needed: Role) -> Result<Caller, Problem> {
    let key = keys.find(shown, from).await?;
    if key.role == Role::Buyer {
        return Err(Problem::new(Kind::Forbidden, "the key belongs to a buyer; this route is for operators"));
    }
    if !key.role.may(needed) {
        let detail = format!("the key's role is {}; this route needs {}", key.role.name(), needed.name());
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    Ok(Caller::Operator(Operator { name: key.holder.clone(), role: key.role, key: key.id.clone() }))
}

fn unproven(what: &'static str) -> Problem {
    Problem::new(Kind::Unauthenticated, what)
}

/// The buyer of a request whose body may name one. An authenticated buyer cannot name another.
///
/// # Errors
/// When the body names none and must, or names one and must not.
pub(crate) fn buyer<'a>(caller: &'a Caller, named: Field<'a>) -> Result<Cow<'a, str>, Problem> {
    match caller {
        Caller::Buyer(_) if named.is_given() => {
            Err(named.refused("must not be given: the token names the buyer").into())
        }
        Caller::Buyer(buyer) => Ok(Cow::Borrowed(buyer)),
        Caller::Anyone | Caller::Operator(_) => Ok(named.required()?.name(BUYER_BYTES_MAX)?),
    }
}

#[cfg(test)]
pub(crate) mod tests;

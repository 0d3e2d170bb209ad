//! The processes of the model, each a small machine that asks one server at a time and hears an answer, or nothing.

mod buyer;
mod operator;
mod planned;
mod recovery;
mod relay;
mod sweep;
mod syncer;

pub(crate) use buyer::{Buying, Told};
pub(crate) use operator::Operator;
pub(crate) use planned::Planned;
pub(crate) use recovery::Recovery;
pub(crate) use relay::Relay;
pub(crate) use sweep::Sweep;
pub(crate) use syncer::Syncer;

//! The rate limits: by examples, against a naive oracle, and with damaged bytes.

mod bytes;
mod model;
mod oracle;
mod rules;

//! What `flash webhooks` takes.

use clap::{Args as ClapArgs, Subcommand};

use super::PostgresUrl;

/// `flash webhooks`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "A receiver accepts a delivery if one of its signatures is good, so a secret is replaced without a gap: make a \
                  new one, give it to the receiver, then forget the old one.\n\nExample: flash webhooks new-secret 1"
)]
pub(crate) struct Webhooks {
    #[command(subcommand)]
    pub(crate) command: WebhooksCommand,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

/// What to do with a webhook's secrets.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Make a new secret, and print it. Deliveries are signed with it and with the one before it.
    NewSecret {
        /// The webhook.
        id: u64,
        /// Who makes it.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
    /// Sign deliveries with the newest secret alone.
    ForgetOldSecret {
        /// The webhook.
        id: u64,
        /// Who decides so.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
}

//! What `flash webhooks` takes.

use clap::{Args as ClapArgs, Subcommand};

use super::PostgresUrl;

/// `flash webhooks`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "A receiver accepts a delivery if one of its signatures is valid, so a secret can be replaced without \
                  a gap: create a new one, give it to the receiver, then remove the old one.\n\nExample: flash \
                  webhooks new-secret 1"
)]
pub(crate) struct Webhooks {
    #[command(subcommand)]
    pub(crate) command: WebhooksCommand,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

/// Webhook secret commands.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Create a new secret, and print it. Deliveries are signed with the new and the previous secret.
    NewSecret {
        /// The webhook.
        id: u64,
        /// The operator's name for the audit log.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
    /// Sign deliveries only with the newest secret.
    ForgetOldSecret {
        /// The webhook.
        id: u64,
        /// The operator's name for the audit log.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
}

//! The ledger of payments.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::PostgresUrl;

/// `flash payments`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "What is `refund_due` the payment service is to pay back. The URL comes from the environment, as for \
                  `flash gateway`.\n\nExample: flash payments list --state refund-due --sale drop"
)]
pub(crate) struct Payments {
    #[command(subcommand)]
    pub(crate) command: PaymentsCommand,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

/// What to do with payments.
#[derive(Debug, Subcommand)]
pub(crate) enum PaymentsCommand {
    /// Show them, by number.
    List {
        /// Only in this state.
        #[arg(long, value_enum)]
        state: Option<PaymentState>,
        /// Only of this sale.
        #[arg(long)]
        sale: Option<String>,
        /// Only those after this number.
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
    /// Say that one was paid back. The same again changes nothing.
    Refunded {
        /// Its number.
        payment: u64,
        /// What the payment service calls the refund.
        #[arg(long)]
        reference: String,
        /// Who says so.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PaymentState {
    /// Its order has not ended.
    Pending,
    /// Its order is confirmed.
    Settled,
    /// It is to be paid back.
    RefundDue,
    /// It was paid back.
    Refunded,
}

impl From<PaymentState> for flash_vault::PaymentState {
    fn from(state: PaymentState) -> Self {
        match state {
            PaymentState::Pending => Self::Pending,
            PaymentState::Settled => Self::Settled,
            PaymentState::RefundDue => Self::RefundDue,
            PaymentState::Refunded => Self::Refunded,
        }
    }
}

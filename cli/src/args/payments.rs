//! The ledger of payments.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::PostgresUrl;

/// `flash payments`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The payment service must refund payments that are `refund_due`. The URL comes from the environment, \
                  as for `flash gateway`.\n\nExample: flash payments list --state refund-due --sale drop"
)]
pub(crate) struct Payments {
    #[command(subcommand)]
    pub(crate) command: PaymentsCommand,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

/// Payment commands.
#[derive(Debug, Subcommand)]
pub(crate) enum PaymentsCommand {
    /// List payments by number.
    List {
        /// Only payments in this state.
        #[arg(long, value_enum)]
        state: Option<PaymentState>,
        /// Only this sale.
        #[arg(long)]
        sale: Option<String>,
        /// Only payments after this number.
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
    /// Total the payments of a sale by state and currency.
    Totals {
        /// The sale.
        #[arg(long)]
        sale: String,
    },
    /// Report that a payment was refunded. A repeat changes nothing.
    Refunded {
        /// The number.
        payment: u64,
        /// The payment service's reference for the refund.
        #[arg(long)]
        reference: String,
        /// The operator's name for the audit log.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
}

/// The state of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PaymentState {
    /// The order has not ended.
    Pending,
    /// The order is confirmed.
    Settled,
    /// The payment must be refunded.
    RefundDue,
    /// The payment was refunded.
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

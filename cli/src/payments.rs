//! `flash payments`: the ledger, and refunds that were made.

use std::process::ExitCode;

use anyhow::{Result, bail};
use flash_vault::{LoggedChange, Payment, PaymentFilter, PaymentTotal, REFERENCE_BYTES_MAX, Refund};
use flash_wire::Name;
use serde::Serialize;

use crate::args::{Output, Payments, PaymentsCommand};
use crate::runtime::block_on;
use crate::{audit_log, output, servers};

/// Rows that one question to PostgreSQL gives.
const PAGE_ROWS: u64 = 1_000;

/// The exit code of a sale that is not there.
const UNKNOWN_SALE: u8 = 2;

/// Carries out one of the subcommands.
pub(crate) fn run(args: &Payments, output: Output) -> Result<ExitCode> {
    let postgres = args.postgres.source().read()?;
    block_on(async {
        let vault = servers::postgres(&postgres).await?;
        match &args.command {
            PaymentsCommand::List { state, sale, after } => {
                let state = state.map(Into::into);
                list(&vault, PaymentFilter { state, sale: sale.as_deref(), after: *after }, output).await?;
            }
            PaymentsCommand::Totals { sale } => return totals(&vault, sale, output).await,
            PaymentsCommand::Refunded { payment, reference, by } => {
                Name::new("--reference", reference, REFERENCE_BYTES_MAX)?;
                refunded(&vault, *payment, reference, by, output).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(vault: &flash_vault::Client, mut filter: PaymentFilter<'_>, output: Output) -> Result<()> {
    loop {
        let rows = flash_vault::payment_page(vault, &filter, PAGE_ROWS).await?;
        rows.iter().for_each(|row| show(row, output));
        let Some(last) = rows.last() else { return Ok(()) };
        filter.after = last.payment;
    }
}

async fn totals(vault: &flash_vault::Client, sale: &str, output: Output) -> Result<ExitCode> {
    #[derive(Serialize)]
    struct Shown<'a> {
        sale: &'a str,
        state: &'a str,
        currency: &'a str,
        payments: u64,
        amount: u64,
    }
    flash_wire::key::check_sale(sale).map_err(|invalid| anyhow::anyhow!("{invalid}"))?;
    let rows = flash_vault::payment_totals(vault, sale).await?;
    if rows.is_empty() && flash_vault::sale_facts(vault, sale).await?.is_none() {
        eprintln!("flash: no such sale: {sale}");
        return Ok(ExitCode::from(UNKNOWN_SALE));
    }
    for PaymentTotal { state, currency, payments, amount } in &rows {
        match output {
            Output::Json => {
                output::json(&Shown { sale, state, currency, payments: *payments, amount: *amount });
            }
            Output::Table => output::text(&format!("{state}: {payments} payments, {amount} {currency}\n")),
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn refunded(vault: &flash_vault::Client, payment: u64, reference: &str, by: &str, output: Output) -> Result<()> {
    let detail = format!("{payment} {reference}");
    let change = LoggedChange { who: by, key: None, action: "flash payments refunded", sale: None, detail: &detail };
    let doing = async {
        match flash_vault::refund_payment(vault, payment, reference, by).await? {
            Refund::Done(payment) => Ok(payment),
            Refund::Unknown => bail!("payment {payment} not found; `flash payments list` lists all"),
            Refund::Clash(other) => bail!("the refund {reference} belongs to payment {other}"),
            Refund::NotDue(Payment { refund_reference: Some(known), .. }) => {
                bail!("payment {payment} was already refunded, with the reference {known}")
            }
            Refund::NotDue(row) => {
                bail!("payment {payment} is {}: no refund is due", row.state.name())
            }
        }
    };
    show(&audit_log::logged(vault, change, doing).await?, output);
    Ok(())
}

fn show(row: &Payment, output: Output) {
    #[derive(Serialize)]
    struct Shown<'a> {
        payment: u64,
        sale: &'a str,
        id: u64,
        buyer: Option<&'a str>,
        means: &'a str,
        amount: Option<u64>,
        currency: Option<&'a str>,
        reference: Option<&'a str>,
        state: &'static str,
        reason: Option<&'a str>,
        refund_reference: Option<&'a str>,
        refunded_by: Option<&'a str>,
        at: &'a str,
    }
    let Payment { payment, sale, id, means, amount, at, .. } = row;
    let state = row.state.name();
    match output {
        Output::Json => output::json(&Shown {
            payment: *payment,
            sale,
            id: *id,
            buyer: row.buyer.as_deref(),
            means,
            amount: *amount,
            currency: row.currency.as_deref(),
            reference: row.reference.as_deref(),
            state,
            reason: row.reason.as_deref(),
            refund_reference: row.refund_reference.as_deref(),
            refunded_by: row.refunded_by.as_deref(),
            at,
        }),
        Output::Table => {
            let (buyer, reference) = (row.buyer.as_deref().unwrap_or("?"), row.reference.as_deref().unwrap_or(means));
            let amount = amount.map_or_else(|| "?".to_owned(), |amount| amount.to_string());
            let (currency, reason) = (row.currency.as_deref().unwrap_or(""), row.reason.as_deref().unwrap_or(""));
            let line =
                format!("{payment}: {state} {reason}, {amount} {currency}, {reference}, {sale}/{id} of {buyer}, {at}");
            output::text(&format!("{}\n", line.replace(" ,", ",")));
        }
    }
}

//! What this gateway counts, and how the journals are that its Redis has. For Prometheus, not for buyers.

use std::time::Duration;

use flash_client::{Call, Deadline};
use flash_metrics::{CONTENT_TYPE, Page, SALES_MAX, process};
use flash_vault::Due;
use flash_wire::key::sale_of;
use flash_wire::{COUNT_MAX, ReadySale, SkuStatus};
use flash_worker::now_ms;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

use super::access::Access;
use super::reply::{Reply, reply};
use super::route::{Answer, GET, Handler, Route, Schema, Spec};
use super::state::App;
use super::target::Manner;
use super::{route_counts, sale_status, wish_counts};
use crate::limits::DUE_CURRENCIES_MAX;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &GET,
    path: "/metrics",
    name: "metrics",
    access: Access::READ,
    handler: Handler::Look(|app, _| Box::pin(show(app))),
    manner: Manner::USUAL,
    spec: Spec {
        tag: "The gateway itself",
        summary: "Metrics for Prometheus",
        answers: &[Answer::json(200, "The metrics.", Schema::Named("Text")).of("text/plain")],
        ..Spec::NONE
    },
}];

/// All of it. Where Redis or PostgreSQL is away, what only it knows is left out: unknown is not zero.
async fn show(app: &App) -> Reply {
    let mut page = Page::default();
    process::write(&mut page);
    route_counts::write(&mut page);
    wish_counts::write(&mut page);
    app.rate_limits.rules().write(&mut page);
    let answer = Deadline::after(app.redis_timeout).over(app.redis.call(Call::ready(COUNT_MAX))).await;
    let ready = match answer {
        Ok(Ok(ready)) => Some(ready.sales),
        _ => None,
    };
    page.gauge("flash_redis_up", "Whether Redis answers.", if ready.is_some() { 1.0 } else { 0.0 });
    if let Some(sales) = ready {
        write_journals(&mut page, &sales, now_ms());
    }
    if let Some(stock) = stock(app).await {
        write_stock(&mut page, &stock);
    }
    if let Ok(due) =
        app.postgres.look(async |client: &_| flash_vault::due_payments(client, DUE_CURRENCIES_MAX).await).await
    {
        write_due(&mut page, &due);
    }
    let mut reply = reply(StatusCode::OK, page.into_text().into());
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    reply
}

fn write_journals(page: &mut Page, sales: &[ReadySale], now_ms: u64) {
    let oldest_ms = sales.iter().map(|sale| sale.oldest_at_ms).filter(|at_ms| *at_ms > 0).min();
    let age = Duration::from_millis(oldest_ms.map_or(0, |at_ms| now_ms.saturating_sub(at_ms)));
    page.gauge(
        "flash_oldest_unpersisted_age_seconds",
        "How old the oldest event is that PostgreSQL has not acknowledged: the one to alert on.",
        age.as_secs_f64(),
    );
    let journals = sales.iter().filter_map(|sale| Some((sale_of(&sale.key)?, sale.head.saturating_sub(sale.acked))));
    page.gauge_by_sale("flash_journal_events", "Events that PostgreSQL has not acknowledged.", journals.collect());
    let fenced = sales.iter().filter_map(|sale| Some((sale_of(&sale.key)?, u64::from(sale.fenced))));
    let fenced = fenced.filter(|(_, fenced)| *fenced > 0).collect();
    page.gauge_by_sale("flash_fenced_sales", "Sales that sell nothing until they are known to be whole.", fenced);
}

/// The sales that were created last, with their units. One that Redis does not have is left out.
async fn stock(app: &App) -> Option<Vec<(String, SkuStatus<'static>)>> {
    let newest = app.postgres.look(async |client: &_| flash_vault::newest_sales(client, SALES_MAX as u64).await);
    let sales = newest.await.ok()?;
    let told = sale_status::all(app, sales.iter().map(String::as_str));
    let told = Deadline::after(app.redis_timeout).over(told).await.ok()?;
    Some(sales.into_iter().zip(told).filter_map(|(sale, status)| Some((sale, status?.sums()))).collect())
}

fn write_stock(page: &mut Page, stock: &[(String, SkuStatus<'_>)]) {
    let units = stock.iter().flat_map(|(sale, units)| {
        let by_state = [("available", units.available), ("held", units.held), ("confirmed", units.confirmed)];
        by_state.map(|(state, units)| ([sale.as_str(), state], units))
    });
    let help = "Units of a sale, by state, of the sales that were created last.";
    page.gauge_by_two("flash_stock_units", help, ["sale", "state"], units);
}

/// A currency's code is three capital letters, or the word that it is unknown.
fn write_due(page: &mut Page, due: &[Due]) {
    let by_currency = |value: fn(&Due) -> u64| due.iter().map(move |due| (due.currency.clone(), value(due)));
    let help = "Payments that payment services are to pay back.";
    page.gauge_by("flash_payments_due", help, "currency", by_currency(|due| due.payments));
    let help = "How much that is, in the currency's smallest unit.";
    page.gauge_by("flash_payments_due_amount", help, "currency", by_currency(|due| due.amount));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale(key: &str, acked: u64, head: u64, oldest_at_ms: u64) -> ReadySale {
        ReadySale { key: key.into(), epoch: 1, acked, head, due: false, fenced: head == 9, oldest_at_ms }
    }

    fn check(sales: &[ReadySale], want: &[&str]) {
        let mut page = Page::default();
        write_journals(&mut page, sales, 5_000);
        let text = page.into_text();
        let got: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn refunds_due_are_counted_by_currency() {
        let due = |currency: &str, payments, amount| Due { currency: currency.to_owned(), payments, amount };
        let mut page = Page::default();
        write_due(&mut page, &[due("EUR", 2, 600), due("unknown", 1, 0)]);
        let text = page.into_text();
        let got: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let want = [
            "flash_payments_due{currency=\"EUR\"} 2",
            "flash_payments_due{currency=\"unknown\"} 1",
            "flash_payments_due_amount{currency=\"EUR\"} 600",
            "flash_payments_due_amount{currency=\"unknown\"} 0",
        ];
        assert_eq!(got, want);
    }

    #[test]
    fn the_oldest_event_of_all_sales_is_the_age_and_foreign_keys_are_no_label() {
        check(&[], &["flash_oldest_unpersisted_age_seconds 0"]);
        let sales = [sale("flash:one", 2, 9, 4_750), sale("flash:two", 3, 4, 4_900), sale("a\"b", 0, 1, 0)];
        check(
            &sales,
            &[
                "flash_oldest_unpersisted_age_seconds 0.25",
                "flash_journal_events{sale=\"one\"} 7",
                "flash_journal_events{sale=\"two\"} 1",
                "flash_fenced_sales{sale=\"one\"} 1",
            ],
        );
    }
}

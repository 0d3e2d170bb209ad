//! Refused attempts of operators, in the audit log: a bounded number of them, so that a flood fills no log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flash_vault::{LoggedChange, key_id};
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use tokio::time::Instant;

use super::problem::{Kind, Problem};
use super::target::Target;
use crate::limits::{REFUSALS_LOGGED_MAX, REFUSALS_WINDOW_MS};
use crate::postgres::Postgres;

/// Whom the log names.
const REFUSED: &str = "refused";

/// What one thread wrote of late.
#[derive(Debug, Default)]
pub(crate) struct RefusedLog(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    began: Option<Instant>,
    written: u32,
    /// What was not written since the last row.
    left_out: u32,
}

impl RefusedLog {
    /// Whether one more may be written, and how many were left out before it.
    fn turn(&self) -> Option<u32> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = window.began.is_none_or(|began| began.elapsed() >= Duration::from_millis(REFUSALS_WINDOW_MS));
        if is_over {
            (window.began, window.written) = (Some(Instant::now()), 0);
        }
        if window.written >= REFUSALS_LOGGED_MAX {
            window.left_out = window.left_out.saturating_add(1);
            return None;
        }
        window.written += 1;
        Some(std::mem::take(&mut window.left_out))
    }
}

/// Writes down that an operator's request was refused, in a task of its own: the answer does not wait for it. One that
/// shows nothing and changes nothing is no attempt.
pub(crate) fn note(log: &RefusedLog, postgres: &Arc<Postgres>, target: &Target, head: &Parts, problem: &Problem) {
    let shown = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    // Where it is not known who asks, nothing was refused.
    let is_refusal = matches!(problem.kind, Kind::Unauthenticated | Kind::Forbidden);
    if !is_refusal || (head.method.is_safe() && shown.is_none()) {
        return;
    }
    let Some(left_out) = log.turn() else { return };
    // The readable part of a key, which proves nothing.
    let key = shown.and_then(|shown| key_id(shown.rsplit(' ').next()?)).map(str::to_owned);
    let action = format!("{} {}", head.method, target.path);
    let sale = Some(target.sale.clone()).filter(|sale| !sale.is_empty() && flash_wire::key::check_sale(sale).is_ok());
    let detail = if left_out == 0 { String::new() } else { format!("{left_out} earlier refusals were not logged") };
    let (postgres, outcome) = (postgres.clone(), problem.kind.slug());
    tokio::spawn(async move {
        let change =
            LoggedChange { who: REFUSED, key: key.as_deref(), action: &action, sale: sale.as_deref(), detail: &detail };
        let written = match postgres.change(async |client: &_| flash_vault::log_change(client, change).await).await {
            Ok(row) => postgres.change(async |client: &_| flash_vault::end_logged(client, row, outcome).await).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(action, outcome, ?error, "cannot write a refused attempt to the audit log");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_are_written_in_a_window_and_the_next_says_how_many_were_not() {
        let log = RefusedLog::default();
        for _ in 0..REFUSALS_LOGGED_MAX {
            assert_eq!(log.turn(), Some(0));
        }
        for _ in 0..1_000 {
            assert_eq!(log.turn(), None);
        }
        tokio::time::advance(Duration::from_millis(REFUSALS_WINDOW_MS)).await;
        assert_eq!((log.turn(), log.turn()), (Some(1_000), Some(0)));
    }
}

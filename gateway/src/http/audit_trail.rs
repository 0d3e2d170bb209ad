//! The audit log is written before anything is done, and again afterwards.

use flash_vault::LoggedChange;

use super::identity::Caller;
use super::problem::Problem;
use super::reply::Reply;
use super::state::Asked;
use crate::limits::LOGGED_BYTES_MAX;
use crate::postgres::Postgres;

/// What the log says of what was done.
const DONE: &str = "done";

/// Writes a request down; the row's number.
///
/// # Errors
/// When PostgreSQL does not take it: then it must not be done.
pub(crate) async fn begin(postgres: &Postgres, asked: &Asked) -> Result<u64, Problem> {
    let key = match &asked.caller {
        Caller::Operator(operator) => Some(operator.key.as_str()),
        Caller::Anyone | Caller::Buyer(_) => None,
    };
    let action = format!("{} {}", asked.head.method, asked.target.path);
    let detail = match asked.target.manner.logged {
        Some(logged) => logged(&asked.body),
        None => detail(&asked.target.id, &asked.body),
    };
    let sale = Some(asked.target.sale.as_str()).filter(|sale| !sale.is_empty());
    let change = LoggedChange { who: asked.caller.name(), key, action: &action, sale, detail: &detail };
    Ok(postgres.change(async |client: &_| flash_vault::log_change(client, change).await).await?)
}

/// The id in the path, without what makes a reservation's id a secret, and the body. PostgreSQL's text has no NUL.
fn detail(id: &str, body: &[u8]) -> String {
    let number = id.split('-').next().unwrap_or_default();
    let body = String::from_utf8_lossy(body).replace('\0', "\u{fffd}");
    let mut detail = format!("{number} {body}").trim().to_owned();
    detail.truncate(detail.floor_char_boundary(LOGGED_BYTES_MAX));
    detail
}

/// Records the outcome. If that fails, the row says "unknown".
pub(crate) async fn end(postgres: &Postgres, row: u64, result: &Result<Reply, Problem>) {
    let outcome = result.as_ref().map_or_else(|problem| problem.kind.slug(), |_| DONE);
    if let Err(error) = postgres.change(async |client: &_| flash_vault::end_logged(client, row, outcome).await).await {
        tracing::warn!(row, outcome, ?error, "cannot write a change's outcome to the audit log");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_body_and_nothing_that_is_secret_or_endless_or_unwritable() {
        assert_eq!(detail("", b"{\"delta\":1}"), "{\"delta\":1}");
        assert_eq!(detail("2-00ff", b""), "2");
        assert_eq!(detail("flash_read_7", b""), "flash_read_7");
        assert_eq!(detail("", b"\xff"), "\u{fffd}");
        assert_eq!(detail("", b"a\0b"), "a\u{fffd}b");
        let long = detail("", "\u{eb}".repeat(LOGGED_BYTES_MAX).as_bytes());
        assert_eq!(long.len(), LOGGED_BYTES_MAX);
    }
}

//! Whether a buyer's `data` follows the form of the sale.

use std::sync::Arc;

use serde_json::Value;

use super::problem::{FieldError, Kind, Problem};
use super::state::App;
use crate::catalogue::Facts;
use crate::form::DataRefused;
use crate::pool::PoolError;

/// Checks data before anything is done for it. What is not quick is checked apart from the threads that serve HTTP.
///
/// # Errors
/// When the data breaks the form, or nothing has room to check it.
pub(crate) async fn check(app: &App, facts: &Arc<Facts>, data: Option<&str>) -> Result<(), Problem> {
    let Some(form) = &facts.form else { return Ok(()) };
    let Some(data) = data else {
        let detail = "data must be an object: the sale has a form".to_owned();
        return Err(FieldError { pointer: "/data".to_owned(), detail }.into());
    };
    // The rule for all data was kept: nothing here can fail.
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    if form.is_quick(&data) {
        return form.check(&data).map_err(breaks_form);
    }
    let facts = facts.clone();
    let work = move || facts.form.as_ref().map_or(Ok(()), |form| form.check(&data));
    // On the heap it does not make every reservation's task larger.
    Box::pin(app.pool.run(work)).await?.map_err(breaks_form)
}

fn breaks_form(refused: DataRefused) -> Problem {
    match refused {
        DataRefused::Breaks(breaks) => {
            let errors = breaks.into_iter().map(|breach| FieldError::within("/data", breach));
            errors.collect::<Vec<_>>().into()
        }
        DataRefused::Unknown => Problem::new(Kind::Internal, "the sale's form is unreadable"),
    }
}

impl From<PoolError> for Problem {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Busy => Self::new(Kind::Overloaded, "too many long checks wait already: nothing was changed"),
            PoolError::Failed => Kind::Internal.into(),
        }
    }
}

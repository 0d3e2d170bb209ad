//! The shape of every reply: a code and its fields; either the command's own answer, or a refusal.

use flash_sale::{Refusal, State};

use crate::value::{Fields, Sink, Unreadable, Value};

/// What a command's caller gets: an answer or a refusal. (Bad input and faults are error replies, and never get here.)
pub type Outcome<T> = Result<T, Refusal>;

/// The answer of a command that was carried out.
pub trait Answer: Sized {
    /// Writes the code and the fields.
    fn write(&self, sink: &mut impl Sink);

    /// Reads the fields that belong to `code`; none, if it is not one of this answer's codes.
    ///
    /// # Errors
    /// When the code is known but its fields are not as they should be.
    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable>;
}

/// Writes an outcome as a reply.
pub fn write(outcome: &Outcome<impl Answer>, sink: &mut impl Sink) {
    match outcome {
        Ok(answer) => answer.write(sink),
        Err(refusal) => write_refusal(*refusal, sink),
    }
}

/// Reads a reply as an outcome.
///
/// # Errors
/// Names what is not as it should be.
pub fn read<T: Answer>(value: Value) -> Result<Outcome<T>, Unreadable> {
    let mut fields = Fields::of(value, "reply")?;
    let code = fields.code()?;
    if let Some(answer) = T::read(&code, &mut fields)? {
        return Ok(Ok(answer));
    }
    read_refusal(&code, &mut fields).map(Err)
}

fn write_refusal(refusal: Refusal, sink: &mut impl Sink) {
    sink.array(match refusal {
        Refusal::Replayed { .. } => 4,
        Refusal::NotStarted { .. } | Refusal::Leased { .. } | Refusal::KeyForgotten { .. } => 2,
        Refusal::LimitExceeded { existing: Some(_) } => 2,
        _ => 1,
    });
    sink.code(refusal.code());
    match refusal {
        Refusal::Replayed { id, expires_at_ms, state } => {
            sink.uint(id);
            sink.optional_uint(expires_at_ms);
            sink.code(state.name());
        }
        Refusal::NotStarted { opens_at_ms } => sink.uint(opens_at_ms),
        Refusal::Leased { until_ms } => sink.uint(until_ms),
        Refusal::KeyForgotten { seq } => sink.uint(seq),
        Refusal::LimitExceeded { existing: Some(id) } => sink.uint(id),
        _ => {}
    }
}

fn read_refusal(code: &str, fields: &mut Fields) -> Result<Refusal, Unreadable> {
    Ok(match code {
        "REPLAYED" => Refusal::Replayed {
            id: fields.uint("id")?,
            expires_at_ms: fields.optional_uint("expires_at_ms")?,
            state: state(fields)?,
        },
        "SOLD_OUT" => Refusal::SoldOut,
        "LIMIT_EXCEEDED" => Refusal::LimitExceeded { existing: fields.try_next_uint("existing")? },
        "NOT_STARTED" => Refusal::NotStarted { opens_at_ms: fields.uint("opens_at_ms")? },
        "ENDED" => Refusal::Ended,
        "CLOSED" => Refusal::Closed,
        "FENCED" => Refusal::Fenced,
        "CONFLICT" => Refusal::Conflict,
        "NOT_WARMED" => Refusal::NotWarmed,
        "UNKNOWN" => Refusal::Unknown,
        "EXPIRED" => Refusal::Expired,
        "JOURNAL_FULL" => Refusal::JournalFull,
        "LEASED" => Refusal::Leased { until_ms: fields.uint("until_ms")? },
        "KEY_FORGOTTEN" => Refusal::KeyForgotten { seq: fields.uint("seq")? },
        _ => return Err(Unreadable { what: "code" }),
    })
}

/// Reads a reservation's state.
pub(crate) fn state(fields: &mut Fields) -> Result<State, Unreadable> {
    State::from_name(&fields.text("state")?).ok_or(Unreadable { what: "state" })
}

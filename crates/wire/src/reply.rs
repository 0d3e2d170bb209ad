//! The shape of every reply: a code and its fields; either the command's own answer, or a refusal.

use flash_sale::{Fact, Refusal, State};

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
    let facts = refusal.facts();
    let count = facts.iter().rposition(|fact| *fact != Fact::Nothing).map_or(0, |last| last + 1);
    sink.array(1 + count);
    sink.code(refusal.code());
    for fact in &facts[..count] {
        match fact {
            Fact::Number(number) => sink.uint(*number),
            Fact::State(state) => sink.code(state.name()),
            Fact::Nothing | Fact::Garbage => sink.null(),
        }
    }
}

fn read_refusal(code: &str, fields: &mut Fields) -> Result<Refusal, Unreadable> {
    let facts = std::iter::from_fn(|| fields.try_next()).map(fact);
    Refusal::read(code, facts).map_err(|what| Unreadable { what })?.ok_or(Unreadable { what: "code" })
}

fn fact(value: Value) -> Fact {
    let known = match value {
        Value::Null => Some(Fact::Nothing),
        Value::Int(number) => u64::try_from(number).ok().map(Fact::Number),
        Value::Bytes(name) => std::str::from_utf8(&name).ok().and_then(State::from_name).map(Fact::State),
        Value::Array(_) => None,
    };
    known.unwrap_or(Fact::Garbage)
}

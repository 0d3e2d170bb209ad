//! A sale and its journal, straight in Redis.

use anyhow::{Context, ensure};
use redis::{Connection, Value};

/// Calls in one round trip.
const PIPELINE_CALLS: u64 = 512;
/// What a journal takes: more than any case makes.
const JOURNAL_EVENTS_MAX: u64 = 1_000_000_000;

/// Puts a sale of so many units on sale.
///
/// # Errors
/// When Redis refuses it.
pub fn warm(redis: &mut Connection, sale: &str, units: u64) -> anyhow::Result<()> {
    let mut command = redis::cmd("FLASH.WARM");
    command.arg(key(sale)).arg(units).arg("JOURNAL").arg(JOURNAL_EVENTS_MAX);
    Ok(command.exec(redis)?)
}

/// Sells one unit to each of so many buyers.
///
/// # Errors
/// When Redis refuses it, or the sale does not sell.
pub fn fill(redis: &mut Connection, sale: &str, orders: u64) -> anyhow::Result<()> {
    let key = key(sale);
    for first in (0..orders).step_by(usize::try_from(PIPELINE_CALLS)?) {
        let mut pipeline = redis::pipe();
        for at in first..(first + PIPELINE_CALLS).min(orders) {
            pipeline.cmd("FLASH.RESERVE").arg(&key).arg(buyer(at));
        }
        let replies: Vec<Value> = pipeline.query(redis)?;
        ensure!(replies.iter().all(is_reserved), "the sale does not sell: {:?}", replies.first());
    }
    Ok(())
}

/// A buyer's id, of 17 bytes; it lies anywhere among the others, as ids of people do.
pub fn buyer(at: u64) -> String {
    format!("buyer-{:011x}", at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20)
}

/// Events that PostgreSQL does not have yet.
///
/// # Errors
/// When Redis refuses it, or the sale has no journal.
pub fn events(redis: &mut Connection, sale: &str) -> anyhow::Result<u64> {
    let status: Vec<Value> = redis::cmd("FLASH.STATUS").arg(key(sale)).query(redis)?;
    let is_name = |value: &Value| {
        matches!(value, Value::BulkString(name) if name == b"journal_events")
            || matches!(value, Value::SimpleString(name) if name == "journal_events")
    };
    let at = status.iter().position(is_name).context("STATUS tells the journal's length")?;
    match status.get(at + 1) {
        Some(Value::Int(events)) => Ok(u64::try_from(*events)?),
        other => anyhow::bail!("the journal has {other:?} events"),
    }
}

/// A sale's key.
pub fn key(sale: &str) -> String {
    format!("flash:{sale}")
}

fn is_reserved(reply: &Value) -> bool {
    matches!(reply, Value::Array(fields) if has_code(fields, "RESERVED"))
}

/// Whether a reply begins with this word.
pub fn has_code(reply: &[Value], code: &str) -> bool {
    match reply.first() {
        Some(Value::SimpleString(first)) => first == code,
        Some(Value::BulkString(first)) => first == code.as_bytes(),
        _ => false,
    }
}

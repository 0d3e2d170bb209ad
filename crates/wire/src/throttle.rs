//! `FLASH.THROTTLE key BUCKET rate period_ms burst | BURST limit window_ms extra period_ms | STRICT limit window_ms |
//! SLIDING limit window_ms | DAILY limit offset_minutes [THEN at_ms offset_minutes] [COST units]`

use std::num::NonZeroU64;

use flash_sale::Invalid;
use flash_throttle::limits::{OFFSET_MINUTES_MAX, OFFSET_MINUTES_MIN, PERIOD_MS_MAX, TIME_MS_MAX, UNITS_MAX};
use flash_throttle::{BucketTerms, BurstTerms, DailyTerms, OffsetChange, Standing, Terms, WindowTerms};

use crate::args::{ArgError, ArgSink, Args, is, once, unknown_option};
use crate::reply::Answer;
use crate::value::{Fields, Sink, Unreadable};

/// Before the change of a zone's clock.
const THEN: &str = "THEN";

/// What a call costs where `COST` is not given.
pub const COST_DEFAULT: u64 = 1;

/// Asks a rate limit for units. It is made by the first call that it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// The terms that hold from this call on, if it is allowed.
    pub terms: Terms,
    /// Units, 0 to the terms' limit. 0 only looks.
    pub cost: u64,
}

impl Throttle {
    /// The command's name.
    pub const NAME: &'static str = "FLASH.THROTTLE";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&[u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let terms = terms(&mut args)?.check()?;
        let mut cost = None;
        while let Some(option) = args.try_next() {
            match option {
                arg if is(arg, "COST") => once(&mut cost, "cost", args.int("cost", 0, terms.limit())?)?,
                _ => return Err(unknown_option("COST")),
            }
        }
        Ok(Self { terms, cost: cost.unwrap_or(COST_DEFAULT) })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        let mut put = |strategy: &str, numbers: &[u64]| {
            sink.arg(strategy.as_bytes());
            numbers.iter().for_each(|number| sink.int(*number));
        };
        match self.terms {
            Terms::Bucket(BucketTerms { rate, period_ms, burst }) => put("BUCKET", &[rate, period_ms, burst]),
            Terms::Burst(BurstTerms { limit, window_ms, extra, period_ms }) => {
                put("BURST", &[limit, window_ms, extra, period_ms]);
            }
            Terms::Strict(WindowTerms { limit, window_ms }) => put("STRICT", &[limit, window_ms]),
            Terms::Sliding(WindowTerms { limit, window_ms }) => put("SLIDING", &[limit, window_ms]),
            Terms::Daily(DailyTerms { limit, offset_minutes, change }) => {
                put("DAILY", &[limit]);
                sink.arg(offset_minutes.to_string().as_bytes());
                if let Some(OffsetChange { at_ms, offset_minutes }) = change {
                    sink.option(THEN, Some(at_ms.get()));
                    sink.arg(offset_minutes.to_string().as_bytes());
                }
            }
        }
        sink.option("COST", (self.cost != COST_DEFAULT).then_some(self.cost));
    }
}

fn terms(args: &mut Args) -> Result<Terms, ArgError> {
    Ok(match args.next()? {
        arg if is(arg, "BUCKET") => Terms::Bucket(BucketTerms {
            rate: units(args, "rate")?,
            period_ms: ms(args, "period")?,
            burst: units(args, "burst")?,
        }),
        arg if is(arg, "BURST") => Terms::Burst(BurstTerms {
            limit: units(args, "limit")?,
            window_ms: ms(args, "window")?,
            extra: units(args, "extra")?,
            period_ms: ms(args, "period")?,
        }),
        arg if is(arg, "STRICT") => Terms::Strict(window(args)?),
        arg if is(arg, "SLIDING") => Terms::Sliding(window(args)?),
        arg if is(arg, "DAILY") => Terms::Daily(DailyTerms {
            limit: units(args, "limit")?,
            offset_minutes: offset(args)?,
            change: change(args)?,
        }),
        _ => return Err(Invalid::new("strategy", "must be one of BUCKET, BURST, STRICT, SLIDING, DAILY").into()),
    })
}

fn window(args: &mut Args) -> Result<WindowTerms, ArgError> {
    Ok(WindowTerms { limit: units(args, "limit")?, window_ms: ms(args, "window")? })
}

fn offset(args: &mut Args) -> Result<i32, ArgError> {
    args.signed("offset", OFFSET_MINUTES_MIN, OFFSET_MINUTES_MAX)
}

fn change(args: &mut Args) -> Result<Option<OffsetChange>, ArgError> {
    if !args.keyword(THEN) {
        return Ok(None);
    }
    let (at_ms, offset_minutes) = (args.int("change", 1, TIME_MS_MAX)?, offset(args)?);
    Ok(NonZeroU64::new(at_ms).map(|at_ms| OffsetChange { at_ms, offset_minutes }))
}

fn units(args: &mut Args, field: &'static str) -> Result<u64, ArgError> {
    args.int(field, 1, UNITS_MAX)
}

fn ms(args: &mut Args, field: &'static str) -> Result<u64, ArgError> {
    args.int(field, 1, PERIOD_MS_MAX)
}

/// `allowed limit remaining retry_after_ms reset_ms`, all numbers: `allowed` is 1 or 0, and `retry_after_ms` is nil
/// when it is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleAnswer {
    /// None: the call is allowed. Otherwise it is not, and nothing was taken; the same call is allowed so many
    /// milliseconds later and no sooner, if nothing else is taken meanwhile.
    pub retry_after_ms: Option<u64>,
    /// The limit, what can be taken now, and when nothing is in use any more.
    pub standing: Standing,
}

impl ThrottleAnswer {
    /// Whether the call is allowed.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        self.retry_after_ms.is_none()
    }
}

impl Answer for ThrottleAnswer {
    fn write(&self, sink: &mut impl Sink) {
        sink.array(5);
        sink.uint(self.is_allowed().into());
        sink.uint(self.standing.limit);
        sink.uint(self.standing.remaining);
        sink.optional_uint(self.retry_after_ms);
        sink.uint(self.standing.reset_ms);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        let is_allowed = match code {
            "1" => true,
            "0" => false,
            _ => return Ok(None),
        };
        let (limit, remaining) = (fields.uint("limit")?, fields.uint("remaining")?);
        let retry_after_ms = fields.optional_uint("retry_after_ms")?;
        if retry_after_ms.is_none() != is_allowed {
            return Err(Unreadable { what: "retry_after_ms" });
        }
        Ok(Some(Self { retry_after_ms, standing: Standing { limit, remaining, reset_ms: fields.uint("reset_ms")? } }))
    }
}

//! `FLASH.THROTTLE`, and what carries it to replicas and into AOFs.

use std::ffi::CStr;

use flash_throttle::{Decision, Taken, Terms, Throttle};
use flash_wire::{Sink, Throttle as Ask, ThrottleAnswer};

use super::replicated::from_the_server;
use crate::call::{Call, Command, Key};
use crate::docs::{Arg, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::open_sale::answer;
use crate::stats;
use crate::value::Value;

/// Carries one taking to replicas and the AOF.
const APPLY: &CStr = c"FLASH.THROTTLE.APPLY";
/// The usual size of one.
const TAKEN_BYTES: usize = 32;
/// The reply to what has no answer.
const OK: &str = "OK";

pub(crate) struct ThrottleCommand;

impl Command for ThrottleCommand {
    const NAME: &CStr = c"FLASH.THROTTLE";
    const FLAGS: &CStr = c"write deny-oom fast";
    const DOCS: Docs = Docs {
        summary: c"Takes units from a rate limit, or says when there will be enough. COST 0 only looks.",
        complexity: c"O(1), and O(log(N)) in the number of milliseconds in which a sliding window has taken units",
        args: &[
            KEY,
            Arg::new(
                c"strategy",
                Kind::OneOf(&[
                    Arg::new(c"bucket", Kind::Block(&[int(c"rate"), int(c"period_ms"), int(c"burst")]))
                        .token(c"BUCKET"),
                    Arg::new(
                        c"burst",
                        Kind::Block(&[int(c"limit"), int(c"window_ms"), int(c"extra"), int(c"period_ms")]),
                    )
                    .token(c"BURST"),
                    Arg::new(c"strict", Kind::Block(&[int(c"limit"), int(c"window_ms")])).token(c"STRICT"),
                    Arg::new(c"sliding", Kind::Block(&[int(c"limit"), int(c"window_ms")])).token(c"SLIDING"),
                    Arg::new(
                        c"daily",
                        Kind::Block(&[
                            int(c"limit"),
                            int(c"offset_minutes"),
                            Arg::new(c"change", Kind::Block(&[int(c"at_ms"), int(c"offset_minutes")]))
                                .token(c"THEN")
                                .optional(),
                        ]),
                    )
                    .token(c"DAILY"),
                ]),
            ),
            int(c"units").token(c"COST").optional(),
        ],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Ask { terms, cost } = call.with_args::<Self, _>(Ask::parse)?;
        let mut key = call.key::<Throttle>()?;
        let now_ms = call.now_ms();
        keep_time(&mut key, now_ms);
        let retry_after_ms = match look(&mut key, &terms, |throttle| throttle.decide(&terms, cost, now_ms)) {
            Decision::Taken(taken) => {
                happen(&mut key, &taken);
                stats::asked_for_units(true);
                None
            }
            Decision::Peeked => None,
            Decision::Refused { retry_after_ms } => {
                stats::asked_for_units(false);
                Some(retry_after_ms)
            }
        };
        let standing = look(&mut key, &terms, |throttle| throttle.standing(&terms, now_ms));
        answer(call, &Ok(ThrottleAnswer { retry_after_ms, standing }))
    }
}

const fn int(name: &'static CStr) -> Arg {
    Arg::new(name, Kind::Int)
}

/// Looks at the key's rate limit; one that is not there has nothing in use.
fn look<T>(key: &mut Key<Throttle>, terms: &Terms, f: impl FnOnce(&Throttle) -> T) -> T {
    match key.value() {
        Some((throttle, _)) => f(throttle),
        None => f(&Throttle::new(terms)),
    }
}

/// Steps back where the server's clock did, before anything is decided by it.
fn keep_time(key: &mut Key<Throttle>, now_ms: u64) {
    let step = key.value().and_then(|(throttle, _)| throttle.steps_back(now_ms));
    if let Some(step) = step {
        stats::THROTTLES_STEPPED_BACK.add(1);
        happen(key, &step);
    }
}

/// Lets it happen, here and on every replica.
fn happen(key: &mut Key<Throttle>, taken: &Taken) {
    apply(key, taken);
    if let Some((_, name)) = key.value() {
        let mut event = Vec::with_capacity(TAKEN_BYTES);
        taken.encode(&mut event);
        name.replicate(APPLY, Some(&event));
    }
}

fn apply(key: &mut Key<Throttle>, taken: &Taken) {
    if key.value().is_none() {
        key.set(Throttle::new(&taken.terms));
    }
    let Some((throttle, name)) = key.value() else { return };
    let before_ms = throttle.expires_at_ms();
    throttle.apply(taken);
    name.changed();
    let expires_at_ms = throttle.expires_at_ms();
    if expires_at_ms != before_ms {
        key.expire_at(expires_at_ms);
    }
}

pub(crate) struct ApplyCommand;

impl Command for ApplyCommand {
    const NAME: &CStr = APPLY;
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs = Docs {
        summary: c"Takes units from a rate limit, as was decided. Only a primary or an AOF sends it.",
        complexity: c"O(1)",
        args: &[KEY, Arg::new(c"taken", Kind::Text)],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let (mut key, bytes) = from_the_server::<Self, Throttle>(call)?;
        apply(&mut key, &Taken::decode(bytes)?);
        call.replicate_verbatim();
        call.reply().code(OK);
        Ok(())
    }
}

pub(crate) struct LoadCommand;

impl Command for LoadCommand {
    const NAME: &CStr = Throttle::LOAD;
    const FLAGS: &CStr = c"write";
    const DOCS: Docs = Docs {
        summary: c"Restores a whole rate limit. Only a primary or an AOF sends it.",
        complexity: c"O(N), N being the number of milliseconds in which a sliding window has taken units",
        args: &[KEY, Arg::new(c"state", Kind::Text)],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let (mut key, bytes) = from_the_server::<Self, Throttle>(call)?;
        // The AOF has its time to live too, in the command that follows.
        key.set(<Throttle as Value>::load(bytes)?);
        call.replicate_verbatim();
        call.reply().code(OK);
        Ok(())
    }
}

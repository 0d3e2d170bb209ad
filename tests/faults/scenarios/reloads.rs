//! Redis rewrites its file and loads itself anew while it sells.

use anyhow::Result;
use rand::seq::IndexedRandom;

use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Terms;

/// What each takes a sale apart for and makes it again.
const COMMANDS: [&[&str]; 5] = [
    &["DEBUG", "RELOAD"],
    &["DEBUG", "LOADAOF"],
    &["BGREWRITEAOF"],
    &["CONFIG", "SET", "aof-use-rdb-preamble", "yes"],
    &["CONFIG", "SET", "aof-use-rdb-preamble", "no"],
];
/// Commands of one round.
pub(super) const COMMANDS_PER_ROUND: u64 = 20;

pub(super) fn reloaded(runner: &mut Runner) -> Result<()> {
    let redis = ["--enable-debug-command", "yes"].map(str::to_owned).to_vec();
    runner.rounds(&Terms { redis, ..Terms::default() }, |world, seed| round::run(world, seed, USUAL, reload))
}

fn reload(strike: &mut Strike) -> Result<()> {
    let url = strike.world.servers.redis.url();
    let mut redis = redis::Client::open(url)?.get_connection()?;
    for _ in 0..COMMANDS_PER_ROUND {
        let command = *COMMANDS.choose(&mut strike.random).expect("there are some");
        let mut words = redis::Cmd::new();
        for word in command {
            words.arg(*word);
        }
        // While a file is rewritten, another rewriting is refused.
        let said = words.query::<redis::Value>(&mut redis);
        strike.note(format!("Redis: {}: {said:?}", command.join(" ")));
        let pause = strike.ms(0..40);
        strike.last(pause);
    }
    Ok(())
}

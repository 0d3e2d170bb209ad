//! PostgreSQL dies, ends its connections, or does not come to an end with a commit.

use anyhow::Result;
use rand::RngExt;

use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Terms;

pub(super) const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()";
/// Times that connections are ended in a row.
const TERMINATIONS: u64 = 3;

/// One of the three, by chance.
pub(super) fn trouble(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| {
        round::run(world, seed, USUAL, |strike| match seed % 3 {
            0 => kill(strike),
            1 => terminate(strike),
            _ => hang(strike),
        })
    })
}

pub(super) fn kill(strike: &mut Strike) -> Result<()> {
    strike.note("PostgreSQL: SIGKILL");
    strike.world.servers.postgres.server.kill()?;
    let away = strike.ms(0..500);
    strike.last(away);
    strike.note("PostgreSQL: started");
    strike.world.servers.postgres.server.restart()?;
    Ok(())
}

fn terminate(strike: &mut Strike) -> Result<()> {
    let mut eyes = strike.eyes()?;
    for _ in 0..TERMINATIONS {
        strike.note("PostgreSQL: every connection is ended");
        eyes.execute(TERMINATE)?;
        let pause = strike.ms(10..150);
        strike.last(pause);
    }
    Ok(())
}

/// It takes no writes for a while, in the ways it has: by a setting that live sessions take on, or by one of the
/// database or the user, which only new ones do, so that live ones are ended. Those that begin meanwhile stay
/// read-only.
pub(super) fn read_only(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| {
        round::run(world, seed, USUAL, |strike| {
            let mut eyes = strike.eyes()?;
            let (level, ends_sessions) = match seed % 3 {
                0 => ("SYSTEM", false),
                1 => ("DATABASE faults", true),
                _ => ("ROLE CURRENT_USER", true),
            };
            strike.note(format!("PostgreSQL: read only, by ALTER {level}"));
            eyes.execute(&format!("ALTER {level} SET default_transaction_read_only = on"))?;
            eyes.execute(if ends_sessions { TERMINATE } else { "SELECT pg_reload_conf()" })?;
            let time = strike.ms(500..4_000);
            strike.last(time);
            strike.note("PostgreSQL: takes writes again");
            eyes.execute(&format!("ALTER {level} RESET default_transaction_read_only"))?;
            eyes.execute("SELECT pg_reload_conf()")
        })
    })
}

/// A commit waits for a standby that is not there: it is on disk, and its client is not told. In half of all cases the
/// connection is ended meanwhile, so that the client gets an error, and the rows are there nevertheless.
fn hang(strike: &mut Strike) -> Result<()> {
    let mut eyes = strike.eyes()?;
    strike.note("PostgreSQL: commits hang");
    eyes.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")?;
    eyes.execute("SELECT pg_reload_conf()")?;
    let hanging = strike.ms(200..3_000);
    strike.last(hanging);
    if strike.random.random_bool(0.5) {
        strike.note("PostgreSQL: hanging connections are ended");
        eyes.execute(TERMINATE)?;
        let more = strike.ms(50..500);
        strike.last(more);
    }
    strike.note("PostgreSQL: commits end");
    eyes.execute("ALTER SYSTEM RESET synchronous_standby_names")?;
    eyes.execute("SELECT pg_reload_conf()")
}

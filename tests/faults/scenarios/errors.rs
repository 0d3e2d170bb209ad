//! PostgreSQL refuses for a while, in the ways it has.

use std::time::Duration;

use anyhow::Result;
use rand::RngExt;

use crate::eyes::Eyes;
use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Terms;

/// What passes: serialization, deadlock, disk full, out of memory, too many connections, lock not available, cancelled.
const STATES: [&str; 7] = ["40001", "40P01", "53100", "53200", "53300", "55P03", "57014"];
/// Connections that PostgreSQL takes, so that they can be used up.
const CONNECTIONS_MAX: usize = 24;

pub(super) fn run(runner: &mut Runner) -> Result<()> {
    let postgres = vec![format!("max_connections={CONNECTIONS_MAX}"), "max_wal_senders=0".into()];
    runner.rounds(&Terms { postgres, ..Terms::default() }, |world, seed| {
        round::run(world, seed, USUAL, |strike| match seed % 5 {
            0 => read_only(strike),
            1 => no_connection_left(strike),
            2 => locked(strike),
            _ => failing(strike),
        })
    })
}

/// A trigger fails every other batch, before anything of it is written.
fn failing(strike: &mut Strike) -> Result<()> {
    let state = STATES[strike.random.random_range(0..STATES.len())];
    strike.note(format!("PostgreSQL: every other batch fails with {state}"));
    let mut eyes = strike.eyes()?;
    eyes.execute(&format!(
        "CREATE OR REPLACE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF random() < 0.5 THEN RAISE EXCEPTION 'trouble' USING ERRCODE = '{state}'; END IF; RETURN NULL; END $$"
    ))?;
    eyes.execute("CREATE TRIGGER trouble BEFORE INSERT ON orders EXECUTE FUNCTION trouble()")?;
    let time = strike.ms(200..2_000);
    strike.last(time);
    eyes.execute("DROP TRIGGER trouble ON orders")
}

/// 25006: what a primary says that became a standby.
fn read_only(strike: &mut Strike) -> Result<()> {
    let mut eyes = strike.eyes()?;
    strike.note("PostgreSQL: read only");
    eyes.execute("ALTER SYSTEM SET default_transaction_read_only = on")?;
    eyes.execute("SELECT pg_reload_conf()")?;
    let time = strike.ms(200..2_000);
    strike.last(time);
    eyes.execute("ALTER SYSTEM RESET default_transaction_read_only")?;
    eyes.execute("SELECT pg_reload_conf()")
}

/// 53300: others have taken every connection, and ours were ended.
fn no_connection_left(strike: &mut Strike) -> Result<()> {
    strike.note("PostgreSQL: no connection is left");
    let mut eyes = strike.eyes()?;
    eyes.execute(super::postgres::TERMINATE)?;
    let mut others: Vec<Eyes> = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        let mut other = strike.eyes()?;
        if other.execute("SELECT 1").is_err() {
            break;
        }
        others.push(other);
    }
    strike.note(format!("{} connections are others'", others.len()));
    strike.last(Duration::from_millis(1_500));
    drop(others);
    Ok(())
}

/// A transaction of somebody's holds every counter for some seconds, and then wants what the syncer has locked
/// meanwhile: a deadlock.
fn locked(strike: &mut Strike) -> Result<()> {
    let mut eyes = strike.eyes()?;
    strike.note("PostgreSQL: the counters are locked");
    eyes.execute("BEGIN")?;
    eyes.execute("SELECT FROM skus FOR UPDATE")?;
    let time = strike.ms(300..5_000);
    strike.last(time);
    strike.note("PostgreSQL: a deadlock");
    // Whose transaction is the victim is PostgreSQL's choice.
    let _ = eyes.execute("SELECT FROM epochs FOR UPDATE");
    let _ = eyes.execute("ROLLBACK");
    Ok(())
}

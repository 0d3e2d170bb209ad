//! Redis forgets: its newest events, or everything. The sale answers `fenced` until it is rebuilt, without anybody's
//! help. What was answered in the moments that are forgotten may be missing, and nothing else.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use flash_servers::{Redis, RedisOptions, silent};
use flash_tests::{built, wait};
use rand::RngExt;

use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::{Terms, Which};

/// Between an answer and the moment in which RabbitMQ has its event: what Redis forgets within it exists nowhere else.
pub(super) const ON_ITS_WAY: Duration = Duration::from_secs(3);
/// An answer may reach its buyer a little after Redis gave it.
const ANSWER: Duration = Duration::from_millis(500);
/// How long a replica may take to have everything.
const SYNC: Duration = Duration::from_secs(30);

/// Redis as `flash dev` runs it, but for how often it syncs.
pub(super) fn terms(fsync: &str) -> Terms {
    let args = ["--appendfsync", fsync, "--flash.fence-on-load", "yes", "--repl-diskless-sync-delay", "0"];
    Terms { redis: args.map(str::to_owned).to_vec(), ..Terms::default() }
}

/// SIGKILL while every answer is on disk: it is fenced, found whole, and sells on. Nothing may be missing.
pub(super) fn whole(runner: &mut Runner) -> Result<()> {
    runner.rounds(&terms("always"), |world, seed| round::run(world, seed, USUAL, super::redis::kill))
}

/// `everysec`: SIGKILL, and up to a second of the newest commands is not in the file, as after a loss of power.
pub(super) fn tail(runner: &mut Runner) -> Result<()> {
    runner.rounds(&terms("everysec"), |world, seed| {
        round::run(world, seed, USUAL, |strike| {
            let back = strike.ms(50..1_000);
            cut_file(strike, back)
        })
    })
}

/// Much more of the file is gone.
pub(super) fn cut_short(runner: &mut Runner) -> Result<()> {
    runner.rounds(&terms("everysec"), |world, seed| {
        round::run(world, seed, USUAL, |strike| {
            let back = strike.ms(0..400);
            strike.last(back + Duration::from_millis(300));
            cut_file(strike, back + Duration::from_millis(200))
        })
    })
}

/// FLUSHALL: every key is gone.
pub(super) fn flushed(runner: &mut Runner) -> Result<()> {
    runner.rounds(&terms("always"), |world, seed| {
        round::run(world, seed, USUAL, |strike| {
            let mut redis = redis::Client::open(strike.world.servers.redis.url())?.get_connection()?;
            strike.note("Redis: FLUSHALL");
            redis::cmd("FLUSHALL").query::<()>(&mut redis)?;
            forgot(strike, ON_ITS_WAY);
            Ok(())
        })
    })
}

/// The file is gone: another, empty Redis takes its place.
pub(super) fn empty(runner: &mut Runner) -> Result<()> {
    runner.rounds(&terms("always"), |world, seed| {
        round::run(world, seed, USUAL, |strike| {
            strike.note("Redis: SIGKILL, and its files are deleted");
            let server = &mut strike.world.servers.redis.server;
            server.kill()?;
            fs::remove_dir_all(server.dir().join("appendonlydir"))?;
            forgot(strike, ON_ITS_WAY);
            strike.world.servers.redis.server.restart()?;
            Ok(())
        })
    })
}

/// A replica that lags is promoted.
pub(super) fn promoted(runner: &mut Runner) -> Result<()> {
    runner.rounds(&terms("always"), |world, seed| round::run(world, seed, USUAL, promote))
}

fn promote(strike: &mut Strike) -> Result<()> {
    let dir = strike.world.folder(&format!("redis-{}", strike.now().as_nanos()));
    let options = RedisOptions {
        module: Some(built("libflash.so")),
        args: terms("always").redis.iter().map(Into::into).collect(),
        ..RedisOptions::new(dir)
    };
    let replica = Redis::start(&options, silent)?;
    let mut connection = redis::Client::open(replica.url())?.get_connection()?;
    let primary = strike.world.servers.redis.server.port().to_string();
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg(primary).query::<()>(&mut connection)?;
    let linked = wait::within(SYNC, || {
        let info: String = redis::cmd("INFO").arg("replication").query(&mut connection).ok()?;
        info.contains("master_link_status:up").then_some(())
    });
    ensure!(linked.is_some(), "the replica never had everything");
    // Paused, it lags: what it has not read yet stays with the primary, which dies.
    replica.server.pause();
    strike.note("Redis: its replica stands still");
    let lag = strike.ms(20..600);
    strike.last(lag);
    strike.world.servers.redis.server.kill()?;
    strike.note("Redis: SIGKILL; the replica is promoted");
    forgot(strike, lag.max(ON_ITS_WAY));
    replica.server.resume();
    redis::cmd("REPLICAOF").arg("NO").arg("ONE").query::<()>(&mut connection)?;
    strike.world.lead_to(Which::Redis, replica.server.port());
    strike.world.servers.redis = replica;
    Ok(())
}

/// Kills Redis, and takes from its file what was written less than `back` before that.
fn cut_file(strike: &mut Strike, back: Duration) -> Result<()> {
    let file = newest_file(strike)?;
    let length = fs::metadata(&file)?.len();
    strike.note(format!("Redis: the last {} ms of its file will be lost", back.as_millis()));
    strike.last(back);
    strike.world.servers.redis.server.kill()?;
    strike.note(format!("Redis: SIGKILL, cut to {length} bytes"));
    let torn = strike.random.random_range(0..40).min(length);
    OpenOptions::new().write(true).open(&file)?.set_len(length - torn)?;
    forgot(strike, back + Duration::from_millis(100));
    strike.world.servers.redis.server.restart()?;
    Ok(())
}

/// What was answered that long before now may be missing.
pub(super) fn forgot(strike: &mut Strike, back: Duration) {
    let now = strike.now();
    strike.excuses.rejections = true;
    strike.excuses.lost.push(now.saturating_sub(back + ANSWER)..now + ANSWER);
}

fn newest_file(strike: &Strike) -> Result<PathBuf> {
    let folder = strike.world.servers.redis.server.dir().join("appendonlydir");
    let files = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|path| path.to_string_lossy().ends_with(".incr.aof")).max().context("the append-only file")
}

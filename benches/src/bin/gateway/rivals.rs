//! Those who are measured beside the gateway: nginx with Lua, and a service in Node. Both run the same script in the
//! same Redis.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use redis::{Cmd, Connection};
use tempfile::TempDir;

use flash_benches::http;
use flash_benches::meter::Meter;
use flash_benches::world::{Part, World};

/// What a sale promises here, it promises there: `FLASH.RESERVE` as a script.
const SCRIPT: &str = include_str!("../module/lua/promise.lua");
/// Processes of each, one for a core, as our gateway has threads.
pub(crate) const WORKERS: usize = 2;
/// The pay window of every sale.
pub(crate) const HOLD: Duration = Duration::from_secs(600);
/// What a journal takes: more than any run makes.
const JOURNAL_EVENTS_MAX: u64 = 1_000_000_000;

/// Puts a sale on sale for the script.
pub(crate) fn warm(redis: &mut Connection, sale: &str, units: u64) -> anyhow::Result<()> {
    let key = format!("lua:{sale}");
    let counters = [("available", units), ("seq", 1), ("acked", 0)];
    let terms = [("hold_ms", u64::try_from(HOLD.as_millis())?), ("journal_max", JOURNAL_EVENTS_MAX)];
    Ok(Cmd::hset_multiple(key, &[&counters[..], &terms[..]].concat()).exec(redis)?)
}

/// A running rival. Dropped, it is stopped.
pub(crate) struct Rival {
    pub(crate) part: Part,
    _dir: TempDir,
}

impl Rival {
    pub(crate) fn nginx(world: &World) -> anyhow::Result<Self> {
        let dir = open_dir()?;
        let address = free_address()?;
        let script: String = redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query(&mut world.connect()?)?;
        let path = dir.path().to_str().context("a directory's name")?;
        let filled = [
            ("workers", WORKERS.to_string()),
            ("dir", path.to_owned()),
            ("address", address.clone()),
            ("redis_port", world.redis.server.port().to_string()),
            ("script", script),
        ];
        let text = include_str!("nginx/nginx.conf").to_owned();
        let text = filled.iter().fold(text, |text, (name, value)| text.replace(&format!("<{name}>"), value));
        fs::write(dir.path().join("nginx.conf"), text)?;
        fs::write(dir.path().join("reserve.lua"), include_str!("nginx/reserve.lua"))?;
        let conf = dir.path().join("nginx.conf");
        let args = ["-p", path, "-e", "stderr", "-c", conf.to_str().context("a file's name")?];
        let mut part = Part::start(command("nginx", &args)?)?;
        Meter::start(&[]).until(|| {
            part.ensure_running()?;
            Ok(u64::from(!http::is_ok(&address, "/200").unwrap_or(false)))
        })?;
        part.address = address;
        Ok(Self { part, _dir: dir })
    }

    pub(crate) fn node(world: &World, service: &Path) -> anyhow::Result<Self> {
        let dir = open_dir()?;
        ensure!(service.is_file(), "there is no {}: run scripts/bootstrap-bench", service.display());
        let address = free_address()?;
        let script = dir.path().join("promise.lua");
        fs::write(&script, SCRIPT)?;
        let service = std::path::absolute(service)?;
        let mut command = command("node", &[service.to_str().context("a file's name")?])?;
        command.env("ADDRESS", &address).env("REDIS_URL", world.redis.url()).env("AMQP_URL", world.amqp_url());
        command.env("SCRIPT", script).env("WORKERS", WORKERS.to_string()).env("NODE_ENV", "production");
        let mut part = Part::start(command)?;
        ensure!(part.line()? == "ready\n", "the service in Node did not start");
        part.address = address;
        Ok(Self { part, _dir: dir })
    }
}

/// hyper alone, as a process of its own.
pub(crate) fn plain() -> anyhow::Result<Part> {
    let program = std::env::current_exe()?;
    let mut part = Part::start(command(program.to_str().context("a file's name")?, &["--plain"])?)?;
    part.address = part.line()?.trim_end().to_owned();
    Ok(part)
}

/// Its workers end with it only if it is asked to end.
impl Drop for Rival {
    fn drop(&mut self) {
        if let Err(error) = self.part.stop() {
            eprintln!("a rival cannot be stopped: {error:#}");
        }
    }
}

/// A program that is asked to end when this thread does.
fn command(name: &str, args: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(program(name)?).args(args).stdout(Stdio::piped());
    Ok(command)
}

/// nginx's workers are another user's.
fn open_dir() -> anyhow::Result<TempDir> {
    Ok(tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir()?)
}

fn free_address() -> anyhow::Result<String> {
    Ok(format!("127.0.0.1:{}", flash_servers::free_port()?))
}

/// Debian's nginx lies where users do not look.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin:/sbin";
    let found = path.split(':').map(|dir| Path::new(dir).join(name)).find(|program| program.is_file());
    found.with_context(|| format!("there is no {name}: run scripts/bootstrap-bench"))
}

/// What it calls itself.
pub(crate) fn version(name: &str, arg: &str) -> anyhow::Result<String> {
    let output = Command::new(program(name)?).arg(arg).stdin(Stdio::null()).output()?;
    // nginx tells it on the other stream.
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let mut words = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    Ok(words.find(|word| word.contains('.')).unwrap_or_default().to_owned())
}

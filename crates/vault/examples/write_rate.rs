//! How many orders a second the vault writes, by the size of a batch, and what one costs PostgreSQL.
//!
//! `cargo run --release -p flash-vault --example write_rate [orders]` starts a PostgreSQL of its own, with its usual
//! settings: every commit is on disk. All rows go into one table, so that later lines meet larger indexes.

use std::error::Error;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use flash_servers::{Postgres, PostgresOptions, silent};
use flash_vault::{Vault, connect, migrate};
use flash_wire::Message;
use flash_wire::message::{
    MESSAGE_EVENTS_MAX, MESSAGE_VERSION, MessageChange, MessageEvent, MessageItem, MessageReserved, MessageSku,
    MessageTerms,
};

const ORDERS_DEFAULT: u64 = 200_000;
/// Events in a batch, and the share of the orders that so slow a line is measured with.
const BATCHES: [(usize, u64); 7] = [(1, 100), (10, 20), (100, 4), (500, 1), (1_000, 1), (2_000, 1), (5_000, 1)];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let orders: u64 = std::env::args().nth(1).map_or(Ok(ORDERS_DEFAULT), |text| text.parse())?;
    // The server runs as another user, who must get there.
    let open = std::fs::Permissions::from_mode(0o755);
    let dir = tempfile::Builder::new().permissions(open).tempdir()?;
    let server = Postgres::start(&PostgresOptions::new(dir.path().join("postgres")), silent)?;
    let url = server.url("postgres");
    migrate(&mut connect(&url).await?).await?;
    let mut bench = Bench { vault: Vault::open(&url).await?, postmaster: server.server.pid().ok_or("no PostgreSQL")? };

    println!("{:>6} {:>8} {:>18} {:>21} {:>18} {:>21}", "batch", "orders", "made/s", "CPU µs", "confirmed/s", "CPU µs");
    for (batch, share) in BATCHES {
        let (sale, count) = (format!("sale-{batch}"), orders / share);
        bench.write(&sale, batch, 1, vec![warmed(count)]).await?;
        let made = bench.write(&sale, batch, 2, (0..count).map(reserved).collect()).await?;
        let confirm = |at| MessageChange::Confirmed { id: 2 + at };
        let confirmed = bench.write(&sale, batch, 2 + count, (0..count).map(confirm).collect()).await?;
        println!("{batch:>6} {count:>8} {made} {confirmed}");
    }
    Ok(())
}

struct Bench {
    vault: Vault,
    postmaster: u32,
}

impl Bench {
    /// Writes events in batches; gives their rate, and PostgreSQL's CPU for each.
    async fn write(
        &mut self,
        sale: &str,
        batch: usize,
        first_seq: u64,
        changes: Vec<MessageChange<'static>>,
    ) -> Result<String, Box<dyn Error>> {
        let event = |(seq, change)| MessageEvent { seq, at_ms: 1_760_000_000_000, change };
        let events: Vec<_> = (first_seq..).zip(changes).map(event).collect();
        let message = |events: &[MessageEvent<'static>]| Message {
            version: MESSAGE_VERSION,
            sale: sale.to_owned().into(),
            epoch: 1,
            published_at_ms: None,
            events: events.to_vec(),
        };
        let batches: Vec<Vec<Message>> =
            events.chunks(batch).map(|events| events.chunks(MESSAGE_EVENTS_MAX).map(message).collect()).collect();
        let (begin, cpu) = (Instant::now(), cpu_ticks(self.postmaster)?);
        for batch in &batches {
            self.vault.write(batch).await?;
        }
        let rate = events.len() as f64 / begin.elapsed().as_secs_f64();
        let cpu_us = (cpu_ticks(self.postmaster)? - cpu) as f64 * 1e4 / events.len() as f64;
        Ok(format!("{rate:>18.0} {cpu_us:>21.1}"))
    }
}

fn warmed(total: u64) -> MessageChange<'static> {
    MessageChange::Warmed(MessageTerms {
        skus: vec![MessageSku { sku: "default".to_owned(), total }],
        limit: 1,
        hold_ms: Some(60_000),
        opens_at_ms: None,
        closes_at_ms: None,
        journal_events_max: Some(1_000_000),
    })
}

/// A hold of a buyer whose id, of 17 bytes, lies anywhere among the others, as ids of people do.
fn reserved(at: u64) -> MessageChange<'static> {
    let anywhere = at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    MessageChange::Reserved(MessageReserved {
        buyer: format!("buyer-{anywhere:011x}").into(),
        items: vec![MessageItem { sku: "default".into(), quantity: 1 }],
        expires_at_ms: Some(1_760_000_060_000),
        ..MessageReserved::default()
    })
}

/// CPU of PostgreSQL's processes so far, in the kernel's ticks of 10 ms.
fn cpu_ticks(postmaster: u32) -> Result<u64, Box<dyn Error>> {
    let mut ticks = 0;
    for entry in std::fs::read_dir("/proc")? {
        let Ok(stat) = std::fs::read_to_string(entry?.path().join("stat")) else { continue };
        // The name in parentheses may hold anything.
        let (head, tail) = stat.rsplit_once(')').unwrap_or_default();
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let is_ours = head.split(' ').next() == Some(&postmaster.to_string())
            || fields.get(1) == Some(&postmaster.to_string().as_str());
        if is_ours && let (Some(user), Some(system)) = (fields.get(11), fields.get(12)) {
            ticks += user.parse::<u64>()? + system.parse::<u64>()?;
        }
    }
    Ok(ticks)
}

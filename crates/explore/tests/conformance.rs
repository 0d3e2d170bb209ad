//! The model of PostgreSQL leaves the same rows as the real vault, over random histories.

use std::os::unix::fs::PermissionsExt;

use flash_explore::conformance::{History, Kept, Operation, TOTAL, Until, What, Written};
use flash_servers::{Postgres, PostgresOptions, silent};
use flash_vault::{
    Claim, Error, RedisState, Seen, Standing, Vault, Wanted, connect, migrate, pause_syncers, take_recovery,
};
use flash_wire::message::{
    MESSAGE_VERSION, MessageChange, MessageEvent, MessageItem, MessageReserved, MessageSku, MessageTerms,
};
use flash_wire::{Message, RebuiltReservation, State, Terms};
use tokio_postgres::Client;

/// Histories, each a sale of its own in one database; `FLASH_CONFORMANCE_HISTORIES` sets another number.
const HISTORIES: u64 = 300;
/// In one of so many histories, operations are tried while writing is paused, first.
const PAUSED_EVERY: u64 = 16;
/// Operations of one history.
const OPERATIONS: usize = 20;
const SKU: &str = "default";
/// The only barrier that PostgreSQL has.
const BARRIER: &str = "barrier";
/// Text that PostgreSQL does not take.
const BAD_TEXT: &str = "\0";

/// Every row of a sale, in the words of the model.
const ROWS: &str = "
    SELECT 'sale ' || epoch || ' ' || closed FROM sales WHERE sale = $1
    UNION ALL SELECT 'sku ' || total || ' ' || sold FROM skus WHERE sale = $1
    UNION ALL SELECT 'epoch ' || epoch || ' ' || head || ' ' || coalesce(sealed_at::text, '-') FROM epochs WHERE sale = $1
    UNION ALL SELECT 'gap ' || epoch || ' ' || first || ' ' || last FROM gaps WHERE sale = $1
    UNION ALL SELECT concat_ws(' ', 'order', id, epoch, buyer, slot, state) FROM orders WHERE sale = $1
    UNION ALL SELECT concat_ws(' ', 'rejection', epoch, id, buyer, reason, CASE WHEN settled_at IS NULL THEN 'false' ELSE 'true' END)
        FROM rejections WHERE sale = $1
    UNION ALL SELECT 'early ' || epoch || ' ' || seq FROM early WHERE sale = $1
    UNION ALL SELECT concat_ws(' ', 'aside', epoch, seq, CASE WHEN replayed_at IS NULL THEN 'false' ELSE 'true' END)
        FROM quarantine WHERE sale = $1
    UNION ALL SELECT concat_ws(' ', 'content', sum(reservations), bit_xor(digest)) FROM epochs WHERE sale = $1
    ORDER BY 1";

fn message<'a>(sale: &'a str, events: &[Written]) -> Message<'a> {
    let epoch = events.first().map_or(1, |event| event.epoch);
    let event = |written: &Written| MessageEvent { seq: written.seq, at_ms: 1_000, change: change(&written.what) };
    let events = events.iter().map(event).collect();
    Message { version: MESSAGE_VERSION, sale: sale.into(), epoch, published_at_ms: None, events }
}

fn change(what: &What) -> MessageChange<'static> {
    let sku = |total| MessageSku { sku: SKU.to_owned(), total };
    match what {
        What::Warmed => MessageChange::Warmed(MessageTerms {
            skus: vec![sku(TOTAL)],
            limit: 2,
            hold_ms: Some(60_000),
            opens_at_ms: None,
            closes_at_ms: None,
            journal_events_max: Some(1_000),
        }),
        What::Reserved { buyer, slot, is_hold, is_bad } => MessageChange::Reserved(MessageReserved {
            buyer: (*buyer).into(),
            slot: *slot,
            items: vec![MessageItem { sku: SKU.into(), quantity: 1 }],
            expires_at_ms: is_hold.then_some(61_000),
            request: is_bad.then(|| BAD_TEXT.into()),
            ..MessageReserved::default()
        }),
        What::Confirmed { id } => MessageChange::Confirmed { id: *id },
        What::Released { id } => MessageChange::Released { id: *id },
        What::Expired { ids } => MessageChange::Expired { ids: ids.clone() },
        What::Restocked { total } => MessageChange::Restocked(sku(*total)),
        What::Opened => MessageChange::Opened,
        What::Closed => MessageChange::Closed,
    }
}

fn terms(total: u64) -> Terms {
    Terms { limit: 2, hold_ms: Some(60_000), journal_events_max: Some(1_000), ..Terms::simple(total) }
}

fn rebuilt(kept: &Kept) -> RebuiltReservation<'static> {
    RebuiltReservation {
        id: kept.id,
        state: if kept.is_confirmed { State::Confirmed } else { State::Held }.name().into(),
        made: MessageReserved {
            buyer: kept.buyer.into(),
            slot: kept.slot,
            items: vec![MessageItem { sku: SKU.into(), quantity: 1 }],
            expires_at_ms: kept.is_hold.then_some(61_000),
            ..MessageReserved::default()
        },
        fingerprint: None,
    }
}

/// The servers' side of a history.
struct Real {
    url: String,
    vault: Vault,
    client: Client,
    sale: String,
    /// The newest term, and the one before it.
    terms: [u64; 2],
}

impl Real {
    const fn claim(&self, is_newest: bool, has_barrier: bool) -> Claim<'static> {
        let term = if is_newest { self.terms[0] } else { self.terms[1] };
        Claim { term, barrier: if has_barrier { BARRIER } else { "another" } }
    }

    async fn carry_out(&mut self, operation: &Operation) -> Result<(), Error> {
        let sale = self.sale.clone();
        match operation {
            Operation::Write(messages) => {
                let messages: Vec<_> = messages.iter().map(|events| message(&sale, events)).collect();
                self.vault.write(&messages).await?;
            }
            Operation::Take => self.take().await?,
            &Operation::Seal { is_newest, has_barrier, epoch, until } => {
                let wanted = match until {
                    Until::Exactly(seq) => Wanted::Exactly(seq),
                    Until::Anywhere { epoch, seq, head } => Wanted::Anywhere(Seen { epoch, seq, head }),
                };
                self.vault.seal(&sale, self.claim(is_newest, has_barrier), epoch, wanted).await?;
            }
            Operation::Restore { is_newest, has_barrier, epoch, seq, acked, total, is_closed, active } => {
                let (reservations, terms) = (active.iter().map(rebuilt).collect(), terms(*total));
                let (epoch, seq, acked, is_closed) = (*epoch, *seq, *acked, *is_closed);
                let from = RedisState { epoch, seq, acked, terms, is_closed, reservations, ended: Vec::new() };
                self.vault.restore(&sale, self.claim(*is_newest, *has_barrier), &from).await?;
            }
            Operation::Replay { event, known } => self.replay(event, *known).await?,
        }
        Ok(())
    }

    async fn take(&mut self) -> Result<(), Error> {
        // A seal that was refused may not have let go of the row yet: its connection is another one.
        loop {
            if let Some(term) = take_recovery(&self.client, &self.sale, "gateway", self.terms[0], 0).await? {
                self.terms = [term, self.terms[0]];
                return Ok(());
            }
        }
    }

    /// What could not be written once can be by now.
    async fn replay(&mut self, event: &Written, known: Option<&'static str>) -> Result<(), Error> {
        let (epoch, seq) = (event.epoch.cast_signed(), event.seq.cast_signed());
        let body = message(&self.sale, std::slice::from_ref(event)).encode();
        let fix = "UPDATE quarantine SET body = $4 WHERE sale = $1 AND epoch = $2 AND seq = $3 RETURNING id";
        let row = self.client.query_one(fix, &[&self.sale, &epoch, &seq, &body]).await?;
        let standing = known.and_then(State::from_name).map(|state| Standing { state, at_ms: 1_000 });
        self.vault.replay(row.get::<_, i64>(0).cast_unsigned(), async |_| Ok::<_, Error>(standing)).await?;
        Ok(())
    }

    async fn rows(&self) -> Vec<String> {
        let rows = self.client.query(ROWS, &[&self.sale]).await.expect("the tables are there");
        let mut rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        rows.sort_unstable();
        rows
    }

    /// An operator has paused the syncers: nothing is written.
    async fn is_refused_while_paused(&mut self, operation: &Operation) {
        let before = self.rows().await;
        pause_syncers(&self.client, true).await.expect("PostgreSQL answers");
        let refused = self.carry_out(operation).await;
        assert!(matches!(refused, Err(Error::Paused)), "{operation:?}: {refused:?}");
        self.vault = Vault::open(&self.url).await.expect("the vault opens");
        assert_eq!(self.rows().await, before, "{operation:?}");
        pause_syncers(&self.client, false).await.expect("PostgreSQL answers");
    }
}

/// Carries one history out in both, and compares after each operation.
async fn check(real: &mut Real, seed: u64) {
    (real.sale, real.terms) = (format!("sale-{seed}"), [0, 0]);
    let (mut history, mut told) = (History::new(seed), Vec::new());
    let warmed = [Written { epoch: 1, seq: 1, what: What::Warmed }];
    history.begin();
    real.carry_out(&Operation::Write(vec![warmed.to_vec()])).await.expect("the vault writes");
    for number in 0..OPERATIONS {
        let operation = history.advance();
        told.push(format!("{operation:?}"));
        let writes = !matches!(operation, Operation::Take | Operation::Replay { .. });
        if writes && seed.is_multiple_of(PAUSED_EVERY) && number % 4 == 0 {
            real.is_refused_while_paused(&operation).await;
        }
        real.carry_out(&operation).await.expect("the vault answers");
        if matches!(operation, Operation::Take) {
            history.taken(real.terms[0]);
        }
        assert_eq!(real.rows().await, history.rows(), "seed {seed}:\n  {}", told.join("\n  "));
    }
}

#[tokio::test]
async fn the_model_of_postgresql_is_as_the_vault() {
    let open = std::fs::Permissions::from_mode(0o755);
    let dir = tempfile::Builder::new().permissions(open).tempdir().expect("a directory");
    let mut options = PostgresOptions::new(dir.path().join("postgres"));
    options.settings.push("fsync=off".to_owned());
    let server = Postgres::start(&options, silent).expect("PostgreSQL starts");
    server.create_database("conformance").expect("a database");
    let url = server.url("conformance");
    let mut client = connect(&url).await.expect("PostgreSQL answers");
    migrate(&mut client).await.expect("the tables are made");
    client.execute("INSERT INTO barriers (id) VALUES ($1)", &[&BARRIER]).await.expect("the barrier comes");
    let vault = Vault::open(&url).await.expect("the vault opens");
    let mut real = Real { url, vault, client, sale: String::new(), terms: [0, 0] };
    let asked = std::env::var("FLASH_CONFORMANCE_HISTORIES").ok().and_then(|number| number.parse().ok());
    for seed in 1..=asked.unwrap_or(HISTORIES) {
        check(&mut real, seed).await;
    }
}

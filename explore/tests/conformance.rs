//! The model of PostgreSQL leaves the same rows as the real vault, over random histories.

use std::os::unix::fs::PermissionsExt;

use flash_explore::conformance::{History, Operation, TOTAL, What, Written};
use flash_servers::{Postgres, PostgresOptions, silent};
use flash_vault::{Vault, Wanted, connect, migrate, take_recovery};
use flash_wire::Message;
use flash_wire::message::{
    MESSAGE_VERSION, MessageChange, MessageEvent, MessageItem, MessageReserved, MessageSku, MessageTerms,
};
use tokio_postgres::Client;

/// Histories, each a sale of its own in one database.
const HISTORIES: u64 = 1_000;
/// Operations of one history.
const OPERATIONS: usize = 20;
const SKU: &str = "default";

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
    UNION ALL SELECT 'aside ' || epoch || ' ' || seq FROM quarantine WHERE sale = $1
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
        What::Reserved { buyer, slot, is_hold } => MessageChange::Reserved(MessageReserved {
            buyer: (*buyer).into(),
            slot: *slot,
            items: vec![MessageItem { sku: SKU.into(), quantity: 1 }],
            expires_at_ms: is_hold.then_some(61_000),
            request: None,
            data: None,
        }),
        What::Confirmed { id } => MessageChange::Confirmed { id: *id },
        What::Released { id } => MessageChange::Released { id: *id },
        What::Expired { ids } => MessageChange::Expired { ids: ids.clone() },
        What::Restocked { total } => MessageChange::Restocked(sku(*total)),
        What::Opened => MessageChange::Opened,
        What::Closed => MessageChange::Closed,
    }
}

/// Carries one history out in both, and compares after each operation.
async fn check(vault: &mut Vault, client: &Client, seed: u64) {
    let sale = format!("sale-{seed}");
    let (mut history, mut terms, mut told) = (History::new(seed), [0, 0], Vec::new());
    let warmed = message(&sale, &[Written { epoch: 1, seq: 1, what: What::Warmed }]);
    history.begin();
    vault.write(&[warmed]).await.expect("the vault writes");
    for _ in 0..OPERATIONS {
        let operation = history.advance();
        told.push(format!("{operation:?}"));
        match operation {
            Operation::Write(messages) => {
                let messages: Vec<_> = messages.iter().map(|events| message(&sale, events)).collect();
                vault.write(&messages).await.expect("the vault writes");
            }
            Operation::Take => {
                // A seal that was refused may not have let go of the row yet: its connection is another one.
                let mut term = None;
                while term.is_none() {
                    term = take_recovery(client, &sale, "gateway").await.expect("the vault answers");
                }
                terms = [terms[1], term.unwrap_or_default()];
            }
            Operation::Seal { is_newest, epoch, exactly, seen } => {
                let term = if is_newest { terms[1] } else { terms[0] };
                let wanted = exactly.map_or(Wanted::Anywhere(seen), Wanted::Exactly);
                vault.seal(&sale, term, epoch, wanted).await.expect("the vault seals");
            }
        }
        let rows = client.query(ROWS, &[&sale]).await.expect("the tables are there");
        let mut rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        rows.sort_unstable();
        assert_eq!(rows, history.rows(), "seed {seed}:\n  {}", told.join("\n  "));
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
    let mut vault = Vault::open(&url).await.expect("the vault opens");
    for seed in 1..=HISTORIES {
        check(&mut vault, &client, seed).await;
    }
}

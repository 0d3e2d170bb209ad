//! A database for each test, and events to write into it.

use std::os::unix::fs::PermissionsExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use flash_servers::{Postgres, PostgresOptions, silent};
use flash_vault::{Claim, Error, Head, Vault, connect, migrate, take_recovery};
use flash_wire::Message;
use flash_wire::message::{
    MESSAGE_VERSION, MessageChange, MessageEvent, MessageItem, MessageReserved, MessageSku, MessageTerms,
};
use tempfile::TempDir;
use tokio_postgres::Client;

pub(crate) const SALE: &str = "drop";
const BARRIER: &str = "barrier";

/// An empty database of its own on the server of this run.
pub(crate) fn empty_database() -> String {
    static SERVER: OnceLock<(TempDir, Postgres)> = OnceLock::new();
    static DATABASES: AtomicU64 = AtomicU64::new(0);
    let (_, server) = SERVER.get_or_init(|| {
        // The server runs as another user, who must get there.
        let open = std::fs::Permissions::from_mode(0o755);
        let dir = tempfile::Builder::new().permissions(open).tempdir().unwrap();
        let mut options = PostgresOptions::new(dir.path().join("postgres"));
        // No test cuts the power, and hundreds of commits are faster so.
        options.settings.push("fsync=off".to_owned());
        let server = Postgres::start(&options, silent).unwrap();
        (dir, server)
    });
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    server.create_database(&name).unwrap();
    server.url(&name)
}

/// Begins a recovery, having seen the term of the one before.
pub(crate) async fn take(client: &Client, gateway: &str) -> Result<Option<u64>, Error> {
    let seen = client.query_opt("SELECT term FROM recoveries WHERE sale = $1", &[&SALE]).await.unwrap();
    let seen = seen.map_or(0, |row| row.get::<_, i64>(0).cast_unsigned());
    take_recovery(client, SALE, gateway, seen, 0).await
}

/// A database with the vault's tables.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl Database {
    pub(crate) async fn new() -> Self {
        let url = empty_database();
        let mut client = connect(&url).await.unwrap();
        migrate(&mut client).await.unwrap();
        Self { url, client }
    }

    /// What a recovery of this term may seal with: its barrier has come.
    pub(crate) async fn claim(&self, term: u64) -> Claim<'static> {
        let come = "INSERT INTO barriers (id) VALUES ($1) ON CONFLICT DO NOTHING";
        self.client.execute(come, &[&BARRIER]).await.unwrap();
        Claim { term, barrier: BARRIER }
    }

    pub(crate) async fn write(&self, messages: &[Message<'_>]) -> Vec<Head> {
        Vault::open(&self.url).await.unwrap().write(messages).await.unwrap()
    }

    /// Begins a later epoch after the event `head`, as a seal does.
    pub(crate) async fn begin(&self, epoch: i64, head: i64) {
        let begin = "INSERT INTO epochs (sale, epoch, head, digest, reservations) VALUES ($1, $2, $3, 0, 0)";
        self.client.execute(begin, &[&SALE, &epoch, &head]).await.unwrap();
    }

    /// Every row of a table or query, as PostgreSQL prints it, in order.
    pub(crate) async fn rows(&self, query: &str) -> Vec<String> {
        let rows = self.client.query(&format!("SELECT row::text FROM ({query}) AS row ORDER BY 1"), &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

pub(crate) fn message(epoch: u64, first_seq: u64, changes: Vec<MessageChange<'static>>) -> Message<'static> {
    let event = |(seq, change)| MessageEvent { seq, at_ms: 1_000 + seq, change };
    let events = (first_seq..).zip(changes).map(event).collect();
    Message { version: MESSAGE_VERSION, sale: SALE.into(), epoch, published_at_ms: None, events }
}

pub(crate) fn head(epoch: u64, seq: u64) -> Vec<Head> {
    vec![Head { sale: SALE.to_owned(), epoch, seq }]
}

pub(crate) fn warmed(total: u64) -> MessageChange<'static> {
    MessageChange::Warmed(MessageTerms {
        skus: ["a", "b"].map(|sku| MessageSku { sku: sku.to_owned(), total }).to_vec(),
        limit: 2,
        hold_ms: Some(60_000),
        opens_at_ms: None,
        closes_at_ms: None,
        journal_events_max: Some(1_000),
    })
}

/// A hold on one unit of SKU a.
pub(crate) fn held(buyer: &'static str) -> MessageChange<'static> {
    reserved(buyer.to_owned(), 0, &[("a", 1)], true)
}

pub(crate) fn reserved(buyer: String, slot: u8, items: &[(&'static str, u32)], hold: bool) -> MessageChange<'static> {
    let item = |&(sku, quantity): &(&'static str, u32)| MessageItem { sku: sku.into(), quantity };
    MessageChange::Reserved(MessageReserved {
        buyer: buyer.into(),
        slot,
        items: items.iter().map(item).collect(),
        expires_at_ms: hold.then_some(61_000),
        ..MessageReserved::default()
    })
}

pub(crate) fn confirmed(id: u64) -> MessageChange<'static> {
    MessageChange::Confirmed { id }
}

pub(crate) fn released(id: u64) -> MessageChange<'static> {
    MessageChange::Released { id }
}

pub(crate) fn expired(ids: &[u64]) -> MessageChange<'static> {
    MessageChange::Expired { ids: ids.to_vec() }
}

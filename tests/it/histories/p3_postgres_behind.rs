//! Before: what was answered as persisted was gone, the audit said `lost`, and later buyers' orders never came.

use std::path::Path;
use std::process::Command;

use flash_servers::{Postgres, PostgresOptions, silent};
use tempfile::TempDir;

use super::ledger::Ledger;
use super::sale::create;
use crate::support::wait;
use crate::support::world::World;

/// A PostgreSQL that may be killed, in a folder that ends with it.
struct Own {
    postgres: Postgres,
    _dir: TempDir,
}

impl Own {
    fn start(settings: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let options = PostgresOptions { settings, ..PostgresOptions::new(dir.path().join("postgres")) };
        let postgres = Postgres::start(&options, silent).expect("PostgreSQL starts");
        postgres.create_database("flash").expect("a database");
        Self { postgres, _dir: dir }
    }

    /// It has again what it had when `copy` was made.
    fn go_back_to(&mut self, copy: &Path) {
        self.postgres.server.stop().expect("it stops");
        let data = self.postgres.server.dir().join("data");
        std::fs::remove_dir_all(&data).expect("removable");
        copy_folder(copy, &data);
        self.postgres.server.restart().expect("PostgreSQL starts again");
    }

    /// A copy of all that it has.
    fn base(&mut self, copy: &Path) {
        self.postgres.server.stop().expect("it stops");
        copy_folder(&self.postgres.server.dir().join("data"), copy);
        self.postgres.server.restart().expect("PostgreSQL starts again");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().expect("cp runs");
    assert!(status.success(), "{from:?} can be copied to {to:?}");
}

#[test]
fn what_was_acknowledged_survives_whatever_an_operator_sets_meanwhile() {
    let mut own = Own::start(&["wal_writer_delay=10s"]);
    let mut world = World::start_at(own.postgres.url("flash"), None);
    create(&world, "\"total\":100");
    let mut ledger = Ledger::default();
    ledger.sell(&world, ["ada".to_owned()]);
    world.wait_for_empty_journal("drop");
    world.sql("ALTER SYSTEM SET synchronous_commit = off");
    world.sql("SELECT pg_reload_conf()");
    // What a session has that sets nothing itself.
    let setting = "SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'";
    wait::until("the new setting", || (world.rows(setting) == ["off"]).then_some(()));
    ledger.sell(&world, (0..20).map(|buyer| format!("buyer-{buyer}")));
    world.wait_for_empty_journal("drop");
    own.postgres.server.kill().expect("ours to kill");
    own.postgres.server.restart().expect("PostgreSQL starts again");
    world.ask_anew();
    // All of it was there before any recovery could bring it back.
    assert_eq!(world.orders("drop"), 21, "what the journal let go of is in PostgreSQL");
    ledger.sell(&world, ["late".to_owned()]);
    ledger.check(&world, 100);
    ledger.check_no_rejections(&world);
}

#[test]
fn what_an_older_postgresql_does_not_have_is_written_again_from_redis() {
    let mut own = Own::start(&[]);
    let mut world = World::start_at(own.postgres.url("flash"), None);
    create(&world, "\"total\":30");
    let mut ledger = Ledger::default();
    ledger.sell(&world, ["ada".to_owned()]);
    world.wait_for_empty_journal("drop");
    let copies = tempfile::tempdir().expect("a directory");
    let copy = copies.path().join("base");
    own.base(&copy);
    world.ask_anew();
    ledger.sell(&world, (0..20).map(|buyer| format!("buyer-{buyer}")));
    world.wait_for_empty_journal("drop");
    own.go_back_to(&copy);
    world.ask_anew();
    ledger.sell(&world, ["late".to_owned()]);
    ledger.check(&world, 30);
    ledger.check_no_rejections(&world);
    ledger.check_repeats(&world);
}

//! PostgreSQL's clock steps back by a year: what was to happen soon lies a year ahead, and still happens soon.

use flash_vault::{Report, Vault, add_webhook, is_recovering, standing, syncers, take_due, take_recovery};

use crate::fixture::{Database, SALE, confirmed, held, message, take, warmed};

/// Times that are written from now on are a year older than those that are there.
async fn step_back(database: &Database, table: &str, column: &str) {
    let later = format!("UPDATE {table} SET {column} = {column} + interval '1 year'");
    database.client.execute(&later, &[]).await.unwrap();
}

#[tokio::test]
async fn the_recovery_of_a_gateway_that_died_is_another_one_s() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5)])]).await;
    let term = take(&database.client, "a").await.unwrap().expect("it is free");
    assert!(take_recovery(&database.client, SALE, "b", term, 0).await.unwrap().is_none(), "it is at work");
    assert!(is_recovering(&database.client).await.unwrap());
    step_back(&database, "recoveries", "until").await;
    assert!(!is_recovering(&database.client).await.unwrap(), "no lease lasts a year");
    assert!(take_recovery(&database.client, SALE, "b", term, 0).await.unwrap().is_some());
}

#[tokio::test]
async fn a_delivery_is_tried_again_and_one_that_waits_for_its_turn_waits_on() {
    let database = Database::new().await;
    let client = &database.client;
    add_webhook(client, "https://shop.example/", "whsec_").await.unwrap();
    let mut vault = Vault::open(&database.url).await.unwrap();
    vault.write(&[message(1, 1, vec![warmed(5), held("ada"), confirmed(2)])]).await.unwrap();
    let due = async || take_due(client, 9, 60, &[]).await.unwrap().len();
    assert_eq!((due().await, due().await), (1, 0), "it is held for a minute");
    step_back(&database, "deliveries", "due_at").await;
    assert_eq!((due().await, due().await), (1, 0));
}

#[tokio::test]
async fn a_syncer_that_is_gone_is_not_waited_for_and_its_row_goes() {
    let database = Database::new().await;
    let vault = Vault::open(&database.url).await.unwrap();
    let report = Report { paused: false, queued: 0, written: 0 };
    vault.report_syncer("gone", report).await.unwrap();
    step_back(&database, "syncers", "at").await;
    vault.report_syncer("here", report).await.unwrap();
    let names = async || syncers(&database.client).await.unwrap().into_iter().map(|of| of.name).collect::<Vec<_>>();
    assert_eq!(names().await, ["here"]);
    assert_eq!(database.rows("SELECT name FROM syncers").await, ["(here)"]);
}

#[tokio::test]
async fn a_sale_is_not_taken_for_one_that_is_just_being_created() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5)])]).await;
    step_back(&database, "sales", "created_at").await;
    let standing = standing(&database.client, SALE, 1).await.unwrap().unwrap();
    assert!(standing.life.age_s > 300 * 24 * 60 * 60, "{standing:?}");
}

//! The key of a request is its holder's, means one answer, and is forgotten after a named time.

use flash_vault::{KEY_KEPT_S, KeyedRequest, Once, TakenKey, keep_answer, let_key_go, make_once, take_key};

use crate::fixture::Database;

const REQUEST: KeyedRequest<'_> = KeyedRequest { holder: "olga", route: "POST /v1/keys", key: "k", body: b"{}" };

async fn take(database: &Database, request: KeyedRequest<'_>) -> TakenKey {
    take_key(&database.client, request).await.unwrap()
}

#[tokio::test]
async fn a_key_is_another_one_for_another_holder_and_at_another_route() {
    let database = Database::new().await;
    for request in [
        REQUEST,
        KeyedRequest { holder: "otto", ..REQUEST },
        KeyedRequest { route: "POST /v1/webhooks", ..REQUEST },
        KeyedRequest { key: "k-2", ..REQUEST },
    ] {
        assert_eq!(take(&database, request).await, TakenKey::New, "{request:?}");
        assert_eq!(take(&database, request).await, TakenKey::Before(None), "{request:?}");
        keep_answer(&database.client, request, "{}").await.unwrap();
        assert_eq!(take(&database, request).await, TakenKey::Before(Some("{}".to_owned())), "{request:?}");
        assert_eq!(take(&database, KeyedRequest { body: b"{ }", ..request }).await, TakenKey::OfAnother);
        // What was answered stays.
        let_key_go(&database.client, request).await.unwrap();
        keep_answer(&database.client, request, "another").await.unwrap();
        assert_eq!(take(&database, request).await, TakenKey::Before(Some("{}".to_owned())), "{request:?}");
    }
}

#[tokio::test]
async fn a_key_is_forgotten_when_its_time_is_over() {
    let database = Database::new().await;
    let age = |seconds: u32| format!("UPDATE request_keys SET at = now() - make_interval(secs => {seconds})");
    assert_eq!(take(&database, REQUEST).await, TakenKey::New);
    database.client.batch_execute(&age(KEY_KEPT_S - 60)).await.unwrap();
    assert_eq!(take(&database, REQUEST).await, TakenKey::Before(None));
    database.client.batch_execute(&age(KEY_KEPT_S + 60)).await.unwrap();
    assert_eq!(take(&database, REQUEST).await, TakenKey::New);
}

/// As a crash between the thing and its commit: PostgreSQL ends the session, and with it the transaction.
#[tokio::test]
async fn what_is_made_and_its_key_are_there_both_or_neither() {
    let mut database = Database::new().await;
    let insert = "INSERT INTO products (product, name, price, currency, skus) VALUES ('a', 'A', 1, 'EUR', '{}')";
    let mut client = flash_vault::connect(&database.url).await.unwrap();
    let crashed = make_once(&mut client, Some(REQUEST), async |transaction| {
        transaction.execute(insert, &[]).await?;
        Ok((transaction.execute("SELECT pg_terminate_backend(pg_backend_pid())", &[]).await?, Some(String::new())))
    });
    crashed.await.unwrap_err();
    for table in ["products", "request_keys"] {
        assert_eq!(database.rows(&format!("SELECT * FROM {table}")).await, Vec::<String>::new(), "{table}");
    }
    let refused = make_once(&mut database.client, Some(REQUEST), async |transaction| {
        Ok((transaction.execute(insert, &[]).await?, None))
    });
    assert_eq!(refused.await.unwrap(), Once::Done(1));
    assert_eq!(database.rows("SELECT * FROM products").await, Vec::<String>::new(), "what is not to be is not made");
    for want in [Once::Done(1), Once::Before(Some("made".to_owned()))] {
        let made = make_once(&mut database.client, Some(REQUEST), async |transaction| {
            Ok((transaction.execute(insert, &[]).await?, Some("made".to_owned())))
        });
        assert_eq!(made.await.unwrap(), want);
    }
    assert_eq!(database.rows("SELECT * FROM products").await.len(), 1);
}

//! Keys, and the audit log.

use flash_vault::{LoggedChange, NewKey, Role, api_key, create_key, end_logged, key_hash, key_id, keys};
use flash_vault::{log_change, logged, revoke_key};

use crate::fixture::Database;

const CHANGE: LoggedChange =
    LoggedChange { who: "olga", key: Some("k"), action: "close", sale: Some("drop"), detail: "" };

#[tokio::test]
async fn a_key_is_known_by_its_hash_until_it_is_revoked_and_is_listed_for_ever() {
    let Database { client, .. } = &Database::new().await;
    let mut made = Vec::new();
    for (role, holder, expires_at_ms) in
        [(Role::Buyer, "ada", None), (Role::Read, "rita", Some(5)), (Role::Operate, "olga", None)]
    {
        let (id, key) = create_key(client, &NewKey { role, holder, expires_at_ms }).await.unwrap();
        assert_eq!(key_id(&key), Some(id.as_str()), "{key}");
        let found = api_key(client, &id).await.unwrap().unwrap();
        let (hash, is_revoked) = (key_hash(&key), false);
        let want =
            flash_vault::ApiKey { id: id.clone(), hash, role, holder: holder.to_owned(), expires_at_ms, is_revoked };
        assert!(found == want, "{found:?} of {holder}");
        made.push(id);
    }
    assert!(revoke_key(client, &made[0]).await.unwrap());
    assert!(revoke_key(client, &made[0]).await.unwrap(), "once more changes nothing");
    assert!(api_key(client, &made[0]).await.unwrap().unwrap().is_revoked);
    assert!(!revoke_key(client, "flash_buyer_00").await.unwrap());
    assert!(api_key(client, "flash_buyer_00").await.unwrap().is_none());
    made.sort();
    let first = keys(client, "", 2).await.unwrap();
    let rest = keys(client, &first[1].id, 2).await.unwrap();
    let listed: Vec<_> = first.iter().chain(&rest).map(|row| row.id.clone()).collect();
    assert_eq!(listed, made);
    let revoked = first.iter().chain(&rest).filter(|row| row.revoked_at.is_some()).map(|row| row.holder.as_str());
    assert_eq!(revoked.collect::<Vec<_>>(), ["ada"]);
}

#[tokio::test]
async fn a_change_is_logged_before_its_outcome() {
    let Database { client, .. } = &Database::new().await;
    let first = log_change(client, CHANGE).await.unwrap();
    let second = log_change(client, LoggedChange { key: None, sale: None, detail: "a\0b", ..CHANGE }).await.unwrap();
    end_logged(client, second, "done").await.unwrap();
    let rows = logged(client, u64::MAX, 10).await.unwrap();
    let row = |at: usize| (rows[at].id, rows[at].key.as_deref(), rows[at].sale.as_deref(), rows[at].outcome.as_deref());
    assert_eq!(row(0), (second, None, None, Some("done")));
    assert_eq!(row(1), (first, Some("k"), Some("drop"), None));
    assert_eq!(
        (rows[0].who.as_str(), rows[0].action.as_str(), rows[0].detail.as_str()),
        ("olga", "close", "a\u{fffd}b")
    );
    assert_eq!(logged(client, second, 10).await.unwrap().len(), 1, "a page begins where the last one ended");
}

//! Orders as a stream: each once, in full, and harmless to a spreadsheet.

use std::io;

use flash_vault::{Client, ExportFormat, Exported, OrderExport, connect, export_orders};

use crate::fixture::{Database, SALE, confirmed, held, message, released, reserved, warmed};

const HEADER: &str = "sale,id,state,buyer,items,units,request,data,reserved_at,expires_at,ended_at,payment,means,\
                      reference,amount,currency,payment_state\n";

async fn export(client: &mut Client, sale: &str, since_ms: u64, format: ExportFormat) -> String {
    let mut bytes = Vec::new();
    let write = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    let exported = export_orders(client, OrderExport { sale, since_ms, format }, write).await.unwrap();
    assert!(matches!(exported, Exported::All), "{exported:?}");
    String::from_utf8(bytes).unwrap()
}

/// A sale with three orders: released, confirmed after a hold and paid for, and confirmed at once.
async fn sold() -> Database {
    let database = Database::new().await;
    let at_once = reserved("eve".to_owned(), 0, &[("a", 2), ("b", 1)], false);
    let changes = vec![warmed(5), held("ada"), held("bob"), at_once, released(2), confirmed(3)];
    database.write(&[message(1, 1, changes)]).await;
    let pay = "INSERT INTO payments (sale, id, buyer, means, reference, amount, currency, state, at) VALUES
        ('drop', 3, 'bob', 'external', 'pi_1', 1999, 'EUR', 'settled', now()),
        ('drop', 3, 'bob', 'external', 'pi_2', 1999, 'EUR', 'refund_due', now())";
    database.client.execute(pay, &[]).await.unwrap();
    database
}

#[tokio::test]
async fn every_order_is_a_row_with_what_pays_for_it() {
    let mut client = connect(&sold().await.url).await.unwrap();
    let rows = [
        "drop,2,released,ada,\"[{\"\"sku\"\": \"\"a\"\", \"\"quantity\"\": 1}]\",1,,,1970-01-01T00:00:01.002Z,\
         1970-01-01T00:01:01.000Z,1970-01-01T00:00:01.005Z,,,,,,\n",
        "drop,3,confirmed,bob,\"[{\"\"sku\"\": \"\"a\"\", \"\"quantity\"\": 1}]\",1,,,1970-01-01T00:00:01.003Z,\
         1970-01-01T00:01:01.000Z,1970-01-01T00:00:01.006Z,1,external,pi_1,1999,EUR,settled\n",
        "drop,4,confirmed,eve,\"[{\"\"sku\"\": \"\"a\"\", \"\"quantity\"\": 2}, {\"\"sku\"\": \"\"b\"\", \
         \"\"quantity\"\": 1}]\",3,,,1970-01-01T00:00:01.004Z,,,,,,,,\n",
    ];
    for (since_ms, want) in
        [(0, &rows[..]), (1_004, &rows[..]), (1_005, &rows[..2]), (1_006, &rows[1..2]), (1_007, &[])]
    {
        let want = [&[HEADER], want].concat().concat();
        assert_eq!(export(&mut client, SALE, since_ms, ExportFormat::Csv).await, want, "since {since_ms}");
    }
    let lines = export(&mut client, SALE, 1_006, ExportFormat::JsonLines).await;
    let got: serde_json::Value = serde_json::from_str(&lines).unwrap();
    let want = serde_json::json!({
        "sale": "drop", "id": 3, "state": "confirmed", "buyer": "bob", "items": [{"sku": "a", "quantity": 1}],
        "units": 1, "request": null, "data": null, "reserved_at": "1970-01-01T00:00:01.003Z",
        "expires_at": "1970-01-01T00:01:01.000Z", "ended_at": "1970-01-01T00:00:01.006Z", "payment": 1,
        "means": "external", "reference": "pi_1", "amount": 1999, "currency": "EUR", "payment_state": "settled",
    });
    assert_eq!(got, want);
}

/// What clients chose, in each column of theirs: as a cell of CSV, and as JSON, which is exact.
#[tokio::test]
async fn no_cell_begins_as_a_formula_does_and_json_is_exact() {
    let database = sold().await;
    let mut client = connect(&database.url).await.unwrap();
    for (text, cell) in [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "\"'\r=1\""),
        ("=a,\"b\"", "\"'=a,\"\"b\"\"\""),
        ("1=1", "1=1"),
        ("a-b", "a-b"),
        ("", "\"\""),
        ("x\ny", "\"x\ny\""),
        ("a\\nb\\.\u{1}\u{2}", "a\\nb\\.\u{1}\u{2}"),
        ("ё=", "ё="),
    ] {
        let change = "UPDATE orders SET buyer = $1, request = $1 WHERE id = 3";
        database.client.execute(change, &[&text]).await.unwrap();
        database
            .client
            .execute("UPDATE payments SET buyer = $1, reference = $1 WHERE payment = 1", &[&text])
            .await
            .unwrap();
        let csv = export(&mut client, SALE, 1_006, ExportFormat::Csv).await;
        for column in [format!(",confirmed,{cell},\"[{{"), format!(",1,{cell},,1970"), format!("external,{cell},1999")]
        {
            assert!(csv.contains(&column), "{text:?} as {column:?} in {csv:?}");
        }
        let lines = export(&mut client, SALE, 1_006, ExportFormat::JsonLines).await;
        let json: serde_json::Value = serde_json::from_str(&lines).unwrap();
        for name in ["buyer", "request", "reference"] {
            assert_eq!(json[name], text, "{name} in {lines:?}");
        }
    }
}

#[tokio::test]
async fn data_is_exported_as_the_json_that_it_was_and_a_line_stays_a_line() {
    let database = sold().await;
    let mut client = connect(&database.url).await.unwrap();
    for (data, cell) in [
        ("-5", "'-5"),
        ("\"=1\"", "\"\"\"=1\"\"\""),
        ("\"a\\u0001\\n\\\\\"", "\"\"\"a\\u0001\\n\\\\\"\"\""),
        ("{\n\t\"a\": [1,\r\n2]}", "\"{\n\t\"\"a\"\": [1,\r\n2]}\""),
        ("12345678901234567890.10", "12345678901234567890.10"),
    ] {
        database.client.execute("UPDATE orders SET data = $1::text::json WHERE id = 3", &[&data]).await.unwrap();
        let csv = export(&mut client, SALE, 1_006, ExportFormat::Csv).await;
        assert!(csv.contains(&format!(",1,,{cell},1970")), "{data:?} as {cell:?} in {csv:?}");
        let lines = export(&mut client, SALE, 1_006, ExportFormat::JsonLines).await;
        assert_eq!(lines.lines().count(), 1, "{lines:?}");
        let exact = format!("\"data\":{},", data.replace(['\n', '\r'], " "));
        assert!(lines.contains(&exact), "{exact} in {lines}");
    }
}

#[tokio::test]
async fn an_unknown_sale_and_a_reader_that_is_gone_are_no_export() {
    let mut client = connect(&sold().await.url).await.unwrap();
    for sale in ["DROP", "drop ", "'; DROP TABLE orders; --"] {
        let export = OrderExport { sale, since_ms: 0, format: ExportFormat::Csv };
        let exported = export_orders(&mut client, export, |_| panic!("nothing is written")).await.unwrap();
        assert!(matches!(exported, Exported::UnknownSale), "{sale}: {exported:?}");
    }
    let export_all = OrderExport { sale: SALE, since_ms: 0, format: ExportFormat::Csv };
    let gone = |_: &[u8]| Err(io::ErrorKind::BrokenPipe.into());
    let exported = export_orders(&mut client, export_all, gone).await.unwrap();
    assert!(
        matches!(&exported, Exported::NotWritten(error) if error.kind() == io::ErrorKind::BrokenPipe),
        "{exported:?}"
    );
    assert!(
        export(&mut client, SALE, 0, ExportFormat::Csv).await.starts_with(HEADER),
        "the connection is still of use"
    );
}

//! Active defrag moves what keys of the module hold, and they stay what they are. Only a server with its own jemalloc
//! can: `scripts/test-servers redis-7.0-jemalloc` tests it in one.

use redis::{Connection, Pipeline, Value};

use crate::support::redis::{Server, check, digest, info_number, run, try_run};
use crate::support::wait;

const SALES: usize = 30;
const BUYERS: usize = 2_000;
const LIMITS: usize = 10_000;
/// Of so many keys, one is left; the others leave holes in the allocator's pages.
const LEFT_OF: usize = 3;
/// What must have been moved: more pieces than there are keys, and some hundreds of keys.
const MOVED_PIECES_MIN: u64 = 10_000;
const MOVED_KEYS_MIN: u64 = 500;

/// Sales and rate limits that grew beside each other, and holes where others were.
fn scatter(redis: &mut Connection) {
    let mut send = |fill: &dyn Fn(&mut Pipeline)| {
        let mut pipeline = redis::pipe();
        fill(&mut pipeline);
        pipeline.exec(redis).expect("every command is valid");
    };
    send(&|pipeline| {
        for sale in 0..SALES {
            pipeline
                .cmd("FLASH.WARM")
                .arg(format!("sale-{sale}"))
                .arg(&["100000", "HOLD", "600000", "JOURNAL", "100000"]);
        }
    });
    for buyer in 0..BUYERS {
        send(&|pipeline| {
            for sale in 0..SALES {
                pipeline.cmd("FLASH.RESERVE").arg(format!("sale-{sale}")).arg(format!("buyer-{buyer}"));
            }
        });
    }
    send(&|pipeline| {
        for limit in 0..LIMITS {
            pipeline.cmd("FLASH.THROTTLE").arg(format!("limit-{limit}")).arg(&["SLIDING", "1000", "600000"]);
        }
    });
    send(&|pipeline| {
        (0..SALES).filter(|sale| sale % LEFT_OF != 0).for_each(|sale| {
            pipeline.del(format!("sale-{sale}"));
        });
        (0..LIMITS).filter(|limit| limit % LEFT_OF != 0).for_each(|limit| {
            pipeline.del(format!("limit-{limit}"));
        });
    });
}

fn digests(redis: &mut Connection) -> Vec<String> {
    let sales = (0..SALES).step_by(LEFT_OF).map(|sale| format!("sale-{sale}"));
    let limits = (0..LIMITS).step_by(LEFT_OF * 10).map(|limit| format!("limit-{limit}"));
    sales.chain(limits).map(|key| digest(redis, &key)).collect()
}

#[test]
fn what_is_moved_stays_what_it_is() {
    let server = Server::start_with(&["--appendonly", "no"]);
    let redis = &mut server.connect();
    for setting in ["ignore-bytes 1", "threshold-lower 1", "cycle-min 50", "cycle-max 75", "max-scan-fields 64"] {
        let _: Value = run(redis, &format!("CONFIG SET active-defrag-{setting}"));
    }
    if let Err(error) = try_run::<Value>(redis, "CONFIG SET activedefrag yes") {
        assert!(error.contains("Active defragmentation cannot be enabled"), "{error}");
        return;
    }
    let _: Value = run(redis, "CONFIG SET activedefrag no");
    scatter(redis);
    let before = digests(redis);
    let _: Value = run(redis, "CONFIG SET activedefrag yes");
    check(redis, "FLASH.WARM busy 1000000", "[WARMED 1]");
    let mut buyer = 0;
    wait::until("most of it to be moved", || {
        // It goes on between the steps of a defrag, as it always does.
        for _ in 0..100 {
            buyer += 1;
            check(redis, &format!("FLASH.RESERVE busy buyer-{buyer}"), "[RESERVED * nil *]");
        }
        let pieces = info_number(redis, "stats", "active_defrag_hits");
        let keys = info_number(redis, "stats", "active_defrag_key_hits");
        (pieces >= MOVED_PIECES_MIN && keys >= MOVED_KEYS_MIN).then_some(())
    });
    assert!(digests(redis) == before, "a key has changed");
    for sale in (0..SALES).step_by(LEFT_OF) {
        check(redis, &format!("FLASH.RESERVE sale-{sale} buyer-7"), "[REPLAYED 9 * held]");
        check(redis, &format!("FLASH.CONFIRM sale-{sale} 9"), "[CONFIRMED 9]");
    }
}

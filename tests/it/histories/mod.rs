//! The histories that broke a promise once, each over real servers: who is stopped where, what is lost meanwhile, and
//! what must be true in the end. A stop is a message that a proxy holds; nothing here waits for a time to pass by
//! itself.
//!
//! The first line of each says how it failed before the recovery had terms.

mod gateway;
mod ledger;
mod queue;
mod sale;

mod p10_announced_once;
mod p11_a_false_get;
mod p12_pause_is_true;
mod p1_beyond_a_gap;
mod p2_late_answer;
mod p3_postgres_behind;
mod p4_fsync_without_a_file;
mod p5_second_loss;
mod p6_replay_races;
mod p7_discarded;
mod p8_replay_into_a_gap;
mod p9_away_and_back;
mod r10_one_key_one_outcome;
mod r1_late_totals;
mod r2_half_rebuilt;
mod r3_one_epoch_twice;
mod r4_operator_in_doubt;
mod r5_lost_within_a_rebuilding;
mod r6_open_in_a_sealed_epoch;
mod r7_warmed_by_hand;
mod r8_refused_and_done;
mod r9_early_in_the_gap;

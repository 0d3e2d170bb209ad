//! What every transport keeps, by one table over all of them.

mod amqp;
mod claims;
mod fixture;

use flash_transport::Direct;

/// Each claim, on each transport.
macro_rules! on_each_transport {
    ($($claim:ident)*) => {
        mod over_rabbitmq {
            $(#[tokio::test] async fn $claim() { crate::claims::$claim(crate::fixture::vhost()).await })*
        }
        mod direct {
            $(#[tokio::test] async fn $claim() { crate::claims::$claim(crate::Direct::default()).await })*
        }
    };
}

on_each_transport! {
    messages_and_barriers_come_in_the_order_in_which_they_were_published
    a_message_has_the_moment_that_it_was_published_with
    a_message_has_the_trace_that_it_was_published_with
    a_commit_holds_for_all_before_it_and_what_is_behind_comes_again_or_is_unknown
    nothing_that_is_confirmed_is_lost_however_often_the_syncer_dies_in_mid_batch
    nothing_is_lost_however_often_the_relay_dies
    a_paused_source_gives_nothing_and_loses_nothing
    what_was_in_hand_comes_again_before_what_is_published_later
    what_was_given_back_cannot_be_committed
    a_batch_that_was_not_waited_for_is_whole_the_next_time
    a_batch_is_bounded_in_messages_and_bytes
    the_window_is_bounded_in_messages_and_bytes
}

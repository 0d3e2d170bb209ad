//! The broker: one queue with a single active consumer. It may lose, repeat and delay what lies in it.

use std::collections::VecDeque;

use crate::message::{Answer, Frame, Item};

/// The queue, and what its consumer has not settled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Broker {
    pub(crate) queue: VecDeque<Item>,
    /// The one that is given messages.
    consumer: Option<u32>,
    /// Sessions that are over: what still comes of them has no effect.
    gone: Vec<u32>,
    /// Given, and not settled.
    unsettled: VecDeque<Item>,
    /// Messages that the network of the broker has put off.
    pub(crate) delayed: Vec<Item>,
}

impl Broker {
    pub(crate) fn execute(&mut self, frame: &Frame) -> Answer {
        match frame {
            Frame::Publish(item) => self.queue.push_back(item.clone()),
            &Frame::Consume { syncer, count } => {
                if self.gone.contains(&syncer) {
                    return Answer::Is(false);
                }
                if *self.consumer.get_or_insert(syncer) != syncer {
                    return Answer::Items(Vec::new());
                }
                let given: Vec<Item> = self.queue.drain(..count.min(self.queue.len())).collect();
                self.unsettled.extend(given.iter().cloned());
                return Answer::Items(given);
            }
            &Frame::Settle { syncer, count } if self.consumer == Some(syncer) => {
                self.unsettled.drain(..count.min(self.unsettled.len()));
            }
            Frame::Disconnect { syncer } => {
                self.gone.push(*syncer);
                if self.consumer == Some(*syncer) {
                    self.disconnect();
                }
            }
            Frame::Settle { .. } => return Answer::Is(false),
        }
        Answer::Done
    }

    /// The consumer is gone: what it had comes again, before everything else.
    pub(crate) fn disconnect(&mut self) {
        self.gone.extend(self.consumer.take());
        while let Some(item) = self.unsettled.pop_back() {
            self.queue.push_front(item);
        }
    }

    /// Everything that a consumer will yet be given, in order; with what it has in hand, or without.
    pub(crate) fn items(&self, in_hand: bool) -> impl Iterator<Item = &Item> {
        self.unsettled.iter().filter(move |_| in_hand).chain(&self.queue)
    }

    /// The queue is lost.
    pub(crate) fn lose(&mut self) {
        self.queue.clear();
        self.unsettled.clear();
        self.gone.extend(self.consumer.take());
    }

    /// A message comes twice, the second time later than those after it.
    pub(crate) fn repeat(&mut self, place: usize) {
        self.delayed.extend(self.queue.get(place).cloned());
    }

    /// A message comes later than those after it.
    pub(crate) fn delay(&mut self, place: usize) {
        self.delayed.extend(self.queue.remove(place));
    }

    /// What was put off comes.
    pub(crate) fn catch_up(&mut self) {
        self.queue.extend(self.delayed.drain(..));
    }

    /// A message becomes such that no one can read it.
    pub(crate) fn spoil(&mut self, place: usize) {
        if let Some(item) = self.queue.get_mut(place)
            && let Item::Events(events) = item
        {
            *item = Item::Unreadable(std::mem::take(events));
        }
    }
}

//! A sale as one would write it without a thought for speed: one list of reservations, searched from end to end.

use flash_sale::limits::{CLOCK_LEAD_MS_MAX, EXPIRED_PER_EVENT_MAX, RESERVATIONS_PER_BUYER_MAX};
use flash_sale::{Change, Event, Items, Refusal, State, Terms};

pub(crate) struct Oracle {
    terms: Terms,
    totals: Vec<u64>,
    is_closed: bool,
    seq: u64,
    acked: u64,
    now_ms: u64,
    reservations: Vec<Entry>,
    forgotten_seq: u64,
}

#[derive(Clone)]
struct Entry {
    id: u64,
    buyer: String,
    slot: u8,
    items: Items,
    request: Option<String>,
    data: Option<String>,
    expires_at_ms: Option<u64>,
    state: State,
}

/// What a command did, without borrowing from it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Reserved { id: u64, slot: u8, expires_at_ms: Option<u64> },
    Confirmed { id: u64 },
    Released { id: u64 },
    Expired { ids: Vec<u64> },
    Restocked { sku: u16, total: u64 },
    Opened,
    Closed,
}

impl Done {
    pub(crate) fn of(event: &Event) -> Self {
        match &event.change {
            Change::Warmed(_) => unreachable!("no command warms a sale twice"),
            Change::Reserved(made) => {
                Self::Reserved { id: event.seq, slot: made.slot, expires_at_ms: made.expires_at_ms }
            }
            Change::Confirmed { id } => Self::Confirmed { id: *id },
            Change::Released { id } => Self::Released { id: *id },
            Change::Expired { ids } => Self::Expired { ids: ids.clone() },
            Change::Restocked { sku, total } => Self::Restocked { sku: *sku, total: *total },
            Change::Opened => Self::Opened,
            Change::Closed => Self::Closed,
        }
    }
}

impl Oracle {
    pub(crate) fn new(terms: Terms) -> Self {
        let totals = terms.skus.iter().map(|sku| sku.total).collect();
        Self {
            terms,
            totals,
            is_closed: false,
            seq: 1,
            acked: 0,
            now_ms: 0,
            reservations: Vec::new(),
            forgotten_seq: 0,
        }
    }

    /// Where the clock has stepped back by too much, everything that it dated steps back with it.
    pub(crate) fn keep_time(&mut self, now_ms: u64) {
        let lead_ms = self.now_ms.saturating_sub(now_ms);
        if lead_ms <= CLOCK_LEAD_MS_MAX {
            return;
        }
        self.now_ms = now_ms;
        for entry in &mut self.reservations {
            entry.expires_at_ms = entry.expires_at_ms.map(|expires_at_ms| expires_at_ms.saturating_sub(lead_ms));
        }
    }

    /// Total, available, held, confirmed of a SKU.
    pub(crate) fn units(&self, sku: usize) -> [u64; 4] {
        let units = |state: State| -> u64 {
            let of_state = self.reservations.iter().filter(|entry| entry.state == state);
            let items = of_state.flat_map(|entry| entry.items.iter().collect::<Vec<_>>());
            items.filter(|item| usize::from(item.sku) == sku).map(|item| u64::from(item.quantity)).sum()
        };
        let (total, held, confirmed) = (self.totals[sku], units(State::Held), units(State::Confirmed));
        [total, total - held - confirmed, held, confirmed]
    }

    pub(crate) fn journal_events(&self) -> u64 {
        if self.terms.journal_events_max.is_some() { self.seq - self.acked } else { 0 }
    }

    pub(crate) fn ack(&mut self, seq: u64) {
        self.acked = self.acked.max(seq);
    }

    pub(crate) fn expire(&mut self, now_ms: u64, holds_max: usize, buyer: Option<&str>) -> Option<Done> {
        let now_ms = now_ms.max(self.now_ms);
        let due = |entry: &&Entry| entry.state == State::Held && entry.expires_at_ms.unwrap() <= now_ms;
        let all: Vec<u64> = self.reservations.iter().filter(due).map(|entry| entry.id).collect();
        let own = self.reservations.iter().filter(due).filter(|entry| Some(entry.buyer.as_str()) == buyer);
        let mut ids: Vec<u64> = own.map(|entry| entry.id).collect();
        let holds_max = holds_max.min(EXPIRED_PER_EVENT_MAX);
        ids.extend(all.into_iter().take(holds_max));
        ids.truncate(holds_max);
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return None;
        }
        for id in &ids {
            self.entry(*id).unwrap().state = State::Expired;
        }
        self.happened(now_ms);
        Some(Done::Expired { ids })
    }

    pub(crate) fn reserve(
        &mut self,
        now_ms: u64,
        buyer: &str,
        items: &Items,
        request: Option<&str>,
        data: Option<&str>,
    ) -> Result<Done, Refusal> {
        let now_ms = now_ms.max(self.now_ms);
        let own: Vec<Entry> = self.reservations.iter().filter(|entry| entry.buyer == buyer).cloned().collect();
        let active = || own.iter().filter(|entry| entry.state.is_active());
        if let Some(first) = own.iter().find(|entry| request.is_some() && entry.request.as_deref() == request) {
            let is_same = first.items == *items && first.data.as_deref() == data;
            return Err(if is_same { replayed(first) } else { Refusal::Conflict });
        }
        let is_same = |entry: &&Entry| entry.items == *items && entry.data.as_deref() == data;
        if let Some(first) = active().find(|entry| self.terms.limit == 1 && request.is_none() && is_same(entry)) {
            return Err(replayed(first));
        }
        if self.forgotten_seq > 0 && request.is_some() {
            return Err(Refusal::KeyForgotten { seq: self.forgotten_seq });
        }
        if self.terms.closes_at_ms.is_some_and(|closes| closes <= now_ms) {
            return Err(Refusal::Ended);
        }
        if self.is_closed {
            return Err(Refusal::Closed);
        }
        if let Some(opens_at_ms) = self.terms.opens_at_ms.filter(|opens| now_ms < *opens) {
            return Err(Refusal::NotStarted { opens_at_ms });
        }
        let units: u64 = active().map(|entry| entry.items.units()).sum();
        if units + items.units() > self.terms.limit.into() {
            let is_one_to_blame = active().count() == 1 && items.units() <= self.terms.limit.into();
            return Err(Refusal::LimitExceeded { existing: active().map(|entry| entry.id).find(|_| is_one_to_blame) });
        }
        if active().count() == RESERVATIONS_PER_BUYER_MAX {
            return Err(Refusal::LimitExceeded { existing: None });
        }
        if items.iter().any(|item| self.units(item.sku.into())[1] < item.quantity.into()) {
            return Err(Refusal::SoldOut);
        }
        if self.journal_is_full() {
            return Err(Refusal::JournalFull);
        }
        if own.len() >= RESERVATIONS_PER_BUYER_MAX {
            let oldest = own.iter().filter(|entry| !entry.state.is_active()).map(|entry| entry.id).min();
            if self.reservations.iter().any(|entry| Some(entry.id) == oldest && entry.request.is_some()) {
                self.forgotten_seq = self.seq + 1;
            }
            self.reservations.retain(|entry| Some(entry.id) != oldest);
        }
        let slot = (0..).find(|slot| active().all(|entry| entry.slot != *slot)).unwrap();
        let expires_at_ms = self.terms.hold_ms.map(|hold| now_ms + hold);
        let state = if expires_at_ms.is_some() { State::Held } else { State::Confirmed };
        self.happened(now_ms);
        let [request, data] = [request, data].map(|text| text.map(str::to_owned));
        let (id, buyer, items) = (self.seq, buyer.to_owned(), items.clone());
        self.reservations.push(Entry { id, buyer, slot, items, request, data, expires_at_ms, state });
        Ok(Done::Reserved { id, slot, expires_at_ms })
    }

    pub(crate) fn end(&mut self, now_ms: u64, id: u64, end: State) -> Result<Done, Refusal> {
        let now_ms = now_ms.max(self.now_ms);
        let entry = self.entry(id).ok_or(Refusal::Unknown)?;
        let is_over = entry.state == State::Held && entry.expires_at_ms.unwrap() <= now_ms;
        match entry.state {
            state if state == end => return Err(replayed(entry)),
            State::Expired => return Err(Refusal::Expired),
            State::Held if is_over => return Err(Refusal::Expired),
            State::Held => entry.state = end,
            _ => return Err(Refusal::Conflict),
        }
        self.happened(now_ms);
        Ok(if end == State::Confirmed { Done::Confirmed { id } } else { Done::Released { id } })
    }

    pub(crate) fn restock(&mut self, now_ms: u64, sku: u16, delta: i64) -> Result<Done, Refusal> {
        let [total, available, ..] = self.units(sku.into());
        if delta < 0 && delta.unsigned_abs() > available {
            return Err(Refusal::Conflict);
        }
        if self.journal_is_full() {
            return Err(Refusal::JournalFull);
        }
        let total = total.checked_add_signed(delta).unwrap();
        self.totals[usize::from(sku)] = total;
        self.happened(now_ms.max(self.now_ms));
        Ok(Done::Restocked { sku, total })
    }

    pub(crate) fn switch(&mut self, now_ms: u64, close: bool) -> Result<Done, Refusal> {
        if self.is_closed == close {
            return Err(Refusal::Conflict);
        }
        if !close && self.journal_is_full() {
            return Err(Refusal::JournalFull);
        }
        self.is_closed = close;
        self.happened(now_ms.max(self.now_ms));
        Ok(if close { Done::Closed } else { Done::Opened })
    }

    fn journal_is_full(&self) -> bool {
        self.terms.journal_events_max.is_some_and(|max| self.journal_events() >= max)
    }

    fn entry(&mut self, id: u64) -> Option<&mut Entry> {
        self.reservations.iter_mut().find(|entry| entry.id == id)
    }

    fn happened(&mut self, now_ms: u64) {
        self.seq += 1;
        self.now_ms = now_ms;
    }
}

fn replayed(entry: &Entry) -> Refusal {
    Refusal::Replayed { id: entry.id, expires_at_ms: entry.expires_at_ms, state: entry.state }
}

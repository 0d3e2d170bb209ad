//! A buyer who repeats until there is an answer, whatever happens to the gateway, to Redis or to the connection.

use std::sync::Arc;

use anyhow::{Result, bail};
use flash_sim::{Answer, Sell};

use super::buyer::{Answered, Buyer};
use super::endpoint::Endpoint;
use super::patience::{self, Heard, PATIENCE_MS};
use super::told::Told;
use super::trouble::Trouble;
use super::unheard::Leaves;
use super::wish::Wish;

/// What all buyers of a simulation share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Street {
    trouble: Arc<Trouble>,
    told: Arc<Told>,
}

/// Sends one buyer after another, each until answered.
pub(crate) struct Stubborn {
    buyer: Buyer,
    street: Street,
}

impl Street {
    pub(crate) fn new(trouble: Arc<Trouble>) -> Self {
        Self { trouble, told: Arc::default() }
    }

    fn heard(&self, answered: Answered) -> Answer {
        let Some(id) = answered.reservation else { return Answer::SoldOut };
        if self.told.is_first(&id) { Answer::Sold } else { Answer::Again }
    }
}

impl Stubborn {
    pub(crate) async fn connect(endpoint: Endpoint, wish: Arc<Wish>, street: Street) -> Self {
        Self { buyer: Buyer::connect_if_there(endpoint, wish).await, street }
    }
}

impl Sell for Stubborn {
    type Answer = (Answer, u64);

    async fn sell(&mut self, buyer: u64) -> Result<(Answer, u64)> {
        let mut unheard = 0;
        if let Some(left) = self.street.trouble.take_unheard() {
            // The buyer cannot know either whether it was sent at all.
            let leaves = if left.is_multiple_of(2) { Leaves::AtOnce } else { Leaves::Answered };
            let _ = self.buyer.ask_unheard(buyer, leaves).await;
            unheard = 1;
        }
        if !self.street.trouble.take_doubled() {
            let (answered, retries) = until_answered(&mut self.buyer, buyer).await?;
            return Ok((self.street.heard(answered), retries + unheard));
        }
        let mut twin = self.buyer.twin();
        let both = tokio::try_join!(until_answered(&mut self.buyer, buyer), until_answered(&mut twin, buyer));
        let ((one, retries), (other, more)) = both?;
        let is_same = one.reservation == other.reservation;
        let answer = if is_same { self.street.heard(one) } else { Answer::Contradicted };
        Ok((answer, retries + more + unheard))
    }
}

/// Asks until there is an answer that says how it ended. Gives the number of repeats.
async fn until_answered(buyer: &mut Buyer, number: u64) -> Result<(Answered, u64)> {
    let (heard, repeats) = patience::until_answered(buyer, number, |heard| !is_final(heard)).await?;
    match heard {
        Heard::Answer(answered) if answered.is_final() => Ok((answered, repeats.sum())),
        Heard::Answer(answered) => {
            bail!(
                "no end in {PATIENCE_MS} ms and {} repeats, the last time: {}",
                repeats.sum(),
                answered.outcome.name()
            )
        }
        Heard::Nothing(error) => Err(error.context(format!("no answer in {PATIENCE_MS} ms"))),
    }
}

const fn is_final(heard: &Heard) -> bool {
    matches!(heard, Heard::Answer(answered) if answered.is_final())
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use hyper::StatusCode;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::api::Response;
    use super::super::wish::Who;
    use super::*;

    fn answered(status: u16, body: &str) -> Answered {
        let status = StatusCode::from_u16(status).unwrap();
        Answered::read(&Response { status, retry_after_s: None, body: body.to_owned().into() }).unwrap()
    }

    #[test]
    fn the_first_answer_with_a_reservation_is_new_and_the_next_is_a_repeat() {
        let street = Street::default();
        let heard = |status, body| street.heard(answered(status, body));
        // The answer 201 was lost.
        assert_eq!(heard(200, "{\"id\":\"1\"}"), Answer::Sold);
        assert_eq!(heard(200, "{\"id\":\"1\"}"), Answer::Again);
        assert_eq!(heard(201, "{\"id\":\"2\"}"), Answer::Sold);
        assert_eq!(heard(409, "{\"type\":\"/problems/sold-out\"}"), Answer::SoldOut);
    }

    /// Answers one request a connection, in this order; "" is a connection that is closed without an answer.
    async fn serve(listener: TcpListener, mut answers: VecDeque<&'static str>) {
        // Who connects ahead, and who goes away, asks nothing.
        let mut request = [0; 4096];
        while let Some(answer) = answers.front() {
            let (mut peer, _) = listener.accept().await.unwrap();
            if peer.read(&mut request).await.unwrap_or(0) == 0 {
                continue;
            }
            if let Some((status, body)) = answer.split_once(' ') {
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
                peer.write_all(answer.as_bytes()).await.unwrap();
            }
            answers.pop_front();
        }
    }

    async fn check(trouble: impl FnOnce(&Trouble), answers: &[&'static str], want: (Answer, u64)) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::read(&format!("http://{}", listener.local_addr().unwrap()), None).unwrap();
        let wish = Arc::new(Wish::new("drop", None, Who::Named(String::new())));
        let street = Street::default();
        trouble(&street.trouble);
        let buyer = Buyer::connect(endpoint, wish).await.unwrap().twin();
        let serving = tokio::spawn(serve(listener, answers.iter().copied().collect()));
        let sold = Stubborn { buyer, street }.sell(7).await.unwrap();
        assert_eq!(sold, want, "{answers:?}");
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_buyer_repeats_until_answered() {
        const RESERVED: &str = "201 {\"id\":\"1\"}";
        const ANOTHER: &str = "201 {\"id\":\"2\"}";
        check(|_| {}, &[RESERVED], (Answer::Sold, 0)).await;
        check(|_| {}, &["", "503 {}", "504 {}", "409 {\"type\":\"/problems/sold-out\"}"], (Answer::SoldOut, 3)).await;
        check(|trouble| trouble.lose_answers(1), &[RESERVED, "200 {\"id\":\"1\"}"], (Answer::Sold, 1)).await;
        check(|trouble| trouble.send_twice(1), &[RESERVED, "200 {\"id\":\"1\"}"], (Answer::Sold, 0)).await;
        check(|trouble| trouble.send_twice(1), &[RESERVED, ANOTHER], (Answer::Contradicted, 0)).await;
    }
}

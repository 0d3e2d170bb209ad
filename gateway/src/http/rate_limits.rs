//! Rate limits: counts each request in the policies that hold for it, and refuses what is too often.
//!
//! A request's policies are asked in one round trip, before anything else is asked of Redis: what is refused reserves
//! nothing. Where Redis cannot be asked, nothing is allowed.

mod fields;
mod key;
mod refused;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use flash_client::{Call, Client};
use flash_metrics::{Counter, Page};
use flash_wire::{COST_DEFAULT, Throttle, ThrottleAnswer};
use flash_worker::now_ms;

use self::fields::RateLimitFields;
use self::refused::RecentRefusals;
use super::problem::{Kind, Problem};
use super::reply::Reply;
use crate::rate_limit::Policy;

/// What a request may be counted by, besides its buyer.
pub(crate) struct Asker<'a> {
    pub(crate) route: &'static str,
    pub(crate) sale: &'a str,
    pub(crate) address: IpAddr,
}

/// A policy, and what became of the requests that were counted in it.
#[derive(Debug)]
struct Rule {
    policy: Policy,
    allowed: Counter,
    limited: Counter,
}

/// The policies of a gateway; its threads share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules(Arc<[Rule]>);

impl Rules {
    pub(crate) fn new(policies: Vec<Policy>) -> Self {
        let rule = |policy| Rule { policy, allowed: Counter::new(), limited: Counter::new() };
        Self(policies.into_iter().map(rule).collect())
    }

    /// How often each policy allowed and refused.
    pub(crate) fn write(&self, page: &mut Page) {
        if self.0.is_empty() {
            return;
        }
        let of = |count: fn(&Rule) -> &Counter| {
            self.0.iter().map(move |rule| (rule.policy.name(), count(rule).get())).collect()
        };
        page.counter_by(
            "flash_rate_limit_allowed_total",
            "Requests that a policy allowed.",
            "policy",
            of(|r| &r.allowed),
        );
        page.counter_by(
            "flash_rate_limit_limited_total",
            "Requests that a policy refused.",
            "policy",
            of(|r| &r.limited),
        );
    }
}

/// The rate limits as one thread sees them.
#[derive(Debug)]
pub(crate) struct RateLimits {
    rules: Rules,
    refused: RecentRefusals,
}

impl RateLimits {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, refused: RecentRefusals::new() }
    }

    pub(crate) const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Counts a request. A policy by buyer does not hold for one that names none.
    ///
    /// # Errors
    /// When a policy refuses, or Redis cannot be asked.
    pub(crate) async fn count(
        &self,
        redis: &Client,
        asker: &Asker<'_>,
        buyer: Option<&str>,
        counted: &mut Counted,
    ) -> Result<(), Problem> {
        let rules = self.rules.0.iter().filter(|rule| rule.policy.routes.contains(&asker.route));
        let named: Vec<(&Rule, String)> =
            rules.filter_map(|rule| Some((rule, key::name(&rule.policy, asker, buyer)?))).collect();
        if named.is_empty() {
            return Ok(());
        }
        // On the heap it does not make every reservation's task larger.
        Box::pin(counted.ask(&self.refused, redis, &named)).await
    }
}

/// What the rate limits said.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    fields: Option<RateLimitFields>,
    /// The names of the policies that refused.
    limited: String,
    /// The longest wait of those.
    retry_after_ms: u64,
}

impl Counted {
    /// Puts it into the answer, whatever that is.
    pub(crate) fn mark(self, reply: &mut Reply) {
        if let Some(fields) = self.fields {
            fields.write(reply.headers_mut());
        }
    }

    /// Takes a unit from each of these rate limits, unless one is sure to refuse.
    async fn ask(
        &mut self,
        refused: &RecentRefusals,
        redis: &Client,
        named: &[(&Rule, String)],
    ) -> Result<(), Problem> {
        let sent_at = Instant::now();
        for (rule, name) in named {
            if let Some(answer) = refused.look(name, sent_at) {
                self.add(rule, &answer);
            }
        }
        self.check()?;
        let now_ms = now_ms();
        let call = |(rule, name): &(&Rule, String)| {
            Call::throttle(name, &Throttle { terms: rule.policy.limit.terms(now_ms), cost: COST_DEFAULT })
        };
        let answers = redis.calls(named.iter().map(call).collect()).await;
        for ((rule, name), answer) in named.iter().zip(answers) {
            let Ok(Ok(answer)) = answer else {
                return Err(Problem::new(Kind::RedisAway, "Redis cannot check the rate limits; nothing was changed"));
            };
            refused.remember(name, sent_at, &answer);
            self.add(rule, &answer);
        }
        self.check()
    }

    fn add(&mut self, rule: &Rule, answer: &ThrottleAnswer) {
        self.fields.get_or_insert_default().add(&rule.policy, answer);
        let Some(retry_after_ms) = answer.retry_after_ms else { return rule.allowed.add(1) };
        rule.limited.add(1);
        if !self.limited.is_empty() {
            self.limited.push_str(", ");
        }
        self.limited.push_str(rule.policy.name());
        self.retry_after_ms = self.retry_after_ms.max(retry_after_ms);
    }

    /// Passes what no policy refused.
    fn check(&self) -> Result<(), Problem> {
        if self.limited.is_empty() {
            return Ok(());
        }
        Err(Problem::rate_limited(&self.limited, fields::seconds(self.retry_after_ms)))
    }
}

#[cfg(test)]
mod tests {
    use flash_wire::{Standing, ThrottleTerms, WindowTerms};

    use super::*;

    #[test]
    fn the_longest_wait_is_the_answer_and_each_policy_that_refused_is_named() {
        let terms = ThrottleTerms::Strict(WindowTerms { limit: 5, window_ms: 1_000 });
        let rules = Rules::new(["one", "two", "three"].map(|name| Policy::new(name, terms, &[], &[]).unwrap()).into());
        let standing = Standing { limit: 5, remaining: 0, reset_ms: 700 };
        let mut counted = Counted::default();
        for (rule, retry_after_ms) in rules.0.iter().zip([Some(1_001), None, Some(300)]) {
            counted.add(rule, &ThrottleAnswer { retry_after_ms, standing });
        }
        let problem = counted.check().unwrap_err();
        assert_eq!(problem, Problem::rate_limited("one, three", 2));
        let mut page = Page::default();
        rules.write(&mut page);
        let text = page.into_text();
        let got: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let line = |outcome, name, count| format!("flash_rate_limit_{outcome}_total{{policy=\"{name}\"}} {count}");
        let of = |outcome, counts: [u8; 3]| {
            ["one", "two", "three"].into_iter().zip(counts).map(move |(name, count)| line(outcome, name, count))
        };
        let want: Vec<String> = of("allowed", [0, 1, 0]).chain(of("limited", [1, 0, 1])).collect();
        assert_eq!(got, want);
    }
}

//! Carries out what a sale's recovery asks for.

use std::collections::{BTreeSet, HashSet};

use flash_client::{Call, Client};
use flash_plan::{Action, Answer, InRedis, Known};
use flash_vault::{Claim, RedisState, Sealed};
use flash_wire::{
    ACTIVE_RESERVATIONS_MAX, Ack, Attempt, Expected, Life, NextEpoch, Pull, REBUILD_RESERVATIONS_MAX, Rebuild,
    RebuiltReservation, Refusal, State, Warm, WarmAnswer,
};

use crate::barriers::barrier_id;
use crate::known::{in_postgres, in_redis};
use crate::limits::ORDERS_PER_PAGE;
use crate::trouble::Trouble;
use crate::vaults::Vaults;

/// The servers of one session, and who asks them.
pub(crate) struct Servers {
    pub(crate) redis: Client,
    /// For questions, any number at once.
    pub(crate) postgres: flash_vault::Client,
    pub(crate) vaults: Vaults,
    /// This gateway, as the others know it.
    pub(crate) gateway: String,
    /// The sales with rejections that are not settled, as far as PostgreSQL was asked.
    pub(crate) unsettled: BTreeSet<String>,
}

impl Servers {
    /// Carries out one step of a sale's recovery. Resting and barriers are the caller's.
    pub(crate) async fn carry_out(&self, sale: &str, action: Action<'_>) -> Result<Answer, Trouble> {
        match action {
            Action::Look => self.look(sale).await,
            Action::Take { seen_term, at_least } => {
                let gateway = &self.gateway;
                let taken = flash_vault::take_recovery(&self.postgres, sale, gateway, seen_term, at_least).await?;
                Ok(Answer::Taken { term: taken.ok_or(Trouble::Another)? })
            }
            Action::Renew { term } => {
                let is_ours = flash_vault::renew_recovery(&self.postgres, sale, &self.gateway, term).await?;
                if is_ours { Ok(Answer::Done) } else { Err(Trouble::Superseded) }
            }
            Action::Fence { term } => {
                let fenced = self.redis.call(Call::fence_for(sale, term)).await??;
                Ok(Answer::Fenced { instance: fenced.instance })
            }
            Action::Rehearse { attempt, next, expected } => self.rehearse(sale, attempt, next, expected).await,
            Action::Seal { term, barrier, epoch, wanted } => {
                let barrier = barrier_id(barrier);
                let claim = Claim { term, barrier: &barrier };
                sealed(self.vaults.take().await.vault().await?.seal(sale, claim, epoch, wanted).await?)
            }
            Action::Collect(_) => Ok(Answer::Collected(self.collect(sale).await?)),
            Action::Restore { term, barrier, redis, reservations } => {
                let barrier = barrier_id(barrier);
                self.restore(sale, Claim { term, barrier: &barrier }, redis, reservations).await
            }
            Action::Ack { epoch, seq } => {
                self.redis.call(Call::ack(sale, Ack { epoch, seq })).await??;
                Ok(Answer::Done)
            }
            Action::Warm { attempt, next, expected } => self.warm(sale, attempt, next, expected).await,
            Action::ReadPage { after } => {
                let page = flash_vault::active_page(&self.postgres, sale, after, ORDERS_PER_PAGE).await?;
                Ok(Answer::Page(page))
            }
            Action::Rebuild { attempt, epoch, page } => self.rebuild(sale, attempt, epoch, page).await,
            Action::Unfence(unfence) => {
                self.redis.call(Call::unfence(sale, unfence)).await??;
                Ok(Answer::Done)
            }
            Action::Settle { epoch } => {
                flash_vault::settle_rejections(&self.postgres, sale, epoch).await?;
                Ok(Answer::Done)
            }
            Action::End { term } => {
                flash_vault::end_recovery(&self.postgres, sale, &self.gateway, term).await?;
                Ok(Answer::Done)
            }
            Action::Barrier(_) | Action::Rest { .. } | Action::Over => Ok(Answer::Done),
        }
    }

    async fn look(&self, sale: &str) -> Result<Answer, Trouble> {
        let status = match self.redis.call(Call::sale_status(sale)).await? {
            Ok(status) => Some(status),
            Err(Refusal::NotWarmed) => None,
            Err(refusal) => return Err(refusal.into()),
        };
        let redis = match &status {
            Some(status) if status.is_fenced() && status.journal_events_max.is_some() => {
                Some(in_redis(status, self.is_away(sale, status.seq).await?))
            }
            status => status.as_ref().map(|status| in_redis(status, false)),
        };
        let epoch = redis.as_ref().map_or(0, |redis| redis.epoch);
        let standing = flash_vault::standing(&self.postgres, sale, epoch).await?;
        let postgres = standing.map(|standing| in_postgres(standing, self.unsettled.contains(sale)));
        Ok(Answer::Known(Box::new(Known { redis, postgres })))
    }

    /// A sale that lies under another key than its own does not show its journal.
    async fn is_away(&self, sale: &str, seq: u64) -> Result<bool, Trouble> {
        let pull = Pull { relay: "recovery", lease_ms: 0, after: Some(seq), count: 1 };
        match self.redis.call(Call::pull(sale, &pull)).await? {
            Ok(_) | Err(Refusal::NotWarmed) => Ok(false),
            Err(Refusal::Fenced) => Ok(true),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Redis refuses a value that is not the one meant after everything that is wrong with the command itself.
    async fn rehearse(
        &self,
        sale: &str,
        Attempt { term, instance }: Attempt,
        next: NextEpoch,
        expected: &Expected,
    ) -> Result<Answer, Trouble> {
        let instance = if instance > 1 { instance - 1 } else { instance + 1 };
        match self.warm(sale, Attempt { term, instance }, next, expected).await {
            Err(Trouble::Refused(Refusal::Fenced)) => Ok(Answer::Done),
            Ok(_) => Err(Refusal::Conflict.into()),
            Err(trouble) => Err(trouble),
        }
    }

    async fn warm(
        &self,
        sale: &str,
        attempt: Attempt,
        NextEpoch { epoch, after }: NextEpoch,
        expected: &Expected,
    ) -> Result<Answer, Trouble> {
        let terms = flash_vault::terms(&self.postgres, sale).await?.ok_or(Trouble::Gone)?;
        let total = |name: &str| expected.skus.iter().find(|sku| sku.name == name).map(|sku| sku.total);
        let totals = terms.skus.iter().map(|sku| total(&sku.name)).collect::<Option<_>>().ok_or(Trouble::Gone)?;
        // Only what was held can end, and an earlier life's ended reservations are not given back.
        let forgotten_seq = if terms.hold_ms.is_some() { after } else { 0 };
        let life = Life { terms, totals, is_closed: expected.is_closed, forgotten_seq };
        let warm = Warm { life, epoch, after, attempt: Some(attempt) };
        match self.redis.call(Call::warm(sale, &warm)).await?? {
            WarmAnswer::Warmed { .. } => Ok(Answer::Done),
            // No one else may begin this epoch.
            WarmAnswer::Exists { .. } => Err(Refusal::Conflict.into()),
        }
    }

    async fn rebuild(
        &self,
        sale: &str,
        attempt: Attempt,
        epoch: u64,
        page: &[RebuiltReservation<'static>],
    ) -> Result<Answer, Trouble> {
        let rebuild = |some: &[RebuiltReservation<'static>]| {
            Call::rebuild(sale, &Rebuild { epoch, attempt: Some(attempt), reservations: some.to_vec() })
        };
        let calls = page.chunks(REBUILD_RESERVATIONS_MAX).map(rebuild).collect();
        for outcome in self.redis.calls(calls).await {
            outcome??;
        }
        Ok(Answer::Done)
    }

    async fn collect(&self, sale: &str) -> Result<Vec<RebuiltReservation<'static>>, Trouble> {
        let mut all = Vec::new();
        loop {
            let after = all.last().map_or(0, |last: &RebuiltReservation| last.id);
            let page = self.redis.call(Call::active(sale, after, ACTIVE_RESERVATIONS_MAX)).await??;
            let is_last = (page.reservations.len() as u64) < ACTIVE_RESERVATIONS_MAX;
            all.extend(page.reservations);
            if is_last {
                return Ok(all);
            }
        }
    }

    async fn restore(
        &self,
        sale: &str,
        claim: Claim<'_>,
        redis: &InRedis,
        reservations: &[RebuiltReservation<'static>],
    ) -> Result<Answer, Trouble> {
        let from = RedisState {
            epoch: redis.epoch,
            seq: redis.seq,
            acked: redis.acked,
            terms: redis.terms.clone(),
            is_closed: redis.state.is_closed,
            reservations: reservations.to_vec(),
            ended: self.ended(sale, reservations).await?,
        };
        sealed(self.vaults.take().await.vault().await?.restore(sale, claim, &from).await?)
    }

    /// How reservations ended that may be holds in PostgreSQL, as far as Redis still knows it.
    async fn ended(&self, sale: &str, active: &[RebuiltReservation<'_>]) -> Result<Vec<(u64, State)>, Trouble> {
        let active: HashSet<u64> = active.iter().map(|reservation| reservation.id).collect();
        let (mut ended, mut after) = (Vec::new(), 0);
        loop {
            let page = flash_vault::possible_holds(&self.postgres, sale, after, ORDERS_PER_PAGE).await?;
            let Some(last) = page.last() else { return Ok(ended) };
            after = *last;
            let gone: Vec<_> = page.into_iter().filter(|id| !active.contains(id)).collect();
            let calls = gone.iter().map(|id| Call::reservation_status(sale, *id)).collect();
            for (id, status) in gone.iter().zip(self.redis.calls(calls).await) {
                if let Ok(status) = status?
                    && !status.state.is_active()
                {
                    ended.push((*id, status.state));
                }
            }
        }
    }
}

fn sealed(sealed: Sealed) -> Result<Answer, Trouble> {
    match sealed {
        Sealed::Next { next, expected } => Ok(Answer::Sealed { next, expected }),
        Sealed::NotYet => Ok(Answer::NotYet),
        Sealed::BarrierGone => Ok(Answer::BarrierGone),
        Sealed::Superseded => Err(Trouble::Superseded),
    }
}

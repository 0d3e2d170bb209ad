//! A failed schedule without the steps that it does not need.

use crate::random::replay;
use crate::rules::Rules;
use crate::step::Step;
use crate::witness::Broken;

/// Deletes runs of steps, ever shorter ones, as long as the same promise is broken without them (Zeller's ddmin, 1999).
pub(crate) fn shrink(seed: u64, rules: Rules, mut schedule: Vec<Step>, broken: Broken) -> Vec<Step> {
    let mut length = schedule.len().div_ceil(2);
    while length > 0 {
        let before = schedule.len();
        let mut first = 0;
        while first < schedule.len() {
            let last = (first + length).min(schedule.len());
            let without: Vec<Step> = schedule[..first].iter().chain(&schedule[last..]).copied().collect();
            if replay(seed, rules, &without) == Some(broken) {
                schedule = without;
            } else {
                first = last;
            }
        }
        if length > 1 {
            length = length.div_ceil(2);
        } else if schedule.len() == before {
            break;
        }
    }
    schedule
}

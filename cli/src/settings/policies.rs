//! The policies in a configuration file: a table `[[rate-limit]]` each.

use std::collections::BTreeSet;

use anyhow::Result;
use flash_gateway::{Limit, POLICIES_MAX, Part, Policy, Zone};
use flash_wire::{BucketTerms, BurstTerms, DailyTerms, Invalid, ThrottleTerms, WindowTerms};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::{Place, unknown};

/// The list of policies.
pub(super) const RATE_LIMIT: &str = "rate-limit";
/// What a policy of each strategy has, besides what all have.
const STRATEGIES: [(&str, &[&str]); 5] = [
    ("bucket", &["rate", "period-ms", "burst"]),
    ("burst", &["limit", "window-ms", "extra", "period-ms"]),
    ("strict", &["limit", "window-ms"]),
    ("sliding", &["limit", "window-ms"]),
    ("daily", &["limit", "zone", "offset-minutes"]),
];
/// What every policy has.
const COMMON: [&str; 4] = ["name", "strategy", "by", "routes"];

/// Reads the list, each policy with its line.
pub(super) fn read(place: &Place, at: usize, value: &DeValue) -> Result<Vec<(usize, Policy)>> {
    let DeValue::Array(tables) = value else {
        return Err(place.error(at, format!("write [[{RATE_LIMIT}]], because it is a list")));
    };
    if tables.len() > POLICIES_MAX {
        return Err(
            place.error(at, format!("{RATE_LIMIT} must be at most {POLICIES_MAX} policies, not {}", tables.len()))
        );
    }
    let mut names = BTreeSet::new();
    let policy = |table: &Spanned<DeValue>| {
        let at = table.span().start;
        let DeValue::Table(fields) = table.get_ref() else {
            return Err(place.error(at, format!("write [[{RATE_LIMIT}]], because each entry is a table")));
        };
        let policy = Reader { place, at, fields }.policy()?;
        if !names.insert(policy.name().to_owned()) {
            return Err(place.error(at, format!("{RATE_LIMIT} {}: another policy has this name", policy.name())));
        }
        Ok((place.line(at), policy))
    };
    tables.iter().map(policy).collect()
}

/// One policy.
struct Reader<'a> {
    place: &'a Place<'a>,
    at: usize,
    fields: &'a DeTable<'a>,
}

impl Reader<'_> {
    fn policy(&self) -> Result<Policy> {
        let name = self.text("name")?.unwrap_or_default();
        let said = self.text("strategy")?.unwrap_or_default();
        let Some((strategy, own)) = STRATEGIES.into_iter().find(|(strategy, _)| *strategy == said) else {
            let names = STRATEGIES.map(|(strategy, _)| strategy).join(", ");
            return Err(self.broken("strategy", &format!("must be one of {names}")));
        };
        let known: Vec<&str> = COMMON.iter().chain(own).copied().collect();
        if let Some(key) = self.fields.keys().find(|key| !known.contains(&key.get_ref().as_ref())) {
            let problem = format!("{}: {}", self.name(), unknown(key.get_ref(), &known));
            return Err(self.place.error(key.span().start, problem));
        }
        let mut by = Vec::new();
        for part in self.list("by")? {
            let Some((_, part)) = Part::NAMES.into_iter().find(|(name, _)| *name == part) else {
                let names = Part::NAMES.map(|(name, _)| name).join(", ");
                return Err(self.broken("by", &format!("must be a list of {names}")));
            };
            by.push(part);
        }
        let (limit, routes) = (self.limit(strategy)?, self.list("routes")?);
        Policy::new(name, limit, &by, &routes).map_err(|invalid| self.invalid(&invalid))
    }

    /// A day's quota is a time zone's, or that of a fixed offset.
    fn limit(&self, strategy: &str) -> Result<Limit> {
        let Some(zone) = self.text("zone")? else { return Ok(self.terms(strategy)?.into()) };
        if self.field("offset-minutes").is_some() {
            return Err(self.broken("zone", "cannot be combined with offset-minutes"));
        }
        Ok(Limit::DailyIn(self.int("limit")?, Zone::named(zone).map_err(|invalid| self.invalid(&invalid))?))
    }

    fn terms(&self, strategy: &str) -> Result<ThrottleTerms> {
        Ok(match strategy {
            "bucket" => ThrottleTerms::Bucket(BucketTerms {
                rate: self.int("rate")?,
                period_ms: self.int("period-ms")?,
                burst: self.int("burst")?,
            }),
            "burst" => ThrottleTerms::Burst(BurstTerms {
                limit: self.int("limit")?,
                window_ms: self.int("window-ms")?,
                extra: self.int("extra")?,
                period_ms: self.int("period-ms")?,
            }),
            "strict" => ThrottleTerms::Strict(self.window()?),
            "sliding" => ThrottleTerms::Sliding(self.window()?),
            _ => {
                let offset_minutes =
                    if self.field("offset-minutes").is_some() { self.int("offset-minutes")? } else { 0 };
                ThrottleTerms::Daily(DailyTerms { limit: self.int("limit")?, offset_minutes, change: None })
            }
        })
    }

    fn window(&self) -> Result<WindowTerms> {
        Ok(WindowTerms { limit: self.int("limit")?, window_ms: self.int("window-ms")? })
    }

    /// The policy's name.
    fn name(&self) -> String {
        let name = self.text("name").ok().flatten().unwrap_or("without a name");
        format!("{RATE_LIMIT} {name}")
    }

    fn broken(&self, field: &str, rule: &str) -> anyhow::Error {
        let at = self.field(field).map_or(self.at, |value| value.span().start);
        self.place.error(at, format!("{}: {field} {rule}", self.name()))
    }

    /// The rules' own names of the fields have no unit.
    fn invalid(&self, invalid: &Invalid) -> anyhow::Error {
        let field = match invalid.field {
            "period" => "period-ms",
            "window" => "window-ms",
            "offset" => "offset-minutes",
            field => field,
        };
        self.broken(field, invalid.rule.as_str())
    }

    fn field(&self, name: &str) -> Option<&Spanned<DeValue<'_>>> {
        self.fields.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Result<Option<&str>> {
        match self.field(name).map(Spanned::get_ref) {
            Some(DeValue::String(text)) => Ok(Some(text)),
            None => Ok(None),
            Some(_) => Err(self.place.error(self.at, format!("{RATE_LIMIT}: {name} must be a string"))),
        }
    }

    fn list(&self, name: &str) -> Result<Vec<&str>> {
        let list = match self.field(name).map(Spanned::get_ref) {
            Some(DeValue::Array(values)) => values.iter().map(|value| value.get_ref().as_str()).collect(),
            None => Some(Vec::new()),
            Some(_) => None,
        };
        list.ok_or_else(|| self.broken(name, "must be a list of strings"))
    }

    fn int<T: TryFrom<i64>>(&self, name: &str) -> Result<T> {
        let Some(value) = self.field(name) else { return Err(self.broken(name, "must be given")) };
        let number = match value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| self.broken(name, "must be a whole number"))
    }
}

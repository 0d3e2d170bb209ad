//! What the program around a gateway can do for developers: simulate a stampede, and make faults. A gateway by
//! itself can do neither, and has no such routes then.

use std::fmt::Debug;
use std::pin::Pin;

/// What is to be simulated. Every number is within its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// Ways to sell, each one of [`Devtools::strategies`] and none twice, in the order in which they are to sell.
    pub strategies: Vec<&'static str>,
    /// People who want one unit each.
    pub buyers: u64,
    /// Units that there are.
    pub units: u64,
    /// Requests that are under way at once.
    pub concurrency: u64,
    /// Requests a second, on average.
    pub rate: u64,
    /// Fixes who comes when. None: any.
    pub seed: Option<u64>,
}

/// Another simulation runs: the one of this id.
#[derive(Debug, PartialEq, Eq)]
pub struct Busy(pub String);

/// Why a fault was not made.
#[derive(Debug, PartialEq, Eq)]
pub enum Unmade {
    /// There is nothing now that it would hit. Nothing was done.
    Idle(String),
    /// What happened instead: it may have been made nevertheless.
    Failed(String),
}

/// Ends when a fault is made, or has begun.
pub type Made = Pin<Box<dyn Future<Output = Result<(), Unmade>> + Send>>;

/// The program around a gateway, as far as a gateway asks it for something. Nothing here blocks.
pub trait Devtools: Debug + Send + Sync {
    /// The ways to sell, by their names.
    fn strategies(&self) -> Vec<&'static str>;

    /// Begins a simulation, and gives its id.
    ///
    /// # Errors
    /// When another one runs.
    fn simulate(&self, wanted: Simulated) -> Result<String, Busy>;

    /// The current state of a simulation, as JSON. None: there is none of this id, or none any more.
    fn simulation(&self, id: &str) -> Option<String>;

    /// Stops a simulation soon, if it runs. False: there is none of this id.
    fn stop(&self, id: &str) -> bool;

    /// The faults that can be made here, by their names.
    fn faults(&self) -> Vec<&'static str>;

    /// Makes one of [`Devtools::faults`].
    fn fault(&self, name: &'static str) -> Made;
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Simulates nothing, and says that it does. Its second fault fails, and its third has nothing to hit.
    #[derive(Debug, Default)]
    pub(crate) struct Fake {
        /// The id of what runs already.
        pub(crate) runs: Option<&'static str>,
    }

    impl Devtools for Fake {
        fn strategies(&self) -> Vec<&'static str> {
            vec!["naive", "flash"]
        }

        fn simulate(&self, wanted: Simulated) -> Result<String, Busy> {
            match self.runs {
                Some(id) => Err(Busy(id.to_owned())),
                None => Ok(format!("{}-of-{}", wanted.strategies.join("-"), wanted.buyers)),
            }
        }

        fn simulation(&self, id: &str) -> Option<String> {
            (self.runs == Some(id)).then(|| format!("{{\"id\":\"{id}\"}}"))
        }

        fn stop(&self, id: &str) -> bool {
            self.runs == Some(id)
        }

        fn faults(&self) -> Vec<&'static str> {
            vec!["rain", "hail", "drought"]
        }

        fn fault(&self, name: &'static str) -> Made {
            Box::pin(async move {
                match name {
                    "rain" => Ok(()),
                    "hail" => Err(Unmade::Failed("the sky is clear".to_owned())),
                    _ => Err(Unmade::Idle("nothing grows".to_owned())),
                }
            })
        }
    }
}

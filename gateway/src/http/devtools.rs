//! What exists for developers only: `/v1/simulations`, `/v1/simulations/{id}` and
//! `/v1/faults/{id}`.

use bytes::Bytes;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::idempotency::{Keyed, Replayed, done, once};
use super::problem::{FieldError, Kind, Problem};
use super::reply::{Reply, created, json_text, reply};
use super::route::{Answer, DELETE, GET, Link, POST, Route, Schema, Spec, handler};
use super::state::{App, Asked};
use super::target::Manner;
use super::{body, fields};
use crate::devtools::{Busy, Devtools, Simulated, Unmade};
use crate::limits::{
    SIMULATION_BUYERS_MAX, SIMULATION_CONCURRENCY_MAX, SIMULATION_RATE_MAX, SIMULATION_S_MAX, SIMULATION_SEED_MAX,
    SIMULATION_UNITS_MAX, STRATEGIES_MAX, STRATEGY_BYTES_MAX,
};
use flash_vault::Role;

pub(super) static ROUTES: [Route; 4] = [
    Route {
        method: &POST,
        path: "/v1/simulations",
        name: "simulate",
        access: Access::Developer(Role::Admin),
        handler: handler!(simulate),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "In development",
            summary: "Start a simulation",
            description: "The same buyers send the same HTTP requests at the same times to each strategy, one strategy \
                          after the other. One simulation runs at a time. The gateway keeps the last few.",
            parameters: &["IdempotencyKey"],
            body: Some(Schema::of::<NewSimulation>()),
            answers: &[
                Answer::json(201, "The simulation has started.", Schema::of::<SimulationBegun>())
                    .headers(&["Location"])
                    .links(&[
                        Link("show-simulation", &[("id", "$response.body#/id")]),
                        Link("stop-simulation", &[("id", "$response.body#/id")]),
                    ]),
                Answer::json(200, "The simulation had started before.", Schema::of::<SimulationBegun>())
                    .headers(&["Idempotency-Replayed"]),
            ],
            problems: &[Kind::SimulationRuns, Kind::KeyReused],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/simulations/{id}",
        name: "show-simulation",
        access: Access::Developer(Role::Read),
        handler: handler!(|job| async { show(job.app.devtools()?, &job.asked.target.id) }),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "In development",
            summary: "Show a simulation's current results",
            parameters: &["SimulationId"],
            answers: &[Answer::json(200, "The simulation.", Schema::Named("Simulation"))],
            problems: &[Kind::UnknownSimulation],
            ..Spec::NONE
        },
    },
    Route {
        method: &DELETE,
        path: "/v1/simulations/{id}",
        name: "stop-simulation",
        access: Access::Developer(Role::Admin),
        handler: handler!(|job| async { stop(job.app.devtools()?, &job.asked.target.id) }),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "In development",
            summary: "Stop a simulation",
            description: "It stops soon. A simulation that has ended does not change.",
            parameters: &["SimulationId"],
            answers: &[Answer::empty(204, "The simulation is stopping, or has ended.")],
            problems: &[Kind::UnknownSimulation],
            ..Spec::NONE
        },
    },
    Route {
        method: &POST,
        path: "/v1/faults/{id}",
        name: "make-fault",
        access: Access::Developer(Role::Admin),
        handler: handler!(fault),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "In development",
            summary: "Inject a fault",
            description: "The answer comes when the fault was injected, or has started.",
            parameters: &["FaultName", "IdempotencyKey"],
            answers: &[Answer::json(200, "The fault was injected, or has started.", Schema::of::<FaultMade>())
                .headers(&["Idempotency-Replayed"])],
            problems: &[Kind::UnknownFault, Kind::NothingToHit, Kind::FaultFailed, Kind::KeyReused],
            ..Spec::NONE
        },
    },
];

/// Begins a simulation.
pub(crate) async fn simulate(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let devtools = app.devtools()?;
    body::expect_json(&asked.head.headers)?;
    let keyed = Keyed::of(asked)?;
    let wanted = read(&devtools.strategies(), &asked.body)?;
    let begun = done(app, keyed.as_ref(), async { begin(devtools, wanted) }).await?;
    Ok(begun.map_or_else(Replayed::reply, |begun| created(format!("/v1/simulations/{}", begun.id), &begun)))
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BegunSimulation", extend("examples" = [{ "id": "1796000000000" }]))]
struct SimulationBegun {
    id: String,
}

fn begin(devtools: &dyn Devtools, wanted: Simulated) -> Result<SimulationBegun, Problem> {
    let busy = |Busy(id)| {
        Problem::new(
            Kind::SimulationRuns,
            format!(
                "simulation {id} is running: wait for its end, or stop \
                                                               it"
            ),
        )
    };
    Ok(SimulationBegun { id: devtools.simulate(wanted).map_err(busy)? })
}

fn read(known: &[&'static str], json: &[u8]) -> Result<Simulated, Problem> {
    const FIELDS: [&str; 6] = ["strategies", "buyers", "units", "concurrency", "rate", "seed"];
    let [strategies, buyers, units, concurrency, rate, seed] = fields::body(json, FIELDS)?;
    let named = strategies.required()?.names(STRATEGIES_MAX, STRATEGY_BYTES_MAX)?;
    let mut strategies = Vec::with_capacity(named.len());
    for (at, name) in named.iter().enumerate() {
        let refused = |rule: String| FieldError { pointer: format!("/strategies/{at}"), detail: rule };
        let strategy = known.iter().find(|known| *known == name);
        let strategy = strategy.ok_or_else(|| refused(format!("strategies are {}", known.join(", "))))?;
        if strategies.contains(strategy) {
            return Err(refused(format!("{strategy} must be named once")).into());
        }
        strategies.push(*strategy);
    }
    let buyers = buyers.required()?.int(1, SIMULATION_BUYERS_MAX)?;
    let units = units.required()?.int(1, SIMULATION_UNITS_MAX)?;
    let concurrency = concurrency.required()?.int(1, SIMULATION_CONCURRENCY_MAX)?;
    // All have come by the end of the longest simulation that there may be.
    let rate = rate.required()?.int(buyers.div_ceil(SIMULATION_S_MAX), SIMULATION_RATE_MAX)?;
    let seed = seed.optional(|seed| seed.int(0, SIMULATION_SEED_MAX))?;
    Ok(Simulated { strategies, buyers, units, concurrency, rate, seed })
}

/// The current state of a simulation.
fn show(devtools: &dyn Devtools, id: &str) -> Result<Reply, Problem> {
    let simulation = devtools.simulation(id).ok_or(Kind::UnknownSimulation)?;
    Ok(json_text(StatusCode::OK, simulation.into()))
}

/// Stops a simulation, if it is not over.
fn stop(devtools: &dyn Devtools, id: &str) -> Result<Reply, Problem> {
    if devtools.stop(id) {
        return Ok(reply(StatusCode::NO_CONTENT, Bytes::new()));
    }
    Err(Kind::UnknownSimulation.into())
}

/// Makes a fault.
async fn fault(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let keyed = Keyed::of(asked)?;
    once(app, keyed.as_ref(), strike(app.devtools()?, &asked.target.id)).await
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MadeFault", extend("examples" = [{ "fault": "restart-redis" }]))]
struct FaultMade {
    fault: &'static str,
}

async fn strike(devtools: &dyn Devtools, name: &str) -> Result<FaultMade, Problem> {
    let fault = devtools.faults().into_iter().find(|fault| *fault == name).ok_or(Kind::UnknownFault)?;
    devtools.fault(fault).await.map_err(|unmade| match unmade {
        Unmade::Idle(why) => Problem::new(Kind::NothingToHit, why),
        Unmade::Failed(why) => Problem::new(Kind::FaultFailed, why),
    })?;
    Ok(FaultMade { fault })
}

/// All of the buyers come within {SIMULATION_S_MAX} s: the rate is at least a {SIMULATION_S_MAX}th of their
/// number.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend(
        "examples" = [
            {
                "strategies": ["naive", "flash"], "buyers": 2000, "units": 100, "concurrency": 32, "rate": 1000,
                "seed": 7,
            },
        ],
    ),
)]
#[expect(dead_code, reason = "only its schema is used")]
struct NewSimulation {
    /// Ways to sell, by the names that `flash sim` has for them, each once.
    #[schemars(length(min = 1, max = STRATEGIES_MAX))]
    strategies: Vec<String>,
    /// People who want one unit each.
    #[schemars(range(min = 1, max = SIMULATION_BUYERS_MAX))]
    buyers: u64,
    /// Units that there are.
    #[schemars(range(min = 1, max = SIMULATION_UNITS_MAX))]
    units: u64,
    /// Requests that are under way at once.
    #[schemars(range(min = 1, max = SIMULATION_CONCURRENCY_MAX))]
    concurrency: u64,
    /// Requests a second, on average.
    #[schemars(range(min = 1, max = SIMULATION_RATE_MAX))]
    rate: u64,
    /// Fixes who comes when. Without it, any.
    #[schemars(range(max = SIMULATION_SEED_MAX))]
    seed: Option<u64>,
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::devtools::tests::Fake;

    const WANTED: &str = r#"{"strategies":["flash"],"buyers":9,"units":3,"concurrency":2,"rate":5,"seed":7}"#;

    fn check_bad(json: &str, pointer: &str, detail: &str) {
        let error = FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() };
        assert_eq!(read(&["naive", "flash"], json.as_bytes()), Err(error.into()), "{json}");
    }

    async fn text(reply: Reply) -> String {
        String::from_utf8(reply.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
    }

    #[test]
    fn a_simulation_has_ways_to_sell_that_are_known_and_numbers_within_their_limits() {
        let wanted =
            Simulated { strategies: vec!["flash"], buyers: 9, units: 3, concurrency: 2, rate: 5, seed: Some(7) };
        assert_eq!(read(&["naive", "flash"], WANTED.as_bytes()), Ok(wanted));
        let check = |name: &str, value: &str, pointer, detail| {
            let mut json: serde_json::Value = serde_json::from_str(WANTED).unwrap();
            json[name] = serde_json::from_str(value).unwrap();
            check_bad(&json.to_string(), pointer, detail);
        };
        check("strategies", "[]", "/strategies", "strategies must be 1 to 16");
        check("strategies", "[\"luck\"]", "/strategies/0", "strategies are naive, flash");
        check("strategies", "[\"naive\",\"naive\"]", "/strategies/1", "naive must be named once");
        check("strategies", "7", "/strategies", "strategies must be a list of 1 to 16 strings");
        check("buyers", "0", "/buyers", "buyers must be 1 to 50000");
        check("buyers", "null", "/buyers", "buyers must be given");
        check("units", "50001", "/units", "units must be 1 to 50000");
        check("concurrency", "\"8\"", "/concurrency", "concurrency must be a whole number, 1 to 64");
        check("rate", "20001", "/rate", "rate must be 1 to 20000");
        check("seed", "-1", "/seed", "seed must be a whole number, 0 to 9007199254740991");
        check(
            "luck",
            "1",
            "/luck",
            "unknown field luck; the fields are strategies, buyers, units, concurrency, rate, seed",
        );
    }

    #[test]
    fn the_last_buyer_arrives_before_the_longest_simulation_ends() {
        let json = WANTED.replace("\"buyers\":9", "\"buyers\":6000");
        check_bad(&json, "/rate", "rate must be 20 to 20000");
        assert!(read(&["flash"], json.replace("\"rate\":5", "\"rate\":20").as_bytes()).is_ok());
    }

    #[tokio::test]
    async fn one_simulation_runs_is_shown_and_is_stopped() {
        let wanted = || read(&["flash"], WANTED.as_bytes()).unwrap();
        assert_eq!(begin(&Fake::default(), wanted()).unwrap().id, "flash-of-9");
        let busy = Fake { runs: Some("a") };
        let refused = begin(&busy, wanted()).unwrap_err();
        assert_eq!(
            refused,
            Problem::new(
                Kind::SimulationRuns,
                "simulation a is running: wait for its end, or stop \
                                                                it"
            )
        );
        assert_eq!(text(show(&busy, "a").unwrap()).await, "{\"id\":\"a\"}");
        assert_eq!(stop(&busy, "a").unwrap().status(), StatusCode::NO_CONTENT);
        for refused in [show(&busy, "b"), stop(&busy, "b")] {
            assert_eq!(refused.unwrap_err().kind, Kind::UnknownSimulation);
        }
    }

    #[tokio::test]
    async fn a_fault_is_made_or_says_what_happened() {
        assert_eq!(strike(&Fake::default(), "rain").await.unwrap().fault, "rain");
        let failed = strike(&Fake::default(), "hail").await.unwrap_err();
        assert_eq!(failed, Problem::new(Kind::FaultFailed, "the sky is clear"));
        let idle = strike(&Fake::default(), "drought").await.unwrap_err();
        assert_eq!(idle, Problem::new(Kind::NothingToHit, "nothing grows"));
        assert_eq!(strike(&Fake::default(), "snow").await.unwrap_err().kind, Kind::UnknownFault);
    }
}

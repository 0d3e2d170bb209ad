//! `GET /v1/health`: what runs here, and what the doctor finds.

use flash_doctor::{Finding, Version};
use hyper::StatusCode;
use serde::Serialize;

use super::access::Access;
use super::problem::{Kind, Problem};
use super::reply::{Reply, json};
use super::route::{Answer, GET, Route, Schema, Spec, handler};
use super::state::{App, Asked};
use super::target::Manner;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &GET,
    path: "/v1/health",
    name: "show-health",
    access: Access::READ,
    handler: handler!(show),
    manner: Manner { is_slow: true, ..Manner::USUAL },
    spec: Spec {
        tag: "The gateway itself",
        summary: "Diagnose the system",
        description: "The findings of `flash doctor` about everything that this gateway uses. A gateway runs one \
                      examination at a time. It returns the same result again for {EXAMINATION_FRESH_MS} ms, or for \
                      three times the duration of the examination.",
        answers: &[Answer::json(200, "The findings.", Schema::Named("Health"))],
        ..Spec::NONE
    },
}];

/// What `flash doctor` finds, but for what it says of a gateway that is not started yet.
pub(crate) async fn show(app: &App, _: &Asked) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct HealthView<'a> {
        at_ms: u64,
        versions: Vec<&'a Version>,
        findings: &'a [Finding],
        /// Those that can be made here. Outside development there are none.
        faults: Vec<&'static str>,
    }
    let examined = app.examinations.get().await.ok_or(Kind::Overloaded)?;
    let ours = Version { name: "gateway", version: env!("CARGO_PKG_VERSION").to_owned() };
    let view = HealthView {
        at_ms: examined.at_ms,
        versions: std::iter::once(&ours).chain(&examined.examination.versions).collect(),
        findings: &examined.examination.findings,
        faults: app.devtools.as_ref().map(|devtools| devtools.faults()).unwrap_or_default(),
    };
    Ok(json(StatusCode::OK, &view))
}

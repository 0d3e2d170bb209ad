//! `GET /v1/health`: what runs here, and what the doctor finds.

use flash_doctor::{Finding, Version};
use hyper::StatusCode;
use serde::Serialize;

use super::app::App;
use super::problem::{Kind, Problem};
use super::reply::{Reply, json};

/// What `flash doctor` finds, but for what it says of a gateway that is not started yet.
pub(crate) async fn show(app: &App) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct View<'a> {
        at_ms: u64,
        versions: Vec<&'a Version>,
        findings: &'a [Finding],
        /// Those that can be made here. Outside development there are none.
        faults: Vec<&'static str>,
    }
    let examined = app.examinations.get().await.ok_or(Kind::Overloaded)?;
    let ours = Version { name: "gateway", version: env!("CARGO_PKG_VERSION").to_owned() };
    let view = View {
        at_ms: examined.at_ms,
        versions: std::iter::once(&ours).chain(&examined.examination.versions).collect(),
        findings: &examined.examination.findings,
        faults: app.devtools.as_ref().map(|devtools| devtools.faults()).unwrap_or_default(),
    };
    Ok(json(StatusCode::OK, &view))
}

//! Spans of what is done for traces, sent to a collector by OTLP over HTTP.

use std::collections::HashMap;

use anyhow::Context;
use flash_transport::spans::{self, Span};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span as _, SpanBuilder, Tracer, TracerProvider};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;

/// What exports. When it is dropped, it sends what is left.
pub(crate) struct Otlp(SdkTracerProvider);

/// Exports the spans of this process to the collector at `endpoint`.
pub(crate) fn start(endpoint: &str) -> anyhow::Result<Otlp> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .context("cannot export spans")?;
    let resource = Resource::builder().with_service_name("flash").build();
    let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
    let tracer = provider.tracer("flash");
    let propagator = TraceContextPropagator::new();
    spans::export_to(move |Span { name, trace, began, took }| {
        let headers = HashMap::from([("traceparent".to_owned(), trace.as_str().to_owned())]);
        let builder = SpanBuilder::from_name(name).with_start_time(began);
        let mut span = tracer.build_with_context(builder, &propagator.extract(&headers));
        span.end_with_timestamp(began + took);
    });
    Ok(Otlp(provider))
}

impl Drop for Otlp {
    fn drop(&mut self) {
        // What a collector that is away has not taken is lost: nothing rests on it.
        let _ = self.0.shutdown();
    }
}

//! The program `flash`.

#![forbid(unsafe_code)]

mod args;
mod audit;
mod audit_log;
mod barrier;
mod bench;
mod buyers;
mod clock;
mod completions;
mod demo;
mod dev;
mod doctor;
mod export;
mod figures;
mod gateway;
mod identity;
mod keys;
mod load;
mod logging;
mod man;
mod metrics;
mod migrate;
#[cfg(feature = "otlp")]
mod otlp;
mod output;
mod payments;
mod progress;
mod quarantine;
mod relay;
mod repair;
mod runtime;
mod secret;
mod servers;
mod settings;
mod shop;
mod sim;
mod stack;
mod syncer;
mod tls;
mod transport;
mod webhooks;

use std::process::ExitCode;

use crate::args::{Command, ConfigCommand};

/// Five per cent less CPU for a request than with the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a mistake on the command line, and in the configuration file.
const BAD_SETTINGS: u8 = 2;

/// The version of the program and its commit.
fn build() -> (&'static str, &'static str) {
    let version = env!("FLASH_VERSION");
    version.split_once(' ').map_or((version, ""), |(version, commit)| (version, commit.trim_matches(['(', ')'])))
}

fn main() -> ExitCode {
    let (args, file) = match settings::load() {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("flash: {error:#}");
            return ExitCode::from(BAD_SETTINGS);
        }
    };
    let _ = flash_metrics::process::BUILD.set(build());
    logging::start(&args.log, args.log_format, args.log_sample > 0);
    #[cfg(feature = "otlp")]
    let _otlp = match args.otlp_endpoint.as_deref().map(otlp::start).transpose() {
        Ok(otlp) => otlp,
        Err(error) => {
            eprintln!("flash: {error:#}");
            return ExitCode::from(BAD_SETTINGS);
        }
    };
    let result = match args.command {
        Command::Sim(sim) => sim::run(&sim, args.log_sample, args.output),
        Command::Bench(bench) => bench::run(&bench, args.output),
        Command::Dev(dev) => dev::run(&dev, file.policies(), args.log_sample, args.output),
        Command::Gateway(gateway) => gateway::run(&gateway, file.policies(), args.log_sample, args.output),
        Command::Syncer(syncer) => syncer::run(&syncer, args.output),
        Command::Doctor(doctor) => doctor::run(&doctor, args.output),
        Command::Migrate(migrate) => migrate::run(&migrate, args.output),
        Command::Audit(audit) => audit::run(&audit, args.output),
        Command::Keys(keys) => keys::run(&keys, args.output),
        Command::Webhooks(webhooks) => webhooks::run(&webhooks, args.output),
        Command::Export(export) => export::run(&export),
        Command::Payments(payments) => payments::run(&payments, args.output),
        Command::Quarantine(quarantine) => quarantine::run(&quarantine, args.output),
        Command::Relay(relay) => relay::run(&relay, args.output),
        Command::Repair(repair) => repair::run(&repair, args.output),
        Command::Completions(completions) => completions::run(&completions),
        Command::Man(man) => man::run(&man),
        Command::Config(config) => match &config.command {
            ConfigCommand::Show(what) => settings::show(what, &file, args.output),
        },
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("flash: {error:#}");
            ExitCode::FAILURE
        }
    }
}

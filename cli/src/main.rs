//! The program `flash`.

#![forbid(unsafe_code)]

mod args;
mod control;
mod demo;
mod dev;
mod logging;
mod output;
mod run;
mod secret;
mod syncer;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

/// Five per cent less CPU for a request than with the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    logging::start(args.log_format);
    let result = match args.command {
        Command::Dev(dev) => dev::run(&dev, args.output),
        Command::Gateway(gateway) => run::gateway(&gateway, args.output),
        Command::Syncer(syncer) => match &syncer.action {
            None => run::syncer(&syncer),
            Some(action) => control::run(&syncer, action, args.output),
        },
        Command::Migrate(migrate) => run::migrate(&migrate),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("flash: {error:#}");
            ExitCode::FAILURE
        }
    }
}

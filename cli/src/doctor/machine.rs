//! This machine, and what the gateway is told.

use std::net::{SocketAddr, TcpListener};

use anyhow::Result;
use flash_gateway::limits::CONNECTIONS_MAX;
use rustix::process::{Resource, getrlimit};

use super::Check;
use super::finding::Finding;
use crate::args::{Auth, Gateway};
use crate::identity;

/// Files that a gateway has open besides its clients' connections: to its servers, for logs, for webhooks.
const OTHER_FILES: u64 = 256;

pub(super) const CHECKS: [Check<Gateway>; 4] = [
    ("identity", |args| Box::pin(async { Ok(identity(args)) })),
    ("listen", |args| Box::pin(async { Ok(listen("buyers", Some(args.listen))) })),
    ("operator-listen", |args| Box::pin(async { Ok(listen("operators", args.identity.operator_listen)) })),
    ("open-files", |args| Box::pin(async { Ok(open_files(args)) })),
];

fn identity(args: &Gateway) -> Finding {
    let told: Result<()> = identity::auth(&args.identity).and(identity::id_secrets(&args.identity).map(drop));
    if let Err(error) = told {
        return Finding::fail(
            format!("the gateway would not start: {error:#}"),
            "set what is named; see flash gateway --help",
        );
    }
    if args.identity.auth == Some(Auth::None) {
        return Finding::warn(
            "--auth none: whoever calls may be any buyer",
            "for more than development, set FLASH_AUTH to jwt or api-key",
        );
    }
    Finding::ok("who calls must prove who it is")
}

fn listen(whom: &str, address: Option<SocketAddr>) -> Finding {
    let Some(address) = address else { return Finding::ok(format!("{whom} have no address of their own")) };
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(format!("{address} is free for {whom}")),
        Err(error) => Finding::warn(
            format!("{address} cannot be had for {whom} now: {error}"),
            "well, if that is the gateway that runs already; else stop who listens there, or set another address",
        ),
    }
}

fn open_files(args: &Gateway) -> Finding {
    let wanted = (args.threads as u64).saturating_mul(CONNECTIONS_MAX.into()).saturating_add(OTHER_FILES);
    match getrlimit(Resource::Nofile).current {
        Some(files) if files < wanted => Finding::warn(
            format!(
                "a process of this shell may open {files} files, fewer than the {wanted} of a gateway that is full"
            ),
            format!("raise it (ulimit -n {wanted}, LimitNOFILE= of systemd): beyond it, new connections wait"),
        ),
        Some(files) => Finding::ok(format!("a process may open {files} files; a gateway needs {wanted} at most")),
        None => Finding::ok("a process may open as many files as it likes"),
    }
}

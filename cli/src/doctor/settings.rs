//! A gateway's settings, before it is started.

use std::net::{SocketAddr, TcpListener};

use anyhow::Result;
use flash_doctor::Finding;

use crate::args::{Auth, Gateway};
use crate::identity;

/// Whether it would start: with these settings, and at these addresses.
pub(super) fn findings(args: &Gateway) -> Vec<Finding> {
    [
        ("identity", identity(args)),
        ("listen", listen("buyers", Some(args.listen))),
        ("operator-listen", listen("operators", args.identity.operator_listen)),
    ]
    .map(|(check, finding)| finding.of("machine", check))
    .into()
}

fn identity(args: &Gateway) -> Finding {
    let told: Result<()> = identity::auth(&args.identity).and(identity::id_secrets(&args.identity).map(drop));
    if let Err(error) = told {
        return Finding::fail(
            format!("the gateway would not start: {error:#}"),
            "set what is named; see flash gateway --help",
        );
    }
    let is_open = args.identity.auth == Some(Auth::None);
    if is_open && !args.identity.auth_none_anywhere && !args.listen.ip().to_canonical().is_loopback() {
        return Finding::fail(
            format!("the gateway would not start: --auth none at {}, which other machines can reach", args.listen),
            "set FLASH_AUTH to jwt or api-key, or listen on 127.0.0.1; or say it twice: --auth-none-anywhere",
        );
    }
    if is_open {
        return Finding::warn(
            "--auth none: any caller may act as any buyer",
            "for more than development, set FLASH_AUTH to jwt or api-key",
        );
    }
    Finding::ok("who calls must prove who it is")
}

fn listen(whom: &str, address: Option<SocketAddr>) -> Finding {
    let Some(address) = address else { return Finding::ok(format!("{whom} have no separate address")) };
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(format!("{address} is free for {whom}")),
        Err(error) => Finding::warn(
            format!("cannot listen on {address} for {whom}: {error}"),
            "well, if that is the gateway that runs already; else stop who listens there, or set another address",
        ),
    }
}

//! A command becomes one of the server's: its description, and what runs when a client sends it.

use std::ffi::{CStr, CString};
use std::marker::PhantomData;

use crate::api::{self, Ctx, Entry, Str};
use crate::call::{Call, Command, is_write};
use crate::command_info::{CommandInfo, Description};
use crate::stats;

/// Adds a command to the server. `has_category`: the server knows `@flash`.
pub(crate) fn register<C: Command>(ctx: Ctx, has_category: bool) -> Result<(), String> {
    let description = Description {
        name: C::NAME,
        flags: C::FLAGS,
        has_key: C::HAS_KEY,
        info: CommandInfo::new(&C::DOCS, C::HAS_KEY, is_write::<C>()),
        categories: &acl_categories(C::FLAGS, has_category),
    };
    api::register::<Run<C>>(ctx, &description)
}

struct Run<C>(PhantomData<C>);

impl<C: Command> Entry for Run<C> {
    fn enter(ctx: Ctx, argv: &[Str]) {
        if let Err(fault) = C::run(&Call::new::<C>(ctx, argv)) {
            stats::failed();
            ctx.error(&fault.text(C::NAME));
        }
    }

    fn panicked(ctx: Ctx) {
        stats::panicked();
        ctx.error("ERR flash: the command panicked; the server's log says where. Please report it.");
    }
}

/// The categories of a command with these flags. `has_category`: the server knows `@flash`.
fn acl_categories(flags: &CStr, has_category: bool) -> CString {
    let flags = flags.to_string_lossy();
    let access = if flags.starts_with("write") { "write" } else { "read" };
    let speed = if flags.ends_with(" fast") { "fast" } else { "slow" };
    let ours = if has_category { " flash" } else { "" };
    CString::new(format!("{access} {speed}{ours}")).unwrap_or_default()
}

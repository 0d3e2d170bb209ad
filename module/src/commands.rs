//! The commands. Each has one shape: parse, open, expire what is due, decide, let it happen, reply.

use crate::api::Ctx;
use crate::register::register as add;

mod active;
mod end_hold;
#[cfg(debug_assertions)]
mod offset;
mod operate;
#[cfg(debug_assertions)]
mod panic;
mod recover;
mod relay;
mod replicated;
mod reserve;
mod status;
mod throttle;
mod warm;

/// Adds every command to the server.
pub(crate) fn register(ctx: Ctx) -> Result<(), String> {
    let has_category = ctx.add_acl_category(c"flash");
    add::<warm::WarmCommand>(ctx, has_category)?;
    add::<reserve::ReserveCommand>(ctx, has_category)?;
    add::<end_hold::ConfirmCommand>(ctx, has_category)?;
    add::<end_hold::ReleaseCommand>(ctx, has_category)?;
    add::<end_hold::ReapCommand>(ctx, has_category)?;
    add::<status::StatusCommand>(ctx, has_category)?;
    add::<operate::RestockCommand>(ctx, has_category)?;
    add::<operate::OpenCommand>(ctx, has_category)?;
    add::<operate::CloseCommand>(ctx, has_category)?;
    add::<active::ActiveCommand>(ctx, has_category)?;
    add::<recover::FenceCommand>(ctx, has_category)?;
    add::<recover::UnfenceCommand>(ctx, has_category)?;
    add::<recover::RebuildCommand>(ctx, has_category)?;
    add::<relay::ReadyCommand>(ctx, has_category)?;
    add::<relay::PullCommand>(ctx, has_category)?;
    add::<relay::AckCommand>(ctx, has_category)?;
    add::<throttle::ThrottleCommand>(ctx, has_category)?;
    add::<throttle::ApplyCommand>(ctx, has_category)?;
    add::<throttle::LoadCommand>(ctx, has_category)?;
    add::<replicated::ApplyCommand>(ctx, has_category)?;
    add::<replicated::ClockCommand>(ctx, has_category)?;
    add::<replicated::LoadCommand>(ctx, has_category)?;
    #[cfg(debug_assertions)]
    {
        add::<offset::OffsetCommand>(ctx, has_category)?;
        add::<panic::PanicCommand>(ctx, has_category)?;
    }
    Ok(())
}

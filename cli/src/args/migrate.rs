//! `flash migrate`

use clap::Args as ClapArgs;

use super::PostgresUrl;
use crate::transport;

/// `flash migrate`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example: FLASH_POSTGRES_URL=postgres://… flash migrate")]
pub(crate) struct Migrate {
    /// The role of gateways: grant it exactly the rights that a gateway needs, and revoke all others.
    #[arg(long, value_name = "ROLE", env = "FLASH_GATEWAY_ROLE")]
    pub(crate) gateway_role: Option<String>,
    /// The same for the role of syncers.
    #[arg(long, value_name = "ROLE", env = "FLASH_SYNCER_ROLE")]
    pub(crate) syncer_role: Option<String>,
    /// Also declare the exchange and the queues in RabbitMQ (FLASH_AMQP_URL). Gateways and syncers declare them too, if
    /// their users have the permission.
    #[arg(long)]
    pub(crate) rabbitmq: bool,
    #[command(flatten)]
    pub(crate) amqp: transport::AmqpUrl,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

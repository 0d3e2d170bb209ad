//! Who may call a gateway, and the keys by which they may.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use flash_gateway::Host;

use super::PostgresUrl;
use super::operator::seconds;
use crate::secret::url_source;

/// How buyers prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// No proof: any caller can be any buyer, and any operator too if operators have no separate listener. For
    /// development only.
    None,
    /// By a token (JWT); its subject is the buyer.
    Jwt,
    /// By an API key (`flash keys create --role buyer`); its holder is the buyer.
    ApiKey,
}

/// Who may call, and what they show.
#[derive(Debug, ClapArgs)]
pub(crate) struct Identity {
    /// How buyers prove who they are; required.
    #[arg(long, value_enum, env = "FLASH_AUTH")]
    pub(crate) auth: Option<Auth>,
    /// Let `--auth none` serve an address that other machines reach: anyone who reaches it may act as any buyer or
    /// operator.
    #[arg(long, env = "FLASH_AUTH_NONE_ANYWHERE")]
    pub(crate) auth_none_anywhere: bool,
    /// With `--auth none`, the hosts to serve besides this machine's own names, as in the header Host: shop.example.
    #[arg(long, value_name = "HOSTS", value_delimiter = ',', env = "FLASH_HOSTS")]
    pub(crate) hosts: Vec<Host>,
    /// The address that serves operators, who need keys of their own (`flash keys create`). Default: none; with `--auth
    /// none`, the buyers' address.
    #[arg(long, value_name = "ADDRESS", env = "FLASH_OPERATOR_LISTEN")]
    pub(crate) operator_listen: Option<SocketAddr>,
    /// The issuer of the tokens: their `iss`.
    #[arg(long, value_name = "TEXT", env = "FLASH_JWT_ISSUER")]
    pub(crate) jwt_issuer: Option<String>,
    /// The audience of the tokens: one of their `aud`.
    #[arg(long, value_name = "TEXT", env = "FLASH_JWT_AUDIENCE")]
    pub(crate) jwt_audience: Option<String>,
    /// A JWKS with the public keys of the tokens' signatures. The gateway reads it again when it changes. Without one,
    /// the secret in FLASH_JWT_SECRET checks the signatures.
    #[arg(long, value_name = "FILE", env = "FLASH_JWT_KEYS")]
    pub(crate) jwt_keys: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) jwt_secret: JwtSecret,
    #[command(flatten)]
    pub(crate) jwt_secret_also: JwtSecretAlso,
    #[command(flatten)]
    pub(crate) id_secret: IdSecret,
    #[command(flatten)]
    pub(crate) id_secret_also: IdSecretAlso,
}

url_source!(JwtSecret, jwt_secret, jwt_secret_file, "FLASH_JWT_SECRET", "FLASH_JWT_SECRET_FILE");
url_source!(
    JwtSecretAlso,
    jwt_secret_also,
    jwt_secret_also_file,
    "FLASH_JWT_SECRET_ALSO",
    "FLASH_JWT_SECRET_ALSO_FILE"
);
url_source!(IdSecret, id_secret, id_secret_file, "FLASH_ID_SECRET", "FLASH_ID_SECRET_FILE");
url_source!(IdSecretAlso, id_secret_also, id_secret_also_file, "FLASH_ID_SECRET_ALSO", "FLASH_ID_SECRET_ALSO_FILE");

/// `flash keys`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "A key is printed only once, when it is created: PostgreSQL stores only its hash. The URL comes from \
                  the environment, as for `flash gateway`.\n\nExample: flash keys create --role admin --holder ada \
                  --expires-in 90d"
)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

/// API key commands.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Create a key, and print it.
    Create {
        /// The role of the key.
        #[arg(long, value_enum)]
        role: Role,
        /// The buyer's name, or the operator's name for the audit log.
        #[arg(long, value_name = "NAME")]
        holder: String,
        /// How long it is valid: 90s, 15m, 2h, 7d; default: until it is revoked.
        #[arg(long, value_name = "WHILE", value_parser = seconds)]
        expires_in: Option<u64>,
        /// The operator's name for the audit log.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
    /// List all keys, including revoked and expired ones.
    List,
    /// Revoke a key. Gateways that know it accept it for ten seconds more.
    Revoke {
        /// The key's id: everything before the last `_`.
        id: String,
        /// The operator's name for the audit log.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
}

/// The role of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Acts as the buyer that holds the key.
    Buyer,
    /// An operator with read access.
    Read,
    /// An operator who also runs sales: restocks, opens, closes, reserves and releases for buyers.
    Sell,
    /// A payment service: reads, confirms, and reports refunds.
    Pay,
    /// An operator with all rights.
    Admin,
    /// An older name of the same role.
    Operate,
}

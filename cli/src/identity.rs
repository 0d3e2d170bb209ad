//! A gateway's settings about its callers.

use anyhow::{Context, Result, bail};
use flash_gateway::{Auth, IdSecrets, Jwt, JwtKeys};

use crate::args;

/// How buyers prove who they are.
pub(crate) fn auth(args: &args::Identity) -> Result<Auth> {
    match args.auth {
        // There is no default: a gateway that lets everyone in must be asked for by name.
        None => bail!("--auth (FLASH_AUTH) must be jwt, api-key, or, for development only, none"),
        Some(args::Auth::None) => Ok(Auth::None),
        Some(args::Auth::ApiKey) => Ok(Auth::ApiKey),
        Some(args::Auth::Jwt) => jwt(args).map(Auth::Jwt),
    }
}

fn jwt(args: &args::Identity) -> Result<Jwt> {
    let said = |value: &Option<String>, name| {
        let value = value.clone().filter(|value| !value.is_empty());
        value.with_context(|| format!("--auth jwt requires {name}"))
    };
    let also = args.jwt_secret_also.source().read_if_set()?;
    let keys = match (&args.jwt_keys, args.jwt_secret.source().read_if_set()?) {
        (Some(file), None) if also.is_none() => JwtKeys::File(file.clone()),
        (None, Some(secret)) => JwtKeys::Secrets([secret].into_iter().chain(also).collect()),
        _ => bail!("--auth jwt requires --jwt-keys or FLASH_JWT_SECRET (or FLASH_JWT_SECRET_FILE), not both"),
    };
    Ok(Jwt {
        issuer: said(&args.jwt_issuer, "--jwt-issuer")?,
        audience: said(&args.jwt_audience, "--jwt-audience")?,
        keys,
    })
}

/// What ids of reservations are made with.
pub(crate) fn id_secrets(args: &args::Identity) -> Result<IdSecrets> {
    let makes = args.id_secret.source().read_if_set()?.context(
        "FLASH_ID_SECRET (or FLASH_ID_SECRET_FILE) is not set: it signs the ids of reservations, so that no client can \
         guess one. `openssl rand -hex 32` makes a secret; all gateways of a Redis have the same",
    )?;
    Ok(IdSecrets { makes, also: args.id_secret_also.source().read_if_set()? })
}

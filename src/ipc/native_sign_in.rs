//! The command that signs in by a request of Rust.

use tauri::{State, command, ipc::Request};

use crate::{
    error::Result,
    handle::SecureToken,
    ipc::{
        args::Args,
        scope::AccountScope,
        session_commands::{owner, to_the_end},
    },
    native::{Outcome, SignIn},
};

#[command]
pub(crate) async fn native_sign_in(
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
    sign_in: State<'_, SignIn>,
) -> Result<Outcome> {
    let args = Args::of(&request, &["account", "body", "remember"])?;
    let (account, owner) = owner(&args, &scope, &tokens)?;
    let (body, remember) = (args.json("body")?.clone(), args.flag("remember", true)?);
    let sign_in = sign_in.inner().clone();
    to_the_end(async move { sign_in.sign_in(&owner, account, body, remember).await }).await
}

//! The commands: read the arguments, check the scope, call the vault.

use serde::{Serialize, Serializer, ser::SerializeStruct};
use tauri::{
    Runtime, State, Webview, command,
    ipc::{Channel, Request},
};

use crate::{
    error::Result,
    handle::SecureToken,
    ipc::{args::Args, pages::Pages, scope::AccountScope},
    record::Record,
    store::StoreInfo,
    token::Token,
    vault::{Notice, StoredRecord},
};

#[derive(Serialize)]
pub(crate) struct Written {
    revision: u64,
}

/// The response of `get_token`.
pub(crate) struct Answer(StoredRecord);

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let StoredRecord { record, revision } = &self.0;
        let mut answer = serializer.serialize_struct("Answer", 4)?;
        serialize_record(&mut answer, record)?;
        answer.serialize_field("revision", revision)?;
        answer.end()
    }
}

/// The fields of `record`, for a response of a command and for nothing else.
pub(crate) fn serialize_record<S: SerializeStruct>(
    fields: &mut S,
    record: &Record,
) -> std::result::Result<(), S::Error> {
    fields.serialize_field("token", record.token.expose())?;
    match &record.refresh_token {
        Some(token) => fields.serialize_field("refreshToken", Token::expose(token))?,
        None => fields.skip_field("refreshToken")?,
    }
    match record.expires_at {
        Some(at) => fields.serialize_field("expiresAt", &at),
        None => fields.skip_field("expiresAt"),
    }
}

#[command]
pub(crate) async fn set_token(
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
) -> Result<Written> {
    let known = [
        "account",
        "token",
        "refreshToken",
        "expiresAt",
        "ifRevision",
    ];
    let args = Args::of(&request, &known)?;
    let account = args.account()?;
    scope.check(&account)?;
    let revision = tokens
        .set_token(&account, args.record()?, args.if_revision()?)
        .await?;
    Ok(Written { revision })
}

#[command]
pub(crate) async fn get_token(
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
) -> Result<Option<Answer>> {
    let account = Args::of(&request, &["account"])?.account()?;
    scope.check(&account)?;
    Ok(tokens.get_token(&account).await?.map(Answer))
}

#[command]
pub(crate) async fn clear_token(
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
) -> Result<Written> {
    let args = Args::of(&request, &["account", "ifRevision"])?;
    let account = args.account()?;
    scope.check(&account)?;
    let revision = tokens.clear_token(&account, args.if_revision()?).await?;
    Ok(Written { revision })
}

#[command]
pub(crate) async fn list_accounts(
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
) -> Result<Vec<String>> {
    Args::of(&request, &[])?;
    let accounts = tokens.list_accounts().await?.into_iter();
    let in_scope = accounts.filter(|account| scope.allows(account));
    Ok(in_scope.map(|account| account.as_str().into()).collect())
}

#[command]
pub(crate) async fn watch_tokens<R: Runtime>(
    webview: Webview<R>,
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
    pages: State<'_, Pages>,
) -> Result<()> {
    let args = Args::of(&request, &["channel"])?;
    let channel: Channel<Notice> = args.channel()?.channel_on(webview.clone());
    pages.watch(&webview, &tokens.vault, move |notice| {
        if scope.allows(&notice.account)
            && let Err(error) = channel.send(notice.clone())
        {
            log::debug!("a notice did not reach its page: {error}");
        }
    })
}

#[command]
pub(crate) async fn store_info(
    request: Request<'_>,
    tokens: State<'_, SecureToken>,
) -> Result<StoreInfo> {
    Args::of(&request, &[])?;
    tokens.store_info().await
}

//! The commands of the session: read the arguments, check the scope, call the owner of the account.
//!
//! A token travels in the response of a command only. The messages of a channel have none: Tauri evaluates
//! them as a script in whatever page the webview shows by then.

use std::{sync::Arc, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeStruct};
use tauri::{
    Runtime, State, Webview, command,
    ipc::{Channel, Request},
};

use crate::{
    error::{Error, ErrorCode, Result},
    handle::SecureToken,
    ipc::{args::Args, commands::serialize_record, pages::Pages, scope::AccountScope},
    record::Record,
    session::{Access, Ask, Given, Lease, Message, Owner, Reply, Snapshot, View, Want},
    task,
    token::Account,
};

/// The arguments of `session_token` and `session_lease`.
const ASKED: [&str; 6] = [
    "account", "fresh", "minLife", "rejected", "accepted", "login",
];

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_struct("Message", 1)?;
        match self {
            Self::Snapshot(snapshot) => message.serialize_field("snapshot", snapshot)?,
            Self::Refresh => message.serialize_field("refresh", &true)?,
        }
        message.end()
    }
}

/// The response of the commands that give a token.
impl Serialize for Access {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut access = serializer.serialize_struct("Access", 4)?;
        match &self.record {
            Some(record) => access.serialize_field("token", record.token.expose())?,
            None => access.skip_field("token")?,
        }
        access.serialize_field("tokenRevision", &self.snapshot.token_revision)?;
        access.serialize_field("login", &self.snapshot.login)?;
        access.serialize_field("snapshot", &self.snapshot)?;
        access.end()
    }
}

/// The response of `session_lease`: a token, or the right to buy one.
pub(crate) enum Leased {
    Access(Access),
    Lease(Lease),
}

impl Serialize for Leased {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Access(access) => access.serialize(serializer),
            Self::Lease(lease) => {
                let mut leased = serializer.serialize_struct("Leased", 3)?;
                leased.serialize_field("lease", &lease.id)?;
                leased.serialize_field("record", &Bare(lease.record.clone()))?;
                leased.serialize_field("login", &lease.login)?;
                leased.end()
            }
        }
    }
}

/// A record without a revision.
pub(crate) struct Bare<R: AsRef<Record>>(R);

impl<R: AsRef<Record>> Serialize for Bare<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("Record", 3)?;
        serialize_record(&mut record, self.0.as_ref())?;
        record.end()
    }
}

pub(super) fn owner(
    args: &Args<'_>,
    scope: &AccountScope,
    tokens: &SecureToken,
) -> Result<(Account, Arc<Owner>)> {
    let account = args.account()?;
    scope.check(&account)?;
    let owner = tokens.sessions.of(&account);
    Ok((account, owner))
}

/// Ends a view when its page ends.
struct OpenView(Arc<Owner>, u64);

impl Drop for OpenView {
    fn drop(&mut self) {
        self.0.close(self.1);
    }
}

#[command]
pub(crate) async fn session_open<R: Runtime>(
    webview: Webview<R>,
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
    pages: State<'_, Pages>,
) -> Result<Snapshot> {
    let args = Args::of(&request, &["account", "channel", "refreshes", "revokes"])?;
    let channel: Channel<Message> = args.channel()?.channel_on(webview.clone());
    let (refreshes, revokes) = (args.flag("refreshes", false)?, args.flag("revokes", false)?);
    let (_, owner) = owner(&args, &scope, &tokens)?;
    pages.keep(&webview, |page, end| {
        let deliver = Arc::new(move |message: &Message| {
            if !end.if_closed()
                && let Err(error) = channel.send(message.clone())
            {
                log::debug!("a message of the session did not reach its page: {error}");
            }
        });
        let view = View {
            page,
            refreshes,
            revokes,
            deliver,
        };
        OpenView(owner.clone(), owner.open(view))
    })?;
    Ok(owner.snapshot())
}

#[command]
pub(crate) async fn session_hydrate(
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
) -> Result<Snapshot> {
    let args = Args::of(&request, &["account"])?;
    let (_, owner) = owner(&args, &scope, &tokens)?;
    to_the_end(async move { Ok(owner.hydrate().await) }).await
}

#[command]
pub(crate) async fn session_sign_in(
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
) -> Result<Snapshot> {
    let known = [
        "account",
        "token",
        "refreshToken",
        "expiresIn",
        "expiresAt",
        "remember",
    ];
    let args = Args::of(&request, &known)?;
    let (_, owner) = owner(&args, &scope, &tokens)?;
    let (bought, remember) = (args.tokens()?, args.flag("remember", true)?);
    to_the_end(async move { owner.sign_in(bought, remember).await }).await
}

#[command]
pub(crate) async fn session_sign_out(
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
) -> Result<Snapshot> {
    let args = Args::of(&request, &["account"])?;
    let (_, owner) = owner(&args, &scope, &tokens)?;
    to_the_end(async move { Ok(owner.sign_out().await) }).await
}

#[command]
pub(crate) async fn session_token(
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
) -> Result<Access> {
    let args = Args::of(&request, &ASKED)?;
    let (_, owner) = owner(&args, &scope, &tokens)?;
    let ask = match asked(&args)? {
        Ask::New => Ask::Current,
        ask => ask,
    };
    match owner
        .give(Want::new(ask, args.number("login")?, None))
        .await?
    {
        Given::Token(access) => Ok(access),
        Given::Lease(_) => Err(Error::internal(
            "a lease was given to a call without a page",
        )),
    }
}

#[command]
pub(crate) async fn session_lease<R: Runtime>(
    webview: Webview<R>,
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
    pages: State<'_, Pages>,
) -> Result<Leased> {
    let args = Args::of(&request, &ASKED)?;
    let (_, owner) = owner(&args, &scope, &tokens)?;
    let want = Want::new(asked(&args)?, args.number("login")?, pages.page(&webview));
    Ok(match owner.give(want).await? {
        Given::Token(access) => Leased::Access(access),
        Given::Lease(lease) => Leased::Lease(lease),
    })
}

/// Which token a page wants.
fn asked(args: &Args<'_>) -> Result<Ask> {
    let min_life = args.millis("minLife")?;
    let (fresh, accepted) = (
        args.flag("fresh", min_life.is_some())?,
        args.flag("accepted", false)?,
    );
    Ok(match args.token("rejected")? {
        Some(rejected) => Ask::InsteadOf { rejected, accepted },
        None if fresh => Ask::Fresh(min_life.unwrap_or(Duration::ZERO)),
        None => Ask::New,
    })
}

#[command]
pub(crate) async fn session_answer<R: Runtime>(
    webview: Webview<R>,
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
    pages: State<'_, Pages>,
) -> Result<Access> {
    let known = [
        "account",
        "lease",
        "token",
        "refreshToken",
        "expiresIn",
        "expiresAt",
        "ended",
        "failed",
        "retryAfter",
        "status",
    ];
    let args = Args::of(&request, &known)?;
    let (_, owner) = owner(&args, &scope, &tokens)?;
    let Some(lease) = args.number("lease")? else {
        return Err(Error::invalid("lease is missing"));
    };
    let reply = match (args.flag("ended", false)?, args.flag("failed", false)?) {
        (true, true) => {
            return Err(Error::invalid(
                "a refresh has ended or has failed, not both",
            ));
        }
        (true, false) => Reply::Ended,
        (false, true) => Reply::Failed {
            retry_after: args.millis("retryAfter")?,
            status: args
                .number("status")?
                .and_then(|status| status.try_into().ok()),
        },
        (false, false) => Reply::Renewed(args.tokens()?),
    };
    let Some(page) = pages.page(&webview) else {
        return Err(Error::new(
            ErrorCode::Conflict,
            "this page has not opened the session",
        ));
    };
    to_the_end(async move { owner.reply(lease, &page, reply).await }).await
}

#[command]
pub(crate) async fn session_revokes(
    request: Request<'_>,
    scope: AccountScope,
    tokens: State<'_, SecureToken>,
) -> Result<Vec<Bare<Arc<Record>>>> {
    let args = Args::of(&request, &["account"])?;
    let (_, owner) = owner(&args, &scope, &tokens)?;
    let records = owner.take_revokes().into_iter();
    Ok(records.map(|record| Bare(Arc::new(record))).collect())
}

/// Runs `call` to its end also when its page goes away: what a page has begun must not stay half done.
pub(super) async fn to_the_end<T: Send + 'static>(
    call: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let called = task::spawn(call).await;
    called.unwrap_or_else(|_| Err(Error::internal("the call was stopped")))
}

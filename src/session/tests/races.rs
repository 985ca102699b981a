//! What happens in the middle of a refresh or of a write: the app's functions that panic or hang, people who
//! sign in and out meanwhile, and stores that say less than they have done.

use std::{
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::*;
use crate::{
    error::Error,
    store::{Item, Prompts, SecretStore, StoreInfo, Zeroizing, async_trait},
};

type Response<T> = Pin<Box<dyn Future<Output = T> + Send>>;

fn refresh_by<F>(refresh: impl Fn(Record) -> F + Send + Sync + 'static) -> Refresh
where
    F: Future<Output = Result<Tokens, RefreshError>> + Send + 'static,
{
    Arc::new(move |_: Account, record: Record| {
        let refreshed = refresh(record);
        Box::pin(async move { refreshed.await.into() }) as Response<_>
    })
}

fn revoke_at(server: &Arc<Server>) -> Revoke {
    let server = server.clone();
    Arc::new(move |_: Account, record: Record| {
        server.revoke(&record.refresh_token.unwrap());
        Box::pin(std::future::ready(Ok(()))) as Response<_>
    })
}

/// A process whose app has these functions.
fn app_with(
    store: &Arc<impl SecretStore>,
    refresh: Option<Refresh>,
    revoke: Option<Revoke>,
) -> Process {
    let processes = Processes::none();
    let vault = Vault::new(store.clone(), LATE, true);
    let outbox = Outbox::new(store.clone(), processes.clone(), LATE);
    let limits = Limits::with_refresh(Duration::from_secs(60));
    let sessions = Sessions::new(vault.clone(), &processes, outbox, refresh, revoke, limits);
    Process { sessions, vault }
}

/// Refreshes at `server`, whose response takes a second.
fn slowly(server: &Arc<Server>) -> Refresh {
    let server = server.clone();
    refresh_by(move |record| {
        let server = server.clone();
        async move {
            let refreshed = server.refresh(&record.refresh_token.unwrap());
            tokio::time::sleep(Duration::from_secs(1)).await;
            refreshed
        }
    })
}

fn newer(name: &str) -> Tokens {
    let mut tokens = Tokens::new(Token::new(format!("t.{name}")).unwrap());
    tokens.refresh_token = Some(Token::new(format!("r.{name}")).unwrap());
    tokens
}

async fn is_flying(app: &Process) {
    until(|| app.owner().look(|state| state.flight.is_some())).await;
}

/// Begins a refresh and does not wait for it.
async fn begin_refresh(
    app: &Process,
) -> tokio::task::JoinHandle<crate::error::Result<Option<Token>>> {
    let session = app.session();
    let refreshing = tokio::spawn(async move { session.refresh(None).await });
    is_flying(app).await;
    refreshing
}

/// The tasks of the runtime that wait for something.
fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// A store that counts its calls, and whose writes are reported as failed although they have happened.
#[derive(Default)]
struct Unsure {
    items: MemoryStore,
    loses_responses: AtomicBool,
    calls: AtomicUsize,
}

impl Unsure {
    fn done(&self) -> crate::error::Result<()> {
        if self.loses_responses.load(Ordering::SeqCst) {
            return Err(Error::new(
                ErrorCode::Unavailable,
                "the connection was lost",
            ));
        }
        Ok(())
    }

    fn count(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl SecretStore for Unsure {
    async fn get(
        &self,
        item: &Item,
        prompts: &Prompts,
    ) -> crate::error::Result<Option<Zeroizing<Vec<u8>>>> {
        self.count();
        self.items.get(item, prompts).await
    }

    async fn set(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> crate::error::Result<()> {
        self.count();
        self.items.set(item, bytes, prompts).await?;
        self.done()
    }

    async fn delete(&self, item: &Item, prompts: &Prompts) -> crate::error::Result<()> {
        self.count();
        self.items.delete(item, prompts).await?;
        self.done()
    }

    async fn list(&self, prompts: &Prompts) -> crate::error::Result<Vec<Item>> {
        self.items.list(prompts).await
    }

    async fn info(&self) -> StoreInfo {
        self.items.info().await
    }
}

#[tokio::test(start_paused = true)]
async fn p8_two_windows_and_rust_that_start_with_an_expired_token_cost_one_refresh() {
    let (store, server) = world();
    let mut tokens = server.login();
    tokens.expires_in = Some(Duration::from_secs(60));
    let before = Process::start(&store, &server, Rust::Nothing);
    before.session().login(tokens).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let app = Process::start(&store, &server, Rust::Nothing);
    let (one, other) = (Page::open(&app, "one"), Page::open(&app, "other"));
    let session = app.session();
    let (one, other, rust) = futures_util::future::join3(
        one.token(&server, Ask::Fresh(Duration::ZERO), None),
        other.token(&server, Ask::Fresh(Duration::ZERO), None),
        session.fresh_token(Duration::ZERO),
    )
    .await;
    let given = [one, other, rust.unwrap()].map(|token| text(token).unwrap());
    assert_eq!(given, ["t.1.1"; 3]);
    assert_eq!((server.refreshes(), server.reuses()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn p6_a_refresh_function_that_panics_is_a_failure() {
    fn panics() -> Response<Result<Tokens, RefreshError>> {
        panic!("a fault of the app")
    }
    let at_once = refresh_by(|_| panics());
    let later = refresh_by(|_| async {
        tokio::task::yield_now().await;
        panics().await
    });
    for refresh in [at_once, later] {
        let (store, server) = world();
        let app = app_with(&store, Some(refresh), None);
        app.session().login(server.login()).await.unwrap();
        let started = tokio::time::Instant::now();
        let error = app.session().refresh(None).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        assert!(started.elapsed() < Duration::from_secs(1));
        let snapshot = app.session().snapshot();
        assert_eq!(snapshot.status, Status::SignedIn);
        assert!(snapshot.retry_at.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoke_function_that_panics_is_called_again() {
    let (store, server) = world();
    let calls = Arc::new(AtomicUsize::default());
    let counted = calls.clone();
    let revoke: Revoke = Arc::new(move |_, _| {
        assert!(
            counted.fetch_add(1, Ordering::SeqCst) > 0,
            "a fault of the app"
        );
        Box::pin(std::future::ready(Ok(())))
    });
    let app = app_with(&store, None, Some(revoke));
    app.session().login(server.login()).await.unwrap();
    app.session().logout().await;
    until(|| app.session().snapshot().revokes == 0).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn p6_a_refresh_function_that_never_returns_ends_at_its_deadline() {
    let (store, server) = world();
    let app = app_with(&store, Some(refresh_by(|_| std::future::pending())), None);
    app.session().login(server.login()).await.unwrap();
    let started = tokio::time::Instant::now();
    let error = app.session().refresh(None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert!(started.elapsed() <= Duration::from_secs(61));
    assert_eq!(app.session().snapshot().status, Status::SignedIn);
}

#[tokio::test(start_paused = true)]
async fn p4_a_token_of_the_refresh_function_that_no_header_can_carry_is_a_failure() {
    let (store, server) = world();
    let refresh = refresh_by(|_| async { Ok(Tokens::new(Token::new("SECRET\n2").unwrap())) });
    let app = app_with(&store, Some(refresh), None);
    app.session().login(server.login()).await.unwrap();
    let error = app.session().refresh(None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert!(!error.to_string().contains("SECRET"));
    assert_eq!(text(app.session().token()).unwrap(), "t.1.0");
}

#[tokio::test(start_paused = true)]
async fn p3_a_sign_out_during_a_refresh_stays_and_what_the_refresh_brings_is_revoked() {
    let (store, server) = world();
    let app = app_with(&store, Some(slowly(&server)), Some(revoke_at(&server)));
    app.session().login(server.login()).await.unwrap();
    let refreshing = begin_refresh(&app).await;
    let snapshot = app.session().logout().await;
    assert!(snapshot.persisted);
    assert_eq!(refreshing.await.unwrap(), Ok(None));
    until(|| server.refreshes() == 1 && server.revoked().contains(&(1, 1))).await;
    assert_eq!(app.session().token(), None);
    assert_eq!(app.stored().await, None);
}

#[tokio::test(start_paused = true)]
async fn p3_a_sign_out_just_when_the_refresh_function_returns_loses_no_token() {
    let (store, server) = world();
    let to_sign_out = Arc::<Mutex<Option<Session>>>::default();
    let (at, session) = (server.clone(), to_sign_out.clone());
    let refresh = refresh_by(move |record| {
        let (at, session) = (at.clone(), session.clone());
        async move {
            let refreshed = at.refresh(&record.refresh_token.unwrap());
            let session = session.lock().unwrap().take().unwrap();
            // It runs before anybody who waits for this function.
            tokio::spawn(async move { session.logout().await });
            refreshed
        }
    });
    let app = app_with(&store, Some(refresh), Some(revoke_at(&server)));
    app.session().login(server.login()).await.unwrap();
    *to_sign_out.lock().unwrap() = Some(app.session());
    assert_eq!(app.session().refresh(None).await, Ok(None));
    until(|| app.session().snapshot().revokes == 0).await;
    assert_eq!(server.revoked(), [(1, 0), (1, 1)]);
    assert_eq!(app.stored().await, None);
}

#[tokio::test(start_paused = true)]
async fn p3_a_sign_out_during_the_write_of_a_rotation_empties_the_store() {
    let (store, server) = world();
    let app = app_with(&store, Some(slowly(&server)), Some(revoke_at(&server)));
    app.session().login(server.login()).await.unwrap();
    store.inject(Fault::Slow(Duration::from_secs(2)));
    let refreshing = begin_refresh(&app).await;
    until(|| server.refreshes() == 1).await;
    // A second until the response, and one more into the write.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let snapshot = app.session().logout().await;
    assert!(snapshot.persisted);
    assert_eq!(refreshing.await.unwrap(), Ok(None));
    assert_eq!(app.stored().await, None);
    until(|| app.session().snapshot().revokes == 0).await;
    assert_eq!(server.revoked(), [(1, 0), (1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn p9_a_strict_write_during_a_refresh_is_not_replaced_by_what_the_refresh_brings() {
    let (store, server) = world();
    let app = app_with(&store, Some(slowly(&server)), Some(revoke_at(&server)));
    let login = app.session().login(server.login()).await.unwrap().login;
    let refreshing = begin_refresh(&app).await;
    let record = Record::new(Token::new("strict").unwrap());
    let (strict, account) = (app.strict(), Account::default());
    strict.set_token(&account, record, None).await.unwrap();
    assert_eq!(refreshing.await.unwrap(), Ok(None));
    until(|| server.revoked() == [(1, 1)]).await;
    assert_eq!(text(app.session().token()).unwrap(), "strict");
    assert_eq!(app.stored().await.unwrap(), "strict");
    assert!(app.session().snapshot().login > login);
}

#[tokio::test(start_paused = true)]
async fn p3_a_strict_clear_during_a_refresh_ends_the_session() {
    let (store, server) = world();
    let app = app_with(&store, Some(slowly(&server)), Some(revoke_at(&server)));
    app.session().login(server.login()).await.unwrap();
    let refreshing = begin_refresh(&app).await;
    let (strict, account) = (app.strict(), Account::default());
    strict.clear_token(&account, None).await.unwrap();
    assert_eq!(refreshing.await.unwrap(), Ok(None));
    until(|| server.revoked() == [(1, 1)]).await;
    assert_eq!(app.session().snapshot().reason, Some(EndReason::Elsewhere));
    assert_eq!(app.stored().await, None);
}

#[tokio::test(start_paused = true)]
async fn p9_a_refusal_that_comes_after_the_next_login_does_not_end_it() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let page = Page::open(&app, "main");
    app.session().login(server.login()).await.unwrap();
    let Ok(Given::Lease(held)) = page.ask(Ask::New, None).await else {
        panic!("no lease");
    };
    app.session().login(server.login()).await.unwrap();
    let replied = page.reply(&held, Reply::Ended).await.unwrap();
    assert_eq!(replied.record, None);
    assert_eq!(text(app.session().token()).unwrap(), "t.2.0");
    let twice = page.reply(&held, Reply::Ended).await;
    assert_eq!(twice.err().unwrap().code(), ErrorCode::Conflict);
}

#[tokio::test(start_paused = true)]
async fn a_failure_rests_for_as_long_as_the_server_asks() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let page = Page::open(&app, "main");
    app.session().login(server.login()).await.unwrap();
    let refused = app.session().token().unwrap();
    // A token that is refused as soon as it comes is another matter.
    tokio::time::sleep(Duration::from_secs(11)).await;
    let Ok(Given::Lease(held)) = page.ask(instead_of(&refused), None).await else {
        panic!("no lease");
    };
    let failed = Reply::Failed {
        retry_after: Some(Duration::from_secs(30)),
        status: Some(503),
    };
    let replied = page.reply(&held, failed).await.unwrap();
    assert_eq!(replied.record.unwrap().token, refused);
    let retry_at = replied.snapshot.retry_at.unwrap();
    let now = clock::Moment::now().wall;
    assert!((now + 30_000..=now + 60_000).contains(&retry_at));
    let error = page.ask(instead_of(&refused), None).await.err().unwrap();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert!(error.message().contains("503"));
    tokio::time::sleep(Duration::from_millis(retry_at - now - 5)).await;
    assert!(page.ask(instead_of(&refused), None).await.is_err());
    tokio::time::sleep(Duration::from_millis(10)).await;
    let token = page.token(&server, instead_of(&refused), None).await;
    assert_eq!(text(token).unwrap(), "t.1.1");
    assert_eq!(app.session().snapshot().retry_at, None);
}

#[tokio::test(start_paused = true)]
async fn p3_a_write_that_happened_although_it_was_reported_as_failed_changes_nothing_more() {
    let store = Arc::new(Unsure::default());
    let server = Arc::<Server>::default();
    let app = app_with(&store, Some(slowly(&server)), Some(revoke_at(&server)));
    let login = app.session().login(server.login()).await.unwrap().login;
    store.loses_responses.store(true, Ordering::SeqCst);
    let token = app.session().refresh(None).await.unwrap();
    assert_eq!(text(token).unwrap(), "t.1.1");
    store.loses_responses.store(false, Ordering::SeqCst);
    until(|| app.session().snapshot().persisted).await;
    assert_eq!(app.session().snapshot().login, login);
    assert_eq!(app.stored().await.unwrap(), "t.1.1");
    assert_eq!(server.revoked(), []);
    store.loses_responses.store(true, Ordering::SeqCst);
    assert!(!app.session().logout().await.persisted);
    store.loses_responses.store(false, Ordering::SeqCst);
    until(|| app.session().snapshot().persisted).await;
    assert_eq!(app.session().snapshot().reason, Some(EndReason::Logout));
    assert_eq!(app.stored().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_locked_is_asked_no_more_often_after_many_attempts_by_hand() {
    let store = Arc::new(Unsure::default());
    let app = app_with(&store, None, None);
    store.items.inject(Fault::Fails(ErrorCode::Locked));
    app.session().login(newer("1.0")).await.unwrap();
    for _ in 0..50 {
        app.session().hydrate().await;
    }
    tokio::time::sleep(Duration::from_secs(600)).await;
    let before = store.calls.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(600)).await;
    // Once in 30 to 60 seconds.
    let calls = store.calls.load(Ordering::SeqCst) - before;
    assert!((9..=21).contains(&calls), "{calls} calls in ten minutes");
    store.items.heal();
    until(|| app.session().snapshot().persisted).await;
}

#[tokio::test(start_paused = true)]
async fn a_login_with_the_tokens_of_the_session_does_not_revoke_them() {
    let (store, server) = world();
    let app = app_with(&store, None, Some(revoke_at(&server)));
    let tokens = server.login();
    app.session().login(tokens.clone()).await.unwrap();
    let mut again = tokens.clone();
    again.expires_in = Some(Duration::from_secs(3600));
    app.session().login(again.clone()).await.unwrap();
    assert_eq!(app.session().snapshot().revokes, 0);
    // Before anybody has read the store, too.
    store.inject(Fault::Fails(ErrorCode::Locked));
    let next = app_with(&store, None, Some(revoke_at(&server)));
    next.session().ready().await;
    next.session().login(tokens).await.unwrap();
    store.heal();
    until(|| next.session().snapshot().persisted).await;
    assert_eq!(next.session().snapshot().revokes, 0);
    assert_eq!(server.revoked(), []);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_revokes_is_not_kept() {
    let (store, server) = world();
    let app = app_with(&store, None, None);
    for _ in 0..3 {
        app.session().login(server.login()).await.unwrap();
    }
    assert_eq!(app.owner().take_revokes(), []);
    // A page that never takes what waits for it.
    let _page = Page::open(&app, "main");
    for _ in 0..200 {
        app.session().login(server.login()).await.unwrap();
    }
    assert_eq!(app.session().snapshot().revokes, 64);
}

#[cfg(desktop)]
#[tokio::test(start_paused = true)]
async fn p8_a_refresh_that_a_process_did_not_survive_is_found_in_a_store_that_was_locked_at_the_start()
 {
    let (store, server) = world();
    let folder = tempfile::tempdir().unwrap();
    let processes = Processes::in_folder(folder.path().into());
    let before = Process::in_folder(folder.path(), &store, &server, Rust::Nothing);
    before.session().login(server.login()).await.unwrap();
    let lock = processes
        .of_refreshes()
        .lock(&Account::default(), LATE)
        .await;
    lock.unwrap()
        .begin_use(&Token::new("r.1.0").unwrap())
        .unwrap();
    // The process ended, and the response of the server was lost.
    server.refresh(&Token::new("r.1.0").unwrap()).unwrap();
    store.inject(Fault::Fails(ErrorCode::Locked));
    let next = Process::in_folder(folder.path(), &store, &server, Rust::Refresh);
    assert_eq!(next.session().ready().await.status, Status::Unavailable);
    store.heal();
    next.session().hydrate().await;
    until(|| next.session().snapshot().status == Status::SignedOut).await;
    assert_eq!(
        next.session().snapshot().reason,
        Some(EndReason::Interrupted)
    );
}

#[tokio::test(start_paused = true)]
async fn there_is_no_timer_without_a_token_that_rust_can_refresh() {
    let (store, server) = world();
    let expiring = || {
        let mut tokens = server.login();
        tokens.expires_in = Some(Duration::from_secs(3600));
        tokens
    };
    let without = Process::start(&store, &server, Rust::Nothing);
    without.session().login(expiring()).await.unwrap();
    until(|| tasks() == 0).await;
    without.session().logout().await;
    let app = Process::start(&store, &server, Rust::Refresh);
    assert_eq!(app.session().ready().await.status, Status::SignedOut);
    until(|| tasks() == 0).await;
    app.session().login(expiring()).await.unwrap();
    assert_eq!(tasks(), 1);
    app.session().logout().await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_too_new_to_be_refreshed_keeps_no_timer_busy() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    let mut tokens = server.login();
    tokens.expires_in = Some(Duration::from_secs(9));
    app.session().login(tokens).await.unwrap();
    server.set_down(true);
    app.session().refresh(None).await.unwrap_err();
    // The rest is over, and the token has arrived less than ten seconds ago.
    let end = Duration::from_secs(8);
    assert!(
        tokio::time::timeout(end, std::future::pending::<()>())
            .await
            .is_err()
    );
    server.set_down(false);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let token = app.session().fresh_token(Duration::ZERO).await.unwrap();
    assert_eq!(text(token).unwrap(), "t.1.1");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_can_refresh_keeps_its_token() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let session = app.session();
    session.login(server.login()).await.unwrap();
    let token = session.token().unwrap();
    assert!(!session.snapshot().can_refresh);
    let fresh = session.fresh_token(Duration::from_secs(60)).await;
    assert_eq!(fresh, Ok(Some(token.clone())));
    assert_eq!(session.refresh(Some(&token)).await, Ok(None));
    assert_eq!(session.snapshot().status, Status::SignedIn);
}

#[tokio::test(start_paused = true)]
async fn many_pages_and_accounts_that_come_and_go_leave_nothing_behind() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    for n in 0..1000 {
        drop(Page::open(&app, &format!("page-{n}")));
    }
    assert!(app.owner().look(|state| state.views.is_empty()));
    assert!(app.owner().look(|state| state.lessees.is_empty()));
    until(|| tasks() == 0).await;
}

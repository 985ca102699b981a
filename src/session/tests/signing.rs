//! Signing in and out, over stores that fail, and what other doors do meanwhile.

use super::*;

fn tokens(token: &str) -> Tokens {
    Tokens::new(Token::new(token).unwrap())
}

#[tokio::test(start_paused = true)]
async fn without_a_key_store_everybody_is_signed_in_for_as_long_as_the_process_lives() {
    let (store, server) = world();
    store.inject(Fault::Fails(ErrorCode::Unavailable));
    let app = Process::start(&store, &server, Rust::Nothing);
    let snapshot = app.session().login(tokens("t")).await.unwrap();
    assert_eq!(
        (snapshot.status, snapshot.persisted),
        (Status::SignedIn, false)
    );
    assert_eq!(snapshot.error.unwrap().code(), ErrorCode::Unavailable);
    let page = Page::open(&app, "reloaded");
    assert_eq!(page.owner.snapshot().status, Status::SignedIn);
    store.heal();
    until(|| app.session().snapshot().persisted).await;
    assert_eq!(app.stored().await.unwrap(), "t");
}

#[tokio::test(start_paused = true)]
async fn p3_a_sign_out_is_tried_again_until_the_store_is_empty() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    app.session().login(tokens("t")).await.unwrap();
    store.inject(Fault::Fails(ErrorCode::Locked));
    let snapshot = app.session().logout().await;
    assert_eq!(
        (snapshot.status, snapshot.persisted),
        (Status::SignedOut, false)
    );
    assert_eq!(app.session().token(), None);
    store.heal();
    until(|| app.session().snapshot().persisted).await;
    assert_eq!(app.stored().await, None);
}

#[tokio::test(start_paused = true)]
async fn p1_a_store_that_cannot_be_read_is_not_signed_out() {
    let (store, server) = world();
    Process::start(&store, &server, Rust::Nothing)
        .session()
        .login(tokens("t"))
        .await
        .unwrap();
    store.inject(Fault::Fails(ErrorCode::Locked));
    let app = Process::start(&store, &server, Rust::Nothing);
    assert_eq!(app.session().ready().await.status, Status::Unavailable);
    let error = app.session().fresh_token(Duration::ZERO).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Locked);
    store.heal();
    assert_eq!(app.session().hydrate().await.status, Status::SignedIn);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_to_be_kept_leaves_nothing_in_the_store() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    app.session().login(tokens("before")).await.unwrap();
    app.session()
        .login_until_exit(server.login())
        .await
        .unwrap();
    assert_eq!(app.stored().await, None);
    app.session().hydrate().await;
    assert_eq!(
        text(app.session().refresh(None).await.unwrap()).unwrap(),
        "t.1.1"
    );
    assert_eq!(app.stored().await, None);
    let next = Process::start(&store, &server, Rust::Nothing);
    assert_eq!(next.session().ready().await.status, Status::SignedOut);
}

#[tokio::test(start_paused = true)]
async fn a_strict_write_is_another_login_and_a_strict_clear_its_end() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let before = app.session().login(tokens("t")).await.unwrap();
    let record = Record::new(Token::new("strict").unwrap());
    let (strict, account) = (app.strict(), Account::default());
    strict.set_token(&account, record, None).await.unwrap();
    assert!(app.session().snapshot().login > before.login);
    assert_eq!(text(app.session().token()).unwrap(), "strict");
    strict.clear_token(&account, None).await.unwrap();
    assert_eq!(app.session().snapshot().reason, Some(EndReason::Elsewhere));
}

#[tokio::test(start_paused = true)]
async fn the_record_that_a_login_or_a_logout_ends_is_revoked_once_it_is_known() {
    let (store, server) = world();
    Process::start(&store, &server, Rust::Nothing)
        .session()
        .login(server.login())
        .await
        .unwrap();
    store.inject(Fault::Fails(ErrorCode::Locked));
    let app = Process::start(&store, &server, Rust::Revoke);
    app.session().ready().await;
    // Nobody has read the record that this ends.
    app.session().logout().await;
    assert!(!server.is_revoked(1));
    store.heal();
    until(|| server.is_revoked(1)).await;
    app.session().login(server.login()).await.unwrap();
    app.session().login(server.login()).await.unwrap();
    until(|| server.is_revoked(2)).await;
    app.session().logout().await;
    until(|| server.is_revoked(3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_reported_as_failed_does_not_end_the_session() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    app.session().login(server.login()).await.unwrap();
    // The read before the refresh succeeds, and the write fails.
    store.inject(Fault::FailsAfter(1, ErrorCode::Unavailable));
    assert_eq!(
        text(app.session().refresh(None).await.unwrap()).unwrap(),
        "t.1.1"
    );
    assert!(!app.session().snapshot().persisted);
    store.heal();
    until(|| app.session().snapshot().persisted).await;
    assert_eq!(app.stored().await.unwrap(), "t.1.1");
    assert_eq!(text(app.session().token()).unwrap(), "t.1.1");
}

#[tokio::test(start_paused = true)]
async fn accounts_that_nobody_uses_take_no_memory_and_revisions_do_not_come_twice() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let account = Account::new("once").unwrap();
    let session = Session(app.sessions.of(&account));
    session.login(tokens("t")).await.unwrap();
    let before = session.logout().await;
    drop(session);
    for n in 0..5000 {
        let owner = app.sessions.of(&Account::new(format!("a{n}")).unwrap());
        owner.ready().await;
    }
    assert!(app.sessions.len() <= 2048);
    let again = app.sessions.of(&account);
    again.ready().await;
    assert!(again.snapshot().revision > before.revision);
}

#[cfg(desktop)]
#[tokio::test(start_paused = true)]
async fn p8_a_process_takes_over_what_another_has_renewed() {
    let (store, server) = world();
    let folder = tempfile::tempdir().unwrap();
    let one = Process::in_folder(folder.path(), &store, &server, Rust::Refresh);
    one.session().login(server.login()).await.unwrap();
    let other = Process::in_folder(folder.path(), &store, &server, Rust::Refresh);
    let login = other.session().ready().await.login;
    let refused = other.session().token().unwrap();
    one.session().refresh(None).await.unwrap();
    assert_eq!(
        text(other.session().refresh(Some(&refused)).await.unwrap()).unwrap(),
        "t.1.1"
    );
    assert_eq!(other.session().snapshot().login, login);
    assert_eq!(server.refreshes(), 1);
    one.session().logout().await;
    assert_eq!(other.session().fresh_token(Duration::ZERO).await, Ok(None));
    assert_eq!(
        other.session().snapshot().reason,
        Some(EndReason::Elsewhere)
    );
    one.session().login(server.login()).await.unwrap();
    let fresh = other.session().fresh_token(Duration::ZERO).await;
    assert_eq!(text(fresh.unwrap()).unwrap(), "t.2.0");
    assert_ne!(other.session().snapshot().login, login);
}

#[cfg(desktop)]
#[tokio::test(start_paused = true)]
async fn p8_a_refresh_that_a_process_did_not_survive_is_carried_out_again_at_the_next_start() {
    let (store, server) = world();
    let folder = tempfile::tempdir().unwrap();
    let processes = Processes::in_folder(folder.path().into());
    Process::in_folder(folder.path(), &store, &server, Rust::Nothing)
        .session()
        .login(server.login())
        .await
        .unwrap();
    let lock = processes
        .of_refreshes()
        .lock(&Account::default(), LATE)
        .await;
    lock.unwrap()
        .begin_use(&Token::new("r.1.0").unwrap())
        .unwrap();
    // The server has seen it, and its response was lost.
    server.refresh(&Token::new("r.1.0").unwrap()).unwrap();
    let next = Process::in_folder(folder.path(), &store, &server, Rust::Refresh);
    next.session().ready().await;
    until(|| next.session().snapshot().status == Status::SignedOut).await;
    assert_eq!(
        next.session().snapshot().reason,
        Some(EndReason::Interrupted)
    );
    assert_eq!(server.reuses(), 1);
}

#[cfg(all(desktop, feature = "native"))]
#[tokio::test(start_paused = true)]
async fn p3_a_logout_in_another_process_during_a_login_wins() {
    let (store, server) = world();
    let folder = tempfile::tempdir().unwrap();
    let one = Process::in_folder(folder.path(), &store, &server, Rust::Both);
    one.session().login(server.login()).await.unwrap();
    let other = Process::in_folder(folder.path(), &store, &server, Rust::Both);
    other.session().ready().await;

    // Before the login began, although it is noticed only then.
    other.session().logout().await;
    let began = one.owner().begin_sign_in().await;
    let signed_in = one.owner().end_sign_in(began, server.login(), true).await;
    assert_eq!(signed_in.unwrap().status, Status::SignedIn);

    other.session().hydrate().await;
    let began = one.owner().begin_sign_in().await;
    other.session().logout().await;
    let late = one.owner().end_sign_in(began, server.login(), true).await;
    assert_eq!(late.unwrap_err().code(), ErrorCode::Conflict);
    assert_eq!(one.session().token(), None);
    assert_eq!(one.stored().await, None);
}

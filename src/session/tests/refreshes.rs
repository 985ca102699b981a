//! One refresh for everybody: who carries it out, what it brings, and what happens when it fails.

use super::*;

fn lease(given: crate::error::Result<Given>) -> Lease {
    match given.unwrap() {
        Given::Lease(lease) => lease,
        Given::Token(access) => panic!("no lease but {:?}", access.record),
    }
}

fn token(given: crate::error::Result<Given>) -> Option<String> {
    match given.unwrap() {
        Given::Token(access) => text(access.record.map(|record| record.token.clone())),
        Given::Lease(_) => panic!("a lease"),
    }
}

fn next(name: &str) -> Tokens {
    let mut tokens = Tokens::new(Token::new(format!("t.{name}")).unwrap());
    tokens.refresh_token = Some(Token::new(format!("r.{name}")).unwrap());
    tokens
}

#[tokio::test(start_paused = true)]
async fn p8_many_windows_and_rust_with_a_refused_token_cost_one_refresh() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let pages: Vec<_> = (0..4)
        .map(|n| Page::open(&app, &format!("page-{n}")))
        .collect();
    let session = app.session();
    session.login(server.login()).await.unwrap();
    let refused = session.token().unwrap();
    let by_pages = pages
        .iter()
        .flat_map(|page| (0..50).map(|_| page.token(&server, instead_of(&refused), None)));
    let by_rust = session.refresh(Some(&refused));
    let (by_pages, by_rust) =
        futures_util::future::join(futures_util::future::join_all(by_pages), by_rust).await;
    assert_eq!(text(by_rust.unwrap()).unwrap(), "t.1.1");
    assert!(
        by_pages
            .into_iter()
            .all(|token| text(token).unwrap() == "t.1.1")
    );
    assert_eq!((server.refreshes(), server.reuses()), (1, 0));
    assert_eq!(app.stored().await.unwrap(), "t.1.1");
}

#[tokio::test(start_paused = true)]
async fn p8_the_next_page_gets_the_lease_of_a_page_that_goes_away() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let (one, other) = (Page::open(&app, "one"), Page::open(&app, "other"));
    app.session().login(server.login()).await.unwrap();
    let refused = app.session().token().unwrap();
    let first = lease(one.ask(instead_of(&refused), None).await);
    let waiting = other.token(&server, instead_of(&refused), None);
    let gone = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(one);
    };
    let (token, ()) = futures_util::future::join(waiting, gone).await;
    assert_eq!(text(token).unwrap(), "t.1.1");
    let late = Reply::Renewed(next("1.9"));
    let late = other.owner.reply(first.id, &"one".into(), late).await;
    assert_eq!(late.err().unwrap().code(), ErrorCode::Conflict);
}

#[tokio::test(start_paused = true)]
async fn p6_a_lease_that_is_never_answered_ends_at_its_deadline() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let (one, other) = (Page::open(&app, "one"), Page::open(&app, "other"));
    app.session().login(server.login()).await.unwrap();
    let refused = app.session().token().unwrap();
    let _never = lease(one.ask(instead_of(&refused), None).await);
    let token = other.token(&server, instead_of(&refused), None).await;
    assert_eq!(text(token).unwrap(), "t.1.1");
}

#[tokio::test(start_paused = true)]
async fn p6_a_caller_in_rust_is_told_if_no_window_refreshes() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let page = Page::open(&app, "main");
    app.session().login(server.login()).await.unwrap();
    let error = app.session().refresh(None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    let asked = page.messages.lock().unwrap();
    assert!(
        asked
            .iter()
            .any(|message| matches!(message, Message::Refresh))
    );
}

#[tokio::test(start_paused = true)]
async fn p8_the_only_page_that_reloads_amid_its_refresh_gets_the_next_token() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let page = Page::open(&app, "main, page 1");
    app.session().login(server.login()).await.unwrap();
    let refused = app.session().token().unwrap();
    let _lease = lease(page.ask(instead_of(&refused), None).await);
    let by_rust = app.session();
    let by_rust = tokio::spawn({
        let refused = refused.clone();
        async move { by_rust.refresh(Some(&refused)).await }
    });
    tokio::time::sleep(LATENCY).await;
    drop(page);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let reloaded = Page::open(&app, "main, page 2");
    let token = reloaded.token(&server, instead_of(&refused), None).await;
    assert_eq!(text(token).unwrap(), "t.1.1");
    assert_eq!(text(by_rust.await.unwrap().unwrap()).unwrap(), "t.1.1");
    assert_eq!((server.refreshes(), server.reuses()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_after_the_last_has_left_amid_its_refresh_need_not_wait() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let page = Page::open(&app, "main, page 1");
    app.session().login(server.login()).await.unwrap();
    let refused = app.session().token().unwrap();
    let _lease = lease(page.ask(instead_of(&refused), None).await);
    let session = app.session();
    let leaves = async { drop(page) };
    let (by_rust, ()) = futures_util::future::join(session.refresh(Some(&refused)), leaves).await;
    assert_eq!(by_rust.unwrap_err().code(), ErrorCode::Timeout);
    let next = Page::open(&app, "main, page 2");
    let token = next.token(&server, instead_of(&refused), None).await;
    assert_eq!(text(token).unwrap(), "t.1.1");
}

#[tokio::test(start_paused = true)]
async fn p8_a_lease_is_answered_once_by_its_page_with_a_token_that_a_header_can_carry() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let (one, other) = (Page::open(&app, "one"), Page::open(&app, "other"));
    app.session().login(server.login()).await.unwrap();
    let held = lease(one.ask(Ask::New, None).await);
    let by_another = other.reply(&held, Reply::Renewed(next("1.1"))).await;
    assert_eq!(by_another.err().unwrap().code(), ErrorCode::Conflict);
    let unfit = Tokens::new(Token::new("SECRET\n2").unwrap());
    let unfit = one.reply(&held, Reply::Renewed(unfit)).await.err().unwrap();
    assert_eq!(unfit.code(), ErrorCode::InvalidArgument);
    let replied = one.reply(&held, Reply::Renewed(next("1.1"))).await;
    assert_eq!(replied.unwrap().record.unwrap().token.expose(), "t.1.1");
    let twice = one.reply(&held, Reply::Renewed(next("1.2"))).await;
    assert_eq!(twice.err().unwrap().code(), ErrorCode::Conflict);
    assert_eq!(app.stored().await.unwrap(), "t.1.1");
}

#[tokio::test(start_paused = true)]
async fn p9_what_is_bought_for_a_login_that_has_ended_is_revoked_and_not_shown() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let page = Page::open(&app, "main");
    app.session().login(server.login()).await.unwrap();
    let held = lease(page.ask(Ask::New, None).await);
    app.session().login(next("2.0")).await.unwrap();
    let replied = page.reply(&held, Reply::Renewed(next("1.1"))).await;
    assert_eq!(replied.unwrap().record, None);
    assert_eq!(text(app.session().token()).unwrap(), "t.2.0");
    let revoked: Vec<_> = page
        .owner
        .take_revokes()
        .into_iter()
        .map(|record| record.token)
        .collect();
    let expected = ["t.1.0", "t.1.1"].map(|token| Token::new(token).unwrap());
    assert_eq!(revoked, expected);
}

#[tokio::test(start_paused = true)]
async fn p9_a_refused_token_gets_its_successor_and_never_that_of_another_login() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    let session = app.session();
    session.login(server.login()).await.unwrap();
    let first = session.token().unwrap();
    let login = session.snapshot().login;
    session.refresh(None).await.unwrap();
    let again = session.refresh(Some(&first)).await;
    assert_eq!(text(again.unwrap()).unwrap(), "t.1.1");
    assert_eq!(server.refreshes(), 1);
    session.login(server.login()).await.unwrap();
    assert_eq!(session.refresh(Some(&first)).await, Ok(None));
    let want = Want::new(Ask::Fresh(Duration::ZERO), Some(login), None);
    assert_eq!(token(app.owner().give(want).await), None);
    assert_eq!(server.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn p9_who_waits_for_a_refresh_gets_nothing_of_the_next_user() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let page = Page::open(&app, "main");
    app.session().login(server.login()).await.unwrap();
    let _lease = lease(page.ask(Ask::New, None).await);
    let (session, other) = (app.session(), app.session());
    let waiting = session.refresh(None);
    let login = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        other.login(server.login()).await.unwrap();
    };
    let (waited, ()) = futures_util::future::join(waiting, login).await;
    assert_eq!(waited, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_failure_rests_for_all_but_a_person_who_asks() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    let session = app.session();
    session.login(server.login()).await.unwrap();
    let refused = session.token().unwrap();
    server.set_down(true);
    let error = session.refresh(Some(&refused)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert_eq!(session.snapshot().status, Status::SignedIn);
    assert!(session.snapshot().retry_at.is_some());
    server.set_down(false);
    assert!(session.refresh(Some(&refused)).await.is_err());
    assert_eq!(text(session.refresh(None).await.unwrap()).unwrap(), "t.1.1");
    assert_eq!(session.snapshot().retry_at, None);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_session_and_empties_the_store() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    let session = app.session();
    session.login(server.login()).await.unwrap();
    server.revoke(&Token::new("r.1.0").unwrap());
    assert_eq!(session.refresh(None).await, Ok(None));
    assert_eq!(session.snapshot().reason, Some(EndReason::Refused));
    assert_eq!(app.stored().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_every_token_costs_one_refresh_a_minute() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    let session = app.session();
    session.login(server.login()).await.unwrap();
    for _ in 0..55 {
        let token = session.token().unwrap();
        let _refused_again = session.refresh(Some(&token)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(server.refreshes(), 1);
    // A server that took the token meanwhile: this refusal is another matter.
    let rejected = session.token().unwrap();
    let ask = Ask::InsteadOf {
        rejected,
        accepted: true,
    };
    let given = app.owner().give(Want::new(ask, None, None)).await;
    assert_eq!(token(given).unwrap(), "t.1.2");
}

#[tokio::test(start_paused = true)]
async fn rust_refreshes_ahead_of_time_and_without_a_window() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    let mut tokens = server.login();
    tokens.expires_in = Some(Duration::from_secs(600));
    app.session().login(tokens).await.unwrap();
    // 60 to 120 seconds before its end.
    tokio::time::sleep(Duration::from_secs(475)).await;
    assert_eq!(server.refreshes(), 0);
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert_eq!(server.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_costs_no_refresh_for_each_request() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let session = app.session();
    let page = Page::open(&app, "main");
    let mut tokens = server.login();
    tokens.expires_in = Some(Duration::from_secs(60));
    session.login(tokens).await.unwrap();
    clock::virtual_wall::set_by(-3_600_000);
    // The lifetime counts from the receipt, on the clock that nobody sets.
    tokio::time::sleep(Duration::from_secs(61)).await;
    let token = page.token(&server, Ask::Fresh(Duration::ZERO), None).await;
    assert_eq!(text(token).unwrap(), "t.1.1");
}

#[tokio::test(start_paused = true)]
async fn p6_the_exit_waits_for_a_refresh_and_no_longer_than_its_limit() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    let session = app.session();
    session.login(server.login()).await.unwrap();
    let refreshing = tokio::spawn(async move { session.refresh(None).await });
    until(|| app.owner().look(|state| state.flight.is_some())).await;
    app.sessions.finish().await;
    assert_eq!(app.stored().await.unwrap(), "t.1.1");
    assert!(refreshing.await.unwrap().is_ok());
    store.inject(Fault::Hangs);
    let session = app.session();
    let _stuck = tokio::spawn(async move { session.refresh(None).await });
    until(|| app.owner().look(|state| state.flight.is_some())).await;
    let started = tokio::time::Instant::now();
    app.sessions.finish().await;
    assert!(started.elapsed() <= Duration::from_secs(4));
    store.heal();
}

#[tokio::test(start_paused = true)]
async fn p4_no_message_to_a_page_has_a_token() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let page = Page::open(&app, "main");
    app.session().login(server.login()).await.unwrap();
    page.token(&server, Ask::New, None).await.unwrap();
    store.inject(Fault::Fails(ErrorCode::Locked));
    app.session().logout().await;
    let messages = page.messages.lock().unwrap();
    assert!(messages.len() >= 3);
    for message in &*messages {
        let json = serde_json::to_string(message).unwrap();
        assert!(!json.contains("t.1.") && !json.contains("r.1."), "{json}");
    }
}

#[tokio::test(start_paused = true)]
async fn p8_a_call_that_outlives_its_page_takes_no_lease_with_it() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let (one, other) = (Page::open(&app, "one"), Page::open(&app, "other"));
    app.session().login(server.login()).await.unwrap();
    let refused = app.session().token().unwrap();
    store.inject(Fault::Slow(Duration::from_secs(1)));
    let (owner, ask) = (app.owner(), instead_of(&refused));
    // The page waits for the read before the refresh, and is gone when the lease is given.
    let waiting =
        tokio::spawn(async move { owner.give(Want::new(ask, None, Some("one".into()))).await });
    until(|| app.owner().look(|state| state.flight.is_some())).await;
    drop(one);
    let token = other.token(&server, instead_of(&refused), None).await;
    assert_eq!(text(token).unwrap(), "t.1.1");
    assert!(matches!(waiting.await.unwrap(), Ok(Given::Token(_))));
    assert_eq!((server.refreshes(), server.reuses()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn p8_a_page_that_has_the_lease_is_not_passed_over_after_many_that_went_away() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Nothing);
    let stays = Page::open(&app, "stays");
    app.session().login(server.login()).await.unwrap();
    for n in 0..6 {
        let page = Page::open(&app, &format!("page-{n}"));
        let _lease = lease(page.ask(Ask::New, None).await);
    }
    let held = lease(stays.ask(Ask::New, None).await);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let replied = stays.reply(&held, Reply::Renewed(next("1.1"))).await;
    assert_eq!(replied.unwrap().record.unwrap().token.expose(), "t.1.1");
}

#[tokio::test(start_paused = true)]
async fn p1_a_session_that_is_not_kept_survives_a_store_that_hangs_during_its_refresh() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    let session = app.session();
    session.login_until_exit(server.login()).await.unwrap();
    store.inject(Fault::Hangs);
    let first = session.token().unwrap();
    let second = session.refresh(Some(&first)).await.unwrap();
    assert_eq!(text(second).unwrap(), "t.1.1");
    tokio::time::sleep(LATE * 2).await;
    store.heal();
    tokio::time::sleep(LATE * 4).await;
    assert_eq!(session.hydrate().await.status, Status::SignedIn);
    assert_eq!(text(session.token()).unwrap(), "t.1.1");
    assert!(store.items_stored().is_empty());
}

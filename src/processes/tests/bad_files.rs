//! Files that are damaged, foreign, removed, or cannot be used.

use std::fs::File;

use super::*;

/// An account that was changed a few times, while a refresh token is in use.
async fn changed(app: &App) -> Mark {
    let mut held = lock(&app.process()).await;
    held.committed(true).unwrap();
    held.committed(false).unwrap();
    held.begin_use(&token("used")).unwrap();
    held.mark().clone()
}

fn mark_file(app: &App) -> PathBuf {
    app.file(&Account::default(), "mark")
}

#[tokio::test]
async fn a_damaged_mark_is_a_new_one_that_nobody_has_seen_and_is_mended_by_a_write() {
    let long = "x".repeat(1_000_000);
    let contents = [
        "x",
        "{}",
        "secure-token.mark.v2.0.1.1.00000000",
        &"\u{1f511}".repeat(128),
        &long,
    ];
    for content in contents {
        let app = App::new();
        let processes = app.process();
        let before = changed(&app).await.stamp;
        fs::write(mark_file(&app), content).unwrap();
        assert_eq!(processes.stamp(&Account::default()), None);

        let mut held = lock(&processes).await;
        let damaged = held.mark().clone();
        assert_eq!(damaged.in_use, None);
        assert!(damaged.stamp.change > before.change && damaged.stamp.login > before.login);
        assert_eq!(processes.stamp(&Account::default()), None, "only read");
        held.committed(false).unwrap();
        let mended = processes.stamp(&Account::default()).unwrap();
        assert!(mended.change > damaged.stamp.change);
        assert_eq!(mended.login, damaged.stamp.login);
        drop(held);
        assert_eq!(lock(&processes).await.mark().stamp, mended);
    }
}

#[tokio::test]
async fn p2_a_write_that_a_crash_has_cut_off_leaves_the_mark_before_it() {
    let app = App::new();
    let processes = app.process();
    let mut held = lock(&processes).await;
    held.committed(true).unwrap();
    let before = fs::read(mark_file(&app)).unwrap();
    let stamp = held.mark().stamp;
    held.begin_use(&token("used")).unwrap();
    let after = fs::read(mark_file(&app)).unwrap();
    let mark = held.mark().clone();
    drop(held);
    for length in 0..after.len() {
        let cut = [&after[..length], &before[length..]].concat();
        fs::write(mark_file(&app), cut).unwrap();
        let held = lock(&processes).await;
        assert_eq!(processes.stamp(&Account::default()), Some(stamp));
        let whole = [
            Mark {
                stamp,
                in_use: None,
            },
            mark.clone(),
        ];
        assert!(whole.contains(held.mark()), "cut off after {length} bytes");
    }
}

#[tokio::test]
async fn p3_no_stamp_comes_twice_whatever_happens_to_the_file() {
    let app = App::new();
    let processes = [app.process(), app.process(), app.process()];
    let mut random = fastrand::Rng::with_seed(7);
    let mut newest = changed(&app).await.stamp;
    for _ in 0..2_000 {
        let process = &processes[random.usize(..3)];
        match random.u8(..10) {
            0 => drop(fs::remove_file(mark_file(&app))),
            1 => fs::write(mark_file(&app), "x".repeat(random.usize(..600))).unwrap(),
            2 => {
                let mut bytes = fs::read(mark_file(&app)).unwrap_or_default();
                if let Some(byte) = random.choice(&mut bytes) {
                    *byte ^= 1;
                }
                fs::write(mark_file(&app), bytes).unwrap();
            }
            3 => lock(process).await.begin_use(&token("used")).unwrap(),
            4 => lock(process).await.end_use().unwrap(),
            number => {
                let new_login = number == 5;
                let mut held = lock(process).await;
                held.committed(new_login).unwrap();
                let stamp = held.mark().stamp;
                assert!(stamp.change > newest.change);
                assert!(!new_login || stamp.login > newest.login);
                assert_eq!(process.stamp(&Account::default()), Some(stamp));
                newest.change = stamp.change;
                newest.login = newest.login.max(stamp.login);
            }
        }
    }
}

#[tokio::test]
async fn a_folder_in_the_place_of_a_file_is_unavailable_until_it_is_gone() {
    for kind in ["lock", "mark"] {
        let app = App::new();
        let in_the_way = app.file(&Account::default(), kind);
        fs::create_dir_all(&in_the_way).unwrap();
        let processes = app.process();
        assert_eq!(processes.stamp(&Account::default()), None);
        assert_eq!(refusal(&processes).await, ErrorCode::Unavailable, "{kind}");
        fs::remove_dir(&in_the_way).unwrap();
        lock(&processes).await.committed(true).unwrap();
    }
}

#[tokio::test]
async fn a_file_in_the_place_of_the_folder_is_unavailable() {
    let app = App::new();
    let in_the_way = app.file(&Account::default(), "lock");
    fs::write(in_the_way.parent().unwrap(), "x").unwrap();
    assert_eq!(app.process().stamp(&Account::default()), None);
    assert_eq!(refusal(&app.process()).await, ErrorCode::Unavailable);
}

/// As a virus scanner may do for a moment.
#[cfg(windows)]
#[tokio::test]
async fn a_file_that_another_program_has_for_itself_is_waited_for() {
    use std::os::windows::fs::OpenOptionsExt;

    for kind in ["lock", "mark"] {
        let app = App::new();
        let mark = changed(&app).await;
        let mut options = File::options();
        let alone = options.read(true).share_mode(0);
        let alone = alone.open(app.file(&Account::default(), kind)).unwrap();
        let processes = app.process();
        assert_eq!(refusal(&processes).await, ErrorCode::Timeout, "{kind}");
        let waits = tokio::spawn(async move { lock(&processes).await });
        drop(alone);
        assert_eq!(waits.await.unwrap().mark(), &mark);
    }
}

#[tokio::test]
async fn a_write_that_fails_changes_nothing() {
    let app = App::new();
    let processes = app.process();
    let mark = changed(&app).await;
    let mut held = lock(&processes).await;
    let files = held.0.as_mut().unwrap();
    files.file.file = File::open(mark_file(&app)).unwrap();
    for result in [
        held.committed(true),
        held.begin_use(&token("next")),
        held.end_use(),
    ] {
        assert!(result.is_err());
        assert_eq!(held.mark(), &mark);
    }
    assert_eq!(processes.stamp(&Account::default()), Some(mark.stamp));
    drop(held);
    assert_eq!(lock(&processes).await.mark(), &mark);
}

mod bad_files;
mod several;
mod stored_form;

use std::{fs, path::PathBuf, sync::Arc};

use tempfile::TempDir;

use super::*;
use crate::error::ErrorCode;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(60);

/// Nobody frees the lock meanwhile.
const SHORT: Duration = Duration::from_millis(50);

/// The folder of an app, in which each [`Processes`] stands for a process.
struct App(TempDir);

impl App {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn process(&self) -> Processes {
        Processes::in_folder(self.0.path().into())
    }

    /// The file of `account` that ends with `kind`.
    fn file(&self, account: &Account, kind: &str) -> PathBuf {
        AccountFiles::in_folder(self.0.path()).path(account, kind)
    }
}

fn account(name: &str) -> Account {
    Account::new(name).unwrap()
}

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

async fn lock(processes: &Processes) -> AccountLock {
    processes.lock(&Account::default(), LONG).await.unwrap()
}

async fn refusal(processes: &Processes) -> ErrorCode {
    let locked = processes.lock(&Account::default(), SHORT).await;
    locked.err().unwrap().code()
}

#[tokio::test]
async fn p8_the_lock_is_of_one_call_at_a_time_and_waits() {
    let app = App::new();
    let (one, other) = (app.process(), app.process());
    let held = lock(&one).await;
    assert_eq!(refusal(&other).await, ErrorCode::Timeout);
    assert_eq!(refusal(&one).await, ErrorCode::Timeout, "a second call");
    let waits = tokio::spawn(async move { lock(&other).await });
    assert!(one.lock(&account("other"), LONG).await.is_ok());
    drop(held);
    drop(waits.await.unwrap());
    drop(lock(&one).await);
}

#[tokio::test]
async fn p6_a_call_that_no_longer_waits_takes_no_lock() {
    let app = App::new();
    let processes = app.process();
    for _ in 0..50 {
        let held = lock(&processes).await;
        let mut waits = Box::pin(lock(&processes));
        assert!(futures_util::poll!(&mut waits).is_pending());
        drop((waits, held));
        drop(lock(&processes).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_two_hundred_calls_have_the_lock_one_after_the_other() {
    let app = App::new();
    let inside = Arc::new(tokio::sync::Semaphore::new(1));
    let calls = (0..200).map(|_| {
        let (processes, inside) = (app.process(), inside.clone());
        tokio::spawn(async move {
            let mut held = lock(&processes).await;
            let _alone = inside.try_acquire().unwrap();
            held.committed(false).unwrap();
            held.mark().stamp.change
        })
    });
    let mut changes = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        changes.push(call.await.unwrap());
    }
    changes.sort_unstable();
    changes.dedup();
    assert_eq!(changes.len(), 200, "each has a stamp of its own");
}

#[tokio::test]
async fn a_change_of_one_process_is_seen_by_the_others() {
    let app = App::new();
    let (one, other) = (app.process(), app.process());
    assert_eq!(other.stamp(&Account::default()), None);
    let mut held = lock(&one).await;
    assert_eq!(held.mark(), &Mark::default());
    assert_eq!(other.stamp(&Account::default()), None, "nothing is changed");

    held.committed(true).unwrap();
    let login = other.stamp(&Account::default()).unwrap();
    assert_eq!(held.mark().stamp, login);
    assert!(login.change > 0 && login.login > 0);

    held.committed(false).unwrap();
    let rotation = other.stamp(&Account::default()).unwrap();
    assert!(rotation.change > login.change);
    assert_eq!(rotation.login, login.login);
    drop(held);

    assert_eq!(lock(&other).await.mark().stamp, rotation);
    assert_eq!(other.stamp(&account("other")), None);
}

#[tokio::test]
async fn p8_a_refresh_token_in_use_is_known_to_who_comes_next() {
    let app = App::new();
    let (one, other) = (app.process(), app.process());
    let mut held = lock(&one).await;
    held.committed(true).unwrap();
    let stamp = held.mark().stamp;
    held.begin_use(&token("used")).unwrap();
    drop(held);

    let mut held = lock(&other).await;
    let in_use = held.mark().in_use.clone().unwrap();
    assert!(in_use.is_of(&token("used")));
    assert!(!in_use.is_of(&token("another")));
    assert!(in_use.since > 1_700_000_000_000, "milliseconds");
    assert_eq!(held.mark().stamp, stamp, "nothing is changed");
    held.committed(false).unwrap();
    assert!(held.mark().in_use.is_some(), "until it is said to be over");
    held.end_use().unwrap();
    drop(held);
    assert_eq!(lock(&one).await.mark().in_use, None);
}

#[tokio::test]
async fn one_process_alone_has_every_lock_and_no_file() {
    let processes = Processes::none();
    let mut held = lock(&processes).await;
    held.committed(true).unwrap();
    held.begin_use(&token("used")).unwrap();
    held.end_use().unwrap();
    assert_eq!(held.mark(), &Mark::default());
    assert_eq!(processes.stamp(&Account::default()), None);
    drop(lock(&processes).await);
}

#[tokio::test]
async fn p4_the_files_show_neither_token_nor_account() {
    let app = App::new();
    let processes = app.process();
    let mut held = processes.lock(&account("canary"), LONG).await.unwrap();
    held.committed(true).unwrap();
    held.begin_use(&token("canary")).unwrap();
    let folder = app.file(&account("canary"), "mark");
    let entries = fs::read_dir(folder.parent().unwrap()).unwrap();
    let mut files = 0;
    for entry in entries {
        let entry = entry.unwrap();
        assert!(!entry.file_name().to_string_lossy().contains("canary"));
        // Windows lets nobody read the one that is locked; it is empty.
        if entry.path().extension().unwrap() == "mark" {
            let content = fs::read_to_string(entry.path()).unwrap();
            assert!(!content.contains("canary"));
        }
        assert!(entry.metadata().unwrap().len() <= 512);
        files += 1;
    }
    assert_eq!(files, 2);
}

#[tokio::test]
async fn a_thousand_accounts_of_any_text_do_not_meet() {
    let app = App::new();
    let processes = app.process();
    let odd = [
        "a",
        "A",
        ".",
        "..",
        "../a",
        "/",
        "a/b",
        "a\\b",
        "CON",
        "nul",
        "a.",
        "a ",
        "*",
        "\u{e4}",
        "a\u{308}",
        "\u{c4}",
        "\u{1f511}",
    ];
    let mut names: Vec<_> = odd.map(String::from).into();
    names.extend(["x", "X", "\u{fc}", "\u{1f511}"].map(|text| text.repeat(512 / text.len())));
    names.extend((names.len()..1_000).map(|number| number.to_string()));
    let mut held = Vec::new();
    for name in &names[..40] {
        held.push(processes.lock(&account(name), LONG).await.unwrap());
    }
    drop(held);
    let mut stamps = Vec::new();
    for name in &names {
        let mut held = processes.lock(&account(name), LONG).await.unwrap();
        assert_eq!(held.mark(), &Mark::default(), "{name}");
        held.committed(true).unwrap();
        stamps.push(held.mark().stamp);
    }
    let other = app.process();
    for (name, stamp) in names.iter().zip(stamps) {
        assert_eq!(other.stamp(&account(name)), Some(stamp), "{name}");
    }
    let files = fs::read_dir(app.file(&Account::default(), "mark").parent().unwrap());
    assert_eq!(files.unwrap().count(), 2_000);
}

#[test]
fn p3_who_reads_without_the_lock_sees_no_stamp_go_back_or_missing() {
    let app = App::new();
    let (writer, reader) = (app.process(), app.process());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut held = runtime.block_on(lock(&writer));
    held.committed(true).unwrap();
    let mut newest = held.mark().stamp.change;
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for _ in 0..5_000 {
                held.begin_use(&token("used")).unwrap();
                held.committed(false).unwrap();
                held.end_use().unwrap();
            }
        });
        while !writing.is_finished() {
            let change = reader.stamp(&Account::default()).unwrap().change;
            assert!(change >= newest);
            newest = change;
        }
    });
    assert_eq!(
        reader.stamp(&Account::default()).unwrap(),
        held.mark().stamp
    );
}

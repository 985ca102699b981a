//! An app that is confined by Snap, with the records in files that the secret of the portal seals.
//!
//! What confines it and the portal are stand-ins; the bus, the files and the kills are real.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::{Value, json};

use crate::{
    DEFAULT, code,
    portal_stand_in::{Answer, StandInPortal},
    session::Session,
    snap::Snap,
    worker::Worker,
};

const SECRET: [u8; 64] = [7; 64];

fn secret() -> Answer {
    Answer::Secret(SECRET.into())
}

async fn with_portal(answer: Answer) -> (Session, Snap, StandInPortal) {
    let session = Session::without_keyring().await;
    let portal = StandInPortal::start(&session, answer).await;
    (session, Snap::new(), portal)
}

/// With a record that was stored by a process that has ended.
async fn with_record() -> (Session, Snap, StandInPortal) {
    let (session, snap, portal) = with_portal(secret()).await;
    let set = snap.start(&session).set(DEFAULT, "kept");
    assert_eq!(set, json!({ "revision": 1 }));
    (session, snap, portal)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn p7_a_token_is_found_again_in_its_file_when_app_and_portal_were_restarted() {
    let (session, snap, portal) = with_record().await;
    let file = snap.file(DEFAULT);
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&snap.records()), 0o700);
    portal.end().await;

    let _portal = StandInPortal::start(&session, secret()).await;
    let mut worker = snap.start(&session);
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
    assert_eq!(worker.list(), json!([DEFAULT]));
    assert_eq!(worker.set(DEFAULT, "next"), json!({ "revision": 1 }));
    assert_eq!(worker.get(DEFAULT)["token"], "next");
    worker.clear(DEFAULT);
    assert!(!file.exists());
    assert_eq!(worker.get(DEFAULT), Value::Null);
    assert_eq!(worker.list(), json!([]));
}

#[tokio::test]
async fn p7_a_file_that_an_earlier_release_wrote_is_read() {
    let (session, snap, _portal) = with_portal(secret()).await;
    let written =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/secret-portal-0.1.0.keyring");
    fs::create_dir_all(snap.records()).unwrap();
    fs::copy(written, snap.file(DEFAULT)).unwrap();
    let mut worker = snap.start(&session);
    assert_eq!(worker.get(DEFAULT)["token"], "of release 0.1.0");
    assert_eq!(worker.list(), json!([DEFAULT]));
}

#[tokio::test]
async fn p4_nothing_in_the_files_can_be_read() {
    let (session, snap, _portal) = with_portal(secret()).await;
    let mut worker = snap.start(&session);
    worker.set("a-telling-name", "a-telling-token");
    let record = "secure-token.v1.";
    for path in session
        .all_files()
        .into_iter()
        .chain(Session::files_in(snap.data()))
    {
        let content = fs::read(&path).unwrap();
        for text in [
            "a-telling-name",
            "a-telling-token",
            record,
            crate::session::SERVICE,
        ] {
            let found = content
                .windows(text.len())
                .any(|part| part == text.as_bytes());
            assert!(!found, "{text} is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn p1_a_portal_that_does_not_give_the_secret_is_an_error_and_the_next_call_works() {
    let (session, snap, portal) = with_record().await;
    let before = fs::read(snap.file(DEFAULT)).unwrap();
    for (answer, expected) in [
        (Answer::Response(1), "locked"),
        (Answer::Response(2), "locked"),
        (Answer::Refusal, "denied"),
        (Answer::Nonsense, "internal"),
        (Answer::Secret(Vec::new()), "internal"),
        (Answer::Secret(vec![7; 8]), "internal"),
        (Answer::Secret(vec![7; 10_000]), "internal"),
        (Answer::HalfASecret(vec![7; 32]), "timeout"),
    ] {
        portal.answers(answer.clone());
        let mut worker = snap.start(&session);
        for call in [worker.get(DEFAULT), worker.get("absent")] {
            assert_eq!(code(&call), expected, "{answer:?}: {call}");
        }
        if expected != "timeout" {
            assert_eq!(code(&worker.set(DEFAULT, "never stored")), expected);
            assert_eq!(code(&worker.list()), expected);
        }
        assert_eq!(fs::read(snap.file(DEFAULT)).unwrap(), before);
        portal.answers(secret());
        assert_eq!(worker.get(DEFAULT)["token"], "kept", "after {answer:?}");
    }
}

#[tokio::test]
async fn p1_without_a_portal_every_read_and_write_is_unavailable_until_there_is_one() {
    let (session, snap, portal) = with_record().await;
    portal.end().await;
    let mut worker = snap.start(&session);
    assert_unavailable(&mut worker);
    let without_secrets = StandInPortal::start_without_secrets(&session).await;
    assert_unavailable(&mut worker);
    without_secrets.graceful_shutdown().await;

    let _portal = StandInPortal::start(&session, secret()).await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
}

fn assert_unavailable(worker: &mut Worker) {
    for call in [
        worker.get(DEFAULT),
        worker.get("absent"),
        worker.set(DEFAULT, "never stored"),
        worker.list(),
    ] {
        assert_eq!(code(&call), "unavailable", "{call}");
        let message = call["message"].as_str().unwrap();
        assert!(
            message.contains("install and start xdg-desktop-portal"),
            "{message}"
        );
    }
    assert_eq!(worker.info()["state"], "unavailable");
}

#[tokio::test]
async fn p3_a_logout_removes_the_record_also_without_the_portal() {
    let (session, snap, portal) = with_record().await;
    portal.end().await;
    let cleared = snap.start(&session).clear(DEFAULT);
    assert_eq!(cleared, json!({ "revision": 1 }));
    assert!(!snap.file(DEFAULT).exists());
}

#[tokio::test]
async fn p6_a_prompt_that_nobody_answers_is_locked_and_an_answer_that_is_late_still_counts() {
    let (session, snap, portal) = with_record().await;
    portal.answers(Answer::Nothing);
    let mut worker = snap.start_with_deadline(&session, 4_000);
    assert_eq!(code(&worker.get(DEFAULT)), "locked");
    assert_eq!(code(&worker.set(DEFAULT, "never stored")), "locked");
    // One for the process that wrote the record, and one for the two calls that gave up.
    assert_eq!(portal.requests_seen(), 2);
    portal.answer_now(secret()).await;
    let mut answer = worker.get(DEFAULT);
    // A key is derived within the deadline of the test, on whatever machine.
    while ["locked", "timeout"].contains(&code(&answer)) {
        answer = worker.get(DEFAULT);
    }
    assert_eq!(answer["token"], "kept");
    assert_eq!(portal.requests_seen(), 2);
}

#[tokio::test]
async fn p6_a_portal_that_ends_amid_its_prompt_is_noticed() {
    let (session, snap, portal) = with_record().await;
    portal.end().await;
    let portal = StandInPortal::start(&session, Answer::Nothing).await;
    let mut worker = snap.start(&session);
    worker.ask(&json!({ "op": "get", "account": DEFAULT }));
    portal.wait_for_request().await;
    portal.end().await;
    assert_eq!(code(&worker.answer()), "unavailable");
    let _portal = StandInPortal::start(&session, secret()).await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
}

#[tokio::test]
async fn p1_a_record_of_another_secret_is_lost_and_kept_and_a_login_replaces_it() {
    let (session, snap, portal) = with_record().await;
    let before = fs::read(snap.file(DEFAULT)).unwrap();
    portal.answers(Answer::Secret(vec![8; 64]));
    let mut worker = snap.start(&session);
    assert_eq!(code(&worker.get(DEFAULT)), "lost");
    assert_eq!(code(&worker.list()), "lost");
    assert_eq!(worker.get("other"), Value::Null);
    assert_eq!(fs::read(snap.file(DEFAULT)).unwrap(), before);
    // The keyring of the session is the old one again.
    portal.answers(secret());
    assert_eq!(worker.get(DEFAULT)["token"], "kept");

    portal.answers(Answer::Secret(vec![8; 64]));
    assert!(snap.start(&session).set(DEFAULT, "new")["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "new");
}

#[tokio::test]
async fn p1_a_damaged_file_is_corrupt_and_kept_and_harms_no_other_account() {
    let (session, snap, _portal) = with_record().await;
    let mut worker = snap.start(&session);
    worker.set("other", "theirs");
    let whole = fs::read(snap.file(DEFAULT)).unwrap();
    let of_another_account = fs::read(snap.file("other")).unwrap();
    for damage in [
        Vec::new(),
        b"garbage".to_vec(),
        whole[..whole.len() / 2].to_vec(),
        vec![0; whole.len()],
        of_another_account,
    ] {
        fs::write(snap.file(DEFAULT), &damage).unwrap();
        assert_eq!(code(&worker.get(DEFAULT)), "corrupt");
        assert_eq!(fs::read(snap.file(DEFAULT)).unwrap(), damage);
        assert_eq!(worker.get("other")["token"], "theirs");
        assert!(worker.set(DEFAULT, "new")["revision"].is_u64());
        assert_eq!(worker.get(DEFAULT)["token"], "new");
    }
    fs::write(snap.file(DEFAULT), "garbage").unwrap();
    assert_eq!(code(&worker.list()), "corrupt");
    assert!(worker.clear(DEFAULT)["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT), Value::Null);
}

#[tokio::test]
async fn p2_a_process_that_is_killed_while_it_writes_leaves_a_whole_record() {
    let (session, snap, _portal) = with_record().await;
    let mut reader = snap.start(&session);
    for _ in 0..3 {
        let mut writer = snap.start(&session);
        writer.ask(&json!({ "op": "write-until-killed" }));
        writer.answer();
        writer.kill();
        let length = reader.get(DEFAULT)["token"].as_str().unwrap().len();
        assert!([64, 100_000].contains(&length));
    }
}

#[tokio::test]
async fn p2_p3_what_a_killed_process_left_over_goes_with_the_next_write() {
    let (session, snap, _portal) = with_record().await;
    let mut worker = snap.start(&session);
    let left_over = [".new.keyring", ".tmpkeyring0123456789abcdef"];
    let left_over = left_over.map(|name| snap.records().join(name));
    let leave = || {
        for path in &left_over {
            fs::write(path, "half a file").unwrap();
        }
    };
    leave();
    assert_eq!(worker.list(), json!([DEFAULT]));
    assert!(worker.set(DEFAULT, "new")["revision"].is_u64());
    assert!(left_over.iter().all(|path| !path.exists()));
    leave();
    assert!(worker.clear(DEFAULT)["revision"].is_u64());
    let lock = snap.records().join(".lock");
    assert_eq!(Session::files_in(&snap.records()), [lock]);
}

#[tokio::test]
async fn p2_processes_that_write_at_once_lose_no_acknowledged_write() {
    let (session, snap, _portal) = with_record().await;
    let mut workers: Vec<_> = (0..3).map(|_| snap.start(&session)).collect();
    for (number, worker) in workers.iter_mut().enumerate() {
        worker.ask(&json!({ "op": "write", "writer": number, "threads": 2, "rounds": 3 }));
    }
    for worker in &mut workers {
        assert_eq!(worker.answer(), json!("ok"));
    }
}

#[tokio::test]
async fn p1_a_folder_that_cannot_be_written_is_an_error() {
    let (session, snap, _portal) = with_portal(secret()).await;
    fs::write(snap.data().join("secure-token"), "not a folder").unwrap();
    let mut worker = snap.start(&session);
    assert_eq!(code(&worker.set(DEFAULT, "never stored")), "internal");
    assert_eq!(code(&worker.get(DEFAULT)), "internal");
}

#[tokio::test]
async fn p1_without_a_folder_for_its_data_the_app_starts_and_every_call_is_unavailable() {
    let (session, snap, _portal) = with_record().await;
    for folder in [None, Some("relative".to_owned())] {
        let folder = folder.map(|folder| ("SNAP_USER_COMMON", folder));
        let mut worker = snap.start_with_folder(&session, folder);
        for call in [
            worker.get(DEFAULT),
            worker.set(DEFAULT, "never stored"),
            worker.clear(DEFAULT),
            worker.list(),
        ] {
            assert_eq!(code(&call), "unavailable", "{call}");
        }
        assert_eq!(worker.info()["state"], "unavailable");
    }
    assert_eq!(snap.start(&session).get(DEFAULT)["token"], "kept");
}

#[tokio::test]
async fn store_info_names_the_portal() {
    let (session, snap, portal) = with_portal(Answer::Nothing).await;
    let info = snap.start(&session).info();
    assert_eq!(info["store"], "Secret portal (Snap)");
    assert_eq!(info["state"], "available");
    assert_eq!(info["persistent"], true);
    assert_eq!(info["durable"], true);
    assert_eq!(info["hardware"], false);
    assert_eq!(portal.requests_seen(), 0, "to look asks for no secret");
}

/// oo7 itself goes by `GTK_USE_PORTAL` (oo7 issue 331), and by the control group of the terminal that
/// a program was started in.
#[tokio::test]
async fn p1_variables_that_a_program_inherits_do_not_lead_it_to_another_store() {
    let session = Session::unlocked().await;
    let mut worker = Worker::start(&session);
    worker.set(DEFAULT, "kept");
    let terminal = Snap::new();
    let inherited = [("GTK_USE_PORTAL", "1".to_owned())];
    let env = session
        .env()
        .into_iter()
        .chain(terminal.env())
        .chain(inherited);
    let mut worker = Worker::spawn(&std::env::current_exe().unwrap(), env, 60_000);
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
}

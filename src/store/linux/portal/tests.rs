//! The files of records: written, read, damaged, and given up amid a write.

mod compatibility;
mod mutated;

use std::{process::Command, sync::mpsc, thread};

use futures_util::poll;

use super::*;
use crate::vault::envelope;

const SERVICE: &str = "app.secure-token.tests";
const SECRET: [u8; 64] = [1; 64];
const SALT: [u8; 32] = [2; 32];

/// A call whose future is there as long as what comes with it.
fn call() -> (Arc<()>, Call) {
    let waits = Arc::new(());
    let call = Call(Arc::downgrade(&waits));
    (waits, call)
}

fn sealed(bytes: &[u8]) -> Sealed {
    Sealed {
        account: Account::default(),
        bytes: Zeroizing::new(bytes.to_vec()),
    }
}

fn write(path: &Path, bytes: &[u8]) {
    let (_waits, call) = call();
    sealed_file::write(path, SERVICE, &sealed(bytes), &SECRET, &call).unwrap();
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let read = sealed_file::read(path, SERVICE, &SECRET)?;
    Ok(read.map(|sealed| sealed.bytes.to_vec()))
}

fn code(path: &Path) -> Option<ErrorCode> {
    read(path).err().map(|error| error.code())
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn p7_a_file_that_an_earlier_release_wrote_is_read() {
    let file = include_bytes!("../../../../tests/fixtures/secret-portal-0.1.0.keyring");
    let opened = seal::open(file, SERVICE, &[7; 64]).unwrap();
    assert_eq!(opened.account, Account::default());
    let record = envelope::decode(&opened.bytes).unwrap();
    assert_eq!(record.token.expose(), "of release 0.1.0");
}

#[test]
fn p2_a_file_is_replaced_and_no_two_are_sealed_alike() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.keyring");
    assert_eq!(read(&path).unwrap(), None);
    write(&path, b"a record");
    let first = fs::read(&path).unwrap();
    write(&path, b"a record");
    assert_eq!(read(&path).unwrap().unwrap(), b"a record");
    let second = fs::read(&path).unwrap();
    assert_ne!(first[22..54], second[22..54], "the salt");
    assert_eq!(names_in(folder.path()), ["record.keyring"]);
}

#[test]
fn p1_a_file_that_was_cut_anywhere_or_has_more_is_corrupt_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.keyring");
    write(&path, b"a record");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(code(&path), Some(ErrorCode::Corrupt), "cut to {length}");
        assert_eq!(fs::read(&path).unwrap(), whole[..length]);
    }
    for more in [1, 16, 64 * 1024 * 1024] {
        let longer = [&whole[..], &vec![0; more]].concat();
        fs::write(&path, longer).unwrap();
        assert_eq!(code(&path), Some(ErrorCode::Corrupt), "{more} bytes more");
    }
}

#[test]
fn p1_a_file_of_another_secret_is_lost_and_of_another_service_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.keyring");
    write(&path, b"a record");
    let result = sealed_file::read(&path, SERVICE, &[3; 64]);
    assert_eq!(result.err().unwrap().code(), ErrorCode::Lost);
    let result = sealed_file::read(&path, "app.other", &SECRET);
    assert_eq!(result.err().unwrap().code(), ErrorCode::Corrupt);
}

#[test]
fn p1_p6_what_is_no_file_is_an_error_and_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("directory.keyring");
    fs::create_dir(&directory).unwrap();
    let pipe = folder.path().join("pipe.keyring");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for path in [directory, pipe] {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || tell.send(code(&path)));
        let code = told.recv_timeout(Duration::from_secs(30)).unwrap();
        assert_eq!(code, Some(ErrorCode::Internal));
    }
}

#[test]
fn an_item_of_the_plugins_own_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.keyring");
    let own = Sealed {
        account: Account::revokes(),
        ..sealed(b"revokes")
    };
    let (_waits, call) = call();
    sealed_file::write(&path, SERVICE, &own, &SECRET, &call).unwrap();
    let read = sealed_file::read(&path, SERVICE, &SECRET).unwrap().unwrap();
    assert_eq!(read.account, Account::revokes());
}

#[test]
fn p6_a_write_or_removal_whose_call_has_ended_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.keyring");
    write(&path, b"the old record");
    let (waits, call) = call();
    drop(waits);
    let late = sealed(b"the late record");
    let written = sealed_file::write(&path, SERVICE, &late, &SECRET, &call);
    assert_eq!(written.unwrap_err().code(), ErrorCode::Timeout);
    let removed = sealed_file::remove(&path, &call);
    assert_eq!(removed.unwrap_err().code(), ErrorCode::Timeout);
    assert_eq!(read(&path).unwrap().unwrap(), b"the old record");
    assert_eq!(names_in(folder.path()), ["record.keyring"]);
}

#[tokio::test]
async fn p6_work_that_is_under_way_learns_that_its_call_has_ended() {
    let (go_on, wait) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let mut future = Box::pin(off_the_runtime(move |call| {
        tell.send(call.still_waits().is_ok()).unwrap();
        wait.recv().unwrap();
        tell.send(call.still_waits().is_ok()).unwrap();
        Ok(())
    }));
    assert!(poll!(&mut future).is_pending());
    assert!(told.recv().unwrap());
    drop(future);
    go_on.send(()).unwrap();
    assert!(!told.recv().unwrap());
}

#[test]
fn p2_a_write_that_fails_leaves_nothing_and_keeps_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.keyring");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("in the way"), "").unwrap();
    let (_waits, call) = call();
    let written = sealed_file::write(&path, SERVICE, &sealed(b"new"), &SECRET, &call);
    assert_eq!(written.unwrap_err().code(), ErrorCode::Internal);
    assert_eq!(names_in(folder.path()), ["record.keyring"]);
}

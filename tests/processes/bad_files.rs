//! The files over which processes meet cannot be used: one process alone works all the same.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{
    server::{Server, token},
    worker::{Home, Refresher, Worker},
};

/// A login, four windows' refused requests, a restart in between, and a sign-out.
fn everything_works(server: &Server, home: &Home, start: impl Fn() -> Worker) {
    let family = server.begin_family();
    let mut worker = start();
    let signed_in = worker.sign_in(family);
    assert_eq!(signed_in["persisted"], true, "{signed_in}");
    for number in 0..2 {
        let order = json!({ "op": "refused calls", "rejected": token(family, number) });
        assert_eq!(worker.call(&order), json!([token(family, number + 1)]));
    }
    drop(worker);
    let mut worker = start();
    assert_eq!(worker.fresh()["token"], token(family, 2));
    assert_eq!(worker.sign_out()["persisted"], true);
    drop(worker);
    assert_eq!(start().fresh()["token"], json!(null));
    assert_eq!(server.ended_families(), 0);
    for secret in ["t-", "r-"].map(|kind| format!("{kind}{family}-")) {
        assert!(!home.log().contains(&secret), "{}", home.log());
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| {
        if path.is_dir() {
            files_in(&path)
        } else {
            vec![path]
        }
    };
    entries.flat_map(of).collect()
}

type Spoil = fn(&Path);

#[test]
fn p1_p4_one_process_works_with_whatever_is_in_the_place_of_the_files() {
    let server = Server::start(false);
    let spoil: [(&str, Spoil); 3] = [
        ("read-only", |path| {
            fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
        }),
        ("damaged", |path| fs::write(path, [0xff; 700]).unwrap()),
        ("a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for (how, spoil) in spoil {
        for refresher in [Refresher::Page, Refresher::Rust] {
            let home = Home::new();
            let family = server.begin_family();
            let mut worker = home.start(&server, refresher);
            worker.sign_in(family);
            worker.instead_of(&token(family, 0));
            drop(worker);
            let files = files_in(&home.local_data());
            assert_eq!(files.len(), 4, "of writes and of refreshes: {files:?}");
            for file in files {
                spoil(&file);
            }
            let mut worker = home.start(&server, refresher);
            let given = worker.fresh();
            assert_eq!(given["token"], token(family, 1), "{how}: nothing is lost");
            drop(worker);
            everything_works(&server, &home, || home.start(&server, refresher));
        }
    }
}

#[test]
fn p1_p4_one_process_works_without_a_folder_for_the_files() {
    let server = Server::start(false);
    for refresher in [Refresher::Page, Refresher::Rust] {
        let home = Home::new();
        fs::create_dir_all(home.local_data()).unwrap();
        fs::write(home.local_data().join("secure-token"), "a file").unwrap();
        everything_works(&server, &home, || home.start(&server, refresher));
    }
}

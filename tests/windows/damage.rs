//! What is stored under our names, but not as we wrote it.

use serde_json::json;

use crate::{DEFAULT, app::App, code, long};

/// Every read says `corrupt` and changes nothing; a write or a clear goes on.
fn assert_corrupt_until_written(app: &App) {
    let everything = || {
        app.names()
            .into_iter()
            .map(|name| (app.stored(&name), name))
    };
    let before: Vec<_> = everything().collect();
    let mut worker = app.worker();
    for _ in 0..2 {
        assert_eq!(code(&worker.get(DEFAULT)), "corrupt");
        assert_eq!(worker.list(), json!([DEFAULT]));
    }
    assert!(everything().eq(before.iter().cloned()), "a read changed it");

    assert_eq!(worker.set(DEFAULT, "new"), json!({ "revision": 1 }));
    assert_eq!(worker.get(DEFAULT)["token"], "new");
    assert_eq!(app.names(), [DEFAULT]);

    for (bytes, name) in before {
        app.credential(&name).set_secret(&bytes).unwrap();
    }
    assert_eq!(worker.clear(DEFAULT), json!({ "revision": 2 }));
    assert!(app.names().is_empty());
}

#[test]
fn p1_what_another_program_wrote_under_our_name_is_corrupt_and_kept() {
    let app = App::new("not-ours");
    for bytes in [
        &b"theirs"[..],
        b"",
        b"{\"token\":\"x\"}",
        &[0xff; 2560],
        b"secure-token.v1.",
        b"secure-token.v99.YWJj",
        b"secure-token.chunks.v1.",
        b"secure-token.chunks.v1.0000000000000000.2.4000.00000000",
    ] {
        app.credential(DEFAULT).set_secret(bytes).unwrap();
        assert_corrupt_until_written(&app);
    }
}

#[test]
fn p1_a_piece_that_is_missing_or_altered_is_corrupt_and_kept() {
    let app = App::new("pieces");
    for index in [0, 2] {
        for damage in [None, Some(1), Some(0)] {
            let set = app.worker().set(DEFAULT, &long(5_000));
            assert!(set["revision"].is_u64());
            let name = format!("{DEFAULT}/0000000000000000.{index}");
            let piece = app.credential(&name);
            match damage {
                None => piece.delete_credential().unwrap(),
                Some(cut) => {
                    let mut bytes = app.stored(&name);
                    bytes[100] ^= 1;
                    piece.set_secret(&bytes[cut..]).unwrap();
                }
            }
            assert_corrupt_until_written(&app);
        }
    }
}

#[test]
fn a_piece_without_its_header_is_no_account_and_goes_with_the_next_write() {
    let app = App::new("orphan");
    let orphan = format!("{DEFAULT}/0000000000000009.0");
    app.credential(&orphan)
        .set_secret(b"of a dead generation")
        .unwrap();
    let mut worker = app.worker();
    assert!(worker.get(DEFAULT).is_null());
    assert_eq!(worker.list(), json!([]));
    assert_eq!(app.names(), [orphan]);
    assert_eq!(worker.set(DEFAULT, &long(5_000)), json!({ "revision": 1 }));
    assert_eq!(worker.get(DEFAULT)["token"], long(5_000));
    assert_eq!(app.names().len(), 4);
    let generations = app
        .names()
        .into_iter()
        .filter(|name| name.contains("0000000a."));
    assert_eq!(generations.count(), 3);
}

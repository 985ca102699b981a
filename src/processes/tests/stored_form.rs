//! The frozen forms: the names of the files and the line of a mark.

use serde_json::Value;

use super::*;
use crate::processes::{files::TokenHash, mark_line::Line};

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/process-files.json")).unwrap()
}

fn cases(name: &str) -> Vec<Value> {
    let fixture = fixture();
    let cases = fixture[name].as_array().unwrap();
    assert!(!cases.is_empty());
    cases.clone()
}

fn line(case: &Value) -> Line {
    let number = |name: &str| case[name].as_u64().unwrap();
    Line {
        turn: number("turn").try_into().unwrap(),
        mark: Mark {
            stamp: Stamp {
                change: number("change"),
                login: number("login"),
            },
            in_use: case["refreshToken"].as_str().map(|text| InUse {
                hash: TokenHash::of(&token(text)),
                since: number("since"),
            }),
        },
    }
}

#[test]
fn p7_the_names_of_the_files_are_frozen() {
    let app = App::new();
    for case in cases("names") {
        let account = account(case["account"].as_str().unwrap());
        for kind in ["lock", "mark"] {
            let path = app.file(&account, kind);
            let path = path.strip_prefix(app.0.path()).unwrap();
            let expected = PathBuf::from(case[kind].as_str().unwrap());
            assert_eq!(path, expected);
        }
    }
}

#[test]
fn p7_every_released_mark_is_still_read() {
    for case in cases("lines") {
        let stored = case["stored"].as_str().unwrap();
        let stored = format!("{stored:<255}\n");
        assert_eq!(Line::decode(stored.as_bytes()), Some(line(&case)));
        if case["current"].as_bool().unwrap() {
            assert_eq!(line(&case).encode(), stored);
        }
    }
}

#[test]
fn no_flipped_bit_and_no_truncation_passes_for_a_mark() {
    for case in cases("lines") {
        let stored = line(&case).encode();
        for length in 0..stored.len() {
            assert_eq!(Line::decode(&stored.as_bytes()[..length]), None);
        }
        for index in 0..stored.len() {
            for bit in 0..8 {
                let mut damaged = stored.as_bytes().to_vec();
                damaged[index] ^= 1 << bit;
                assert_eq!(Line::decode(&damaged), None);
            }
        }
    }
}

#[test]
fn the_turn_goes_on_after_the_last_number() {
    let line = |turn| Line {
        turn,
        mark: Mark::default(),
    };
    assert!(line(1).is_after(&line(0)));
    assert!(line(3).is_after(&line(0)));
    assert!(line(0).is_after(&line(255)));
    assert!(!line(0).is_after(&line(0)));
    assert!(!line(0).is_after(&line(1)));
    assert!(!line(255).is_after(&line(0)));
}

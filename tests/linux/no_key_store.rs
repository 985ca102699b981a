//! No key store at all: a bare window manager, WSL, a container.

use std::{fs, path::Path};

use crate::{DEFAULT, assert_every_call_fails, code, session::Session, worker::Worker};

const TOKEN: &str = "a-token-that-rests-nowhere";

/// The part of the token's Base64 that is the same wherever in a text the token begins.
const TOKEN_IN_BASE64: [&str; 3] = [
    "YS10b2tlbi10aGF0LXJlc3RzLW5vd2hlcm",
    "LXRva2VuLXRoYXQtcmVzdHMtbm93aGVyZ",
    "dG9rZW4tdGhhdC1yZXN0cy1ub3doZXJl",
];

#[derive(Debug, Clone, Copy)]
enum Place {
    /// A bus, and nobody on it that keeps secrets.
    BareWindowManager,
    /// The address of a bus that does not run.
    Wsl,
    /// Neither a bus nor a home.
    Container,
}

impl Place {
    fn env(self, session: &Session) -> Vec<(&'static str, String)> {
        let mut env = session.env();
        match self {
            Self::BareWindowManager => {}
            Self::Wsl => {
                env.retain(|(name, _)| *name != "DBUS_SESSION_BUS_ADDRESS");
                let nowhere = session.env().into_iter().find(|(name, _)| *name == "HOME");
                let nowhere = format!("unix:path={}/nowhere", nowhere.unwrap().1);
                env.push(("DBUS_SESSION_BUS_ADDRESS", nowhere));
            }
            Self::Container => env.retain(|(name, _)| *name == "PATH"),
        }
        env
    }
}

#[tokio::test]
async fn p1_p4_without_a_key_store_every_call_says_so_and_nothing_is_written() {
    for place in [Place::BareWindowManager, Place::Wsl, Place::Container] {
        let session = Session::without_keyring().await;
        let before = session.all_files();
        let program = std::env::current_exe().unwrap();
        let mut worker = Worker::spawn(&program, place.env(&session), 60_000);
        let set = worker.set(DEFAULT, TOKEN);
        assert_eq!(code(&set), "unavailable", "{place:?}: {set}");
        let message = set["message"].as_str().unwrap();
        let remedy = "install and start gnome-keyring, KWallet or KeePassXC";
        assert!(message.ends_with(remedy), "{place:?}: {message}");
        assert_every_call_fails(&mut worker, "unavailable");
        let info = worker.info();
        assert_eq!(info["state"], "unavailable");
        assert_eq!(info["persistent"], false);
        assert!(info["detail"].as_str().unwrap().ends_with(remedy));
        worker.kill();
        let mut after = session.all_files();
        // The lock and the mark by which the processes of the app agree: no token is in them.
        after.retain(|file| {
            file.parent()
                .is_none_or(|folder| !folder.ends_with("secure-token"))
        });
        assert_eq!(after, before, "{place:?}");
        assert_nowhere(&session);
    }
}

#[tokio::test]
async fn p4_a_store_that_goes_away_amid_a_session_leaves_no_token_behind() {
    let mut session = Session::unlocked().await;
    let mut worker = Worker::start(&session);
    worker.set(DEFAULT, TOKEN);
    session.kill_keyring();
    assert_eq!(code(&worker.set(DEFAULT, TOKEN)), "unavailable");
    assert_every_call_fails(&mut worker, "unavailable");
    assert_nowhere(&session);
}

fn assert_nowhere(session: &Session) {
    for path in session.all_files() {
        let content = fs::read(&path).unwrap();
        for text in TOKEN_IN_BASE64
            .into_iter()
            .chain([TOKEN, "secure-token.v1"])
        {
            assert!(!holds(&content, text), "{text} is in {}", path.display());
        }
        assert!(!holds(name(&path), TOKEN));
    }
}

fn holds(content: &[u8], text: &str) -> bool {
    content
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

fn name(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

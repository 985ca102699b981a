//! An app in a sandbox as Flatpak builds it (bubblewrap), with the real xdg-desktop-portal, whose secrets
//! the real gnome-keyring keeps. Only `flatpak` itself has no part in it.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    DEFAULT, code,
    session::{Session, until},
    worker::Worker,
};

/// What Flatpak tells portals of an app (flatpak-metadata(5)).
const INFO: &str = "[Application]
name=app.secure_token.Tests
runtime=runtime/org.gnome.Platform/x86_64/45
[Instance]
instance-id=1
";

struct Flatpak {
    folder: TempDir,
    portal: Vec<Child>,
}

impl Flatpak {
    async fn start(session: &Session) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("info"), INFO).unwrap();
        let run = |name: &str| {
            Command::new(format!("/usr/libexec/{name}"))
                .env_clear()
                .envs(session.env())
                .env("XDG_CURRENT_DESKTOP", "GNOME")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("a program of the package xdg-desktop-portal")
        };
        let mut portal = vec![run("xdg-permission-store")];
        let store = "org.freedesktop.impl.portal.PermissionStore";
        until(async || session.has_owner(store).await).await;
        portal.push(run("xdg-desktop-portal"));
        let desktop = "org.freedesktop.portal.Desktop";
        until(async || session.has_owner(desktop).await).await;
        Self { folder, portal }
    }

    fn start_app(&self, session: &Session) -> Worker {
        self.start_app_with_deadline(session, 60_000)
    }

    fn start_app_with_deadline(&self, session: &Session, milliseconds: u64) -> Worker {
        let data = self.data().display().to_string();
        let env = session.env().into_iter().chain([("XDG_DATA_HOME", data)]);
        let mut sandbox = Command::new("bwrap");
        sandbox.args(["--die-with-parent", "--dev", "/dev", "--proc", "/proc"]);
        for entry in fs::read_dir("/").unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
                sandbox.arg("--symlink");
                sandbox.args([&fs::read_link(&path).unwrap(), &path]);
            } else if path.is_dir() && !path.ends_with("dev") && !path.ends_with("proc") {
                sandbox.arg("--bind").args([&path, &path]);
            }
        }
        sandbox
            .arg("--ro-bind")
            .arg(self.folder.path().join("info"));
        sandbox.arg("/.flatpak-info");
        sandbox.arg(std::env::current_exe().unwrap());
        Worker::run(sandbox, env, milliseconds)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Flatpak {
    fn drop(&mut self) {
        for process in &mut self.portal {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

#[tokio::test]
async fn p1_p7_a_token_outlives_the_app_and_the_keyring_and_waits_for_the_unlock() {
    let mut session = Session::unlocked().await;
    let flatpak = Flatpak::start(&session).await;
    let mut app = flatpak.start_app(&session);
    assert_eq!(app.info()["store"], "Secret portal (Flatpak)");
    assert_eq!(app.get(DEFAULT), Value::Null);
    assert_eq!(app.set(DEFAULT, "kept"), json!({ "revision": 1 }));
    app.kill();
    assert_eq!(
        Session::files_in(&flatpak.data()).len(),
        4,
        "a record and its lock, and the lock and mark of its account"
    );

    // Nothing on this bus shows prompts, so that the portal gets none answered.
    session.restart_locked().await;
    let mut app = flatpak.start_app(&session);
    for answer in [
        app.get(DEFAULT),
        app.set(DEFAULT, "never stored"),
        app.list(),
    ] {
        assert_eq!(code(&answer), "locked", "{answer}");
    }
    session.unlock().await;
    assert_eq!(app.get(DEFAULT)["token"], "kept");
    assert_eq!(app.list(), json!([DEFAULT]));
    assert!(app.clear(DEFAULT)["revision"].is_u64());
    assert_eq!(app.get(DEFAULT), Value::Null);
}

// The prompter counts while the test waits for the app.
#[tokio::test(flavor = "multi_thread")]
async fn p6_a_prompt_of_the_keyring_behind_the_portal_that_nobody_answers_is_locked() {
    let mut session = Session::unlocked().await;
    let flatpak = Flatpak::start(&session).await;
    flatpak.start_app(&session).set(DEFAULT, "kept");
    session.restart_locked().await;
    let prompter = session.ignoring_prompter().await;
    let mut app = flatpak.start_app_with_deadline(&session, 3_000);
    assert_eq!(code(&app.get(DEFAULT)), "locked");
    assert_eq!(code(&app.get(DEFAULT)), "locked");
    assert_eq!(prompter.prompts_seen(), 1, "one prompt for both calls");
    // gnome-keyring waits for its prompt alone, and does not even end in order.
    session.kill_keyring();
    session.start_unlocked().await;
    assert_eq!(flatpak.start_app(&session).get(DEFAULT)["token"], "kept");
}

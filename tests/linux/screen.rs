//! A screen of its own for the dialogs of a provider, and the keys that a person presses there.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::session::{ends_with_this_process, until};

pub struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    pub fn start() -> Self {
        let mut server = ends_with_this_process("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x900x24"])
            .args(["-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb of the package xvfb");
        let mut number = String::new();
        let mut printed = BufReader::new(server.stdout.take().unwrap());
        printed.read_line(&mut number).unwrap();
        Self {
            server,
            display: format!(":{}", number.trim()),
        }
    }

    pub fn display(&self) -> &str {
        &self.display
    }

    /// Waits for the dialog and cancels it.
    pub async fn cancel(&self, dialog: &str) {
        until(async || self.is_shown(dialog)).await;
        // A dialog that has just appeared may not take keys yet.
        until(async || {
            self.press(dialog, &["key", "Escape"]);
            !self.is_shown(dialog)
        })
        .await;
    }

    /// Waits for the dialog and gives the password.
    pub async fn answer(&self, dialog: &str, password: &str) {
        until(async || self.is_shown(dialog)).await;
        until(async || {
            self.press(dialog, &["key", "ctrl+a"]);
            self.press(dialog, &["type", password]);
            self.press(dialog, &["key", "Return"]);
            !self.is_shown(dialog)
        })
        .await;
    }

    /// Waits for the dialog and presses the `keys` that agree to it.
    pub async fn agree(&self, dialog: &str, keys: &[&str]) {
        until(async || self.is_shown(dialog)).await;
        until(async || {
            self.press(dialog, &[&["key"], keys].concat());
            !self.is_shown(dialog)
        })
        .await;
    }

    /// How many dialogs with that title there are.
    pub fn count(&self, dialog: &str) -> usize {
        let title = format!("^{dialog}$");
        let found = self.xdotool(&["search", "--onlyvisible", "--name", &title]);
        found.lines().count()
    }

    fn is_shown(&self, dialog: &str) -> bool {
        self.window(dialog).is_some()
    }

    fn window(&self, dialog: &str) -> Option<String> {
        let title = format!("^{dialog}$");
        let found = self.xdotool(&["search", "--onlyvisible", "--name", &title]);
        found.lines().next().map(str::to_owned)
    }

    /// No window manager gives the dialog the focus.
    fn press(&self, dialog: &str, keys: &[&str]) {
        if let Some(window) = self.window(dialog) {
            self.xdotool(&[&["windowfocus", "--sync", &window], keys].concat());
        }
    }

    /// A window that has gone meanwhile is no failure: its answer is looked for by the caller.
    fn xdotool(&self, args: &[&str]) -> String {
        let answer = Command::new("xdotool")
            .args(args)
            .env("DISPLAY", &self.display)
            .output()
            .expect("xdotool of the package xdotool");
        String::from_utf8(answer.stdout).unwrap()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

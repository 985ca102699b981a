//! A stand-in for a Snap: the files and variables by which a program knows that it is in one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{
    session::{SERVICE, Session},
    worker::Worker,
};

pub struct Snap {
    /// On the disk of the test program, so that it can be linked into it.
    folder: TempDir,
    data: TempDir,
}

impl Snap {
    pub fn new() -> Self {
        let program = std::env::current_exe().unwrap();
        let folder = TempDir::new_in(program.parent().unwrap()).unwrap();
        fs::create_dir(folder.path().join("meta")).unwrap();
        let description = "name: tests\nconfinement: strict\n";
        fs::write(folder.path().join("meta/snap.yaml"), description).unwrap();
        fs::hard_link(program, folder.path().join("worker")).unwrap();
        Self {
            folder,
            data: TempDir::new().unwrap(),
        }
    }

    /// What the programs of the Snap see of it, and those that they start.
    pub fn env(&self) -> [(&'static str, String); 2] {
        [
            ("SNAP", self.folder.path().display().to_string()),
            ("SNAP_USER_COMMON", self.data.path().display().to_string()),
        ]
    }

    pub fn start(&self, session: &Session) -> Worker {
        self.start_with_deadline(session, 60_000)
    }

    pub fn start_with_deadline(&self, session: &Session, milliseconds: u64) -> Worker {
        let env = session.env().into_iter().chain(self.env());
        Worker::spawn(&self.folder.path().join("worker"), env, milliseconds)
    }

    /// Started with `folder` in the place of the variable that names the folder for its data.
    pub fn start_with_folder(
        &self,
        session: &Session,
        folder: Option<(&'static str, String)>,
    ) -> Worker {
        let [snap, _] = self.env();
        let env = session.env().into_iter().chain([snap]).chain(folder);
        Worker::spawn(&self.folder.path().join("worker"), env, 60_000)
    }

    /// All that the app may write.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The folder of the records, by its frozen name.
    pub fn records(&self) -> PathBuf {
        let service = format!("{:x}", Sha256::digest(SERVICE));
        self.data.path().join("secure-token").join(service)
    }

    /// The file of an account, by its frozen name.
    pub fn file(&self, account: &str) -> PathBuf {
        let account = format!("{:x}", Sha256::digest(account));
        self.records().join(format!("{account}.keyring"))
    }
}

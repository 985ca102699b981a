//! A file whose lock says which process of the app writes.
//!
//! The OS frees the lock when its process ends, however it ends. The file is empty and stays.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::Exclusive;
use crate::{Error, ErrorCode, Result};

/// The name of the file.
const NAME: &str = "secure-token.lock";

/// The lock of the app whose own folder holds the file.
pub(super) struct LockFile(PathBuf);

impl LockFile {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self(folder.join(NAME))
    }

    /// The lock; `None` while another process, or another call of this one, has it.
    pub(super) fn try_lock(&self) -> Result<Option<Exclusive>> {
        let file = self.open().map_err(|error| self.unusable(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Exclusive::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.unusable(&error)),
        }
    }

    /// Opened anew for each lock: one handle would share its lock with all calls of this process.
    fn open(&self) -> io::Result<File> {
        if let Some(folder) = self.0.parent() {
            fs::create_dir_all(folder)?;
        }
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.0)
    }

    fn unusable(&self, error: &io::Error) -> Error {
        let code = match error.kind() {
            io::ErrorKind::PermissionDenied => ErrorCode::Denied,
            // The disk is full, or something else is in the place of the folder: mended from outside.
            _ => ErrorCode::Unavailable,
        };
        let file = self.0.display();
        Error::new(
            code,
            format!("the lock file {file} cannot be used: {error}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("made with the first lock");
        let (one, other) = (LockFile::in_folder(&place), LockFile::in_folder(&place));
        let lock = one.try_lock().unwrap();
        assert!(lock.is_some());
        assert!(other.try_lock().unwrap().is_none());
        assert!(one.try_lock().unwrap().is_none());
        drop(lock);
        assert!(other.try_lock().unwrap().is_some());
    }

    #[test]
    fn p1_a_lock_file_that_cannot_be_made_is_unavailable_until_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("app");
        fs::write(&in_the_way, "a file where the folder should be").unwrap();
        let lock = LockFile::in_folder(&in_the_way);
        let error = lock.try_lock().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        assert!(error.message().contains(NAME), "{error}");
        fs::remove_file(&in_the_way).unwrap();
        assert!(lock.try_lock().unwrap().is_some());
    }

    #[test]
    fn a_folder_in_the_place_of_the_lock_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(NAME)).unwrap();
        assert!(LockFile::in_folder(folder.path()).try_lock().is_err());
    }
}

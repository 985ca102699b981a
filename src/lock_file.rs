//! A file whose lock only one process of the app has, and only one call of that process.
//!
//! The OS frees the lock when its process ends, however it ends. The file is empty and stays: if it were
//! removed, another process could still wait for the lock of the removed one.

use std::{
    fs::{File, TryLockError},
    path::PathBuf,
};

use crate::{
    error::Result,
    private_file::{self, is_busy, unusable},
};

/// Where such a file is.
#[derive(Debug, Clone)]
pub(crate) struct LockFile(PathBuf);

/// The lock; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Locked(File);

impl LockFile {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The lock; `None` while another process, or another call of this one, has it.
    ///
    /// # Errors
    ///
    /// As [`unusable`] says.
    pub(crate) fn try_lock(&self) -> Result<Option<Locked>> {
        // Opened anew for each lock: one handle would share its lock with all calls of this process.
        let file = match private_file::open(&self.0, File::options().write(true)) {
            Err(error) if is_busy(&error) => return Ok(None),
            opened => opened.map_err(|error| unusable(&self.0, &error))?,
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Locked(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(&self.0, &error)),
        }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // On Unix a program that another thread is just starting has a copy of the handle for a moment,
        // and the lock would last as long (flock(2)). If this fails, it ends with the handle all the same.
        if let Err(error) = self.0.unlock() {
            log::debug!("a lock ends with its file only: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn one_at_a_time_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made with the first lock/app.lock");
        let (one, other) = (LockFile::at(path.clone()), LockFile::at(path));
        let lock = one.try_lock().unwrap();
        assert!(lock.is_some());
        assert!(other.try_lock().unwrap().is_none());
        assert!(one.try_lock().unwrap().is_none());
        drop(lock);
        assert!(other.try_lock().unwrap().is_some());
    }

    #[test]
    fn the_lock_ends_even_if_a_program_that_is_being_started_has_a_copy_of_its_handle() {
        let folder = tempfile::tempdir().unwrap();
        let lock_file = LockFile::at(folder.path().join("app.lock"));
        let lock = lock_file.try_lock().unwrap().unwrap();
        let _copy = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(lock_file.try_lock().unwrap().is_some());
    }

    #[test]
    fn p1_a_lock_file_that_cannot_be_made_is_unavailable_until_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("app");
        fs::write(&in_the_way, "a file where the folder should be").unwrap();
        let lock = LockFile::at(in_the_way.join("app.lock"));
        let error = lock.try_lock().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        assert!(error.message().contains("app.lock"), "{error}");
        fs::remove_file(&in_the_way).unwrap();
        assert!(lock.try_lock().unwrap().is_some());
    }

    #[test]
    fn a_folder_in_the_place_of_the_lock_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.lock");
        fs::create_dir(&path).unwrap();
        let error = LockFile::at(path).try_lock().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
    }
}

//! One record in a file of its own, which is replaced as a whole.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{
    Call, fault,
    seal::{self, Sealed},
};
use crate::error::Result;

/// Written first; then it takes the place of the record's file.
const NEW: &str = ".new.keyring";

/// How the temporary files of oo7 begin, with which version 0.1 wrote.
const NEW_OF_OO7: &str = ".tmpkeyring";

/// More than two tokens of the greatest length have, all of whose characters JSON escapes.
const MAX_LEN: u64 = 32 * 1024 * 1024;

/// What is in the file, or `None` if there is none.
///
/// # Errors
///
/// As [`seal::open`].
pub(super) fn read(path: &Path, service: &str, secret: &[u8]) -> Result<Option<Sealed>> {
    match content(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault::of_file(&error)),
        Ok(content) => seal::open(&content, service, secret).map(Some),
    }
}

/// Writes the file anew, whatever it holds: whole or not at all. Called with the lock held.
pub(super) fn write(
    path: &Path,
    service: &str,
    sealed: &Sealed,
    secret: &[u8],
    call: &Call,
) -> Result<()> {
    let folder = folder_of(path)?;
    remove_left_over(folder)?;
    let content = seal::seal(sealed, service, secret)?;
    let new = folder.join(NEW);
    let written = write_new(&new, &content).and_then(|()| {
        call.still_waits()?;
        fs::rename(&new, path).map_err(|error| fault::of_file(&error))
    });
    match written {
        Ok(()) => sync(folder),
        // It has no place to go. What cannot be removed goes with the next write.
        Err(error) => remove_if_there(&new).and(Err(error)),
    }
}

/// Removes the file, and what a process left over that was killed while it wrote. Called with the
/// lock held.
pub(super) fn remove(path: &Path, call: &Call) -> Result<()> {
    let folder = folder_of(path)?;
    call.still_waits()?;
    remove_if_there(path)?;
    remove_left_over(folder)?;
    sync(folder)
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("there is something else in its place"));
    }
    // A file that is cut off here is refused as a damaged one.
    let mut content = Vec::new();
    File::open(path)?.take(MAX_LEN).read_to_end(&mut content)?;
    Ok(content)
}

fn write_new(path: &Path, content: &[u8]) -> Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|error| fault::of_file(&error))
}

fn remove_left_over(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|error| fault::of_file(&error))? {
        let entry = entry.map_err(|error| fault::of_file(&error))?;
        let name = entry.file_name();
        if name == NEW || name.as_encoded_bytes().starts_with(NEW_OF_OO7.as_bytes()) {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(fault::of_file(&error)),
        _ => Ok(()),
    }
}

/// Without this a power cut can undo what was renamed or removed (fsync(2)).
fn sync(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| fault::of_file(&error))
}

fn folder_of(path: &Path) -> Result<&Path> {
    path.parent()
        .ok_or_else(|| fault::of_file(&io::Error::from(ErrorKind::NotFound)))
}

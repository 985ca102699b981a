//! Small files of the plugin's own, which nobody but the user needs to open.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind},
    path::Path,
};

use crate::error::{Error, ErrorCode};

/// Opens the file at `path` as `options` say. What is missing is made, its folder included.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    refuse_special_file(path)?;
    options.create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    match (options.open(path), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == ErrorKind::NotFound => {
            make_folder(folder)?;
            options.open(path)
        }
        (opened, _) => opened,
    }
}

/// Opens the file at `path` for reading, if there is one.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    refuse_special_file(path)?;
    File::open(path)
}

/// A pipe would keep the call waiting, and a device never end.
fn refuse_special_file(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            Err(io::Error::other("there is something else in its place"))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Whether another program has the file for itself, as virus scanners of Windows do for a moment.
pub(crate) fn is_busy(error: &io::Error) -> bool {
    /// `winerror.h`
    const ERROR_SHARING_VIOLATION: i32 = 32;
    cfg!(windows) && error.raw_os_error() == Some(ERROR_SHARING_VIOLATION)
}

/// What it means to the caller that the file at `path` cannot be used: `denied` if the OS refuses it, or
/// `unavailable`, such as for a full disk or a folder in the place of the file.
pub(crate) fn unusable(path: &Path, error: &io::Error) -> Error {
    let code = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => ErrorCode::Denied,
        // Mended from outside.
        _ => ErrorCode::Unavailable,
    };
    let file = path.display();
    Error::new(
        code,
        format!(
            "the file {file} cannot be used: {error}; the user must be able to write it and its folder"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_os_refuses_is_denied_and_the_rest_is_unavailable() {
        for (kind, code) in [
            (ErrorKind::PermissionDenied, ErrorCode::Denied),
            (ErrorKind::ReadOnlyFilesystem, ErrorCode::Denied),
            (ErrorKind::StorageFull, ErrorCode::Unavailable),
            (ErrorKind::QuotaExceeded, ErrorCode::Unavailable),
            (ErrorKind::IsADirectory, ErrorCode::Unavailable),
        ] {
            let error = unusable(Path::new("app.lock"), &kind.into());
            assert_eq!(error.code(), code, "{kind}");
            assert!(error.message().contains("app.lock"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn p4_only_the_user_can_open_the_file_and_its_folder() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/app.lock");
        open(&path, File::options().write(true)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }

    #[cfg(unix)]
    #[test]
    fn p6_a_pipe_in_the_place_of_the_file_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.lock");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        assert!(open(&path, File::options().write(true)).is_err());
        assert!(open_to_read(&path).is_err());
    }
}

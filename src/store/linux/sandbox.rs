//! Whether the app is confined by Flatpak or Snap, and the folder for its data there.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::error::{Error, ErrorCode, Result};

/// What confines the app. Both keep programs from the Secret Service of the session and give them the
/// secret portal instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sandbox {
    Flatpak,
    Snap,
}

impl Sandbox {
    /// What confines this process, if anything.
    ///
    /// It must be the same at every start, or an app would look for its records in another store. So
    /// nothing counts that a process inherits from the one that has started it: neither
    /// `GTK_USE_PORTAL`, nor the control group or the variables of a Snap in whose terminal the app
    /// was started.
    pub(super) fn detect() -> Option<Self> {
        let snap = env::var_os("SNAP").map(PathBuf::from);
        let program = env::current_exe().ok();
        if is_flatpak(Path::new("/")) {
            Some(Self::Flatpak)
        } else if snap
            .zip(program)
            .is_some_and(|(snap, program)| is_confined_snap(&snap, &program))
        {
            Some(Self::Snap)
        } else {
            None
        }
    }

    /// The folder for the data of the app alone.
    pub(super) fn data_folder(self) -> Result<PathBuf> {
        let variable = match self {
            Self::Flatpak => "XDG_DATA_HOME",
            // Not SNAP_USER_DATA: it is copied for each revision of the Snap, and going back to an
            // earlier one would bring back records that were replaced or cleared since.
            Self::Snap => "SNAP_USER_COMMON",
        };
        let folder = env::var_os(variable).map(PathBuf::from);
        folder.filter(|path| path.is_absolute()).ok_or_else(|| {
            Error::new(
                ErrorCode::Unavailable,
                format!("{variable} does not name a folder for the data of the app"),
            )
        })
    }
}

/// Flatpak puts this file into the root of every sandbox (flatpak-metadata(5)).
fn is_flatpak(root: &Path) -> bool {
    root.join(".flatpak-info").exists()
}

/// Whether `program` belongs to the Snap in the folder `snap`, and the Snap is confined: one with the
/// confinement `classic` is not (snapcraft.yaml, "confinement"; `strict` where it says nothing).
fn is_confined_snap(snap: &Path, program: &Path) -> bool {
    snap.is_absolute()
        && program.starts_with(snap)
        && fs::read_to_string(snap.join("meta/snap.yaml")).is_ok_and(|description| {
            !description
                .lines()
                .filter_map(|line| line.strip_prefix("confinement:"))
                .any(|confinement| confinement.trim() == "classic")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snap(description: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        if let Some(description) = description {
            fs::create_dir(folder.path().join("meta")).unwrap();
            fs::write(folder.path().join("meta/snap.yaml"), description).unwrap();
        }
        folder
    }

    #[test]
    fn a_flatpak_is_known_by_the_file_in_its_root() {
        let root = tempfile::tempdir().unwrap();
        assert!(!is_flatpak(root.path()));
        fs::write(root.path().join(".flatpak-info"), "[Application]").unwrap();
        assert!(is_flatpak(root.path()));
    }

    #[test]
    fn a_snap_is_confined_unless_it_is_classic() {
        for (description, confined) in [
            (Some("name: app\nconfinement: strict\n"), true),
            (Some("name: app\nconfinement: devmode\n"), true),
            (Some("name: app\n"), true),
            (Some("name: app\nconfinement: classic\n"), false),
            (None, false),
        ] {
            let folder = snap(description);
            let program = folder.path().join("usr/bin/app");
            assert_eq!(is_confined_snap(folder.path(), &program), confined);
        }
    }

    #[test]
    fn p1_a_program_that_a_snap_has_started_is_not_of_that_snap() {
        let terminal = snap(Some("name: terminal\nconfinement: strict\n"));
        let program = Path::new("/usr/bin/app");
        assert!(!is_confined_snap(terminal.path(), program));
    }
}

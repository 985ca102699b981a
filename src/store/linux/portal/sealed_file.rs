//! One record in a file of its own: GNOME's keyring format with one item, by oo7.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, ErrorKind},
    path::Path,
};

use oo7::{
    CONTENT_TYPE_ATTRIBUTE, Secret,
    file::{Item, UnlockedKeyring},
};
use zeroize::Zeroizing;

use super::{fault, layout};
use crate::{Account, Error, Result};

/// Written first; then it takes the place of the record's file.
const NEW: &str = ".new.keyring";

/// How the names of oo7's own temporary files begin.
const NEW_OF_OO7: &str = ".tmpkeyring";

/// What a file holds.
pub(super) struct Sealed {
    pub(super) account: Account,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// What is in the file, or `None` where there is none.
///
/// # Errors
///
/// - `lost`: the file was sealed with another secret, or what is sealed was altered.
/// - `corrupt`: it is not a file that was written here.
pub(super) fn read(path: &Path, service: &str, secret: &Secret) -> Result<Option<Sealed>> {
    let content = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        content => content.map_err(|error| fault::of_file(&error))?,
    };
    if !layout::is_one_sealed_item(&content) {
        return Err(damaged());
    }
    let items = wait(async {
        let keyring = UnlockedKeyring::load(path, secret.clone()).await?;
        keyring.items().await
    })?;
    let mut items = items.into_iter();
    match (items.next(), items.next()) {
        // It was removed since it was looked at.
        (None, _) => Ok(None),
        (Some(Ok(Item::Unlocked(item))), None) => {
            let account = account_of(item.attributes(), service).ok_or_else(damaged)?;
            let bytes = Zeroizing::new(item.secret().as_bytes().to_vec());
            Ok(Some(Sealed { account, bytes }))
        }
        _ => Err(damaged()),
    }
}

/// Writes the file anew, whatever it holds: whole or not at all. Called with the lock held.
pub(super) fn write(path: &Path, service: &str, sealed: &Sealed, secret: &Secret) -> Result<()> {
    let folder = folder_of(path)?;
    remove_left_over(folder)?;
    let new = folder.join(NEW);
    let label = format!("{service} ({})", sealed.account);
    let attributes = [("service", service), ("username", sealed.account.as_str())];
    wait(async {
        let keyring = UnlockedKeyring::load(&new, secret.clone()).await?;
        let record = Secret::blob(&*sealed.bytes);
        keyring
            .create_item(&label, &attributes, record, false)
            .await
    })?;
    fs::rename(&new, path).map_err(|error| fault::of_file(&error))?;
    sync(folder)
}

/// Removes the file, and what a process left over that was killed while it wrote. Called with the
/// lock held.
pub(super) fn remove(path: &Path) -> Result<()> {
    let folder = folder_of(path)?;
    remove_if_there(path)?;
    remove_left_over(folder)?;
    sync(folder)
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

/// The account of an item with exactly our attributes.
fn account_of(attributes: &HashMap<String, String>, service: &str) -> Option<Account> {
    let account = Account::new(attributes.get("username")?).ok()?;
    let known = ["service", "username", CONTENT_TYPE_ATTRIBUTE];
    let is_ours = attributes.get("service").is_some_and(|has| has == service)
        && attributes.keys().all(|name| known.contains(&name.as_str()));
    is_ours.then_some(account)
}

fn damaged() -> Error {
    Error::corrupt("the keyring file is damaged or was not written by this plugin")
}

fn wait<T>(work: impl Future<Output = Result<T, oo7::file::Error>>) -> Result<T> {
    zbus::block_on(work).map_err(|error| fault::of_keyring(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    const SERVICE: &str = "app.secure-token.tests";

    fn secret(byte: u8) -> Secret {
        Secret::blob([byte; 64])
    }

    fn written(folder: &tempfile::TempDir) -> std::path::PathBuf {
        let path = folder.path().join("record.keyring");
        let sealed = Sealed {
            account: Account::default(),
            bytes: Zeroizing::new(b"a record".to_vec()),
        };
        write(&path, SERVICE, &sealed, &secret(1)).unwrap();
        path
    }

    fn code(path: &Path) -> Option<ErrorCode> {
        read(path, SERVICE, &secret(1))
            .err()
            .map(|error| error.code())
    }

    #[test]
    fn p1_a_file_that_was_cut_or_altered_anywhere_is_an_error_and_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder);
        let whole = fs::read(&path).unwrap();
        assert_eq!(code(&path), None);
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(code(&path), Some(ErrorCode::Corrupt), "cut to {length}");
            assert_eq!(fs::read(&path).unwrap(), whole[..length]);
        }
        // The header, the sizes, the salt, the sealed bytes, and what says where each of them ends.
        for position in [
            0,
            16,
            18,
            22,
            54,
            75,
            200,
            whole.len() - 40,
            whole.len() - 1,
        ] {
            let mut altered = whole.clone();
            altered[position] ^= 0xff;
            fs::write(&path, &altered).unwrap();
            let code = code(&path);
            assert!(
                matches!(code, Some(ErrorCode::Corrupt | ErrorCode::Lost)),
                "{code:?} where byte {position} was altered"
            );
        }
    }

    /// A container of GVariant that is shorter than 256 bytes or not, and says where its first part ends.
    fn framed(mut parts: Vec<u8>, end: usize) -> Vec<u8> {
        let width = if parts.len() < 0xff { 1 } else { 2 };
        parts.extend_from_slice(&end.to_le_bytes()[..width]);
        parts
    }

    #[test]
    fn p1_p6_a_file_over_which_oo7_would_panic_or_work_for_hours_is_corrupt() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder);
        let whole = fs::read(&path).unwrap();

        let mut many_rounds = whole.clone();
        many_rounds[54..58].copy_from_slice(&u32::MAX.to_le_bytes());
        fs::write(&path, many_rounds).unwrap();
        assert_eq!(code(&path), Some(ErrorCode::Corrupt));

        // The three containers end with two bytes each that say where a part of them ends.
        let (content, end) = (&whole[18..], whole.len() - 18);
        let item = &content[52..end - 4];
        let attributes_end =
            usize::from(item[item.len() - 2]) + 256 * usize::from(item[item.len() - 1]);
        let too_short = [&item[..attributes_end], &[0; 8]].concat();
        let item = framed(too_short, attributes_end);
        let items = framed(item.clone(), item.len());
        let fields = framed([&content[..52], &items].concat(), 36);
        fs::write(&path, [&whole[..18], &fields].concat()).unwrap();
        assert_eq!(code(&path), Some(ErrorCode::Corrupt));
    }

    #[test]
    fn p1_a_file_of_another_secret_is_lost_and_of_another_service_is_corrupt() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder);
        let answer = read(&path, SERVICE, &secret(2)).err().unwrap();
        assert_eq!(answer.code(), ErrorCode::Lost);
        let answer = read(&path, "app.other", &secret(1)).err().unwrap();
        assert_eq!(answer.code(), ErrorCode::Corrupt);
    }
}

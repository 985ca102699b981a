//! Flatpak and Snap: one file per account, sealed with the secret that the secret portal keeps for the app.
//!
//! `secure-token/SERVICE/ACCOUNT.keyring` in the app's folder for data, where SERVICE and ACCOUNT are the
//! SHA-256 of those names in hexadecimal digits. Every account has a file of its own, so that one that
//! cannot be read keeps neither another account from being read nor its own from being written again.
//!
//! The future of a call is dropped at its deadline. A write or a removal that has not yet begun to change
//! the record's file then never changes it: this is checked once more when the new file is on the disk,
//! right before it takes the place of the old one. From there on only the folder remains to be synced, and
//! every read finds the new record already.

mod fault;
mod gvariant;
mod layout;
mod master_secret;
mod seal;
mod sealed_file;

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use self::{master_secret::MasterSecret, seal::Sealed};
use super::sandbox::Sandbox;
use crate::{
    error::{Error, ErrorCode, Result},
    store::{Item, Prompts, SecretStore, StoreInfo, StoreState},
    token::Account,
};

const EXTENSION: &str = "keyring";

/// Held by the process that writes.
const LOCK: &str = ".lock";

/// The records of a confined app.
pub(super) struct SecretPortal {
    service: String,
    sandbox: Sandbox,
    master: MasterSecret,
}

impl SecretPortal {
    pub(super) fn new(service: &str, sandbox: Sandbox) -> Self {
        Self {
            service: service.into(),
            sandbox,
            master: MasterSecret::default(),
        }
    }

    fn folder(&self) -> Result<PathBuf> {
        let data = self.sandbox.data_folder()?;
        Ok(data.join("secure-token").join(hashed(&self.service)))
    }

    /// The result of `read` with the app's secret. The secret is asked for again if the known one does not
    /// fit, since the portal has another one once the keyring of the session was replaced.
    async fn with_secret<T: Send + 'static>(
        &self,
        prompts: &Prompts,
        read: impl Fn(&[u8]) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        loop {
            let given = self.master.get(prompts).await?;
            let (read, secret) = (read.clone(), given.secret.clone());
            match off_the_runtime(move |_| read(&secret)).await {
                Err(error) if error.code() == ErrorCode::Lost && given.was_known => {
                    self.master.forget(&given.secret);
                }
                result => return result,
            }
        }
    }
}

#[async_trait]
impl SecretStore for SecretPortal {
    async fn get(&self, item: &Item, prompts: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let path = self.folder()?.join(file_name(&item.account));
        let (service, account) = (self.service.clone(), item.account.clone());
        self.with_secret(prompts, move |secret| {
            let sealed = sealed_file::read(&path, &service, secret)?;
            match sealed {
                Some(sealed) if sealed.account != account => Err(Error::corrupt(
                    "the file of the record holds that of another account",
                )),
                sealed => Ok(sealed.map(|sealed| sealed.bytes)),
            }
        })
        .await
    }

    async fn set(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> Result<()> {
        let secret = self.master.get(prompts).await?.secret;
        let folder = self.folder()?;
        let sealed = Sealed {
            account: item.account.clone(),
            bytes: Zeroizing::new(bytes.to_vec()),
        };
        let service = self.service.clone();
        let locked = folder.clone();
        let lock = off_the_runtime(move |_| {
            make_folder(&locked)?;
            open_lock(&locked).map_err(|error| fault::of_file(&error))
        });
        let lock = taken(lock.await?).await?;
        off_the_runtime(move |call| {
            let path = folder.join(file_name(&sealed.account));
            let written = sealed_file::write(&path, &service, &sealed, &secret, call);
            drop(lock);
            written
        })
        .await
    }

    /// Needs no secret, so that a logout removes the record even where the portal does not answer.
    async fn delete(&self, item: &Item, _prompts: &Prompts) -> Result<()> {
        let folder = self.folder()?;
        let path = folder.join(file_name(&item.account));
        let lock = off_the_runtime(move |_| match open_lock(&folder) {
            // Without its folder there is no record.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            lock => lock.map(Some).map_err(|error| fault::of_file(&error)),
        });
        let Some(lock) = lock.await? else {
            return Ok(());
        };
        let lock = taken(lock).await?;
        off_the_runtime(move |call| {
            let removed = sealed_file::remove(&path, call);
            drop(lock);
            removed
        })
        .await
    }

    async fn list(&self, prompts: &Prompts) -> Result<Vec<Item>> {
        let (folder, service) = (self.folder()?, self.service.clone());
        self.with_secret(prompts, move |secret| {
            let mut items = Vec::new();
            for path in record_files(&folder)? {
                if let Some(sealed) = sealed_file::read(&path, &service, secret)? {
                    items.push(Item::of(&sealed.account));
                }
            }
            Ok(items)
        })
        .await
    }

    async fn info(&self) -> StoreInfo {
        let problem = match self.folder() {
            Ok(_) => self.master.look().await.err(),
            Err(error) => Some(error),
        };
        StoreInfo {
            store: match self.sandbox {
                Sandbox::Flatpak => "Secret portal (Flatpak)".into(),
                Sandbox::Snap => "Secret portal (Snap)".into(),
            },
            persistent: true,
            durable: true,
            hardware: false,
            state: match problem {
                None => StoreState::Available,
                Some(_) => StoreState::Unavailable,
            },
            detail: problem.map_or_else(
                || "whether the keyring behind the portal is locked shows when it is used".into(),
                |error| error.message().into(),
            ),
        }
    }
}

fn hashed(name: &str) -> String {
    format!("{:x}", Sha256::digest(name))
}

fn file_name(account: &Account) -> String {
    format!("{}.{EXTENSION}", hashed(account.as_str()))
}

/// The files that hold a record, and no others.
fn record_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| fault::of_file(&error))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| fault::of_file(&error))?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension().is_some_and(|has| has == EXTENSION) {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(folder)
        .map_err(|error| fault::of_file(&error))
}

fn open_lock(folder: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).write(true).truncate(false).mode(0o600);
    options.open(folder.join(LOCK))
}

/// Waits until no other process, and no other call of this one, writes.
async fn taken(lock: File) -> Result<File> {
    const PAUSE: Duration = Duration::from_millis(5);
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(fault::of_file(&error)),
        }
    }
}

/// The call that a piece of work belongs to, which ends before its work when its future is dropped.
struct Call(Weak<()>);

impl Call {
    fn still_waits(&self) -> Result<()> {
        match self.0.strong_count() {
            0 => Err(fault::abandoned()),
            _ => Ok(()),
        }
    }
}

/// Keys are derived and files are synced here: both take too long for a worker of the runtime.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce(&Call) -> Result<T> + Send + 'static,
) -> Result<T> {
    let waits = Arc::new(());
    let call = Call(Arc::downgrade(&waits));
    let result = tauri::async_runtime::spawn_blocking(move || work(&call)).await;
    drop(waits);
    result.unwrap_or_else(|_| Err(Error::internal("the work on the keyring file was stopped")))
}

#[cfg(test)]
mod tests;

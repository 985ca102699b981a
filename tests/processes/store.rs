//! A stand-in for the key store of a desktop: a folder that all processes share, one file per account, each
//! replaced in one step.

use std::{
    fs,
    io::ErrorKind,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use tauri_plugin_secure_token::{
    Account, Error, ErrorCode, Result,
    store::{Item, Prompts, SecretStore, StoreInfo, StoreState, Zeroizing, async_trait},
};

pub struct FileStore {
    folder: PathBuf,
    writes: AtomicU32,
}

fn failed(error: &std::io::Error) -> Error {
    Error::new(ErrorCode::Unavailable, error.to_string())
}

impl FileStore {
    pub fn in_folder(folder: PathBuf) -> Self {
        fs::create_dir_all(&folder).unwrap();
        let writes = AtomicU32::new(0);
        Self { folder, writes }
    }

    fn path(&self, item: &Item) -> PathBuf {
        assert!(
            item.chunk.is_none(),
            "a store without a limit has no chunks"
        );
        self.folder
            .join(format!("{:?}.item", item.account.as_str()))
    }
}

#[async_trait]
impl SecretStore for FileStore {
    async fn get(&self, item: &Item, _: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        match fs::read(self.path(item)) {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn set(&self, item: &Item, bytes: &[u8], _: &Prompts) -> Result<()> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}.{number}.new", std::process::id());
        let new = self.folder.join(name);
        fs::write(&new, bytes)
            .and_then(|()| fs::rename(&new, self.path(item)))
            .map_err(|error| failed(&error))
    }

    async fn delete(&self, item: &Item, _: &Prompts) -> Result<()> {
        match fs::remove_file(self.path(item)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&error)),
            _ => Ok(()),
        }
    }

    async fn list(&self, _: &Prompts) -> Result<Vec<Item>> {
        let account = Account::default();
        let item = Item::of(&account);
        Ok(Vec::from_iter(self.path(&item).exists().then_some(item)))
    }

    async fn info(&self) -> StoreInfo {
        StoreInfo::new("files of a test", StoreState::Available)
    }
}

//! The two files of an account: an empty one whose lock is that of the account, and its mark.
//!
//! Windows lets nobody else read a file that is locked, and the stamp is read without the lock.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sha2::{Digest, Sha256, digest::Output};
use tokio::time::{sleep, timeout};

use super::{
    InUse, Mark, Stamp,
    mark_file::{self, MarkFile},
};
use crate::{
    error::{Error, ErrorCode, Result},
    lock_file::{LockFile, Locked},
    private_file::{is_busy, unusable},
    token::{Account, Token},
};

/// The folder of these files in the app's local data folder.
const FOLDER: &str = "secure-token";

/// The folder in that one for the locks of refreshes.
const REFRESHES: &str = "refreshes";

/// Hashed before the account, so that the hash is of use for nothing else.
const NAME_CONTEXT: &str = "secure-token account ";

/// How long a call waits between two tries of the lock: a write of another process takes a few milliseconds,
/// a refresh some hundred.
const FIRST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(25);

/// The files of all accounts of one app.
#[derive(Clone)]
pub(super) struct AccountFiles {
    folder: Arc<Path>,
}

impl AccountFiles {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.join(FOLDER).into(),
        }
    }

    /// Other files of the same accounts, whose locks are their own.
    pub(super) fn of_refreshes(&self) -> Self {
        Self {
            folder: self.folder.join(REFRESHES).into(),
        }
    }

    pub(super) async fn lock(&self, account: &Account, limit: Duration) -> Result<HeldFiles> {
        let lock = LockFile::at(self.path(account, "lock"));
        let mark = Arc::<Path>::from(self.path(account, "mark"));
        let locked = async {
            let mut wait = FIRST_WAIT;
            loop {
                let (lock, mark) = (lock.clone(), mark.clone());
                // A slow disk must not hold a thread of the runtime. What this returns after the deadline is
                // dropped, and the lock with it.
                let tried = tokio::task::spawn_blocking(move || try_hold(&lock, &mark));
                let tried = tried
                    .await
                    .map_err(|_| Error::internal("the task that locks the account has stopped"))?;
                if let Some(held) = tried? {
                    return Ok(held);
                }
                sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        };
        timeout(limit, locked).await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorCode::Timeout,
                "another process of the app, or another call, did not finish with the account in time",
            ))
        })
    }

    pub(super) fn mark(&self, account: &Account) -> Option<Mark> {
        mark_file::read(&self.path(account, "mark"))
    }

    /// A name of 64 hexadecimal digits: safe on every file system, also one that takes no notice of case, and
    /// no longer for a long account.
    pub(super) fn path(&self, account: &Account, kind: &str) -> PathBuf {
        let hash = Sha256::new()
            .chain_update(NAME_CONTEXT)
            .chain_update(account.as_str())
            .finalize();
        self.folder.join(format!("{hash:x}.{kind}"))
    }
}

fn try_hold(lock: &LockFile, mark: &Arc<Path>) -> Result<Option<HeldFiles>> {
    let Some(lock) = lock.try_lock()? else {
        return Ok(None);
    };
    let (file, mark) = match MarkFile::open(mark.clone()) {
        Err(error) if is_busy(&error) => return Ok(None),
        opened => opened.map_err(|error| unusable(mark, &error))?,
    };
    let mark = mark.unwrap_or_else(|damaged| {
        log::warn!("{damaged}; the next change of the account writes it anew");
        Mark {
            stamp: Stamp {
                change: after(0),
                login: after(0),
            },
            in_use: None,
        }
    });
    Ok(Some(HeldFiles {
        mark,
        file,
        _lock: lock,
    }))
}

/// The files of one account, with its lock.
pub(super) struct HeldFiles {
    mark: Mark,
    pub(super) file: MarkFile,
    _lock: Locked,
}

impl HeldFiles {
    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }

    pub(super) fn committed(&mut self, new_login: bool) -> Result<()> {
        let mut mark = self.mark.clone();
        mark.stamp.change = after(mark.stamp.change);
        if new_login {
            mark.stamp.login = after(mark.stamp.login);
        }
        self.write(mark)
    }

    pub(super) fn begin_use(&mut self, refresh_token: &Token) -> Result<()> {
        let in_use = InUse {
            hash: TokenHash::of(refresh_token),
            since: since_epoch().as_millis().try_into().unwrap_or(u64::MAX),
        };
        self.write(Mark {
            in_use: Some(in_use),
            ..self.mark
        })
    }

    pub(super) fn end_use(&mut self) -> Result<()> {
        self.write(Mark {
            in_use: None,
            ..self.mark
        })
    }

    fn write(&mut self, mark: Mark) -> Result<()> {
        self.file.write(&mark)?;
        self.mark = mark;
        Ok(())
    }
}

/// A number for a stamp that had `number`: a greater one, and at least the time in microseconds. So the
/// stamps of a file that was removed or damaged are not used a second time.
fn after(number: u64) -> u64 {
    let now = since_epoch().as_micros().try_into().unwrap_or(0);
    number.wrapping_add(1).max(now)
}

/// A clock before 1970 does no harm: the numbers then grow from where they are.
fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// The SHA-256 of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenHash(pub(super) [u8; 32]);

impl TokenHash {
    pub(super) fn of(token: &Token) -> Self {
        Self(Sha256::digest(token.expose()).into())
    }

    pub(super) fn to_hexadecimal(&self) -> String {
        format!("{:x}", Output::<Sha256>::from(self.0))
    }

    pub(super) fn is_of(&self, token: &Token) -> bool {
        *self == Self::of(token)
    }
}

//! Seals a record into the bytes of a keyring file, and opens it again.
//!
//! The key is derived from the secret of the portal and the salt of the file (PBKDF2 with HMAC-SHA-256,
//! RFC 8018). With it the content is encrypted (AES-128 in CBC mode with the padding of PKCS #7), and then
//! authenticated together with its initialisation vector (HMAC-SHA-256). That one key does both is how the
//! format was made. Every write has a new salt, and so a new key.

use std::time::{SystemTime, UNIX_EPOCH};

use aes::Aes128;
use cbc::{
    Decryptor, Encryptor,
    cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit, block_padding::Pkcs7},
};
use hmac::{Hmac, Mac};
use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    fault,
    layout::{BLOCK_LEN, Content, File, MAC_LEN, ROUNDS, SALT_LEN},
};
use crate::{
    error::{Error, Result},
    token::Account,
};

const KEY_LEN: usize = 16;

/// What a file holds.
pub(super) struct Sealed {
    pub(super) account: Account,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// The bytes of a file that holds `sealed`.
pub(super) fn seal(sealed: &Sealed, service: &str, secret: &[u8]) -> Result<Vec<u8>> {
    let salt = random()?;
    let content = Content {
        service,
        account: sealed.account.as_str(),
        record: &sealed.bytes,
    };
    // A clock before 1970 does no harm: nobody reads the time.
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    Key::derive(secret, &salt).seal(&content, &salt, now)
}

/// What is sealed in the bytes of a file.
///
/// # Errors
///
/// - `lost`: the file was sealed with another secret, or what is sealed was altered.
/// - `corrupt`: it is not a file of `service` that was written here.
pub(super) fn open(file: &[u8], service: &str, secret: &[u8]) -> Result<Sealed> {
    let file = File::decode(file).ok_or_else(fault::damaged)?;
    Key::derive(secret, file.salt).open(&file, service)
}

/// The key of one file.
pub(super) struct Key(Zeroizing<[u8; KEY_LEN]>);

impl Key {
    pub(super) fn derive(secret: &[u8], salt: &[u8; SALT_LEN]) -> Self {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        pbkdf2_hmac::<Sha256>(secret, salt, ROUNDS, &mut *key);
        Self(key)
    }

    pub(super) fn seal(
        &self,
        content: &Content,
        salt: &[u8; SALT_LEN],
        now: u64,
    ) -> Result<Vec<u8>> {
        let iv: [u8; BLOCK_LEN] = random()?;
        let mut bytes = content.encode(now).ok_or_else(not_sealed)?;
        let length = bytes.len();
        bytes.resize(length + BLOCK_LEN, 0);
        let encryptor = Encryptor::<Aes128>::new((&*self.0).into(), (&iv).into());
        let encrypted = encryptor.encrypt_padded_mut::<Pkcs7>(&mut bytes, length);
        let length = encrypted.map_err(|_| not_sealed())?.len();
        bytes.truncate(length);
        bytes.extend_from_slice(&iv);
        let mac = self.mac(&bytes)?;
        bytes.extend_from_slice(&mac.finalize().into_bytes());

        let mut attribute_macs = [[0; MAC_LEN]; 3];
        for (mac, value) in attribute_macs.iter_mut().zip(content.attributes()) {
            *mac = self.mac(value.as_bytes())?.finalize().into_bytes().into();
        }
        let file = File {
            salt,
            attribute_macs: attribute_macs.each_ref(),
            sealed: &bytes,
        };
        Ok(file.encode(now))
    }

    pub(super) fn open(&self, file: &File, service: &str) -> Result<Sealed> {
        let sealed = file.sealed.split_last_chunk::<MAC_LEN>();
        let (authentic, mac) = sealed.ok_or_else(fault::damaged)?;
        self.verify(authentic, mac)?;
        let authentic = authentic.split_last_chunk::<BLOCK_LEN>();
        let (encrypted, iv) = authentic.ok_or_else(fault::damaged)?;
        let mut bytes = Zeroizing::new(encrypted.to_vec());
        let decryptor = Decryptor::<Aes128>::new((&*self.0).into(), iv.into());
        let decrypted = decryptor.decrypt_padded_mut::<Pkcs7>(&mut bytes);
        let content = decrypted.ok().and_then(Content::decode);
        let content = content.ok_or_else(fault::damaged)?;
        for (value, mac) in content.attributes().into_iter().zip(file.attribute_macs) {
            self.verify(value.as_bytes(), mac)?;
        }
        if content.service != service {
            return Err(fault::damaged());
        }
        Ok(Sealed {
            account: Account::at_rest(content.account).map_err(|_| fault::damaged())?,
            bytes: Zeroizing::new(content.record.to_vec()),
        })
    }

    /// Compares in constant time.
    fn verify(&self, bytes: &[u8], mac: &[u8]) -> Result<()> {
        let verified = self.mac(bytes)?.verify_slice(mac);
        verified.map_err(|_| fault::lost())
    }

    fn mac(&self, bytes: &[u8]) -> Result<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(&*self.0);
        let mac = mac.map_err(|_| Error::internal("the key of the record has a wrong length"))?;
        Ok(mac.chain_update(bytes))
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(format!("the system gives no random numbers: {error}")))?;
    Ok(bytes)
}

fn not_sealed() -> Error {
    Error::internal("the record could not be sealed")
}

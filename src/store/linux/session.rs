//! The session with the Secret Service: secrets cross the bus encrypted, or not at all.
//!
//! `dh-ietf1024-sha256-aes128-cbc-pkcs7` of the Secret Service API (0.2, "Transfer of Secrets"). A session whose
//! transfers are plain is never opened.

use aes::Aes128;
use cbc::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit, block_padding::Pkcs7};
use crypto_bigint::{
    U256, U1024, impl_modulus,
    modular::{ConstMontyForm, ConstMontyParams},
};
use dbus::{Message, Path, arg::Variant};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    bus::{Bus, BusFault, Method, read},
    connection::SERVICE,
    fault::Fault,
};

const ALGORITHM: &str = "dh-ietf1024-sha256-aes128-cbc-pkcs7";

const KEY_LEN: usize = 16;
const BLOCK_LEN: usize = 16;

/// How the Secret Service writes down numbers of the group.
const NUMBER_LEN: usize = 128;

/// A session whose key the provider might get wrong is given up in 1 of 256 cases: this many in a row are not
/// chance.
const ATTEMPTS: usize = 8;

// The Second Oakley Group (RFC 2409, section 6.2), whose generator is 2.
impl_modulus!(
    Prime,
    U1024,
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
     020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
     4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
     ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff"
);

type Number = ConstMontyForm<Prime, { U1024::LIMBS }>;
type Encryptor = cbc::Encryptor<Aes128>;
type Decryptor = cbc::Decryptor<Aes128>;

/// A secret as it crosses the bus.
pub(super) struct Encrypted<'a> {
    session: &'a Path<'static>,
    iv: [u8; BLOCK_LEN],
    bytes: Vec<u8>,
}

impl Encrypted<'_> {
    /// As the argument of a call: session, initialisation vector, encrypted bytes, content type.
    pub(super) fn as_argument(&self) -> (&Path<'static>, &[u8], &[u8], &str) {
        (
            self.session,
            &self.iv,
            &self.bytes,
            "application/octet-stream",
        )
    }
}

/// A session with a provider.
pub(super) struct Session {
    path: Path<'static>,
    key: Zeroizing<[u8; KEY_LEN]>,
}

impl Session {
    /// Opens a session with the program that owns the bus name `provider`, and returns its unique name too.
    pub(super) async fn open(
        bus: &Bus,
        provider: &str,
        service: &Path<'static>,
    ) -> Result<(Self, String), Fault> {
        let owner = greet(bus, provider, service).await?;
        for _ in 0..ATTEMPTS {
            let ours = KeyPair::generate()?;
            let method = Method {
                // A provider that has taken the place of the one that was greeted has not been greeted.
                destination: &owner,
                path: service,
                interface: SERVICE,
                name: "OpenSession",
            };
            let reply = bus
                .call(method, (ALGORITHM, Variant(&ours.public[..])))
                .message()
                .await?;
            let (theirs, path) = their_part(&reply)?;
            if let Some(key) = ours.agree_with(&theirs)? {
                return Ok((Self { path, key }, owner));
            }
            let method = Method {
                destination: &owner,
                path: &path,
                interface: "org.freedesktop.Secret.Session",
                name: "Close",
            };
            let () = bus.call(method, ()).read().await?;
        }
        Err(Fault::bad_key())
    }

    pub(super) fn path(&self) -> &Path<'static> {
        &self.path
    }

    pub(super) fn encrypt(&self, bytes: &[u8]) -> Result<Encrypted<'_>, Fault> {
        let mut iv = [0; BLOCK_LEN];
        getrandom::fill(&mut iv).map_err(|_| Fault::no_randomness())?;
        let bytes =
            Encryptor::new((&*self.key).into(), &iv.into()).encrypt_padded_vec_mut::<Pkcs7>(bytes);
        let session = &self.path;
        Ok(Encrypted { session, iv, bytes })
    }

    /// The secret that `reply` holds.
    pub(super) fn decrypt(&self, reply: &Message) -> Result<Zeroizing<Vec<u8>>, Fault> {
        type Borrowed<'a> = (Path<'a>, &'a [u8], &'a [u8], &'a str);
        let (session, iv, encrypted, _content_type): Borrowed<'_> =
            reply.get1().ok_or_else(Fault::undecipherable)?;
        let decryptor =
            Decryptor::new_from_slices(&*self.key, iv).map_err(|_| Fault::undecipherable())?;
        if session != self.path {
            return Err(Fault::undecipherable());
        }
        let mut bytes = Zeroizing::new(encrypted.to_vec());
        let length = decryptor
            .decrypt_padded_mut::<Pkcs7>(bytes.as_mut_slice())
            .map_err(|_| Fault::undecipherable())?
            .len();
        bytes.truncate(length);
        Ok(bytes)
    }
}

/// Sends the first call of this connection to a provider, waits for the reply, and returns who has replied.
///
/// gnome-keyring (42.1, and by its source 50) may carry out the first call before it has noted who calls. It ends if that is
/// `OpenSession` or a property of a collection, and says that there is no collection if it is `ReadAlias`. The properties of
/// the service need no such note, and once they are here it is made. libsecret asks for them first too, so that every
/// provider knows the call.
async fn greet(bus: &Bus, provider: &str, service: &Path<'static>) -> Result<String, Fault> {
    let method = Method {
        destination: provider,
        path: service,
        interface: "org.freedesktop.DBus.Properties",
        name: "GetAll",
    };
    match bus.call(method, (SERVICE,)).message().await {
        Ok(reply) => {
            let owner = reply.sender().ok_or_else(Fault::bad_key)?;
            Ok(owner.to_string())
        }
        // A provider that refuses has been greeted as well.
        Err(refused @ BusFault::Refused { .. }) => {
            let owner = bus.owner_of(provider).await?;
            owner.ok_or_else(|| refused.into())
        }
        Err(fault) => Err(fault.into()),
    }
}

fn their_part(reply: &Message) -> Result<(Vec<u8>, Path<'static>), Fault> {
    let (theirs, path): (Variant<Vec<u8>>, Path<'static>) = read(reply)?;
    Ok((theirs.0, path))
}

/// Our part of the key exchange.
struct KeyPair {
    /// Twice as long as the strength of the group asks for.
    private: Zeroizing<U256>,
    public: [u8; NUMBER_LEN],
}

impl KeyPair {
    /// A pair whose public key fills its bytes: providers disagree on what to do with leading zeros.
    fn generate() -> Result<Self, Fault> {
        loop {
            let mut random = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *random).map_err(|_| Fault::no_randomness())?;
            let private = Zeroizing::new(U256::from_be_slice(&*random));
            let public = Number::new(&U1024::from_u8(2)).pow(&*private);
            let public = public.retrieve().to_be_bytes();
            if public[0] != 0 {
                return Ok(Self { private, public });
            }
        }
    }

    /// The key of the session, or `None` if the shared secret begins with a zero byte: KWallet (5.103) leaves that
    /// out before it derives the key, and would store other bytes than it was given.
    fn agree_with(&self, theirs: &[u8]) -> Result<Option<Zeroizing<[u8; KEY_LEN]>>, Fault> {
        let theirs = number(theirs).ok_or_else(Fault::bad_key)?;
        let shared = Number::new(&theirs).pow(&*self.private);
        let shared = Zeroizing::new(shared.retrieve().to_be_bytes());
        if shared[0] == 0 {
            return Ok(None);
        }
        let mut key = Zeroizing::new([0; KEY_LEN]);
        Hkdf::<Sha256>::new(None, &*shared)
            .expand(&[], &mut *key)
            .map_err(|_| Fault::bad_key())?;
        Ok(Some(key))
    }
}

/// A public key of the other side: neither one of those that make the shared secret known to everybody nor one
/// that is not of the group.
///
/// KWallet (5.103) puts a zero byte before one whose first bit is set, as signed numbers are written.
fn number(bytes: &[u8]) -> Option<U1024> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = &bytes[zeros..];
    let digits = NUMBER_LEN.checked_sub(bytes.len())?;
    let mut padded = [0; NUMBER_LEN];
    padded[digits..].copy_from_slice(bytes);
    let number = U1024::from_be_slice(&padded);
    let last = Prime::MODULUS.wrapping_sub(&U1024::ONE);
    (number > U1024::ONE && number < last).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_may_have_leading_zeros_and_must_be_of_the_group() {
        let ours = KeyPair::generate().unwrap();
        let mut signed = vec![0];
        signed.extend(ours.public);
        assert_eq!(number(&signed), number(&ours.public));
        assert_eq!(number(&[7]), Some(U1024::from_u8(7)));
        for refused in [&[][..], &[0], &[1], &[0xff; 128], &[1; 129]] {
            assert_eq!(number(refused), None);
        }
    }

    #[test]
    fn both_sides_derive_the_same_key_or_give_the_session_up() {
        let mut given_up = 0;
        for _ in 0..600 {
            let (one, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
            assert_ne!(one.public[0], 0);
            let key = one.agree_with(&other.public).unwrap();
            assert_eq!(key, other.agree_with(&one.public).unwrap());
            given_up += u32::from(key.is_none());
        }
        assert!(given_up < 60, "{given_up} of 600");
    }
}

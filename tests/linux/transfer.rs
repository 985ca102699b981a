//! The provider's side of an encrypted session (Secret Service API 0.2, "Transfer of Secrets").

use aes::Aes128;
use cbc::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit, block_padding::Pkcs7};
use crypto_bigint::{U1024, impl_modulus, modular::ConstMontyForm};
use hkdf::Hkdf;
use sha2::Sha256;

impl_modulus!(
    Prime,
    U1024,
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
     020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
     4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
     ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff"
);

type Number = ConstMontyForm<Prime, { U1024::LIMBS }>;

#[derive(Clone)]
pub struct Key([u8; 16]);

impl Key {
    /// Agrees with a client on a key, and returns the public key that the client has to be given.
    pub fn agreed_with(client: &[u8]) -> (Vec<u8>, Self) {
        let (public, shared) = exchange(client, 1000);
        (public, Self::derived_from(&shared))
    }

    /// As KWallet agrees on it if the shared secret begins with a zero byte: it leaves that out.
    pub fn misunderstood_with(client: &[u8]) -> (Vec<u8>, Self) {
        let mut exchanges = (1000..).map(|private| exchange(client, private));
        let (public, shared) = exchanges.find(|(_, shared)| shared[0] == 0).unwrap();
        (public, Self::derived_from(&shared[1..]))
    }

    fn derived_from(shared: &[u8]) -> Self {
        let mut key = [0; 16];
        Hkdf::<Sha256>::new(None, shared)
            .expand(&[], &mut key)
            .unwrap();
        Self(key)
    }

    /// `None` if the padding shows that it was encrypted with another key.
    pub fn decrypt(&self, iv: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        cbc::Decryptor::<Aes128>::new_from_slices(&self.0, iv)
            .unwrap()
            .decrypt_padded_vec_mut::<Pkcs7>(bytes)
            .ok()
    }

    pub fn encrypt(&self, iv: &[u8], bytes: &[u8]) -> Vec<u8> {
        cbc::Encryptor::<Aes128>::new_from_slices(&self.0, iv)
            .unwrap()
            .encrypt_padded_vec_mut::<Pkcs7>(bytes)
    }
}

/// Our public key, and the secret that is shared with the client.
fn exchange(client: &[u8], private: u16) -> (Vec<u8>, [u8; 128]) {
    let private = U1024::from_u16(private);
    let power = |base: &U1024| {
        Number::new(base)
            .pow_bounded_exp(&private, u16::BITS)
            .retrieve()
            .to_be_bytes()
    };
    (
        power(&U1024::from_u8(2)).into(),
        power(&U1024::from_be_slice(client)),
    )
}

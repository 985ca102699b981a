//! Files that were altered: no such file panics, costs more than an error, or is taken for another record.
//!
//! `SECURE_TOKEN_TEST_FILES` says how many are tried.

use super::*;
use crate::store::linux::portal::{
    layout::{Content, File},
    seal::Key,
};

fn content() -> Content<'static> {
    Content {
        service: SERVICE,
        account: "default",
        record: b"secure-token.v1.a-record",
    }
}

/// What a whole altered file is opened to; the key is that of an unaltered salt.
fn code(key: &Key, file: &[u8]) -> Option<ErrorCode> {
    let Some(file) = File::decode(file) else {
        return Some(ErrorCode::Corrupt);
    };
    match key.open(&file, SERVICE) {
        Err(error) => Some(error.code()),
        Ok(opened) => {
            assert_eq!(opened.account, Account::default());
            assert_eq!(*opened.bytes, content().record);
            None
        }
    }
}

#[test]
fn p1_each_altered_bit_of_a_file_is_an_error_that_tells_damage_from_another_secret() {
    let key = Key::derive(&SECRET, &SALT);
    let whole = key.seal(&content(), &SALT, 1).unwrap();
    assert_eq!(code(&key, &whole), None);
    let sealed_len = File::decode(&whole).unwrap().sealed.len();
    let sealed = whole.len() - 6 - sealed_len..whole.len() - 6;
    for bit in 0..whole.len() * 8 {
        let position = bit / 8;
        let mut altered = whole.clone();
        altered[position] ^= 1 << (bit % 8);
        // The salt comes first, then the rounds, the two numbers of no interest, and the attributes.
        let expected = match position {
            22..54 => continue,
            58..70 => None,
            78..110 | 120..152 | 170..202 => Some(ErrorCode::Lost),
            _ if sealed.contains(&position) => Some(ErrorCode::Lost),
            _ => Some(ErrorCode::Corrupt),
        };
        assert_eq!(code(&key, &altered), expected, "bit {bit}");
    }
    let other = Key::derive(&SECRET, &[3; 32]);
    assert_eq!(code(&other, &whole), Some(ErrorCode::Lost), "another salt");
}

#[test]
fn p1_no_altered_file_panics_or_is_taken_for_another_record() {
    let count = std::env::var("SECURE_TOKEN_TEST_FILES");
    let count = count.map_or(30_000, |count| count.parse().unwrap());
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let key = Key::derive(&SECRET, &SALT);
    let whole = key.seal(&content(), &SALT, 1).unwrap();
    let plain = content().encode(1).unwrap();
    let [mut opened, mut decoded] = [0, 0];
    for _ in 0..count {
        let file = numbers.altered(&whole);
        opened += usize::from(code(&key, &file).is_none());
        // As if it had been sealed: then the MAC does not help.
        let altered = numbers.altered(&plain);
        if let Some(read) = Content::decode(&altered) {
            decoded += 1;
            assert!(read.record.len() < altered.len());
        }
    }
    // Some changes do no harm, or the test would try nothing that lies deeper.
    assert!(opened > 0 && decoded > 0 && opened < count && decoded < count);
}

/// Numbers that look random and are the same in each run (xorshift64, Marsaglia 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn altered(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let position = self.below(bytes.len() + 1);
            match self.below(6) {
                0 => bytes.truncate(position),
                1 => bytes.insert(position, self.below(256).to_le_bytes()[0]),
                2 => {
                    let end = position + self.below(bytes.len() - position + 1);
                    bytes.drain(position..end);
                }
                3 => {
                    let piece = bytes[position..].to_vec();
                    let length = self.below(64).min(piece.len());
                    let to = self.below(bytes.len() + 1);
                    bytes.splice(to..to, piece[..length].iter().copied());
                }
                kind => {
                    // The numbers that say where parts end are the last bytes.
                    let last = bytes.len().saturating_sub(1 + self.below(8));
                    let position = if kind == 4 { last } else { position };
                    if let Some(byte) = bytes.get_mut(position) {
                        *byte = self.below(256).to_le_bytes()[0];
                    }
                }
            }
        }
        bytes
    }
}

//! The form of a mark in its file: frozen, one line of ASCII of a fixed length.
//!
//! `secure-token.mark.v1.TURN.CHANGE.LOGIN.CHECK`, or `secure-token.mark.v1.TURN.CHANGE.LOGIN.HASH.SINCE.CHECK`
//! while a refresh token is in use. HASH is its SHA-256 in lower-case hexadecimal, CHECK the CRC-32 of everything
//! before its dot, as eight lower-case hexadecimal digits; the others are decimal. TURN counts the writes, from
//! 255 on to 0. Blanks fill the line up.

use super::{InUse, Mark, Stamp, files::TokenHash};

/// The length of a line, with the line break at its end.
pub(super) const LEN: usize = 256;

const PREFIX: &str = "secure-token.mark.v1.";

/// A mark as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) turn: u8,
    pub(super) mark: Mark,
}

impl Line {
    /// Whether this was written after `other`, one of the last hundred writes before it.
    pub(super) fn is_after(&self, other: &Self) -> bool {
        (1..=127).contains(&self.turn.wrapping_sub(other.turn))
    }

    pub(super) fn encode(&self) -> String {
        let Self { turn, mark } = self;
        let Stamp { change, login } = mark.stamp;
        let mut text = format!("{PREFIX}{turn}.{change}.{login}");
        if let Some(InUse { hash, since }) = &mark.in_use {
            text = format!("{text}.{}.{since}", hash.to_hexadecimal());
        }
        let text = format!("{text}.{:08x}", crc32fast::hash(text.as_bytes()));
        format!("{text:<0$}\n", LEN - 1)
    }

    /// `None` if `bytes` are not exactly what was written, or were written by another version.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let fields: Vec<_> = text.strip_prefix(PREFIX)?.split('.').collect();
        let (turn, change, login, in_use) = match fields[..] {
            [turn, change, login, _] => (turn, change, login, None),
            [turn, change, login, hash, since, _] => (turn, change, login, Some((hash, since))),
            _ => return None,
        };
        let in_use = match in_use {
            Some((hash, since)) => Some(InUse {
                hash: TokenHash(from_hexadecimal(hash)?),
                since: since.parse().ok()?,
            }),
            None => None,
        };
        let line = Self {
            turn: turn.parse().ok()?,
            mark: Mark {
                stamp: Stamp {
                    change: change.parse().ok()?,
                    login: login.parse().ok()?,
                },
                in_use,
            },
        };
        // The check, the blanks, and no other way to write the same.
        (line.encode() == text).then_some(line)
    }
}

fn from_hexadecimal(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

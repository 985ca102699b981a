//! How a record looks in the store: versioned, frozen, one line of ASCII.
//!
//! `secure-token.v1.PAYLOAD.CHECK`, where PAYLOAD is base64url without padding (RFC 4648, section
//! 5) of a JSON object with `token`, and where known `refreshToken` and `expiresAt`; CHECK is the
//! CRC-32 of everything before its dot, as eight lower-case hexadecimal digits. The check finds
//! damage, not tampering: who can write the store can also compute it.
//!
//! ASCII without line breaks or a leading `{`, since some providers lose bytes over 0x7f, cut at
//! NUL, lose a keyring that holds a line break, or read a leading `{` as a reference.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    record::Record,
    token::Token,
};

mod json_text;

const PREFIX: &str = "secure-token.v1.";
const CHECK_LEN: usize = 8;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Read<'a> {
    #[serde(borrow)]
    token: &'a RawValue,
    #[serde(borrow)]
    refresh_token: Option<&'a RawValue>,
    expires_at: Option<u64>,
}

/// The stored form of `record`.
pub(crate) fn encode(record: &Record) -> Result<Zeroizing<Vec<u8>>> {
    let encoded = write(record);
    wipe_stack();
    encoded
}

/// Overwrites what earlier calls have left below this frame. Libraries keep parts of a token there, and the
/// next future that is built on the stack would carry them into a block of the heap that nobody wipes.
#[inline(never)]
fn wipe_stack() {
    let mut block = [0_u8; 8192];
    std::hint::black_box(&mut block);
}

#[inline(never)]
fn write(record: &Record) -> Result<Zeroizing<Vec<u8>>> {
    record.validate()?;
    let written = Written {
        token: record.token.expose(),
        refresh_token: record.refresh_token.as_ref().map(Token::expose),
        expires_at: record.expires_at,
    };
    let not_encoded = |_| Error::internal("the record could not be encoded");

    // Every buffer has its final size from the start: one that grows leaves its old copy unwiped.
    let mut length = Length(0);
    serde_json::to_writer(&mut length, &written).map_err(not_encoded)?;
    let mut payload = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *payload, &written).map_err(not_encoded)?;

    let payload_len = (payload.len() * 4).div_ceil(3);
    let mut line = Zeroizing::new(Vec::with_capacity(
        PREFIX.len() + payload_len + 1 + CHECK_LEN,
    ));
    line.extend_from_slice(PREFIX.as_bytes());
    // Into its place: what encodes into a growing text has a buffer on the stack, which nobody wipes.
    line.resize(PREFIX.len() + payload_len, 0);
    URL_SAFE_NO_PAD
        .encode_slice(&*payload, &mut line[PREFIX.len()..])
        .map_err(|_| Error::internal("the record could not be encoded"))?;
    let check = check(&line);
    line.push(b'.');
    line.extend_from_slice(check.as_bytes());
    Ok(line)
}

/// The record that `stored` holds.
///
/// # Errors
///
/// `corrupt`: `stored` is damaged, or not ours, or from a later version of the plugin.
pub(crate) fn decode(stored: &[u8]) -> Result<Record> {
    let decoded = read(stored);
    wipe_stack();
    decoded
}

#[inline(never)]
fn read(stored: &[u8]) -> Result<Record> {
    let line =
        std::str::from_utf8(stored).map_err(|_| Error::corrupt("what is stored is not text"))?;
    let Some(rest) = line.strip_prefix(PREFIX) else {
        return Err(Error::corrupt(if line.starts_with("secure-token.v") {
            "what is stored was written by a later version of the plugin"
        } else {
            "what is stored was not written by this plugin"
        }));
    };
    let damaged = || Error::corrupt("what is stored is damaged");
    let (payload, expected) = rest.split_once('.').ok_or_else(damaged)?;
    if check(&stored[..PREFIX.len() + payload.len()]) != expected {
        return Err(damaged());
    }
    let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload).map_err(|_| damaged())?);
    let read: Read = serde_json::from_slice(&payload).map_err(|_| damaged())?;
    let token = |json: &RawValue| {
        let mut text = json_text::decode(json.get()).ok_or_else(damaged)?;
        Token::new(std::mem::take(&mut *text)).map_err(|_| damaged())
    };
    let record = Record {
        token: token(read.token)?,
        refresh_token: read.refresh_token.map(token).transpose()?,
        expires_at: read.expires_at,
    };
    record.validate().map_err(|_| damaged())?;
    Ok(record)
}

fn check(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

/// Counts what is written to it.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    fn record(token: &str) -> Record {
        Record::new(Token::new(token).unwrap())
    }

    fn code(stored: &[u8]) -> ErrorCode {
        decode(stored).unwrap_err().code()
    }

    #[test]
    fn p7_every_released_envelope_is_still_read() {
        let fixture: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../tests/fixtures/envelopes.json")).unwrap();
        assert!(!fixture.is_empty());
        for case in fixture {
            let expected = Record {
                token: Token::new(case["token"].as_str().unwrap()).unwrap(),
                refresh_token: case["refreshToken"]
                    .as_str()
                    .map(|t| Token::new(t).unwrap()),
                expires_at: case["expiresAt"].as_u64(),
            };
            let stored = case["stored"].as_str().unwrap();
            assert_eq!(decode(stored.as_bytes()), Ok(expected.clone()));
            if case["current"].as_bool().unwrap() {
                assert_eq!(encode(&expected).unwrap().as_slice(), stored.as_bytes());
            }
        }
    }

    #[test]
    fn a_record_survives_the_round_trip_whatever_its_characters() {
        for token in [
            "t",
            "{REF:x}",
            "line\nbreak \u{1f511} \"quoted\" \\",
            "\u{1}\u{7f}\u{80}",
        ] {
            let mut record = record(token);
            record.refresh_token = Some(Token::new("r").unwrap());
            record.expires_at = Some(Record::MAX_EXPIRES_AT);
            let stored = encode(&record).unwrap();
            assert!(stored.iter().all(|byte| (0x21..0x7f).contains(byte)));
            assert_ne!(stored[0], b'{');
            assert_eq!(decode(&stored), Ok(record));
        }
    }

    #[test]
    fn p2_no_truncation_and_no_flipped_bit_passes_for_a_record() {
        let stored = encode(&record("canary")).unwrap();
        for length in 0..stored.len() {
            assert_eq!(code(&stored[..length]), ErrorCode::Corrupt);
        }
        for index in 0..stored.len() {
            for bit in 0..8 {
                let mut damaged = stored.to_vec();
                damaged[index] ^= 1 << bit;
                assert_eq!(code(&damaged), ErrorCode::Corrupt);
            }
        }
    }

    #[test]
    fn foreign_and_later_payloads_are_corrupt_and_not_shown() {
        for stored in [
            "",
            "canary",
            "{\"token\":\"canary\"}",
            "secure-token.v2.canary",
        ] {
            let error = decode(stored.as_bytes()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Corrupt);
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn an_expiry_that_javascript_cannot_hold_is_refused() {
        let mut record = record("t");
        record.expires_at = Some(Record::MAX_EXPIRES_AT + 1);
        assert_eq!(
            encode(&record).unwrap_err().code(),
            ErrorCode::InvalidArgument
        );
    }
}

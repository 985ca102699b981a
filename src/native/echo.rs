//! Keeps a server from showing the page the token that Rust has sent: an endpoint that repeats the headers of a request
//! would undo all the rest.
//!
//! It finds a token as it is. One that the server has encoded (Base64, percent signs, JSON escapes) or cut in two passes:
//! what a script can make a server compute has no end.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tauri::http::HeaderMap;

use crate::{
    error::{Error, ErrorCode, Result},
    record::Record,
    token::Token,
};

/// How far into a body tokens are looked for, in bytes.
const LOOKED_AT: usize = 64 * 1024;

/// A shorter token is no secret (RFC 6749, section 10.10), and would be found by chance.
const SHORTEST: usize = 8;

/// Looks for the tokens of a request in its response.
#[derive(Default)]
pub(crate) struct Echo {
    tokens: Vec<Progress>,
    /// What may be the start of a token, and has not been passed on.
    held: BytesMut,
    passed: usize,
    is_over: bool,
}

/// How much of a token the last bytes are, by the method of Knuth, Morris and Pratt: the time grows with the length of
/// the body alone, whatever the two look like.
struct Progress {
    token: Token,
    /// For each length: how much of the token the end of that much of it is.
    falls_back_to: Vec<usize>,
    matched: usize,
}

impl Progress {
    fn new(token: &Token) -> Self {
        let bytes = token.expose().as_bytes();
        let mut falls_back_to = vec![0; bytes.len()];
        let mut matched = 0;
        for at in 1..bytes.len() {
            while matched > 0 && bytes[at] != bytes[matched] {
                matched = falls_back_to[matched - 1];
            }
            matched += usize::from(bytes[at] == bytes[matched]);
            falls_back_to[at] = matched;
        }
        Self {
            token: token.clone(),
            falls_back_to,
            matched: 0,
        }
    }

    /// Takes the next byte. Returns whether the token is complete with it.
    fn take(&mut self, byte: u8) -> bool {
        let bytes = self.token.expose().as_bytes();
        while self.matched > 0 && bytes[self.matched] != byte {
            self.matched = self.falls_back_to[self.matched - 1];
        }
        self.matched += usize::from(bytes[self.matched] == byte);
        self.matched == bytes.len()
    }
}

impl Echo {
    /// Looks for the tokens of `records`.
    pub(crate) fn new(records: &[Arc<Record>]) -> Self {
        let mut tokens: Vec<&Token> = Vec::new();
        for record in records {
            for token in std::iter::once(&record.token).chain(&record.refresh_token) {
                if token.expose().len() >= SHORTEST && !tokens.contains(&token) {
                    tokens.push(token);
                }
            }
        }
        Self {
            is_over: tokens.is_empty(),
            tokens: tokens.into_iter().map(Progress::new).collect(),
            held: BytesMut::new(),
            passed: 0,
        }
    }

    /// # Errors
    ///
    /// `forbidden`: a token is in a header.
    pub(crate) fn check_headers(&self, headers: &HeaderMap) -> Result<()> {
        let is_in = |(name, value): (&tauri::http::HeaderName, &tauri::http::HeaderValue)| {
            self.is_in(value.as_bytes()) || self.is_in_name(name.as_str())
        };
        if headers.iter().any(is_in) {
            return Err(shown());
        }
        Ok(())
    }

    /// # Errors
    ///
    /// `forbidden`: a token is in `text`.
    pub(crate) fn check_text(&self, text: &str) -> Result<()> {
        if self.is_in(text.as_bytes()) {
            return Err(shown());
        }
        Ok(())
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        self.tokens.iter().any(|progress| {
            let token = progress.token.expose().as_bytes();
            bytes.windows(token.len()).any(|window| window == token)
        })
    }

    /// Names of headers arrive in lower case.
    fn is_in_name(&self, name: &str) -> bool {
        self.tokens
            .iter()
            .any(|progress| name.contains(&progress.token.expose().to_ascii_lowercase()))
    }

    /// Takes the next bytes of the body, and returns those that may go on. Only what may be the start of a token is
    /// held back, so that events of a stream arrive when they are sent.
    ///
    /// # Errors
    ///
    /// `forbidden`: a token is in the body.
    pub(crate) fn pass(&mut self, chunk: Bytes) -> Result<Bytes> {
        if self.is_over {
            return Ok(chunk);
        }
        for (read, &byte) in chunk.iter().enumerate() {
            let mut is_found = false;
            for progress in &mut self.tokens {
                is_found |= progress.take(byte);
            }
            if is_found {
                return Err(shown());
            }
            // What begins after the limit is not looked at; what has begun before is looked at to its end.
            if self.passed + self.held.len() + read + 1 - self.matched() >= LOOKED_AT {
                self.is_over = true;
                break;
            }
        }
        let held_back = if self.is_over { 0 } else { self.matched() };
        if self.held.is_empty() && held_back == 0 {
            self.passed += chunk.len();
            return Ok(chunk);
        }
        self.held.extend_from_slice(&chunk);
        let passed = self.held.split_to(self.held.len() - held_back);
        self.passed += passed.len();
        Ok(passed.freeze())
    }

    /// The body has ended: what was held back was no token.
    pub(crate) fn end(&mut self) -> Bytes {
        self.held.split().freeze()
    }

    /// The length of the longest start of a token that the last bytes are.
    fn matched(&self) -> usize {
        let matched = self.tokens.iter().map(|progress| progress.matched);
        matched.max().unwrap_or(0)
    }
}

fn shown() -> Error {
    Error::new(
        ErrorCode::Forbidden,
        "the response was refused, since it contains a token of the session: the server must not send it back",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(token: &str, refresh_token: Option<&str>) -> Arc<Record> {
        let mut record = Record::new(Token::new(token).unwrap());
        record.refresh_token = refresh_token.map(|text| Token::new(text).unwrap());
        Arc::new(record)
    }

    /// What comes through when `body` arrives in chunks of `size`.
    fn pass(tokens: &[Arc<Record>], body: &[u8], size: usize) -> Option<Vec<u8>> {
        let mut echo = Echo::new(tokens);
        let mut passed = Vec::new();
        for chunk in body.chunks(size) {
            passed.extend(echo.pass(Bytes::copy_from_slice(chunk)).ok()?);
        }
        passed.extend(echo.end());
        Some(passed)
    }

    #[test]
    fn p4_a_token_in_a_body_is_found_however_it_is_cut() {
        let tokens = [
            record("aabaabaac", Some("refresh-me")),
            record("old-token", None),
        ];
        for body in [
            "aabaabaac",
            "{\"x\":\"aabaabaac\"}",
            "aabaabaabaac",
            "aabaaaabaabaac",
            "refresh-refresh-me",
            "old-old-token",
        ] {
            for size in 1..=body.len() {
                assert_eq!(
                    pass(&tokens, body.as_bytes(), size),
                    None,
                    "{body} by {size}"
                );
            }
        }
    }

    #[test]
    fn a_body_without_a_token_passes_unchanged() {
        let tokens = [record("aabaabaac", Some("refresh-me"))];
        for body in [
            "",
            "aabaabaa",
            "refresh-m",
            "aabaabaabaabaab",
            "refreshrefresh-aabaa",
        ] {
            for size in 1..=body.len().max(1) {
                let passed = pass(&tokens, body.as_bytes(), size);
                assert_eq!(passed.as_deref(), Some(body.as_bytes()), "{body} by {size}");
            }
        }
        assert_eq!(pass(&[], b"anything", 3).unwrap(), b"anything");
        // Found by chance in half of all texts.
        assert_eq!(pass(&[record("t", None)], b"text", 3).unwrap(), b"text");
    }

    #[test]
    fn p4_random_bodies_are_judged_as_a_plain_search_judges_them() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let mut text = |len| -> String {
                (0..len)
                    .map(|_| random.choice(['a', 'b']).unwrap())
                    .collect()
            };
            let (token, body) = (text(8), text(40));
            let size = random.usize(1..10);
            let passed = pass(&[record(&token, None)], body.as_bytes(), size);
            let expected = (!body.contains(&token)).then(|| body.clone().into_bytes());
            assert_eq!(passed, expected, "{token} in {body} by {size}");
        }
    }

    #[test]
    fn only_what_may_be_the_start_of_a_token_is_held_back() {
        let mut echo = Echo::new(&[record("refresh-me", None)]);
        let mut pass = |text: &'static str| echo.pass(Bytes::from_static(text.as_bytes())).unwrap();
        assert_eq!(pass("data: 1\n\n"), "data: 1\n\n");
        assert_eq!(pass("data: ref"), "data: ");
        assert_eq!(pass("r"), "");
        assert_eq!(pass("e-read\n\n"), "refre-read\n\n");
    }

    #[test]
    fn p4_a_token_that_begins_within_the_first_64_kib_is_found() {
        let tokens = [record("the-token", None)];
        let body =
            |before: usize| [vec![b'x'; before], b"the-token".to_vec(), vec![b'x'; 9]].concat();
        for (before, is_found) in [(LOOKED_AT - 1, true), (LOOKED_AT, false)] {
            for size in [1, 7, 4096, usize::MAX] {
                let passed = pass(&tokens, &body(before), size);
                assert_eq!(passed.is_none(), is_found, "{before} by {size}");
                assert!(passed.is_none_or(|passed| passed == body(before)));
            }
        }
    }

    #[test]
    fn p4_a_token_in_a_header_is_found() {
        let echo = Echo::new(&[record("The-Token", Some("refresh-me"))]);
        let check = |name: &str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                name.parse::<tauri::http::HeaderName>().unwrap(),
                value.parse().unwrap(),
            );
            echo.check_headers(&headers).map_err(|error| error.code())
        };
        assert_eq!(check("x", "the-token"), Ok(()));
        assert_eq!(check("x", "Bearer The-Token;"), Err(ErrorCode::Forbidden));
        assert_eq!(
            check("location", "/?t=refresh-me"),
            Err(ErrorCode::Forbidden)
        );
        assert_eq!(check("X-The-Token", "1"), Err(ErrorCode::Forbidden));
    }
}

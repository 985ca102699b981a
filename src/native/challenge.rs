//! Reads `WWW-Authenticate`: whether a 401 is about the token that was sent. As `guest-js/requests/challenge.ts` does.

use tauri::http::{HeaderMap, header::WWW_AUTHENTICATE};

/// The scheme of the header that carries the token (RFC 6750, section 2.1).
const SCHEME: &str = "bearer";

/// One challenge. The names of schemes and parameters have no case, and are in lower case here.
struct Challenge {
    scheme: String,
    error: Option<String>,
}

/// Whether a new token may help after a 401 with these headers.
///
/// Not if they name other schemes only, or another `error` than `invalid_token` (RFC 6750, section 3.1): with
/// `insufficient_user_authentication` (RFC 9470), for one, the user has to act. Without a challenge nobody knows,
/// so then it may.
pub(super) fn is_invalid_token(headers: &HeaderMap) -> bool {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    let texts: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let challenges = challenges(&texts.join(", "));
    let mut ours = challenges
        .iter()
        .filter(|challenge| challenge.scheme == SCHEME)
        .map(|challenge| challenge.error.as_deref())
        .peekable();
    if challenges.is_empty() {
        return true;
    }
    let (is_named, mut says_nothing) = (ours.peek().is_some(), true);
    for error in ours {
        match error {
            Some("invalid_token") => return true,
            Some(_) => says_nothing = false,
            None => {}
        }
    }
    is_named && says_nothing
}

/// The challenges of a header (RFC 9110, section 11.6.1). A comma stands between challenges and also between the
/// parameters of one, so what follows a comma tells which of the two it is.
fn challenges(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    for element in elements(header) {
        if take_parameter(element, challenges.last_mut()) {
            continue;
        }
        let (scheme, rest) = token(element);
        if scheme.is_empty() || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
            continue;
        }
        let mut challenge = Challenge {
            scheme: scheme.to_ascii_lowercase(),
            error: None,
        };
        // Not a parameter if it is a token68, such as `Negotiate oYG3...==`.
        take_parameter(rest.trim(), Some(&mut challenge));
        challenges.push(challenge);
    }
    challenges
}

/// What stands between two commas. A quoted text may have commas of its own, and one that does not end goes to the end
/// of the header.
fn elements(header: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    header
        .split(move |c| {
            let was_escaped = std::mem::take(&mut is_escaped);
            match c {
                '"' if !was_escaped => is_quoted = !is_quoted,
                '\\' if is_quoted && !was_escaped => is_escaped = true,
                ',' => return !is_quoted,
                _ => {}
            }
            false
        })
        .map(str::trim)
        .filter(|element| !element.is_empty())
}

/// Adds the parameter that `text` begins with to `challenge`. Returns whether there is one.
fn take_parameter(text: &str, challenge: Option<&mut Challenge>) -> bool {
    let (name, rest) = token(text);
    let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else {
        return false;
    };
    let value = match value.strip_prefix('"') {
        Some(quoted) => unquoted(quoted),
        None => token(value).0.to_owned(),
    };
    if name.is_empty() || (value.is_empty() && !text.contains('"')) {
        return false;
    }
    if let Some(challenge) = challenge
        && name.eq_ignore_ascii_case("error")
    {
        challenge.error = Some(value.to_ascii_lowercase());
    }
    true
}

/// The text up to the quotation mark that ends it.
fn unquoted(quoted: &str) -> String {
    let mut text = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

/// The token that `text` begins with (RFC 9110, section 5.6.2), and what follows.
fn token(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+.^_`|~-".contains(c);
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        is_invalid_token(&headers)
    }

    #[test]
    fn a_401_about_the_token_is_told_from_others() {
        for (values, expected) in [
            (&[] as &[&str], true),
            (&["Bearer"], true),
            (&["bearer realm=\"a, b\""], true),
            (&["Bearer error=\"invalid_token\""], true),
            (&["Bearer realm=\"x\", error = invalid_token"], true),
            (&["Basic realm=\"x\", Bearer"], true),
            (
                &["Basic realm=\"x\"", "BEARER error=\"INVALID_TOKEN\""],
                true,
            ),
            (
                &["Bearer error=\"insufficient_user_authentication\", Bearer error=invalid_token"],
                true,
            ),
            (&["Negotiate oYG3==, Bearer"], true),
            (&["Bearer error=\"invalid\\_token\""], true),
            (
                &["Bearer error=\"insufficient_user_authentication\""],
                false,
            ),
            (&["Bearer realm=\"x\", error=\"insufficient_scope\""], false),
            (&["Basic realm=\"Bearer error=invalid_token\""], false),
            (&["Basic"], false),
            (&["Negotiate oYG3=="], false),
            (&["DPoP error=\"invalid_token\""], false),
            (&["Bearer realm=\"never ends, error=invalid_token"], true),
        ] {
            assert_eq!(of(values), expected, "{values:?}");
        }
    }
}

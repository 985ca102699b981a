//! Whether a response to a refresh says that the server has refused the refresh token for good: the same rule as
//! `guest-js/session/refusal.ts`, tested with the same fixture.

use serde_json::Value;

use super::exchange::Response;

/// The codes of servers that will never accept this refresh token again. The SDK of each signs the user out for
/// them. `invalid_grant` is that of OAuth (RFC 6749, section 5.2); then follow Supabase, Firebase, and GitHub,
/// which sends its code with the status 200.
const REFUSED: &[&str] = &[
    "invalid_grant",
    "refresh_token_not_found",
    "refresh_token_already_used",
    "session_not_found",
    "session_expired",
    "user_banned",
    "TOKEN_EXPIRED",
    "INVALID_REFRESH_TOKEN",
    "USER_DISABLED",
    "USER_NOT_FOUND",
    "bad_refresh_token",
];

/// The other errors that OAuth knows: the client, the request or the server is at fault, and not the refresh
/// token. RFC 6749, sections 4.1.2.1 and 5.2, RFC 6750, 8628, 8707 and 9449, `OpenID` Connect Core, section
/// 3.1.2.6. Not `invalid_token`, which tells that a token has expired.
const OAUTH_ERRORS: &[&str] = &[
    "invalid_request",
    "invalid_client",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_token_type",
    "invalid_scope",
    "invalid_target",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    "slow_down",
    "insufficient_scope",
    "insufficient_user_authentication",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "interaction_required",
    "login_required",
    "consent_required",
];

/// Whether `response`, which brought no tokens, has refused the refresh token for good.
pub(super) fn is_refused(response: &Response) -> bool {
    let status = response.status.as_u16();
    if let Some(body) = response.json() {
        let codes = codes(&body);
        let is_data = body.is_array() || body.is_object();
        let is_page =
            response.is_html && !is_data || matches!(&*body, Value::String(text) if is_page(text));
        return judge(status, &codes, is_page);
    }
    let text = response.text();
    let is_page = is_page(&text);
    let codes: &[&str] = if !is_page && has_word(&text, "invalid_grant") {
        &["invalid_grant"]
    } else {
        &[]
    };
    judge(status, codes, is_page || response.is_html)
}

fn judge(status: u16, codes: &[&str], is_page: bool) -> bool {
    let has = |known: &[&str]| codes.iter().any(|code| known.contains(code));
    if has(REFUSED) {
        return true;
    }
    if !matches!(status, 401 | 403) || is_page {
        return false;
    }
    // league/oauth2-server, which Laravel Passport is built on, says 401 `invalid_request` up to its version 8.
    (status == 401 && has(&["invalid_request"])) || !has(OAUTH_ERRORS)
}

/// The texts that name the error in a body, such as `{ error }`, `{ error_code }` or
/// `{ error: { code, message } }`.
fn codes(body: &Value) -> Vec<&str> {
    let mut codes = Vec::new();
    for part in [Some(body), body.get("error")].into_iter().flatten() {
        let named = ["error", "error_code", "code", "message"].map(|name| part.get(name));
        let texts = [Some(part)].into_iter().chain(named).flatten();
        codes.extend(texts.filter_map(Value::as_str));
    }
    codes
}

/// What a firewall or a proxy shows: it never asked the server.
fn is_page(text: &str) -> bool {
    let text = text.trim_start();
    // The second is what Cloudflare sends to those who do not ask for a page.
    let cloudflare = text.strip_prefix("error code: 1");
    let has_code =
        |rest: &str| rest.len() >= 3 && rest.bytes().take(3).all(|byte| byte.is_ascii_digit());
    text.starts_with('<') || cloudflare.is_some_and(has_code)
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.match_indices(word).any(|(index, _)| {
        !text[..index].ends_with(is_part) && !text[index + word.len()..].starts_with(is_part)
    })
}

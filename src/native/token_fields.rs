//! Where the tokens are in a response, and how they are taken out of it.

use std::time::Duration;

use serde_json::Value;

use super::{pointer::Pointer, post::Post};
use crate::{
    error::{Error, ErrorCode, Result},
    session::Tokens,
    token::Token,
};

/// Where the tokens are in a response.
#[derive(Debug)]
pub(super) struct TokenFields {
    token: Pointer,
    refresh_token: Option<Pointer>,
    expires_in: Option<Pointer>,
    cut: Vec<Pointer>,
}

/// What was taken out of a response.
pub(super) struct Taken {
    pub(super) token: Option<Token>,
    pub(super) refresh_token: Option<Token>,
    expires_in: Option<Duration>,
}

impl TokenFields {
    /// # Errors
    ///
    /// `misconfigured`: `post` names no token, or names places that are not valid.
    pub(super) fn of(post: &Post) -> Result<Self> {
        let misconfigured = |message| Err(Error::new(ErrorCode::Misconfigured, message));
        let parse = |text: &Option<String>| text.as_deref().map(Pointer::parse).transpose();
        let Some(token) = parse(&post.token)? else {
            return misconfigured("say where the token is in the response: .token(\"/token\")");
        };
        let fields = Self {
            token,
            refresh_token: parse(&post.refresh_token)?,
            expires_in: parse(&post.expires_in)?,
            cut: post
                .cut
                .iter()
                .map(|text| Pointer::parse(text))
                .collect::<Result<_>>()?,
        };
        let (token, refresh_token) = (&fields.token, &fields.refresh_token);
        if refresh_token
            .as_ref()
            .is_some_and(|other| other.overlaps(token))
        {
            return misconfigured("the token and the refresh token are in the same place");
        }
        Ok(fields)
    }

    /// Takes the tokens out of the body of a successful response. A place with nothing, `null` or an empty
    /// text has no token.
    ///
    /// # Errors
    ///
    /// `misconfigured`: something else than a token is in its place.
    pub(super) fn take(&self, body: &mut Value) -> Result<Taken> {
        let expires_in = self
            .expires_in
            .as_ref()
            .and_then(|at| lifetime(at.get(body)?));
        let token = take_token("token", &self.token, body)?;
        let refresh_token = match &self.refresh_token {
            Some(at) => take_token("refresh token", at, body)?,
            None => None,
        };
        for pointer in &self.cut {
            pointer.take(body);
        }
        Ok(Taken {
            token,
            refresh_token,
            expires_in,
        })
    }

    /// Removes the texts that are in the places of tokens from a body that should have none, such as that of
    /// an error.
    pub(super) fn clear(&self, body: &mut Value) {
        let tokens = [Some(&self.token), self.refresh_token.as_ref()];
        for pointer in tokens.into_iter().flatten().chain(&self.cut) {
            if pointer.get(body).is_some_and(Value::is_string) {
                pointer.take(body);
            }
        }
    }
}

impl Taken {
    pub(super) fn into_tokens(self) -> Option<Tokens> {
        let mut tokens = Tokens::new(self.token?);
        tokens.refresh_token = self.refresh_token;
        tokens.expires_in = self.expires_in;
        Some(tokens)
    }
}

fn take_token(name: &str, at: &Pointer, body: &mut Value) -> Result<Option<Token>> {
    let unfit = |why: &str| {
        let message = format!("the response has no {name} where one was named: {why}");
        Err(Error::new(ErrorCode::Misconfigured, message))
    };
    match at.take(body) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => match Token::new(text) {
            Ok(token) => Ok(Some(token)),
            Err(error) => unfit(error.message()),
        },
        Some(_) => unfit("it is not a text"),
    }
}

/// A lifetime in seconds. One that is negative, or beyond what can be counted, says nothing: servers send
/// such numbers, and the token that came with it is good.
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// Whether a text in `body` has `token` in it, be it percent-encoded in a URL or escaped in JSON within JSON.
pub(super) fn shows(body: &Value, token: &Token) -> bool {
    match body {
        Value::String(text) => text_shows(text, token.expose()),
        Value::Array(elements) => elements.iter().any(|element| shows(element, token)),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| text_shows(name, token.expose()) || shows(value, token)),
        Value::Number(number) => number.to_string() == token.expose(),
        Value::Null | Value::Bool(_) => false,
    }
}

fn text_shows(text: &str, token: &str) -> bool {
    text.contains(token)
        || (text.contains('\\') && text.replace('\\', "").contains(token))
        || (text.contains('%')
            && form_urlencoded::parse(text.as_bytes())
                .any(|(name, value)| name.contains(token) || value.contains(token)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(post: &Post) -> TokenFields {
        TokenFields::of(post).unwrap()
    }

    fn usual() -> TokenFields {
        let post = Post::to("/login").token("/token").refresh_token("/refresh");
        fields(&post.expires_in("/expires").cut("/copy"))
    }

    #[test]
    fn p4_the_tokens_are_taken_out_and_the_rest_stays() {
        let mut body = json!({ "token": "t", "refresh": "r", "expires": 60, "copy": "t", "user": { "id": 1 } });
        let tokens = usual().take(&mut body).unwrap().into_tokens().unwrap();
        assert_eq!(tokens.token.expose(), "t");
        assert_eq!(tokens.refresh_token.unwrap().expose(), "r");
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(60)));
        assert_eq!(body, json!({ "expires": 60, "user": { "id": 1 } }));
    }

    #[test]
    fn tokens_are_found_in_arrays_and_as_the_whole_response() {
        let at = |token: &str, mut body: Value| {
            let taken = fields(&Post::to("/").token(token)).take(&mut body).unwrap();
            (taken.token.unwrap().expose().to_owned(), body)
        };
        let list = json!({ "tokens": [{ "v": "t" }, 1] });
        assert_eq!(
            at("/tokens/0/v", list),
            ("t".into(), json!({ "tokens": [{}, 1] }))
        );
        assert_eq!(at("/1", json!([1, "t"])), ("t".into(), json!([1, null])));
        assert_eq!(at("", json!("t")), ("t".into(), Value::Null));
    }

    #[test]
    fn a_place_without_a_token_has_none_and_another_value_is_an_error() {
        for body in [
            json!({}),
            json!(null),
            json!([]),
            json!("text"),
            json!({ "token": null }),
            json!({ "token": "" }),
            json!({ "refresh": "r" }),
        ] {
            let taken = usual().take(&mut body.clone()).unwrap();
            assert!(taken.into_tokens().is_none(), "{body}");
        }
        for body in [
            json!({ "token": 5 }),
            json!({ "token": { "value": "t" } }),
            json!({ "token": ["t"] }),
            json!({ "token": true }),
            json!({ "token": "CANARY\0" }),
            json!({ "token": "t", "refresh": 5 }),
            json!({ "token": "t", "refresh": "CANARY\0" }),
        ] {
            let error = usual().take(&mut body.clone()).err().unwrap();
            assert_eq!(error.code(), ErrorCode::Misconfigured, "{body}");
            assert!(!error.to_string().contains("CANARY"));
        }
    }

    #[test]
    fn a_lifetime_that_says_nothing_costs_nobody_the_token() {
        let hour = Some(Duration::from_secs(3600));
        for (value, expected) in [
            (json!(3600), hour),
            (json!("3600"), hour),
            (json!(" 3600 "), hour),
            (json!(3600.0), hour),
            (json!(0.5), Some(Duration::from_millis(500))),
            (json!(-1), None),
            (json!("-1"), None),
            (json!("soon"), None),
            (json!("NaN"), None),
            (json!("inf"), None),
            (json!(1e300), None),
            (json!(null), None),
            (json!([3600]), None),
        ] {
            let mut body = json!({ "token": "t", "expires": value.clone() });
            let tokens = usual().take(&mut body).unwrap().into_tokens().unwrap();
            assert_eq!(tokens.expires_in, expected, "{value}");
        }
    }

    #[test]
    fn p4_a_second_copy_of_a_token_is_seen_in_whatever_form() {
        let token = Token::new("ab/c+d=~x").unwrap();
        for body in [
            json!("ab/c+d=~x"),
            json!({ "a": ["Bearer ab/c+d=~x"] }),
            json!({ "ab/c+d=~x": 1 }),
            json!({ "a": "{\"token\":\"ab\\/c+d=~x\"}" }),
            json!({ "a": "https://a.b/c?token=ab%2Fc%2Bd%3D~x&d" }),
            json!({ "a": "https://a.b/ab%2fc%2bd%3d%7ex/d" }),
        ] {
            assert!(shows(&body, &token), "{body}");
        }
        assert!(!shows(
            &json!({ "a": "ab/c+d=~", "b": ["%zz", "\\", null] }),
            &token
        ));
        assert!(shows(&json!([12345]), &Token::new("12345").unwrap()));
    }

    #[test]
    fn places_that_are_not_valid_are_refused() {
        for post in [
            Post::to("/"),
            Post::to("/").token("token"),
            Post::to("/").token("/t").refresh_token("/t"),
            Post::to("/").token("/t").refresh_token("/t/r"),
            Post::to("/").token("/t").expires_in("e"),
            Post::to("/").token("/t").cut("c"),
        ] {
            let refused = TokenFields::of(&post).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::Misconfigured);
        }
    }

    #[test]
    fn an_error_keeps_its_messages_and_loses_texts_in_the_places_of_tokens() {
        let mut body = json!({ "token": "t", "refresh": ["is missing"], "message": "no" });
        usual().clear(&mut body);
        assert_eq!(body, json!({ "refresh": ["is missing"], "message": "no" }));
    }
}

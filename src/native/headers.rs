//! Which headers a page may send, and which it gets to see.

use tauri::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::error::{Error, ErrorCode, Result};

/// How many headers a request or a response may have.
pub(super) const MOST: usize = 256;

/// How long all headers of a request or a response may be together, in bytes.
pub(super) const MAX_LEN: u32 = 64 * 1024;

/// What RFC 9112, section 3.2 adds to each header: a colon, a space and a line break.
const PER_HEADER: usize = 4;

/// What a page may not say: the request headers that the Fetch standard forbids, the hop-by-hop headers of RFC 9110,
/// section 7.6.1, and `Authorization`, which is Rust's.
///
/// A `Request` of the page has dropped these already, as the standard says, so who sends one has gone around it: that is
/// an error, and not dropped in silence.
const FORBIDDEN: [&str; 26] = [
    "accept-charset",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "origin",
    "referer",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    // By these some servers answer for another path than that of the request.
    "x-original-url",
    "x-rewrite-url",
];

/// By these some frameworks carry out another method than that of the request.
const OVERRIDES: [&str; 3] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// The headers that a page wants to send.
///
/// # Errors
///
/// - `invalid-argument`: a name or a value that no header has, or too much of them;
/// - `forbidden`: a header that only the plugin sets.
pub(crate) fn of_page<'a>(
    listed: impl Iterator<Item = Option<(&'a str, &'a str)>>,
) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for pair in listed {
        let Some((name, value)) = pair else {
            return Err(Error::invalid(
                "headers must be pairs of a name and a value",
            ));
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            Error::invalid("the name of a header has a character that it must not have")
        })?;
        let is_forbidden = |name: &str| {
            FORBIDDEN.contains(&name) || name.starts_with("proxy-") || name.starts_with("sec-")
        };
        if is_forbidden(name.as_str()) {
            return Err(Error::new(
                ErrorCode::Forbidden,
                format!("a page must not set the header {name}"),
            ));
        }
        let value = value_of(value).ok_or_else(|| {
            Error::invalid(format!(
                "the value of the header {name} has a character that it must not have"
            ))
        })?;
        headers
            .try_append(name, value)
            .map_err(|_| Error::invalid("the request has too many headers"))?;
    }
    if is_too_much(&headers) {
        return Err(Error::invalid(format!(
            "a request has at most {MOST} headers with {MAX_LEN} bytes together"
        )));
    }
    Ok(headers)
}

/// A value as JavaScript writes it: each character is one byte, and white space around it says nothing.
fn value_of(text: &str) -> Option<HeaderValue> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let bytes: Vec<_> = text
        .chars()
        .map(u8::try_from)
        .collect::<std::result::Result<_, _>>()
        .ok()?;
    HeaderValue::from_bytes(&bytes).ok()
}

/// The methods that a server may carry out for a request with `method` and these headers.
///
/// # Errors
///
/// `invalid-argument`: a header names something that is no method.
pub(super) fn methods(method: &Method, headers: &HeaderMap) -> Result<Vec<Method>> {
    let mut methods = vec![method.clone()];
    for name in OVERRIDES {
        for value in headers.get_all(name) {
            let named = value.to_str().unwrap_or_default().split(',');
            for named in named {
                // Servers take them in any case.
                let named = Method::from_bytes(named.trim().to_ascii_uppercase().as_bytes());
                methods.push(
                    named.map_err(|_| {
                        Error::invalid(format!("the header {name} names no method"))
                    })?,
                );
            }
        }
    }
    Ok(methods)
}

/// Removes what says something about a body that is not sent (Fetch standard, "request-body-header name").
pub(super) fn without_body(headers: &mut HeaderMap) {
    for name in [
        header::CONTENT_ENCODING,
        header::CONTENT_LANGUAGE,
        header::CONTENT_LOCATION,
        header::CONTENT_TYPE,
    ] {
        headers.remove(name);
    }
}

/// The headers of a response, as the page gets them: each byte is one character. Cookies are not for pages.
///
/// # Errors
///
/// `unavailable`: there are too many.
pub(super) fn for_page(headers: &HeaderMap) -> Result<Vec<(&str, String)>> {
    if is_too_much(headers) {
        return Err(Error::new(
            ErrorCode::Unavailable,
            format!("the response has over {MOST} headers or {MAX_LEN} bytes of them"),
        ));
    }
    let is_seen = |name: &HeaderName| *name != header::SET_COOKIE && *name != "set-cookie2";
    Ok(headers
        .iter()
        .filter(|(name, _)| is_seen(name))
        .map(|(name, value)| {
            (
                name.as_str(),
                value.as_bytes().iter().copied().map(char::from).collect(),
            )
        })
        .collect())
}

fn is_too_much(headers: &HeaderMap) -> bool {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + PER_HEADER)
        .sum();
    headers.len() > MOST || bytes > MAX_LEN as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(name: &str, value: &str) -> Option<ErrorCode> {
        let listed = std::iter::once(Some((name, value)));
        of_page(listed).err().map(|error| error.code())
    }

    #[test]
    fn p4_a_page_sets_no_header_that_is_the_plugins_or_the_connections() {
        for name in FORBIDDEN {
            for name in [name.to_owned(), name.to_uppercase()] {
                assert_eq!(code(&name, "x"), Some(ErrorCode::Forbidden), "{name}");
            }
        }
        for name in [
            "aUtHoRiZaTiOn",
            "Proxy-Authorization",
            "PROXY-X",
            "Sec-Fetch-Mode",
            "sEC-x",
        ] {
            assert_eq!(code(name, "x"), Some(ErrorCode::Forbidden), "{name}");
        }
    }

    #[test]
    fn p4_a_header_smuggles_no_other_header_or_request() {
        for name in [
            "",
            "a b",
            "authorization ",
            " authorization",
            "authorization:",
            "a\r\nb",
            "a\0",
            "a\u{130}",
            "\u{212a}eep-alive",
        ] {
            assert_eq!(
                code(name, "x"),
                Some(ErrorCode::InvalidArgument),
                "{name:?}"
            );
        }
        for value in [
            "a\r\nAuthorization: x",
            "a\nb",
            "a\rb",
            "a\0b",
            "a\u{7f}",
            "\u{10a}",
            "\u{20ac}",
        ] {
            assert_eq!(
                code("x", value),
                Some(ErrorCode::InvalidArgument),
                "{value:?}"
            );
        }
    }

    #[test]
    fn what_the_standard_allows_is_sent_as_bytes() {
        let listed = [
            ("X-A", " \tone "),
            ("x-a", "caf\u{e9}"),
            ("Content-Type", "text/plain"),
        ];
        let headers = of_page(listed.into_iter().map(Some)).unwrap();
        let values: Vec<_> = headers
            .get_all("x-a")
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        assert_eq!(values, [b"one".as_slice(), b"caf\xe9"]);
        let seen = for_page(&headers).unwrap();
        assert!(seen.contains(&("x-a", "caf\u{e9}".into())), "{seen:?}");
    }

    #[test]
    fn too_many_headers_are_refused_both_ways() {
        let many = (0..257).map(|_| Some(("x", "y")));
        assert_eq!(
            of_page(many).unwrap_err().code(),
            ErrorCode::InvalidArgument
        );
        let long = "x".repeat(64 * 1024);
        assert_eq!(code("x", &long), Some(ErrorCode::InvalidArgument));
        let mut headers = HeaderMap::new();
        headers.insert("x", long.parse().unwrap());
        assert_eq!(
            for_page(&headers).unwrap_err().code(),
            ErrorCode::Unavailable
        );
    }

    #[test]
    fn p5_a_header_that_names_another_method_is_judged_too() {
        let listed = [("X-HTTP-Method-Override", "delete, TRACE")];
        let headers = of_page(listed.into_iter().map(Some)).unwrap();
        let methods = methods(&Method::POST, &headers).unwrap();
        assert_eq!(methods, [Method::POST, Method::DELETE, Method::TRACE]);
    }

    #[test]
    fn cookies_are_not_for_pages() {
        let mut headers = HeaderMap::new();
        headers.insert("set-cookie", "a=b".parse().unwrap());
        headers.insert("set-cookie2", "a=b".parse().unwrap());
        headers.insert("etag", "1".parse().unwrap());
        assert_eq!(for_page(&headers).unwrap(), [("etag", "1".into())]);
    }
}

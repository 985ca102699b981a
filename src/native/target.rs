//! The URL of a request, as a page names it: normalised, and refused if a server could read it differently.

use std::{fmt, net::IpAddr};

use tauri::Url;

use crate::error::{Error, ErrorCode, Result};

/// Where a request goes: an `https:` URL, or `http:` to this machine, without userinfo and fragment.
///
/// What is judged is what is sent: the URL as the `url` crate has normalised it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    url: Url,
    readings: Vec<Vec<String>>,
}

impl Target {
    /// The longest URL, in bytes: the `http` crate takes no longer one.
    pub(crate) const MAX_LEN: usize = u16::MAX as usize - 1;

    /// Reads an absolute URL.
    ///
    /// # Errors
    ///
    /// - [`ErrorCode::InvalidArgument`]: `text` is not an absolute URL, has a space or a control character, or is
    ///   longer than [`MAX_LEN`](Self::MAX_LEN).
    /// - [`ErrorCode::Forbidden`]: it is a URL to which no window may send: another scheme, userinfo, a host name with a
    ///   trailing dot, or a path that servers read in different ways.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        // The parser would remove tabs, line breaks, and spaces at the ends.
        if text.chars().any(|c| c == ' ' || c.is_control()) {
            return Err(Error::invalid(
                "a URL must not contain spaces or control characters; percent-encode them",
            ));
        }
        // By the text, before the parser mends it.
        check_beginning(text)?;
        let mut url = Url::parse(text).map_err(|_| invalid_url())?;
        url.set_fragment(None);
        if text.len().max(url.as_str().len()) > Self::MAX_LEN {
            return Err(Error::invalid(format!(
                "a URL has at most {} bytes",
                Self::MAX_LEN
            )));
        }
        if url.scheme() != "https" && !is_this_machine(&url) {
            return Err(elsewhere());
        }
        if url.domain().is_some_and(|name| name.ends_with('.')) {
            return Err(forbidden("the host of a URL must not end with a dot"));
        }
        let readings = readings(&url).ok_or_else(|| {
            forbidden(
                "servers read the path of this URL in different ways: it has an empty segment, an encoded slash, \
                 backslash or control character, a percent sign that is encoded twice or encodes nothing, \
                 bytes that are not UTF-8, or dots before a semicolon",
            )
        })?;
        Ok(Self { url, readings })
    }

    /// What `location`, the header of a redirect, names from here.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub(crate) fn join(&self, location: &str) -> Result<Self> {
        match self.url.join(location) {
            Ok(url) => Self::parse(url.as_str()),
            Err(_) => Err(Error::invalid("the location of a redirect is not a URL")),
        }
    }

    /// The URL to send to.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The segments of the path, decoded, once for each way in which servers read them.
    ///
    /// Some decode `%3F` and `%23` before they look where the path ends.
    pub(super) fn readings(&self) -> &[Vec<String>] {
        &self.readings
    }

    /// Whether both have the same scheme, host and port.
    pub(crate) fn has_origin_of(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }
}

/// Without the query, which may hold what nobody should read in a log.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        url.set_query(None);
        f.debug_tuple("Target").field(&url.as_str()).finish()
    }
}

/// The segment as servers see it that take what follows a `;` for a parameter (Tomcat), or that ignore dots and spaces
/// at the end (Windows).
pub(super) fn name_of(segment: &str) -> &str {
    let name = segment.split(';').next().unwrap_or_default();
    name.trim_end_matches(['.', ' '])
}

fn forbidden(message: &str) -> Error {
    Error::new(ErrorCode::Forbidden, message)
}

fn invalid_url() -> Error {
    Error::invalid(
        "the URL is not valid; write an absolute one, such as https://api.example.com/v1/me",
    )
}

fn elsewhere() -> Error {
    forbidden("a request goes to https:, or to http: on localhost, 127.0.0.1 or [::1]")
}

fn is_this_machine(url: &Url) -> bool {
    match (url.domain(), url.host_str()) {
        (Some(name), _) => name == "localhost",
        (None, Some(address)) => address
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback()),
        (None, None) => false,
    }
}

/// Refuses another scheme, and what the parser would quietly mend: `https:host`, `https:\\host`, `https://user@host`,
/// `https://%68ost`.
fn check_beginning(text: &str) -> Result<()> {
    let (scheme, rest) = text.split_once(':').ok_or_else(invalid_url)?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme {
        return Err(invalid_url());
    }
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(elsewhere());
    }
    let before_query = rest.split(['?', '#']).next().unwrap_or_default();
    if before_query.contains('\\') {
        return Err(forbidden(
            "a URL must not contain a backslash; write / or %5C in the query",
        ));
    }
    let authority = before_query
        .strip_prefix("//")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    if authority.is_empty() || authority.contains(['@', '%']) {
        return Err(forbidden(
            "a URL must begin with https:// and the host, without a user name, a password or percent-encoding",
        ));
    }
    Ok(())
}

/// Every way to read the path, or none if one of them is not safe.
fn readings(url: &Url) -> Option<Vec<Vec<String>>> {
    let path = url.path().strip_prefix('/')?;
    let whole = path.split('/').map(decode).collect::<Option<Vec<_>>>()?;
    let mut readings = vec![whole];
    readings.extend(cut_at_delimiter(&readings[0]));
    readings
        .iter()
        .all(|path| is_unambiguous(path))
        .then_some(readings)
}

fn cut_at_delimiter(path: &[String]) -> Option<Vec<String>> {
    let (index, at) = path
        .iter()
        .enumerate()
        .find_map(|(index, segment)| Some((index, segment.find(['?', '#'])?)))?;
    let mut cut = path[..=index].to_vec();
    cut[index].truncate(at);
    Some(cut)
}

/// Whether every segment has a name, apart from the empty one after a slash at the end.
fn is_unambiguous(path: &[String]) -> bool {
    let last = path.len().saturating_sub(1);
    path.iter().enumerate().all(|(index, segment)| {
        (segment.is_empty() && index == last) || !name_of(segment).is_empty()
    })
}

/// The text that `segment` encodes, or none if servers differ on what that is.
fn decode(segment: &str) -> Option<String> {
    let mut parts = segment.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(hex(part)?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    let text = String::from_utf8(bytes).ok()?;
    let is_encoded_twice = text
        .split('%')
        .skip(1)
        // `%u002e` is how old versions of IIS write a character.
        .any(|part| hex(part).is_some() || part.starts_with(['u', 'U']));
    let has_delimiter = text.contains(|c: char| c == '/' || c == '\\' || c.is_control());
    (!is_encoded_twice && !has_delimiter).then_some(text)
}

/// The byte that the first two digits of `text` name.
fn hex(text: &str) -> Option<u8> {
    let digits = text
        .get(..2)
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str) -> Result<String, ErrorCode> {
        match Target::parse(text) {
            Ok(target) => Ok(target.url().to_string()),
            Err(error) => Err(error.code()),
        }
    }

    #[test]
    fn p5_a_url_is_sent_as_it_was_judged() {
        for (text, url) in [
            ("https://API.Example.com", "https://api.example.com/"),
            ("HTTPS://api.example.com:443/a", "https://api.example.com/a"),
            (
                "https://api.example.com:0443/a",
                "https://api.example.com/a",
            ),
            (
                "https://api.example.com:8443/a",
                "https://api.example.com:8443/a",
            ),
            (
                "https://api.example.com/a?q=1\\2#f",
                "https://api.example.com/a?q=1\\2",
            ),
            (
                "https://api.example.com/a/../b/./c",
                "https://api.example.com/b/c",
            ),
            (
                "https://api.example.com/a/%2E%2e/b",
                "https://api.example.com/b",
            ),
            (
                "https://api.example.com/a/.%2e/b",
                "https://api.example.com/b",
            ),
            (
                "https://api.example.com/../../b",
                "https://api.example.com/b",
            ),
            (
                "https://api.example.com/é?é",
                "https://api.example.com/%C3%A9?%C3%A9",
            ),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://ａｐｉ．example。com/", "https://api.example.com/"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("http://１２７.０.０.１/", "http://127.0.0.1/"),
            ("http://127.255.0.9:8080/", "http://127.255.0.9:8080/"),
            ("http://[0:0::1]/", "http://[::1]/"),
            ("http://LOCALHOST:80/", "http://localhost/"),
        ] {
            assert_eq!(sent(text).as_deref(), Ok(url), "{text}");
        }
    }

    #[test]
    fn p5_a_text_that_is_no_absolute_url_is_refused() {
        for text in [
            "",
            "/v1/me",
            "//api.example.com/v1/me",
            "api.example.com/v1/me",
            "http://١٢٧.0.0.1/",
            "https://١٢٧/",
            "1https://api.example.com/",
            "https://:443/",
            "https://api.example.com:65536/",
            "https://api.example.com:8x/",
            "https://api exa.com/",
            "https://api.example.com/a b",
            " https://api.example.com/",
            "https://api.example.com/\r\nHost: evil.com",
            "ht\ttps://api.example.com/",
            "https://api.exam\u{0}ple.com/",
            "https://api.example.com/\u{85}",
            "https://[::1/",
            "http://127.0.0.256/",
            "http://0x100000000/",
            "https://a<b.example.com/",
            "https://xn--a.example.com/",
        ] {
            let code = sent(text);
            assert_eq!(code, Err(ErrorCode::InvalidArgument), "{text}");
        }
    }

    #[test]
    fn p5_a_url_to_which_nobody_may_send_is_forbidden() {
        for text in [
            "http://api.example.com/",
            "http://localhost.evil.com/",
            "http://evil.localhost/",
            "http://localhost./",
            "http://128.0.0.1/",
            "http://0.0.0.0/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::]/",
            "ws://localhost/",
            "wss://api.example.com/",
            "ftp://api.example.com/",
            "file:///etc/passwd",
            "blob:https://api.example.com/1",
            "data:text/plain,a",
            "javascript:fetch('https://api.example.com')",
            "https://",
            "https:///\u{202e}",
            "https://?q",
            "javascript://:@/",
            "localhost:3000/",
            "https:api.example.com/",
            "https:/api.example.com/",
            "https:///api.example.com/",
            "https:\\\\api.example.com\\a",
            "https://api.example.com\\@evil.com/",
            "https://api.example.com/a\\..\\b",
            "https://user@api.example.com/",
            "https://user:word@api.example.com/",
            "https://@api.example.com/",
            "https://api.example.com@evil.com/",
            "https://api.example.com./",
            "https://api.example.com。/",
            "https://%61pi.example.com/",
            "https://[::1%25lo]/",
            "https://api.example.com%2eevil.com/",
        ] {
            assert_eq!(sent(text), Err(ErrorCode::Forbidden), "{text}");
        }
    }

    #[test]
    fn p5_a_path_that_servers_read_differently_is_forbidden() {
        for path in [
            "//a",
            "/a//b",
            "/a//",
            "/a%2Fb",
            "/a%2fb",
            "/..%2Fa",
            "/a%5Cb",
            "/a%5cb",
            "/a%00",
            "/a%0D%0Ab",
            "/a%7F",
            "/%C2%85",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%u002e",
            "/a%+1",
            "/%252e%252e/a",
            "/%25%32%65",
            "/%2561",
            "/%25u002e",
            "/%FF",
            "/%C0%AF",
            "/%E0%80%AE",
            "/a/..;/b",
            "/a/..;x/b",
            "/a/%2e%2e;/b",
            "/a/;/b",
            "/;x",
            "/a/.../b",
            "/a/%20/b",
            "/a/..%20/b",
            "/a/..%3Fx",
            "/a/..%23/b",
            "/a/.;",
        ] {
            let url = format!("https://api.example.com{path}");
            assert_eq!(sent(&url), Err(ErrorCode::Forbidden), "{path}");
        }
        for path in [
            "/",
            "/a/",
            "/a%20b",
            "/100%25",
            "/100%25zz",
            "/a;b=c",
            "/a.",
            "/...a",
            "/@me",
            "/a:publish",
            "/%23room",
            "/what%3F",
            "/%F0%9F%94%91",
            "/a+b",
            "/(a)",
            "/a,b&c=d",
            "/~ada",
            "/-_.!$'*|^`[]{}\"<>",
        ] {
            let url = format!("https://api.example.com{path}");
            assert!(sent(&url).is_ok(), "{path}");
        }
    }

    #[test]
    fn p5_a_redirect_is_read_as_a_url_of_a_page() {
        let from = Target::parse("https://api.example.com/v1/me?q#f").unwrap();
        for (location, url) in [
            ("you", Ok("https://api.example.com/v1/you")),
            ("/v2/", Ok("https://api.example.com/v2/")),
            ("?p", Ok("https://api.example.com/v1/me?p")),
            ("../../v2", Ok("https://api.example.com/v2")),
            ("//evil.com/", Ok("https://evil.com/")),
            ("\\\\evil.com\\", Ok("https://evil.com/")),
            ("/v1//admin", Err(ErrorCode::Forbidden)),
            ("http://api.example.com/", Err(ErrorCode::Forbidden)),
            ("https://user@api.example.com/", Err(ErrorCode::Forbidden)),
            ("javascript:1", Err(ErrorCode::Forbidden)),
            ("https://:1", Err(ErrorCode::InvalidArgument)),
        ] {
            let to = from.join(location);
            let to = to.as_ref().map(|to| to.url().as_str());
            assert_eq!(to.map_err(Error::code), url, "{location}");
        }
    }

    #[test]
    fn a_url_has_a_longest_length() {
        let longest = format!("https://a.b/{}", "x".repeat(Target::MAX_LEN - 12));
        assert!(sent(&longest).is_ok());
        assert_eq!(
            sent(&format!("{longest}x")),
            Err(ErrorCode::InvalidArgument)
        );
        let grows = format!("https://a.b/{}", "é".repeat(Target::MAX_LEN / 4));
        assert_eq!(sent(&grows), Err(ErrorCode::InvalidArgument));
    }

    #[test]
    fn p4_a_query_is_in_no_debug_text_and_in_no_message() {
        let target = Target::parse("https://api.example.com/a?key=canary").unwrap();
        assert_eq!(
            format!("{target:?}"),
            r#"Target("https://api.example.com/a")"#
        );
        for text in [
            "/a?key=canary",
            "http://a.b/?key=canary",
            "https://canary@a.b/",
            "https://a.b//?key=canary",
            "https://a.b\\?key=canary",
            "https://a.b./?key=canary",
            "https://a.b/?key=canary \n",
        ] {
            let error = Target::parse(text).unwrap_err();
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}

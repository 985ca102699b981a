//! The `url` of a scope entry: one origin and the paths below it.

use super::target::{Target, name_of};
use crate::error::{Error, ErrorCode, Result};

/// The URLs that a scope entry names.
///
/// ```text
/// https://api.example.com/v1/me        this path
/// https://api.example.com/v1/*         every path that begins with /v1/
/// https://api.example.com/v1/*/avatar  any one segment in place of the *
/// ```
///
/// A `*` stands for a whole segment of the path. There is none for the origin: an API is at hosts that the app's author
/// knows, and a `*` for subdomains would send the token to whoever can have one.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    root: Target,
    segments: Vec<Segment>,
    /// Whether the pattern ends in `/*`, which stands for every path below.
    is_open: bool,
}

#[derive(Debug, Clone)]
enum Segment {
    Any,
    Is(String),
}

impl Pattern {
    /// Reads the `url` of a scope entry.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Misconfigured`]: `text` is not a pattern, or is one that reads as if it named more than it does.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let root = Target::parse(text).map_err(|error| misconfigured(error.message()))?;
        if text.contains(['?', '#']) {
            return Err(misconfigured("it must not have a query or a fragment"));
        }
        if root.url().host_str().is_some_and(|host| host.contains('*')) {
            return Err(misconfigured(
                "its host must not contain a *; write one entry per host",
            ));
        }
        let mut written = text.split('/').skip(3).peekable();
        if written.peek().is_none() {
            return Err(misconfigured(
                "it has no path; end it with /* for all paths",
            ));
        }
        if written.any(is_dots) {
            return Err(misconfigured(
                "its path must not contain . or .. as a segment",
            ));
        }
        let encoded = root.url().path().split('/').skip(1);
        let segment = |(encoded, decoded): (&str, &String)| match encoded {
            "*" => Ok(Segment::Any),
            _ if encoded.contains('*') => Err(misconfigured(
                "a * must be a whole segment of the path, as in /v1/* and /v1/*/avatar",
            )),
            _ if decoded.contains([';', '?', '#']) => Err(misconfigured(
                "its path must not contain a semicolon, or an encoded ? or #",
            )),
            _ => Ok(Segment::Is(decoded.clone())),
        };
        let decoded = root.readings().iter().flatten();
        let mut segments = encoded
            .zip(decoded)
            .map(segment)
            .collect::<Result<Vec<_>>>()?;
        let is_open = matches!(segments.last(), Some(Segment::Any));
        if is_open {
            segments.pop();
        }
        Ok(Self {
            root,
            segments,
            is_open,
        })
    }

    /// Whether an allow entry with this pattern names `target`, however a server reads its path.
    pub(crate) fn allows(&self, target: &Target) -> bool {
        let is_same = |name: &str, segment: &str| name == segment;
        let is_named = |path: &Vec<String>| {
            // `/v1/*` is for what follows the slash, be it nothing: it needs one more segment.
            let is_below = path.len() > self.segments.len();
            is_below == self.is_open && covers(&self.segments, path, is_same)
        };
        self.root.has_origin_of(target) && target.readings().iter().all(is_named)
    }

    /// Whether a deny entry with this pattern names `target`, if any server could read its path so: without regard to
    /// case, to a slash at the end, to dots and spaces at the end of a segment, and to parameters after a `;`.
    pub(crate) fn denies(&self, target: &Target) -> bool {
        let is_same = |name: &str, segment: &str| {
            name_of(name).to_lowercase() == name_of(segment).to_lowercase()
        };
        let segments = match self.segments.as_slice() {
            [rest @ .., Segment::Is(last)] if last.is_empty() => rest,
            segments => segments,
        };
        let is_named = |path: &Vec<String>| {
            let path = match path.as_slice() {
                [rest @ .., last] if last.is_empty() => rest,
                path => path,
            };
            (self.is_open || path.len() == segments.len()) && covers(segments, path, is_same)
        };
        self.root.has_origin_of(target) && target.readings().iter().any(is_named)
    }
}

/// Whether the parser takes the segment away.
fn is_dots(segment: &str) -> bool {
    matches!(
        segment.to_lowercase().replace("%2e", ".").as_str(),
        "." | ".."
    )
}

/// Whether `path` begins with `segments`.
fn covers(segments: &[Segment], path: &[String], is_same: impl Fn(&str, &str) -> bool) -> bool {
    path.len() >= segments.len()
        && segments
            .iter()
            .zip(path)
            .all(|(segment, text)| match segment {
                Segment::Any => true,
                Segment::Is(name) => is_same(name, text),
            })
}

fn misconfigured(reason: &str) -> Error {
    Error::new(
        ErrorCode::Misconfigured,
        format!(
            "the url of a scope entry in the capability of this window is not valid: {reason}; \
             write such as https://api.example.com/v1/*"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    fn target(text: &str) -> Target {
        Target::parse(text).unwrap()
    }

    #[test]
    fn p5_a_pattern_that_reads_as_more_than_it_names_is_refused() {
        for text in [
            "*",
            "https://*",
            "https://api.example.com",
            "https://*.example.com/*",
            "https://api.example.com:*/*",
            "*://api.example.com/*",
            "http://api.example.com/*",
            "http*://localhost/*",
            "https://api.example.com./*",
            "https://user@api.example.com/*",
            "https://api.example.com/v1*",
            "https://api.example.com/v1/**",
            "https://api.example.com/*.json",
            "https://api.example.com/v1//*",
            "https://api.example.com/v1/../*",
            "https://api.example.com/v1/.",
            "https://api.example.com/v1/%2E%2e",
            "https://api.example.com/..",
            "https://api.example.com/v1/*?q=*",
            "https://api.example.com/v1/*?",
            "https://api.example.com/v1/*#",
            "https://api.example.com/v1/a;b",
            "https://api.example.com/v1/a%3Bb",
            "https://api.example.com/v1/a%3F",
            "https://api.example.com/v1/%23a",
            "https://api.example.com/v1/a%2Fb",
            "https://api.example.com/v1/a b",
            "/v1/*",
            "",
        ] {
            let code = Pattern::parse(text).map_err(|error| error.code());
            assert_eq!(code.unwrap_err(), ErrorCode::Misconfigured, "{text}");
        }
    }

    #[test]
    fn p5_an_encoded_star_is_a_star() {
        let star = pattern("https://api.example.com/a/%2A/%2a");
        assert!(star.allows(&target("https://api.example.com/a/*/*")));
        assert!(!star.allows(&target("https://api.example.com/a/b/c")));
    }

    #[test]
    fn p5_a_path_is_allowed_only_if_each_reading_of_it_is() {
        let below = pattern("https://api.example.com/rooms/*");
        assert!(below.allows(&target("https://api.example.com/rooms/%23all/join")));
        let join = pattern("https://api.example.com/rooms/*/join");
        assert!(join.allows(&target("https://api.example.com/rooms/all/join")));
        assert!(!join.allows(&target("https://api.example.com/rooms/all%23/join")));
        assert!(!join.allows(&target("https://api.example.com/rooms/all%3F/join")));
    }

    #[test]
    fn p5_a_path_is_denied_if_one_reading_of_it_is() {
        let admin = pattern("https://api.example.com/v1/Admin");
        for path in [
            "Admin",
            "admin",
            "ADMIN/",
            "%41dmin",
            "admin;x",
            "admin;/",
            "admin.",
            "admin%20..%20",
            "admin%3Fx/y",
            "admin%23",
            "admin;x%3Fy",
            "admin;%3F;/y",
            "admin%3B",
        ] {
            let url = format!("https://api.example.com/v1/{path}");
            assert!(admin.denies(&target(&url)), "{path}");
        }
        for path in ["", "admi", "admins", "admin/x", "x/admin", "admin%3Fx/../y"] {
            let url = format!("https://api.example.com/v1/{path}");
            assert!(!admin.denies(&target(&url)), "{path}");
        }
        let of_users = pattern("https://api.example.com/users/*/keys/*");
        for path in [
            "users/a/keys",
            "users/a/keys/",
            "Users/a;b/KEYS/1/2",
            "users/a/keys%3F/x",
        ] {
            let url = format!("https://api.example.com/{path}");
            assert!(of_users.denies(&target(&url)), "{path}");
        }
        let all = pattern("https://api.example.com/*");
        assert!(all.denies(&target("https://api.example.com")));
    }
}

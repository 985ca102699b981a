//! JSON pointers (RFC 6901).

use serde_json::{Map, Value};

use crate::error::{Error, ErrorCode, Result};

/// Names one value in a JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(String);

impl Pointer {
    /// # Errors
    ///
    /// `misconfigured`: `text` is no pointer.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let is_escaped = text
            .split('~')
            .skip(1)
            .all(|rest| rest.starts_with(['0', '1']));
        if (text.is_empty() || text.starts_with('/')) && is_escaped {
            return Ok(Self(text.into()));
        }
        let message = format!(
            "\"{text}\" is not a JSON pointer (RFC 6901): write \"/token\", or \"/data/token\" for a member of \
             a member, with ~0 for ~ and ~1 for /"
        );
        Err(Error::new(ErrorCode::Misconfigured, message))
    }

    /// Whether it names the whole document.
    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the two names a part of what the other names, or both the same.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let is_within = |inner: &str, outer: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        is_within(&self.0, &other.0) || is_within(&other.0, &self.0)
    }

    pub(super) fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(&self.0)
    }

    /// Takes the value out of `document`. An element of an array leaves a `null` behind, so that the other
    /// elements keep their places.
    pub(super) fn take(&self, document: &mut Value) -> Option<Value> {
        let Some((parent, name)) = self.0.rsplit_once('/') else {
            return Some(document.take());
        };
        if let Value::Object(members) = document.pointer_mut(parent)? {
            return members.remove(&unescape(name));
        }
        document.pointer_mut(&self.0).map(Value::take)
    }

    /// Puts `value` into `document`, with the objects on the way to it. `false`: there is something else than
    /// an object on the way.
    pub(super) fn put(&self, document: &mut Value, value: Value) -> bool {
        let mut place = document;
        for name in self.0.split('/').skip(1) {
            let Value::Object(members) = place else {
                return false;
            };
            place = members
                .entry(unescape(name))
                .or_insert_with(|| Value::Object(Map::new()));
        }
        *place = value;
        true
    }
}

/// In this order, or `~01` would become `/`.
fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).unwrap()
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["", "/", "/a", "/a/b", "/~0/~1", "/a~01", "//", "/0"] {
            assert!(Pointer::parse(text).is_ok(), "{text}");
        }
        for text in ["a", "a/b", "#/a", "$.a", "/~", "/a~2", "/~/a", " /a"] {
            let refused = Pointer::parse(text).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::Misconfigured, "{text}");
        }
    }

    #[test]
    fn a_value_is_taken_from_where_the_standard_says() {
        // RFC 6901, section 5.
        let document = json!({
            "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7,
            "m~n": 8
        });
        for (text, value) in [
            ("", document.clone()),
            ("/foo", json!(["bar", "baz"])),
            ("/foo/0", json!("bar")),
            ("/", json!(0)),
            ("/a~1b", json!(1)),
            ("/c%d", json!(2)),
            ("/e^f", json!(3)),
            ("/g|h", json!(4)),
            ("/i\\j", json!(5)),
            ("/k\"l", json!(6)),
            ("/ ", json!(7)),
            ("/m~0n", json!(8)),
        ] {
            let mut from = document.clone();
            assert_eq!(pointer(text).get(&from), Some(&value), "{text}");
            assert_eq!(pointer(text).take(&mut from), Some(value), "{text}");
            let left = pointer(text).get(&from);
            assert!(left.is_none_or(Value::is_null), "{text}");
        }
        for text in ["/foo/2", "/foo/00", "/foo/-", "/foo/0/a", "/x", "/x/y"] {
            let mut from = document.clone();
            assert_eq!(pointer(text).take(&mut from), None, "{text}");
            assert_eq!(from, document, "{text}");
        }
    }

    #[test]
    fn the_other_elements_of_an_array_keep_their_places() {
        let mut document = json!(["a", "b"]);
        assert_eq!(pointer("/0").take(&mut document), Some(json!("a")));
        assert_eq!(document, json!([null, "b"]));
    }

    #[test]
    fn a_value_is_put_where_the_pointer_says() {
        let mut document = json!({ "a": 1 });
        assert!(pointer("/b/c~1d").put(&mut document, json!("x")));
        assert!(pointer("/a").put(&mut document, json!(2)));
        assert_eq!(document, json!({ "a": 2, "b": { "c/d": "x" } }));
        assert!(!pointer("/a/b").put(&mut document, json!("x")));
        assert!(!pointer("/a").put(&mut json!([]), json!("x")));
    }

    #[test]
    fn a_pointer_into_another_overlaps_it() {
        let overlap = |one, other| pointer(one).overlaps(&pointer(other));
        assert!(overlap("/a", "/a") && overlap("/a", "/a/b") && overlap("/a/b", "/a"));
        assert!(overlap("", "/a"));
        assert!(!overlap("/a", "/ab") && !overlap("/a", "/b"));
    }
}

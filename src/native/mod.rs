//! Requests that Rust sends for a page, with the bearer attached here: the token never enters JavaScript.

pub(crate) mod pattern;
#[allow(dead_code, reason = "the client of the requests comes next")]
pub(crate) mod target;

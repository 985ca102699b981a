//! Requests that Rust sends for a page, with the bearer attached here: the token never enters JavaScript.

//! Requests that Rust sends for a page, with the bearer attached here: the token never enters JavaScript.

mod challenge;
mod client;
mod document;
mod download;
mod echo;
mod endpoint;
mod exchange;
mod experience;
mod fault;
mod headers;
mod media;
mod options;
pub(crate) mod pattern;
mod pointer;
mod post;
mod refresh;
mod refusal;
mod requests;
mod revoke;
mod send;
mod sign_in;
pub(crate) mod target;
mod token_fields;
mod upload;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    client::Client,
    headers::of_page as headers_of_page,
    media::{Medium, empty as media_response},
    requests::{AT_ONCE, Limits, PageRequests, Requests},
    send::{Order, Redirect},
    sign_in::{Outcome, SignIn},
    upload::{Body, upload},
};
pub use self::{
    options::Native,
    post::Post,
    sign_in::{LoginError, SignedIn},
};

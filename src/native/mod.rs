//! Requests that Rust sends for a page, with the bearer attached here: the token never enters JavaScript.

mod client;
mod document;
mod endpoint;
mod exchange;
mod options;
mod pointer;
mod post;
mod refresh;
mod refusal;
mod revoke;
mod sign_in;
mod token_fields;

pub(crate) use self::{
    client::Client,
    sign_in::{Outcome, SignIn},
};
pub use self::{
    options::Native,
    post::Post,
    sign_in::{LoginError, SignedIn},
};

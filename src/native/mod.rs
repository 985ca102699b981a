//! Requests that Rust sends for a page, with the bearer attached here: the token never enters JavaScript.

mod challenge;
mod client;
mod download;
mod echo;
mod experience;
mod fault;
mod headers;
mod media;
mod requests;
mod send;
pub(crate) mod target;
mod upload;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    client::Client,
    headers::of_page as headers_of_page,
    media::{Medium, empty as media_response},
    requests::{AT_ONCE, Limits, PageRequests, Requests},
    send::{Order, Redirect},
    upload::{Body, upload},
};

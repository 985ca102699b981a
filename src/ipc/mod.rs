//! What a page calls: the commands, their arguments, and what ends with the page.

mod args;
pub(crate) mod commands;
#[cfg(feature = "native")]
mod frame;
#[cfg(feature = "native")]
pub(crate) mod media;
#[cfg(feature = "native")]
pub(crate) mod native_commands;
#[cfg(feature = "native")]
pub(crate) mod native_sign_in;
mod pages;
mod scope;
pub(crate) mod session_commands;

pub(crate) use self::pages::Pages;

//! Whom Android trusts, for requests that Rust sends: asked of the shim.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use tauri::{AppHandle, Manager, Runtime, plugin::PluginHandle};

use super::mobile::reported;
use crate::error::{Error, ErrorCode, Result};

/// The shim, for what is not about records.
pub(super) struct NativePart<R: Runtime>(pub(super) PluginHandle<R>);

/// The certificates that Android trusts, those of the user included, each as DER. Blocks until the shim has read
/// them, so it must not be called on the UI thread.
///
/// # Errors
///
/// `misconfigured`: there is no shim. Else what reading them failed with.
pub(crate) fn trusted_roots<R: Runtime>(app: &AppHandle<R>) -> Result<Vec<Vec<u8>>> {
    #[derive(Deserialize)]
    struct Trusted {
        certificates: Vec<String>,
    }

    let Some(part) = app.try_state::<NativePart<R>>() else {
        return Err(Error::new(
            ErrorCode::Misconfigured,
            "the plugin's native part is missing, and with it the certificates that Android trusts",
        ));
    };
    let trusted = part.0.run_mobile_plugin("trustedRoots", ());
    let Trusted { certificates } = trusted.map_err(|error| reported(&error))?;
    let decoded = certificates.iter().map(|one| STANDARD.decode(one));
    decoded
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| Error::internal("the answer of the plugin's native part makes no sense"))
}

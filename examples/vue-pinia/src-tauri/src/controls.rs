//! What the page may do to the app and to its key store, so that a person sees how the session takes it.

use tauri::AppHandle;

/// Quits the app and starts it again.
#[tauri::command]
#[allow(
    clippy::needless_pass_by_value,
    reason = "Tauri hands it to a command by value"
)]
pub fn restart(app: AppHandle) {
    app.request_restart();
}

/// Whether [`lock_keyring`] works here.
#[tauri::command]
pub fn can_lock_keyring() -> bool {
    cfg!(target_os = "linux")
}

/// Locks the desktop's default keyring, for every program that uses it.
///
/// # Errors
///
/// Text for the event log: there is no keyring, or it refused.
#[cfg(target_os = "linux")]
#[tauri::command]
pub async fn lock_keyring() -> Result<(), String> {
    secret_service::lock()
        .await
        .map_err(|error| error.to_string())
}

/// The page offers no such button here.
///
/// # Errors
///
/// Always.
#[cfg(not(target_os = "linux"))]
#[tauri::command]
pub fn lock_keyring() -> Result<(), String> {
    Err("this demo locks keyrings of Linux only".into())
}

/// The Secret Service API, <https://specifications.freedesktop.org/secret-service/latest/>.
#[cfg(target_os = "linux")]
mod secret_service {
    use zbus::zvariant::{ObjectPath, OwnedObjectPath};
    use zbus::{Connection, Result};

    const BUS: &str = "org.freedesktop.secrets";
    const SERVICE: &str = "org.freedesktop.Secret.Service";
    const PATH: &str = "/org/freedesktop/secrets";

    pub async fn lock() -> Result<()> {
        let bus = Connection::session().await?;
        let alias = bus
            .call_method(Some(BUS), PATH, Some(SERVICE), "ReadAlias", &"default")
            .await?;
        let collection: OwnedObjectPath = alias.body().deserialize()?;
        if is_none(&collection) {
            return Err(zbus::Error::Failure("there is no default keyring".into()));
        }
        let locked = bus
            .call_method(Some(BUS), PATH, Some(SERVICE), "Lock", &vec![collection])
            .await?;
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = locked.body().deserialize()?;
        if !is_none(&prompt) {
            let interface = Some("org.freedesktop.Secret.Prompt");
            bus.call_method(Some(BUS), prompt, interface, "Prompt", &"")
                .await?;
        }
        Ok(())
    }

    /// The service says "none" with the path of the root.
    fn is_none(path: &ObjectPath<'_>) -> bool {
        path.as_str() == "/"
    }
}

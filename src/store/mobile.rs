//! Android and iOS: the native shims in `android/` and `ios/`, which seal records with the Keystore
//! and the Keychain.

use async_trait::async_trait;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tauri::{
    Runtime,
    plugin::{PluginApi, PluginHandle, mobile::PluginInvokeError},
};
use zeroize::Zeroizing;

use super::{Item, Prompts, SecretStore, StoreInfo, StoreState};
use crate::{
    error::{Error, ErrorCode, Result},
    token::Account,
};

/// The Kotlin package of `android/src/main/java`.
#[cfg(target_os = "android")]
const PACKAGE: &str = "app.secure_token";

#[cfg(target_os = "ios")]
mod binding {
    #![allow(unsafe_code, reason = "the macro declares the function of ios/Sources")]

    use super::{DeserializeOwned, PluginApi, PluginHandle, PluginInvokeError, Runtime};

    tauri::ios_plugin_binding!(init_plugin_secure_token);

    pub(super) fn register<R: Runtime, C: DeserializeOwned>(
        api: &PluginApi<R, C>,
    ) -> Result<PluginHandle<R>, PluginInvokeError> {
        api.register_ios_plugin(init_plugin_secure_token)
    }
}

/// What differs between the apps that use the shim.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    #[cfg(target_os = "android")]
    pub(crate) strong_box: bool,
    #[cfg(target_os = "ios")]
    pub(crate) accessibility: IosAccessibility,
    #[cfg(target_os = "ios")]
    pub(crate) access_group: Option<String>,
    #[cfg(target_os = "ios")]
    pub(crate) clear_on_reinstall: bool,
}

/// When iOS lets the records be read. In both cases they never leave the device.
#[cfg(target_os = "ios")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IosAccessibility {
    /// From the first unlock after a start on, also in the background
    /// (`kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly`).
    #[default]
    AfterFirstUnlock,
    /// While the device is unlocked (`kSecAttrAccessibleWhenUnlockedThisDeviceOnly`).
    WhenUnlocked,
}

/// The store behind the shim.
pub(super) struct Shim<R: Runtime> {
    handle: PluginHandle<R>,
    service: String,
    options: Options,
}

pub(super) fn open<R: Runtime, C: DeserializeOwned>(
    service: &str,
    api: &PluginApi<R, C>,
    options: &Options,
) -> Result<Shim<R>> {
    #[cfg(target_os = "android")]
    let handle = api.register_android_plugin(PACKAGE, "SecureTokenPlugin");
    #[cfg(target_os = "ios")]
    let handle = binding::register(api);
    let handle = handle.map_err(|error| reported(&error))?;
    #[cfg(all(target_os = "android", feature = "native"))]
    tauri::Manager::manage(api.app(), NativePart(handle.clone()));
    Ok(Shim {
        handle,
        service: service.into(),
        options: options.clone(),
    })
}

/// The shim, for what is not about records.
#[cfg(all(target_os = "android", feature = "native"))]
struct NativePart<R: Runtime>(PluginHandle<R>);

/// The certificates that Android trusts, those of the user included, each as DER. Blocks until the shim has read
/// them, so it must not be called on the UI thread.
///
/// # Errors
///
/// `misconfigured`: there is no shim. Else what reading them failed with.
#[cfg(all(target_os = "android", feature = "native"))]
pub(crate) fn trusted_roots<R: Runtime>(app: &tauri::AppHandle<R>) -> Result<Vec<Vec<u8>>> {
    use base64::{Engine, engine::general_purpose::STANDARD};

    #[derive(Deserialize)]
    struct Trusted {
        certificates: Vec<String>,
    }

    let Some(part) = tauri::Manager::try_state::<NativePart<R>>(app) else {
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

/// The arguments of a call; each command takes its own part of them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[cfg(target_os = "android")]
    #[serde(skip_serializing_if = "Option::is_none")]
    strong_box: Option<bool>,
    #[cfg(target_os = "ios")]
    #[serde(skip_serializing_if = "Option::is_none")]
    accessibility: Option<IosAccessibility>,
    #[cfg(target_os = "ios")]
    #[serde(skip_serializing_if = "Option::is_none")]
    access_group: Option<&'a str>,
    #[cfg(target_os = "ios")]
    clear_on_reinstall: bool,
}

#[derive(Deserialize)]
struct Found {
    found: bool,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Accounts {
    accounts: Vec<String>,
}

#[derive(Deserialize)]
struct Nothing {}

impl<R: Runtime> Shim<R> {
    fn payload<'a>(&'a self, account: Option<&'a Account>, value: Option<&'a str>) -> Payload<'a> {
        Payload {
            service: &self.service,
            account: account.map(Account::as_str),
            value,
            #[cfg(target_os = "android")]
            strong_box: value.map(|_| self.options.strong_box),
            #[cfg(target_os = "ios")]
            accessibility: value.map(|_| self.options.accessibility),
            #[cfg(target_os = "ios")]
            access_group: self.options.access_group.as_deref(),
            #[cfg(target_os = "ios")]
            clear_on_reinstall: self.options.clear_on_reinstall,
        }
    }

    async fn call<T: DeserializeOwned>(&self, command: &str, payload: Payload<'_>) -> Result<T> {
        let answer = self.handle.run_mobile_plugin_async(command, payload).await;
        answer.map_err(|error| reported(&error))
    }
}

#[async_trait]
impl<R: Runtime> SecretStore for Shim<R> {
    async fn get(&self, item: &Item, _: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let payload = self.payload(Some(&item.account), None);
        match self.call("get", payload).await? {
            Found {
                found: false,
                value: None,
            } => Ok(None),
            Found {
                found: true,
                value: Some(value),
            } => Ok(Some(Zeroizing::new(value.into_bytes()))),
            _ => Err(Error::internal(
                "the answer of the plugin's native part makes no sense",
            )),
        }
    }

    async fn set(&self, item: &Item, bytes: &[u8], _: &Prompts) -> Result<()> {
        let value =
            std::str::from_utf8(bytes).map_err(|_| Error::internal("a stored value is ASCII"))?;
        let payload = self.payload(Some(&item.account), Some(value));
        self.call::<Nothing>("set", payload).await?;
        Ok(())
    }

    async fn delete(&self, item: &Item, _: &Prompts) -> Result<()> {
        let payload = self.payload(Some(&item.account), None);
        self.call::<Nothing>("delete", payload).await?;
        Ok(())
    }

    async fn list(&self, _: &Prompts) -> Result<Vec<Item>> {
        let Accounts { accounts } = self.call("list", self.payload(None, None)).await?;
        let accounts = accounts.into_iter().map(Account::at_rest);
        accounts.map(|account| Ok(Item::of(&account?))).collect()
    }

    async fn info(&self) -> StoreInfo {
        let info = self.call("info", self.payload(None, None)).await;
        info.unwrap_or_else(|error| StoreInfo {
            store: "unknown".into(),
            persistent: false,
            durable: false,
            hardware: false,
            state: StoreState::Unavailable,
            detail: error.to_string(),
        })
    }
}

/// What the shim rejected with. Its codes are ours; anything else comes from Tauri.
fn reported(error: &PluginInvokeError) -> Error {
    match error {
        PluginInvokeError::InvokeRejected(rejection) => {
            let code = rejection.code.as_deref().and_then(ErrorCode::parse);
            let message = rejection.message.as_deref().unwrap_or("no message");
            Error::new(code.unwrap_or(ErrorCode::Internal), message)
        }
        // Its text would show the answer, which may be a record.
        PluginInvokeError::CannotDeserializeResponse(_) => {
            Error::internal("the answer of the plugin's native part makes no sense")
        }
        other => Error::new(
            ErrorCode::Misconfigured,
            format!("the plugin's native part cannot be reached: {other}"),
        ),
    }
}

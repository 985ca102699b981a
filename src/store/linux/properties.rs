//! Properties of the Secret Service's objects, each read in one round trip.
//!
//! The proxies of oo7 keep a cache of properties. To fill it they first ask the bus to tell of changes and then
//! the object for all its properties: three round trips where an object is looked at once.

use std::collections::HashMap;

use zbus::zvariant::{ObjectPath, OwnedValue};

use super::{connection::Connection, fault::Fault};

impl Connection {
    /// Whether the collection at `path` is locked.
    pub(super) async fn is_locked(&self, path: &ObjectPath<'_>) -> Result<bool, Fault> {
        self.property(path, "org.freedesktop.Secret.Collection", "Locked")
            .await
    }

    /// The attributes of the item at `path`.
    pub(super) async fn attributes(
        &self,
        path: &ObjectPath<'_>,
    ) -> Result<HashMap<String, String>, Fault> {
        self.property(path, "org.freedesktop.Secret.Item", "Attributes")
            .await
    }

    /// When the item at `path` was changed, in seconds since the Unix epoch.
    pub(super) async fn modified(&self, path: &ObjectPath<'_>) -> Result<u64, Fault> {
        self.property(path, "org.freedesktop.Secret.Item", "Modified")
            .await
    }

    async fn property<T>(
        &self,
        path: &ObjectPath<'_>,
        interface: &str,
        name: &str,
    ) -> Result<T, Fault>
    where
        T: TryFrom<OwnedValue>,
        zbus::Error: From<T::Error>,
    {
        const PROPERTIES: Option<&str> = Some("org.freedesktop.DBus.Properties");
        let arguments = (interface, name);
        let answer = self
            .bus()
            .call_method(Some(self.owner()), path, PROPERTIES, "Get", &arguments)
            .await?;
        let value: OwnedValue = answer.body().deserialize()?;
        Ok(T::try_from(value).map_err(zbus::Error::from)?)
    }
}

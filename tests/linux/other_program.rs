//! Another program of the same user, which changes what a worker has found a moment before.

use std::collections::HashMap;

use zbus::{
    Connection,
    zvariant::{OwnedObjectPath, OwnedValue, Value},
};

use crate::session::{SERVICE, Session};

const SECRETS: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const DEFAULT_COLLECTION: &str = "/org/freedesktop/secrets/aliases/default";
const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
const COLLECTION_INTERFACE: &str = "org.freedesktop.Secret.Collection";
const ITEM_INTERFACE: &str = "org.freedesktop.Secret.Item";

pub struct OtherProgram(Connection);

impl OtherProgram {
    pub fn of(session: &Session) -> Self {
        Self(session.client())
    }

    async fn call<A, T>(&self, path: &str, interface: &str, method: &str, arguments: &A) -> T
    where
        A: serde::Serialize + zbus::zvariant::DynamicType,
        T: for<'d> zbus::zvariant::DynamicDeserialize<'d>,
    {
        let answer = self
            .0
            .call_method(Some(SECRETS), path, Some(interface), method, arguments)
            .await
            .unwrap();
        answer.body().deserialize().unwrap()
    }

    pub async fn default_collection(&self) -> OwnedObjectPath {
        self.call(SERVICE_PATH, SERVICE_INTERFACE, "ReadAlias", &"default")
            .await
    }

    pub async fn make_default(&self, collection: &str) {
        let collection = OwnedObjectPath::try_from(collection).unwrap();
        let alias = ("default", collection);
        self.call::<_, ()>(SERVICE_PATH, SERVICE_INTERFACE, "SetAlias", &alias)
            .await;
    }

    pub async fn lock_default_collection(&self) {
        let collections = vec![self.default_collection().await];
        let _: (Vec<OwnedObjectPath>, OwnedObjectPath) = self
            .call(SERVICE_PATH, SERVICE_INTERFACE, "Lock", &collections)
            .await;
    }

    /// The items that have at least the attributes of `account`.
    pub async fn items(&self, account: &str) -> Vec<OwnedObjectPath> {
        let attributes = attributes(account);
        self.call(
            DEFAULT_COLLECTION,
            COLLECTION_INTERFACE,
            "SearchItems",
            &attributes,
        )
        .await
    }

    pub async fn add_attribute(&self, item: &OwnedObjectPath, account: &str) {
        let mut more = attributes(account);
        more.insert("other", "program");
        let property = (ITEM_INTERFACE, "Attributes", Value::from(more));
        self.call::<_, ()>(item, "org.freedesktop.DBus.Properties", "Set", &property)
            .await;
    }

    pub async fn delete(&self, item: &OwnedObjectPath) {
        let _: OwnedObjectPath = self.call(item, ITEM_INTERFACE, "Delete", &()).await;
    }

    /// Makes an item with the attributes of `account` beside the one that is there.
    pub async fn add_item(&self, account: &str, secret: &str) {
        let plain = ("plain", Value::from(""));
        let (_, session): (OwnedValue, OwnedObjectPath) = self
            .call(SERVICE_PATH, SERVICE_INTERFACE, "OpenSession", &plain)
            .await;
        let properties = HashMap::from([
            (
                "org.freedesktop.Secret.Item.Label",
                Value::from("of another program"),
            ),
            (
                "org.freedesktop.Secret.Item.Attributes",
                Value::from(attributes(account)),
            ),
        ]);
        let nothing: &[u8] = &[];
        let secret = (session, nothing, secret.as_bytes(), "text/plain");
        let replace = false;
        let _: (OwnedObjectPath, OwnedObjectPath) = self
            .call(
                DEFAULT_COLLECTION,
                COLLECTION_INTERFACE,
                "CreateItem",
                &(properties, secret, replace),
            )
            .await;
    }
}

fn attributes(account: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", SERVICE), ("username", account)])
}

//! JSON that holds secrets.

use std::ops::{Deref, DerefMut};

use serde_json::Value;
use zeroize::Zeroize;

/// JSON whose texts are wiped from memory when it is dropped: a password, or tokens.
#[derive(Default)]
pub(super) struct Document(Value);

impl Document {
    /// Takes the JSON out, for whoever may have it.
    pub(super) fn into_value(mut self) -> Value {
        self.0.take()
    }
}

impl From<Value> for Document {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl Deref for Document {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl DerefMut for Document {
    fn deref_mut(&mut self) -> &mut Value {
        &mut self.0
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(elements) => elements.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_is_wiped() {
        let mut value = json!({ "a": "secret", "b": [{ "c": "secret" }, 1, null, true] });
        wipe(&mut value);
        assert_eq!(value, json!({ "a": "", "b": [{ "c": "" }, 1, null, true] }));
    }
}

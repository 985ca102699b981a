//! The shape of a scope entry in a capability file. The build script makes its JSON schema from it.

/// Names accounts that a window may use, or may not.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// An account, exactly; or the start of accounts, followed by one `*`.
    #[schemars(regex(pattern = r"^([^*]+|[^*]*\*)$"))]
    pub account: String,
}

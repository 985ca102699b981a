//! The shape of a scope entry in a capability file. The build script makes its JSON schema from it.

/// Names accounts that a window may use, or may not; with a `url`, requests for them that Rust sends.
///
/// It needs an `account`, a `url`, or both.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// An account, exactly; or the start of accounts, followed by one `*`. Every account if it is absent.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = r"^([^*]+|[^*]*\*)$"))]
    pub account: Option<String>,
    /// Where requests go: an origin and a path, in which a `*` stands for one segment, or at the end for all that
    /// follows. `https:`, or `http:` to this machine.
    #[serde(default)]
    #[schemars(
        with = "String",
        regex(
            pattern = r"^(https://[^/?#@%*\\\s]+|http://(localhost|127(\.[0-9]+){3}|\[::1\])(:[0-9]+)?)(/|(/(\*|[^/?#;*\\\s]+))+/?)$"
        )
    )]
    pub url: Option<String>,
    /// The methods of requests to `url`. If they are absent, an allow entry is for GET, HEAD, POST, PUT, PATCH, DELETE
    /// and OPTIONS, and a deny entry for all.
    #[serde(default)]
    #[schemars(
        with = "Vec<String>",
        length(min = 1),
        inner(regex(pattern = r"^[A-Z]+(-[A-Z]+)*$"))
    )]
    pub methods: Option<Vec<String>>,
}

//! Stand-in.

use tauri::{
    Runtime,
    http::Method,
    ipc::{CommandArg, CommandItem, InvokeError},
};

use crate::{
    error::{Error, ErrorCode, Result},
    native::target::Target,
    token::Account,
};

#[derive(Debug, Clone)]
pub(crate) struct RequestScope;

impl RequestScope {
    #[expect(clippy::unused_self, reason = "a stand-in")]
    pub(crate) fn check(&self, _: &Account, target: &Target, method: &Method) -> Result<()> {
        let path = target.url().path();
        if path.starts_with("/v1/") && !path.contains("/admin/") && *method != Method::TRACE {
            return Ok(());
        }
        Err(Error::new(ErrorCode::Forbidden, "outside of the scope"))
    }
}

impl<'a, R: Runtime> CommandArg<'a, R> for RequestScope {
    fn from_command(_: CommandItem<'a, R>) -> Result<Self, InvokeError> {
        Ok(Self)
    }
}

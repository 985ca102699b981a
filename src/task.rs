//! Where the plugin's tasks run.

use tokio::{runtime::Handle, task::JoinHandle};

/// Runs `task` to its end on the runtime of Tauri, also when the caller is outside of it.
pub(crate) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    runtime().spawn(task)
}

fn runtime() -> Handle {
    // The clock of a test's own runtime can be stopped.
    #[cfg(test)]
    if let Ok(runtime) = Handle::try_current() {
        return runtime;
    }
    tauri::async_runtime::handle().inner().clone()
}

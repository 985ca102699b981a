//! Where the plugin's tasks run.

use tokio::{runtime::Handle, task::JoinHandle};

/// Runs `task` to its end on the runtime of Tauri, also when the caller is outside of it.
pub(crate) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    #[cfg(test)]
    if let Some(life) = life::Life::of_caller() {
        return runtime().spawn(async move {
            match life.run(task).await {
                Some(output) => output,
                // Its caller is gone too.
                None => std::future::pending().await,
            }
        });
    }
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

/// In tests a process of the app can be killed: what runs in it is dropped wherever it is.
#[cfg(test)]
pub(crate) mod life {
    use std::pin::pin;

    use futures_util::future::{Either, select};
    use tokio::sync::watch;

    tokio::task_local! {
        static LIFE: Life;
    }

    /// The life of one process.
    #[derive(Clone, Default)]
    pub(crate) struct Life(watch::Sender<bool>);

    impl Life {
        pub(super) fn of_caller() -> Option<Self> {
            LIFE.try_with(Self::clone).ok()
        }

        /// Runs `call` in this process, with all tasks that it spawns. `None`: the process was killed.
        pub(crate) async fn run<T>(&self, call: impl Future<Output = T>) -> Option<T> {
            let mut killed = self.0.subscribe();
            let killed = pin!(killed.wait_for(|is_killed| *is_killed));
            let call = pin!(LIFE.scope(self.clone(), call));
            match select(killed, call).await {
                Either::Left(_) => None,
                Either::Right((output, _)) => Some(output),
            }
        }

        pub(crate) fn kill(&self) {
            self.0.send_replace(true);
        }
    }
}

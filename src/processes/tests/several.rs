//! Real processes: this same test program, started again.

use std::{
    env,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use super::*;

/// Set in a worker: the folder of its app, and what it does there.
const FOLDER: &str = "SECURE_TOKEN_TEST_PROCESSES";
const WORK: &str = "SECURE_TOKEN_TEST_WORK";

/// Marks what a worker tells among what the test harness prints.
const TOLD: &str = "told: ";

const ROUNDS: usize = 50;

struct Worker {
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl Worker {
    fn of(app: &App, work: &str) -> Self {
        Self::started_by(Command::new(env::current_exe().unwrap()), app, work)
    }

    fn started_by(mut command: Command, app: &App, work: &str) -> Self {
        let mut process = command
            .args(["--exact", "processes::tests::several::worker"])
            .arg("--nocapture")
            .env(FOLDER, app.0.path())
            .env(WORK, work)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            lines: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    /// What the worker tells next; `None` once it has ended.
    fn told(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            // Its last line may be cut off.
            if self.lines.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                return None;
            }
            if let Some((_, told)) = line.split_once(TOLD) {
                return Some(told.trim_end().into());
            }
        }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[expect(clippy::print_stdout, reason = "that is how a worker tells")]
fn tell(text: impl std::fmt::Display) {
    println!("\n{TOLD}{text}");
}

/// Not a test but the worker processes of the tests.
#[tokio::test]
async fn worker() {
    let (Some(folder), Ok(work)) = (env::var_os(FOLDER), env::var(WORK)) else {
        return;
    };
    let folder = PathBuf::from(folder);
    let processes = Processes::in_folder(folder.clone());
    match work.as_str() {
        "rotate" => rotate(&processes, &folder.join("server")).await,
        "hold" => {
            let mut held = lock(&processes).await;
            held.begin_use(&token("in flight")).unwrap();
            tell("held");
            std::future::pending::<()>().await;
        }
        "change until killed" => loop {
            let mut held = lock(&processes).await;
            held.begin_use(&token("in flight")).unwrap();
            held.committed(false).unwrap();
            tell(held.mark().stamp.change);
            held.end_use().unwrap();
        },
        "fail to write" => {
            let locked = processes.lock(&Account::default(), LONG).await;
            tell(locked.err().unwrap().code().as_str());
        }
        work => panic!("unknown work {work}"),
    }
}

/// Uses one token after the other, with a server that knows only the newest: the file at `server`, which
/// holds the stamp that its last change was committed with.
async fn rotate(processes: &Processes, server: &Path) {
    for _ in 0..ROUNDS {
        let mut held = lock(processes).await;
        let (number, stamp) = generation(server);
        assert_eq!(held.mark().stamp.change, stamp, "the change of another");
        assert_eq!(held.mark().in_use, None);
        held.begin_use(&token(&number.to_string())).unwrap();
        held.committed(false).unwrap();
        let next = format!("{} {}", number + 1, held.mark().stamp.change);
        fs::write(server, next).unwrap();
        held.end_use().unwrap();
    }
    tell("done");
}

fn generation(server: &Path) -> (usize, u64) {
    let text = fs::read_to_string(server).unwrap();
    let (number, stamp) = text.split_once(' ').unwrap();
    (number.parse().unwrap(), stamp.parse().unwrap())
}

#[test]
fn p8_four_processes_use_each_refresh_token_once() {
    let app = App::new();
    let server = app.0.path().join("server");
    fs::write(&server, "0 0").unwrap();
    let mut workers: Vec<_> = (0..4).map(|_| Worker::of(&app, "rotate")).collect();
    for worker in &mut workers {
        assert_eq!(worker.told().as_deref(), Some("done"));
    }
    assert_eq!(generation(&server).0, 4 * ROUNDS);
}

#[tokio::test]
async fn p8_the_lock_of_a_killed_process_is_free_and_its_token_known_to_be_in_use() {
    let app = App::new();
    let mut worker = Worker::of(&app, "hold");
    assert_eq!(worker.told().as_deref(), Some("held"));
    assert_eq!(refusal(&app.process()).await, ErrorCode::Timeout);
    worker.kill();
    let held = lock(&app.process()).await;
    let in_use = held.mark().in_use.as_ref().unwrap();
    assert!(in_use.is_of(&token("in flight")));
}

#[tokio::test]
async fn p2_a_process_that_is_killed_amid_its_changes_leaves_a_whole_mark() {
    let app = App::new();
    let mut newest = 0;
    for round in 1..=20 {
        let mut worker = Worker::of(&app, "change until killed");
        for _ in 0..round {
            worker.told().unwrap();
        }
        worker.kill();
        let mut acknowledged = 0;
        while let Some(change) = worker.told() {
            acknowledged = change.parse().unwrap();
        }
        let stamp = app.process().stamp(&Account::default()).unwrap();
        assert!(stamp.change >= acknowledged && stamp.change > newest);
        newest = stamp.change;
        assert_eq!(lock(&app.process()).await.mark().stamp, stamp);
    }
}

/// A program that may not write what is read-only, which root may. `None` if there is no such program: Wine
/// lets root write all files.
fn without_privileges(read_only: &Path) -> Option<Command> {
    let program = env::current_exe().unwrap();
    if File::options().write(true).open(read_only).is_err() {
        return Some(Command::new(program));
    }
    if cfg!(windows) {
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-dac_override", "--"]);
    command.arg(program);
    Some(command)
}

#[tokio::test]
async fn a_file_that_the_user_may_not_write_is_denied() {
    for kinds in [&["lock", "mark"][..], &["lock"], &["mark"]] {
        let app = App::new();
        lock(&app.process()).await.committed(true).unwrap();
        let stamp = app.process().stamp(&Account::default());
        let set_read_only = |is_read_only| {
            for kind in kinds {
                let file = app.file(&Account::default(), kind);
                let mut permissions = fs::metadata(&file).unwrap().permissions();
                permissions.set_readonly(is_read_only);
                fs::set_permissions(file, permissions).unwrap();
            }
        };
        set_read_only(true);
        let read_only = app.file(&Account::default(), kinds[0]);
        if let Some(program) = without_privileges(&read_only) {
            let mut worker = Worker::started_by(program, &app, "fail to write");
            assert_eq!(worker.told().as_deref(), Some("denied"), "{kinds:?}");
        }
        assert_eq!(app.process().stamp(&Account::default()), stamp);
        // Windows would not remove them else.
        set_read_only(false);
    }
}

#[cfg(unix)]
#[test]
fn a_disk_without_room_is_unavailable_before_anything_is_changed() {
    let app = App::new();
    // No file may grow. Without the trap a write would end the process.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, "sh"])
        .arg(env::current_exe().unwrap());
    let mut worker = Worker::started_by(shell, &app, "fail to write");
    assert_eq!(worker.told().as_deref(), Some("unavailable"));
}

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::wait_until;

/// One of our daemons, or any program, as a child process: its output goes to a file, and it is killed with this value.
///
/// When the test that owns it panics, the end of its output is printed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    program: OsString,
    arguments: Vec<OsString>,
    environment: BTreeMap<OsString, OsString>,
    log: PathBuf,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Process {
    /// Starts a program with exactly this environment, besides what any program needs (`PATH`, `HOME`, `TMPDIR`): the
    /// developer's own settings stay out.
    pub fn spawn<K: Into<OsString>, V: Into<OsString>>(
        program: impl Into<OsString>,
        arguments: &[&str],
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> anyhow::Result<Process> {
        let program = program.into();
        let logs = crate::workspace_root().join(".local/test-logs");
        std::fs::create_dir_all(&logs)?;
        let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = logs.join(format!("{name}-{}-{number}.log", std::process::id()));
        let arguments = arguments.iter().map(OsString::from).collect::<Vec<_>>();
        let environment = environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let child = start(&program, &arguments, &environment, &log)?;
        Ok(Process { child, program, arguments, environment, log })
    }

    /// Starts the same program again, with the same arguments and environment, after it has ended.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.exit_status()?.is_some(), "{} still runs", self.program.display());
        self.child = start(&self.program, &self.arguments, &self.environment, &self.log)?;
        Ok(())
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn exit_status(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// SIGKILL: it gets no chance to do anything more.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM: asks it to end, and waits until it has.
    pub async fn terminate(&mut self, timeout: Duration) -> anyhow::Result<ExitStatus> {
        self.signal("TERM")?;
        self.wait_ended(timeout).await
    }

    /// Waits until it has ended by itself.
    pub async fn wait_ended(&mut self, timeout: Duration) -> anyhow::Result<ExitStatus> {
        let name = self.program.display().to_string();
        let child = &mut self.child;
        let ended = wait_until(format!("{name} ends"), timeout, async || {
            child.try_wait().map_err(|error| error.to_string())?.ok_or_else(|| "it runs".to_owned())
        });
        ended.await.with_context(|| tail(&self.log))
    }

    /// SIGSTOP: it hangs, and its connections stay open.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal("STOP")
    }

    /// SIGCONT: it goes on.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal("CONT")
    }

    /// Waits until `<base_url>/readyz` answers 200.
    pub async fn wait_ready(&mut self, base_url: &str, timeout: Duration) -> anyhow::Result<()> {
        rustls::crypto::ring::default_provider().install_default().ok();
        let url = format!("{}/readyz", base_url.trim_end_matches('/'));
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
        let name = self.program.display().to_string();
        let (child, log) = (&mut self.child, &self.log);
        let ready = wait_until(format!("{name} is ready at {url}"), timeout, async || {
            if let Ok(Some(status)) = child.try_wait() {
                return Ok(Some(status)); // no use to wait on
            }
            match client.get(&url).send().await {
                Ok(answer) if answer.status() == reqwest::StatusCode::OK => Ok(None),
                Ok(answer) => Err(format!("{} {}", answer.status(), answer.text().await.unwrap_or_default())),
                Err(error) => Err(format!("{error:#}")),
            }
        });
        match ready.await.with_context(|| tail(log))? {
            None => Ok(()),
            Some(status) => bail!("{name} ended with {status} before it was ready\n{}", tail(log)),
        }
    }

    /// What it has written so far, both to standard output and to standard error.
    pub fn output(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", signal, &id]).status()?;
        anyhow::ensure!(status.success(), "cannot send {signal} to {}", self.program.display());
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            eprintln!("{}", tail(&self.log));
        } else {
            std::fs::remove_file(&self.log).ok();
        }
    }
}

fn start(
    program: &OsString,
    arguments: &[OsString],
    environment: &BTreeMap<OsString, OsString>,
    log: &Path,
) -> anyhow::Result<Child> {
    let output = File::options().create(true).append(true).open(log)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    command.env_clear();
    for name in ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.envs(environment).spawn().with_context(|| format!("cannot start {}", program.display()))
}

fn tail(log: &Path) -> String {
    let text =
        std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines = text.lines().collect::<Vec<_>>();
    let last = &lines[lines.len().saturating_sub(40)..];
    format!("--- the end of {}\n{}\n---", log.display(), last.join("\n"))
}

/// The path of one of the workspace's own programs, built first, in the profile of the running test.
///
/// Where all programs were just built (`make test` does it), `SMS_TEST_BINARIES_BUILT` spares asking cargo.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(path) = built.get(name) {
        return Ok(path.clone());
    }
    let test = std::env::current_exe()?; // target/<profile>/deps/<test>
    let profile = test.parent().and_then(Path::parent).context("a test lies two directories deep")?;
    let path = profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if std::env::var_os("SMS_TEST_BINARIES_BUILT").is_none() {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(crate::workspace_root()).args(["build", "--locked", "--quiet", "--bin", name]);
        cargo.env("CARGO_TARGET_DIR", profile.parent().context("a profile lies in the target directory")?);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        anyhow::ensure!(cargo.status()?.success(), "cargo build --bin {name} failed");
    }
    anyhow::ensure!(path.exists(), "{} is not there", path.display());
    built.insert(name.to_owned(), path.clone());
    Ok(path)
}

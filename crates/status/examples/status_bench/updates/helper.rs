//! A process of this program in another role: a line of JSON to its standard input, and one back.

use std::{io::Write, process::Stdio};

use anyhow::Context;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
};

/// Killed with this value.
pub(super) struct Helper {
    _child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Helper {
    pub(super) fn start(role: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {role}"))?;
        let orders = child.stdin.take().context("it reads")?;
        let answers = BufReader::new(child.stdout.take().context("it answers")?).lines();
        Ok(Self { _child: child, orders, answers })
    }

    pub(super) async fn ask<T: DeserializeOwned>(&mut self, order: &impl Serialize) -> anyhow::Result<T> {
        let line = format!("{}\n", serde_json::to_string(order)?);
        self.orders.write_all(line.as_bytes()).await?;
        self.answer().await
    }

    pub(super) async fn answer<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let line = self.answers.next_line().await?.context("a process of the measurement has ended")?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// The orders to this process.
pub(super) struct Orders(mpsc::UnboundedReceiver<String>);

impl Orders {
    /// Reads standard input on a thread of its own, until it ends.
    pub(super) fn read() -> Self {
        let (sender, orders) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let lines = std::io::stdin().lines().map_while(Result::ok);
            lines.map_while(|line| sender.send(line).ok()).for_each(drop);
        });
        Self(orders)
    }

    /// None if nobody gives orders any more.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> anyhow::Result<Option<T>> {
        let line = self.0.recv().await;
        Ok(line.map(|line| serde_json::from_str(&line)).transpose()?)
    }
}

/// Answers an order.
pub(super) fn answer(answer: &impl Serialize) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    serde_json::to_writer(&mut output, answer)?;
    output.write_all(b"\n")?;
    Ok(output.flush()?)
}

pub(crate) fn run_on_one_thread(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::task::LocalSet::new().run_until(work))
}

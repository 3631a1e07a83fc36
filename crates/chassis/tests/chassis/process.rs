//! A whole daemon, `examples/harbour.rs`, as a process.

use std::{
    io::{BufRead, BufReader, Lines, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use serde_json::Value;

fn harbour() -> Command {
    let mut directory = std::env::current_exe().unwrap();
    directory.pop(); // deps
    directory.pop();
    let binary = directory.join("examples/harbour");
    assert!(binary.exists(), "cargo test -p chassis builds the example {}", binary.display());
    let mut command = Command::new(binary);
    command.env_clear().env("HARBOUR_KEY", "k3y-of-our-own-and-no-default");
    command
}

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            assert_eq!(line["service"], "harbour");
            assert!(!line.to_string().contains("k3y-of-our-own-and-no-default"));
            if line["message"] == "ready" {
                break line["address"].as_str().unwrap().to_owned();
            }
        };
        Self { child, lines, address }
    }

    fn signal(&self, name: &str) {
        let killed = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Posts nothing to `path` and waits for the answer.
    fn post(&self, path: &str) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    fn wait_for(&mut self, message: &str) {
        self.lines.by_ref().find(|line| line.as_ref().unwrap().contains(message)).unwrap().unwrap();
    }

    /// The remaining log and the exit code.
    fn end(mut self) -> (Vec<Value>, Option<i32>) {
        let log = self.lines.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        (log, self.child.wait().unwrap().code())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed half way must not leave it behind.
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn sigterm_ends_the_process_with_exit_code_0() {
    let running = Running::start(&mut harbour());
    chassis::check_ready(&running.address, false).unwrap();
    let healthy = harbour().env("BIND", &running.address).arg("healthcheck").status().unwrap();
    assert!(healthy.success());
    let address = running.address.clone();
    running.signal("-TERM");
    let (log, code) = running.end();
    assert_eq!(code, Some(0));
    assert!(log.iter().any(|line| line["message"] == "stopped"), "{log:?}");
    let gone = harbour().arg("healthcheck").arg(&address).output().unwrap();
    assert_eq!(gone.status.code(), Some(1), "{}", text(&gone));
}

#[test]
fn panicking_task_ends_the_process_with_exit_code_1() {
    let running = Running::start(&mut harbour());
    running.post("/storm");
    let (log, code) = running.end();
    assert_eq!(code, Some(1));
    let panic = log.iter().find(|line| line["message"] == "a task panicked").unwrap();
    assert_eq!(
        (panic["task.name"].as_str(), panic["panic"].as_str()),
        (Some("lighthouse"), Some("the lamp is out"))
    );
    let served = log.iter().find(|line| line["message"] == "request served").unwrap();
    assert_eq!(served["trace_id"].as_str().map(str::len), Some(32), "{served}");
    assert_eq!(served["span"]["http.route"], "/storm");
}

#[test]
fn wrong_config_is_reported_whole_with_exit_code_78() {
    let output = harbour().env("HARBOUR_KEY", "").env("SMS_HARBOUR__BERTHS", "0").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("HARBOUR_KEY (harbour.key) has a default value"), "{said}");
    assert!(said.contains("SMS_HARBOUR__BERTHS (harbour.berths)"), "{said}");
}

#[test]
fn taken_address_is_named_in_the_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = harbour().env("BIND", &address).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains(&format!("cannot listen on {address}: Address already in use")),
        "{}",
        text(&output)
    );
}

#[test]
fn help_and_config_commands_show_the_manual_without_secrets() {
    let help = text(&harbour().arg("--help").output().unwrap());
    assert!(help.contains("HARBOUR_KEY") && help.contains("opens the gate; keep it to yourself"), "{help}");
    let shown = text(&harbour().args(["config", "print", "--redacted"]).output().unwrap());
    assert!(shown.contains("[redacted]") && !shown.contains("k3y"), "{shown}");
    let manual = text(&harbour().args(["config", "defaults"]).output().unwrap());
    assert!(manual.contains("# how many ships fit in"), "{manual}");
}

#[test]
fn second_signal_aborts_tasks_with_exit_code_1() {
    let mut running = Running::start(&mut harbour());
    running.post("/fog");
    running.signal("-TERM");
    running.wait_for("shutting down");
    running.signal("-INT");
    let (log, code) = running.end();
    assert_eq!(code, Some(1), "a task that had to be given up is no clean end");
    // The HTTP server may be among them: it has at most a moment to end by itself between the signals.
    let mut given_up = log.iter().filter(|line| line["message"] == "a task was given up");
    assert!(given_up.any(|line| line["task.name"] == "pilot"), "{log:?}");
}

#[test]
fn last_traces_reach_the_collector() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let received = std::thread::spawn(move || {
        let (mut stream, _) = collector.accept().unwrap();
        let mut request = vec![0; 64 * 1024];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let running = Running::start(harbour().env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint));
    running.post("/storm");
    assert_eq!(running.end().1, Some(1));
    assert!(received.join().unwrap().starts_with("POST /v1/traces HTTP/1.1"));
}

#[test]
fn hanging_collector_does_not_hang_the_shutdown() {
    // Accepts by its backlog, answers never.
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let running = Running::start(harbour().env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint));
    running.post("/storm");
    let begun = std::time::Instant::now();
    assert_eq!(running.end().1, Some(1));
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}

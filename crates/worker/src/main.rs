//! The daemon.

fn main() -> std::process::ExitCode {
    chassis::run(worker::DAEMON, worker::run)
}

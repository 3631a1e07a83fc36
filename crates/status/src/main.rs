//! The daemon.

fn main() -> std::process::ExitCode {
    chassis::run(status::DAEMON, status::run)
}

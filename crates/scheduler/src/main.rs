//! The daemon.

fn main() -> std::process::ExitCode {
    chassis::run(scheduler::DAEMON, scheduler::run)
}

//! The daemon `status`.

fn main() -> std::process::ExitCode {
    chassis::run(status::DAEMON, status::run)
}

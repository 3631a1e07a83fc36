//! The daemon.

fn main() -> std::process::ExitCode {
    chassis::run(webhook_ingest::DAEMON, webhook_ingest::run)
}

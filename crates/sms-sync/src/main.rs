//! The operator's command line.

fn main() -> std::process::ExitCode {
    sms_sync::run()
}

//! The daemon; `status openapi` prints the description of its API.

#[expect(clippy::print_stdout, reason = "the document is asked for on the command line")]
fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some("openapi") {
        print!("{}", status::openapi::json());
        return std::process::ExitCode::SUCCESS;
    }
    chassis::run(status::DAEMON, status::run)
}

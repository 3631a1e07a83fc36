//! The daemon, and the commands that prepare its database.

fn main() -> std::process::ExitCode {
    chassis::run_with_commands(
        onboarding_portal::DAEMON,
        onboarding_portal::commands::execute,
        onboarding_portal::run,
    )
}

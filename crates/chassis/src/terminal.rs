//! Standard output and standard error of command lines: `println!` panics where they are closed, as by `| head`.

use std::{
    fmt::Display,
    io::{self, Write},
};

/// Writes a text to standard output. Ends the process without a word where nobody reads it any more, as other programs do
/// that a closed pipe ends; with exit code 1 where it cannot be written for another reason, such as a full disk.
pub fn print(text: impl Display) {
    let mut out = io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            report(format_args!("error: cannot write to standard output: {error}"));
            std::process::exit(1);
        }
    }
}

/// Writes a line to standard output, as [`print`] does.
pub fn print_line(text: impl Display) {
    print(format_args!("{text}\n"));
}

/// Writes a line to standard error. There is nobody to tell where it cannot be written.
pub fn report(text: impl Display) {
    writeln!(io::stderr().lock(), "{text}").ok();
}

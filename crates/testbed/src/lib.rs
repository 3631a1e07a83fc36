#![doc = include_str!("../README.md")]

mod ports;
mod process;
mod provider;
mod servers;
mod templates;
mod tls;
mod wait;
mod world;

pub use lapin;
pub use ports::free_port;
pub use process::{Process, binary};
pub use provider::{Answer, Cursors, List, Provider, Request, Slices};
pub use servers::Servers;
pub use templates::template_name;
pub use tls::{Greeting, TlsFront};
pub use wait::wait_until;
pub use world::World;

/// The root of the workspace, where `.local` and `deploy` are.
pub fn workspace_root() -> std::path::PathBuf {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the workspace that this crate was compiled in is there")
}

/// Whether a process with this id lives.
fn process_lives(id: u32) -> bool {
    std::process::Command::new("kill")
        .args(["-0", &id.to_string()])
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

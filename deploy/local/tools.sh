# shellcheck shell=bash
# The PATH of all scripts: sourced, from the root of the checkout. Node.js and Rust that prerequisites.sh installed under
# .local come first, for it installs them only where the system's are missing or too old. The directory of rustup comes
# last: a shell that was open before rustup was installed does not have it.
export PATH=$PWD/.local/bin:$PATH:$HOME/.cargo/bin

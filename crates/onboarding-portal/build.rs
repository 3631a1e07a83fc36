//! Embeds the migrations anew whenever one is added: the macro that embeds them cannot see a new folder.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations/onboarding");
}

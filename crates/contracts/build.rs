//! Compiles `proto-schemas/` to Rust with ProtoJSON, without an installed protoc.

use std::{env, error::Error, fs, path::PathBuf};

use protox::prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto-schemas");
    println!("cargo:rerun-if-changed={}", root.join("sms").display());
    let files = ["records", "events", "bundles", "commands", "tasks", "updates", "dead_letters"]
        .map(|name| root.join("sms/sync/v1").join(name).with_extension("proto"));

    let set = protox::compile(&files, [&root])?;
    let descriptor = PathBuf::from(env::var("OUT_DIR")?).join("sms.bin");
    fs::write(&descriptor, set.encode_to_vec())?;
    prost_build::Config::new()
        .compile_well_known_types()
        .extern_path(".google.protobuf", "::pbjson_types")
        .skip_protoc_run()
        .file_descriptor_set_path(&descriptor)
        .compile_protos(&files, &[&root])?;
    pbjson_build::Builder::new()
        .register_descriptors(&fs::read(&descriptor)?)?
        .ignore_unknown_fields()
        .ignore_unknown_enum_variants()
        .build(&[".sms"])?;
    Ok(())
}

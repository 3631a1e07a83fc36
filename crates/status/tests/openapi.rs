//! The committed description of the operator API is the one that the handlers give.

#[test]
fn the_committed_description_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto-schemas/operator-api.openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == status::openapi::json(),
        "proto-schemas/operator-api.openapi.json is not what the handlers say; write it anew with\n  \
         make openapi"
    );
}

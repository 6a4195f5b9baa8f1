//! What the compiler refuses: the ways in which a raw picture could get out. The expected messages
//! are those of the pinned toolchain; `TRYBUILD=overwrite cargo test --test compile_fail` renews them.

#[test]
fn a_raw_frame_stays_inside() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

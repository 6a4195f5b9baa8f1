//! A raw frame is not encoded.
fn main() {}

fn jpeg(raw: &parkq_core::RawFrame) -> Vec<u8> {
    raw.to_jpeg(90).unwrap()
}

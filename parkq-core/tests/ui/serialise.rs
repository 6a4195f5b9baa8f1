//! A raw frame is not serialised.
fn main() {}

fn json(raw: &parkq_core::RawFrame) -> String {
    serde_json::to_string(raw).unwrap()
}

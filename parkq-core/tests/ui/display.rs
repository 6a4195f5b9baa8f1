//! A raw frame is not displayed.
fn main() {}

fn text(raw: &parkq_core::RawFrame) -> String {
    format!("{raw}")
}

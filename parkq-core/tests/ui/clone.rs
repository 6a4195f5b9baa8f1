//! A raw frame is not cloned.
fn main() {}

fn copy(raw: &parkq_core::RawFrame) -> parkq_core::RawFrame {
    Clone::clone(raw)
}

//! The pixels of a raw frame are not read, in whatever guise.
fn main() {}

fn field(raw: &parkq_core::RawFrame) -> &[u8] {
    &raw.pixels
}

fn method(raw: &parkq_core::RawFrame) -> &[u8] {
    raw.pixels()
}

fn frame(raw: &parkq_core::RawFrame) -> parkq_core::Frame<'_> {
    raw.as_frame()
}

fn input(raw: &parkq_core::RawFrame) -> parkq_core::Frame<'_> {
    parkq_core::Input::from(raw).frame
}

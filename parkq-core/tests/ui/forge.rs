//! Nobody but an anonymizer makes an anonymized frame.
use parkq_core::{AnonymizedFrame, RawFrame, Redactions};

fn main() {}

fn with_a_constructor(raw: RawFrame) -> AnonymizedFrame {
    AnonymizedFrame::new(raw, Redactions::default())
}

//! Nor does a literal make one.
use parkq_core::{AnonymizedFrame, RawFrame, Redactions};

fn main() {}

fn with_a_literal(frame: RawFrame) -> AnonymizedFrame {
    AnonymizedFrame { frame, redactions: Redactions::default() }
}

//! People and plates are destroyed before anything else sees a picture.

mod redaction;
mod report;

pub use redaction::{Fill, Redaction};
pub use report::{Cause, Redacted, Redactions};

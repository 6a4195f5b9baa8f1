//! People and plates are destroyed before anything else sees a picture.

mod anonymizer;
mod history;
mod picture;
mod policy;
mod redaction;
mod report;
mod stream;

pub use anonymizer::Anonymizer;
pub(crate) use history::NoHistory;
pub(crate) use picture::guarded;
pub use picture::{Anonymized, AnonymizedFrame};
pub use policy::{Fallback, Policy};
pub use redaction::{Fill, Redaction};
pub use report::{Cause, Redacted, RedactedPart, Redactions};
pub use stream::{Stream, StreamOptions};

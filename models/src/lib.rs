#![forbid(unsafe_code)]
//! The weights of parkq's networks, each with its card.
//!
//! ```
//! let model = &parkq_models::SPACE_CLASSIFIER;
//! assert_eq!(model.name, "space-classifier");
//! assert!(model.onnx.len() < 8_000_000);
//! ```

/// A network as it is shipped.
///
/// ```
/// let model: &parkq_models::Model = &parkq_models::SPACE_CLASSIFIER;
/// assert!(model.card.starts_with("# "));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Model {
    /// Its name, which is also its file's.
    pub name: &'static str,
    /// The ONNX file.
    pub onnx: &'static [u8],
    /// Its card, in Markdown: task, input, output, data and licences, recipe, quality, weaknesses.
    pub card: &'static str,
}

/// Is a parking space occupied?
///
/// ```
/// assert!(parkq_models::SPACE_CLASSIFIER.card.contains("sha256"));
/// ```
pub static SPACE_CLASSIFIER: Model = Model {
    name: "space-classifier",
    onnx: include_bytes!("../space-classifier.onnx"),
    card: include_str!("../space-classifier.md"),
};

/// Where are vehicles, persons, plates and faces?
///
/// ```
/// assert!(parkq_models::DETECTOR.card.contains("sha256"));
/// ```
pub static DETECTOR: Model = Model {
    name: "detector",
    onnx: include_bytes!("../detector.onnx"),
    card: include_str!("../detector.md"),
};

/// Is it a plate or a face, and where are its edges; or is it a small person?
///
/// ```
/// assert!(parkq_models::SECOND_LOOK.card.contains("sha256"));
/// ```
pub static SECOND_LOOK: Model = Model {
    name: "second-look",
    onnx: include_bytes!("../second-look.onnx"),
    card: include_str!("../second-look.md"),
};

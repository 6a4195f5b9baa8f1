//! What a model of your own expects and says.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::Label;
use crate::error::{Error, Result};

/// How to feed an ONNX model, and how to read what it says.
///
/// The model has one input of f32 and one to a few outputs of f32. Strict JSON: unknown fields
/// are errors.
///
/// ```
/// use parkq_core::{Label, ModelSpec};
/// let spec = ModelSpec::from_json(r#"{
///     "input": {"size": {"fixed": [640, 640]}, "mean": [0, 0, 0], "std": [255, 255, 255]},
///     "classes": 80,
///     "labels": {"0": "person", "2": "vehicle", "3": "vehicle", "5": "vehicle", "7": "vehicle"},
///     "output": {"convention": "yolov8"}
/// }"#)?;
/// assert_eq!(spec.labels[&7], Label::Vehicle);
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelSpec {
    /// What the model is shown.
    pub input: InputSpec,
    /// How many classes it tells apart, 1..=10,000; an SSD's background counts as one.
    pub classes: usize,
    /// What its classes mean, by their index, each said once; all others are ignored.
    #[serde(deserialize_with = "once")]
    pub labels: BTreeMap<usize, Label>,
    /// Whether its scores are log-odds, which a sigmoid makes 0..=1. Default: false.
    #[serde(default)]
    pub logits: bool,
    /// How its output is to be read.
    pub output: Convention,
}

/// A map that says each class once: the last word on it would count, unseen.
fn once<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<BTreeMap<usize, Label>, D::Error> {
    struct Once;

    impl<'de> Visitor<'de> for Once {
        type Value = BTreeMap<usize, Label>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a label for each class")
        }

        fn visit_map<A: MapAccess<'de>>(
            self,
            mut map: A,
        ) -> std::result::Result<Self::Value, A::Error> {
            let mut labels = BTreeMap::new();
            while let Some((class, label)) = map.next_entry()? {
                if labels.insert(class, label).is_some() {
                    return Err(A::Error::custom(format!("labels names class {class} twice")));
                }
            }
            Ok(labels)
        }
    }

    deserializer.deserialize_map(Once)
}

/// What a model is shown.
///
/// ```
/// # use parkq_core::{InputSpec, Layout};
/// let input: InputSpec = serde_json::from_str(r#"{"size": {"multiple_of": 32}}"#)?;
/// assert_eq!(input.layout, Layout::Nchw);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InputSpec {
    /// Its sides.
    pub size: InputSize,
    /// Default: `nchw`.
    #[serde(default)]
    pub layout: Layout,
    /// Default: `rgb`.
    #[serde(default)]
    pub colour: Colour,
    /// Subtracted from each channel (0..=255), in the order of `colour`. Default: 0.
    #[serde(default)]
    pub mean: [f32; 3],
    /// Each channel is divided by this then. Default: 1.
    #[serde(default = "ones")]
    pub std: [f32; 3],
    /// How a picture of another shape is fitted in. Default: `corner`.
    #[serde(default)]
    pub resize: Resize,
    /// What fills the rest, 0..=255, before `mean` and `std`. Default: 114.
    #[serde(default = "gray")]
    pub pad: f32,
}

#[cfg(test)]
impl InputSpec {
    /// All other fields as they are by default.
    pub(super) fn of(size: InputSize) -> Self {
        let (layout, colour, resize) = Default::default();
        Self { size, layout, colour, mean: [0.0; 3], std: ones(), resize, pad: gray() }
    }
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

fn gray() -> f32 {
    114.0
}

/// The sides of a model's input, pixels.
///
/// ```
/// # use parkq_core::InputSize;
/// let size: InputSize = serde_json::from_str(r#"{"fixed": [416, 320]}"#)?;
/// assert_eq!(size, InputSize::Fixed([416, 320]));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InputSize {
    /// Width and height, each 16..=4096.
    Fixed([usize; 2]),
    /// Any sides that are multiples of this, 1..=256.
    MultipleOf(usize),
}

/// The order of an input's axes.
///
/// ```
/// assert_eq!(parkq_core::Layout::default(), parkq_core::Layout::Nchw);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Layout {
    /// Batch, channels, height, width: PyTorch's.
    #[default]
    Nchw,
    /// Batch, height, width, channels: TensorFlow's.
    Nhwc,
}

/// The order of an input's channels.
///
/// ```
/// assert_eq!(parkq_core::Colour::default(), parkq_core::Colour::Rgb);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Colour {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// How a picture of another shape is fitted into a fixed input.
///
/// ```
/// assert_eq!(parkq_core::Resize::default(), parkq_core::Resize::Corner);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Resize {
    /// In proportion, in the upper left corner (YOLOX).
    #[default]
    Corner,
    /// In proportion, in the middle (YOLOv5, YOLOv8).
    Centre,
    /// Each side to its own scale (SSD, NanoDet).
    Stretch,
}

/// How the output of a model is to be read. `c` is the number of classes, `n` the number of
/// places; a place's box is in pixels of the input.
///
/// ```
/// # use parkq_core::Convention;
/// let read: Convention = serde_json::from_str(r#"{"convention": "yolox", "strides": [8, 16, 32]}"#)?;
/// assert_eq!(read, Convention::Yolox { strides: vec![8, 16, 32] });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "convention", rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum Convention {
    /// parkq's own: `[1, 5 c, h, w]`. First a score for each class; then for each class four raw
    /// distances from the cell's middle to the left, top, right and bottom edge, each
    /// `stride * exp(raw)`, raw limited to -4..=5.
    Cells {
        /// Pixels from cell to cell.
        stride: usize,
    },
    /// YOLOX, not decoded in the graph: `[1, n, 5 + c]`, the levels one after the other. Centre
    /// as offset from the cell's corner in cells, logarithm of width and height in cells,
    /// objectness, classes.
    Yolox {
        /// Pixels from cell to cell, of each level.
        strides: Vec<usize>,
    },
    /// YOLOv5, decoded in the graph: `[1, n, 5 + c]`. Centre, width, height, objectness, classes.
    Yolov5 {},
    /// YOLOv8 and v11, decoded in the graph: `[1, 4 + c, n]`. Centre, width, height, classes.
    Yolov8 {},
    /// NanoDet: `[1, n, c + 4 bins]`, the levels one after the other. Classes; then for the left,
    /// top, right and bottom distance the log-odds of 0, 1, .. cells (Li et al., "Generalized
    /// Focal Loss", arXiv 2006.04388).
    Nanodet {
        /// Pixels from cell to cell, of each level.
        strides: Vec<usize>,
        /// How many distances are told apart, 2..=64. NanoDet's is 8.
        bins: usize,
        /// Where in its cell a place lies: 0.5 is the middle (NanoDet), 0 the corner
        /// (NanoDet-Plus).
        centre: f32,
    },
    /// CenterNet (Zhou et al., "Objects as Points", arXiv 1904.07850) and CenterFace: a heat map
    /// `[1, c, h, w]`, sizes `[1, 2, h, w]` and offsets `[1, 2, h, w]`.
    Centernet {
        /// Pixels from cell to cell.
        stride: usize,
        /// The names of the outputs: heat map, sizes, offsets.
        outputs: [String; 3],
        /// Whether height comes before width, and y before x (CenterFace).
        yx: bool,
        /// Whether sizes are logarithms (CenterFace).
        logarithmic: bool,
        /// Added to the offset, in cells: 0.5 for CenterFace, 0 for CenterNet.
        centre: f32,
    },
    /// SSD and the like, decoded in the graph: boxes `[1, n, 4]` and scores `[1, n, c]`.
    Ssd {
        /// The names of the outputs: boxes, scores.
        outputs: [String; 2],
        /// What the four numbers of a box are.
        boxes: BoxFormat,
        /// Whether they are shares of the input's sides, not pixels.
        relative: bool,
    },
}

/// What the four numbers of a box are.
///
/// ```
/// let format: parkq_core::BoxFormat = serde_json::from_str("\"yxyx\"")?;
/// assert_eq!(format, parkq_core::BoxFormat::Yxyx);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BoxFormat {
    /// Left, top, right, bottom.
    Xyxy,
    /// Top, left, bottom, right.
    Yxyx,
    /// Centre, width, height.
    Cxcywh,
}

impl ModelSpec {
    /// Reads and checks a spec.
    ///
    /// # Errors
    /// [`Error::Model`] for what is no JSON of this shape, and for a value outside its range.
    ///
    /// ```
    /// use parkq_core::ModelSpec;
    /// let error = ModelSpec::from_json(r#"{
    ///     "input": {"size": {"multiple_of": 32}}, "classes": 1, "labels": {"1": "face"},
    ///     "output": {"convention": "yolov5"}
    /// }"#).unwrap_err();
    /// assert_eq!(error.to_string(), "model: spec: labels names class 1, there are 1 classes");
    /// ```
    pub fn from_json(json: &str) -> Result<Self> {
        let spec: Self =
            serde_json::from_str(json).map_err(|e| Error::Model(format!("spec: {e}")))?;
        spec.check()?;
        Ok(spec)
    }

    /// Writes it as JSON.
    ///
    /// ```
    /// # use parkq_core::ModelSpec;
    /// # let json = r#"{"input": {"size": {"multiple_of": 32}}, "classes": 1,
    /// #     "labels": {"0": "face"}, "output": {"convention": "yolov5"}}"#;
    /// let spec = ModelSpec::from_json(json)?;
    /// assert_eq!(ModelSpec::from_json(&spec.to_json())?, spec);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    pub(super) fn check(&self) -> Result<()> {
        let wrong = |problem: String| Err(Error::Model(format!("spec: {problem}")));
        let InputSpec { size, mean, std, pad, .. } = &self.input;
        match *size {
            InputSize::Fixed(sides) => {
                if let Some(side) = sides.iter().find(|side| !(16..=4096).contains(*side)) {
                    return wrong(format!("a side of {side} px is not in 16..=4096"));
                }
            }
            InputSize::MultipleOf(n) if !(1..=256).contains(&n) => {
                return wrong(format!("multiple_of is {n}, 1..=256 is needed"));
            }
            InputSize::MultipleOf(_) => {}
        }
        let bounded = |v: &f32| v.abs() <= 1e6;
        if !mean.iter().all(bounded) || !std.iter().all(|v| (1e-6..=1e6).contains(v)) {
            return wrong(format!("mean {mean:?}, std {std:?}: std must be above 0, both finite"));
        }
        if !(0.0..=255.0).contains(pad) {
            return wrong(format!("pad is {pad}, 0..=255 is needed"));
        }
        if !(1..=10_000).contains(&self.classes) {
            return wrong(format!("{} classes, 1..=10000 are needed", self.classes));
        }
        if let Some(class) = self.labels.keys().find(|class| **class >= self.classes) {
            return wrong(format!(
                "labels names class {class}, there are {} classes",
                self.classes
            ));
        }
        if self.labels.is_empty() {
            return wrong("labels is empty, one class at least needs a meaning".to_owned());
        }
        let (strides, centre) = match &self.output {
            Convention::Cells { stride } => (vec![*stride], 0.0),
            Convention::Centernet { stride, centre, .. } => (vec![*stride], *centre),
            Convention::Yolox { strides } => (strides.clone(), 0.0),
            Convention::Nanodet { strides, bins, centre } => {
                if !(2..=64).contains(bins) {
                    return wrong(format!("bins is {bins}, 2..=64 is needed"));
                }
                (strides.clone(), *centre)
            }
            _ => (vec![1], 0.0),
        };
        if strides.is_empty() || strides.len() > 8 {
            return wrong(format!("{} strides, 1..=8 are needed", strides.len()));
        }
        if let Some(stride) = strides.iter().find(|stride| !(1..=256).contains(*stride)) {
            return wrong(format!("a stride of {stride} px is not in 1..=256"));
        }
        if !(-1.0..=1.0).contains(&centre) {
            return wrong(format!("centre is {centre}, -1..=1 is needed"));
        }
        Ok(())
    }
}

//! `parkq_detector`: vehicles, persons, plates and faces.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;

use parkq_core::{Detection, Detector, DetectorOptions, Label, ModelSpec, Rect, Scores, Tiling};

use crate::boundary::{call, free, make, write};
use crate::estimator::{loading, parkq_model_info};
use crate::frame::parkq_frame;
use crate::library::{loaded, threads};
use crate::lot::parkq_lot;
use crate::memory;
use crate::pointers::{Array, bytes, given, text};
use crate::status::{Failure, parkq_status};

/// What parkq looks for.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_label {
    /// None: what was destroyed was not found, but a privacy mask.
    None = 0,
    /// A car, truck, bus or motorcycle.
    Vehicle = 1,
    /// A person, on foot or not.
    Person = 2,
    /// A number plate.
    Plate = 3,
    /// A face.
    Face = 4,
    /// A label that has no number of its own yet.
    Other = 5,
}

impl From<Option<Label>> for parkq_label {
    fn from(label: Option<Label>) -> Self {
        match label {
            None => Self::None,
            Some(Label::Vehicle) => Self::Vehicle,
            Some(Label::Person) => Self::Person,
            Some(Label::Plate) => Self::Plate,
            Some(Label::Face) => Self::Face,
            Some(_) => Self::Other,
        }
    }
}

/// An upright rectangle in the frame's pixels, origin top left.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// To the right.
    pub width: f32,
    /// Downward.
    pub height: f32,
}

impl From<parkq_rect> for Rect {
    fn from(parkq_rect { x, y, width, height }: parkq_rect) -> Self {
        Self { x, y, width, height }
    }
}

impl From<Rect> for parkq_rect {
    fn from(Rect { x, y, width, height }: Rect) -> Self {
        Self { x, y, width, height }
    }
}

/// One thing that was found.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_detection {
    /// Where, clipped to the frame.
    pub rect: parkq_rect,
    /// How sure the detector is, 0 to 1; calibrated: of those at 0.5 about half are right.
    pub score: f32,
    /// One of `parkq_label`.
    pub label: u32,
}

impl From<&Detection> for parkq_detection {
    fn from(found: &Detection) -> Self {
        let label = parkq_label::from(Some(found.label)) as u32;
        Self { rect: found.rect.into(), score: found.score, label }
    }
}

/// One threshold for each label, 0 to 1: what scores less does not count.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_scores {
    /// Of vehicles.
    pub vehicle: f32,
    /// Of persons.
    pub person: f32,
    /// Of plates.
    pub plate: f32,
    /// Of faces.
    pub face: f32,
}

impl From<Scores> for parkq_scores {
    fn from(scores: Scores) -> Self {
        let Scores { vehicle, person, plate, face, .. } = scores;
        Self { vehicle, person, plate, face }
    }
}

impl From<parkq_scores> for Scores {
    fn from(scores: parkq_scores) -> Self {
        let parkq_scores { vehicle, person, plate, face } = scores;
        Self::default().vehicle(vehicle).person(person).plate(plate).face(face)
    }
}

/// How a picture is looked at. The cost is that of the network on so many pixels.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_tiling {
    /// At 896 pixels on its longer side (a smaller one is enlarged, at most three times), and at a
    /// third, a ninth .. of that, where large things are found. 1.11 times the cost of whole.
    Auto = 0,
    /// Once, at 896 pixels on its longer side (a smaller one is enlarged, at most three times).
    Whole = 1,
    /// At its full size, in tiles, and at a third, a ninth .. of that; in proportion to its pixels.
    Full = 2,
}

/// What a detector reports. Fill it with `parkq_detector_options_default`, then change what you
/// need.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_detector_options {
    /// What scores less is not reported.
    pub min_score: parkq_scores,
    /// Of two boxes of one label whose intersection is more than this share of their union, the
    /// lower one is dropped; 0 to 1.
    pub max_overlap: f32,
    /// Of more detections than this the best are reported; 1 to 100,000.
    pub max_detections: u32,
    /// One of `parkq_tiling`.
    pub tiling: u32,
    /// On how many threads parts of a picture are looked at; 0 is one for each processor. The
    /// cap of `parkq_threads_set_cap` holds.
    pub threads: u32,
}

impl parkq_detector_options {
    fn defaults() -> Self {
        let options = DetectorOptions::default();
        let tiling = match options.tiling {
            Tiling::Whole => parkq_tiling::Whole,
            Tiling::Full => parkq_tiling::Full,
            _ => parkq_tiling::Auto,
        };
        Self {
            min_score: options.min_score.into(),
            max_overlap: options.max_overlap,
            max_detections: options.max_detections as u32,
            tiling: tiling as u32,
            threads: options.threads as u32,
        }
    }

    fn options(this: Option<&Self>) -> Result<DetectorOptions, Failure> {
        let this = this.copied().unwrap_or_else(Self::defaults);
        let tiling = match this.tiling {
            0 => Tiling::Auto,
            1 => Tiling::Whole,
            2 => Tiling::Full,
            number => {
                let message = format!("tiling is {number}, 0..=2 is needed");
                return Err(Failure::new(parkq_status::Argument, message));
            }
        };
        Ok(DetectorOptions::default()
            .min_score(this.min_score.into())
            .max_overlap(this.max_overlap)
            .max_detections(this.max_detections as usize)
            .tiling(tiling)
            .threads(threads(this.threads)))
    }
}

/// Finds vehicles, persons, plates and faces.
///
/// You own it from `parkq_detector_new` or `_from_onnx` to `parkq_detector_free`. It keeps
/// nothing of a frame between calls; any number of threads may use it at once.
pub struct parkq_detector(pub(crate) Arc<Detector>);

/// What looking at a frame of this size may take: for each pixel that the network sees at once,
/// and for the network itself, which is prepared for a size when that is first met; for as many
/// threads as find something to do.
pub(crate) fn looking((width, height): (u32, u32), threads: usize) -> usize {
    const PIXEL: usize = 96;
    const NETWORK: usize = 32 << 20;
    const SMALL: u32 = 960;
    const TILE: u32 = 1024;
    let scale = if width.max(height) < SMALL { 3 } else { 1 };
    let [across, down] = [width, height].map(|side| (side * scale).min(TILE) as usize + 32);
    // The picture in tiles, on a lot at up to three times its size, and a few coarser levels.
    let tiles = |side: u32| (3 * side as usize).div_ceil(TILE as usize);
    let views = tiles(width) * tiles(height) + 3;
    NETWORK.saturating_add(across * down * PIXEL).saturating_mul(threads.clamp(1, views))
}

impl parkq_detector {
    fn new(detector: Detector) -> Self {
        loaded(detector.model());
        Self(Arc::new(detector))
    }

    /// As `Anonymizer::bundled` has it.
    pub(crate) fn to_anonymize() -> Result<Self, Failure> {
        Self::bundled(DetectorOptions::default().tiling(Tiling::Full).threads(threads(1)))
    }

    #[cfg(feature = "bundled")]
    fn bundled(options: DetectorOptions) -> Result<Self, Failure> {
        Ok(Self::new(Detector::with_options(options)?))
    }

    #[cfg(not(feature = "bundled"))]
    fn bundled(_: DetectorOptions) -> Result<Self, Failure> {
        Err(Failure::unsupported("bundled"))
    }
}

/// Writes the default options to `options`. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_detector_options_default(
    options: Option<&mut MaybeUninit<parkq_detector_options>>,
) -> parkq_status {
    write(options, "options", || Ok(parkq_detector_options::defaults()))
}

/// What loading the bundled detector may take.
pub(crate) const DETECTOR: usize = 32 << 20;

/// Makes a detector with the bundled model.
///
/// Reads `options`; NULL gives the defaults. Writes a new detector to `detector`. Takes up to
/// 32 MiB while it runs. PARKQ_STATUS_UNSUPPORTED in a library without its weights,
/// PARKQ_STATUS_OPTION for an option outside its range.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_detector_new(
    options: Option<&parkq_detector_options>,
    detector: Option<&mut MaybeUninit<Option<Box<parkq_detector>>>>,
) -> parkq_status {
    make(detector, "detector", || {
        let _room = memory::reserve(DETECTOR)?;
        parkq_detector::bundled(parkq_detector_options::options(options)?)
    })
}

/// Makes a detector with a model of your own.
///
/// Reads `name_length` bytes of UTF-8 at `name`, under which results name the model,
/// `onnx_length` bytes at `onnx`, and at `spec` `spec_length` bytes of JSON that say what the
/// model takes and gives (parkq_core::ModelSpec describes it); keeps none of them. Otherwise as
/// `parkq_detector_new`; takes up to 8 times `onnx_length` of memory, and 48 MiB.
/// PARKQ_STATUS_MODEL for what is no ONNX model, or not what the spec says. What such a model
/// takes when it looks at a frame is its own affair: the ceiling's promise is for the bundled one.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_detector_from_onnx(
    name: *const c_char,
    name_length: usize,
    onnx: *const c_void,
    onnx_length: usize,
    spec: *const c_char,
    spec_length: usize,
    options: Option<&parkq_detector_options>,
    detector: Option<&mut MaybeUninit<Option<Box<parkq_detector>>>>,
) -> parkq_status {
    make(detector, "detector", || {
        // SAFETY: by this function's contract.
        let name = unsafe { text(name, name_length, "name") }?;
        // SAFETY: by this function's contract.
        let onnx = unsafe { bytes(onnx, onnx_length, "onnx") }?;
        // SAFETY: by this function's contract.
        let spec = unsafe { text(spec, spec_length, "spec") }?;
        let _room = memory::reserve(loading(onnx))?;
        let options = parkq_detector_options::options(options)?;
        let detector = Detector::from_onnx(name, onnx, ModelSpec::from_json(spec)?, options)?;
        Ok(parkq_detector::new(detector))
    })
}

/// Frees a detector; NULL is allowed. No thread may be using it.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_detector_free(detector: Option<Box<parkq_detector>>) {
    free(detector);
}

/// Writes which model it looks with to `info`.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_detector_model(
    detector: Option<&parkq_detector>,
    info: Option<&mut MaybeUninit<parkq_model_info>>,
) -> parkq_status {
    write(info, "info", || Ok(given(detector, "detector")?.0.model().into()))
}

/// Says what is in a frame, best first.
///
/// Reads the planes of `frame` where they lie, and writes none of it; with a `lot` (NULL is
/// allowed) its spaces tell the scale, so that each part is looked at in the one that suits it.
/// Writes up to `capacity` detections to `detections`, and to `count` how many there are;
/// `detections` may be NULL if `capacity` is 0. Takes, for each thread that finds something to do, up
/// to 32 MiB and 96 bytes for each pixel that the network sees at once: at most 1024 across and
/// down, and thrice the picture's if its longer side is less than 960. Keeps the network as prepared
/// for the last six sizes at which it looked, without a pixel in it: for each up to 10 MiB, and 16
/// bytes for each pixel of that size for every call and thread that ever looked at once.
///
/// # Safety
/// The pointers, and the planes, are as said above and at `parkq_frame`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_detector_detect(
    detector: Option<&parkq_detector>,
    frame: Option<&parkq_frame>,
    lot: Option<&parkq_lot>,
    detections: *mut parkq_detection,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let detector = &given(detector, "detector")?.0;
        let frame = given(frame, "frame")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(detections, capacity, count, "detections") }?;
        // SAFETY: by this function's contract.
        let frame = unsafe { frame.view() }?;
        let _room =
            memory::reserve(looking((frame.width(), frame.height()), detector.options().threads))?;
        let found = match lot {
            Some(lot) => detector.detect_on(frame, &lot.0)?,
            None => detector.detect(frame)?,
        };
        array.write(found.iter().map(parkq_detection::from));
        Ok(())
    })
}

//! `parkq_anonymizer` and `parkq_stream`: people and plates are destroyed where they lie.

use std::mem::MaybeUninit;
use std::sync::Arc;

use parkq_core::{
    Anonymizer, Cause, Fallback, Fill, Policy, Redacted, Redaction, Redactions, Stream,
    StreamOptions,
};

use crate::boundary::call;
use crate::detector::{DETECTOR, looking, parkq_detector, parkq_label, parkq_rect, parkq_scores};
use crate::frame::{Lent, parkq_frame};
use crate::lot::parkq_lot;
use crate::memory;
use crate::pointers::{Array, given};
use crate::status::{Failure, parkq_status};

/// Why a region was destroyed.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_cause {
    /// It was found.
    Detected = 1,
    /// Something should have been found there, such as a vehicle's plate.
    Fallback = 2,
    /// A privacy mask of the lot's.
    Mask = 3,
    /// A stream saw it in an earlier frame.
    Remembered = 4,
    /// The caller asked for it.
    Given = 5,
    /// A cause that has no number of its own yet.
    Other = 6,
}

/// One region that was destroyed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_redacted {
    /// At most so many bits of what was there can be learnt from what is there now.
    pub leak_bits: f64,
    /// The rectangle round it: what overlaps or touches is one region, which need not fill it.
    pub rect: parkq_rect,
    /// One of `parkq_label`.
    pub label: u32,
    /// One of `parkq_cause`.
    pub cause: u32,
}

impl From<&Redacted> for parkq_redacted {
    fn from(region: &Redacted) -> Self {
        let cause = match region.cause {
            Cause::Detected => parkq_cause::Detected,
            Cause::Fallback => parkq_cause::Fallback,
            Cause::Mask => parkq_cause::Mask,
            Cause::Remembered => parkq_cause::Remembered,
            Cause::Given => parkq_cause::Given,
            _ => parkq_cause::Other,
        };
        Self {
            leak_bits: region.leak_bits,
            rect: region.rect.into(),
            label: parkq_label::from(region.label) as u32,
            cause: cause as u32,
        }
    }
}

impl Array<'_, parkq_redacted> {
    pub(crate) fn write_redactions(self, redactions: &Redactions) {
        self.write(redactions.iter().map(parkq_redacted::from));
    }
}

/// What is destroyed of a vehicle on which no plate was found although one would be legible.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_fallback {
    /// The zone in which plates are.
    PlateZone = 0,
    /// All of it.
    WholeVehicle = 1,
    /// Nothing.
    Off = 2,
}

/// How the pixels of a region are destroyed. There is no blur: it can be undone.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_redaction {
    /// Filled with one colour.
    Colour = 0,
    /// Filled with the mean of what is around it.
    Surroundings = 1,
    /// Cells of gray, each the mean of what was there, rounded to one of a few levels.
    Mosaic = 2,
}

/// What is private, and how it is destroyed. Fill it with `parkq_policy_default`, then change
/// what you need.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_policy {
    /// Whether plates are destroyed: 1 or 0.
    pub plates: u32,
    /// Whether faces are destroyed: 1 or 0.
    pub faces: u32,
    /// Whether persons are destroyed: 1 or 0.
    pub persons: u32,
    /// From which score on what is found counts.
    pub scores: parkq_scores,
    /// From this score on a plate spares its vehicle the fallback; 0 to 1.
    pub sure_plate: f32,
    /// How far plates are grown on each side, as a share of their size; 0 to 4.
    pub plate_margin: f32,
    /// How far faces are grown; 0 to 4.
    pub face_margin: f32,
    /// How far persons are grown; 0 to 4.
    pub person_margin: f32,
    /// How far persons are grown upward beyond that; 0 to 4.
    pub head_margin: f32,
    /// How far anything is grown at least, pixels; 0 to 64.
    pub min_margin: f32,
    /// One of `parkq_fallback`.
    pub fallback: u32,
    /// From where to where plates are in a vehicle's height, 0 to 1 from its top.
    pub plate_zone: [f32; 2],
    /// Below this a plate is illegible, and no fallback is needed; pixels per metre.
    pub min_pixels_per_metre: f32,
    /// One of `parkq_redaction`.
    pub redaction: u32,
    /// The colour of PARKQ_REDACTION_COLOUR: red, green, blue.
    pub colour: [u8; 3],
    /// The levels of PARKQ_REDACTION_MOSAIC, at least 1.
    pub mosaic_levels: u8,
    /// The cells of PARKQ_REDACTION_MOSAIC across and down, at least 1.
    pub mosaic_cells: [u32; 2],
    /// A redaction that lets through more bits a region than this is refused; 0 to 8.
    pub max_leak_bits: f64,
}

impl parkq_policy {
    fn defaults() -> Self {
        let policy = Policy::default();
        let fallback = match policy.fallback {
            Fallback::WholeVehicle => parkq_fallback::WholeVehicle,
            Fallback::Off => parkq_fallback::Off,
            _ => parkq_fallback::PlateZone,
        };
        let mut this = Self {
            plates: policy.plates.into(),
            faces: policy.faces.into(),
            persons: policy.persons.into(),
            scores: policy.scores.into(),
            sure_plate: policy.sure_plate,
            plate_margin: policy.plate_margin,
            face_margin: policy.face_margin,
            person_margin: policy.person_margin,
            head_margin: policy.head_margin,
            min_margin: policy.min_margin,
            fallback: fallback as u32,
            plate_zone: policy.plate_zone,
            min_pixels_per_metre: policy.min_pixels_per_metre,
            redaction: parkq_redaction::Colour as u32,
            colour: [0; 3],
            mosaic_levels: 1,
            mosaic_cells: [1, 1],
            max_leak_bits: policy.max_leak_bits,
        };
        match policy.redaction {
            Redaction::Fill(Fill::Colour(colour)) => this.colour = colour,
            Redaction::Mosaic { cells, levels } => {
                this.redaction = parkq_redaction::Mosaic as u32;
                (this.mosaic_cells, this.mosaic_levels) = (cells, levels);
            }
            _ => this.redaction = parkq_redaction::Surroundings as u32,
        }
        this
    }

    pub(crate) fn policy(this: Option<&Self>) -> Result<Policy, Failure> {
        let this = this.copied().unwrap_or_else(Self::defaults);
        let wrong = |name, number, needed| {
            let message = format!("{name} is {number}, {needed} is needed");
            Failure::new(parkq_status::Argument, message)
        };
        let flag = |name, number| match number {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(wrong(name, number, "0 or 1")),
        };
        let fallback = match this.fallback {
            0 => Fallback::PlateZone,
            1 => Fallback::WholeVehicle,
            2 => Fallback::Off,
            number => return Err(wrong("fallback", number, "0..=2")),
        };
        let redaction = match this.redaction {
            0 => Redaction::Fill(Fill::Colour(this.colour)),
            1 => Redaction::Fill(Fill::Surroundings),
            2 => Redaction::Mosaic { cells: this.mosaic_cells, levels: this.mosaic_levels },
            number => return Err(wrong("redaction", number, "0..=2")),
        };
        Ok(Policy::default()
            .plates(flag("plates", this.plates)?)
            .faces(flag("faces", this.faces)?)
            .persons(flag("persons", this.persons)?)
            .scores(this.scores.into())
            .sure_plate(this.sure_plate)
            .plate_margin(this.plate_margin)
            .face_margin(this.face_margin)
            .person_margin(this.person_margin)
            .head_margin(this.head_margin)
            .min_margin(this.min_margin)
            .fallback(fallback)
            .plate_zone(this.plate_zone)
            .min_pixels_per_metre(this.min_pixels_per_metre)
            .redaction(redaction)
            .max_leak_bits(this.max_leak_bits))
    }
}

/// Destroys people and plates in a picture, and the lot's privacy masks first.
///
/// You own it from `parkq_anonymizer_new` or `_from_detector` to `parkq_anonymizer_free`. It
/// keeps nothing of a frame between calls; any number of threads may use it at once.
pub struct parkq_anonymizer {
    anonymizer: Arc<Anonymizer>,
    threads: usize,
}

impl parkq_anonymizer {
    fn new(
        detector: parkq_detector,
        policy: Option<&parkq_policy>,
        lot: Option<&parkq_lot>,
    ) -> Result<Self, Failure> {
        let threads = detector.0.options().threads;
        let mut anonymizer = Anonymizer::new(detector.0, parkq_policy::policy(policy)?)?;
        if let Some(lot) = lot {
            anonymizer = anonymizer.on(lot.0.clone());
        }
        Ok(Self { anonymizer: Arc::new(anonymizer), threads })
    }
}

/// Writes the default policy to `policy`. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_policy_default(
    policy: Option<&mut MaybeUninit<parkq_policy>>,
) -> parkq_status {
    call(|| {
        given(policy, "policy")?.write(parkq_policy::defaults());
        Ok(())
    })
}

/// Makes an anonymizer with the bundled detector, which looks at the picture's full size.
///
/// Reads `policy`, for which NULL gives the defaults, and `lot`, of which it keeps a copy; NULL
/// is allowed. Writes a new anonymizer to `anonymizer`. Takes up to 32 MiB while it runs. Fails
/// as `parkq_detector_new`; PARKQ_STATUS_OPTION for a policy outside its ranges, or too leaky.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_anonymizer_new(
    policy: Option<&parkq_policy>,
    lot: Option<&parkq_lot>,
    anonymizer: Option<&mut MaybeUninit<Option<Box<parkq_anonymizer>>>>,
) -> parkq_status {
    call(|| {
        let slot = given(anonymizer, "anonymizer")?;
        let _room = memory::reserve(DETECTOR)?;
        let detector = parkq_detector::to_anonymize()?;
        slot.write(Some(Box::new(parkq_anonymizer::new(detector, policy, lot)?)));
        Ok(())
    })
}

/// Makes an anonymizer with a detector of yours, which it takes over, also if it fails: then
/// `*detector` is NULL. The policy's scores count, not the detector's. Otherwise as
/// `parkq_anonymizer_new`.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_anonymizer_from_detector(
    detector: Option<&mut Option<Box<parkq_detector>>>,
    policy: Option<&parkq_policy>,
    lot: Option<&parkq_lot>,
    anonymizer: Option<&mut MaybeUninit<Option<Box<parkq_anonymizer>>>>,
) -> parkq_status {
    call(|| {
        let detector = given(detector, "detector")?;
        let slot = given(anonymizer, "anonymizer")?;
        let detector = given(detector.take(), "*detector")?;
        slot.write(Some(Box::new(parkq_anonymizer::new(*detector, policy, lot)?)));
        Ok(())
    })
}

/// Frees an anonymizer; NULL is allowed. No thread may be using it. Streams made with it live on.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_anonymizer_free(anonymizer: Option<Box<parkq_anonymizer>>) {
    call(|| {
        drop(anonymizer);
        Ok(())
    });
}

/// Destroys people and plates in a frame, where they lie.
///
/// Reads and writes the planes of `frame`; bytes between rows stay as they are. When it returns
/// PARKQ_STATUS_OK, the picture is anonymized. When it returns anything else, the whole picture is
/// black; only if `frame` itself is wrong (NULL, an unknown number, a size or stride that is not
/// allowed, planes that overlap) nothing was written, and the picture must not leave.
/// Writes up to `capacity` regions to `redacted`, and to `count` how many there are; `redacted`
/// may be NULL if `capacity` is 0. Takes as much memory as `parkq_detector_detect`.
///
/// # Safety
/// The pointers, and the planes, are as said above and at `parkq_frame`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_anonymizer_anonymize_in_place(
    anonymizer: Option<&parkq_anonymizer>,
    frame: Option<&parkq_frame>,
    redacted: *mut parkq_redacted,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        // SAFETY: by this function's contract.
        let lent = unsafe { Lent::new(frame) }?;
        let anonymizer = given(anonymizer, "anonymizer")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(redacted, capacity, count, "redacted") }?;
        let _room = memory::reserve(looking(lent.size(), anonymizer.threads))?;
        let anonymized = anonymizer.anonymizer.anonymize_in_place(lent.take()?)?;
        array.write_redactions(anonymized.redactions());
        Ok(())
    })
}

/// The frames of one camera, one after the other: what was found once stays hidden while it is
/// missed, and a redaction is repeated, not renewed, so that a film does not leak more than a
/// picture.
///
/// You own it from `parkq_stream_new` to `parkq_stream_free`. It keeps where regions were, and
/// what was written there, but no picture. One thread at a time may use it.
pub struct parkq_stream {
    stream: Stream,
    threads: usize,
}

/// How long a stream remembers. Fill it with `parkq_stream_options_default`, then change what
/// you need.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_stream_options {
    /// For how many frames a region stays hidden that is not found any more; 0 to 1000.
    pub keep_frames: u32,
    /// How far something may move from frame to frame and still be the same, as a multiple of
    /// its longer side; 0 to 100.
    pub reach: f32,
}

impl parkq_stream_options {
    fn defaults() -> Self {
        let StreamOptions { keep_frames, reach, .. } = StreamOptions::default();
        Self { keep_frames, reach }
    }
}

/// Writes the default options to `options`. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_stream_options_default(
    options: Option<&mut MaybeUninit<parkq_stream_options>>,
) -> parkq_status {
    call(|| {
        given(options, "options")?.write(parkq_stream_options::defaults());
        Ok(())
    })
}

/// Makes a stream. It shares `anonymizer`, which you may free before it or after. Reads
/// `options`; NULL gives the defaults. Writes a new stream to `stream`. PARKQ_STATUS_OPTION for
/// an option outside its range.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_stream_new(
    anonymizer: Option<&parkq_anonymizer>,
    options: Option<&parkq_stream_options>,
    stream: Option<&mut MaybeUninit<Option<Box<parkq_stream>>>>,
) -> parkq_status {
    call(|| {
        let parkq_anonymizer { anonymizer, threads } = given(anonymizer, "anonymizer")?;
        let slot = given(stream, "stream")?;
        let options = options.copied().unwrap_or_else(parkq_stream_options::defaults);
        let options =
            StreamOptions::default().keep_frames(options.keep_frames).reach(options.reach);
        let stream = Stream::new(anonymizer.clone(), options)?;
        slot.write(Some(Box::new(parkq_stream { stream, threads: *threads })));
        Ok(())
    })
}

/// Frees a stream; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_stream_free(stream: Option<Box<parkq_stream>>) {
    call(|| {
        drop(stream);
        Ok(())
    });
}

/// As `parkq_anonymizer_anonymize_in_place`, for the next frame of the camera.
///
/// # Safety
/// The pointers, and the planes, are as said above and at `parkq_frame`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_stream_anonymize_in_place(
    stream: Option<&mut parkq_stream>,
    frame: Option<&parkq_frame>,
    redacted: *mut parkq_redacted,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        // SAFETY: by this function's contract.
        let lent = unsafe { Lent::new(frame) }?;
        let stream = given(stream, "stream")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(redacted, capacity, count, "redacted") }?;
        let _room = memory::reserve(looking(lent.size(), stream.threads))?;
        let anonymized = stream.stream.anonymize_in_place(lent.take()?)?;
        array.write_redactions(anonymized.redactions());
        Ok(())
    })
}

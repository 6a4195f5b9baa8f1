//! Views -> net -> decode -> one set of boxes -> a second look -> one set of boxes.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::decode::{self, Candidate};
use super::nms::{self, Found};
use super::scale::{self, Scale};
use super::second::{Second, Verdict};
use super::spec::{Colour, InputSize, Layout};
use super::views::{self, View};
use super::{Detection, DetectorOptions, Label, ModelSpec, Scores, Tiling};
use crate::engine::{ModelInfo, Net};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::{self, Rect};
use crate::input::Input;
use crate::occupancy::Lot;
use crate::resample::{Axis, Colours, Target, mean_and_deviation, resample};
use crate::threads;

/// The bundled network's signature.
#[cfg(feature = "bundled")]
const BUNDLED: &str = r#"{
    "input": {"size": {"multiple_of": 32}},
    "classes": 4,
    "labels": {"0": "vehicle", "1": "person", "2": "plate", "3": "face"},
    "logits": true,
    "output": {"convention": "cells", "stride": 8}
}"#;
/// Of more candidates than this, or than so many for each detection that may be left, only the
/// best are looked at.
const CANDIDATES: usize = 16_000;
const CANDIDATES_EACH: usize = 8;
/// More candidates than this are too many where none may be left out.
const MOST: usize = 100_000;
/// Where none may be left out, boxes of persons that overlap no more than this are two persons, of
/// whom one stands before the other.
const CROWD: f32 = 0.8;
/// In so many pixels a square is shown; each network that can be is prepared for this size when
/// it is loaded.
const SQUARE: usize = 128;
/// Mean and deviation of a view that is evened, of 255, about as pictures taken in daylight have
/// them; a deviation below the last is left in proportion.
const EVEN: (f32, f32, f32) = (115.0, 50.0, 10.0);

/// Finds vehicles, persons, plates and faces.
///
/// It keeps nothing of a frame between calls, and may be shared by any number of threads. The
/// first frame of a new size takes longer: the network is prepared for it, and stays so for the
/// few sizes used last.
///
/// ```
/// use parkq_core::{Detector, Frame, PixelFormat};
/// let detector = Detector::bundled()?;
/// let nv12 = vec![128u8; 320 * 240 * 3 / 2];
/// for found in detector.detect(Frame::packed(PixelFormat::Nv12, 320, 240, &nv12)?)? {
///     println!("{} {:.2} at {:?}", found.label, found.score, found.rect);
/// }
/// # Ok::<(), parkq_core::Error>(())
/// ```
pub struct Detector {
    net: Net,
    spec: ModelSpec,
    second: Option<Second>,
    options: DetectorOptions,
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Detector({})", self.net.info().name)
    }
}

impl Detector {
    /// With the bundled model and the default options.
    ///
    /// # Errors
    /// As [`Detector::with_options`].
    ///
    /// ```
    /// # use parkq_core::Detector;
    /// assert_eq!(Detector::bundled()?.model().name, "detector");
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    #[cfg(feature = "bundled")]
    pub fn bundled() -> Result<Self> {
        Self::with_options(DetectorOptions::default())
    }

    /// With the bundled model.
    ///
    /// # Errors
    /// [`Error::Option`](crate::Error::Option) for an option outside its range.
    ///
    /// ```
    /// use parkq_core::{Detector, DetectorOptions, Error};
    /// let error = Detector::with_options(DetectorOptions::default().max_overlap(2.0)).unwrap_err();
    /// assert!(matches!(error, Error::Option { name: "max_overlap", .. }));
    /// ```
    #[cfg(feature = "bundled")]
    pub fn with_options(options: DetectorOptions) -> Result<Self> {
        let model = &parkq_models::SECOND_LOOK;
        let second = Some(Second::from_onnx(model.name, model.onnx)?);
        Ok(Self { second, ..Self::first_look(options)? })
    }

    /// With the bundled model's first look, for vehicles of this score and more.
    #[cfg(feature = "bundled")]
    pub(crate) fn for_vehicles(least: f32) -> Result<Self> {
        // Log-odds of 1.0 are infinite: nothing else is reported.
        let scores = Scores::all(1.0).vehicle(least);
        Self::first_look(DetectorOptions::default().min_score(scores))
    }

    #[cfg(feature = "bundled")]
    fn first_look(options: DetectorOptions) -> Result<Self> {
        let model = &parkq_models::DETECTOR;
        Self::from_onnx(model.name, model.onnx, ModelSpec::from_json(BUNDLED)?, options)
    }

    /// With a model of your own, under a name of your own.
    ///
    /// Models are not trusted with the process: what would take more than 256 MiB for one tensor,
    /// 2 GiB for all, or 2.2e12 multiply-adds for one run is refused before it runs; so are windows
    /// of more than 65,536 elements, loops and other nested graphs, constants outside of the file,
    /// and large tensors that are computed from constants alone (fold these when exporting). They
    /// are trusted with the picture: what they say of it is reported as boxes and scores, and a
    /// model made for it could hide pixels in these.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) for what is no such ONNX model, above 64 MiB, or not
    /// what the spec says, and then the message says what the model has;
    /// [`Error::Option`](crate::Error::Option) for an option outside its range.
    ///
    /// ```
    /// use parkq_core::{Detector, DetectorOptions, Error, ModelSpec};
    /// let spec = ModelSpec::from_json(r#"{
    ///     "input": {"size": {"fixed": [64, 64]}}, "classes": 1, "labels": {"0": "face"},
    ///     "output": {"convention": "yolov8"}
    /// }"#)?;
    /// let nonsense = Detector::from_onnx("mine", b"no model", spec, DetectorOptions::default());
    /// assert!(matches!(nonsense, Err(Error::Model(_))));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn from_onnx(
        name: &str,
        onnx: &[u8],
        spec: ModelSpec,
        options: DetectorOptions,
    ) -> Result<Self> {
        options.check()?;
        spec.check()?;
        let net = Net::load(name, onnx)?;
        let detector = Self { net, spec, second: None, options };
        // A size of input to see whether spec and graph agree.
        let size = match detector.spec.input.size {
            InputSize::Fixed(size) => size,
            InputSize::MultipleOf(n) => [SQUARE.next_multiple_of(n); 2],
        };
        let shapes = detector.net.shapes(&detector.shape(size))?;
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        decode::check(&detector.spec, size, detector.net.outputs(), &shapes)?;
        Ok(detector)
    }

    /// The model that it looks with.
    ///
    /// ```
    /// # use parkq_core::Detector;
    /// assert_eq!(Detector::bundled()?.model().sha256.len(), 64);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn model(&self) -> &ModelInfo {
        self.net.info()
    }

    /// The model of the second look, which is shown enlarged what the first takes for a plate, a face
    /// or a small person, and decides; none with a model of your own. How it works stands in its
    /// card, `models/second-look.md`.
    ///
    /// ```
    /// # use parkq_core::Detector;
    /// assert_eq!(Detector::bundled()?.second_look().map(|model| &*model.name), Some("second-look"));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn second_look(&self) -> Option<&ModelInfo> {
        self.second.as_ref().map(Second::info)
    }

    /// What it reports.
    ///
    /// ```
    /// # use parkq_core::{Detector, DetectorOptions};
    /// assert_eq!(Detector::bundled()?.options(), &DetectorOptions::default());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn options(&self) -> &DetectorOptions {
        &self.options
    }

    /// What is in a frame, best first; boxes are clipped to it.
    ///
    /// # Errors
    /// [`Error::Inference`](crate::Error::Inference) if the network fails or gives what is no
    /// number; [`Error::Model`](crate::Error::Model) if a model of your own does not take this
    /// size of picture, or says something of another shape about it than its spec needs.
    ///
    /// ```
    /// # use parkq_core::{Detector, PixelFormat, RawFrame};
    /// let raw = RawFrame::from_pixels(PixelFormat::Gray8, 64, 48, vec![0; 64 * 48])?;
    /// assert!(Detector::bundled()?.detect(&raw)?.is_empty());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn detect<'a>(&self, input: impl Into<Input<'a>>) -> Result<Vec<Detection>> {
        self.best(input.into(), None)
    }

    /// What is in a frame of a lot, best first. The spaces' known size says how many pixels a
    /// metre has where, so each part of the picture is looked at in the scale that suits it, at
    /// no more than 1.5 times the cost of [`detect`](Self::detect), and what is of an impossible
    /// size for its label is dropped (people, who may be near the camera, only if too small). So is
    /// what has its middle in one of the lot's privacy masks.
    /// Without spaces it is [`detect`](Self::detect).
    ///
    /// # Errors
    /// As [`detect`](Self::detect).
    ///
    /// ```
    /// # use parkq_core::{Detector, Lot, PixelFormat, RawFrame};
    /// let lot = Lot::from_json(r#"{"version": 1, "spaces": [
    ///     {"id": "A1", "quad": [[0.1, 0.5], [0.2, 0.5], [0.2, 0.8], [0.1, 0.8]]}]}"#)?;
    /// let raw = RawFrame::from_pixels(PixelFormat::Gray8, 64, 48, vec![0; 64 * 48])?;
    /// assert!(Detector::bundled()?.detect_on(&raw, &lot)?.is_empty());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn detect_on<'a>(&self, input: impl Into<Input<'a>>, lot: &Lot) -> Result<Vec<Detection>> {
        self.best(input.into(), Some(lot))
    }

    /// What the bundled model's first look sees in a square of a frame (left, top, side), which is
    /// shown evened; beyond the frame its edge is repeated.
    pub(crate) fn detect_in(&self, frame: &Frame<'_>, square: [f64; 3]) -> Result<Vec<Detection>> {
        let view = View::square(square, SQUARE);
        let found = self.look(frame, &view, &self.options.min_score, None)?;
        Ok(nms::suppress(found, |_| self.options.max_overlap))
    }

    fn best(&self, Input { frame, .. }: Input<'_>, lot: Option<&Lot>) -> Result<Vec<Detection>> {
        let DetectorOptions { min_score, max_overlap, max_detections, .. } = self.options;
        let most = CANDIDATES.max(CANDIDATES_EACH.saturating_mul(max_detections));
        let best = |mut found: Vec<Found>| {
            if found.len() > most {
                let score = |found: &Found| found.detection.score;
                found.sort_by(|a, b| score(b).total_cmp(&score(a)));
                found.truncate(most);
            }
            found
        };
        // Of each view, too, so that there are never many more.
        let found = best(self.candidates(&frame, lot, min_score, true, |found| Ok(best(found)))?);
        let (found, _) = self.judge(&frame, found, min_score, |_| max_overlap)?;
        let mut found = if self.second.is_some() { Second::distinct(found) } else { found };
        if let Some(lot) = lot {
            let (width, height) = (f64::from(frame.width()), f64::from(frame.height()));
            found.retain(|Detection { rect, .. }| {
                let x = f64::from(rect.x + rect.width / 2.0) / width;
                let y = f64::from(rect.y + rect.height / 2.0) / height;
                !lot.masks().iter().any(|mask| geometry::contains(mask, x, y))
            });
        }
        found.truncate(max_detections);
        Ok(found)
    }

    /// All that is in a frame, with thresholds of the caller's: `max_detections` leaves nothing
    /// out, nor does a `max_overlap` below the default (of persons, below 0.8), nor a lot
    /// that does not fit the picture (a camera was moved or zoomed), to whose scale what is there
    /// may be of impossible size.
    pub(crate) fn detect_all(
        &self,
        frame: Frame<'_>,
        lot: Option<&Lot>,
        scores: Scores,
    ) -> Result<Vec<Detection>> {
        let asked = |one: &&Found| one.detection.score >= scores.of(one.detection.label);
        let all = AtomicUsize::new(0);
        let counted = |found: Vec<Found>| {
            let here = found.iter().filter(asked).count();
            let actual = here + all.fetch_add(here, Ordering::Relaxed);
            if actual > MOST {
                let problem = format!("{actual} boxes or more, at most {MOST} are looked at");
                return Err(Error::Inference(problem));
            }
            Ok(if self.second.is_some() { Second::hopeful(found, &scores) } else { found })
        };
        let found = self.candidates(&frame, lot, scores, false, counted)?;
        let least = self.options.max_overlap.max(DetectorOptions::default().max_overlap);
        let overlap = |label| if label == Label::Person { least.max(CROWD) } else { least };
        let sure = found.iter().filter(asked).filter(|one| Second::sure(one)).copied().collect();
        let (mut all, verdicts) = self.judge(&frame, found, scores, overlap)?;
        if self.second.is_some() {
            // The second look may doubt or move what the first was sure of, or what one of its own
            // windows showed: that is kept too, but counts for nothing beside, not even where a
            // score of 0 does.
            for found in [sure, Second::doubted(&verdicts, &scores)] {
                let doubted = nms::suppress(found, overlap).into_iter();
                all.extend(doubted.map(|one| Detection { score: -1.0, ..one }));
            }
            all.sort_by(nms::order);
        }
        Ok(all)
    }

    /// One box for each thing, best first; and what the second look said of all candidates.
    fn judge(
        &self,
        frame: &Frame<'_>,
        found: Vec<Found>,
        scores: Scores,
        overlap: impl Fn(Label) -> f32 + Copy,
    ) -> Result<(Vec<Detection>, Vec<Verdict>)> {
        let Some(second) = &self.second else {
            return Ok((nms::suppress(found, overlap), Vec::new()));
        };
        let found = nms::suppress(Second::hopeful(found, &scores), overlap);
        let verdicts = second.look(frame, found, self.options.threads)?;
        let asked = |one: &Detection| one.score >= scores.of(one.label);
        let whole = |detection| Found { detection, cut: false };
        let last = verdicts.iter().map(|verdict| verdict.last).filter(asked).map(whole).collect();
        Ok((nms::suppress(last, overlap), verdicts))
    }

    /// What every view shows, as far as `keep` wants it; with `sized`, without what the lot's scale
    /// makes impossible, otherwise also at the levels at which the lot expects nothing so large.
    fn candidates(
        &self,
        frame: &Frame<'_>,
        lot: Option<&Lot>,
        scores: Scores,
        sized: bool,
        keep: impl Fn(Vec<Found>) -> Result<Vec<Found>> + Sync,
    ) -> Result<Vec<Found>> {
        let scores = if self.second.is_some() { Second::floors(scores) } else { scores };
        let (width, height) = (frame.width(), frame.height());
        let scale = lot.and_then(|lot| Scale::of(lot, width, height));
        let scale = scale.as_ref();
        let views = self.views(width, height, scale, sized);
        let look = |view: &View| keep(self.look(frame, view, &scores, scale.filter(|_| sized))?);
        let found = threads::map(&views, self.options.threads, 1, look)?;
        Ok(found.into_iter().flatten().collect())
    }

    /// What it is shown of a picture.
    fn views(&self, width: u32, height: u32, scale: Option<&Scale>, sized: bool) -> Vec<View> {
        let (input, tiling) = (&self.spec.input, self.options.tiling);
        let Some(scale) = scale.filter(|_| tiling != Tiling::Whole) else {
            return views::of_picture(width, height, tiling, input);
        };
        let mut views = scale::views(scale, width, height, tiling, input);
        if !sized {
            // For what is nearer than any space, and on a lot that does not fit. An input of fixed
            // size may show two levels alike.
            for view in views::coarse(width, height, tiling, input) {
                if !views.iter().any(|other| other.same_picture(&view)) {
                    views.push(view);
                }
            }
        }
        views
    }

    /// Whether this is among what it looks for.
    pub(crate) fn looks_for(&self, label: Label) -> bool {
        self.spec.labels.values().any(|of| *of == label)
    }

    /// What one view shows, in the frame's pixels.
    fn look(
        &self,
        frame: &Frame<'_>,
        view: &View,
        scores: &Scores,
        scale: Option<&Scale>,
    ) -> Result<Vec<Found>> {
        let mut candidates = Vec::new();
        let names = self.net.outputs();
        self.net.run(
            &self.shape(view.size),
            |input| {
                self.show(frame, view, input);
                if view.evened {
                    even_out(input);
                }
            },
            |outputs| {
                decode::decode(&self.spec, view.size, names, outputs, scores, &mut candidates)
            },
        )??;
        let (width, height) = (f64::from(frame.width()), f64::from(frame.height()));
        let found = |candidate: &Candidate| {
            let edges = view.in_frame(candidate.edges);
            let (owned, cut) = view.owns(edges);
            let [l, t, r, b] = candidate.edges;
            let possible = (r - l).max(b - t) >= view.least
                && scale.is_none_or(|scale| scale.possible(candidate.label, edges));
            let [left, right] = [edges[0], edges[2]].map(|x| x.clamp(0.0, width) as f32);
            let [top, bottom] = [edges[1], edges[3]].map(|y| y.clamp(0.0, height) as f32);
            let rect = Rect { x: left, y: top, width: right - left, height: bottom - top };
            let seen = rect.width > 0.0 && rect.height > 0.0;
            let Candidate { label, score, .. } = *candidate;
            (owned && possible && seen)
                .then_some(Found { detection: Detection { label, score, rect }, cut })
        };
        Ok(candidates.iter().filter_map(found).collect())
    }

    /// Writes what a view shows as the network's input.
    fn show(&self, frame: &Frame<'_>, view: &View, input: &mut [f32]) {
        let spec = &self.spec.input;
        let [width, height] = view.size;
        let [x, y, inner_width, inner_height] = view.inner;
        let [left, top, source_width, source_height] = view.source;
        let (channel, row, pixel) = match spec.layout {
            Layout::Nchw => (width * height, width, 1),
            Layout::Nhwc => (1, 3 * width, 3),
        };
        // Of red, green and blue, the channel that it is.
        let channels = match spec.colour {
            Colour::Rgb => [0, 1, 2],
            Colour::Bgr => [2, 1, 0],
        };
        let factors = channels.map(|c| 1.0 / spec.std[c]);
        let summands = channels.map(|c| -spec.mean[c] / spec.std[c]);
        let pad = |c: usize| (spec.pad - spec.mean[c]) / spec.std[c];
        let inside = |i: usize| (y..y + inner_height).contains(&i);
        for c in 0..3 {
            let value = pad(c);
            for i in 0..height {
                let mut fill = |columns: std::ops::Range<usize>| {
                    let line = &mut input[c * channel + i * row..];
                    let line = line.iter_mut().step_by(pixel);
                    line.skip(columns.start).take(columns.len()).for_each(|v| *v = value);
                };
                if inside(i) {
                    fill(0..x);
                    fill(x + inner_width..width);
                } else {
                    fill(0..width);
                }
            }
        }
        let across = Axis::new(left, source_width, inner_width, frame.width());
        let down = Axis::new(top, source_height, inner_height, frame.height());
        let values = &mut input[y * row + x * pixel..];
        let target = Target { values, channel, row, pixel };
        resample(frame, &across, &down, Colours { channels, factors, summands }, target);
    }

    fn shape(&self, [width, height]: [usize; 2]) -> [usize; 4] {
        match self.spec.input.layout {
            Layout::Nchw => [1, 3, height, width],
            Layout::Nhwc => [1, height, width, 3],
        }
    }
}

/// Brings values from 0 to 255 to the light of a picture taken in daylight.
fn even_out(values: &mut [f32]) {
    let (mean, deviation) = mean_and_deviation(values);
    let (to, wide, least) = EVEN;
    let factor = wide / deviation.max(least);
    values.iter_mut().for_each(|v| *v = ((*v - mean) * factor + to).clamp(0.0, 255.0));
}

#[cfg(all(test, feature = "bundled", feature = "image"))]
mod tests {
    use super::*;
    use crate::frame::PixelFormat;

    /// Who must miss nothing looks for large things, too, on a lot that shows but small ones.
    #[test]
    fn large_things_are_looked_for_on_any_lot() -> Result<()> {
        let quad = |(x, y): (f64, f64)| {
            crate::Quad::from([[x, y], [x + 0.06, y], [x + 0.06, y + 0.15], [x, y + 0.15]])
        };
        let places = [(0.1, 0.1), (0.5, 0.5), (0.8, 0.8)].into_iter().zip('A'..);
        let lot = Lot::new(places.map(|(at, id)| crate::Space::new(id, quad(at))))?;
        let scale = Scale::of(&lot, 1280, 720);
        let largest = |sized| {
            let views = Detector::bundled()?.views(1280, 720, scale.as_ref(), sized);
            let reach = |view: &View| view.source[3] / view.inner[3] as f64 * 240.0;
            Ok::<_, Error>(views.iter().map(reach).fold(0.0, f64::max))
        };
        // A person as high as the picture is within what the network was trained for.
        assert!(largest(true)? < 720.0, "{}", largest(true)?);
        assert!(largest(false)? > 720.0, "{}", largest(false)?);
        Ok(())
    }

    /// A square is shown evened: in a picture without contrast the same vehicle is as sure.
    #[test]
    fn a_square_in_fog_shows_the_same() -> Result<()> {
        let scene = include_bytes!("../../../examples/data/scene.jpg");
        let scene = image::load_from_memory(scene).unwrap().into_rgb8();
        let (width, height) = scene.dimensions();
        let clear = scene.into_raw();
        let faded: Vec<u8> = clear.iter().map(|v| 150 + v / 4).collect();
        let detector = Detector::for_vehicles(0.3)?;
        let best = |pixels: &[u8]| -> Result<Detection> {
            let frame = Frame::packed(PixelFormat::Rgb8, width, height, pixels)?;
            // Round a car.
            Ok(detector.detect_in(&frame, [96.0, 459.0, 180.0])?[0])
        };
        let (clear, faded) = (best(&clear)?, best(&faded)?);
        assert!(
            clear.score > 0.7 && (clear.score - faded.score).abs() < 0.1,
            "{clear:?} {faded:?}"
        );
        assert!((clear.rect.x - faded.rect.x).abs() < 8.0, "{clear:?} {faded:?}");
        Ok(())
    }

    /// In a privacy mask nothing is reported.
    #[test]
    fn masks_hide_detections() -> Result<()> {
        let scene = crate::RawFrame::decode(include_bytes!("../../../examples/data/scene.jpg"))?;
        let left = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]].map(crate::Point::from);
        let (all, masked) = (Lot::new([])?, Lot::new([])?.with_masks([left.to_vec()])?);
        let detector = Detector::bundled()?;
        let mut expected = detector.detect_on(&scene, &all)?;
        let found = expected.len();
        expected.retain(|one| one.rect.x + one.rect.width / 2.0 > 640.0);
        assert!(expected.len() < found);
        assert_eq!(detector.detect_on(&scene, &masked)?, expected);
        Ok(())
    }

    /// Who must miss nothing keeps each plate that the first look was sure of, as it saw it,
    /// whatever the second says.
    #[test]
    fn the_first_look_is_not_overruled() -> Result<()> {
        let scene = include_bytes!("../../../examples/data/scene.jpg");
        let scene = image::load_from_memory(scene).unwrap().into_rgb8();
        // A car's front.
        let pixels = image::imageops::crop_imm(&scene, 146, 509, 80, 80).to_image();
        let frame = Frame::packed(PixelFormat::Rgb8, 80, 80, &pixels)?;
        let once = &parkq_models::DETECTOR;
        let (spec, options) = (ModelSpec::from_json(BUNDLED)?, DetectorOptions::default());
        let once = Detector::from_onnx(once.name, once.onnx, spec, options)?;
        let first = once.detect_all(frame, None, Scores::all(0.2))?;
        let all = Detector::bundled()?.detect_all(frame, None, Scores::all(0.03))?;
        let plates: Vec<_> = first.iter().filter(|one| one.label == Label::Plate).collect();
        assert!(!plates.is_empty());
        let kept = |plate: &&Detection| {
            all.iter().any(|one| one.label == Label::Plate && one.rect == plate.rect)
        };
        assert!(plates.iter().all(kept));
        Ok(())
    }
}

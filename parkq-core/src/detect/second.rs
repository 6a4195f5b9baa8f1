//! The second look: what the first net takes for a plate or a face, be it with little confidence,
//! is shown alone and enlarged to a second one (two in one, whose mean it says), which says whether
//! it is one and where its edges are (a cascade: P. Viola and M. Jones, CVPR 2001; Z. Cai and
//! N. Vasconcelos, CVPR 2018). If it may be one, it is shown twice more, from where it was seen to
//! be, as it is and mirrored, and the mean counts: the errors of the three are not the same.
//!
//! A small person is shown once, and keeps the box of the first look, which sees more than the
//! person; of a tall one the first look sees enough.

use super::nms::{self, Found};
use super::{Detection, Label, Scores};
use crate::engine::{ModelInfo, Net};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::resample::{Axis, Colours, Target, resample};
use crate::threads;

/// Pixels of a window's side.
const WINDOW: usize = 64;
/// A window's side, as a multiple of the longer side of the box.
const ROOM: f32 = 1.92;
/// The least side of a window, pixels of the frame.
const LEAST: f32 = 8.0;
/// From this score of the first look on there is something to look at.
const FLOOR: f32 = 0.005;
/// What is looked at again, in the order of the network's outputs. What the first look counts for
/// is fitted on pictures that no network had seen, as is by how much boxes are grown.
const LOOKS: [Look; 2] = [
    Look { label: Label::Plate, first: 0.19, alone: 0.2, grown: [0.04, 0.025] },
    Look { label: Label::Face, first: 0.17, alone: 0.4, grown: [0.04, 0.04] },
];
/// A person of less height than this, pixels of the frame, is looked at again (on held-out pictures
/// of high cameras that finds half as many persons more at the same false ones; of taller persons
/// it would find fewer) ..
const TALL: f32 = WINDOW as f32;
/// .. from this share of the score on that the caller asks for ..
const PERSON_FLOOR: f32 = 0.2;
/// .. and the log-odds of the first look count for this beside those of the second.
const PERSON_FIRST: f64 = 0.78;
/// Where the network's outputs have a person.
const PERSON: usize = 5 * LOOKS.len();
/// What scores less than this after one window is shown no more of.
const HOPELESS: f64 = 0.01;
/// From this score of the first look on it is sure: who must miss nothing keeps what it found, too.
const SURE: f32 = 0.2;
/// Two boxes of a plate or a face show the same one if they share so much of the smaller: neither
/// ever holds another.
const SHARED: f32 = 0.6;
/// No more persons of a frame than this are looked at again, nor more plates and faces, the best
/// ones ..
const MOST: usize = 256;
/// .. whose windows together have no more pixels than so many frames; those of the two looks that
/// follow are no larger.
const FRAMES: f32 = 2.0;
/// So many persons that score less than the caller asks for are worth a thought, and so many
/// plates and faces.
const HOPEFUL: usize = 4 * MOST;

struct Look {
    label: Label,
    /// What the log-odds of the first look count for beside those of the second.
    first: f64,
    /// The calibration is that of the mean of three looks; one look alone scores lower. Where nothing
    /// may be missed, this share of the score that was asked for is enough after one.
    alone: f32,
    /// By how much the box is grown to each side, across and down, in sides of its window.
    grown: [f32; 2],
}

/// A square of the frame.
#[derive(Clone, Copy)]
struct Window {
    left: f32,
    top: f32,
    side: f32,
}

/// What the network says of a window: the log-odds, and where the left, top, right and bottom edge
/// lie in the frame.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Judgement {
    logit: f64,
    edges: [f32; 4],
    /// Side of the window.
    side: f32,
}

/// What the second look says of a candidate.
pub(super) struct Verdict {
    /// After one window.
    pub(super) first: Detection,
    /// After all; the same, if it was not looked at again, or is hopeless.
    pub(super) last: Detection,
}

pub(super) struct Second {
    net: Net,
}

/// What may still be looked at in a frame.
struct Budget {
    looks: usize,
    pixels: f32,
}

impl Budget {
    fn of(frame: &Frame<'_>) -> Self {
        Self { looks: MOST, pixels: FRAMES * frame.width() as f32 * frame.height() as f32 }
    }

    /// Takes what a window costs, if that much is left.
    fn allows(&mut self, Window { left, top, side }: Window, frame: &Frame<'_>) -> bool {
        let across = (left + side).min(frame.width() as f32) - left.max(0.0);
        let down = (top + side).min(frame.height() as f32) - top.max(0.0);
        let fits = self.looks > 0 && across * down <= self.pixels;
        if fits {
            self.looks -= 1;
            self.pixels -= across * down;
        }
        fits
    }
}

impl Second {
    /// The network's input is `f32 [1, 3, 64, 64]`: a window's red, green and blue, 0..=255. Its
    /// output is `f32 [1, 11]`: the log-odds of a plate and of a face, then where the left, top,
    /// right and bottom edge of the plate are, from the window's middle, and those of the face, in
    /// sides of the window; and the log-odds of a person.
    #[cfg(feature = "bundled")]
    pub(super) fn from_onnx(name: &str, onnx: &[u8]) -> Result<Self> {
        let net = Net::load(name, onnx)?;
        let outputs = net.shapes(&INPUT)?;
        if outputs != [[1, PERSON + 1]] {
            return Err(Error::Model(format!("its outputs are {outputs:?}, [[1, 11]] is needed")));
        }
        Ok(Self { net })
    }

    pub(super) fn info(&self) -> &ModelInfo {
        self.net.info()
    }

    /// The first look's thresholds, if these are the caller's: what has a second look is judged
    /// by that one's score.
    pub(super) fn floors(scores: Scores) -> Scores {
        let person = PERSON_FLOOR * scores.person;
        scores.person(person).plate(scores.plate.min(FLOOR)).face(scores.face.min(FLOOR))
    }

    /// What scores as much as the caller asks for, and the best of the rest.
    pub(super) fn hopeful(found: Vec<Found>, scores: &Scores) -> Vec<Found> {
        let asked = |one: &Found| one.detection.score >= scores.of(one.detection.label);
        let (mut kept, mut rest): (Vec<_>, Vec<_>) = found.into_iter().partition(asked);
        rest.sort_by(|a, b| nms::order(&a.detection, &b.detection));
        let (persons, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|one| one.detection.label == Label::Person);
        kept.extend([persons, others].into_iter().flat_map(|rest| rest.into_iter().take(HOPEFUL)));
        kept
    }

    /// Whether a second look is to come, though the first one is sure.
    pub(super) fn sure(one: &Found) -> bool {
        let Found { detection, .. } = one;
        detection.score >= SURE && (place(detection.label).is_some() || small(detection))
    }

    /// Looks at what is worth it, of candidates that are sorted best first.
    pub(super) fn look(
        &self,
        frame: &Frame<'_>,
        found: Vec<Detection>,
        threads: usize,
    ) -> Result<Vec<Verdict>> {
        let [mut parts, mut bodies] = [Budget::of(frame), Budget::of(frame)];
        let mut verdicts = Vec::with_capacity(found.len());
        let (mut again, mut persons) = (Vec::new(), Vec::new());
        for one in found {
            let shown = window(&one.rect);
            match place(one.label) {
                Some(place) if parts.allows(shown, frame) => again.push((one, place)),
                None if small(&one) && bodies.allows(shown, frame) => persons.push(one),
                _ => verdicts.push(Verdict { first: one, last: one }),
            }
        }
        let seen = |one: &Detection| self.person(frame, one);
        let seen = threads::map(&persons, threads, 4, seen)?;
        verdicts.extend(seen.into_iter().map(|one| Verdict { first: one, last: one }));
        let first =
            |&(one, place): &(Detection, usize)| self.judge(frame, window(&one.rect), place, false);
        let firsts = threads::map(&again, threads, 4, first)?;
        let (hopeful, hopeless): (Vec<_>, Vec<_>) = again
            .into_iter()
            .zip(firsts)
            .map(|((one, place), said)| (one, place, said, told(frame, &one, place, said)))
            .partition(|(.., first)| f64::from(first.score) >= HOPELESS);
        let closer = |&(one, place, said, first): &(Detection, usize, Judgement, Detection)| {
            let last = self.closer(frame, &one, place, said);
            last.map(|said| Verdict { first, last: told(frame, &one, place, said) })
        };
        verdicts.extend(threads::map(&hopeful, threads, 2, closer)?);
        verdicts.extend(hopeless.into_iter().map(|(.., first)| Verdict { first, last: first }));
        Ok(verdicts)
    }

    /// What one window alone may have shown, whatever the others said.
    pub(super) fn doubted(verdicts: &[Verdict], scores: &Scores) -> Vec<Found> {
        let asked = |one: &Detection| {
            let enough = |place: usize| LOOKS[place].alone * scores.of(one.label);
            place(one.label).is_some_and(|place| one.score >= enough(place))
        };
        let firsts = verdicts.iter().map(|verdict| verdict.first).filter(asked);
        firsts.map(|detection| Found { detection, cut: false }).collect()
    }

    /// Of boxes that show the same plate or face, the best; the others may be seen from a level of
    /// the pyramid that is too coarse for it.
    pub(super) fn distinct(found: Vec<Detection>) -> Vec<Detection> {
        let shares = |other: &Detection, one: &Detection| {
            place(one.label).is_some() && nms::share_of_smaller(&one.rect, &other.rect) > SHARED
        };
        nms::best(found, |one| one, shares)
    }

    /// The mean of what was said and of two looks more, at where the thing was said to be.
    fn closer(
        &self,
        frame: &Frame<'_>,
        one: &Detection,
        place: usize,
        said: Judgement,
    ) -> Result<Judgement> {
        let seen = rect_of(said.edges, frame).filter(|r| r.width >= 1.0 && r.height >= 1.0);
        let Window { left, top, side } = window(&seen.unwrap_or(one.rect));
        let spare = (side - said.side).max(0.0);
        let (left, top, side) = (left + spare / 2.0, top + spare / 2.0, side - spare);
        let shown = Window { left, top, side };
        let [plain, mirrored] =
            [self.judge(frame, shown, place, false)?, self.judge(frame, shown, place, true)?];
        Ok(Judgement {
            logit: (said.logit + plain.logit + mirrored.logit) / 3.0,
            edges: std::array::from_fn(|i| {
                (said.edges[i] + plain.edges[i] + mirrored.edges[i]) / 3.0
            }),
            side,
        })
    }

    /// A person after one look.
    fn person(&self, frame: &Frame<'_>, one: &Detection) -> Result<Detection> {
        let [logit] = self.say(frame, window(&one.rect), false, |said| [said[PERSON]])?;
        Ok(Detection { score: fused(one.score, PERSON_FIRST, logit.into()), ..*one })
    }

    /// A plate or a face in a window, as it is or mirrored.
    fn judge(
        &self,
        frame: &Frame<'_>,
        window: Window,
        place: usize,
        mirrored: bool,
    ) -> Result<Judgement> {
        let Window { left, top, side } = window;
        let [logit, edges @ ..]: [f32; 5] = self.say(frame, window, mirrored, |said| {
            let edge = LOOKS.len() + 4 * place;
            [said[place], said[edge], said[edge + 1], said[edge + 2], said[edge + 3]]
        })?;
        // The edges lie in the window.
        let [l, t, r, b] = edges.map(|edge| edge.clamp(-0.5, 0.5));
        let [l, r] = if mirrored { [-r, -l] } else { [l, r] };
        let at = |start: f32, edge: f32| start + side * (0.5 + edge);
        let edges = [at(left, l), at(top, t), at(left, r), at(top, b)];
        Ok(Judgement { logit: logit.into(), edges, side })
    }

    /// What the network says of a window, as it is or mirrored.
    fn say<const N: usize>(
        &self,
        frame: &Frame<'_>,
        Window { left, top, side }: Window,
        mirrored: bool,
        of: impl Fn(&[f32]) -> [f32; N],
    ) -> Result<[f32; N]> {
        let across = Axis::new(left.into(), side.into(), WINDOW, frame.width());
        let down = Axis::new(top.into(), side.into(), WINDOW, frame.height());
        let fill = |values: &mut [f32]| {
            let target = Target { values, channel: WINDOW * WINDOW, row: WINDOW, pixel: 1 };
            resample(frame, &across, &down, Colours::RGB, target);
            if mirrored {
                values.chunks_exact_mut(WINDOW).for_each(<[f32]>::reverse);
            }
        };
        let said = self.net.run(&INPUT, fill, |outputs| of(outputs[0].values))?;
        if said.iter().all(|value| value.is_finite()) {
            Ok(said)
        } else {
            Err(Error::Inference(format!("the second look says {said:?}")))
        }
    }
}

/// The score of a candidate: what the first look counts for, beside the log-odds of the second.
fn fused(score: f32, first: f64, second: f64) -> f32 {
    let score = f64::from(score.clamp(1e-6, 1.0 - 1e-6));
    let logit = second + first * (score / (1.0 - score)).ln();
    (1.0 / (1.0 + (-logit).exp())) as f32
}

/// A plate or a face after its second look.
fn told(frame: &Frame<'_>, one: &Detection, place: usize, said: Judgement) -> Detection {
    let Look { label, first, grown, .. } = LOOKS[place];
    let score = fused(one.score, first, said.logit);
    let [across, down] = grown.map(|share| share * said.side);
    let [left, top, right, bottom] = said.edges;
    let edges = [left - across, top - down, right + across, bottom + down];
    let rect = rect_of(edges, frame).unwrap_or(one.rect);
    Detection { label, score, rect }
}

/// The rectangle between a left, top, right and bottom edge, as far as it is in the frame.
fn rect_of([left, top, right, bottom]: [f32; 4], frame: &Frame<'_>) -> Option<Rect> {
    let across = |x: f32| x.clamp(0.0, frame.width() as f32);
    let down = |y: f32| y.clamp(0.0, frame.height() as f32);
    let (x, y) = (across(left), down(top));
    let (width, height) = (across(right) - x, down(bottom) - y);
    (width > 0.0 && height > 0.0).then_some(Rect { x, y, width, height })
}

/// Where the network's outputs have a label, if it is one to look at again.
fn place(label: Label) -> Option<usize> {
    LOOKS.iter().position(|look| look.label == label)
}

/// Whether it is a person that is looked at again.
fn small(one: &Detection) -> bool {
    one.label == Label::Person && one.rect.height < TALL
}

/// The square round a box that is shown.
fn window(rect: &Rect) -> Window {
    let side = (ROOM * rect.width.max(rect.height)).max(LEAST);
    let (left, top) = (rect.x + (rect.width - side) / 2.0, rect.y + (rect.height - side) / 2.0);
    Window { left, top, side }
}

const INPUT: [usize; 4] = [1, 3, WINDOW, WINDOW];

#[cfg(all(test, feature = "bundled"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::PixelFormat;

    fn bundled() -> Result<Second> {
        let model = &parkq_models::SECOND_LOOK;
        Second::from_onnx(model.name, model.onnx)
    }

    /// What the bundled net says of candidates in a frame.
    fn look(frame: &Frame<'_>, found: Vec<Detection>) -> Result<Vec<Detection>> {
        let verdicts = bundled()?.look(frame, found, 1)?;
        Ok(verdicts.into_iter().map(|verdict| verdict.last).collect())
    }

    fn plate(score: f32, x: f32, y: f32, width: f32, height: f32) -> Detection {
        Detection { label: Label::Plate, score, rect: Rect { x, y, width, height } }
    }

    /// A net of another shape is refused, in words.
    #[test]
    fn another_net() {
        let other = &parkq_models::DETECTOR;
        let Err(Error::Model(why)) = Second::from_onnx(other.name, other.onnx) else { panic!() };
        assert!(why.contains("[[1, 20, 8, 8]], [[1, 11]] is needed"), "{why}");
    }

    /// The first look must let through what the second may raise, and all that the caller asks for.
    #[test]
    fn floors() {
        let [strict, lax] = [0.9, 0.001].map(|score| Second::floors(Scores::all(score)));
        assert!(strict.plate < 0.01 && strict.face < 0.01);
        assert!(strict.person < 0.9 && lax.person < 0.001);
        assert_eq!((strict.vehicle, lax.person(0.001)), (0.9, Scores::all(0.001)));
    }

    /// However many candidates there are below the caller's threshold, few are compared with one
    /// another, and none above it is lost; a crowd of persons costs no plate its second look.
    #[test]
    fn a_crowd_of_candidates() {
        let crowd = (0..9_000u16).flat_map(|i| {
            let one = plate(f32::from(i) / 9_000.0, f32::from(i), 0.0, 9.0, 3.0);
            [one, Detection { label: Label::Person, ..one }]
        });
        let crowd = crowd.map(|detection| Found { detection, cut: false }).collect();
        let kept = Second::hopeful(crowd, &Scores::all(0.8));
        for label in [Label::Plate, Label::Person] {
            let kept = kept.iter().filter(|one| one.detection.label == label);
            let asked = kept.clone().filter(|one| one.detection.score >= 0.8).count();
            assert_eq!((asked, kept.count()), (1_800, 1_800 + HOPEFUL), "{label}");
        }
    }

    /// A small person is judged again, and keeps the box; as many as there are take no plate's
    /// turn. A tall one stays as it was.
    #[test]
    fn persons() {
        let pixels = noise(640, 480);
        let frame = Frame::packed(PixelFormat::Gray8, 640, 480, &pixels).unwrap();
        let person = Detection { label: Label::Person, ..plate(0.5, 10.0, 10.0, 10.0, 20.0) };
        let mut found = vec![person; MOST + 3];
        found.push(plate(0.4, 10.0, 10.0, 20.0, 5.0));
        let tall = Detection { label: Label::Person, ..plate(0.5, 0.0, 0.0, 30.0, TALL) };
        let looked = look(&frame, found.clone()).unwrap();
        let (persons, plates): (Vec<&Detection>, Vec<&Detection>) =
            looked.iter().partition(|one| one.label == Label::Person);
        assert!(persons.iter().all(|one| one.rect == person.rect));
        assert_eq!(persons.iter().filter(|one| **one == &person).count(), 3);
        assert_eq!((persons.len(), plates.len()), (MOST + 3, 1));
        assert_ne!(*plates[0], found[MOST + 3]);
        assert_eq!(look(&frame, vec![tall]).unwrap(), [tall]);
    }

    /// What the first look said counts: the surer it was, the higher the score.
    #[test]
    fn both_looks_count() {
        let [low, high] = [0.1, 0.9].map(|score| fused(score, PERSON_FIRST, -1.0));
        assert!(low < high);
        assert!((fused(0.5, PERSON_FIRST, 0.0) - 0.5).abs() < 1e-6);
        assert!([0.0, 1.0].iter().all(|&score| fused(score, 1.0, 0.0).is_finite()));
    }

    /// Windows of two thirds of the frame are few, so that a second look costs no more than some
    /// frames; small ones are looked at none the less.
    #[test]
    fn large_windows_are_few() {
        let pixels = vec![90; 64 * 48];
        let frame = Frame::packed(PixelFormat::Gray8, 64, 48, &pixels).unwrap();
        let mut found = vec![plate(0.4, 20.0, 20.0, 25.0, 2.0); 9];
        found.push(plate(0.3, 10.0, 10.0, 3.0, 1.0));
        let looked = look(&frame, found.clone()).unwrap();
        assert_eq!(looked.iter().filter(|one| **one == found[0]).count(), 7);
        assert!(!looked.contains(&found[9]));
    }

    /// What is not looked at again stays as it was: it must not get lost.
    #[test]
    fn the_rest_stays() {
        let pixels = vec![90; 640 * 480];
        let frame = Frame::packed(PixelFormat::Gray8, 640, 480, &pixels).unwrap();
        let car = Detection { label: Label::Vehicle, ..plate(0.5, 1.0, 2.0, 30.0, 20.0) };
        let mut found = vec![car];
        found.extend((0..MOST + 3).map(|_| plate(0.4, 10.0, 10.0, 20.0, 5.0)));
        let looked = look(&frame, found.clone()).unwrap();
        assert_eq!(looked.len(), found.len());
        assert_eq!(looked[0], car);
        let same = looked.iter().filter(|one| **one == found[1]).count();
        assert_eq!(same, 3);
    }

    fn noise(width: u32, height: u32) -> Vec<u8> {
        (0..width * height).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    /// To look at a window mirrored is to look at it in the mirrored frame.
    #[test]
    fn mirrored_windows() {
        let (width, height) = (90, 60);
        let pixels = noise(width, height);
        let flipped: Vec<u8> =
            pixels.chunks(width as usize).flat_map(|row| row.iter().rev().copied()).collect();
        let [frame, other] = [&pixels, &flipped]
            .map(|pixels| Frame::packed(PixelFormat::Gray8, width, height, pixels).unwrap());
        let second = bundled().unwrap();
        for (left, top, side) in [(10.0, 5.0, 40.0), (-8.5, 30.0, 50.0)] {
            let there = Window { left: width as f32 - left - side, top, side };
            let here = second.judge(&frame, Window { left, top, side }, 0, true).unwrap();
            let there = second.judge(&other, there, 0, false).unwrap();
            assert!((here.logit - there.logit).abs() < 1e-3, "{here:?} {there:?}");
            let [l, t, r, b] = there.edges;
            let back = [width as f32 - r, t, width as f32 - l, b];
            assert!(
                here.edges.iter().zip(back).all(|(a, b)| (a - b).abs() < 0.01),
                "{here:?} {there:?}"
            );
        }
    }

    /// What is hopeless after one window is left at that; of what is not, the mean of three is
    /// said, and what the first showed is not forgotten.
    #[test]
    fn three_windows_or_one() {
        let pixels = noise(90, 60);
        let frame = Frame::packed(PixelFormat::Gray8, 90, 60, &pixels).unwrap();
        let second = bundled().unwrap();
        // What the first look thinks of it makes it hopeful or not: noise is nearly so.
        let found = [0.0, 1.0].map(|score| plate(score, 20.0, 20.0, 30.0, 10.0));
        let verdicts = second.look(&frame, found.to_vec(), 1).unwrap();
        let [mut hopeful, mut hopeless] = [None, None];
        for verdict in &verdicts {
            let first = f64::from(verdict.first.score);
            *(if first < HOPELESS { &mut hopeless } else { &mut hopeful }) = Some(verdict);
        }
        let (hopeful, hopeless) = (hopeful.unwrap(), hopeless.unwrap());
        assert_eq!(hopeless.first, hopeless.last);
        assert_ne!(hopeful.first, hopeful.last);
    }

    /// A wide box round a plate is no second plate; a vehicle round a vehicle may be one.
    #[test]
    fn one_box_for_a_plate() {
        let (tight, wide) = (plate(0.9, 10.0, 10.0, 20.0, 5.0), plate(0.6, 5.0, 2.0, 40.0, 25.0));
        let beside = plate(0.5, 31.0, 10.0, 20.0, 5.0);
        assert_eq!(Second::distinct(vec![beside, wide, tight]), [tight, beside]);
        let vehicles = [tight, wide].map(|one| Detection { label: Label::Vehicle, ..one });
        assert_eq!(Second::distinct(vehicles.to_vec()), vehicles);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Wherever a candidate lies, its box stays in the frame and its score is one.
        #[test]
        fn in_the_frame(
            (width, height) in (1u32..90, 1u32..70),
            (x, y) in (0.0f32..1.0, 0.0f32..1.0),
            (w, h) in (0.001f32..1.0, 0.001f32..1.0),
            score in 0.0f32..=1.0,
        ) {
            let pixels: Vec<u8> = (0..width * height).map(|i| (i * 37 % 251) as u8).collect();
            let frame = Frame::packed(PixelFormat::Gray8, width, height, &pixels).unwrap();
            let (right, bottom) = (width as f32, height as f32);
            let one = plate(score, x * right, y * bottom, w * right * (1.0 - x), h * bottom * (1.0 - y));
            let seen = look(&frame, vec![one]).unwrap();
            let Detection { score, rect, .. } = seen[0];
            prop_assert!((0.0..=1.0).contains(&score));
            prop_assert!(rect.x >= 0.0 && rect.y >= 0.0 && rect.width > 0.0 && rect.height > 0.0);
            prop_assert!(rect.x + rect.width <= right + 1e-3 && rect.y + rect.height <= bottom + 1e-3);
        }
    }
}

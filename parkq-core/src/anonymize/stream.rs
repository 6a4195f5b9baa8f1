//! One camera's frames, one after the other: what was seen once stays hidden.

use std::sync::Arc;

use super::anonymizer::Anonymizer;
use super::history::History;
use super::picture::{Anonymized, AnonymizedFrame, guarded};
use super::redaction::{Levels, Region};
use super::report::Cause;
use crate::detect::Label;
use crate::error::Result;
use crate::frame::{Frame, FrameMut, RawFrame};
use crate::geometry::{PixelRect, Rect};
use crate::options::{self, setters};

/// How many mosaics of things that have left are remembered, the latest.
const PAST: usize = 1000;

/// So many regions, the nearest, may be what a thing has become.
const NEAREST: usize = 16;

/// How a [`Stream`] follows what it hides.
///
/// ```
/// assert_eq!(parkq_core::StreamOptions::default().keep_frames, 15);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamOptions {
    /// For so many frames after its last detection a region stays hidden, where it was and where
    /// it was heading; 0..=1,000. Default: 15, a second or so.
    pub keep_frames: u32,
    /// How far a thing may move between two frames and still be taken for the same, as a
    /// multiple of its region's longer side; 0..=100. Default: 2.
    pub reach: f32,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self { keep_frames: 15, reach: 2.0 }
    }
}

setters! { StreamOptions { keep_frames: u32 = "5", reach: f32 = "1.0" } }

/// Anonymizes the frames of one camera, in their order: a single missed frame would undo a film.
///
/// A region stays hidden for some frames after its detection is lost; when a thing has moved
/// between two sightings, the way between them is hidden too; and a region's first mosaic is
/// repeated instead of making new ones, whose views would add up. Between calls it keeps the
/// places of regions and the gray levels of those mosaics, and no pixel.
///
/// ```
/// use parkq_core::{Anonymizer, FrameMut, PixelFormat, Stream, StreamOptions};
/// let mut stream = Stream::new(Anonymizer::bundled()?, StreamOptions::default())?;
/// let mut lent = vec![128; 640 * 480 * 3 / 2];
/// for _ in 0..2 {
///     // .. the camera writes its next frame into `lent` ..
///     stream.anonymize_in_place(FrameMut::packed(PixelFormat::Nv12, 640, 480, &mut lent)?)?;
/// }
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Stream {
    anonymizer: Arc<Anonymizer>,
    tracks: Tracks,
}

impl Stream {
    /// For one camera; several may share an anonymizer through an [`Arc`].
    ///
    /// # Errors
    /// [`Error::Option`](crate::Error::Option) for an option outside its range.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use parkq_core::{Anonymizer, Stream, StreamOptions};
    /// let anonymizer = Arc::new(Anonymizer::bundled()?);
    /// let north = Stream::new(anonymizer.clone(), StreamOptions::default())?;
    /// let south = Stream::new(anonymizer, StreamOptions::default().keep_frames(30))?;
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn new(anonymizer: impl Into<Arc<Anonymizer>>, options: StreamOptions) -> Result<Self> {
        options::check([
            ("keep_frames", options.keep_frames.into(), 0.0..=1e3, "0..=1000"),
            ("reach", options.reach.into(), 0.0..=100.0, "0..=100"),
        ])?;
        Ok(Self { anonymizer: anonymizer.into(), tracks: Tracks::new(options) })
    }

    /// The next frame, as [`Anonymizer::anonymize`].
    ///
    /// # Errors
    /// As [`Anonymizer::anonymize`].
    ///
    /// ```
    /// # use parkq_core::{AnonymizedFrame, RawFrame, Stream};
    /// fn next(stream: &mut Stream, jpeg: &[u8]) -> parkq_core::Result<AnonymizedFrame> {
    ///     stream.anonymize(RawFrame::decode(jpeg)?)
    /// }
    /// ```
    pub fn anonymize(&mut self, mut frame: RawFrame) -> Result<AnonymizedFrame> {
        let redactions = self.anonymizer.run(&mut frame.as_frame_mut(), &mut self.tracks)?;
        Ok(AnonymizedFrame::new(frame, redactions))
    }

    /// The next frame, as [`Anonymizer::anonymize_in_place`].
    ///
    /// # Errors
    /// As [`Anonymizer::anonymize_in_place`].
    ///
    /// ```
    /// # use parkq_core::{Anonymized, FrameMut, Stream};
    /// fn next<'a>(stream: &mut Stream, lent: FrameMut<'a>) -> parkq_core::Result<Anonymized<'a>> {
    ///     stream.anonymize_in_place(lent)
    /// }
    /// ```
    pub fn anonymize_in_place<'a>(&mut self, mut frame: FrameMut<'a>) -> Result<Anonymized<'a>> {
        let Self { anonymizer, tracks } = self;
        let redactions = guarded(&mut frame, |frame| anonymizer.run(frame, tracks))?;
        Ok(Anonymized::new(frame, redactions))
    }
}

/// Everything that is followed.
#[derive(Debug)]
struct Tracks {
    options: StreamOptions,
    whole: Option<PixelRect>,
    live: Vec<Track>,
    /// Of things that have left: what comes back in the same place gets its old mosaic.
    past: Vec<Track>,
}

/// One thing that is hidden.
#[derive(Debug)]
struct Track {
    label: Option<Label>,
    /// Where it was last seen, and what is hidden of it in this frame.
    area: PixelRect,
    hidden: PixelRect,
    /// From one sighting to the next, pixels a frame.
    speed: [f32; 2],
    /// Frames since the last sighting.
    unseen: u32,
    /// Its first mosaic.
    levels: Option<Levels>,
    /// Whether the thing was seen again elsewhere, and this is only where it had been: another
    /// may have been taken for it.
    left_behind: bool,
}

impl Tracks {
    /// Which of those that have left was at its place.
    fn known(&self, track: &Track) -> Option<usize> {
        let same = |past: &Track| past.label == track.label && past.area.overlaps(track.area);
        self.past.iter().position(same)
    }

    fn new(options: StreamOptions) -> Self {
        Self { options, whole: None, live: Vec::new(), past: Vec::new() }
    }

    /// A camera that changes its resolution still sees the same things.
    fn rescale(&mut self, whole: PixelRect) {
        let before = self.whole.replace(whole).unwrap_or(whole);
        if before == whole {
            return;
        }
        let (across, down) = ([whole.right, before.right], [whole.bottom, before.bottom]);
        let floor = |v: usize, [to, from]: [usize; 2]| v * to / from;
        let ceil = |v: usize, [to, from]: [usize; 2]| (v * to).div_ceil(from);
        for track in self.live.iter_mut().chain(&mut self.past) {
            track.area = PixelRect {
                left: floor(track.area.left, across),
                top: floor(track.area.top, down),
                right: ceil(track.area.right, across),
                bottom: ceil(track.area.bottom, down),
            };
            for (speed, [to, from]) in track.speed.iter_mut().zip([across, down]) {
                *speed *= to as f32 / from as f32;
            }
        }
    }

    /// For each track, the region that is the same thing, if any: the nearest pairs first. Of the
    /// regions in reach only the nearest few count.
    fn sightings(&self, regions: &[Region]) -> Vec<Option<usize>> {
        let mut pairs = Vec::new();
        for (t, track) in self.live.iter().enumerate() {
            let longer = track.area.width().max(track.area.height());
            let reach = self.options.reach * longer as f32 * (1 + track.unseen) as f32;
            let first = pairs.len();
            for (r, region) in regions.iter().enumerate().filter(|(_, r)| r.label == track.label) {
                let [dx, dy] = way(track.area, region.area);
                let distance = dx.hypot(dy);
                let near = distance <= reach && !track.left_behind;
                if near || track.area.overlaps(region.area) {
                    pairs.push((distance, t, r));
                }
            }
            pairs[first..].sort_by(|a, b| a.0.total_cmp(&b.0));
            pairs.truncate(first + NEAREST);
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sightings = vec![None; self.live.len()];
        let mut taken = vec![false; regions.len()];
        for (_, t, r) in pairs {
            if sightings[t].is_none() && !taken[r] {
                sightings[t] = Some(r);
                taken[r] = true;
            }
        }
        sightings
    }
}

impl History for Tracks {
    fn extend(&mut self, picture: &Frame<'_>, regions: &mut Vec<Region>) {
        self.rescale(picture.area());
        let sightings = self.sightings(regions);
        let mut unknown: Vec<bool> = vec![true; regions.len()];
        let (mut live, mut left) = (Vec::new(), Vec::new());
        for (mut track, sighting) in std::mem::take(&mut self.live).into_iter().zip(sightings) {
            if let Some(r) = sighting {
                unknown[r] = false;
                let seen = regions[r].area;
                if !same_place(track.area, seen) && track.unseen < self.options.keep_frames {
                    // It may be another thing: what was here stays hidden for its time.
                    left.push(Track {
                        speed: [0.0; 2],
                        unseen: track.unseen + 1,
                        hidden: track.area,
                        levels: track.levels.clone(),
                        left_behind: true,
                        ..track
                    });
                }
                track.speed = way(track.area, seen).map(|d| d / (1 + track.unseen) as f32);
                // The way from the last sighting to this one.
                track.hidden = picture.aligned(track.area.hull(seen));
                regions[r].area = track.hidden;
                (track.area, track.unseen, track.left_behind) = (seen, 0, false);
                live.push(track);
            } else if track.unseen < self.options.keep_frames {
                track.unseen += 1;
                let way = track.speed.map(|speed| speed * track.unseen as f32);
                let ahead = picture.touched(moved(track.area, way));
                track.hidden = picture.aligned(track.area.hull(ahead));
                let (area, label) = (track.hidden, track.label);
                regions.push(Region { area, label, cause: Cause::Remembered });
                live.push(track);
            } else if track.levels.is_some() && !(track.left_behind && self.known(&track).is_some())
            {
                self.past.push(track);
            }
        }
        for (region, _) in regions.iter().zip(unknown).filter(|(_, unknown)| *unknown) {
            let Region { area, label, .. } = *region;
            let (hidden, speed, unseen, left_behind) = (area, [0.0; 2], 0, false);
            let new = Track { label, area, hidden, speed, unseen, levels: None, left_behind };
            let levels = self.known(&new).and_then(|i| self.past.remove(i).levels);
            live.push(Track { levels, ..new });
        }
        live.extend(left);
        self.past.drain(..self.past.len().saturating_sub(PAST));
        self.live = live;
    }

    fn first(&self, parts: &[Region]) -> Option<Levels> {
        self.live.iter().filter(|track| track.is_in(parts)).find_map(|track| track.levels.clone())
    }

    fn remember(&mut self, parts: &[Region], levels: Levels) {
        for track in self.live.iter_mut().filter(|track| track.is_in(parts)) {
            track.levels.get_or_insert_with(|| levels.clone());
        }
    }
}

impl Track {
    /// Whether one of them hides it.
    fn is_in(&self, parts: &[Region]) -> bool {
        parts.iter().any(|part| part.area.hull(self.hidden) == part.area)
    }
}

/// Whether what is seen covers more than half of where it was: neighbours overlap too, and a part
/// of it, or one thing of two, is not the whole.
fn same_place(old: PixelRect, seen: PixelRect) -> bool {
    let shared = old.shared(seen);
    2 * shared.width() * shared.height() > old.width() * old.height()
}

/// From the centre of one to that of the other, pixels.
fn way(from: PixelRect, to: PixelRect) -> [f32; 2] {
    let centre = |low: usize, high: usize| (low + high) as f32 / 2.0;
    [
        centre(to.left, to.right) - centre(from.left, from.right),
        centre(to.top, to.bottom) - centre(from.top, from.bottom),
    ]
}

fn moved(area: PixelRect, [dx, dy]: [f32; 2]) -> Rect {
    let rect = Rect::from(area);
    Rect { x: rect.x + dx, y: rect.y + dy, ..rect }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::anonymizer::Finder;
    use super::super::policy::Policy;
    use super::super::redaction::Redaction;
    use super::*;
    use crate::detect::{Detection, Scores};
    use crate::frame::PixelFormat;
    use crate::occupancy::Lot;

    /// Finds what it is told to, frame by frame: plates' left and top, 20 x 10 pixels.
    struct Script(Mutex<std::vec::IntoIter<Vec<[f32; 2]>>>);

    impl Finder for Script {
        fn find(&self, _: Frame<'_>, _: Option<&Lot>, _: Scores) -> Result<Vec<Detection>> {
            let plate = |[x, y]: [f32; 2]| Detection {
                label: Label::Plate,
                score: 0.9,
                rect: Rect { x, y, width: 20.0, height: 10.0 },
            };
            let found = self.0.lock().unwrap().next().unwrap();
            Ok(found.into_iter().map(plate).collect())
        }

        fn looks_for(&self, label: Label) -> bool {
            label != Label::Vehicle
        }
    }

    fn stream(policy: Policy, options: StreamOptions, script: &[&[[f32; 2]]]) -> Stream {
        let script: Vec<_> = script.iter().map(|found| found.to_vec()).collect();
        let script = Arc::new(Script(Mutex::new(script.into_iter())));
        let policy = policy.plate_margin(0.0).min_margin(0.0);
        Stream::new(Anonymizer::of(script, policy).unwrap(), options).unwrap()
    }

    /// The next picture, gray in `shade`: cause, left, top, right and bottom of what was hidden.
    fn next(stream: &mut Stream, width: u32, shade: u8) -> (AnonymizedFrame, Vec<String>) {
        let pixels = vec![shade; (width * width) as usize];
        let raw = RawFrame::from_pixels(PixelFormat::Gray8, width, width, pixels).unwrap();
        let picture = stream.anonymize(raw).unwrap();
        let text = |region: &crate::Redacted| {
            let Rect { x, y, width, height } = region.rect;
            format!("{} {x} {y} {} {}", region.cause, x + width, y + height)
        };
        let regions = picture.redactions().iter().map(text).collect();
        (picture, regions)
    }

    /// A lost detection stays hidden for `keep_frames` frames, where it was and where it was
    /// heading, and no longer; the way between two sightings is hidden.
    #[test]
    fn no_single_frame_leaks() {
        let at: &[_] = &[[10.0, 50.0]];
        let script: &[&[_]] = &[at, &[[28.0, 50.0]], &[], &[], &[[46.0, 50.0]], &[], &[], &[]];
        let mut stream = stream(Policy::default(), StreamOptions::default().keep_frames(2), script);
        let expected: &[&[&str]] = &[
            &["detected 10 50 30 60"],
            &["detected 10 50 48 60"],
            &["remembered 10 50 66 60"],
            &["remembered 28 50 84 60"],
            &["detected 28 50 66 60"],
            &["remembered 46 50 72 60"],
            &["remembered 46 50 78 60"],
            &[],
        ];
        for (i, expected) in expected.iter().enumerate() {
            assert_eq!(next(&mut stream, 200, 90).1, *expected, "frame {i}");
        }
    }

    /// What appears beside a lost thing may be another one: the place of the lost one stays hidden
    /// for its time.
    #[test]
    fn a_neighbour_is_not_the_lost_one() {
        let script: &[&[_]] = &[&[[10.0, 50.0]], &[[50.0, 50.0]], &[], &[], &[]];
        let mut stream = stream(Policy::default(), StreamOptions::default().keep_frames(2), script);
        let expected: &[&[&str]] = &[
            &["detected 10 50 30 60"],
            &["detected 10 50 70 60"],
            &["remembered 10 50 30 60", "remembered 50 50 110 60"],
            &["remembered 50 50 150 60"],
            &[],
        ];
        for (i, expected) in expected.iter().enumerate() {
            let (_, mut regions) = next(&mut stream, 200, 90);
            regions.sort();
            assert_eq!(regions, *expected, "frame {i}");
        }
    }

    /// Nor is one that overlaps with it by an edge, as people side by side do.
    #[test]
    fn a_neighbour_that_touches_is_not_the_lost_one() {
        let script: &[&[_]] = &[&[[10.0, 50.0]], &[[24.0, 50.0]], &[[24.0, 50.0]]];
        let mut stream = stream(Policy::default(), StreamOptions::default().keep_frames(5), script);
        for (i, script) in script.iter().enumerate() {
            let (picture, _) = next(&mut stream, 200, 90);
            let at = |x: usize| picture.pixels()[55 * 200 + x];
            assert_eq!((at(10), at(29)), (0, 0), "frame {i}: {script:?}");
        }
    }

    /// A part of a thing, or one of two things that were seen as one, is not the whole of it.
    #[test]
    fn a_part_is_not_the_whole() {
        let area = |right: usize, bottom: usize| PixelRect { left: 4, top: 2, right, bottom };
        assert!(!same_place(area(44, 32), area(20, 20)));
        assert!(!same_place(area(44, 32), area(24, 32)));
        assert!(same_place(area(44, 32), area(25, 32)));
        assert!(same_place(area(20, 20), area(44, 32)));
    }

    /// The place that a fast thing left takes no other for the thing: one that appears near it is
    /// new, and nothing between them is hidden; one that appears in it is what stayed there.
    #[test]
    fn what_a_thing_left_behind_is_only_a_place() {
        let script: &[&[_]] = &[
            &[[10.0, 50.0]],
            &[[45.0, 50.0]],
            &[[80.0, 50.0], [10.0, 90.0]],
            &[[115.0, 50.0], [10.0, 90.0], [12.0, 50.0]],
        ];
        let mut stream = stream(Policy::default(), StreamOptions::default().keep_frames(9), script);
        let expected: &[&[&str]] = &[
            &["detected 10 50 30 60"],
            &["detected 10 50 65 60"],
            &["detected 10 90 30 100", "detected 45 50 100 60", "remembered 10 50 30 60"],
            &[
                "detected 10 50 32 60",
                "detected 10 90 30 100",
                "detected 80 50 135 60",
                "remembered 45 50 65 60",
            ],
        ];
        for (i, expected) in expected.iter().enumerate() {
            let (_, mut regions) = next(&mut stream, 200, 90);
            regions.sort();
            assert_eq!(regions, *expected, "frame {i}");
        }
    }

    /// Two things are followed each for itself, also when the resolution changes.
    #[test]
    fn things_are_told_apart_and_the_resolution_may_change() {
        let both: &[_] = &[[10.0, 50.0], [100.0, 50.0]];
        let mut stream =
            stream(Policy::default(), StreamOptions::default(), &[both, &[[102.0, 50.0]], &[]]);
        next(&mut stream, 200, 90);
        let (_, regions) = next(&mut stream, 200, 90);
        assert_eq!(regions, ["detected 100 50 122 60", "remembered 10 50 30 60"]);
        let (_, regions) = next(&mut stream, 400, 90);
        assert_eq!(regions, ["remembered 20 100 60 120", "remembered 204 100 248 120"]);
    }

    /// N views of a thing through a mosaic are one: its first levels are repeated, also where it
    /// has moved to, and when it was lost and comes back in the same place.
    #[test]
    fn the_first_mosaic_is_repeated() {
        let mosaic = Policy::default().redaction(Redaction::Mosaic { cells: [1, 1], levels: 4 });
        let here: &[_] = &[[10.0, 50.0]];
        let script: &[&[_]] = &[here, here, &[[24.0, 50.0]], &[], &[], &[[22.0, 50.0]]];
        let mut stream = stream(mosaic, StreamOptions::default().keep_frames(1), script);
        let shades = [10, 90, 150, 200, 40, 250];
        let seen: Vec<_> = shades
            .map(|shade| {
                let (picture, _) = next(&mut stream, 200, shade);
                picture.pixels()[55 * 200 + 26]
            })
            .into();
        // Frame 4 hides nothing: the thing was gone for longer than a frame.
        assert_eq!(seen, [32, 32, 32, 32, 40, 32]);
    }

    /// Also where another thing, which appeared beside it, was taken for it in the meantime.
    #[test]
    fn the_first_mosaic_is_repeated_where_a_thing_was_left_behind() {
        let mosaic = Policy::default().redaction(Redaction::Mosaic { cells: [1, 1], levels: 4 });
        let (one, other) = ([10.0, 50.0], [50.0, 50.0]);
        let script: &[&[_]] = &[&[one], &[other], &[other], &[other], &[one, other]];
        let mut stream = stream(mosaic, StreamOptions::default().keep_frames(1), script);
        let seen = [10, 90, 150, 200, 250].map(|shade| {
            let (picture, _) = next(&mut stream, 200, shade);
            picture.pixels()[55 * 200 + 15]
        });
        assert_eq!(seen, [32, 32, 150, 200, 32]);
    }
}

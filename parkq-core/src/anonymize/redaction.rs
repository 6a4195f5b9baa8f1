//! How pixels are destroyed.
//!
//! The bound of a mosaic: of a region's content only the level of each cell is written, and a
//! cell has `levels` of them, so that an observer learns at most `cells * log2(levels)` bits
//! (the capacity of a noiseless channel; C. Shannon, "A Mathematical Theory of Communication",
//! 1948, section 1). Chroma is neutral and the levels' steps do not depend on the content.

use serde::Serialize;

use super::history::{History, NoHistory};
use super::picture::guarded;
use super::report::{Cause, Redacted, RedactedPart, Redactions};
use crate::detect::Label;
use crate::error::{Error, Result};
use crate::frame::{Frame, FrameMut, Paint};
use crate::geometry::{PixelRect, Point, Rect, polygon_spans};

/// The most that any redaction may let through, bits a region.
pub(crate) const MAX_LEAK_BITS: f64 = 8.0;
/// Pixels that a mean of surroundings is taken from.
const SAMPLES: usize = 32;

/// How the pixels of a region are destroyed. There is no blur: it can be undone.
///
/// ```
/// use parkq_core::{Fill, Redaction};
/// assert_eq!(Redaction::default(), Redaction::Fill(Fill::Colour([0, 0, 0])));
/// assert_eq!(Redaction::default().leak_bits(), 0.0);
/// assert_eq!(Redaction::Mosaic { cells: [4, 1], levels: 4 }.leak_bits(), 8.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Redaction {
    /// One colour, which does not depend on what was there. The default, in black.
    Fill(Fill),
    /// Cells of gray, each the mean luma of what was there, rounded to one of a few levels.
    Mosaic {
        /// Cells across and down, over the rectangle round the region; at least 1.
        cells: [u32; 2],
        /// Levels of gray, evenly spread; at least 1.
        levels: u8,
    },
}

/// What a filled region looks like.
///
/// ```
/// use parkq_core::{Fill, Redaction};
/// assert_eq!(Redaction::Fill(Fill::Surroundings).leak_bits(), 0.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Fill {
    /// Red, green and blue.
    Colour([u8; 3]),
    /// The mean of up to 32 pixels around each of its rectangles that lie outside every region
    /// and every privacy mask; mid gray where there are none.
    Surroundings,
}

impl Default for Redaction {
    fn default() -> Self {
        Self::Fill(Fill::Colour([0; 3]))
    }
}

impl Redaction {
    /// At most so many bits of a region's content can be learnt from what is written there:
    /// none from a fill, `cells * log2(levels)` from a mosaic.
    ///
    /// ```
    /// use parkq_core::Redaction;
    /// assert_eq!(Redaction::Mosaic { cells: [3, 2], levels: 2 }.leak_bits(), 6.0);
    /// ```
    pub fn leak_bits(&self) -> f64 {
        match *self {
            Self::Fill(_) => 0.0,
            Self::Mosaic { cells: [across, down], levels } => {
                f64::from(across) * f64::from(down) * f64::from(levels).log2()
            }
        }
    }

    /// Refuses what can leak more than `max` bits, or makes no sense.
    pub(crate) fn check(&self, max: f64) -> Result<()> {
        if let Self::Mosaic { cells, levels } = *self {
            for (name, actual, most, needed) in [
                // No frame has more pixels on a side, and a bound of 0 bits needs no cells.
                ("cells across", cells[0], Frame::MAX_SIDE, "1..=32768"),
                ("cells down", cells[1], Frame::MAX_SIDE, "1..=32768"),
                ("levels", u32::from(levels), 255, "1..=255"),
            ] {
                if !(1..=most).contains(&actual) {
                    return Err(Error::Option { name, actual: f64::from(actual), needed });
                }
            }
        }
        if self.leak_bits() > max {
            return Err(Error::Option {
                name: "redaction",
                actual: self.leak_bits(),
                needed: "0..=max_leak_bits (bits, 8 at most)",
            });
        }
        Ok(())
    }

    /// Destroys rectangles of a picture, in place and for good: for callers who know themselves
    /// what has to go. Each is taken outward to whole pixels, and further to those that share
    /// its chroma samples; what lies outside the picture is ignored, and a coordinate that is
    /// not a number reaches to the picture's edge. Rectangles that overlap or touch are one
    /// region: it has one colour or one mosaic, and one entry in the report. All other bytes,
    /// stride padding among them, stay as they are.
    ///
    /// # Errors
    /// [`Error::Option`] for a mosaic that can leak more than 8 bits, and for one without cells
    /// or levels; the picture is untouched then.
    ///
    /// ```
    /// use parkq_core::{FrameMut, PixelFormat, Rect, Redaction};
    /// let mut gray = vec![200; 64 * 48];
    /// let mut frame = FrameMut::packed(PixelFormat::Gray8, 64, 48, &mut gray)?;
    /// let plate = Rect { x: 10.0, y: 20.0, width: 30.0, height: 8.0 };
    /// Redaction::default().apply(&mut frame, &[plate])?;
    /// assert_eq!((gray[20 * 64 + 9], gray[20 * 64 + 10]), (200, 0));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn apply(&self, frame: &mut FrameMut<'_>, regions: &[Rect]) -> Result<Redactions> {
        self.check(MAX_LEAK_BITS)?;
        guarded(frame, |frame| {
            let given = |&rect| Region::new(&frame.as_frame(), rect, None, Cause::Given);
            let regions: Vec<_> = regions.iter().map(given).collect();
            let mut report = Redactions::with_capacity(regions.len());
            self.destroy(frame, regions, &[], &mut NoHistory, &mut report);
            Ok(report)
        })
    }

    /// Destroys the regions and reports which they were, merged. `masks` are polygons, burnt in
    /// before. `history` may know the levels of a mosaic that was made earlier.
    pub(crate) fn destroy(
        &self,
        frame: &mut FrameMut<'_>,
        mut regions: Vec<Region>,
        masks: &[Vec<Point>],
        history: &mut dyn History,
        report: &mut Redactions,
    ) {
        regions.retain(|region| !region.area.is_empty());
        let merged = Merged::new(regions);
        match *self {
            Self::Fill(Fill::Colour(rgb)) => {
                let paint = Paint::colour(&frame.as_frame(), rgb);
                for region in &merged.parts {
                    frame.fill(region.area, paint);
                }
            }
            Self::Fill(Fill::Surroundings) => {
                let paints = surroundings(&frame.as_frame(), &merged, masks);
                for (parts, paint) in merged.iter().zip(paints) {
                    parts.iter().for_each(|part| frame.fill(part.area, paint));
                }
            }
            Self::Mosaic { cells, levels } => {
                // A single level looks the same in any number of cells.
                let cells = if levels == 1 { [1; 2] } else { cells };
                for parts in merged.iter() {
                    let cells = Cells::new(&frame.as_frame(), parts, cells);
                    let written = history
                        .first(parts)
                        .unwrap_or_else(|| cells.measure(&frame.as_frame(), levels));
                    cells.write(frame, &written);
                    history.remember(parts, written);
                }
            }
        }
        let leak_bits = self.leak_bits();
        merged.iter().for_each(|parts| report.push(reported(parts, leak_bits)));
    }
}

/// What a mosaic wrote, cell by cell.
pub(crate) type Levels = Vec<u8>;

/// An area to be destroyed, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Region {
    pub(crate) area: PixelRect,
    pub(crate) label: Option<Label>,
    pub(crate) cause: Cause,
}

impl Region {
    /// The rectangle, outward to the frame's pixels and chroma samples.
    pub(crate) fn new(frame: &Frame<'_>, rect: Rect, label: Option<Label>, cause: Cause) -> Self {
        Self { area: frame.aligned(frame.touched(rect)), label, cause }
    }
}

/// Rectangles that overlap or touch, and those that these do in turn, are one region: it is
/// hidden by one colour or one mosaic, whose bound is the region's.
struct Merged {
    /// Those of one region lie next to each other; regions are in the order of their first.
    parts: Vec<Region>,
    /// Where each region ends in `parts`; empty if there is one at most.
    ends: Vec<usize>,
}

impl Merged {
    fn new(regions: Vec<Region>) -> Self {
        if regions.len() < 2 {
            return Self { ends: Vec::new(), parts: regions };
        }
        let touch = |a: PixelRect, b: PixelRect| {
            a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom
        };
        // Of each rectangle an earlier one of its region, or itself.
        let mut earlier: Vec<usize> = (0..regions.len()).collect();
        let first = |earlier: &mut [usize], mut i: usize| {
            while earlier[i] < i {
                earlier[i] = earlier[earlier[i]];
                i = earlier[i];
            }
            i
        };
        // From the top down: what begins below a rectangle's end does not touch it.
        let mut down = earlier.clone();
        down.sort_unstable_by_key(|&i| regions[i].area.top);
        for (n, &i) in down.iter().enumerate() {
            let area = regions[i].area;
            let near = down[n + 1..].iter().take_while(|&&j| regions[j].area.top <= area.bottom);
            for &j in near.filter(|&&j| touch(area, regions[j].area)) {
                let (a, b) = (first(&mut earlier, i), first(&mut earlier, j));
                earlier[a.max(b)] = a.min(b);
            }
        }
        let firsts: Vec<usize> = (0..regions.len()).map(|i| first(&mut earlier, i)).collect();
        let mut order: Vec<usize> = (0..regions.len()).collect();
        order.sort_by_key(|&i| firsts[i]);
        let runs = order.chunk_by(|&a, &b| firsts[a] == firsts[b]);
        let ends = runs.scan(0, |end, run| {
            *end += run.len();
            Some(*end)
        });
        Self { ends: ends.collect(), parts: order.iter().map(|&i| regions[i]).collect() }
    }

    /// Each region's rectangles, one or more.
    fn iter(&self) -> impl Iterator<Item = &[Region]> {
        let count = self.ends.len().max(self.parts.len().min(1));
        let start = |i: usize| if i == 0 { 0 } else { self.ends[i - 1] };
        let end = |i: usize| self.ends.get(i).copied().unwrap_or(self.parts.len());
        (0..count).map(move |i| &self.parts[start(i)..end(i)])
    }
}

/// The rectangle round a region.
fn round(parts: &[Region]) -> PixelRect {
    let areas = parts.iter().map(|part| part.area);
    areas.reduce(PixelRect::hull).unwrap_or(PixelRect { left: 0, top: 0, right: 0, bottom: 0 })
}

fn reported(parts: &[Region], leak_bits: f64) -> Redacted {
    let part =
        |&Region { area, label, cause }: &Region| RedactedPart { label, cause, rect: area.into() };
    // The part whose label identifies most speaks for all; of several the first.
    let most = parts.iter().rev().max_by_key(|part| part.label);
    Redacted {
        label: most.and_then(|part| part.label),
        cause: most.map_or(Cause::Given, |part| part.cause),
        rect: round(parts).into(),
        leak_bits,
        parts: parts.iter().map(part).collect(),
    }
}

/// The pixels of a region as rectangles that do not overlap.
fn disjoint(parts: &[Region]) -> Vec<PixelRect> {
    if let [part] = parts {
        return vec![part.area];
    }
    let mut rows: Vec<usize> = parts.iter().flat_map(|p| [p.area.top, p.area.bottom]).collect();
    rows.sort_unstable();
    rows.dedup();
    let mut areas: Vec<PixelRect> = Vec::new();
    for strip in rows.windows(2) {
        let (top, bottom) = (strip[0], strip[1]);
        let within = |part: &&Region| part.area.top <= top && part.area.bottom >= bottom;
        let mut spans: Vec<_> =
            parts.iter().filter(within).map(|p| (p.area.left, p.area.right)).collect();
        spans.sort_unstable();
        let begin = areas.len();
        for (left, right) in spans {
            match areas[begin..].last_mut() {
                Some(last) if left <= last.right => last.right = last.right.max(right),
                _ => areas.push(PixelRect { left, top, right, bottom }),
            }
        }
    }
    areas
}

/// A region's cells, in whole chroma blocks, each as the rectangles of it that are the region's;
/// a small region has fewer than were asked for.
struct Cells(Vec<Vec<PixelRect>>);

impl Cells {
    fn new(frame: &Frame<'_>, parts: &[Region], [across, down]: [u32; 2]) -> Self {
        let (x, y) = frame.format().block();
        let cuts = |from: usize, to: usize, block: u32, cells: u32| -> Vec<usize> {
            let (block, cells) = (block as usize, cells as usize);
            let blocks = (to - from).div_ceil(block);
            let cells = cells.min(blocks);
            (0..=cells).map(|i| (from + i * blocks / cells * block).min(to)).collect()
        };
        let (round, areas) = (round(parts), disjoint(parts));
        let columns = cuts(round.left, round.right, x, across);
        let rows = cuts(round.top, round.bottom, y, down);
        let cell = |row: &[usize], column: &[usize]| {
            let (left, top, right, bottom) = (column[0], row[0], column[1], row[1]);
            let common = areas.iter().map(|area| PixelRect {
                left: area.left.max(left),
                top: area.top.max(top),
                right: area.right.min(right),
                bottom: area.bottom.min(bottom),
            });
            common.filter(|area| !area.is_empty()).collect()
        };
        let cells = rows.windows(2).flat_map(|r| columns.windows(2).map(move |c| cell(r, c)));
        Self(cells.collect())
    }

    /// Each cell's mean luma, rounded to the middle of its level. What lies outside the region
    /// takes no part: it may be another's.
    fn measure(&self, frame: &Frame<'_>, levels: u8) -> Levels {
        let levels = u64::from(levels);
        let level = |cell: &Vec<PixelRect>| {
            let pixels: usize = cell.iter().map(|area| area.width() * area.height()).sum();
            let luma: u64 = cell.iter().map(|&area| frame.luma_sum(area)).sum();
            let level = luma / pixels.max(1) as u64 * levels / 256;
            ((2 * level + 1) * 256 / (2 * levels)) as u8
        };
        self.0.iter().map(level).collect()
    }

    /// Writes levels that were measured over as many cells, or over others: those are repeated.
    fn write(&self, frame: &mut FrameMut<'_>, levels: &[u8]) {
        for (cell, &level) in self.0.iter().zip(levels.iter().cycle()) {
            let paint = Paint::gray(&frame.as_frame(), level);
            cell.iter().for_each(|&area| frame.fill(area, paint));
        }
    }
}

/// The mean colour round each region, from pixels outside every region and mask.
fn surroundings(frame: &Frame<'_>, merged: &Merged, masks: &[Vec<Point>]) -> Vec<Paint> {
    let (width, height) = (frame.width(), frame.height());
    let masks = masks.iter().map(|mask| {
        let spans: Vec<_> = polygon_spans(mask, width, height).collect();
        (spans.iter().copied().reduce(PixelRect::hull).unwrap_or_default(), spans)
    });
    let masks: Vec<_> = masks.collect();
    let whole = frame.area();
    let outside = |part: &Region| {
        let near = grown(part.area, NEAR + 2);
        let others: Vec<_> =
            merged.parts.iter().map(|r| r.area).filter(|area| near.overlaps(*area)).collect();
        let masks: Vec<_> = masks.iter().filter(|(round, _)| near.overlaps(*round)).collect();
        let is_outside = move |&(x, y): &(usize, usize)| {
            // Pixels that share its chroma have to be outside too.
            let pixel = PixelRect { left: x, top: y, right: x + 1, bottom: y + 1 };
            let block = frame.aligned(pixel);
            let rows = block.top..block.bottom;
            pixel.right <= whole.right
                && pixel.bottom <= whole.bottom
                && !others.iter().any(|other| other.overlaps(block))
                && !masks.iter().any(|(_, spans)| {
                    let from = spans.partition_point(|span| span.top < rows.start);
                    spans[from..]
                        .iter()
                        .take_while(|span| span.top < rows.end)
                        .any(|span| span.overlaps(block))
                })
        };
        ring(part.area).filter(is_outside)
    };
    let paint = |parts: &[Region]| {
        let mean = frame.mean_paint(parts.iter().flat_map(outside));
        mean.unwrap_or_else(|| Paint::gray(frame, 128))
    };
    merged.iter().map(paint).collect()
}

/// How far outside a region its surroundings are looked for, pixels.
const NEAR: usize = 4;

fn grown(area: PixelRect, by: usize) -> PixelRect {
    PixelRect {
        left: area.left.saturating_sub(by),
        top: area.top.saturating_sub(by),
        right: area.right + by,
        bottom: area.bottom + by,
    }
}

/// Pixels spread evenly along the outline, `NEAR` pixels outside; some may be outside the frame.
fn ring(area: PixelRect) -> impl Iterator<Item = (usize, usize)> {
    let (left, top) = (area.left.checked_sub(NEAR), area.top.checked_sub(NEAR));
    let (right, bottom) = (area.right + NEAR - 1, area.bottom + NEAR - 1);
    let (width, height) = (area.width() + 2 * NEAR, area.height() + 2 * NEAR);
    (0..SAMPLES).filter_map(move |i| {
        let along = i * 2 * (width + height) / SAMPLES;
        let x = |along: usize| (area.left + along).checked_sub(NEAR);
        let y = |along: usize| (area.top + along).checked_sub(NEAR);
        if along < width {
            Some((x(along)?, top?))
        } else if along < 2 * width {
            Some((x(along - width)?, bottom))
        } else if along < 2 * width + height {
            Some((left?, y(along - 2 * width)?))
        } else {
            Some((right, y(along - 2 * width - height)?))
        }
    })
}

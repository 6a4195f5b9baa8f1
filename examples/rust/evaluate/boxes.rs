//! When a box counts as found, covered or missed. Boxes are left, top, right, bottom.

use std::collections::BTreeMap;

use parkq_core::Rect;
use serde::Serialize;

pub(crate) type Edges = [f64; 4];

pub(crate) fn edges(r: Rect) -> Edges {
    [r.x, r.y, r.x + r.width, r.y + r.height].map(f64::from)
}

pub(crate) fn area(a: &Edges) -> f64 {
    (a[2] - a[0]).max(0.0) * (a[3] - a[1]).max(0.0)
}

fn common(a: &Edges, b: &Edges) -> Edges {
    [a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]
}

/// Intersection over union.
pub(crate) fn iou(a: &Edges, b: &Edges) -> f64 {
    let both = area(&common(a, b));
    both / (area(a) + area(b) - both)
}

/// Larger by this share of its width and height on each side.
pub(crate) fn grown(a: &Edges, share: f64) -> Edges {
    let (w, h) = (share * (a[2] - a[0]), share * (a[3] - a[1]));
    [a[0] - w, a[1] - h, a[2] + w, a[3] + h]
}

/// The share of a box that regions hold together.
pub(crate) fn share(a: &Edges, regions: &[Edges]) -> f64 {
    let parts: Vec<Edges> =
        regions.iter().map(|r| common(a, r)).filter(|part| area(part) > 0.0).collect();
    let mut columns: Vec<f64> = parts.iter().flat_map(|p| [p[0], p[2]]).collect();
    columns.sort_by(f64::total_cmp);
    let mut sum = 0.0;
    for pair in columns.windows(2) {
        // The union of the parts' rows, over this strip.
        let in_strip = |p: &&Edges| p[0] <= pair[0] && p[2] >= pair[1];
        let mut rows: Vec<(f64, f64)> =
            parts.iter().filter(in_strip).map(|p| (p[1], p[3])).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut length, mut end) = (0.0, f64::NEG_INFINITY);
        for (top, bottom) in rows {
            length += (bottom - top.max(end)).max(0.0);
            end = end.max(bottom);
        }
        sum += length * (pair[1] - pair[0]);
    }
    sum / area(a).max(f64::MIN_POSITIVE)
}

/// How much of a labelled box regions hold: the box less one pixel on each side, since labels
/// are no better than that; a box of no more than two pixels as it is.
pub(crate) fn held(truth: &Edges, regions: &[Edges]) -> f64 {
    let inner = [truth[0] + 1.0, truth[1] + 1.0, truth[2] - 1.0, truth[3] - 1.0];
    share(if area(&inner) > 0.0 { &inner } else { truth }, regions)
}

/// At least so much of a covered box is held.
pub(crate) const COVERED: f64 = 0.95;
/// Less than this of a missed box is held.
pub(crate) const MISSED: f64 = 0.5;
/// So much a detection is grown on each side before it covers anything.
pub(crate) const GROWTH: f64 = 0.1;
/// Upper ends of the classes of height, pixels.
const HEIGHTS: [(&str, f64); 5] =
    [("<8", 8.0), ("8-16", 16.0), ("16-32", 32.0), ("32-96", 96.0), (">96", f64::INFINITY)];

/// What was measured of a label: over all heights, and of each class of height.
#[derive(Serialize)]
pub(crate) struct ByHeight<T> {
    #[serde(flatten)]
    all: T,
    by_height: BTreeMap<&'static str, T>,
}

impl<T> ByHeight<T> {
    /// Measures between two heights, of which the lower one belongs to what is measured.
    pub(crate) fn new(within: impl Fn(f64, f64) -> T) -> Self {
        let (mut by_height, mut low) = (BTreeMap::new(), 0.0);
        for (name, high) in HEIGHTS {
            by_height.insert(name, within(low, high));
            low = high;
        }
        Self { all: within(0.0, f64::INFINITY), by_height }
    }

    /// All, then from the lowest class up, with their names.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let parts = HEIGHTS.iter().map(|(name, _)| (*name, &self.by_height[name]));
        std::iter::once(("all", &self.all)).chain(parts)
    }
}

//! Points, rectangles, quads and polygons; what is hard of it is left to the crate `geo`.

use geo::orient::Direction;
use geo::{Area, BooleanOps, Coord, LineString, Orient};
use serde::{Deserialize, Serialize};

use crate::error::{Error, LotError, Result};

/// A point: pixels in a frame, or relative (0..=1) in a [`Lot`](crate::Lot).
/// Written in JSON as `[x, y]`.
///
/// ```
/// let p = parkq_core::Point::new(0.25, 0.5);
/// assert_eq!((p.x, p.y), (0.25, 0.5));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Downward.
    pub y: f64,
}

impl Point {
    /// A point from its coordinates.
    ///
    /// ```
    /// assert_eq!(parkq_core::Point::new(1.0, 2.0).y, 2.0);
    /// ```
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    pub(crate) fn is_relative(self) -> bool {
        (0.0..=1.0).contains(&self.x) && (0.0..=1.0).contains(&self.y)
    }
}

impl From<[f64; 2]> for Point {
    fn from([x, y]: [f64; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f64; 2] {
    fn from(p: Point) -> Self {
        [p.x, p.y]
    }
}

/// An upright rectangle in pixels, origin top left.
///
/// ```
/// let rect = parkq_core::Rect { x: 1.0, y: 2.0, width: 3.0, height: 4.0 };
/// assert_eq!(rect.width * rect.height, 12.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// An upright rectangle of whole pixels in a frame; right and bottom are one past the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PixelRect {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) right: usize,
    pub(crate) bottom: usize,
}

impl PixelRect {
    /// The pixels of a frame (`width` x `height`) that a rectangle touches. Nothing is lost to a
    /// coordinate that is no number: on its side the area reaches to the frame's edge.
    pub(crate) fn touched(rect: Rect, width: u32, height: u32) -> Self {
        let side = |start: f32, length: f32, limit: u32| {
            let (a, b) = (f64::from(start), f64::from(start) + f64::from(length));
            let (low, high, limit) = (a.min(b), a.max(b), f64::from(limit));
            let low = if low > 0.0 { low.min(limit).floor() } else { 0.0 };
            let high = if high < limit { high.max(0.0).ceil() } else { limit };
            if (a + b).is_nan() { (0, limit as usize) } else { (low as usize, high as usize) }
        };
        let (left, right) = side(rect.x, rect.width, width);
        let (top, bottom) = side(rect.y, rect.height, height);
        Self { left, top, right, bottom }
    }

    pub(crate) fn width(self) -> usize {
        self.right.saturating_sub(self.left)
    }

    pub(crate) fn height(self) -> usize {
        self.bottom.saturating_sub(self.top)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.width() == 0 || self.height() == 0
    }

    /// Whether they share a pixel.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// What both hold; it is empty if they share no pixel.
    pub(crate) fn shared(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    /// The smallest area that holds both.
    pub(crate) fn hull(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

impl From<PixelRect> for Rect {
    fn from(area: PixelRect) -> Self {
        let (x, y) = (area.left as f32, area.top as f32);
        Self { x, y, width: area.width() as f32, height: area.height() as f32 }
    }
}

/// Four corners in order round the outline, in either direction, from any corner.
///
/// ```
/// use parkq_core::{Point, Quad};
/// let quad = Quad::from([[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]]);
/// assert_eq!(quad.area(), 8.0);
/// assert_eq!(quad.short_side(), 2.0);
/// assert!(quad.is_simple());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quad(pub [Point; 4]);

impl From<[[f64; 2]; 4]> for Quad {
    fn from(corners: [[f64; 2]; 4]) -> Self {
        Self(corners.map(Point::from))
    }
}

impl Quad {
    /// Whether no two of its sides cross or touch, so that it encloses one area.
    ///
    /// ```
    /// use parkq_core::Quad;
    /// assert!(!Quad::from([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]).is_simple());
    /// ```
    pub fn is_simple(&self) -> bool {
        is_simple(&self.0)
    }

    /// The enclosed area, in the square of its unit.
    ///
    /// ```
    /// # use parkq_core::Quad;
    /// assert_eq!(Quad::from([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]).area(), 4.0);
    /// ```
    pub fn area(&self) -> f64 {
        polygon(&self.0).unsigned_area()
    }

    /// The length of its shorter pair of opposite sides (the mean of the two).
    ///
    /// ```
    /// # use parkq_core::Quad;
    /// assert_eq!(Quad::from([[0.0, 0.0], [9.0, 0.0], [9.0, 2.0], [0.0, 2.0]]).short_side(), 2.0);
    /// ```
    pub fn short_side(&self) -> f64 {
        let side = |i: usize| {
            let (a, b) = (self.0[i], self.0[(i + 1) % 4]);
            (a.x - b.x).hypot(a.y - b.y)
        };
        ((side(0) + side(2)) / 2.0).min((side(1) + side(3)) / 2.0)
    }

    /// Cuts it into a row of `count` quads that are equally wide on the ground, from its first
    /// corner to its second (and from its fourth to its third): the homography of the unit
    /// square (P. Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989, section
    /// 2.2.3). The unit of length does not matter, nor does a relative one.
    ///
    /// # Errors
    /// [`Error::Option`] for a count that is not 1..=1000; [`Error::Lot`] for a quad that is not
    /// convex, which no rectangle on the ground looks like.
    ///
    /// ```
    /// use parkq_core::Quad;
    /// let trapezoid = Quad::from([[0.2, 0.0], [0.8, 0.0], [1.0, 1.0], [0.0, 1.0]]);
    /// let row = trapezoid.row(2)?;
    /// assert_eq!(row[0].0[1], [0.5, 0.0].into());
    /// assert_eq!(row[1].0[2], trapezoid.0[2]);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn row(&self, count: u32) -> Result<Vec<Self>> {
        if !(1..=1000).contains(&count) {
            let (name, needed) = ("count", "1..=1000");
            return Err(Error::Option { name, actual: count.into(), needed });
        }
        let [a, b, c, d] = self.0;
        let cross =
            |p: Point, q: Point, r: Point| (q.x - p.x) * (r.y - q.y) - (q.y - p.y) * (r.x - q.x);
        let turns = [cross(a, b, c), cross(b, c, d), cross(c, d, a), cross(d, a, b)];
        if !(turns.iter().all(|t| *t > 0.0) || turns.iter().all(|t| *t < 0.0)) {
            return Err(LotError::of_file("a row's outline is not a convex quad").into());
        }
        let (x1, y1, x2, y2) = (b.x - c.x, b.y - c.y, d.x - c.x, d.y - c.y);
        let (x3, y3) = (a.x - b.x + c.x - d.x, a.y - b.y + c.y - d.y);
        let whole = x1 * y2 - x2 * y1;
        let (g, h) = ((x3 * y2 - x2 * y3) / whole, (x1 * y3 - x3 * y1) / whole);
        let [left, top, right, bottom] = self.bounds();
        let at = |u: f64, v: f64| {
            let map = |a: f64, b: f64, d: f64| {
                ((b - a + g * b) * u + (d - a + h * d) * v + a) / (g * u + h * v + 1.0)
            };
            // Rounded, it may lie beyond.
            let (x, y) = (map(a.x, b.x, d.x), map(a.y, b.y, d.y));
            Point::new(x.clamp(left, right), y.clamp(top, bottom))
        };
        // The outline's own corners are kept as they are.
        let edge = |i: u32| match i {
            0 => [a, d],
            i if i == count => [b, c],
            i => [0.0, 1.0].map(|v| at(f64::from(i) / f64::from(count), v)),
        };
        let space = |i: u32| {
            let ([a, d], [b, c]) = (edge(i), edge(i + 1));
            Self([a, b, c, d])
        };
        Ok((0..count).map(space).collect())
    }

    /// The mean of its corners.
    ///
    /// ```
    /// # use parkq_core::{Point, Quad};
    /// let quad = Quad::from([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]);
    /// assert_eq!(quad.centre(), Point::new(1.0, 1.0));
    /// ```
    pub fn centre(&self) -> Point {
        let sum = self.0.iter().fold((0.0, 0.0), |s, p| (s.0 + p.x, s.1 + p.y));
        Point::new(sum.0 / 4.0, sum.1 / 4.0)
    }

    /// Relative coordinates to the pixels of a picture of this size.
    ///
    /// ```
    /// # use parkq_core::{Point, Quad};
    /// let quad = Quad::from([[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]);
    /// assert_eq!(quad.scaled(640.0, 480.0).0[2], Point::new(320.0, 480.0));
    /// ```
    pub fn scaled(&self, width: f64, height: f64) -> Self {
        Self(self.0.map(|p| Point::new(p.x * width, p.y * height)))
    }

    /// Left, top, right and bottom of the upright rectangle round it.
    pub(crate) fn bounds(&self) -> [f64; 4] {
        self.0
            .iter()
            .fold([f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY], |b, p| {
                [b[0].min(p.x), b[1].min(p.y), b[2].max(p.x), b[3].max(p.y)]
            })
    }

    /// Left, top and side of the square round it, so many times the longer side of its bounds.
    pub(crate) fn square(&self, margin: f64) -> [f64; 3] {
        let [left, top, right, bottom] = self.bounds();
        let side = margin * (right - left).max(bottom - top);
        [(left + right - side) / 2.0, (top + bottom - side) / 2.0, side]
    }

    pub(crate) fn contains(&self, x: f64, y: f64) -> bool {
        contains(&self.0, x, y)
    }

    /// The share of its area that lies in rectangles, 0..=1, to a hundredth or so.
    pub(crate) fn share_within(&self, rects: &[Rect]) -> f64 {
        const ACROSS: usize = 40;
        let [left, top, right, bottom] = self.bounds();
        let edges = |r: &Rect| [r.x, r.y, r.x + r.width, r.y + r.height].map(f64::from);
        let near =
            |[x0, y0, x1, y1]: &[f64; 4]| *x0 < right && *x1 > left && *y0 < bottom && *y1 > top;
        let near: Vec<[f64; 4]> = rects.iter().map(edges).filter(near).collect();
        if near.is_empty() {
            return 0.0;
        }
        let (mut all, mut within) = (0, 0);
        for i in 0..ACROSS * ACROSS {
            let at = |i: usize, from: f64, to: f64| {
                from + (i as f64 + 0.5) / ACROSS as f64 * (to - from)
            };
            let (x, y) = (at(i % ACROSS, left, right), at(i / ACROSS, top, bottom));
            if self.contains(x, y) {
                all += 1;
                let holds = |[x0, y0, x1, y1]: &[f64; 4]| {
                    (*x0..*x1).contains(&x) && (*y0..*y1).contains(&y)
                };
                within += u32::from(near.iter().any(holds));
            }
        }
        f64::from(within) / f64::from(all.max(1))
    }

    /// The share of its area that is covered, 0..=1.
    pub(crate) fn share_covered(&self, covered: &Covered) -> f64 {
        let whole = polygon(&self.0);
        let [left, top, right, bottom] = self.bounds();
        // What lies wholly on one side of it is many times quicker left out.
        let beside = |other: &geo::Polygon<f64>| {
            let corners = || other.exterior().0.iter();
            corners().all(|p| p.x <= left)
                || corners().all(|p| p.x >= right)
                || corners().all(|p| p.y <= top)
                || corners().all(|p| p.y >= bottom)
        };
        let near: Vec<_> = covered.0.iter().filter(|other| !beside(other)).cloned().collect();
        let rest = whole.difference(&geo::MultiPolygon(near));
        let area = whole.unsigned_area();
        if area > 0.0 { 1.0 - rest.unsigned_area() / area } else { 0.0 }
    }
}

/// What polygons cover together.
pub(crate) struct Covered(geo::MultiPolygon<f64>);

impl Covered {
    pub(crate) fn by(polygons: &[Vec<Point>]) -> Self {
        // A union takes all of them to run in one direction.
        let oriented = |corners: &Vec<Point>| polygon(corners).orient(Direction::Default);
        Self(geo::unary_union(&polygons.iter().map(oriented).collect::<Vec<_>>()))
    }
}

/// Whether no two sides of the closed polygon cross or touch.
pub(crate) fn is_simple(corners: &[Point]) -> bool {
    use geo::Validation;
    let distinct = corners.iter().enumerate().all(|(i, p)| *p != corners[(i + 1) % corners.len()]);
    corners.len() >= 3 && distinct && polygon(corners).is_valid()
}

/// The enclosed area of a closed polygon.
pub(crate) fn area(corners: &[Point]) -> f64 {
    polygon(corners).unsigned_area()
}

fn polygon(corners: &[Point]) -> geo::Polygon<f64> {
    let ring: LineString<f64> = corners.iter().map(|p| Coord { x: p.x, y: p.y }).collect();
    geo::Polygon::new(ring, Vec::new())
}

/// The row-high spans of pixels that a polygon (relative coordinates) touches, in order of rows; in
/// a row they lie apart.
pub(crate) fn polygon_spans(
    polygon: &[Point],
    width: u32,
    height: u32,
) -> impl Iterator<Item = PixelRect> + use<> {
    let (w, h) = (f64::from(width), f64::from(height));
    let (width, height) = (width as usize, height as usize);
    let corners: Vec<_> = polygon.iter().map(|p| Point::new(p.x * w, p.y * h)).collect();
    let top = corners.iter().fold(h, |y, p| y.min(p.y)).max(0.0) as usize;
    let bottom = (corners.iter().fold(0.0, |y: f64, p| y.max(p.y)).min(h).ceil()) as usize;
    (top..bottom.max(top + 1).min(height)).flat_map(move |y| {
        let mut spans: Vec<PixelRect> = Vec::new();
        for (from, to) in crossed(&corners, y as f64) {
            let left = from.clamp(0.0, w) as usize;
            let right = (to.floor().clamp(0.0, w) as usize + 1).min(width);
            match spans.last_mut() {
                Some(last) if left <= last.right => last.right = last.right.max(right),
                _ if left < right => spans.push(PixelRect { left, top: y, right, bottom: y + 1 }),
                _ => {}
            }
        }
        spans
    })
}

/// The spans of x, by where they begin, in which the polygon touches the row of pixels between `y`
/// and `y + 1`: where it contains the row's middle (even-odd), and wherever a side passes through
/// the row. A pixel that no side passes through is inside or outside as a whole, so together they
/// are exact.
fn crossed(corners: &[Point], y: f64) -> Vec<(f64, f64)> {
    let mut spans = Vec::new();
    let mut crossings = Vec::new();
    let middle = y + 0.5;
    for (i, &a) in corners.iter().enumerate() {
        let b = corners[(i + 1) % corners.len()];
        let (upper, lower) = if a.y <= b.y { (a, b) } else { (b, a) };
        if lower.y < y || upper.y > y + 1.0 {
            continue;
        }
        let at = |y: f64| {
            if lower.y > upper.y {
                upper.x + (lower.x - upper.x) * (y - upper.y) / (lower.y - upper.y)
            } else {
                upper.x
            }
        };
        let (from, to) = if lower.y > upper.y {
            (at(y.max(upper.y)), at((y + 1.0).min(lower.y)))
        } else {
            (upper.x, lower.x)
        };
        spans.push((from.min(to), from.max(to)));
        if upper.y <= middle && lower.y > middle {
            crossings.push(at(middle));
        }
    }
    crossings.sort_by(f64::total_cmp);
    spans.extend(crossings.as_chunks::<2>().0.iter().map(|&[from, to]| (from, to)));
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    spans
}

/// Whether a point lies in a polygon, by the even-odd rule.
pub(crate) fn contains(corners: &[Point], x: f64, y: f64) -> bool {
    let sides = corners.iter().zip(corners.iter().cycle().skip(1));
    let crossed = sides
        .filter(|(a, b)| (a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x);
    crossed.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Masks cover what they cover, in whichever direction their corners run.
    #[test]
    fn masks_of_either_direction_cover() {
        let polygon = |corners: [[f64; 2]; 4]| corners.map(Point::from).to_vec();
        let quad = Quad::from([[0.5, 0.5], [0.7, 0.5], [0.7, 0.8], [0.5, 0.8]]);
        let sliver = polygon([[0.49, 0.5], [0.51, 0.5], [0.51, 0.8], [0.49, 0.8]]);
        let whole = polygon([[0.4, 0.4], [0.4, 0.9], [0.8, 0.9], [0.8, 0.4]]);
        let share = |masks: &[Vec<Point>]| quad.share_covered(&Covered::by(masks));
        assert!(share(&[]).abs() < 1e-6);
        assert!((share(std::slice::from_ref(&sliver)) - 0.05).abs() < 1e-6);
        assert!((share(&[sliver.clone(), whole.clone()]) - 1.0).abs() < 1e-6);
        assert!((share(&[whole, sliver]) - 1.0).abs() < 1e-6);
    }
}

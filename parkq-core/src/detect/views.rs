//! What of a picture the network is shown: levels of a pyramid, in tiles where one is too large.

use super::{InputSize, InputSpec, Resize, Tiling};

/// Longer side of the finest level, pixels of the network's input.
pub(super) const FINE: f64 = 896.0;
/// Sides of a tile, at most.
const TILE: usize = 1024;
/// A smaller picture is enlarged, at most so many times.
pub(super) const ENLARGED: f64 = 3.0;
/// Scale of a level, relative to the one that is finer: about a third, so that the second level of
/// a 16:9 picture has 160 rows.
pub(super) const COARSE: f64 = 0.317;
/// A level whose longer side would be shorter is not looked at, pixels of the network's input.
const LEAST: f64 = 90.0;
/// The largest things that the bundled network was trained for, pixels of its input (its card).
const LARGEST: f32 = 240.0;
/// Tiles of a level share at least so many pixels of the input.
const OVERLAP: usize = 96;

/// A part of the picture in a part of the network's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct View {
    /// Left, top, width, height in the frame's pixels.
    pub(super) source: [f64; 4],
    /// Left, top, width, height in the input's pixels; the rest is padding.
    pub(super) inner: [usize; 4],
    /// Width and height of the input.
    pub(super) size: [usize; 2],
    /// Left, top, right, bottom in the frame's pixels: things whose centre lies elsewhere are
    /// another tile's.
    pub(super) core: [f64; 4],
    /// Whether the left, top, right, bottom border runs through the picture.
    pub(super) inside: [bool; 4],
    /// The longer side of what is looked for, at least, in the input's pixels.
    pub(super) least: f32,
    /// Whether it is shown as in ordinary daylight.
    pub(super) evened: bool,
}

impl View {
    /// A square of the frame (left, top, side), evened, of which all is reported.
    pub(super) fn square([left, top, side]: [f64; 3], pixels: usize) -> Self {
        Self {
            source: [left, top, side, side],
            inner: [0, 0, pixels, pixels],
            size: [pixels; 2],
            core: [f64::NEG_INFINITY, f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY],
            inside: [false; 4],
            least: 0.0,
            evened: true,
        }
    }

    /// Left, top, right, bottom in the input to the frame.
    pub(super) fn in_frame(&self, edges: [f32; 4]) -> [f64; 4] {
        std::array::from_fn(|i| {
            let axis = i % 2;
            let scale = self.source[axis + 2] / self.inner[axis + 2] as f64;
            self.source[axis] + (f64::from(edges[i]) - self.inner[axis] as f64) * scale
        })
    }

    /// Whether its centre is this view's to report, and whether a border cuts it off.
    pub(super) fn owns(&self, edges: [f64; 4]) -> (bool, bool) {
        let within = (0..2).all(|axis| {
            let centre = (edges[axis] + edges[axis + 2]) / 2.0;
            (self.core[axis]..=self.core[axis + 2]).contains(&centre)
        });
        // Two pixels of the input from the border are at it.
        let cut = (0..4).any(|i| {
            let axis = i % 2;
            let near = 2.0 * self.source[axis + 2] / self.inner[axis + 2] as f64;
            let (low, high) = (self.source[axis], self.source[axis] + self.source[axis + 2]);
            self.inside[i] && if i < 2 { edges[i] < low + near } else { edges[i] > high - near }
        });
        (within, cut)
    }

    /// Whether the network is shown the same.
    pub(super) fn same_picture(&self, other: &Self) -> bool {
        let least = self.least;
        *self == Self { least, ..*other }
    }

    /// Pixels of the input.
    pub(super) fn cost(&self) -> usize {
        self.size[0] * self.size[1]
    }
}

/// The finest scale at which a picture of these sides is looked at as a whole.
pub(super) fn finest(width: f64, height: f64, tiling: Tiling) -> f64 {
    let fine = (FINE / width.max(height)).min(ENLARGED);
    if tiling == Tiling::Full { fine.max(1.0) } else { fine }
}

/// The scales of a picture's levels, for its longer side.
pub(super) fn pyramid(finest: f64, longer: f64) -> impl Iterator<Item = f64> {
    let worth = move |scale: &f64| *scale == finest || scale * longer >= LEAST;
    std::iter::successors(Some(finest), |scale| Some(COARSE * scale)).take_while(worth)
}

/// The views of a picture.
pub(super) fn of_picture(width: u32, height: u32, tiling: Tiling, input: &InputSpec) -> Vec<View> {
    let whole = [0.0, 0.0, f64::from(width), f64::from(height)];
    let finest = finest(whole[2], whole[3], tiling);
    let fitted = || one(whole, whole, finest, input);
    if tiling == Tiling::Whole {
        return vec![fitted()];
    }
    let mut views: Vec<View> = pyramid(finest, whole[2].max(whole[3]))
        .flat_map(|scale| level(whole, whole, scale, input))
        .collect();
    // An input of fixed size may show two levels alike.
    views.dedup();
    if matches!(input.size, InputSize::Fixed(_)) && !views.iter().any(|view| view.source == whole) {
        views.push(fitted());
    }
    views
}

/// The views of a picture in which large things are found, those that are too large for the level
/// above: all levels but the finest.
pub(super) fn coarse(width: u32, height: u32, tiling: Tiling, input: &InputSpec) -> Vec<View> {
    let whole = [0.0, 0.0, f64::from(width), f64::from(height)];
    pyramid(finest(whole[2], whole[3], tiling), whole[2].max(whole[3]))
        .skip(1)
        .flat_map(|scale| level(whole, whole, scale, input))
        .map(|view| View { least: COARSE as f32 * LARGEST, ..view })
        .collect()
}

/// A part of the picture at one scale, in as few tiles as its input allows.
pub(super) fn level(part: [f64; 4], picture: [f64; 4], scale: f64, input: &InputSpec) -> Vec<View> {
    let (most, fixed) = match input.size {
        InputSize::Fixed(sides) => (sides, true),
        InputSize::MultipleOf(n) => ([TILE.next_multiple_of(n); 2], false),
    };
    let [columns, rows] = [0, 1].map(|axis| spans(part[axis + 2], scale, most[axis], fixed));
    let mut views = Vec::new();
    for row in &rows {
        for column in &columns {
            let source = [part[0] + column.start, part[1] + row.start, column.length, row.length];
            let mut view = one(source, picture, scale, input);
            for (axis, span) in [column, row].into_iter().enumerate() {
                view.core[axis] =
                    if span.first { view.core[axis] } else { part[axis] + span.core.0 };
                view.core[axis + 2] =
                    if span.last { view.core[axis + 2] } else { part[axis] + span.core.1 };
            }
            views.push(view);
        }
    }
    views
}

struct Span {
    start: f64,
    length: f64,
    core: (f64, f64),
    first: bool,
    last: bool,
}

/// Tiles of at most `most` input pixels over one axis, in the frame's pixels.
fn spans(length: f64, scale: f64, most: usize, fixed: bool) -> Vec<Span> {
    let all = length * scale;
    // Rounding to whole pixels must not cost a tile.
    if all <= most as f64 + 0.5 {
        return vec![Span { start: 0.0, length, core: (0.0, length), first: true, last: true }];
    }
    let tile = most as f64;
    let overlap = (OVERLAP as f64).min(tile / 2.0);
    let count = ((all - overlap) / (tile - overlap)).ceil() as usize;
    // As many tiles of no more than they need.
    let tile =
        if fixed { tile } else { ((all + overlap * (count - 1) as f64) / count as f64).ceil() };
    let start = |i: usize| (all - tile) * i as f64 / (count - 1) as f64;
    // Cores meet in the middle of what two tiles share, and reach a little further, so that a
    // box that lies a pixel elsewhere in each of them is not lost: what is found twice is merged.
    let meet = |i: usize| (start(i) + tile + start(i + 1)) / 2.0;
    let reach = overlap / 8.0;
    (0..count)
        .map(|i| Span {
            start: start(i) / scale,
            length: tile / scale,
            core: (
                if i == 0 { 0.0 } else { (meet(i - 1) - reach) / scale },
                if i + 1 == count { length } else { (meet(i) + reach) / scale },
            ),
            first: i == 0,
            last: i + 1 == count,
        })
        .collect()
}

/// One view of a part of the picture.
fn one(source: [f64; 4], picture: [f64; 4], scale: f64, input: &InputSpec) -> View {
    let pixels = |length: f64, scale: f64| ((length * scale).round() as usize).max(1);
    let (inner, size) = match input.size {
        InputSize::MultipleOf(n) => {
            let inner = [pixels(source[2], scale), pixels(source[3], scale)];
            ([0, 0, inner[0], inner[1]], inner.map(|side| side.next_multiple_of(n)))
        }
        InputSize::Fixed([width, height]) if input.resize == Resize::Stretch => {
            ([0, 0, width, height], [width, height])
        }
        InputSize::Fixed([width, height]) => {
            let scale = (width as f64 / source[2]).min(height as f64 / source[3]);
            let inner = [pixels(source[2], scale).min(width), pixels(source[3], scale).min(height)];
            let at = if input.resize == Resize::Centre {
                [(width - inner[0]) / 2, (height - inner[1]) / 2]
            } else {
                [0, 0]
            };
            ([at[0], at[1], inner[0], inner[1]], [width, height])
        }
    };
    let edges = [source[0], source[1], source[0] + source[2], source[1] + source[3]];
    let inside: [bool; 4] = std::array::from_fn(|i| match i {
        0 | 1 => edges[i] > picture[i] + 0.5,
        _ => edges[i] < picture[i - 2] + picture[i] - 0.5,
    });
    // What reaches out of the picture may have its centre there.
    let core = std::array::from_fn(|i| match (inside[i], i) {
        (true, _) => edges[i],
        (false, 0 | 1) => f64::NEG_INFINITY,
        (false, _) => f64::INFINITY,
    });
    View { source, inner, size, core, inside, least: 0.0, evened: false }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TILINGS: [Tiling; 3] = [Tiling::Whole, Tiling::Auto, Tiling::Full];

    fn sizes() -> impl Strategy<Value = InputSize> {
        prop_oneof![
            (32usize..600, 32usize..600).prop_map(|(w, h)| InputSize::Fixed([w, h])),
            (1usize..65).prop_map(InputSize::MultipleOf),
        ]
    }

    proptest! {
        /// There and back is the same place; every level covers the picture, and its cores do.
        #[test]
        fn views_round_trip_and_cover(
            width in 1u32..4000, height in 1u32..4000, tiling in 0usize..3, size in sizes(),
            x in 0.0f64..1.0, y in 0.0f64..1.0,
        ) {
            for resize in [Resize::Corner, Resize::Centre, Resize::Stretch] {
                let input = InputSpec { resize, ..InputSpec::of(size) };
                let views = of_picture(width, height, TILINGS[tiling], &input);
                prop_assert!(!views.is_empty());
                let at = [x * f64::from(width), y * f64::from(height)];
                prop_assert!(views.iter().any(|v| v.owns([at[0], at[1], at[0], at[1]]).0));
                for view in &views {
                    let into = |axis: usize| {
                        let scale = view.inner[axis + 2] as f64 / view.source[axis + 2];
                        ((at[axis] - view.source[axis]) * scale + view.inner[axis] as f64) as f32
                    };
                    let back = view.in_frame([into(0), into(1), into(0), into(1)]);
                    prop_assert!((back[0] - at[0]).abs() < 0.01 && (back[3] - at[1]).abs() < 0.01);
                    for axis in 0..2 {
                        prop_assert!(view.inner[axis] + view.inner[axis + 2] <= view.size[axis]);
                    }
                    match size {
                        InputSize::Fixed(sides) => prop_assert_eq!(view.size, sides),
                        InputSize::MultipleOf(n) => {
                            prop_assert!(view.size.iter().all(|side| side % n == 0));
                        }
                    }
                }
            }
        }
    }

    /// The documented cost of the default.
    #[test]
    fn cost_of_auto() {
        let cost = |tiling| {
            let input = InputSpec::of(InputSize::MultipleOf(32));
            let views = of_picture(1280, 720, tiling, &input);
            views.iter().map(View::cost).sum::<usize>() as f64
        };
        let auto = cost(Tiling::Auto) / cost(Tiling::Whole);
        assert!((auto - 1.11).abs() < 0.01, "{auto}");
        let full = cost(Tiling::Full) / cost(Tiling::Auto);
        assert!((full - 2.27).abs() < 0.02, "{full}");
    }
}

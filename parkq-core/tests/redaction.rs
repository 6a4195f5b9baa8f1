//! Redaction against a byte-by-byte oracle, in every format, with strides.
#![allow(clippy::unwrap_used)]

use parkq_core::{Error, Fill, FrameMut, Matrix, PixelFormat, PlaneMut, Range, Rect, Redaction};
use proptest::prelude::*;

/// What a byte holds.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Red,
    Green,
    Blue,
    Alpha,
    Luma,
    U,
    V,
}

/// Byte `i` of a row of a plane: what it holds, and how many pixels (across, down) share it,
/// with the first of them.
fn meaning(format: PixelFormat, plane: usize, i: usize, row: usize) -> (Kind, [usize; 4]) {
    use Kind::*;
    let one = |kind, x| (kind, [x, row, 1, 1]);
    match (format, plane) {
        (PixelFormat::Rgb8, _) => one([Red, Green, Blue][i % 3], i / 3),
        (PixelFormat::Bgr8, _) => one([Blue, Green, Red][i % 3], i / 3),
        (PixelFormat::Rgba8, _) => one([Red, Green, Blue, Alpha][i % 4], i / 4),
        (PixelFormat::Bgra8, _) => one([Blue, Green, Red, Alpha][i % 4], i / 4),
        (PixelFormat::Yuyv, _) if i.is_multiple_of(2) => one(Luma, i / 2),
        (PixelFormat::Yuyv, _) => ([U, V][i / 2 % 2], [i / 4 * 2, row, 2, 1]),
        (PixelFormat::Nv12, 1) => ([U, V][i % 2], [i / 2 * 2, row * 2, 2, 2]),
        (PixelFormat::Nv21, 1) => ([V, U][i % 2], [i / 2 * 2, row * 2, 2, 2]),
        (PixelFormat::I420, 1) => (U, [i * 2, row * 2, 2, 2]),
        (PixelFormat::I420, 2) => (V, [i * 2, row * 2, 2, 2]),
        _ => one(Luma, i),
    }
}

/// Bytes in a row, and rows, of a plane.
fn size(format: PixelFormat, plane: usize, w: usize, h: usize) -> (usize, usize) {
    match (format, plane) {
        (PixelFormat::Rgb8 | PixelFormat::Bgr8, _) => (3 * w, h),
        (PixelFormat::Rgba8 | PixelFormat::Bgra8, _) => (4 * w, h),
        (PixelFormat::Yuyv, _) => (2 * w, h),
        (PixelFormat::Nv12 | PixelFormat::Nv21, 1) => (w, h / 2),
        (PixelFormat::I420, 1 | 2) => (w / 2, h / 2),
        _ => (w, h),
    }
}

/// A picture of any format with padded rows.
#[derive(Clone, PartialEq, Debug)]
struct Picture {
    format: PixelFormat,
    w: usize,
    h: usize,
    pad: usize,
    planes: Vec<Vec<u8>>,
}

impl Picture {
    fn new(format: PixelFormat, w: usize, h: usize, pad: usize, seed: u64) -> Self {
        let mut state = seed | 1;
        let mut byte = || {
            // xorshift64*: S. Vigna, ACM TOMS 42(4), 2016.
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8
        };
        let planes = (0..format.planes())
            .map(|plane| {
                let (row, rows) = size(format, plane, w, h);
                (0..(row + pad) * rows).map(|_| byte()).collect()
            })
            .collect();
        Self { format, w, h, pad, planes }
    }

    fn frame(&mut self) -> FrameMut<'_> {
        let Self { format, w, h, pad, .. } = *self;
        let planes = self.planes.iter_mut().enumerate().map(|(plane, bytes)| {
            let stride = size(format, plane, w, h).0 + pad;
            PlaneMut { bytes, stride }
        });
        FrameMut::new(format, w as u32, h as u32, planes)
            .unwrap()
            .with_color(Matrix::Bt601, Range::Full)
    }

    /// Every byte that is no padding: its place, what it holds, and whether a pixel that shares
    /// it, or shares chroma with one that does, is touched by a rectangle.
    fn bytes(&self, rects: &[Rect]) -> Vec<(usize, usize, Kind, bool)> {
        let (bw, bh) = match self.format {
            PixelFormat::Nv12 | PixelFormat::Nv21 | PixelFormat::I420 => (2, 2),
            PixelFormat::Yuyv => (2, 1),
            _ => (1, 1),
        };
        let touched = |x: usize, y: usize| {
            let (x, y) = (x as f32, y as f32);
            rects
                .iter()
                .any(|r| r.x < x + 1.0 && r.y < y + 1.0 && r.x + r.width > x && r.y + r.height > y)
        };
        let mut all = Vec::new();
        for (plane, bytes) in self.planes.iter().enumerate() {
            let (row, _) = size(self.format, plane, self.w, self.h);
            for at in 0..bytes.len() {
                let (y, i) = (at / (row + self.pad), at % (row + self.pad));
                if i >= row {
                    continue;
                }
                let (kind, [x, y, w, h]) = meaning(self.format, plane, i, y);
                let (x0, y0) = (x / bw * bw, y / bh * bh);
                let (x1, y1) = ((x + w).next_multiple_of(bw), (y + h).next_multiple_of(bh));
                let inside = (y0..y1).any(|y| (x0..x1).any(|x| touched(x, y)));
                all.push((plane, at, kind, inside));
            }
        }
        all
    }
}

fn rects(max: f32) -> impl Strategy<Value = Vec<Rect>> {
    let side = -5.0f32..max;
    let rect = (side.clone(), side, 0.1f32..12.0, 0.1f32..12.0)
        .prop_map(|(x, y, width, height)| Rect { x, y, width, height });
    prop::collection::vec(rect, 0..6)
}

fn fills() -> impl Strategy<Value = Redaction> {
    prop_oneof![
        any::<[u8; 3]>().prop_map(|rgb| Redaction::Fill(Fill::Colour(rgb))),
        Just(Redaction::Fill(Fill::Surroundings)),
    ]
}

/// Cells across and down, and levels: all within 8 bits.
fn mosaics() -> impl Strategy<Value = (u32, u32, u8)> {
    let all = vec![(4, 1, 4), (2, 2, 4), (1, 1, 255), (8, 1, 2), (2, 4, 2), (3, 3, 1), (1, 2, 16)];
    prop::sample::select(all)
}

fn any_redaction() -> impl Strategy<Value = Redaction> {
    let mosaic = |(across, down, levels)| Redaction::Mosaic { cells: [across, down], levels };
    prop_oneof![fills(), mosaics().prop_map(mosaic)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A fill writes its colour into every byte of every pixel that a rectangle touches, chroma
    /// and alpha too, and into no other byte.
    #[test]
    fn a_fill_is_its_definition(
        format in prop::sample::select(PixelFormat::ALL.to_vec()),
        w in 1usize..16, h in 1usize..16, pad in 0usize..5, seed in any::<u64>(),
        rects in rects(30.0), gray in any::<bool>(), rgb in any::<[u8; 3]>(),
    ) {
        let rgb = if gray { [rgb[0]; 3] } else { rgb };
        let mut picture = Picture::new(format, 2 * w, 2 * h, pad, seed);
        let before = picture.clone();
        let redactions =
            Redaction::Fill(Fill::Colour(rgb)).apply(&mut picture.frame(), &rects).unwrap();
        prop_assert!(redactions.len() <= rects.len());
        let mut expected = before.clone();
        // BT.601-7 2.5.1, full range.
        let [r, g, b] = rgb.map(f64::from);
        let luma = 0.299 * r + 0.587 * g + 0.114 * b;
        for (plane, at, kind, inside) in before.bytes(&rects) {
            if inside {
                // Half-way between two bytes both are right.
                let actual = picture.planes[plane][at];
                let byte = |exact: f64| {
                    let right = (exact - f64::from(actual)).abs() <= 0.5 + 1e-9;
                    if right { actual } else { exact.round() as u8 }
                };
                expected.planes[plane][at] = match kind {
                    Kind::Red => rgb[0],
                    Kind::Green => rgb[1],
                    Kind::Blue => rgb[2],
                    Kind::Alpha => 255,
                    Kind::Luma => byte(luma),
                    Kind::U => byte(128.0 + (b - luma) / 1.772),
                    Kind::V => byte(128.0 + (r - luma) / 1.402),
                };
            }
        }
        prop_assert_eq!(picture, expected);
    }

    /// Given the same regions, two frames that differ only inside them become the same frame.
    #[test]
    fn what_was_inside_does_not_matter(
        format in prop::sample::select(PixelFormat::ALL.to_vec()),
        w in 1usize..16, h in 1usize..16, pad in 0usize..5, seed in any::<[u64; 2]>(),
        rects in rects(30.0), redaction in fills(),
    ) {
        let mut one = Picture::new(format, 2 * w, 2 * h, pad, seed[0]);
        let mut other = one.clone();
        let noise = Picture::new(format, 2 * w, 2 * h, pad, seed[1]);
        for (plane, at, _, inside) in one.bytes(&rects) {
            if inside {
                other.planes[plane][at] = noise.planes[plane][at];
            }
        }
        redaction.apply(&mut one.frame(), &rects).unwrap();
        redaction.apply(&mut other.frame(), &rects).unwrap();
        prop_assert_eq!(one, other);
    }

    /// Rectangles that overlap or touch are one region and all others are not, whatever hides
    /// them: each is a part of exactly one region.
    #[test]
    fn regions_are_what_hangs_together(
        w in 1usize..16, h in 1usize..16, rects in rects(30.0), redaction in any_redaction(),
    ) {
        let mut picture = Picture::new(PixelFormat::Gray8, 2 * w, 2 * h, 0, 1);
        let redactions = redaction.apply(&mut picture.frame(), &rects).unwrap();
        let edges = |r: Rect| [r.x, r.y, r.x + r.width, r.y + r.height];
        let (whole, mut expected) = ([2 * w, 2 * h].map(|side| side as f32), Vec::new());
        for rect in &rects {
            let [x0, y0, x1, y1] = edges(*rect);
            let (x0, y0) = (x0.floor().max(0.0), y0.floor().max(0.0));
            let (x1, y1) = (x1.ceil().min(whole[0]), y1.ceil().min(whole[1]));
            if x0 < x1 && y0 < y1 {
                expected.push([x0, y0, x1, y1]);
            }
        }
        let touch = |a: &[f32; 4], b: &[f32; 4]| {
            a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
        };
        // Naive: of each the first that it hangs together with, until nothing changes.
        let mut first: Vec<usize> = (0..expected.len()).collect();
        for _ in 0..expected.len() {
            for (i, a) in expected.iter().enumerate() {
                for (j, b) in expected.iter().enumerate() {
                    if touch(a, b) {
                        let least = first[i].min(first[j]);
                        (first[i], first[j]) = (least, least);
                    }
                }
            }
        }
        let mut groups: Vec<Vec<[f32; 4]>> = Vec::new();
        for i in 0..expected.len() {
            if first[i] == i {
                let of = (0..expected.len()).filter(|j| first[*j] == i);
                groups.push(of.map(|j| expected[j]).collect());
            }
        }
        let found: Vec<Vec<[f32; 4]>> =
            redactions.iter().map(|r| r.parts.iter().map(|p| edges(p.rect)).collect()).collect();
        prop_assert_eq!(found, groups.clone());
        for (region, group) in redactions.iter().zip(groups) {
            let hull = group.into_iter().reduce(|a, b| {
                [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
            });
            prop_assert_eq!(Some(edges(region.rect)), hull);
        }
    }

    /// A mosaic leaves no colour, in each region at most as many grays as it has levels and at
    /// most as many as it has cells, and nothing outside is touched.
    #[test]
    fn a_mosaic_keeps_its_bound(
        format in prop::sample::select(PixelFormat::ALL.to_vec()),
        w in 1usize..16, h in 1usize..16, pad in 0usize..5, seed in any::<u64>(),
        rects in rects(30.0), (across, down, levels) in mosaics(),
    ) {
        let mut picture = Picture::new(format, 2 * w, 2 * h, pad, seed);
        let before = picture.clone();
        let redaction = Redaction::Mosaic { cells: [across, down], levels };
        let redactions = redaction.apply(&mut picture.frame(), &rects).unwrap();
        prop_assert!(redactions.max_leak_bits() <= 8.0);
        let mut expected = before.clone();
        for region in &redactions {
            let mut values = std::collections::BTreeSet::new();
            let parts: Vec<Rect> = region.parts.iter().map(|part| part.rect).collect();
            for (plane, at, kind, inside) in before.bytes(&parts) {
                let byte = picture.planes[plane][at];
                match kind {
                    _ if !inside => continue,
                    Kind::Alpha => prop_assert_eq!(byte, 255),
                    Kind::U | Kind::V => prop_assert_eq!(byte, 128),
                    _ => _ = values.insert(byte),
                }
                expected.planes[plane][at] = byte;
            }
            prop_assert!(values.len() <= usize::from(levels).min((across * down) as usize));
        }
        prop_assert_eq!(&picture, &expected);
    }

    /// What is in one region is of no account to another: bounds do not add up.
    #[test]
    fn a_mosaic_knows_its_own_region_only(
        format in prop::sample::select(PixelFormat::ALL.to_vec()),
        w in 1usize..16, h in 1usize..16, seed in any::<[u64; 2]>(),
        rects in rects(30.0), (across, down, levels) in mosaics(),
    ) {
        let redaction = Redaction::Mosaic { cells: [across, down], levels };
        let before = Picture::new(format, 2 * w, 2 * h, 0, seed[0]);
        let mut one = before.clone();
        let redactions = redaction.apply(&mut one.frame(), &rects).unwrap();
        for region in &redactions {
            let parts: Vec<Rect> = region.parts.iter().map(|part| part.rect).collect();
            let noise = Picture::new(format, 2 * w, 2 * h, 0, seed[1]);
            let mut other = before.clone();
            let places = before.bytes(&parts);
            for &(plane, at, _, inside) in &places {
                if inside {
                    other.planes[plane][at] = noise.planes[plane][at];
                }
            }
            redaction.apply(&mut other.frame(), &rects).unwrap();
            for (plane, at, _, inside) in places {
                prop_assert!(inside || one.planes[plane][at] == other.planes[plane][at]);
            }
        }
    }
}

/// The mean of the surroundings is theirs: one colour round a region is its colour after, and
/// neither another region nor a pixel beyond the picture takes part.
#[test]
fn surroundings_come_from_outside_every_region() {
    for format in PixelFormat::ALL {
        let mut picture = Picture::new(format, 40, 40, 3, 1);
        let everything = [Rect { x: 0.0, y: 0.0, width: 40.0, height: 40.0 }];
        Redaction::Fill(Fill::Colour([90, 120, 60]))
            .apply(&mut picture.frame(), &everything)
            .unwrap();
        let plain = picture.clone();
        // Two regions side by side, full of something else, one of them at the edge.
        let rects = [
            Rect { x: 0.0, y: 10.0, width: 12.0, height: 8.0 },
            Rect { x: 12.0, y: 8.0, width: 10.0, height: 14.0 },
        ];
        Redaction::Fill(Fill::Colour([255, 0, 0])).apply(&mut picture.frame(), &rects).unwrap();
        assert_ne!(picture, plain);
        Redaction::Fill(Fill::Surroundings).apply(&mut picture.frame(), &rects).unwrap();
        assert!(picture == plain, "{format}");
    }
}

/// A region that is the whole picture has no surroundings; one that is no number is all of it.
#[test]
fn the_whole_picture_can_go() {
    let nowhere = Rect { x: f32::NAN, y: 3.0, width: 1.0, height: f32::INFINITY };
    for format in PixelFormat::ALL {
        let mut picture = Picture::new(format, 8, 6, 0, 7);
        let rects = [nowhere, Rect { y: -9.0, ..nowhere }];
        Redaction::Fill(Fill::Surroundings).apply(&mut picture.frame(), &rects).unwrap();
        for (plane, at, kind, _) in picture.bytes(&[]) {
            let expected = if kind == Kind::Alpha { 255 } else { 128 };
            assert_eq!(picture.planes[plane][at], expected, "{format}");
        }
    }
}

/// What overlaps or only touches is one region with one bound, and what lies between its parts
/// stays; the parts of two regions may lie within one another's rectangle.
#[test]
fn regions_merge() {
    let at = |x: f32, y: f32| Rect { x, y, width: 8.0, height: 8.0 };
    let rects = [at(0.0, 0.0), at(8.0, 6.0), at(30.0, 30.0), at(15.0, 12.0), at(-2.0, 14.0)];
    let mosaic = Redaction::Mosaic { cells: [4, 1], levels: 4 };
    for redaction in [mosaic, Redaction::default(), Redaction::Fill(Fill::Surroundings)] {
        let mut picture = Picture::new(PixelFormat::Nv12, 40, 40, 0, 3);
        let before = picture.clone();
        let redactions = redaction.apply(&mut picture.frame(), &rects).unwrap();
        let found: Vec<_> = redactions.iter().map(|r| (r.rect, r.parts.len())).collect();
        let round = Rect { x: 0.0, y: 0.0, width: 24.0, height: 20.0 };
        let corner = Rect { width: 6.0, ..at(0.0, 14.0) };
        assert_eq!(found, [(round, 3), (at(30.0, 30.0), 1), (corner, 1)]);
        assert!(redactions.iter().all(|r| r.leak_bits == redaction.leak_bits()));
        let between = 30 * 40 + 4;
        assert_eq!(picture.planes[0][between], before.planes[0][between]);
    }
}

/// What could leak more than 8 bits is refused, with its figure, and nothing is written.
#[test]
fn leaky_settings_are_refused() {
    for (cells, levels, name) in [
        ([8, 2], 255, "redaction"),
        ([9, 1], 2, "redaction"),
        ([1, 1], 0, "levels"),
        ([0, 1], 4, "cells across"),
        ([u32::MAX, u32::MAX], 255, "cells across"),
        ([1, u32::MAX], 1, "cells down"),
    ] {
        let mut picture = Picture::new(PixelFormat::Gray8, 8, 8, 0, 1);
        let before = picture.clone();
        let rect = Rect { x: 0.0, y: 0.0, width: 8.0, height: 8.0 };
        match (Redaction::Mosaic { cells, levels }).apply(&mut picture.frame(), &[rect]) {
            Err(Error::Option { name: found, .. }) => assert_eq!(found, name),
            other => panic!("{other:?}"),
        }
        assert_eq!(picture, before);
    }
    let bits = Redaction::Mosaic { cells: [8, 2], levels: 16 };
    let mut picture = Picture::new(PixelFormat::Gray8, 8, 8, 0, 1);
    let error = bits.apply(&mut picture.frame(), &[]).unwrap_err().to_string();
    assert_eq!(error, "option redaction: 64 is not in 0..=max_leak_bits (bits, 8 at most)");
}

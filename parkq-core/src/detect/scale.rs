//! How large things are where, from a lot whose spaces' sizes are known.
//!
//! The ground is a plane. In a picture of it, the area of a square metre is proportional to the
//! third power of the distance to the horizon (the Jacobian of a homography), so the pixels per
//! metre of the spaces (a mean over both directions on the ground), to the power of 2/3, are a
//! linear function of the place, and three spaces are enough to know it (Hartley and Zisserman,
//! "Multiple View Geometry", 2004, section 8.6).

use super::views::{self, View};
use super::{InputSpec, Label, Tiling};
use crate::occupancy::Lot;

/// The focal length that is assumed, as a share of the picture's longer side: 64 degrees.
const FOCAL: f64 = 0.8;
/// How far above the ground the lower edge of a thing may be, metres: a plate on a lorry's door, a car behind another.
const HANGS: f64 = 2.0;
/// Cells of the grid on which views are planned.
const GRID: [usize; 2] = [16, 12];
/// The most input pixels of a lot's views, as a multiple of those without a lot.
const MOST: f64 = 1.5;
/// By how much the finest level gives way where that is exceeded.
const STEP: f64 = 0.9;
/// Beyond these multiples of what the spaces show, the scale is not believed.
const BELIEVED: (f64, f64) = (0.4, 2.5);

/// Pixels per metre everywhere in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    /// At the middle of the spaces, and its slopes to the right and down: (pixels per metre)^(2/3).
    value: f64,
    slope: [f64; 2],
    middle: [f64; 2],
    /// What the spaces themselves show, least and most.
    seen: (f64, f64),
    focal: f64,
}

impl Scale {
    /// From the spaces of a lot, in a picture of this size; `None` without any.
    pub(crate) fn of(lot: &Lot, width: u32, height: u32) -> Option<Self> {
        let points: Vec<[f64; 3]> = lot
            .spaces()
            .iter()
            .map(|space| {
                let centre = space.quad.scaled(width.into(), height.into()).centre();
                [centre.x, centre.y, space.pixels_per_metre(width, height).powf(2.0 / 3.0)]
            })
            .filter(|p| p.iter().all(|v| v.is_finite()) && p[2] > 0.0)
            .collect();
        let longer = f64::from(width.max(height));
        let fit = fit(&points, longer)?;
        // Once more without those that are far from it: a slip of the hand, a lorry's space.
        let near = |p: &&[f64; 3]| (p[2] / fit.at(p[0], p[1])).ln().abs() < 0.4;
        let rest: Vec<_> = points.iter().filter(near).copied().collect();
        Some(if rest.len() >= 3 { self::fit(&rest, longer).unwrap_or(fit) } else { fit })
    }

    fn at(&self, x: f64, y: f64) -> f64 {
        let (dx, dy) = (x - self.middle[0], y - self.middle[1]);
        (self.value + self.slope[0] * dx + self.slope[1] * dy).max(1e-3)
    }

    /// Pixels per metre across the line of sight, for what stands on the ground at this place;
    /// `None` where the spaces are too far away to tell.
    fn pixels_per_metre(&self, x: f64, y: f64) -> Option<f64> {
        let value = self.at(x, y);
        let believed = self.seen.0 * BELIEVED.0..=self.seen.1 * BELIEVED.1;
        let ground = value.powf(1.5);
        if !believed.contains(&ground) {
            return None;
        }
        // Seen from far, the ground is foreshortened, what stands on it is not: across, the scale
        // is the distance to the horizon over the camera's height.
        Some(ground.max(value * (self.focal * self.steep()).sqrt()))
    }

    fn steep(&self) -> f64 {
        self.slope[0].hypot(self.slope[1])
    }

    /// By how much more pixels a metre has `height` metres above the ground that is seen at the
    /// same place: what hangs there is nearer, of a low camera much nearer.
    fn above_ground(&self, height: f64) -> f64 {
        // As above: the change of the scale across from pixel to pixel is one over the camera's
        // height; nothing on a level plane, which is seen from infinitely far.
        let of_camera = height * self.steep() * (self.focal * self.steep()).sqrt();
        if of_camera < 1.0 { 1.0 / (1.0 - of_camera) } else { f64::INFINITY }
    }

    /// The most pixels per metre of what is seen at this place, on the ground or up to `height`
    /// metres above it; infinitely many where it is nearer than the spaces can say, `None` where
    /// it is farther.
    pub(crate) fn most_pixels_per_metre(&self, x: f64, y: f64, height: f64) -> Option<f64> {
        let nearer = || self.at(x, y).powf(1.5) > self.seen.1 * BELIEVED.1;
        let known = self.range(x, y, height).map(|(_, most)| most);
        known.or_else(|| nearer().then_some(f64::INFINITY))
    }

    /// Of what is seen at this place, on the ground or up to `height` metres above it, the least
    /// and the most pixels per metre; `None` where the spaces are too far away to tell.
    fn range(&self, x: f64, y: f64, height: f64) -> Option<(f64, f64)> {
        let least = self.pixels_per_metre(x, y)?;
        let most = (least * self.above_ground(height)).min(self.seen.1 * BELIEVED.1);
        Some((least, most.max(least)))
    }

    /// Whether a thing of this label may be so large (the frame's pixels, the longer side). Wide
    /// bounds: the scale is an estimate.
    pub(super) fn possible(&self, label: Label, edges: [f64; 4]) -> bool {
        // Metres. People are on stairs, balconies and bridges too, near the camera before ground
        // that is far; nobody is farther than the ground.
        let (least, most) = match label {
            Label::Vehicle => (0.8, 22.0),
            Label::Person => (0.35, f64::INFINITY),
            Label::Plate => (0.08, 1.2),
            Label::Face => (0.06, f64::INFINITY),
        };
        // Its lower edge is on the ground or, of what hangs or is half hidden, somewhat above.
        let middle = (edges[0] + edges[2]) / 2.0;
        self.pixels_per_metre(middle, edges[3]).is_none_or(|scale| {
            let longer = (edges[2] - edges[0]).max(edges[3] - edges[1]);
            let most = most * scale * self.above_ground(HANGS);
            // A pixel or two is no measure of a thing of five.
            (least * scale / 1.5 - 2.0..=most * 1.5 + 2.0).contains(&longer)
        })
    }
}

/// Least squares, drawn a little to the level plane.
fn fit(points: &[[f64; 3]], longer: f64) -> Option<Scale> {
    let n = points.len() as f64;
    if points.is_empty() {
        return None;
    }
    let mean = |k: usize| points.iter().map(|p| p[k]).sum::<f64>() / n;
    let (x, y, value) = (mean(0), mean(1), mean(2));
    let moment = |f: &dyn Fn(f64, f64, f64) -> f64| {
        points
            .iter()
            .map(|p| f((p[0] - x) / longer, (p[1] - y) / longer, p[2] - value))
            .sum::<f64>()
            / n
    };
    let ridge = 2e-4;
    let (xx, yy) = (moment(&|x, _, _| x * x) + ridge, moment(&|_, y, _| y * y) + ridge);
    let xy = moment(&|x, y, _| x * y);
    let (xv, yv) = (moment(&|x, _, v| x * v), moment(&|_, y, v| y * v));
    let determinant = xx * yy - xy * xy;
    let slope = [(yy * xv - xy * yv) / determinant, (xx * yv - xy * xv) / determinant];
    let shown = |p: &[f64; 3]| p[2].powf(1.5);
    let least = points.iter().map(shown).fold(f64::INFINITY, f64::min);
    let most = points.iter().map(shown).fold(0.0, f64::max);
    Some(Scale {
        value,
        slope: slope.map(|s| s / longer),
        middle: [x, y],
        seen: (least, most),
        focal: FOCAL * longer,
    })
}

/// The views of a picture with a lot: of each level of the pyramid only where it is of use, and
/// one of twice the scale where things are small.
pub(super) fn views(
    scale: &Scale,
    width: u32,
    height: u32,
    tiling: Tiling,
    input: &InputSpec,
) -> Vec<View> {
    let picture = [0.0, 0.0, f64::from(width), f64::from(height)];
    let fine = views::finest(picture[2], picture[3], tiling);
    let mut scales = vec![(2.0 * fine).min(views::ENLARGED)];
    scales.extend(views::pyramid(fine, picture[2].max(picture[3])));
    let cell = [picture[2] / GRID[0] as f64, picture[3] / GRID[1] as f64];
    // Of each level, left, top, right and bottom cell.
    let mut parts: Vec<Option<[usize; 4]>> = vec![None; scales.len()];
    for row in 0..GRID[1] {
        for column in 0..GRID[0] {
            let (x, y) = ((column as f64 + 0.5) * cell[0], (row as f64 + 0.5) * cell[1]);
            for level in levels(scale.range(x, y, HANGS), &scales) {
                let part = parts[level].get_or_insert([column, row, column, row]);
                *part =
                    [part[0].min(column), part[1].min(row), part[2].max(column), part[3].max(row)];
            }
        }
    }
    let cost = |views: &[View]| views.iter().map(View::cost).sum::<usize>() as f64;
    let plain = views::of_picture(width, height, tiling, input);
    loop {
        let level = |(part, scale): (&Option<[usize; 4]>, &f64)| {
            part.map_or(Vec::new(), |part| {
                // A cell more on each side: things reach beyond the place they stand on.
                let low = |k: usize| (part[k] as f64 - 1.0).max(0.0) * cell[k];
                let high = |k: usize| ((part[k + 2] + 2) as f64 * cell[k]).min(picture[k + 2]);
                let source = [low(0), low(1), high(0) - low(0), high(1) - low(1)];
                views::level(source, picture, *scale, input)
            })
        };
        let views: Vec<View> = parts.iter().zip(&scales).flat_map(level).collect();
        if cost(&views) <= MOST * cost(&plain) {
            return views;
        }
        // No room for the finest: it is seen a little coarser, and in the end left to the next.
        if parts[0].is_some() && STEP * scales[0] > scales[1] {
            scales[0] *= STEP;
            continue;
        }
        let Some(finest) = parts[0].take() else { return plain };
        let part = parts[1].get_or_insert(finest);
        let (low, high) = (|k: usize| part[k].min(finest[k]), |k: usize| part[k].max(finest[k]));
        *part = [low(0), low(1), high(2), high(3)];
    }
}

/// The levels at which vehicles, persons and plates of these pixels per metre are seen best.
fn levels(seen: Option<(f64, f64)>, scales: &[f64]) -> Vec<usize> {
    // Nothing is known of this place: it is seen as without a lot.
    let Some((low, high)) = seen else { return (1..scales.len()).collect() };
    // Metres, the size in the input that suits, and the least in the frame that is worth it.
    let things = [(4.5, 110.0, 4.0), (1.7, 90.0, 4.0), (0.11, 18.0, 3.0)];
    let nearest = |wanted: f64| {
        let far = |level: &usize| (scales[*level] / wanted).ln().abs();
        (0..scales.len()).min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(1)
    };
    let mut levels: Vec<usize> = things
        .iter()
        .filter(|(metres, _, least)| metres * high >= *least)
        .flat_map(|(metres, best, least)| {
            let finest = nearest(best / (metres * low).max(*least));
            finest..=nearest(best / (metres * high))
        })
        .collect();
    if levels.is_empty() {
        levels.push(1);
    }
    levels.sort_unstable();
    levels.dedup();
    levels
}

#[cfg(test)]
mod tests {
    use super::super::InputSize;
    use super::super::views::COARSE;
    use super::*;
    use crate::geometry::{Point, Quad};
    use crate::occupancy::Space;

    /// A camera 8 m above flat ground, looking down by `tilt`: where a point of the ground is.
    fn project(x: f64, z: f64, tilt: f64) -> [f64; 2] {
        project_from(8.0, x, z, tilt)
    }

    /// Likewise, `h` metres above the point's height.
    fn project_from(h: f64, x: f64, z: f64, tilt: f64) -> [f64; 2] {
        let focal = 0.8 * 1280.0;
        let depth = z * tilt.cos() + h * tilt.sin();
        let down = h * tilt.cos() - z * tilt.sin();
        [640.0 + focal * x / depth, 360.0 + focal * down / depth]
    }

    fn lot(tilt: f64, rows: &[f64]) -> Lot {
        lot_from(8.0, tilt, rows)
    }

    fn lot_from(h: f64, tilt: f64, rows: &[f64]) -> Lot {
        let mut spaces = Vec::new();
        for (r, &z) in rows.iter().enumerate() {
            for i in -4i32..4 {
                let x = f64::from(i) * 2.5;
                let corner = |dx: f64, dz: f64| {
                    let [u, v] = project_from(h, x + dx, z + dz, tilt);
                    Point::new(u / 1280.0, v / 720.0)
                };
                let quad =
                    Quad([corner(0.0, 0.0), corner(2.5, 0.0), corner(2.5, 5.0), corner(0.0, 5.0)]);
                if quad.0.iter().all(|p| (0.0..=1.0).contains(&p.x) && (0.0..=1.0).contains(&p.y)) {
                    spaces.push(Space::new(format!("{r}.{i}"), quad));
                }
            }
        }
        Lot::new(spaces).unwrap()
    }

    /// On flat ground the scale across is known everywhere, beyond the spaces too.
    #[test]
    fn flat_ground() {
        for tilt in [0.3, 0.45] {
            let lot = lot(tilt, &[16.0, 28.0, 40.0]);
            assert!(lot.spaces().len() > 8);
            let scale = Scale::of(&lot, 1280, 720).unwrap();
            for z in [14.0, 20.0, 30.0, 45.0] {
                let [x, y] = project(0.0, z, tilt);
                let truth = project(1.0, z, tilt)[0] - x;
                let found = scale.pixels_per_metre(x, y).unwrap();
                assert!((found / truth).ln().abs() < 0.25, "{z} m: {found} for {truth} px/m");
            }
        }
    }

    /// What fits is kept, what is ten times too large or small is not; people may be near.
    #[test]
    fn sizes() {
        let lot = lot(0.4, &[16.0, 28.0, 40.0]);
        let scale = Scale::of(&lot, 1280, 720).unwrap();
        let [x, y] = project(0.0, 25.0, 0.4);
        let one = project(1.0, 25.0, 0.4)[0] - x;
        for (label, metres) in
            [(Label::Vehicle, 4.5), (Label::Person, 1.7), (Label::Plate, 0.5), (Label::Face, 0.2)]
        {
            let of = |metres: f64| [x, y - metres * one, x + metres * one, y];
            let is_person = matches!(label, Label::Person | Label::Face);
            assert!(scale.possible(label, of(metres)), "{label}");
            assert_eq!(scale.possible(label, of(10.0 * metres)), is_person, "{label}");
            // A face of a tenth is less than a pixel or two.
            assert_eq!(scale.possible(label, of(metres / 20.0)), metres < 1.0, "{label}");
        }
        // Above the horizon nothing is known: everything is kept.
        assert!(scale.possible(Label::Plate, [0.0, 0.0, 400.0, 10.0]));
    }

    /// What hangs is nearer than the ground that is seen beside it, of a low camera much nearer.
    #[test]
    fn what_hangs_is_nearer() {
        for (height, tilt, rows) in [
            (1.9, 0.05, &[6.0, 12.0, 18.0][..]),
            (2.5, 0.1, &[7.0, 13.0, 19.0]),
            (4.0, 0.2, &[10.0, 16.0, 24.0]),
            (8.0, 0.4, &[16.0, 28.0]),
        ] {
            let scale = Scale::of(&lot_from(height, tilt, rows), 1280, 720).unwrap();
            for z in [6.0, 9.0, 14.0, 20.0] {
                let [left, bottom] = project_from(height - 1.5, -0.26, z, tilt);
                let [right, top] = project_from(height - 1.61, 0.26, z, tilt);
                let edges = [left, top, right, bottom];
                assert!(scale.possible(Label::Plate, edges), "{height} m, {z} m: {edges:?}");
            }
        }
    }

    /// One space, or several of one size, show a level plane: what fits is kept there too.
    #[test]
    fn a_level_plane_keeps_what_fits() {
        let square = |id: &str, x: f64| {
            Space::new(id, Quad::from([[x, 0.4], [x + 0.1, 0.4], [x + 0.1, 0.7], [x, 0.7]]))
        };
        for lot in [Lot::new([square("a", 0.3)]), Lot::new([square("a", 0.3), square("b", 0.5)])] {
            let scale = Scale::of(&lot.unwrap(), 1280, 720).unwrap();
            let one = scale.pixels_per_metre(500.0, 400.0).unwrap();
            for (label, metres) in [
                (Label::Vehicle, 4.5),
                (Label::Person, 1.7),
                (Label::Plate, 0.5),
                (Label::Face, 0.2),
            ] {
                let edges = [500.0, 400.0 - metres * one, 500.0 + metres * one, 400.0];
                assert!(scale.possible(label, edges), "{label}");
            }
            assert_eq!(scale.range(500.0, 400.0, HANGS), Some((one, one)));
        }
    }

    /// What is half hidden before a low camera is nearer than the ground that is seen at its
    /// lower edge; what is nearer than the spaces can say may have any scale.
    #[test]
    fn what_is_half_hidden_is_nearer() {
        for (height, tilt, rows) in
            [(2.5, 0.1, &[7.0, 13.0, 19.0][..]), (4.0, 0.2, &[10.0, 16.0, 24.0])]
        {
            let scale = Scale::of(&lot_from(height, tilt, rows), 1280, 720).unwrap();
            for z in [9.0, 13.0, 18.0] {
                let [x, y] = project_from(height - 0.9, 0.0, z, tilt);
                let truth = project_from(height - 0.9, 1.0, z, tilt)[0] - x;
                assert!(scale.pixels_per_metre(x, y).is_none_or(|ground| ground < 0.9 * truth));
                let most = scale.most_pixels_per_metre(x, y, 1.2).unwrap();
                assert!(most > 0.9 * truth, "{height} m, {z} m: {most} for {truth} px/m");
            }
            assert_eq!(scale.most_pixels_per_metre(640.0, 5000.0, 1.2), Some(f64::INFINITY));
            assert_eq!(scale.most_pixels_per_metre(640.0, -900.0, 1.2), None);
        }
    }

    /// A place is looked at in every level that suits what is seen there, from the ground to what
    /// stands before it; one of which nothing is known as without a lot.
    #[test]
    fn levels_suit_what_is_near_too() {
        let scales = [2.0, 1.0, COARSE, COARSE * COARSE];
        assert_eq!(levels(Some((30.0, 30.0)), &scales), [0, 1]);
        assert_eq!(levels(Some((30.0, 300.0)), &scales), [0, 1, 2, 3]);
        assert_eq!(levels(Some((300.0, 300.0)), &scales), [2, 3]);
        assert_eq!(levels(None, &scales), [1, 2, 3]);
    }

    /// The views cover the picture, and cost no more than they promise.
    #[test]
    fn views_cover() {
        let lots = [lot(0.3, &[16.0, 28.0, 40.0]), lot(0.45, &[12.0, 20.0]), Lot::new([]).unwrap()];
        for lot in &lots[..2] {
            for (w, h) in [(1280, 720), (1920, 1080), (640, 360)] {
                let scale = Scale::of(lot, w, h).unwrap();
                let input = InputSpec::of(InputSize::MultipleOf(16));
                let views = views(&scale, w, h, Tiling::Auto, &input);
                let auto = views::of_picture(w, h, Tiling::Auto, &input);
                let cost = |views: &[View]| views.iter().map(View::cost).sum::<usize>() as f64;
                assert!(cost(&views) <= MOST * cost(&auto));
                for i in 0..100 {
                    let at = [
                        f64::from(i % 10) / 10.0 * f64::from(w),
                        f64::from(i / 10) / 10.0 * f64::from(h),
                    ];
                    assert!(views.iter().any(|v| v.owns([at[0], at[1], at[0], at[1]]).0), "{at:?}");
                }
            }
        }
        assert!(Scale::of(&lots[2], 1280, 720).is_none());
    }
}

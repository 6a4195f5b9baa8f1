//! The attack: an observer who knows the layout, the font, the place and the redaction of a plate,
//! but not its characters, renders every candidate, redacts it in the same way, and takes the one
//! that looks most like what he sees.
//!
//! The font is the crate `font8x8`'s, scaled up smoothly: what is tested is the redaction, and an
//! attacker who knows the font exactly is the strongest there is.
#![allow(clippy::unwrap_used)]

use font8x8::legacy::BASIC_LEGACY;
use parkq_core::{Error, Fill, FrameMut, Matrix, PixelFormat, Policy, Range, Rect, Redaction};

/// A country's plate: rows of characters, of which `#` are unknown digits.
struct Layout {
    name: &'static str,
    /// Millimetres.
    size: [f32; 2],
    rows: &'static [&'static str],
    /// Red, green and blue of the plate and of its characters.
    colours: [[u8; 3]; 2],
}

/// EU: 520 mm x 110 mm (e.g. Germany, FZV Annex 4); USA: 12 in x 6 in; Indonesia: white on black;
/// two rows as on motorcycles.
const LAYOUTS: [Layout; 4] = [
    Layout { name: "EU", size: [520.0, 110.0], rows: &["B######"], colours: [[240; 3], [20; 3]] },
    Layout {
        name: "USA",
        size: [305.0, 152.0],
        rows: &["CA", "######"],
        colours: [[250, 240, 200], [30, 50, 130]],
    },
    Layout {
        name: "Indonesia",
        size: [430.0, 135.0],
        rows: &["B######"],
        colours: [[15; 3], [245; 3]],
    },
    Layout {
        name: "two rows",
        size: [240.0, 200.0],
        rows: &["###", "###"],
        colours: [[250, 210, 40], [10; 3]],
    },
];
const DIGITS: usize = 6;
/// The picture that shows the plate, pixels; the plate begins at `AT`.
const PICTURE: [usize; 2] = [204, 96];
const AT: [f32; 2] = [21.0, 17.0];

/// xorshift64*: S. Vigna, ACM TOMS 42(4), 2016.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }
}

/// The ink (0..=1) of a character at a place of its cell (0..=1 each), smoothly between the
/// font's dots.
fn ink(character: char, x: f32, y: f32) -> f32 {
    let glyph = BASIC_LEGACY[character as usize];
    let dot = |x: i32, y: i32| {
        let inside = (0..8).contains(&x) && (0..8).contains(&y);
        f32::from(inside && glyph[y as usize] >> x & 1 == 1)
    };
    let (x, y) = (x * 8.0 - 0.5, y * 8.0 - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let row = |y: i32| dot(left as i32, y) * (1.0 - fx) + dot(left as i32 + 1, y) * fx;
    row(top as i32) * (1.0 - fy) + row(top as i32 + 1) * fy
}

/// The picture of a plate as RGB, and the plate's box.
fn render(layout: &Layout, width: f32, digits: &[u8]) -> (Vec<u8>, Rect) {
    let height = width * layout.size[1] / layout.size[0];
    let rect = Rect { x: AT[0], y: AT[1], width, height };
    let mut digits = digits.iter();
    let rows: Vec<Vec<char>> = layout
        .rows
        .iter()
        .map(|row| {
            let known = |c| if c == '#' { char::from(b'0' + digits.next().unwrap()) } else { c };
            row.chars().map(known).collect()
        })
        .collect();
    let mut pixels = Vec::new();
    for y in 0..PICTURE[1] {
        for x in 0..PICTURE[0] {
            // The place on the plate, less a border of a tenth of its height.
            let border = 0.1 * height;
            let px = (x as f32 + 0.5 - rect.x - border) / (width - 2.0 * border);
            let py = (y as f32 + 0.5 - rect.y - border) / (height - 2.0 * border);
            let (bx, by) = (border / (width - 2.0 * border), border / (height - 2.0 * border));
            let on_plate = (-bx..1.0 + bx).contains(&px) && (-by..1.0 + by).contains(&py);
            // A grey car around it.
            let mut colour = [95.0, 100.0, 105.0 + (x + y) as f32 * 0.05];
            if on_plate {
                let row = (py * rows.len() as f32).floor();
                let mut dark = 0.0;
                if let Some(row) = rows.get(row as usize).filter(|_| row >= 0.0) {
                    let column = px * row.len() as f32;
                    if let Some(&c) = row.get(column as usize).filter(|_| column >= 0.0) {
                        dark = ink(c, column.fract(), (py * rows.len() as f32).fract());
                    }
                }
                let [plate, characters] = layout.colours;
                colour = std::array::from_fn(|k| {
                    f32::from(plate[k]) * (1.0 - dark) + f32::from(characters[k]) * dark
                });
            }
            pixels.extend(colour.map(|v| v.round() as u8));
        }
    }
    (pixels, rect)
}

/// RGB as NV12, BT.601 full range; `None` of the chroma is lost but its resolution.
fn nv12(rgb: &[u8]) -> Vec<u8> {
    let [w, h] = PICTURE;
    let pixel = |x: usize, y: usize| {
        let at = 3 * (y * w + x);
        [rgb[at], rgb[at + 1], rgb[at + 2]].map(f32::from)
    };
    let luma = |[r, g, b]: [f32; 3]| 0.299 * r + 0.587 * g + 0.114 * b;
    let mut bytes: Vec<u8> = (0..w * h).map(|i| luma(pixel(i % w, i / w)).round() as u8).collect();
    for i in 0..w * h / 4 {
        let (x, y) = (i % (w / 2) * 2, i / (w / 2) * 2);
        let block = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| pixel(x + dx, y + dy));
        let mean = |of: &dyn Fn([f32; 3]) -> f32| block.iter().map(|&p| of(p)).sum::<f32>() / 4.0;
        bytes.push((128.0 + mean(&|p| (p[2] - luma(p)) / 1.772)).round() as u8);
        bytes.push((128.0 + mean(&|p| (p[0] - luma(p)) / 1.402)).round() as u8);
    }
    bytes
}

/// How the plate is hidden from the observer.
#[derive(Clone, Copy)]
enum Hide {
    With(Redaction),
    /// What other tools do; here only to show that the attack can succeed.
    Blur,
}

/// What the observer sees, given what is there.
fn observed(
    layout: &Layout,
    width: f32,
    digits: &[u8],
    format: PixelFormat,
    hide: Hide,
) -> Vec<u8> {
    let (rgb, plate) = render(layout, width, digits);
    let policy = Policy::default();
    let margin = |side: f32| (policy.plate_margin * side).max(policy.min_margin);
    let (dx, dy) = (margin(plate.width), margin(plate.height));
    let region = Rect {
        x: plate.x - dx,
        y: plate.y - dy,
        width: plate.width + 2.0 * dx,
        height: plate.height + 2.0 * dy,
    };
    let mut bytes = if format == PixelFormat::Nv12 { nv12(&rgb) } else { rgb };
    match hide {
        Hide::With(redaction) => {
            let [w, h] = PICTURE.map(|side| side as u32);
            let mut frame = FrameMut::packed(format, w, h, &mut bytes)
                .unwrap()
                .with_color(Matrix::Bt601, Range::Full);
            redaction.apply(&mut frame, &[region]).unwrap();
        }
        Hide::Blur => blur(&mut bytes, region),
    }
    bytes
}

/// A Gaussian whose kernel is a fifth of the region's height, as is usual; of RGB.
fn blur(rgb: &mut [u8], region: Rect) {
    let radius = (region.height / 10.0).round() as isize;
    let deviation = radius as f32 / 2.0;
    let weights: Vec<f32> =
        (-radius..=radius).map(|i| (-0.5 * (i as f32 / deviation).powi(2)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let (w, h) = (PICTURE[0] as isize, PICTURE[1] as isize);
    for (dx, dy) in [(1, 0), (0, 1)] {
        let before = rgb.to_vec();
        for y in region.y as isize..(region.y + region.height) as isize {
            for x in region.x as isize..(region.x + region.width) as isize {
                for c in 0..3 {
                    let at = |i: isize| {
                        let (x, y) = ((x + i * dx).clamp(0, w - 1), (y + i * dy).clamp(0, h - 1));
                        f32::from(before[3 * (y * w + x) as usize + c])
                    };
                    let sum: f32 =
                        weights.iter().zip(-radius..).map(|(weight, i)| weight * at(i)).sum();
                    rgb[3 * (y * w + x) as usize + c] = (sum / total).round() as u8;
                }
            }
        }
    }
}

/// Reads a plate: from a random start, digit by digit, whichever candidate is nearest; `rounds`
/// times over. Of equally near ones, any.
fn attack(
    seen: &[u8],
    see: &dyn Fn(&[u8]) -> Vec<u8>,
    rounds: usize,
    random: &mut Random,
) -> [u8; DIGITS] {
    let mut guess: [u8; DIGITS] = std::array::from_fn(|_| random.below(10) as u8);
    for place in (0..rounds).flat_map(|_| 0..DIGITS) {
        let distance = |digit: u8| -> u64 {
            let mut candidate = guess;
            candidate[place] = digit;
            let far = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b)).pow(2);
            see(&candidate).iter().zip(seen).map(far).sum()
        };
        let distances: Vec<u64> = (0..10).map(distance).collect();
        let nearest = distances.iter().min().unwrap();
        let best: Vec<u8> =
            (0..10).filter(|&digit| distances[usize::from(digit)] == *nearest).collect();
        guess[place] = best[random.below(best.len() as u64) as usize];
    }
    guess
}

/// Attacks `plates` plates of each layout: how many there are, how many were read exactly, how
/// many digits are right.
fn campaign(hide: Hide, format: PixelFormat, plates: usize, rounds: usize) -> [u64; 3] {
    let mut random = Random(0x5EED);
    let mut counts = [0; 3];
    for layout in &LAYOUTS {
        for i in 0..plates {
            let width = [104.0, 160.0][i % 2] * layout.size[0] / 520.0;
            let digits: [u8; DIGITS] = std::array::from_fn(|_| random.below(10) as u8);
            let see = |digits: &[u8]| observed(layout, width, digits, format, hide);
            let read = attack(&see(&digits), &see, rounds, &mut random);
            let right = read.iter().zip(&digits).filter(|(a, b)| a == b).count() as u64;
            counts[0] += 1;
            counts[1] += u64::from(right == DIGITS as u64);
            counts[2] += right;
        }
        assert!(!layout.name.is_empty());
    }
    counts
}

/// The probability that of `n` trials of probability `p` at least `k` succeed.
fn at_least(k: u64, n: u64, p: f64) -> f64 {
    let ln_choose =
        |k: u64| -> f64 { (1..=k).map(|i| ((n - k + i) as f64).ln() - (i as f64).ln()).sum() };
    (k..=n).map(|k| (ln_choose(k) + k as f64 * p.ln() + (n - k) as f64 * (-p).ln_1p()).exp()).sum()
}

/// Results that chance gives less often than this are not chance: the tests' confidence is 99.9 %.
const SIGNIFICANT: f64 = 0.001;

/// Under the default policy, and every fill, the observer does no better than chance: one digit
/// in ten.
#[test]
fn a_filled_plate_cannot_be_read() {
    for redaction in [Policy::default().redaction, Redaction::Fill(Fill::Surroundings)] {
        for format in [PixelFormat::Rgb8, PixelFormat::Nv12] {
            let [plates, _, right] = campaign(Hide::With(redaction), format, 8, 1);
            let digits = plates * DIGITS as u64;
            let p = at_least(right, digits, 0.1);
            assert!(p > SIGNIFICANT, "{redaction:?} {format}: {right} of {digits} digits, p {p}");
        }
    }
}

/// Every mosaic that is allowed keeps its bound: of `bits` bits, an observer reads a plate of six
/// unknown digits with a probability of at most `2^bits / 10^6`.
#[test]
fn an_allowed_mosaic_keeps_its_bound() {
    for (cells, levels) in [([4, 1], 4), ([8, 1], 2), ([2, 2], 4), ([1, 1], 255)] {
        let redaction = Redaction::Mosaic { cells, levels };
        let chance = redaction.leak_bits().exp2() / 1e6;
        let [plates, exact, _] = campaign(Hide::With(redaction), PixelFormat::Rgb8, 4, 2);
        let p = at_least(exact, plates, chance);
        assert!(p > SIGNIFICANT, "{redaction:?}: {exact} of {plates} plates, p {p}");
    }
}

/// The attack can succeed: it reads through a blur, and through mosaics finer than the bound,
/// which are refused.
#[test]
fn a_blurred_plate_is_read() {
    let [plates, exact, right] = campaign(Hide::Blur, PixelFormat::Rgb8, 2, 2);
    assert!(exact * 10 >= plates * 9, "{exact} of {plates} plates, {right} digits");
    let fine = Redaction::Mosaic { cells: [8, 2], levels: 16 };
    let mut gray = [0; 64];
    let mut frame = FrameMut::packed(PixelFormat::Gray8, 8, 8, &mut gray).unwrap();
    let refused = fine.apply(&mut frame, &[]);
    assert!(matches!(refused, Err(Error::Option { actual: 64.0, .. })));
}

/// The binomial tail against exact values.
#[test]
fn the_binomial_test_is_one() {
    assert!((at_least(0, 10, 0.1) - 1.0).abs() < 1e-12);
    assert!((at_least(10, 10, 0.5) - 0.5f64.powi(10)).abs() < 1e-12);
    assert!((at_least(2, 3, 0.1) - 0.028).abs() < 1e-12);
}

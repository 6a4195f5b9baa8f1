//! What is private in a picture: from detections to the regions that have to go.

use serde::Serialize;

use super::redaction::{MAX_LEAK_BITS, Redaction, Region};
use super::report::Cause;
use crate::detect::{Detection, Label, Scale, Scores, share_of_smaller};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::occupancy::Lot;
use crate::options::{self, setters};

/// The shorter side of a car's box, seen from anywhere, is at least its height, metres.
const VEHICLE_SIDE_M: f64 = 1.4;
/// And that of any vehicle at most so long, metres. If it is longer by a lot's scale, the lot's scale
/// is wrong. (With 4.5, which suits cars, boxes of rows of cars count too: on a lot that was held
/// out of training 0.052 of the picture are destroyed in place of 0.033.)
const LARGEST_SIDE_M: f64 = 6.0;
/// What is higher than wide may be a motorcycle, which is at least so wide, metres.
const UPRIGHT_M: f64 = 0.7;
/// A box that ends nearer to the picture's edge than this share of its longer side may be cut off.
const EDGE: f32 = 0.005;
/// A vehicle that is hidden higher than this, by another that stands before it, shows no plate
/// (a rear plate ends 1.20 m above the ground at the most: Regulation (EU) 2021/535), metres.
const PLATE_HIGH_M: f64 = 1.2;
/// Boxes that share more than this of the smaller one may be of the same thing.
const SAME: f32 = 0.6;
/// The share of a person's box, from the top, that holds the head.
const HEAD: f32 = 0.3;

/// What happens to a vehicle on which no plate was found although the picture's scale would let
/// one be read: detectors miss, so the policy does not rely on them alone.
///
/// ```
/// assert_eq!(parkq_core::Fallback::default(), parkq_core::Fallback::PlateZone);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fallback {
    /// The part of the vehicle where plates are, [`Policy::plate_zone`]. The default.
    #[default]
    PlateZone,
    /// The whole vehicle.
    WholeVehicle,
    /// Nothing.
    Off,
}

/// What an [`Anonymizer`](crate::Anonymizer) destroys, and how. The defaults rather destroy too
/// much: a false region costs little, a missed one costs the promise.
///
/// ```
/// use parkq_core::{Fill, Policy, Redaction};
/// let policy = Policy::default().redaction(Redaction::Fill(Fill::Surroundings)).plate_margin(0.3);
/// assert!(policy.plates && policy.faces && policy.persons);
/// assert_eq!(policy.max_leak_bits, 8.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Policy {
    /// Whether plates go. Default: true.
    pub plates: bool,
    /// Whether faces go; each with the head round it. Default: true.
    pub faces: bool,
    /// Whether persons go, whole. If only faces go, the head's part of a person on whom no face
    /// was found goes too. Default: true.
    pub persons: bool,
    /// From which score on a detection counts; low, see above. Default: vehicle 0.3, person
    /// 0.03, plate 0.03, face 0.05.
    pub scores: Scores,
    /// A plate of less than this score is destroyed, but does not spare its vehicle the
    /// fallback; 0..=1. Default: 0.2.
    pub sure_plate: f32,
    /// How far a plate's region reaches beyond its box on each side, as a share of the box's
    /// width and height; 0..=4. Default: 0.2.
    pub plate_margin: f32,
    /// As `plate_margin`, for faces: wide enough for the head. Default: 0.5.
    pub face_margin: f32,
    /// As `plate_margin`, for persons. Default: 0.1.
    pub person_margin: f32,
    /// How far a person's region reaches further upward for the head, as a share of the box's
    /// height; 0..=4. Default: 0.1.
    pub head_margin: f32,
    /// Every margin has at least so many pixels: a lossy codec spreads what was inside; 0..=64.
    /// Default: 2.
    pub min_margin: f32,
    /// What happens to a vehicle without a plate. Default: [`Fallback::PlateZone`].
    pub fallback: Fallback,
    /// From where to where plates are, as shares of a vehicle's height from its top, over its
    /// whole width; 0..=1, in order. Default: 0.35 to 1.
    pub plate_zone: [f32; 2],
    /// From how many pixels a metre on a plate could be read, by software too; 0..=100,000.
    /// Vehicles seen at fewer need no fallback. With a lot, the scale follows from its spaces,
    /// also of a vehicle that another one hides up to 1.2 m; without one, and where the spaces
    /// are too far to say, it is guessed: the shorter side of a vehicle's box is taken as 1.4 m,
    /// the longer one if the picture's edge may cut it off, the width of what is higher than wide
    /// (a motorcycle) as 0.7 m.
    /// Default: 80 (IEC 62676-4:2025, "discern"; a plate of 520 mm x 110 mm has 42 x 9 pixels
    /// then).
    pub min_pixels_per_metre: f32,
    /// How the pixels are destroyed. Default: filled with black.
    pub redaction: Redaction,
    /// The most bits that one region may leak, 0..=8: a `redaction` that could leak more is
    /// refused. Default: 8.
    pub max_leak_bits: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            plates: true,
            faces: true,
            persons: true,
            scores: Scores { vehicle: 0.3, person: 0.03, plate: 0.03, face: 0.05 },
            sure_plate: 0.2,
            plate_margin: 0.2,
            face_margin: 0.5,
            person_margin: 0.1,
            head_margin: 0.1,
            min_margin: 2.0,
            fallback: Fallback::PlateZone,
            plate_zone: [0.35, 1.0],
            min_pixels_per_metre: 80.0,
            redaction: Redaction::default(),
            max_leak_bits: MAX_LEAK_BITS,
        }
    }
}

setters! {
    Policy {
        plates: bool = "false",
        faces: bool = "false",
        persons: bool = "false",
        scores: Scores = "Scores::default()",
        sure_plate: f32 = "0.4",
        plate_margin: f32 = "0.3",
        face_margin: f32 = "0.3",
        person_margin: f32 = "0.3",
        head_margin: f32 = "0.3",
        min_margin: f32 = "4.0",
        fallback: Fallback = "Fallback::WholeVehicle",
        plate_zone: [f32; 2] = "[0.5, 0.9]",
        min_pixels_per_metre: f32 = "120.0",
        redaction: Redaction = "Redaction::Fill(Fill::Surroundings)",
        max_leak_bits: f64 = "0.0",
    }
}

impl Policy {
    pub(crate) fn check(&self) -> Result<()> {
        self.scores.check()?;
        let margin = |name, value: f32| (name, f64::from(value), 0.0..=4.0, "0..=4");
        let [top, bottom] = self.plate_zone.map(f64::from);
        let private = [self.plates, self.faces, self.persons];
        let private = private.into_iter().filter(|on| *on).count() as f64;
        options::check([
            ("plates, faces and persons that are on", private, 1.0..=3.0, "1..=3"),
            ("sure_plate", self.sure_plate.into(), 0.0..=1.0, "0..=1"),
            margin("plate_margin", self.plate_margin),
            margin("face_margin", self.face_margin),
            margin("person_margin", self.person_margin),
            margin("head_margin", self.head_margin),
            ("min_margin", self.min_margin.into(), 0.0..=64.0, "0..=64"),
            ("plate_zone", bottom, 0.0..=1.0, "0..=1"),
            ("plate_zone", top, 0.0..=bottom, "0..=its end"),
            ("min_pixels_per_metre", self.min_pixels_per_metre.into(), 0.0..=1e5, "0..=100000"),
            ("max_leak_bits", self.max_leak_bits, 0.0..=MAX_LEAK_BITS, "0..=8"),
        ])?;
        self.redaction.check(self.max_leak_bits)
    }

    /// Refuses a detector that cannot find what has to go.
    pub(crate) fn check_labels(&self, looks_for: impl Fn(Label) -> bool) -> Result<()> {
        let [vehicle, person, plate, face] = Label::ALL.map(&looks_for);
        let zones = vehicle && self.fallback != Fallback::Off;
        for (name, wanted, found, needed) in [
            ("plates", self.plates, plate || zones, "plate, or vehicle with a fallback"),
            ("faces", self.faces, face || person, "face or person"),
            ("persons", self.persons, person, "person"),
        ] {
            if wanted && !found {
                let labels = Label::ALL.into_iter().filter(|&label| looks_for(label));
                let labels: Vec<_> = labels.map(|label| label.to_string()).collect();
                let labels = labels.join(", ");
                return Err(Error::Model(format!(
                    "it looks for {labels}; for the policy's {name}, {needed} is needed"
                )));
            }
        }
        Ok(())
    }

    /// The regions that have to go, given what was found (by at least the policy's scores).
    pub(crate) fn regions(
        &self,
        frame: &Frame<'_>,
        found: &[Detection],
        lot: Option<&Lot>,
    ) -> Vec<Region> {
        let of = |label| found.iter().filter(move |d| d.label == label);
        let mut regions = Vec::new();
        let mut add =
            |rect, label, cause| regions.push(Region::new(frame, rect, Some(label), cause));
        let body =
            |person: &Detection| self.grown(person.rect, self.person_margin, self.head_margin);
        if self.persons {
            for person in of(Label::Person) {
                add(body(person), Label::Person, Cause::Detected);
            }
        }
        if self.faces {
            for face in of(Label::Face) {
                add(self.grown(face.rect, self.face_margin, 0.0), Label::Face, Cause::Detected);
            }
            for person in of(Label::Person).filter(|_| !self.persons) {
                let head = Rect { height: HEAD * person.rect.height, ..person.rect };
                let seen = |face: &Detection| {
                    face.score >= self.scores.face && has_centre_of(head, face.rect)
                };
                if !of(Label::Face).any(seen) {
                    let (body, below) = (body(person), self.grown(head, self.person_margin, 0.0));
                    let height = below.y + below.height - body.y;
                    add(Rect { height, ..body }, Label::Face, Cause::Fallback);
                }
            }
        }
        if self.plates {
            for plate in of(Label::Plate) {
                add(self.grown(plate.rect, self.plate_margin, 0.0), Label::Plate, Cause::Detected);
            }
            let ground = lot.and_then(|lot| Scale::of(lot, frame.width(), frame.height()));
            let vehicles: Vec<Rect> = of(Label::Vehicle).map(|vehicle| vehicle.rect).collect();
            let zones: Vec<Rect> = vehicles.iter().map(|rect| self.zone(rect)).collect();
            let sure = of(Label::Plate).filter(|plate| plate.score >= self.sure_plate);
            let spared = spared(&vehicles, &zones, sure.map(|plate| plate.rect));
            for ((rect, zone), spared) in vehicles.into_iter().zip(zones).zip(spared) {
                let scale = pixels_per_metre(frame, rect, ground.as_ref());
                // What is not a number counts as legible.
                if spared || scale < f64::from(self.min_pixels_per_metre) {
                    continue;
                }
                let (rect, margin, label) = match self.fallback {
                    Fallback::PlateZone => (zone, 0.0, Label::Plate),
                    Fallback::WholeVehicle => (rect, self.plate_margin, Label::Vehicle),
                    Fallback::Off => continue,
                };
                add(self.grown(rect, margin, 0.0), label, Cause::Fallback);
            }
        }
        regions
    }

    /// Where a vehicle's plates are.
    fn zone(&self, vehicle: &Rect) -> Rect {
        let [from, to] = self.plate_zone;
        let (y, height) = (vehicle.y + from * vehicle.height, (to - from) * vehicle.height);
        Rect { y, height, ..*vehicle }
    }

    /// The rectangle with `margin` of its size added on each side, and `above` of its height on
    /// top.
    fn grown(&self, rect: Rect, margin: f32, above: f32) -> Rect {
        let dx = (margin * rect.width).max(self.min_margin);
        let dy = (margin * rect.height).max(self.min_margin);
        let up = dy + above * rect.height;
        Rect {
            x: rect.x - dx,
            y: rect.y - up,
            width: rect.width + 2.0 * dx,
            height: rect.height + up + dy,
        }
    }
}

fn centre(rect: Rect) -> (f32, f32) {
    (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0)
}

/// From centre to centre.
fn distance(a: Rect, b: Rect) -> f32 {
    let (a, b) = (centre(a), centre(b));
    (a.0 - b.0).hypot(a.1 - b.1)
}

fn has_centre_of(outer: Rect, inner: Rect) -> bool {
    let (x, y) = centre(inner);
    (outer.x..=outer.x + outer.width).contains(&x)
        && (outer.y..=outer.y + outer.height).contains(&y)
}

/// Of vehicles and their plate zones, which need no fallback: those whose plate was found. `plates`
/// are sorted, the surest first.
fn spared(vehicles: &[Rect], zones: &[Rect], plates: impl Iterator<Item = Rect>) -> Vec<bool> {
    let mut spared = vec![false; zones.len()];
    let mut seen: Vec<Rect> = Vec::new();
    for plate in plates {
        // Of several boxes of a plate no other: a second one is no witness for the vehicle behind.
        if seen.iter().any(|better| share_of_smaller(better, &plate) > SAME) {
            continue;
        }
        seen.push(plate);
        // It is one vehicle's, the one in whose zone it is nearest to the middle; of which there
        // may be several boxes.
        let holding = (0..zones.len()).filter(|i| has_centre_of(zones[*i], plate));
        let far = |i: &usize| distance(zones[*i], plate);
        if let Some(its) = holding.clone().min_by(|a, b| far(a).total_cmp(&far(b))) {
            let same =
                |i: &usize| *i == its || share_of_smaller(&vehicles[*i], &vehicles[its]) > SAME;
            holding.filter(same).for_each(|i| spared[i] = true);
        }
    }
    spared
}

/// The scale at which a vehicle is seen, rather too large than too small.
fn pixels_per_metre(frame: &Frame<'_>, vehicle: Rect, ground: Option<&Scale>) -> f64 {
    let foot = (vehicle.x + vehicle.width / 2.0, vehicle.y + vehicle.height);
    let known = ground.and_then(|ground| {
        ground.most_pixels_per_metre(foot.0.into(), foot.1.into(), PLATE_HIGH_M)
    });
    // At that scale it would be larger than any vehicle: the camera was moved or zoomed.
    let shorter = f64::from(vehicle.width.min(vehicle.height));
    let known = known.filter(|scale| shorter <= scale * LARGEST_SIDE_M);
    known.unwrap_or_else(|| {
        let Rect { x, y, width, height } = vehicle;
        let (right, bottom) = (frame.width() as f32, frame.height() as f32);
        let edge = EDGE * right.max(bottom);
        let whole = x > edge && y > edge && x + width < right - edge && y + height < bottom - edge;
        match (whole, width < height) {
            (false, _) => f64::from(width.max(height)) / VEHICLE_SIDE_M,
            (true, true) => f64::from(width) / UPRIGHT_M,
            (true, false) => f64::from(height) / VEHICLE_SIDE_M,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PixelFormat;
    use crate::geometry::Quad;
    use crate::occupancy::Space;

    fn found(label: Label, score: f32, [x, y, width, height]: [f32; 4]) -> Detection {
        Detection { label, score, rect: Rect { x, y, width, height } }
    }

    /// The regions' label, cause and left, top, right, bottom in a gray picture of 400 x 300.
    fn regions(policy: Policy, found: &[Detection], lot: Option<&Lot>) -> Vec<String> {
        let pixels = vec![0; 400 * 300];
        let frame = Frame::packed(PixelFormat::Gray8, 400, 300, &pixels).unwrap();
        policy.check().unwrap();
        let text = |region: Region| {
            let Region { area, label, cause } = region;
            let label = label.unwrap();
            format!("{label} {cause} {} {} {} {}", area.left, area.top, area.right, area.bottom)
        };
        policy.regions(&frame, found, lot).into_iter().map(text).collect()
    }

    /// Every label with its margin; a vehicle with a sure plate needs no fallback.
    #[test]
    fn what_was_found_goes_with_its_margin() {
        let all = [
            found(Label::Vehicle, 0.9, [100.0, 100.0, 150.0, 100.0]),
            found(Label::Plate, 0.9, [150.0, 160.0, 40.0, 10.0]),
            found(Label::Person, 0.3, [300.0, 100.0, 40.0, 100.0]),
            found(Label::Face, 0.3, [20.0, 20.0, 20.0, 20.0]),
        ];
        assert_eq!(
            regions(Policy::default(), &all, None),
            [
                "person detected 296 80 344 210",
                "face detected 10 10 50 50",
                "plate detected 142 158 198 172",
            ]
        );
        let nothing = Policy::default().plates(false).faces(false).persons(false);
        let refused = nothing.check().unwrap_err().to_string();
        assert_eq!(refused, "option plates, faces and persons that are on: 0 is not in 1..=3");
    }

    /// The fallback is spared by a sure plate in the plate zone only, and by a scale at which
    /// none could be read.
    #[test]
    fn a_vehicle_without_a_plate_falls_back() {
        // 100 pixels for 1.4 m are 71 pixels a metre.
        let policy = |least| Policy::default().min_pixels_per_metre(least);
        let vehicle = found(Label::Vehicle, 0.4, [100.0, 100.0, 150.0, 100.0]);
        let zone = "plate fallback 98 133 252 202";
        let unsure = found(Label::Plate, 0.1, [150.0, 160.0, 40.0, 10.0]);
        let roof = found(Label::Plate, 0.9, [150.0, 102.0, 40.0, 10.0]);
        assert_eq!(regions(policy(70.0), &[vehicle], None), [zone]);
        for plate in [unsure, roof] {
            assert_eq!(regions(policy(70.0), &[vehicle, plate], None)[1], zone);
        }
        let whole = policy(70.0).fallback(Fallback::WholeVehicle);
        assert_eq!(regions(whole, &[vehicle], None), ["vehicle fallback 70 80 280 220"]);
        assert!(regions(policy(70.0).fallback(Fallback::Off), &[vehicle], None).is_empty());
        assert!(regions(policy(72.0), &[vehicle], None).is_empty());
    }

    /// With a lot the scale is the ground's where the vehicle stands, not a guess.
    #[test]
    fn the_lot_gives_the_scale() {
        // 2.5 m x 5 m seen from straight above at 40 pixels a metre.
        let space = |id: &str, x: f64, y: f64| {
            let (w, h) = (2.5 * 40.0 / 400.0, 5.0 * 40.0 / 300.0);
            Space::new(id, Quad::from([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]))
        };
        let lot = Lot::new([space("a", 0.1, 0.0), space("b", 0.4, 0.3), space("c", 0.7, 0.2)]);
        let lot = lot.unwrap();
        // By its shorter side 35.7 pixels a metre.
        let vehicle = found(Label::Vehicle, 0.9, [100.0, 100.0, 60.0, 50.0]);
        let policy = Policy::default().min_pixels_per_metre(39.0);
        assert!(regions(policy.clone(), &[vehicle], None).is_empty());
        assert_eq!(regions(policy.clone(), &[vehicle], Some(&lot)).len(), 1);
        let policy = policy.min_pixels_per_metre(45.0);
        assert!(regions(policy, &[vehicle], Some(&lot)).is_empty());
    }

    /// A lot that does not fit the picture, since the camera was zoomed, takes no fallback from a
    /// vehicle that no lot's scale could explain.
    #[test]
    fn a_lot_that_does_not_fit_spares_nothing() {
        let space = |id: &str, x: f64, y: f64| {
            let corners = [[x, y], [x + 0.025, y], [x + 0.025, y + 0.066], [x, y + 0.066]];
            Space::new(id, Quad::from(corners))
        };
        // Four pixels a metre.
        let lot = Lot::new([space("a", 0.1, 0.1), space("b", 0.4, 0.4), space("c", 0.7, 0.7)]);
        let vehicle = found(Label::Vehicle, 0.9, [50.0, 50.0, 200.0, 150.0]);
        assert_eq!(regions(Policy::default(), &[vehicle], Some(&lot.unwrap())).len(), 1);
    }

    /// Before a low camera, what is seen of a half hidden vehicle is small and ends high above the
    /// ground it stands on: it keeps its fallback. One that is far needs none.
    #[test]
    fn a_half_hidden_vehicle_falls_back() {
        // 2.5 m above the ground, looking level, 320 pixels of focal length.
        let at =
            |x: f64, z: f64, high: f64| [200.0 + 320.0 * x / z, 150.0 + 320.0 * (2.5 - high) / z];
        let space = |id: &str, x: f64, z: f64| {
            let corner = |dx, dz| {
                let [u, v] = at(x + dx, z + dz, 0.0);
                [u / 400.0, v / 300.0]
            };
            let corners = [corner(0.0, 0.0), corner(2.5, 0.0), corner(2.5, 5.0), corner(0.0, 5.0)];
            Space::new(id, Quad::from(corners))
        };
        let spaces = [(-2.5, 6.0), (0.0, 6.0), (-2.5, 11.0), (0.0, 11.0)];
        let lot = Lot::new(spaces.map(|(x, z)| space(&format!("{x} {z}"), x, z))).unwrap();
        let vehicle = |z: f64, from: f64| {
            let ([left, top], [right, bottom]) = (at(-0.9, z, 1.4), at(0.9, z, from));
            let edges = [left, top, right - left, bottom - top].map(|v| v as f32);
            found(Label::Vehicle, 0.9, edges)
        };
        let policy = |least| Policy::default().min_pixels_per_metre(least);
        // At 9 m there are 36 pixels a metre, at 15 m 21.
        assert_eq!(regions(policy(32.0), &[vehicle(9.0, 0.8)], Some(&lot)).len(), 1);
        assert!(regions(policy(32.0), &[vehicle(9.0, 0.8)], None).is_empty());
        assert!(regions(policy(60.0), &[vehicle(15.0, 0.0)], Some(&lot)).is_empty());
    }

    /// A plate is one vehicle's: it does not spare the one behind, whose plate was missed.
    #[test]
    fn a_plate_spares_one_vehicle() {
        let policy = Policy::default().min_pixels_per_metre(70.0);
        let before = found(Label::Vehicle, 0.9, [100.0, 100.0, 150.0, 100.0]);
        let behind = found(Label::Vehicle, 0.9, [180.0, 110.0, 150.0, 100.0]);
        let plate = found(Label::Plate, 0.9, [180.0, 160.0, 40.0, 10.0]);
        assert_eq!(
            regions(policy, &[before, behind, plate], None),
            ["plate detected 172 158 228 172", "plate fallback 178 143 332 212",]
        );
    }

    /// Two boxes of one plate are one plate: the second spares no vehicle behind.
    #[test]
    fn a_plate_found_twice_spares_one_vehicle() {
        let policy = Policy::default().min_pixels_per_metre(70.0);
        let before = found(Label::Vehicle, 0.9, [100.0, 100.0, 150.0, 100.0]);
        let behind = found(Label::Vehicle, 0.9, [180.0, 110.0, 150.0, 100.0]);
        let plate = |score, x| found(Label::Plate, score, [x, 160.0, 40.0, 10.0]);
        let all = [before, behind, plate(0.9, 180.0), plate(0.8, 194.0)];
        let fallback = "plate fallback 178 143 332 212";
        assert!(regions(policy.clone(), &all, None).iter().any(|region| region == fallback));
        // Two plates beside one another spare both.
        let all = [before, behind, plate(0.9, 180.0), plate(0.8, 240.0)];
        assert!(!regions(policy, &all, None).iter().any(|region| region == fallback));
    }

    /// What the picture's edge cuts off, and what is higher than wide, is nearer than its shorter
    /// side says.
    #[test]
    fn half_a_car_and_a_motorcycle_fall_back() {
        let policy = Policy::default().min_pixels_per_metre(72.0);
        let whole = found(Label::Vehicle, 0.9, [20.0, 50.0, 110.0, 100.0]);
        assert!(regions(policy.clone(), &[whole], None).is_empty());
        let entering = found(Label::Vehicle, 0.9, [0.0, 50.0, 110.0, 100.0]);
        let motorcycle = found(Label::Vehicle, 0.9, [20.0, 50.0, 60.0, 100.0]);
        for vehicle in [entering, motorcycle] {
            assert_eq!(regions(policy.clone(), &[vehicle], None).len(), 1, "{vehicle:?}");
        }
    }

    /// If only faces go, a person without a face loses the head.
    #[test]
    fn a_missed_face_is_covered() {
        let person = found(Label::Person, 0.9, [100.0, 100.0, 40.0, 100.0]);
        let policy = Policy::default().persons(false);
        assert_eq!(regions(policy.clone(), &[person], None), ["face fallback 96 80 144 133"]);
        let face = found(Label::Face, 0.9, [110.0, 100.0, 20.0, 20.0]);
        assert_eq!(
            regions(policy.clone(), &[person, face], None),
            ["face detected 100 90 140 130"]
        );
        // A print on the shirt is no face of the person's, nor is a neighbour's beside the head.
        for [x, y] in [[110.0, 140.0], [132.0, 105.0], [110.0, 75.0]] {
            let other = found(Label::Face, 0.9, [x, y, 20.0, 20.0]);
            assert_eq!(regions(policy.clone(), &[person, other], None).len(), 2, "{x} {y}");
        }
    }

    /// A box that is no number costs the whole picture, never a leak.
    #[test]
    fn nonsense_is_everything() {
        let person = found(Label::Person, 0.9, [f32::NAN, 100.0, f32::INFINITY, f32::NAN]);
        assert_eq!(regions(Policy::default(), &[person], None), ["person detected 0 0 400 300"]);
    }
}

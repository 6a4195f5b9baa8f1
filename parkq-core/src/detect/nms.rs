//! Of boxes that mean the same thing, the best stays.

use std::cmp::Ordering;

use super::{Detection, Label};
use crate::geometry::Rect;

/// A detection, and whether the border of its tile cuts it off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) detection: Detection,
    pub(super) cut: bool,
}

/// A box that its tile cut off gives way to one that holds so much of it.
const HELD: f32 = 0.8;

/// Keeps the best of boxes of one label that overlap more than `max_overlap` (intersection over
/// union), best first; the order does not depend on that of the input.
pub(super) fn suppress(found: Vec<Found>, max_overlap: impl Fn(Label) -> f32) -> Vec<Detection> {
    let common = |a: &Found, b: &Found| intersection(&a.detection.rect, &b.detection.rect);
    let area = |one: &Found| area(&one.detection.rect);
    let same = |other: &Found, one: &Found| {
        let common = common(other, one);
        common > max_overlap(one.detection.label) * (area(one) + area(other) - common)
    };
    let holds =
        |other: &Found, one: &Found| one.cut && !other.cut && common(other, one) > HELD * area(one);
    // No cut box takes the place of a whole one yet, which may hold it.
    let covers = |other: &Found, one: &Found| {
        same(other, one) && (one.cut || !other.cut) || holds(other, one)
    };
    let mut kept = best(found, |one| &one.detection, covers);
    // The whole one may have come later.
    let whole: Vec<Found> = kept.iter().filter(|found| !found.cut).copied().collect();
    kept.retain(|one| {
        let label = |other: &&Found| other.detection.label == one.detection.label;
        !whole.iter().filter(label).any(|other| holds(other, one))
    });
    let kept = best(kept, |one| &one.detection, same);
    kept.into_iter().map(|found| found.detection).collect()
}

/// Best first, those that no better one of their label covers.
pub(super) fn best<T>(
    mut found: Vec<T>,
    of: impl Fn(&T) -> &Detection,
    covers: impl Fn(&T, &T) -> bool,
) -> Vec<T> {
    found.sort_by(|a, b| order(of(a), of(b)));
    let mut kept: Vec<T> = Vec::with_capacity(found.len());
    for one in found {
        let same = |other: &&T| of(other).label == of(&one).label;
        if !kept.iter().filter(same).any(|other| covers(other, &one)) {
            kept.push(one);
        }
    }
    kept
}

/// Best first; of equals, by label, then from the top left.
pub(super) fn order(a: &Detection, b: &Detection) -> Ordering {
    let key = |d: &Detection| [d.rect.y, d.rect.x, d.rect.height, d.rect.width];
    let places = || {
        key(a)
            .iter()
            .zip(key(b))
            .map(|(a, b)| a.total_cmp(&b))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    b.score.total_cmp(&a.score).then(a.label.cmp(&b.label)).then_with(places)
}

/// How much of the smaller of two boxes is in the other one too, 0..=1.
pub(crate) fn share_of_smaller(a: &Rect, b: &Rect) -> f32 {
    intersection(a, b) / area(a).min(area(b))
}

pub(super) fn area(rect: &Rect) -> f32 {
    rect.width * rect.height
}

pub(super) fn intersection(a: &Rect, b: &Rect) -> f32 {
    let side =
        |a: f32, a_len: f32, b: f32, b_len: f32| ((a + a_len).min(b + b_len) - a.max(b)).max(0.0);
    side(a.x, a.width, b.x, b.width) * side(a.y, a.height, b.y, b.height)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn founds() -> impl Strategy<Value = Vec<Found>> {
        let side = |max: u8| (0..max).prop_map(f32::from);
        let one = (0usize..4, 0u8..=20, side(40), side(40), side(20), side(20), any::<bool>());
        let found = one.prop_map(|(label, score, x, y, width, height, cut)| Found {
            detection: Detection {
                label: Label::ALL[label],
                score: f32::from(score) / 20.0,
                rect: Rect { x, y, width: width + 1.0, height: height + 1.0 },
            },
            cut,
        });
        prop::collection::vec(found, 0..40)
    }

    fn whole(founds: &[Found]) -> Vec<Found> {
        founds.iter().map(|f| Found { cut: false, ..*f }).collect()
    }

    fn iou(a: &Rect, b: &Rect) -> f32 {
        let common = intersection(a, b);
        common / (area(a) + area(b) - common)
    }

    proptest! {
        /// The best box always survives, whatever overlaps it.
        #[test]
        fn the_best_stays(founds in founds()) {
            let founds = whole(&founds);
            let kept = suppress(founds.clone(), |_| 0.5);
            let best = founds.iter().map(|f| f.detection.score).fold(f32::NEG_INFINITY, f32::max);
            prop_assert_eq!(kept.first().map(|k| k.score), founds.first().map(|_| best));
        }

        /// Once is enough, and the order of the input is of no account.
        #[test]
        fn idempotent_and_stable(founds in founds(), seed in any::<u64>()) {
            let kept = suppress(founds.clone(), |_| 0.5);
            let mut shuffled = founds.clone();
            let n = shuffled.len().max(1);
            shuffled.rotate_left(seed as usize % n);
            shuffled.reverse();
            // Two that differ in `cut` alone have no order between them.
            let distinct = founds.iter().all(|a| {
                founds.iter().filter(|b| b.detection == a.detection).all(|b| b.cut == a.cut)
            });
            if distinct {
                prop_assert_eq!(&suppress(shuffled, |_| 0.5), &kept);
            }
            let again = kept.iter().map(|k| Found { detection: *k, cut: false }).collect();
            prop_assert_eq!(suppress(again, |_| 0.5), kept);
        }

        /// The naive definition: nothing kept overlaps another of its label, and everything
        /// dropped overlaps something kept that is at least as good.
        #[test]
        fn equals_its_definition(founds in founds(), overlap in 0.1f32..0.9) {
            let founds = whole(&founds);
            let kept = suppress(founds.clone(), |_| overlap);
            for (i, a) in kept.iter().enumerate() {
                for b in &kept[i + 1..] {
                    prop_assert!(a.label != b.label || iou(&a.rect, &b.rect) <= overlap + 1e-5);
                }
            }
            for f in &founds {
                let why = |k: &Detection| {
                    k.label == f.detection.label
                        && k.score >= f.detection.score
                        && iou(&k.rect, &f.detection.rect) > overlap - 1e-5
                };
                prop_assert!(kept.contains(&f.detection) || kept.iter().any(why));
            }
        }
    }

    /// A box that a tile cut off gives way to the whole one, whichever scores more, and whether it
    /// holds little of it or much.
    #[test]
    fn cut_boxes_give_way() {
        let found = |score, x, width, cut| Found {
            detection: Detection {
                label: Label::Vehicle,
                score,
                rect: Rect { x, y: 0.0, width, height: 10.0 },
            },
            cut,
        };
        for (cut, whole) in [(0.9, 0.6), (0.6, 0.9), (0.9, 0.9)] {
            for width in [10.0, 30.0, 40.0] {
                let both = vec![found(cut, 0.0, width, true), found(whole, 0.0, 40.0, false)];
                let kept = suppress(both, |_| 0.5);
                assert_eq!(kept.len(), 1, "{width}");
                assert_eq!((kept[0].rect.width, kept[0].score), (40.0, whole), "{width}");
            }
        }
        assert_eq!(suppress(vec![found(0.9, 0.0, 10.0, true)], |_| 0.5).len(), 1);
    }
}
